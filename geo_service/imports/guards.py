"""What an import route asks first: who may write, and how it refuses."""

from typing import Annotated, Any

from fastapi import Depends

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
