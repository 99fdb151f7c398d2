"""Cover over HTTP, for the map and the wall: views as they are and as they might be, cover now."""

import hashlib
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from geo_service.access.origin import json_from_here
from geo_service.access.principals import Asking
from geo_service.coverage import answers, blind_spots
from geo_service.coverage.current import current_town
from geo_service.coverage.question import (
    BlindSpots,
    By,
    Edition,
    State,
    Turning,
    Weights,
    When,
    ladder,
    level_of,
    look_of,
)
from geo_service.coverage.seeing import sees
from geo_service.coverage.threads import beside
from geo_service.coverage.town import Town
from geo_service.coverage.trial import Fitted
from geo_service.coverage.views import tried, view
from geo_service.database import Principal
from geo_service.ogc.execution import encoded

GEOJSON = "application/geo+json"
JSON = "application/json"

router = APIRouter(prefix="/api/coverage", tags=["Camera coverage"])

_COMPUTED: dict[int | str, dict[str, Any]] = {
    422: {"description": "It cannot be computed: the sentence says why"}
}
_DRAWN: dict[int | str, dict[str, Any]] = {
    200: {"content": {GEOJSON: {"schema": {"type": "object"}}}},
    **_COMPUTED,
}
_POSTED: dict[int | str, dict[str, Any]] = {
    **_COMPUTED,
    403: {"description": "A page of another site asks"},
    404: {"description": "There is no camera to replace"},
    415: {"description": "The body is not JSON"},
}

Code = Annotated[str, Path(max_length=40, description="Code of a camera")]
InEdition = Annotated[Edition, Query(description="Of the levels of density")]
AtTime = Annotated[When, Query(description="By day, or at night by infrared light")]
InState = Annotated[State, Query(description="Cameras online now, or all as designed")]
Turned = Annotated[Turning, Query(description="All that turning cameras reach, or see now")]
AtLevel = Annotated[
    str | None, Query(max_length=20, description="Level of density; none: detect, or outline")
]
InArea = Annotated[
    str | None, Query(pattern=r"^[0-9A-Za-z-]{1,40}$", description="Code of an area or grid")
]


class Trial(BaseModel):
    """A camera as it might be, and how its effect is wanted."""

    model_config = ConfigDict(extra="forbid")

    camera: Fitted
    replaces: Annotated[
        str | None, Field(max_length=40, description="Code of the camera that is moved or turned")
    ] = None
    edition: Edition = "2015"
    level: Annotated[str | None, Field(max_length=20)] = None
    when: When = "day"
    state: State = "designed"


async def _answer(
    request: Request, asking: Principal, compute: Callable[[Town], Any], media_type: str = JSON
) -> Response:
    town = await current_town(request, asking)
    if request.method == "GET":
        question = f"{request.url.path}?{request.url.query}"
        body = await beside(lambda: town.covers.answered(question, lambda: encoded(compute(town))))
    else:
        body = await beside(lambda: encoded(compute(town)))
    return Response(body, media_type=media_type, headers={"Cache-Control": "no-cache"})


@router.get("/cameras/{code}/view", summary="What a camera sees", responses=_DRAWN)
async def camera_view(  # noqa: PLR0917
    request: Request,
    asking: Asking,
    code: Code,
    edition: InEdition = "2015",
    when: AtTime = "day",
    preset: Annotated[
        int | None, Query(ge=0, le=1000, description="Heading that a turning camera looks at")
    ] = None,
) -> Response:
    """Return a feature for each level, and what is assumed of the camera."""
    look = look_of(edition, when, "designed")
    return await _answer(request, asking, lambda town: view(town, code, look, preset), GEOJSON)


@router.get("/cameras/{code}/sees", summary="What lies in a camera's view", responses=_COMPUTED)
async def camera_sees(  # noqa: PLR0917
    request: Request,
    asking: Asking,
    code: Code,
    edition: InEdition = "2015",
    level: AtLevel = None,
    when: AtTime = "day",
    state: InState = "designed",
) -> Response:
    """Return roads, households and events in view, what nobody else sees, and what is assumed."""
    look, chosen = look_of(edition, when, state), level_of(edition, level).name
    return await _answer(request, asking, lambda town: sees(town, code, look, chosen))


@router.post(
    "/view",
    summary="What a camera would see, and the town with it",
    dependencies=[Depends(json_from_here)],
    responses={200: {"content": {JSON: {"schema": {"type": "object"}}}}, **_POSTED},
)
async def try_view(request: Request, asking: Asking, trial: Trial) -> Response:
    """Return the views of a camera that might be, and the town's figures before and with it."""
    look = look_of(trial.edition, trial.when, trial.state)
    level = level_of(trial.edition, trial.level).name
    return await _answer(
        request,
        asking,
        lambda town: tried(town, trial.camera, look, level, replaces=trial.replaces),
    )


@router.get("/point", summary="Who sees a point", responses=_COMPUTED)
async def point(  # noqa: PLR0917
    request: Request,
    asking: Asking,
    lon: Annotated[float, Query(ge=-180, le=180)],
    lat: Annotated[float, Query(ge=-85, le=85)],
    edition: InEdition = "2015",
    when: AtTime = "day",
) -> Response:
    """Return the cameras that see a point, each with its highest level, and what is there."""
    look = look_of(edition, when, "designed")
    return await _answer(request, asking, lambda town: answers.at_point(town, look, lon, lat))


@router.get(
    "/now",
    summary="Cover now against cover designed",
    responses={**_COMPUTED, 304: {"description": "Nothing has changed since that ETag"}},
)
async def now(  # noqa: PLR0917
    request: Request,
    asking: Asking,
    by: Annotated[By, Query(description="Units")] = "grid",
    edition: InEdition = "2015",
    level: AtLevel = None,
    when: AtTime = "day",
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Return shares by unit; changes of cameras in the live stream say when to ask again."""
    chosen = level_of(edition, level).name
    town = await current_town(request, asking)
    about = f"{town.revision}/{asking.area}/{by}/{edition}/{chosen}/{when}"
    tag = f'"{hashlib.blake2b(about.encode(), digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if if_none_match and tag in {
        one.strip().removeprefix("W/") for one in if_none_match.split(",")
    }:
        return Response(status_code=304, headers=headers)
    body = await beside(
        lambda: encoded(answers.now(town, edition, chosen, by, night=when == "night"))
    )
    return Response(body, media_type=JSON, headers=headers)


@router.get("/cover", summary="What all cameras see", responses=_DRAWN)
@router.get("/cover.geojson", summary="The same, for QGIS and GDAL", responses=_DRAWN)
async def cover(  # noqa: PLR0917
    request: Request,
    asking: Asking,
    edition: InEdition = "2015",
    level: Annotated[
        str | None, Query(max_length=20, description="Level of density; none: all of them")
    ] = None,
    when: AtTime = "day",
    state: InState = "designed",
    turning: Turned = "reach",
) -> Response:
    """Return the union of all views, a feature a level; levels lie within each other."""
    names = (
        [one.name for one in ladder(edition).levels]
        if level is None
        else [level_of(edition, level).name]
    )
    look = look_of(edition, when, state, turning)
    return await _answer(request, asking, lambda town: answers.union(town, look, names), GEOJSON)


@router.get("/blind-spots", summary="Where nobody sees", responses=_DRAWN)
async def blind(  # noqa: PLR0917
    request: Request,
    asking: Asking,
    area: InArea = None,
    edition: InEdition = "2015",
    level: AtLevel = None,
    when: AtTime = "day",
    state: InState = "designed",
    turning: Turned = "reach",
    min_area: Annotated[float, Query(ge=1, le=1_000_000, description="m²")] = 50,
    cell: Annotated[float, Query(ge=20, le=5000, description="Squares to cut into, metres")] = 100,
    events: Annotated[float, Query(ge=0, le=1000, description="Weight of an event")] = 1,
    households: Annotated[float, Query(ge=0, le=1000, description="Of a household")] = 0,
    places: Annotated[float, Query(ge=0, le=1000, description="Of a place")] = 1,
    line: Annotated[float, Query(ge=0, le=1000, description="Of a hundred metres of road")] = 1,
    limit: Annotated[int, Query(ge=1, le=2000)] = 100,
) -> Response:
    """Return pieces of ground that no camera sees, what matters most first."""
    weights = Weights(events=events, households=households, places=places, line=line)
    question = BlindSpots(
        area=area, edition=edition, level=level, when=when, state=state, turning=turning,
        min_area=min_area, cell=cell, weights=weights, limit=limit,
    )  # fmt: skip
    return await _answer(
        request, asking, lambda town: blind_spots.found(town, asking.area, question), GEOJSON
    )
