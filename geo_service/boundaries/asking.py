"""What every request about a draft has: who asks, the desk, what may be answered."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Request
from starlette.responses import Response

from geo_service.access.origin import from_here, json_from_here
from geo_service.access.principals import Asking
from geo_service.boundaries import store
from geo_service.boundaries.desk import READERS, WRITERS, Desk
from geo_service.boundaries.refusal import Refused
from geo_service.database import Principal
from geo_service.problems import MEDIA_TYPE, Problem

_TOLD = {
    403: "The role or the area does not allow it",
    404: "No such draft in sight",
    409: "Not in this state or at this revision, or the base has moved: the sentence says which",
    412: "The draft is not what If-Match names",
    415: "Not this type of content",
    422: "Refused: the sentence says why, place says where",
    423: "A grid is locked by another draft that is being reviewed",
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of refusals."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": _TOLD[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


async def _reader(asking: Asking) -> Principal:
    if asking.role not in READERS:
        raise Problem(403, "您没有查看草稿的权限。", "You may not see drafts.")
    return asking


async def _writer(asking: Asking) -> Principal:
    if asking.role not in WRITERS:
        raise Problem(403, "您没有编辑网格边界的权限。", "You may not edit grid boundaries.")
    return asking


async def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


Reading = Annotated[Principal, Depends(_reader)]
Writing = Annotated[Principal, Depends(_writer)]
At = Annotated[Desk, Depends(_desk)]
Id = Annotated[UUID, Path(alias="id", description="A draft's")]

JSON = [Depends(json_from_here)]
HERE = [Depends(from_here)]


@contextmanager
def refusing() -> Iterator[None]:
    """Answer what is refused with a problem document that says where."""
    try:
        yield
    except Refused as refusal:
        # What was sent may hold characters that no text has.
        zh, en = (
            text.encode("utf-8", "replace").decode()
            for text in (refusal.reason.zh, refusal.reason.en)
        )
        raise Problem(422, zh, en, extra={"place": refusal.place}) from None


def shown(draft: store.Draft) -> dict[str, Any]:
    """Return a draft as it is answered, with its links."""
    own = f"/api/drafts/{draft.id}"
    names = (
        "grids", "operations", "balance", "review", "comments", "live", "notice.pdf", "notice.docx",
    )  # fmt: skip
    shown = asdict(draft)
    limits = store.limits(draft.area, shown.pop("area_limits"))
    shown["limits"] = {"households": [limits.low, limits.high]}
    return {**shown, "links": {"self": own, **{name: f"{own}/{name}" for name in names}}}


async def one_draft(desk: Desk, asking: Principal, id_: UUID, response: Response) -> dict[str, Any]:
    """Return a draft and set its ETag; raise Problem 404 where none is in sight."""
    async with desk.database.reading(asking) as connection:
        draft = await store.get(connection, id_)
    if draft is None:
        raise Problem(404, "没有这个草稿。", "There is no such draft.")
    response.headers["ETag"] = f'"{draft.event}"'
    return shown(draft)


def answered(text: str) -> Response:
    """Return JSON that is a text already."""
    return Response(text, media_type="application/json")
