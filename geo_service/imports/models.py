"""What the interface of imports takes and gives, as OpenAPI shows it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

State = Literal[
    "ready", "queued", "running", "checked", "loaded", "refused", "interrupted", "undone"
]


class Reading(BaseModel):
    """How a file is to be understood. What is left out is guessed, or as the defaults say."""

    model_config = ConfigDict(extra="forbid")

    layer: Annotated[str | None, Field(description="Layer; null in a preview: guessed")] = None
    mapping: Annotated[
        dict[str, str], Field(description="Column of the layer to header in the file")
    ] = {}
    constants: Annotated[dict[str, str], Field(description="Column to a value for all rows")] = {}
    crs: Annotated[
        str | None,
        Field(description="CRS of the coordinates; null: as the file says, else EPSG:4326"),
    ] = None
    timezone: Annotated[str, Field(description="Zone of times that name none")] = "Asia/Shanghai"
    make_codes: Annotated[bool, Field(description="Make codes where the file has none")] = False
    clean: Annotated[
        float | None, Field(ge=0, description="Grids: mend gaps up to so many metres")
    ] = None
    repair: Annotated[bool, Field(description="Mend invalid geometries, and say so")] = False
    skip_bad: Annotated[bool, Field(description="Load the good rows, leave out the bad")] = False


class Import(BaseModel):
    """A file on its way into a layer, or what became of it.

    ``report`` is what the intake says, ``undoable`` whether nothing newer stands in the way.
    """

    id: UUID
    layer: str | None
    file: str
    bytes: int
    sha256: str
    account: str
    options: dict[str, Any]
    state: State
    done: Annotated[int, Field(description="Rows read so far")]
    total: Annotated[int | None, Field(description="Rows in all, where known")]
    report: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    undone_at: datetime | None
    undoable: bool


class Imports(BaseModel):
    """A page of imports, newest first. Their reports come without the list of problems."""

    imports: list[Import]


class Trouble(BaseModel):
    """A problem document (RFC 9457) with a sentence in English and one in Chinese."""

    title: str
    status: int
    detail: str
    detail_zh: str
