"""The limits of households by area over HTTP: officers read them, administrators set them."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from geo_service.boundaries import limits_store
from geo_service.boundaries.asking import HERE, JSON, At, Reading, documented
from geo_service.boundaries.limits import Limits
from geo_service.database import Principal
from geo_service.problems import Problem

router = APIRouter(prefix="/api/household-limits", tags=["Drafts"], responses=documented(403))

_Area = Annotated[str, Path(pattern="^([0-9]{6}|[0-9]{9}|[0-9]{12})$", description="Its code")]
_Count = Annotated[int, Field(ge=0, le=100_000)]


class NewLimits(BaseModel):
    """How many households a basic grid should have, both ends included."""

    model_config = ConfigDict(extra="forbid")

    low: _Count
    high: _Count

    @model_validator(mode="after")
    def _in_order(self) -> "NewLimits":
        Limits(self.low, self.high)
        return self


class AreaLimits(BaseModel):
    """The limits of an area; ``account`` set them ``at``."""

    area: str
    name: str
    low: int
    high: int
    account: str
    at: datetime


class AllLimits(BaseModel):
    """The limits of areas that have their own; all others have the default."""

    default: Annotated[list[int], Field(min_length=2, max_length=2)]
    limits: list[AreaLimits]


async def _admin(asking: Reading) -> Principal:
    if asking.role != "admin":
        raise Problem(403, "只有管理员可以设定户数标准。", "Only administrators set limits.")
    return asking


_Admin = Annotated[Principal, Depends(_admin)]


async def _in_force(desk: At, asking: Principal, area: str | None) -> list[dict[str, Any]]:
    async with (
        desk.database.reading(asking) as connection,
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        await cursor.execute(limits_store.IN_FORCE, {"area": area})
        return await cursor.fetchall()


async def _write(desk: At, asking: Principal, statement: str, values: dict[str, Any]) -> None:
    async with desk.database.writing(asking) as connection:
        cursor = await connection.execute(statement, {**values, "account": asking.name})
    if not cursor.rowcount:
        raise Problem(
            404,
            f"没有区域 {values['area']}，或它没有自己的户数标准。",
            f"There is no area {values['area']}, or it has no limits of its own.",
        )


@router.get("", response_model=AllLimits, summary="How many households a grid should have")
async def limits(desk: At, asking: Reading) -> dict[str, Any]:
    """Return the limits that areas have set; those of the smallest area around a grid count."""
    default = Limits()
    found = await _in_force(desk, asking, None)
    return {"default": [default.low, default.high], "limits": found}


@router.put(
    "/{area}",
    dependencies=JSON,
    response_model=AreaLimits,
    responses=documented(404, 415),
    summary="Set the limits of an area",
)
async def put(desk: At, asking: _Admin, area: _Area, body: NewLimits) -> dict[str, Any]:
    """Set how many households the basic grids of a county, town or community should have."""
    await _write(desk, asking, limits_store.PUT, {"area": area, **body.model_dump()})
    (found,) = await _in_force(desk, asking, area)
    return found


@router.delete(
    "/{area}",
    status_code=204,
    dependencies=HERE,
    responses=documented(404, 415),
    summary="Give the limits of an area up",
)
async def give_up(desk: At, asking: _Admin, area: _Area) -> Response:
    """Let the limits of the area above count again, or the default."""
    await _write(desk, asking, limits_store.GIVE_UP, {"area": area})
    return Response(status_code=204)
