"""Jobs in the database: put down, begun, told of, ended."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, LiteralString
from uuid import UUID

from psycopg import AsyncConnection, Connection
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

from geo_service.database import Principal

KEEP = timedelta(days=7)
"""How long a job and its result are kept."""

_OWN: LiteralString = """
SELECT
    id, process, response, account, state, progress, message, problem, created_at, started_at,
    updated_at, finished_at
FROM process_jobs
WHERE (account = %(account)s OR %(all)s)
"""
_ONE: LiteralString = _OWN + " AND id = %(id)s"
_PAGE: LiteralString = (
    _OWN
    + """
    AND (%(processes)s::text[] IS NULL OR process = ANY(%(processes)s))
    AND (%(states)s::text[] IS NULL OR state = ANY(%(states)s))
ORDER BY created_at DESC, id
LIMIT %(limit)s
"""
)


def _who(principal: Principal) -> dict[str, Any]:
    return {"account": principal.name, "all": principal.role == "admin"}


async def add(
    connection: AsyncConnection[TupleRow],
    principal: Principal,
    process: str,
    inputs: dict[str, Any],
    response: str,
) -> UUID:
    """Put down a job and return its id."""
    cursor = await connection.execute(
        "INSERT INTO process_jobs (process, inputs, response, account, role, area)"
        " VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
        [process, Jsonb(inputs), response, principal.name, principal.role, principal.area],
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - INSERT … RETURNING has a row
    return UUID(str(row[0]))


async def get(
    connection: AsyncConnection[TupleRow], principal: Principal, id_: UUID
) -> dict[str, Any] | None:
    """Return a job of the principal without its result; of anyone's for an administrator."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_ONE, {"id": id_, **_who(principal)})
        return await cursor.fetchone()


async def page(
    connection: AsyncConnection[TupleRow],
    principal: Principal,
    *,
    processes: Sequence[str] | None,
    states: Sequence[str] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Return jobs of the principal, newest first."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            _PAGE,
            {
                "processes": list(processes) if processes else None,
                "states": list(states) if states else None,
                "limit": limit,
                **_who(principal),
            },
        )
        return await cursor.fetchall()


async def unfinished(connection: AsyncConnection[TupleRow], principal: Principal) -> int:
    """Return how many jobs of the principal's account wait or run."""
    cursor = await connection.execute(
        "SELECT count(*) FROM process_jobs WHERE account = %s AND state IN ('accepted', 'running')",
        [principal.name],
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def result(connection: AsyncConnection[TupleRow], id_: UUID) -> str | None:
    """Return the JSON of a result."""
    cursor = await connection.execute("SELECT result::text FROM process_jobs WHERE id = %s", [id_])
    row = await cursor.fetchone()
    return row[0] if row else None


async def dismiss(connection: AsyncConnection[TupleRow], id_: UUID) -> bool:
    """End a job that is not done; False where it was done already."""
    cursor = await connection.execute(
        "UPDATE process_jobs SET state = 'dismissed', message = %s, updated_at = now(),"
        " finished_at = now() WHERE id = %s AND state IN ('accepted', 'running')",
        [Jsonb({"zh": "已取消", "en": "dismissed"}), id_],
    )
    return cursor.rowcount == 1


async def remove(connection: AsyncConnection[TupleRow], id_: UUID) -> None:
    """Forget a job and its result."""
    await connection.execute("DELETE FROM process_jobs WHERE id = %s", [id_])


def start(connection: Connection[TupleRow], id_: UUID) -> dict[str, Any] | None:
    """Say that work on a job begins and return it; None where it was dismissed."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "UPDATE process_jobs SET state = 'running', started_at = now(), updated_at = now()"
            " WHERE id = %s AND state = 'accepted'"
            " RETURNING process, inputs, response, account, role, area",
            [id_],
        ).fetchone()


def progress(connection: Connection[TupleRow], id_: UUID, percent: int, zh: str, en: str) -> bool:
    """Say how far the work is; False where nobody wants it any more."""
    return (
        connection.execute(
            "UPDATE process_jobs SET progress = %s, message = %s, updated_at = now()"
            " WHERE id = %s AND state = 'running'",
            [percent, Jsonb({"zh": zh, "en": en}), id_],
        ).rowcount
        == 1
    )


def wanted(connection: Connection[TupleRow], id_: UUID) -> bool:
    """Tell whether a job is still to be done."""
    row = connection.execute(
        "SELECT state IN ('accepted', 'running') FROM process_jobs WHERE id = %s", [id_]
    ).fetchone()
    return row == (True,)


def succeed(connection: Connection[TupleRow], id_: UUID, answer: bytes) -> None:
    """Keep the result of a job."""
    connection.execute(
        "UPDATE process_jobs SET state = 'successful', progress = 100, result = %s, message = %s,"
        " updated_at = now(), finished_at = now() WHERE id = %s AND state = 'running'",
        [answer.decode(), Jsonb({"zh": "完成", "en": "done"}), id_],
    )


def fail(connection: Connection[TupleRow], id_: UUID, status: int, zh: str, en: str) -> None:
    """Say why a job could not be done."""
    connection.execute(
        "UPDATE process_jobs SET state = 'failed', problem = %s, message = %s, updated_at = now(),"
        " finished_at = now() WHERE id = %s AND state IN ('accepted', 'running')",
        [
            Jsonb({"status": status, "zh": zh, "en": en}),
            Jsonb({"zh": zh, "en": en}),
            id_,
        ],
    )


def interrupted(connection: Connection[TupleRow], id_: UUID, *, again: bool) -> None:
    """Say that the process ended in the middle of the work, and whether it is done again."""
    if not again:
        fail(
            connection, id_, 500,
            "处理过程中服务两次中断，请重新提交。",
            "The service was interrupted twice during the work: ask again.",
        )  # fmt: skip
        return
    connection.execute(
        "UPDATE process_jobs SET state = 'accepted', progress = 0, started_at = NULL, message = %s,"
        " updated_at = now() WHERE id = %s AND state = 'running'",
        [
            Jsonb(
                {
                    "zh": "处理中断，将自动重新处理一次",
                    "en": "interrupted; done once more by itself",
                }
            ),
            id_,
        ],
    )


def forget_old(connection: Connection[TupleRow]) -> None:
    """Remove jobs that ended long ago."""
    connection.execute("DELETE FROM process_jobs WHERE finished_at < now() - %s", [KEEP])


def problem_of(job: dict[str, Any]) -> tuple[int, str, str]:
    """Return the status and sentences of a job that failed."""
    told = job["problem"] or {}
    if isinstance(told, str):
        told = json.loads(told)
    return (
        int(told.get("status", 500)),
        str(told.get("zh", "分析失败。")),
        str(told.get("en", "The analysis failed.")),
    )
