"""What can be asked about cover: the inputs and their bounds."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from geo_service.analyses.asking import AreaCode
from geo_service.analysis.density_levels import LADDERS, Ladder, Level
from geo_service.coverage.covers import Look
from geo_service.coverage.trial import Content
from geo_service.problems import Problem

Edition = Literal["2015", "2025"]
When = Literal["day", "night"]
State = Literal["online", "designed"]
Turning = Literal["reach", "now"]
By = Literal["grid", "community", "town"]
Times = Annotated[int, Field(ge=1, le=3, description="Seen by at least so many cameras")]
Units = Annotated[By, Field(description="Units that figures are given for")]

USUAL: dict[str, str] = {"2015": "detect", "2025": "outline"}
"""The level that is meant where none is named: something moves there, and it is seen."""


def ladder(edition: str) -> Ladder:
    """Return the levels of an edition."""
    return LADDERS[int(edition)]


def level_of(edition: str, name: str | None) -> Level:
    """Return a level of an edition, the usual one for None. Raises Problem 422 for none such.

    >>> level_of("2025", None).pixels_per_metre
    40.0
    """
    found = {one.name: one for one in ladder(edition).levels}
    wanted = name or USUAL[edition]
    if wanted not in found:
        zh = "、".join(f"{one.name}（{one.zh}）" for one in found.values())
        raise Problem(
            422,
            f"{edition} 版没有“{wanted[:20]}”这个等级，可选：{zh}。",
            f"The {edition} edition has no level {wanted[:20]}; there are {', '.join(found)}.",
        )
    return found[wanted]


def look_of(edition: str, when: str, state: str, turning: str = "reach") -> Look:
    """Return the way of looking that inputs mean."""
    return Look(int(edition), when == "night", turning == "now", state == "online")


class Within(BaseModel):
    """Where."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    area: Annotated[
        AreaCode | None, Field(description="Code of an area or grid; null: all that is in sight")
    ] = None


class Looking(Within):
    """Which cameras, by which levels, and when."""

    edition: Annotated[
        Edition, Field(description="Of the levels: EN 62676-4:2015 or IEC 62676-4:2025")
    ] = "2015"
    level: Annotated[
        str | None,
        Field(max_length=20, description="Level of density, by its name; null: detect, outline"),
    ] = None
    when: Annotated[
        When, Field(description="By day, or at night as far as infrared light reaches")
    ] = "day"
    state: Annotated[
        State, Field(description="Cameras online now, or all as they are designed")
    ] = "designed"
    turning: Annotated[
        Turning, Field(description="All that turning cameras reach, or what they see now")
    ] = "reach"

    def look(self) -> Look:
        """Return the way of looking."""
        return look_of(self.edition, self.when, self.state, self.turning)

    def chosen(self) -> Level:
        """Return the level. Raises Problem 422 for one that the edition does not have."""
        return level_of(self.edition, self.level)


class Coverage(Looking):
    """How much is seen, by unit."""

    k: Times = 1
    by: Units = "grid"
    around: Annotated[
        float, Field(ge=5, le=500, description="Surroundings of places reach so far, metres")
    ] = 30


class Weights(BaseModel):
    """What a piece of ground counts by."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    events: Annotated[float, Field(ge=0, le=1000)] = 1
    households: Annotated[float, Field(ge=0, le=1000)] = 0
    places: Annotated[float, Field(ge=0, le=1000)] = 1
    line: Annotated[float, Field(ge=0, le=1000, description="Of a hundred metres of road")] = 1


class BlindSpots(Looking):
    """Where nobody sees, what matters most first."""

    min_area: Annotated[
        float, Field(ge=1, le=1_000_000, description="Smaller pieces are left out, m²")
    ] = 50
    cell: Annotated[
        float | None,
        Field(
            ge=20,
            le=5000,
            description="Pieces are cut into squares of so many metres, and by"
            " grids; null: by grids alone",
        ),
    ] = 100
    weights: Annotated[Weights, Field(description="What the ranking counts")] = Weights()
    limit: Annotated[int, Field(ge=1, le=2000, description="Pieces, the first ranked")] = 100


class Intrusions(Within):
    """Which cameras look into privacy zones."""


class Placing(Looking):
    """Where more cameras help most."""

    question: Annotated[
        Literal["add", "set-cover", "backup", "p-median"],
        Field(
            description="Most demand for a budget; all demand with the fewest; most demand seen"
            " twice; least distance from demand to a camera"
        ),
    ] = "add"
    budget: Annotated[int, Field(ge=1, le=200, description="Cameras that may be added")] = 10
    candidates: Annotated[
        Literal["poles", "walls", "both"],
        Field(description="Poles along roads, outer walls, or both"),
    ] = "poles"
    spacing: Annotated[
        float, Field(ge=5, le=500, description="Metres between candidates along roads and walls")
    ] = 40
    demand: Annotated[
        Literal["blind", "events", "households", "area"],
        Field(description="What is to be seen: ground now unseen, events, households, all ground"),
    ] = "blind"
    seconds: Annotated[float, Field(ge=0.1, le=120, description="For the search")] = 10


class WhatIf(Looking, Content):
    """What would be seen with other cameras."""

    set: Annotated[UUID | None, Field(description="A set that is kept")] = None
    k: Times = 1
    by: Units = "grid"
