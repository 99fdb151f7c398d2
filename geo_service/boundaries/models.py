"""What the interface of drafts takes and gives, as OpenAPI shows it."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from layers.intake.personal import masked

State = Literal["draft", "submitted", "approved", "published", "rolled-back", "abandoned"]


def _plain(text: str) -> str:
    """Return free text without numbers of people; characters that no text has are refused."""
    if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text):
        raise ValueError("not a text")
    return masked(text.strip())[0]


Text = Annotated[str, AfterValidator(_plain)]
Revision = Annotated[int, Field(ge=0, lt=2**31, description="The draft's revision that is known")]
_Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
_Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]


Place = tuple[_Longitude, _Latitude]
Code = Annotated[str, Field(pattern="^[0-9A-Za-z-]{1,32}$")]


class _Taken(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewDraft(_Taken):
    """A draft to be made."""

    name: Annotated[Text, Field(min_length=1, max_length=100)]
    reason: Annotated[Text, Field(max_length=2000, description="Why the grids are re-divided")] = ""
    area: Annotated[
        str,
        Field(pattern="^([0-9]{6}|[0-9]{9}|[0-9]{12})$", description="Whose grids it may change"),
    ]


class DraftPatch(_Taken):
    """What of a draft may be said anew; what is left out stays."""

    name: Annotated[Text, Field(min_length=1, max_length=100)] | None = None
    reason: Annotated[Text, Field(max_length=2000)] | None = None
    valid_from: Annotated[
        date | None, Field(description="Day that it shall hold from; null: when it is published")
    ] = None


class Step(_Taken):
    """An operation, and the revision of the draft that its sender saw."""

    revision: Revision
    operation: Annotated[
        dict[str, Any],
        Field(description="See docs/boundaries.md; e.g. move_vertex, reshape, split"),
    ]


class Turn(_Taken):
    """An undo or a redo, and the revision of the draft that its sender saw."""

    revision: Revision


class Publishing(_Taken):
    """From when a published draft holds: the start of a day in China; null: this moment.

    For a day to come, the draft waits, approved, until it is published on that day.
    """

    valid_from: date | None = None


class Rebasing(_Taken):
    """Numbers of operations to be left out of a rebase."""

    skip: Annotated[list[Revision], Field(max_length=10_000)] = []


class NewComment(_Taken):
    """A comment to be pinned to a place; numbers of people in it are masked."""

    place: Place
    text: Annotated[Text, Field(min_length=1, max_length=2000)]


class Comment(BaseModel):
    """A comment at a place, longitude first."""

    id: int
    author: str
    at: datetime
    place: Annotated[list[float], Field(min_length=2, max_length=2)]
    text: str


class Comments(BaseModel):
    """Comments, oldest first."""

    comments: list[Comment]


class Draft(BaseModel):
    """A draft of grid boundaries.

    ``revision`` grows with every operation, undo and redo. ``moved``: a grid that it touches was
    published anew since it began, so that it must be rebased. ``touched``: grids not as they were.
    """

    id: UUID
    name: str
    reason: str
    area: str
    state: State
    author: str
    reviewer: str | None
    revision: int
    operations: Annotated[int, Field(description="In force")]
    redoable: int
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    approved_at: datetime | None
    published_at: datetime | None
    rolled_back_at: datetime | None
    scheduled_by: Annotated[
        str | None, Field(description="Who published it for valid_from, a day to come")
    ]
    valid_from: date | None
    moved: bool
    touched: list[str]
    limits: Annotated[
        dict[Literal["households"], list[int]],
        Field(description="Fewest and most households that a grid of the area should have"),
    ]
    links: dict[str, str]


class Drafts(BaseModel):
    """Drafts, newest first."""

    drafts: list[Draft]


class Done(BaseModel):
    """An operation of a draft; ``dropped`` ones cannot be done again."""

    seq: int
    operation: dict[str, Any]
    author: str
    at: datetime
    undone: bool
    dropped: bool


class History(BaseModel):
    """Operations, the last first."""

    operations: list[Done]


class Collection(BaseModel):
    """A GeoJSON feature collection."""

    type: Literal["FeatureCollection"]
    features: list[dict[str, Any]]


class Grids(Collection):
    """The grids of a draft and those beside them, noded, on the lattice of 1e-8 degrees."""

    revision: int


class Blocks(Grids):
    """Blocks between roads, or the ground nearest to each building, no building cut."""


class Stepped(BaseModel):
    """What a step changed: grids after it, codes that are gone, and what they count."""

    revision: int
    operations: int
    changed: Collection
    removed: list[str]
    moved_area: Annotated[float, Field(description="m² that went from one grid to another")]
    gained_area: Annotated[float, Field(description="m² of it from outside the town")]
    lost_area: Annotated[float, Field(description="m² of it left to the outside")]
    balance: dict[str, Any]


class Review(BaseModel):
    """What a draft changes: pieces by taker and by giver, before and after, figures of both."""

    revision: int
    noded: Annotated[list[str], Field(description="Grids that only took a vertex on an edge")]
    gains: Collection
    losses: Collection
    before: Collection
    after: Collection
    table: list[dict[str, Any]]
    balance_before: dict[str, Any]
    balance_after: dict[str, Any]


class Asked(_Taken):
    """What is to be proposed: a grid divided in parts, or grids evened out among themselves."""

    kind: Literal["split", "rebalance"]
    code: Annotated[Code | None, Field(description="The grid to be divided")] = None
    parts: Annotated[int, Field(ge=2, le=6)] = 2
    codes: Annotated[
        list[Code], Field(max_length=20, description="Grids to be evened out, side by side")
    ] = []


class DrawnLine(_Taken):
    """A line that is being drawn; closed where the last place is the first."""

    line: Annotated[list[Place], Field(min_length=2, max_length=2000)]
    put: Annotated[
        Literal["as_drawn", "natural", "off_buildings"],
        Field(description="Where to: as it is, onto roads and gaps, around buildings"),
    ] = "as_drawn"
    tolerance: Annotated[float, Field(gt=0, le=200, description="Metres to a natural border")] = 25


class Crossed(BaseModel):
    """A building that a line runs through by more than 10 cm, and where."""

    place: tuple[float, float]
    code: str
    households: int | None
    outline: dict[str, Any]


class PutLine(BaseModel):
    """A line as it was put, and the buildings that it still runs through, in their order."""

    line: list[tuple[float, float]]
    crossed: list[Crossed]


class Proposal(BaseModel):
    """Operations that would be done, what comes of them, and a sentence."""

    operations: list[dict[str, Any]]
    figures: dict[str, Any]
    after: Collection
    summary: dict[str, str]
    gap: Annotated[float, Field(description="How far below the best it may be; 0: proven best")]


class Proposals(BaseModel):
    """Proposals, best first."""

    suggestions: list[Proposal]
