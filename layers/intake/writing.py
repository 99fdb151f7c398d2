"""Checked rows go into a layer's table: staged first, then written, within a transaction.

What is staged may be a chunk or a whole file. Nothing is committed here.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, LiteralString, NamedTuple, Protocol, cast

import numpy as np
import shapely
from psycopg import Cursor
from psycopg.sql import SQL, Composable, Composed, Identifier
from sqlalchemy import Table

from layers.base import SRID
from layers.catalogue import Layer
from layers.intake.coordinates import Geometries
from layers.intake.report import Words
from layers.intake.rows import Rows


class Written(NamedTuple):
    """How many rows of a layer were inserted and how many were updated."""

    inserted: int
    updated: int


class Keeper(Protocol):
    """Keeps what undoing needs, as ``recording.Recorder`` does."""

    def keep_updated(self, cursor: Cursor[Any], layer: Layer, differs: Composable) -> None:
        """Keep and lock the rows of the layer, ``t``, that differ from the staged ones, ``r``."""

    def keep_inserted(self, cursor: Cursor[Any], new: Composable) -> None:
        """Keep the codes of the staged rows, ``r``, that are ``new``."""


class Writer:
    """Writes rows into a layer through temporary tables of the cursor's transaction.

    ``columns`` are those of the layer that the rows bring, ``code`` among them; ``attributes`` and
    ``geom`` always come with them. Rows are known by their code: new ones are inserted, different
    ones updated, equal ones left alone. Nothing here commits; the database's refusals are raised as
    ``psycopg.Error``.

    Example:
    -------
    ::

        with connection.transaction(), connection.cursor() as cursor:
            writer = Writer(cursor, CATALOGUE["disputes"], rules.columns)
            writer.copy(writer.block(rules.rows(chunk)))
            written = writer.write()
            writer.clear()
    """

    def __init__(
        self,
        cursor: Cursor[Any],
        layer: Layer,
        columns: Sequence[str],
        keeper: Keeper | None = None,
    ) -> None:
        self.cursor, self.layer, self.keeper = cursor, layer, keeper
        self.columns = [*columns, "attributes", "geom"]
        cursor.execute("DROP TABLE IF EXISTS pg_temp.intake_rows, pg_temp.intake_known")
        # Typed as the layer's columns are.
        cursor.execute(
            SQL(
                "CREATE TEMP TABLE intake_rows ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA"
            ).format(_list(self.columns), Identifier(layer.table))
        )

        cursor.execute("CREATE TEMP TABLE intake_known (code text) ON COMMIT DROP")

    def block(self, rows: Rows) -> bytes:
        """Return rows as the text that COPY takes. Needs no database."""
        if not len(rows.rows):
            return b""
        columns = (rows.columns[name] for name in self.columns[:-2])
        return _block([*columns, rows.attributes, _binary(rows.geometry)])

    def copy(self, block: bytes) -> None:
        """Stage the rows of a block. Whatever was staged before stays."""
        if not block:
            return
        statement = SQL("COPY pg_temp.intake_rows ({}) FROM STDIN").format(_list(self.columns))
        with self.cursor.copy(statement) as copy:
            copy.write(block)

    def clear(self) -> None:
        """Take all staged rows back."""
        self.cursor.execute("TRUNCATE pg_temp.intake_rows")

    def remove(self, codes: Sequence[str]) -> int:
        """Take staged rows back by their code; return how many there were."""
        self.cursor.execute("DELETE FROM pg_temp.intake_rows WHERE code = ANY(%s)", [list(codes)])
        return self.cursor.rowcount

    def write(self) -> Written:
        """Write what was staged, and let the rules speak that the database keeps for the commit."""
        in_force = SQL(" AND t.valid_to IS NULL" if self.layer.versioned else "")
        names = [name for name in self.columns if name != "code"]
        new = self._new(names)
        differs = SQL(
            "t.code = r.code{in_force} AND ROW({old}) IS DISTINCT FROM ROW({new})"
        ).format(
            in_force=in_force,
            old=SQL(", ").join(Identifier("t", name) for name in names),
            new=SQL(", ").join(new[name] for name in names),
        )
        table = Identifier(self.layer.table)
        known = self._known(table, in_force)
        updated = 0
        if known:
            for name in ("intake_rows", "intake_known"):
                self.cursor.execute(SQL("ANALYZE pg_temp.{} (code)").format(Identifier(name)))
            if self.keeper:
                self.keeper.keep_updated(self.cursor, self.layer, differs)
            self.cursor.execute(
                SQL(
                    "UPDATE {table} AS t SET {sets} FROM pg_temp.intake_rows AS r WHERE {differs}"
                ).format(
                    table=table,
                    sets=SQL(", ").join(
                        SQL("{} = {}").format(Identifier(name), new[name]) for name in names
                    ),
                    differs=differs,
                )
            )
            updated = self.cursor.rowcount
        is_new = _NEW if known else SQL("true")
        if self.keeper:
            self.keeper.keep_inserted(self.cursor, is_new)
        self.cursor.execute(self._insert(is_new))
        inserted = self.cursor.rowcount
        # Rules that the database keeps for the commit speak now, while a report can still say so.
        self.cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        return Written(inserted, updated)

    def _known(self, table: Identifier, in_force: Composable) -> int:
        """Note which of the staged codes are in the layer, and return how many they are.

        They are found before: an insert that looks for them row by row would, where the table is
        believed to be empty, read all that it has inserted itself for every row. LIMIT makes it one
        look into the index a row: a join might read all of a large layer for every chunk.
        """
        self.cursor.execute("TRUNCATE pg_temp.intake_known")
        self.cursor.execute(
            SQL(
                "INSERT INTO pg_temp.intake_known SELECT r.code FROM pg_temp.intake_rows AS r"
                " CROSS JOIN LATERAL (SELECT FROM {} AS t WHERE t.code = r.code{} LIMIT 1) AS k"
            ).format(table, in_force)
        )
        return self.cursor.rowcount

    def _new(self, names: Sequence[str]) -> dict[str, Composable]:
        """Return what each column of a row that is there becomes.

        A blank cell of a column that must hold something leaves what is there, as does a missing
        outline of an area, which the database derives; attributes of other files are kept.
        """
        table = cast("Table", self.layer.model.__table__)
        new: dict[str, Composable] = {}
        for name in names:
            if name == "attributes":
                new[name] = SQL("t.attributes || r.attributes")
            elif not table.c[name].nullable or name == "geom":
                new[name] = SQL("coalesce(r.{0}, t.{0})").format(Identifier(name))
            else:
                new[name] = SQL("r.{}").format(Identifier(name))
        return new

    def _insert(self, new: Composable) -> Composed:
        table = cast("Table", self.layer.model.__table__)
        columns: Composable = _list(self.columns)
        values: Composable = SQL(", ").join(_or_default(table, name) for name in self.columns)
        if self.layer.versioned:
            # A code that was in force before, and is taken up again, goes on counting its versions.
            columns = SQL("{}, version").format(columns)
            values = SQL(
                "{}, 1 + coalesce((SELECT max(p.version) FROM {} AS p WHERE p.code = r.code), 0)"
            ).format(values, Identifier(self.layer.table))
        return SQL("INSERT INTO {} ({}) SELECT {} FROM pg_temp.intake_rows AS r WHERE {}").format(
            Identifier(self.layer.table), columns, values, new
        )

    def outside(self) -> list[str]:
        """Return the codes of staged rows that lie outside the area of the account.

        Where row-level security does not hold, or the account has no area
        or no right to write at all, there are none: what the database says is for all rows then.
        """
        self.cursor.execute(
            "SELECT row_security_active(%s::regclass), geo.scope(), geo.role()", [self.layer.table]
        )
        active, scope, role = cast("tuple[bool, str | None, str | None]", self.cursor.fetchone())
        if not active or not scope or role not in self.layer.writers:
            return []
        self.cursor.execute(_OUTSIDE.get(self.layer.id, _ELSEWHERE))
        return [code for (code,) in self.cursor.fetchall()]


OUTSIDE = Words("位置不在本账号的辖区内。", "The place lies outside the area of this account.")

_NEW = SQL("NOT EXISTS (SELECT FROM pg_temp.intake_known AS k WHERE k.code = r.code)")

# What the policy of a layer asks of a new row, asked of the staged ones: functions.sql, geo.adopt.
_ELSEWHERE = """
SELECT r.code
FROM pg_temp.intake_rows AS r
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN geometrytype(r.geom) = 'POINT' THEN r.geom ELSE st_pointonsurface(r.geom)
        END AS at
) AS p
LEFT JOIN LATERAL geo.grid_at(p.at) AS g ON true
LEFT JOIN LATERAL geo.area_at(p.at) AS a ON g.code IS NULL
WHERE NOT (
    starts_with(coalesce(g.parent, a.code, ''), (SELECT geo.scope()))
    OR coalesce(g.code, '') = (SELECT geo.scope())
)
"""
_OUTSIDE = {
    "areas": """
SELECT r.code FROM pg_temp.intake_rows AS r WHERE NOT starts_with(r.code, (SELECT geo.scope()))
""",
    "grids": """
SELECT r.code
FROM pg_temp.intake_rows AS r
WHERE NOT (starts_with(r.parent, (SELECT geo.scope())) OR r.code = (SELECT geo.scope()))
""",
}


# --- Text of COPY -------------------------------------------------------------------------------

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_SPECIAL = re.compile("[\\\\\t\n\r]")
_NULL = "\\N"
_POINT = np.dtype([("order", "u1"), ("type", "<u4"), ("srid", "<u4"), ("xy", "<f8", 2)])
_OF_POINT = 0x20000001
"""The type of a point that names its SRID, in the extended well-known binary of PostGIS."""


def _block(columns: Sequence[Iterable[Any]]) -> bytes:
    """Return rows as the text that COPY takes, from columns."""
    lines = map("\t".join, zip(*map(_texts, columns), strict=True))
    return ("\n".join(lines) + "\n").encode()


def _texts(column: Iterable[Any]) -> Iterable[str]:
    """Return each value as COPY spells it."""
    values = list(column)
    kinds = {*map(type, values)} - {type(None)}
    if kinds <= {str}:
        if _SPECIAL.search("".join(filter(None, values))):
            values = [None if value is None else value.translate(_ESCAPES) for value in values]
        return [_NULL if value is None else value for value in values]
    if kinds == {datetime}:
        return [_NULL if value is None else value.isoformat() for value in values]
    if len(kinds) > 1:  # 1 and 1.0 are equal, and spelled differently
        return map(_text, values)
    # Equal ones, of which counts and codes have many, are made once.
    return map({value: _text(value) for value in {*values}}.__getitem__, values)


def _text(value: Any) -> str:
    if value is None:
        return _NULL
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if isinstance(value, date):  # times too
        return value.isoformat()
    return repr(value)


def _binary(geometry: Geometries) -> list[str | None]:
    """Return extended well-known binary as hexadecimal text; None where there is nothing."""
    if (shapely.get_type_id(geometry) != 0).any() or shapely.is_empty(geometry).any():
        shapes = shapely.set_srid(geometry, SRID)
        return list(shapely.to_wkb(shapes, hex=True, include_srid=True))
    points = np.empty(len(geometry), _POINT)  # the same for points alone, a tenth of the time
    points["order"], points["type"], points["srid"] = 1, _OF_POINT, SRID
    points["xy"] = shapely.get_coordinates(geometry)
    text, size = points.tobytes().hex(), 2 * _POINT.itemsize
    return [text[at : at + size] for at in range(0, len(text), size)]


def _list(names: Sequence[str]) -> Composed:
    return SQL(", ").join(map(Identifier, names))


def _or_default(table: Table, name: str) -> Composed:
    """Return the staged column, or the column's default where the cell is blank."""
    default = getattr(table.c[name].server_default, "arg", None)
    if default is None:
        return SQL("r.{}").format(Identifier(name))
    # The default is text of the model, never of a file.
    return SQL("coalesce(r.{}, {})").format(
        Identifier(name), SQL(cast("LiteralString", default.text))
    )
