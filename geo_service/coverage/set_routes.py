"""What-if sets over HTTP: kept, changed, compared."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import Response

from geo_service.access.origin import from_here, json_from_here
from geo_service.access.principals import Asking
from geo_service.analyses.process import WRITERS
from geo_service.coverage import figures, sets
from geo_service.coverage.covers import Look
from geo_service.coverage.current import current_town
from geo_service.coverage.drawing import both
from geo_service.coverage.question import Edition, State, When, level_of, look_of
from geo_service.coverage.threads import beside
from geo_service.coverage.town import Town
from geo_service.coverage.trial import Content
from geo_service.coverage.what_if import applied
from geo_service.database import Database, Principal
from geo_service.ogc.execution import encoded
from geo_service.problems import Problem

JSON = "application/json"
MOST_COMPARED = 8

router = APIRouter(prefix="/api/coverage/sets", tags=["Camera coverage"])

_READ: dict[int | str, dict[str, Any]] = {403: {"description": "The role keeps no sets"}}
_WRITTEN: dict[int | str, dict[str, Any]] = {
    **_READ,
    415: {"description": "The body is not JSON"},
    422: {"description": "The cameras of the set make no sense: the sentence says why"},
}


async def keeps_sets(asking: Asking) -> Principal:
    """Return who asks, where their role keeps sets; raise Problem 403 else."""
    if asking.role not in WRITERS:
        raise Problem(403, "您的角色不能使用假设方案。", "Your role keeps no what-if sets.")
    return asking


Keeping = Annotated[Principal, Depends(keeps_sets)]


class Kept(Content):
    """A set: its name, and the cameras added, moved and removed."""

    name: Annotated[str, Field(min_length=1, max_length=80)]

    def content(self) -> dict[str, Any]:
        """Return what is kept of it beside its name."""
        return self.model_dump(mode="json", exclude={"name"})


async def _checked(request: Request, asking: Principal, kept: Kept) -> None:
    """Raise Problem 422 unless the set's cameras can be computed: none else is kept."""
    town = await current_town(request, asking)
    if "\0" in kept.name or any("\0" in (one.name or "") for one in kept.cameras):
        raise Problem(422, "名称含有不可用的字符。", "A name has a character that cannot be kept.")
    level = level_of("2015", None).name

    def check() -> None:
        applied(town, town.cover(look_of("2015", "day", "designed"), level), kept)

    await beside(check)


def _none() -> Problem:
    return Problem(
        404,
        "没有这个方案，或它不是您的。",
        "There is no such set, or it is not yours to change.",
    )


def _json(content: Any, status: int = 200) -> Response:
    return Response(encoded(content), status, media_type=JSON)


@router.get("", summary="What-if sets", responses=_READ)
async def page(request: Request, asking: Keeping) -> Response:
    """Return the sets that are kept in one's area, the last changed first."""
    database: Database = request.app.state.database
    async with database.reading(asking) as connection:
        return _json({"sets": await sets.page(connection)})


@router.post(
    "",
    status_code=201,
    summary="Keep a set",
    dependencies=[Depends(json_from_here)],
    responses={
        201: {"content": {JSON: {"schema": {"type": "object"}}}},
        **_WRITTEN,
        429: {"description": "There are too many sets"},
    },
)
async def add(request: Request, asking: Keeping, kept: Kept) -> Response:
    """Keep a set; refused with a sentence where a camera in it cannot be."""
    await _checked(request, asking, kept)
    database: Database = request.app.state.database
    async with database.writing(asking) as connection:
        made = await sets.add(connection, asking, kept.name, kept.content())
    if made is None:
        raise Problem(
            429, f"方案已有 {sets.MOST} 个，请先删除一些。",
            f"There are {sets.MOST} sets already: remove some first.",
        )  # fmt: skip
    return _json(made, 201)


@router.get(
    "/compare",
    summary="Sets compared",
    responses={**_READ, 404: {"description": "No such set"}, 422: {"description": "Why not"}},
)
async def compare(  # noqa: PLR0917
    request: Request,
    asking: Keeping,
    ids: Annotated[str, Query(max_length=400, description="Sets, separated by commas")],
    edition: Annotated[Edition, Query(description="Of the levels of density")] = "2015",
    level: Annotated[str | None, Query(max_length=20, description="Level of density")] = None,
    when: Annotated[When, Query(description="By day or at night")] = "day",
    state: Annotated[State, Query(description="Cameras online now, or all")] = "designed",
) -> Response:
    """Return the whole area's figures as it is, with each set, and the difference."""
    try:
        wanted = [UUID(one) for one in ids.split(",")]
    except ValueError:
        raise Problem(422, "方案编号不正确。", "One of the ids is no set's id.") from None
    if len(wanted) > MOST_COMPARED:
        raise Problem(
            422, f"最多比较 {MOST_COMPARED} 个方案。", f"At most {MOST_COMPARED} sets at a time."
        )
    chosen = level_of(edition, level).name
    look = look_of(edition, when, state)
    database: Database = request.app.state.database
    kept = []
    async with database.reading(asking) as connection:
        for id_ in wanted:
            found = await sets.get(connection, id_)
            if found is None:
                raise _none()
            kept.append(found)
    town = await current_town(request, asking)

    def compute() -> bytes:
        return encoded(_compared(town, kept, look, chosen))

    return Response(await beside(compute), media_type=JSON)


def _compared(town: Town, kept: list[dict[str, Any]], look: Look, level: str) -> dict[str, Any]:
    before = town.cover(look, level)
    whole = figures.whole(town.standing)
    base = figures.told(figures.table(town, before, level), whole)
    told = []
    for one in kept:
        content = Content.model_validate({name: one[name] for name in Content.model_fields})
        try:
            after, notes, _ = applied(town, before, content)
        except Problem as problem:
            # A camera of the set is gone since: the others are still told.
            told.append({"id": one["id"], "name": one["name"], "town": None, "difference": None,
                         "problem": {"zh": problem.zh, "en": problem.en}})  # fmt: skip
            continue
        row = figures.told(figures.table(town, after, level), whole)
        told.append(
            {
                "id": one["id"], "name": one["name"], "town": row,
                "difference": figures.difference([row], [base])[0],
                "intruding": sorted(after.intruding - before.intruding),
                "notes": [
                    {"code": code, "notes": [both(one) for one in said]}
                    for code, said in notes
                ],
            }
        )  # fmt: skip
    return {"level": level, "before": base, "sets": told}


@router.get("/{id}", summary="One set", responses=_READ)
async def get(request: Request, asking: Keeping, id: UUID) -> Response:  # noqa: A002 - the path's
    """Return a set."""
    database: Database = request.app.state.database
    async with database.reading(asking) as connection:
        found = await sets.get(connection, id)
    if found is None:
        raise _none()
    return _json(found)


@router.put(
    "/{id}", summary="Change a set", dependencies=[Depends(json_from_here)], responses=_WRITTEN
)
async def change(request: Request, asking: Keeping, id: UUID, kept: Kept) -> Response:  # noqa: A002
    """Change a set of one's own; an administrator, anyone's."""
    await _checked(request, asking, kept)
    database: Database = request.app.state.database
    async with database.writing(asking) as connection:
        made = await sets.change(connection, asking, id, kept.name, kept.content())
    if made is None:
        raise _none()
    return _json(made)


@router.delete(
    "/{id}",
    status_code=204,
    summary="Forget a set",
    dependencies=[Depends(from_here)],
    responses={**_READ, 415: {"description": "A form of another site"}},
)
async def remove(request: Request, asking: Keeping, id: UUID) -> Response:  # noqa: A002
    """Forget a set of one's own; an administrator, anyone's."""
    database: Database = request.app.state.database
    async with database.writing(asking) as connection:
        if not await sets.remove(connection, asking, id):
            raise _none()
    return Response(status_code=204)
