"""The rows of drafts. Which of them one sees, and who may write them, the database decides."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row
from psycopg.types.json import Jsonb

from geo_service.boundaries.limits import Limits

Connection = AsyncConnection[TupleRow]


@dataclass(frozen=True, slots=True)
class Draft:
    """A row of drafts, with what is counted from its operations."""

    id: UUID
    name: str
    reason: str
    area: str
    state: str
    author: str
    reviewer: str | None
    revision: int
    event: int
    rebases: int
    touched: list[str]
    valid_from: date | None
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    approved_at: datetime | None
    published_at: datetime | None
    rolled_back_at: datetime | None
    scheduled_by: str | None
    operations: int
    redoable: int
    moved: bool
    area_limits: dict[str, list[int]]


_SELECT: LiteralString = """
SELECT
    d.id, d.name, d.reason, d.area, d.state, d.author, d.reviewer, d.revision, d.event, d.rebases,
    d.touched, d.valid_from, d.created_at, d.updated_at, d.submitted_at, d.approved_at,
    d.published_at, d.rolled_back_at, d.scheduled_by,
    (
        SELECT count(*)::integer FROM draft_operations AS o WHERE o.draft = d.id AND NOT o.undone
    ) AS operations,
    (
        SELECT count(*)::integer FROM draft_operations AS o
        WHERE o.draft = d.id AND o.undone AND NOT o.dropped
    ) AS redoable,
    d.state IN ('draft', 'submitted', 'approved')
    AND EXISTS (SELECT FROM geo.moved_grids(d.base, d.touched)) AS moved,
    geo.limits_about(d.area) AS area_limits
FROM drafts AS d
"""
_ONE: LiteralString = _SELECT + "WHERE d.id = %s"
_LISTED: LiteralString = (
    _SELECT
    + """
WHERE
    (%(state)s::text IS NULL OR d.state = %(state)s)
    AND (%(area)s::text IS NULL OR starts_with(d.area, %(area)s))
ORDER BY d.created_at DESC, d.id
LIMIT %(limit)s
"""
)


async def get(connection: Connection, id_: UUID) -> Draft | None:
    """Return a draft, or None where there is none in sight."""
    async with connection.cursor(row_factory=class_row(Draft)) as cursor:
        await cursor.execute(_ONE, [id_])
        return await cursor.fetchone()


async def listed(
    connection: Connection, state: str | None, area: str | None, limit: int
) -> list[Draft]:
    """Return drafts, newest first."""
    async with connection.cursor(row_factory=class_row(Draft)) as cursor:
        await cursor.execute(_LISTED, {"state": state, "area": area, "limit": limit})
        return await cursor.fetchall()


@dataclass(frozen=True, slots=True)
class Head:
    """What of a draft is looked at before every step."""

    id: UUID
    name: str
    area: str
    state: str
    author: str
    revision: int
    event: int
    rebases: int
    area_limits: dict[str, list[int]]

    @property
    def limits(self) -> Limits:
        """How many households its grids should have."""
        return limits(self.area, self.area_limits)


def limits(area: str, by_area: Mapping[str, Sequence[int]]) -> Limits:
    """Return the limits of an area, those of areas in it with them."""
    known = {code: Limits(low, high) for code, (low, high) in by_area.items()}
    own = Limits(areas=known).of(area)
    return Limits(own.low, own.high, known)


_HEAD: LiteralString = """
SELECT
    d.id, d.name, d.area, d.state, d.author, d.revision, d.event, d.rebases,
    geo.limits_about(d.area) AS area_limits
FROM drafts AS d
WHERE d.id = %s
"""


async def head(connection: Connection, id_: UUID, *, lock: bool = False) -> Head | None:
    """Return the head of a draft, locked until the transaction ends where that is asked."""
    async with connection.cursor(row_factory=class_row(Head)) as cursor:
        await cursor.execute(_HEAD + ("FOR UPDATE" if lock else ""), [id_])
        return await cursor.fetchone()


async def add(
    connection: Connection,
    author: str,
    values: Mapping[str, str],
    base: Mapping[str, int],
) -> UUID:
    """Make a draft on a base."""
    cursor = await connection.execute(
        "INSERT INTO drafts (name, reason, area, author, base)"
        " VALUES (%(name)s, %(reason)s, %(area)s, %(author)s, %(base)s) RETURNING id",
        {**values, "author": author, "base": Jsonb(dict(base))},
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - INSERT … RETURNING has a row
    made: UUID = row[0]
    await tell(connection, made, "state", author)
    return made


_TELL = """
WITH told AS (
    UPDATE drafts SET event = event + 1, updated_at = now()
    WHERE id = %(draft)s
    RETURNING event, revision
)
INSERT INTO draft_events (draft, seq, kind, author, revision, codes)
SELECT %(draft)s, told.event, %(kind)s, %(author)s, told.revision, %(codes)s FROM told
RETURNING seq
"""


async def tell(
    connection: Connection, id_: UUID, kind: str, author: str, codes: Iterable[str] = ()
) -> int:
    """Add an event to a draft; those who watch it are told at commit. Return its number."""
    cursor = await connection.execute(
        _TELL, {"draft": id_, "kind": kind, "author": author, "codes": sorted(codes)}
    )
    row = await cursor.fetchone()
    return row[0] if row else 0


# Comments.


async def comments(connection: Connection, id_: UUID) -> list[dict[str, Any]]:
    """Return the comments of a draft, oldest first."""
    cursor = await connection.execute(
        "SELECT id, author, at, longitude, latitude, comment FROM draft_comments"
        " WHERE draft = %s ORDER BY id",
        [id_],
    )
    return [
        {"id": number, "author": author, "at": at, "place": [lon, lat], "text": text}
        for number, author, at, lon, lat, text in await cursor.fetchall()
    ]


async def comment(
    connection: Connection, id_: UUID, author: str, place: tuple[float, float], text: str
) -> dict[str, Any]:
    """Pin a comment to a place."""
    cursor = await connection.execute(
        "INSERT INTO draft_comments (draft, author, longitude, latitude, comment)"
        " VALUES (%s, %s, %s, %s, %s) RETURNING id, at",
        [id_, author, *place, text],
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - INSERT … RETURNING has a row
    await tell(connection, id_, "comment", author)
    return {"id": row[0], "author": author, "at": row[1], "place": list(place), "text": text}


# The draft itself.

_PATCH = """
UPDATE drafts
SET
    name = coalesce(%(name)s, name),
    reason = coalesce(%(reason)s, reason),
    valid_from = CASE WHEN %(dated)s THEN %(valid_from)s::date ELSE valid_from END,
    scheduled_by = CASE WHEN %(dated)s THEN NULL ELSE scheduled_by END
WHERE id = %(draft)s
"""


async def patch(connection: Connection, id_: UUID, values: Mapping[str, Any]) -> None:
    """Set what is given of name, reason and valid_from."""
    given = dict.fromkeys(("name", "reason", "valid_from")) | dict(values)
    await connection.execute(_PATCH, {**given, "dated": "valid_from" in values, "draft": id_})
