"""The rows of ``imports``: what became of each file. Which rows one sees, the database decides."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, LiteralString
from uuid import UUID

from psycopg import AsyncConnection, Connection
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

from geo_service.database import Principal

CHANGEABLE = ("ready", "checked", "refused", "interrupted")
"""States in which nothing was written and nothing is under way."""

_WHOLE: LiteralString = "i.report"
# A page of imports may hold hundreds of thousands of problems; one import is asked for by its id.
_SHORT: LiteralString = (
    "CASE WHEN i.report IS NULL THEN NULL ELSE i.report || '{\"problems\": []}'::jsonb END"
)
_SELECT: LiteralString = """
SELECT
    i.id, nullif(i.layer, '') AS layer, i.file, i.bytes, i.sha256, i.account, i.options, i.state,
    i.done, i.total, {report} AS report, i.created_at, i.started_at, i.finished_at, i.undone_at,
    i.state = 'loaded' AND NOT EXISTS (
        SELECT FROM imports AS later
        WHERE
            later.layer = i.layer AND later.state = 'loaded' AND later.written_at > i.written_at
            AND EXISTS (SELECT FROM import_rows AS part WHERE part.import = later.id)
    ) AS undoable
FROM imports AS i
"""
_ONE: LiteralString = _SELECT.replace("{report}", _WHOLE) + "WHERE i.id = %s"
_PAGE: LiteralString = (
    _SELECT.replace("{report}", _SHORT)
    + """
WHERE %(layer)s::text IS NULL OR i.layer = %(layer)s
ORDER BY i.created_at DESC, i.id
LIMIT %(limit)s
"""
)


async def get(connection: AsyncConnection[TupleRow], id_: UUID) -> dict[str, Any] | None:
    """Return an import, or None where there is none in sight."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_ONE, [id_])
        return await cursor.fetchone()


async def page(
    connection: AsyncConnection[TupleRow], layer: str | None, limit: int
) -> list[dict[str, Any]]:
    """Return imports, newest first; their reports without the list of problems."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_PAGE, {"layer": layer, "limit": limit})
        return await cursor.fetchall()


def listed(
    connection: Connection[TupleRow], layer: str | None, limit: int
) -> Sequence[Mapping[str, Any]]:
    """Return what ``page`` does, for the command line."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_PAGE, {"layer": layer, "limit": limit}).fetchall()


def found(connection: Connection[TupleRow], id_: UUID) -> dict[str, Any] | None:
    """Return what ``get`` does, for work outside the event loop."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_ONE, [id_]).fetchone()


async def add(
    connection: AsyncConnection[TupleRow],
    id_: UUID,
    principal: Principal,
    *,
    layer: str,
    file: str,
    size: int,
    sha256: str,
) -> None:
    """Put down a file that was handed in; its layer is empty where it was not said."""
    await connection.execute(
        "INSERT INTO imports (id, layer, file, bytes, sha256, account, area)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [id_, layer, file, size, sha256, principal.name, principal.area],
    )


async def queue(
    connection: AsyncConnection[TupleRow],
    id_: UUID,
    principal: Principal,
    layer: str,
    options: Mapping[str, Any],
) -> bool:
    """Say that a file waits for its check or load; False where it is not in a state for that.

    From here on the import is that of who asked: what it writes is written with their rights.
    """
    cursor = await connection.execute(
        "UPDATE imports SET state = 'queued', layer = %s, options = %s, account = %s, area = %s,"
        " done = 0, total = NULL, report = NULL, started_at = NULL, finished_at = NULL"
        " WHERE id = %s AND state = ANY(%s)",
        [layer, Jsonb(dict(options)), principal.name, principal.area, id_, list(CHANGEABLE)],
    )
    return cursor.rowcount == 1


async def remove(connection: AsyncConnection[TupleRow], id_: UUID) -> bool:
    """Forget a file that was not loaded; False where it was, or is about to be."""
    cursor = await connection.execute(
        "DELETE FROM imports WHERE id = %s AND state = ANY(%s)", [id_, list(CHANGEABLE)]
    )
    return cursor.rowcount == 1


def start(connection: Connection[TupleRow], id_: UUID) -> bool:
    """Say that work begins; False where it does not wait for any."""
    return (
        connection.execute(
            "UPDATE imports SET state = 'running', started_at = now(), done = 0"
            " WHERE id = %s AND state = 'queued'",
            [id_],
        ).rowcount
        == 1
    )


def progress(connection: Connection[TupleRow], id_: UUID, done: int, total: int | None) -> None:
    """Say how far the work is."""
    connection.execute(
        "UPDATE imports SET done = %s, total = %s WHERE id = %s AND state = 'running'",
        [done, total, id_],
    )


def refuse(connection: Connection[TupleRow], id_: UUID, zh: str, en: str) -> None:
    """Say that it could not be done, and why, where no report of the intake does."""
    connection.execute(
        "UPDATE imports SET state = 'refused', finished_at = now(), report = %s"
        " WHERE id = %s AND state = 'running'",
        [Jsonb(_note(zh, en)), id_],
    )


def note(connection: Connection[TupleRow], id_: UUID, zh: str, en: str) -> None:
    """Put a sentence in front of the notes of a finished import's report."""
    connection.execute(
        "UPDATE imports SET report = jsonb_set(report, '{notes}', %s || (report -> 'notes'))"
        " WHERE id = %s AND report ? 'notes'",
        [Jsonb([{"zh": zh, "en": en}]), id_],
    )


AGAIN = (
    "上次处理时服务中断，图层保持原样；系统自动重新处理了一次。",
    "The service was interrupted at the first attempt, which left the layer as it was;"
    " it was done again by itself.",
)


def interrupted(connection: Connection[TupleRow], id_: UUID, *, again: bool) -> None:
    """Say that the process ended in the middle of the work, and whether it will be done again.

    A load that was committed at the last moment stays loaded: this waits for its transaction.
    """
    after = (
        ("将自动重新处理一次。", "It will be done once more by itself.")
        if again
        else ("请重新提交。", "Start it again when you are ready.")
    )
    connection.execute(
        "UPDATE imports SET state = %s, report = %s, done = 0,"
        " finished_at = CASE WHEN %s THEN NULL ELSE now() END"
        " WHERE id = %s AND state IN ('queued', 'running')",
        [
            "queued" if again else "interrupted",
            Jsonb(
                _note(
                    f"处理过程中服务中断，图层保持原样，没有写入任何数据。{after[0]}",
                    "The service was interrupted during the work. The layer is as it was: nothing"
                    f" was written. {after[1]}",
                )
            ),
            again,
            id_,
        ],
    )


def forget_untouched(connection: Connection[TupleRow], keep: timedelta) -> None:
    """Remove the rows of files that were handed in and then left alone."""
    connection.execute(
        "DELETE FROM imports WHERE state = 'ready' AND created_at < now() - %s", [keep]
    )


def _note(zh: str, en: str) -> dict[str, Any]:
    """Return a report that holds nothing but a sentence; its members are those of ``Report``."""
    counts = ("read", "inserted", "updated", "unchanged", "skipped", "problem_count", "bad_rows")
    return {
        "ok": False,
        "notes": [{"zh": zh, "en": en}],
        "problems": [],
        "dropped": [],
        "columns": {},
        "attributes": [],
        **dict.fromkeys(counts, 0),
    }
