"""What-if sets in the database: put down, changed, forgotten, read."""

from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

from geo_service.database import Principal

MOST = 500
"""Sets of one area."""

_LIST = """
SELECT id, name, account, area, content, created_at, updated_at
FROM what_if_sets
ORDER BY updated_at DESC, id
LIMIT %s
"""
_ONE = """
SELECT id, name, account, area, content, created_at, updated_at FROM what_if_sets WHERE id = %s
"""
_ADD = """
INSERT INTO what_if_sets (name, content, account, area)
VALUES (%(name)s, %(content)s, %(account)s, %(area)s)
RETURNING id, name, account, area, content, created_at, updated_at
"""
_CHANGE = """
UPDATE what_if_sets SET name = %(name)s, content = %(content)s, updated_at = now()
WHERE id = %(id)s AND (account = %(account)s OR %(all)s)
RETURNING id, name, account, area, content, created_at, updated_at
"""
_REMOVE = "DELETE FROM what_if_sets WHERE id = %(id)s AND (account = %(account)s OR %(all)s)"

Connection = AsyncConnection[TupleRow]


async def page(connection: Connection) -> list[dict[str, Any]]:
    """Return the sets that the connection's principal may see, the last changed first."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_LIST, [MOST])
        return [_told(row) for row in await cursor.fetchall()]


async def get(connection: Connection, id_: UUID) -> dict[str, Any] | None:
    """Return a set, None where none is in sight."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_ONE, [id_])
        row = await cursor.fetchone()
    return _told(row) if row else None


async def add(
    connection: Connection, principal: Principal, name: str, content: dict[str, Any]
) -> dict[str, Any] | None:
    """Put down a set; None where there are too many of the area already."""
    count = await (
        await connection.execute(
            "SELECT count(*) FROM what_if_sets WHERE area = %s", [principal.area]
        )
    ).fetchone()
    if count and count[0] >= MOST:
        return None
    values = {"name": name, "content": Jsonb(content)}
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_ADD, values | {"account": principal.name, "area": principal.area})
        row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - INSERT … RETURNING has a row
    return _told(row)


async def change(
    connection: Connection, principal: Principal, id_: UUID, name: str, content: dict[str, Any]
) -> dict[str, Any] | None:
    """Change a set of one's own, an administrator anyone's; None where it is none of these."""
    values = {"id": id_, "name": name, "content": Jsonb(content), **_who(principal)}
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_CHANGE, values)
        row = await cursor.fetchone()
    return _told(row) if row else None


async def remove(connection: Connection, principal: Principal, id_: UUID) -> bool:
    """Forget a set of one's own, an administrator anyone's; False where it is none of these."""
    cursor = await connection.execute(_REMOVE, {"id": id_, **_who(principal)})
    return cursor.rowcount == 1


def _who(principal: Principal) -> dict[str, Any]:
    return {"account": principal.name, "all": principal.role == "admin"}


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "name": row["name"],
        "account": row["account"],
        "area": row["area"],
        **row["content"],
        "created_at": row["created_at"].isoformat(),
        "updated_at": row["updated_at"].isoformat(),
    }
