"""Undoing an import: its layer as it was before, or a sentence why not."""

from collections.abc import Mapping
from typing import Any, LiteralString, NamedTuple, cast
from uuid import UUID

import psycopg
from psycopg import Connection, Cursor
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Composable, Composed, Identifier

from layers.catalogue import CATALOGUE, Layer
from layers.intake.recording import writable
from layers.intake.refusals import UNDOING, sentence
from layers.intake.report import Refusal

NAMED = 10
"""Codes that a refusal names."""


class Undone(NamedTuple):
    """What undoing an import did. ``missing`` inserted rows were not there any more."""

    deleted: int
    restored: int
    missing: int = 0


def undo(connection: Connection[Any], import_id: UUID | str) -> Undone:
    """Take an import back, in one transaction: inserted rows go, updated ones are as they were.

    Grids are restored as new versions, their history stays; areas that an import of grids added for
    them stay too, empty. Derived columns are kept by the database.

    Raises:
    ------
    Refusal
        Where the import is not there, was not written or is undone already; where a later import
        that changed the layer is not undone; where rows changed since, the first named by
        their codes; and where the rules of the database speak against it. Nothing is changed then.

    Example:
    -------
    ::

        undone = undo(connection, "0f8fad5b-d9cb-469f-a165-70867728950e")
        print(undone.deleted, undone.restored)
    """
    try:
        with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
            layer = _undoable(cursor, import_id)
            return _undo(cursor, layer, import_id)
    except psycopg.Error as error:
        words = sentence(error, UNDOING)
        raise Refusal(words.zh, words.en) from error


def _undoable(cursor: Cursor[Any], import_id: UUID | str) -> Layer:
    """Return the layer of an import that may be undone, its row locked."""
    try:
        cursor.execute(
            "SELECT layer, state, written_at FROM imports WHERE id = %s FOR UPDATE",
            [UUID(str(import_id))],
        )
        found = cursor.fetchone()
    except ValueError:
        found = None
    if found is None:
        raise Refusal("没有这次导入的记录。", "There is no record of this import.")
    layer, state, written_at = found
    if state == "undone":
        raise Refusal("这次导入已经撤销。", "This import is undone already.")
    if state != "loaded":
        raise Refusal(
            "这次导入没有写入数据，无需撤销。",
            "This import wrote nothing: there is nothing to undo.",
        )
    # Later ones that changed nothing are in nobody's way.
    cursor.execute(
        "SELECT file, to_char(written_at, 'YYYY-MM-DD HH24:MI TZ') FROM imports AS i"
        " WHERE layer = %s AND state = 'loaded' AND written_at > %s"
        " AND EXISTS (SELECT FROM import_rows AS p WHERE p.import = i.id)"
        " ORDER BY written_at DESC LIMIT 1",
        [layer, written_at],
    )
    if later := cursor.fetchone():
        file, at = later
        raise Refusal(
            f"之后又有文件“{file}”（{at}）导入该图层，请先撤销它。",
            f"The file “{file}” was loaded into the layer later ({at}): undo that first.",
        )
    return CATALOGUE[layer]


def _undo(cursor: Cursor[Any], layer: Layer, import_id: UUID | str) -> Undone:
    names = {
        "table": Identifier(layer.table),
        "in_force": SQL(" AND t.valid_to IS NULL" if layer.versioned else ""),
    }
    values = {"import": UUID(str(import_id)), "layer": layer.id}
    for table in ("undo_inserted", "undo_updated", "undo_before"):
        cursor.execute(SQL("DROP TABLE IF EXISTS pg_temp.{}").format(Identifier(table)))
    for statement in _PREPARE:
        cursor.execute(statement, values)
    cursor.execute("SELECT count(*) FROM pg_temp.undo_updated")
    [of_updated] = cast("tuple[int]", cursor.fetchone())
    cursor.execute(SQL(_THERE).format(**names))
    [of_inserted, there] = cast("tuple[int, int]", cursor.fetchone())
    for statement in (_LOCK_INSERTED, _LOCK_UPDATED):
        cursor.execute(SQL(statement).format(**names))
    cursor.execute(SQL(_CHANGED).format(**names), values)
    changed = [code for (code,) in cursor.fetchall()]
    if changed:
        raise _changed_since(changed)
    cursor.execute(SQL(_GONE).format(**names))
    if gone := [code for (code,) in cursor.fetchall()]:
        raise _changed_since(gone)
    cursor.execute(
        SQL(
            "DELETE FROM {table} AS t USING pg_temp.undo_inserted AS u"
            " WHERE t.code = u.code{in_force}"
        ).format(**names)
    )
    deleted = cursor.rowcount
    cursor.execute(_restore(layer, names))
    restored = cursor.rowcount
    if deleted < there or restored < of_updated:  # rows that may be seen, and not written
        raise Refusal(
            "没有写入该图层或该区域的权限，没有撤销。",
            "You may not write here; nothing was undone.",
        )
    # Rules that the database keeps for the commit speak now, while they can be put in words.
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute(
        "UPDATE imports SET state = 'undone', undone_at = now() WHERE id = %s", [values["import"]]
    )
    return Undone(deleted, restored, of_inserted - deleted)


def _restore(layer: Layer, names: Mapping[str, Composable]) -> Composed:
    columns = [name for name in writable(layer) if name != "code"]
    return SQL(
        "UPDATE {table} AS t SET {sets} FROM pg_temp.undo_updated AS u"
        " CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, u.before) AS o"
        " WHERE t.code = u.code{in_force}"
    ).format(
        sets=SQL(", ").join(SQL("{0} = o.{0}").format(Identifier(name)) for name in columns),
        **names,
    )


def _changed_since(codes: list[str]) -> Refusal:
    listed = "、".join(codes[:NAMED]) + ("……" if len(codes) > NAMED else "")
    listed_en = ", ".join(codes[:NAMED]) + (" …" if len(codes) > NAMED else "")
    return Refusal(
        f"导入之后有 {len(codes)} 行又被修改或删除，不能撤销：{listed}。",
        f"{len(codes)} rows were changed or deleted since, so this cannot be undone: {listed_en}.",
    )


# undo_before: rows that undoing later imports gave back look as if they were changed then. Their
# updated_at before leads back to the import that is undone now.
_PREPARE: tuple[LiteralString, ...] = (
    """
CREATE TEMP TABLE undo_inserted ON COMMIT DROP AS
SELECT c.code
FROM import_rows AS p CROSS JOIN LATERAL unnest(p.inserted) AS c (code)
WHERE p.import = %(import)s
""",
    """
CREATE TEMP TABLE undo_updated ON COMMIT DROP AS
SELECT x.before ->> 'code' AS code, x.before
FROM import_rows AS p CROSS JOIN LATERAL jsonb_array_elements(p.updated) AS x (before)
WHERE p.import = %(import)s
""",
    """
CREATE TEMP TABLE undo_before ON COMMIT DROP AS
SELECT
    i.undone_at AS at,
    x.before ->> 'code' AS code,
    (x.before ->> 'updated_at')::timestamptz AS before
FROM imports AS i
JOIN import_rows AS p ON p.import = i.id
CROSS JOIN LATERAL jsonb_array_elements(p.updated) AS x (before)
WHERE
    i.layer = %(layer)s AND i.state = 'undone'
    AND i.undone_at > (SELECT o.written_at FROM imports AS o WHERE o.id = %(import)s)
""",
    "ANALYZE pg_temp.undo_inserted",
    "ANALYZE pg_temp.undo_updated",
    "ANALYZE pg_temp.undo_before",
)

_THERE: LiteralString = """
SELECT count(*), count(*) FILTER (
    WHERE EXISTS (SELECT FROM {table} AS t WHERE t.code = u.code{in_force})
)
FROM pg_temp.undo_inserted AS u
"""

_LOCK_INSERTED: LiteralString = """
SELECT FROM {table} AS t
WHERE t.code IN (SELECT u.code FROM pg_temp.undo_inserted AS u){in_force}
FOR UPDATE
"""

_LOCK_UPDATED: LiteralString = """
SELECT FROM {table} AS t
WHERE t.code IN (SELECT u.code FROM pg_temp.undo_updated AS u){in_force}
FOR UPDATE
"""

_CHANGED: LiteralString = """
WITH RECURSIVE written AS (
    SELECT i.written_at AS at FROM imports AS i WHERE i.id = %(import)s
),
back AS (
    SELECT t.code, t.updated_at AS at
    FROM {table} AS t
    JOIN (
        SELECT u.code FROM pg_temp.undo_inserted AS u
        UNION ALL
        SELECT u.code FROM pg_temp.undo_updated AS u
    ) AS c ON c.code = t.code
    WHERE t.updated_at <> (SELECT w.at FROM written AS w){in_force}
    UNION
    SELECT b.code, e.before
    FROM back AS b
    JOIN pg_temp.undo_before AS e ON e.code = b.code AND e.at = b.at
)
SELECT b.code
FROM back AS b
GROUP BY b.code
HAVING NOT bool_or(b.at = (SELECT w.at FROM written AS w))
ORDER BY b.code
"""

_GONE: LiteralString = """
SELECT u.code
FROM pg_temp.undo_updated AS u
WHERE NOT EXISTS (SELECT FROM {table} AS t WHERE t.code = u.code{in_force})
ORDER BY u.code
"""
