"""What an import route asks first: who may write, from where the request is, of what type."""

from typing import Annotated, Any

from fastapi import Depends, Request

from geo_service.access.principals import Asking
from geo_service.database import Principal
from geo_service.imports.models import Trouble
from geo_service.problems import MEDIA_TYPE, Problem
from layers.catalogue import CATALOGUE, Layer

_ROLES = frozenset().union(*(layer.writers for layer in CATALOGUE.values()))


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of refusals."""
    told = {
        401: "Nobody is signed in",
        403: "The role may not write this layer",
        404: "No such import in sight",
        409: "Not in this state: the sentence says why",
        413: "The file is too large",
        415: "Not this type of content",
        422: "The file cannot be read",
    }
    return {
        status: {"description": told[status], "content": {MEDIA_TYPE: {"schema": _TROUBLE}}}
        for status in statuses
    }


_TROUBLE = Trouble.model_json_schema()


async def from_here(request: Request) -> None:
    """Refuse what a page of another site could send with the session of who is signed in here.

    A form can only send the types named; a script of another site says where it is from.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}:
        raise type_refused()
    if request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        raise Problem(403, "不接受其他网站的请求。", "Requests of other sites are not taken.")


async def json_from_here(request: Request) -> None:
    """Refuse the same, and what is not JSON."""
    await from_here(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise type_refused()


def type_refused() -> Problem:
    """Return the refusal of a body that is of another type."""
    return Problem(
        415,
        "请求类型不正确：上传文件用 application/octet-stream，其余用 application/json。",
        "Send a file as application/octet-stream, everything else as application/json.",
    )


async def _writer(asking: Asking) -> Principal:
    """Return who asks, where their role may write some layer."""
    if asking.role not in _ROLES:
        raise Problem(403, "您没有导入数据的权限。", "You may not load data.")
    return asking


Writing = Annotated[Principal, Depends(_writer)]


def may_write(asking: Principal, layer: Layer) -> None:
    """Raise Problem 403 where the role may not load this layer."""
    if asking.role not in layer.writers:
        raise Problem(
            403,
            f"您没有向“{layer.title.zh}”图层导入数据的权限。",
            f"You may not load data into the layer {layer.id}.",
        )


def refused(status: int, refusal: Any) -> Problem:
    """Return what the intake says against a file, as a problem."""
    return Problem(status, refusal.words.zh, refusal.words.en)
