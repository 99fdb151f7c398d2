"""The operations of drafts in the database, and the checkpoints that spare their replay."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import shapely
from psycopg.types.json import Jsonb

from geo_service.boundaries.lattice import Shape
from geo_service.boundaries.store import Connection

CHECKPOINT = 100
"""Operations after which what came of them is kept."""


async def steps(connection: Connection, id_: UUID) -> list[tuple[int, dict[str, Any]]]:
    """Return the operations in force, in order: number and JSON."""
    cursor = await connection.execute(
        "SELECT seq, operation FROM draft_operations WHERE draft = %s AND NOT undone ORDER BY seq",
        [id_],
    )
    return [(seq, data) for seq, data in await cursor.fetchall()]


async def redoable(connection: Connection, id_: UUID) -> tuple[int, dict[str, Any]] | None:
    """Return the operation that would be done again next."""
    cursor = await connection.execute(
        "SELECT seq, operation FROM draft_operations"
        " WHERE draft = %s AND undone AND NOT dropped ORDER BY seq LIMIT 1",
        [id_],
    )
    return await cursor.fetchone()


async def put_operation(
    connection: Connection, id_: UUID, author: str, data: Mapping[str, Any]
) -> int:
    """Add an operation; what was undone before cannot be done again. Return its number."""
    await connection.execute(
        "UPDATE draft_operations SET dropped = true WHERE draft = %s AND undone AND NOT dropped",
        [id_],
    )
    cursor = await connection.execute(
        "INSERT INTO draft_operations (draft, seq, operation, author)"
        " SELECT %(draft)s, coalesce(max(seq), 0) + 1, %(operation)s, %(author)s"
        " FROM draft_operations WHERE draft = %(draft)s RETURNING seq",
        {"draft": id_, "operation": Jsonb(dict(data)), "author": author},
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - an aggregate has a row
    seq: int = row[0]
    return seq


async def mark(connection: Connection, id_: UUID, seqs: Sequence[int], *, undone: bool) -> None:
    """Undo operations or do them again; checkpoints that hold what was undone go."""
    await connection.execute(
        "UPDATE draft_operations SET undone = %s WHERE draft = %s AND seq = ANY (%s)",
        [undone, id_, list(seqs)],
    )
    if undone and seqs:
        await connection.execute(
            "DELETE FROM draft_checkpoints WHERE draft = %s AND seq >= %s", [id_, min(seqs)]
        )


async def drop(connection: Connection, id_: UUID, seqs: Sequence[int]) -> None:
    """Leave operations out for good; they stay in the history."""
    await connection.execute(
        "UPDATE draft_operations SET undone = true, dropped = true"
        " WHERE draft = %s AND seq = ANY (%s)",
        [id_, list(seqs)],
    )


async def revise(connection: Connection, id_: UUID, touched: Iterable[str]) -> int:
    """Count a revision up, and say what is touched now; return the revision."""
    cursor = await connection.execute(
        "UPDATE drafts SET revision = revision + 1, touched = %s WHERE id = %s RETURNING revision",
        [sorted(touched), id_],
    )
    row = await cursor.fetchone()
    return row[0] if row else 0


_HISTORY = """
SELECT seq, operation, author, at, undone, dropped
FROM draft_operations
WHERE draft = %(draft)s AND seq < %(before)s
ORDER BY seq DESC
LIMIT %(limit)s
"""


async def history(
    connection: Connection, id_: UUID, before: int, limit: int
) -> list[dict[str, Any]]:
    """Return operations, the last first, undone ones too."""
    values = {"draft": id_, "before": before, "limit": limit}
    rows = await (await connection.execute(_HISTORY, values)).fetchall()
    names = ("seq", "operation", "author", "at", "undone", "dropped")
    return [dict(zip(names, row, strict=True)) for row in rows]


async def changed_since(connection: Connection, id_: UUID, revision: int) -> list[str]:
    """Return the codes of the grids that a draft changed after a revision."""
    cursor = await connection.execute(
        "SELECT DISTINCT unnest(codes) FROM draft_events WHERE draft = %s AND revision > %s",
        [id_, revision],
    )
    return [code for (code,) in await cursor.fetchall()]


# Checkpoints.

_THIN = """
DELETE FROM draft_checkpoints AS c
USING (
    SELECT
        seq,
        row_number() OVER (ORDER BY seq DESC) AS age,
        row_number() OVER (PARTITION BY seq / 1000 ORDER BY seq) AS place
    FROM draft_checkpoints
    WHERE draft = %(draft)s
) AS n
WHERE c.draft = %(draft)s AND c.seq = n.seq AND n.age > 3 AND n.place > 1
"""


async def put_checkpoint(
    connection: Connection, id_: UUID, seq: int, shapes: Mapping[str, Shape | None]
) -> None:
    """Keep what came of the operations; of older ones, one in a thousand."""
    await connection.execute(
        "INSERT INTO draft_checkpoints (draft, seq, codes, shapes) VALUES (%s, %s, %s, %s::bytea[])"
        " ON CONFLICT (draft, seq) DO UPDATE SET codes = excluded.codes, shapes = excluded.shapes",
        [
            id_,
            seq,
            list(shapes),
            [None if shape is None else shapely.to_wkb(shape) for shape in shapes.values()],
        ],
    )
    await connection.execute(_THIN, {"draft": id_})


async def checkpoint(
    connection: Connection, id_: UUID, seq: int
) -> tuple[int, dict[str, Shape | None]] | None:
    """Return the last checkpoint at or before an operation."""
    cursor = await connection.execute(
        "SELECT seq, codes, shapes FROM draft_checkpoints"
        " WHERE draft = %s AND seq <= %s ORDER BY seq DESC LIMIT 1",
        [id_, seq],
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    return row[0], {
        code: None if wkb is None else shapely.from_wkb(wkb)
        for code, wkb in zip(row[1], row[2], strict=True)
    }
