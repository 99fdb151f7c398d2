"""Checked items go into a layer: updated where their code is there, inserted where it is not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, LiteralString, cast

import psycopg
from psycopg import AsyncConnection, errors, sql
from psycopg.rows import TupleRow
from sqlalchemy import Table

from geo_service.database import Principal
from layers.catalogue import CATALOGUE, Layer
from layers.intake.items import Item
from layers.intake.refusals import sentence
from layers.intake.report import Words

Outcome = Literal["inserted", "updated", "unchanged", "refused"]

STATUS_AT = "status_at"
"""The time of a status: an item with an older one than is there changes nothing."""

AHEAD = timedelta(minutes=5)
"""How far the clock of a device may be ahead."""

MOST_SPLITS = 2_000
"""How often a call is parted to find the items that the database refuses."""

TYPES: dict[str, LiteralString] = {
    "text": "text", "integer": "integer", "number": "float8", "date": "date",
    "datetime": "timestamptz",
}  # fmt: skip
# What the database says of rows, and not of itself.
_REFUSALS = (
    errors.IntegrityError,
    errors.DataError,
    errors.InsufficientPrivilege,
    errors.RaiseException,
)
_OUTSIDE = Words("位置不在本账号的辖区内。", "The place lies outside the area of this account.")
_STALE = Words(
    "状态时间早于已有记录，未改动。",
    "Its status_at lies before the one that is there: nothing was changed.",
)
_FUTURE = Words(
    "status_at：状态时间晚于现在，请校准时钟。",
    "status_at: the time lies in the future; set the clock right.",
)
_TAKEN = Words(
    "编码已被占用，或在辖区之外。",
    "The code is taken, by a feature outside the area of this account or at this moment.",
)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an item. ``id`` is that of an inserted feature."""

    outcome: Outcome
    words: Words | None = None
    id: int | None = None


class Upsert:
    """The items of one call on their way into one layer, within the connection's transaction.

    Items that the database refuses are found by halving, each part behind a savepoint: the others
    stay. Grids are one: what one of them breaks (the coverage), all of them break.
    """

    def __init__(
        self, connection: AsyncConnection[TupleRow], layer: Layer, asking: Principal
    ) -> None:
        self.connection, self.layer, self.asking = connection, layer, asking
        self.results: dict[int, Result] = {}
        self._splits = 0

    async def write(self, items: Sequence[Item]) -> dict[int, Result]:
        """Write items of distinct codes; return what became of each, by its index.

        Raises psycopg.OperationalError where the database is away or another transaction was in
        the way; nothing is written then.
        """
        # In the order of codes, so that calls at the same time lock rows in the same order.
        ordered = sorted(items, key=lambda item: item.code)
        await self._part(await self._within(self._now(ordered)))
        return self.results

    def _refuse(self, items: Iterable[Item], words: Words) -> None:
        self.results |= {item.index: Result("refused", words) for item in items}

    def _now(self, items: list[Item]) -> list[Item]:
        """Refuse times to come: under them, no heartbeat would be heard until then."""
        late = datetime.now(UTC) + AHEAD
        wrong = [item for item in items if _after(item.values.get(STATUS_AT), late)]
        self._refuse(wrong, _FUTURE)
        return [item for item in items if item.index not in self.results]

    async def _within(self, items: list[Item]) -> list[Item]:
        """Refuse places outside the account's area before the database does, one by one."""
        placed = [item for item in items if item.geometry]
        if self.asking.area == "*" or not placed or self.layer.id in ("areas", "grids"):
            return items
        cursor = await self.connection.execute(
            _OUTSIDE_SQL,
            {"n": [item.index for item in placed], "geom": [item.geometry for item in placed]},
        )
        gone = {index for (index,) in await cursor.fetchall()}
        self._refuse((item for item in items if item.index in gone), _OUTSIDE)
        return [item for item in items if item.index not in gone]

    async def _part(self, items: Sequence[Item]) -> None:
        if not items:
            return
        try:
            async with self.connection.transaction():
                done = await self._write(items)
        except _REFUSALS as error:
            whole = self.layer.versioned or self._splits >= MOST_SPLITS
            if len(items) == 1 or whole:
                self._refuse(items, said(error))
                return
            self._splits += 1
            middle = len(items) // 2
            await self._part(items[:middle])
            await self._part(items[middle:])
        else:
            self.results |= done

    async def _write(self, items: Sequence[Item]) -> dict[int, Result]:
        columns = _columns(self.layer, items)
        statements = _statements(self.layer.id, columns)
        done: dict[int, Result] = {}
        rest = {item.index: item for item in items}
        if columns:
            cursor = await self.connection.execute(statements.update, _values(columns, items))
            for (index,) in await cursor.fetchall():
                done[index] = Result("updated")
                del rest[index]
        if rest:
            cursor = await self.connection.execute(
                statements.there, _values(columns, rest.values())
            )
            for index, stale in await cursor.fetchall():
                done[index] = Result("unchanged", _STALE if stale else None)
                del rest[index]
        for item in list(rest.values()):
            if words := _lacking(self.layer, item):
                done[item.index] = Result("refused", words)
                del rest[item.index]
        if rest:
            new = {item.code: item.index for item in rest.values()}
            cursor = await self.connection.execute(
                statements.insert, _values(columns, rest.values())
            )
            for code, identity in await cursor.fetchall():
                done[new.pop(code)] = Result("inserted", id=identity)
            done |= {index: Result("refused", _TAKEN) for index in new.values()}
        if self.layer.versioned:
            # Rules kept for the commit speak now, while there is a savepoint to go back to.
            await self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        return done


def _lacking(layer: Layer, item: Item) -> Words | None:
    """Say what a new feature lacks."""
    missing = [
        f
        for f in layer.fields
        if f.required and not f.derived and f.name != "code" and item.values.get(f.name) is None
    ]
    titles = [f"{f.title.zh}（{f.name}）" for f in missing]
    names = [f.name for f in missing]
    if item.geometry is None and not layer.model.__geometry_nullable__:
        titles.append("位置（geometry）")
        names.append("geometry")
    if not names:
        return None
    return Words(
        f"没有该编码的记录，新增还缺少：{'、'.join(titles)}。",
        f"There is no feature of this code, and a new one needs: {', '.join(names)}.",
    )


def _after(moment: Any, limit: datetime) -> bool:
    return isinstance(moment, datetime) and moment > limit


def said(error: psycopg.Error) -> Words:
    """Put a refusal of the database in words, without those about files."""
    zh, en = sentence(error)
    return Words(
        zh.replace("，文件未导入", "").replace("文件中的", ""),
        en.replace("; the file was not imported", ""),
    )


# --- SQL ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Statements:
    """Constant texts for a layer and the columns that the items bring: they stay prepared."""

    update: bytes
    there: bytes
    insert: bytes


def _columns(layer: Layer, items: Iterable[Item]) -> tuple[str, ...]:
    """Return the columns that any of the items brings, ``code`` aside."""
    brought = {name for item in items for name in item.values}
    if any(item.geometry for item in items):
        brought.add("geom")
    if any(item.attributes for item in items):
        brought.add("attributes")
    return tuple(n for n in (*(f.name for f in layer.fields), "attributes", "geom") if n in brought)


def _values(columns: Sequence[str], items: Iterable[Item]) -> dict[str, list[Any]]:
    """Return one array for each column, and for each item a mask of the columns that it brings."""
    some = list(items)
    bits = {name: 1 << at for at, name in enumerate(columns)}
    values: dict[str, list[Any]] = {
        name: [item.values.get(name) for item in some] for name in columns
    }
    return values | {
        "n": [item.index for item in some],
        "code": [item.code for item in some],
        "given": [sum(bits[name] for name in item.values) for item in some],
        "geom": [item.geometry for item in some],
        "attributes": [item.attributes for item in some],
    }


@lru_cache(maxsize=512)
def _statements(layer_id: str, columns: tuple[str, ...]) -> _Statements:
    """Compose the statements; all of their text is the catalogue's.

    Kept by the layer's id: hashing a layer, with all of its fields and codes, took longer than the
    rest of the lookup.
    """
    layer = CATALOGUE[layer_id]
    table = cast("Table", layer.model.__table__)
    parts = {
        "rows": _rows(layer, columns),
        "table": sql.Identifier(layer.table),
        "in_force": sql.SQL(" AND t.valid_to IS NULL" if layer.versioned else ""),
        "stale": sql.SQL("coalesce(r.status_at < t.status_at, false)")
        if STATUS_AT in columns
        else sql.SQL("false"),
    }
    new = {name: _new(table, name, at) for at, name in enumerate(columns)}
    inserted = ("code", *columns)
    insert = {
        "columns": sql.SQL(", ").join(map(sql.Identifier, inserted)),
        "values": sql.SQL(", ").join(_or_default(table, name) for name in inserted),
        "arbiter": sql.SQL(" WHERE valid_to IS NULL" if layer.versioned else ""),
        "version": sql.SQL(", version" if layer.versioned else ""),
        "count": sql.SQL(_COUNT if layer.versioned else ""),
    }
    update = {
        "sets": sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), value) for name, value in new.items()
        ),
        "old": sql.SQL(", ").join(sql.Identifier("t", name) for name in columns),
        "new": sql.SQL(", ").join(new.values()),
    }
    return _Statements(
        sql.SQL(_UPDATE).format(**parts, **update).as_bytes(None),
        sql.SQL(_THERE).format(**parts).as_bytes(None),
        sql.SQL(_INSERT).format(**parts, **insert).as_bytes(None),
    )


def _rows(layer: Layer, columns: Sequence[str]) -> sql.Composed:
    """Return the items as a table ``r`` of arrays that are bound."""
    types: dict[str, LiteralString] = {"n": "integer", "given": "bigint", "code": "text"}
    for name in columns:
        plain = name in ("attributes", "geom")
        types[name] = "text" if plain else TYPES[layer.field(name).kind]
    arrays = [
        sql.SQL("{}::{}[]").format(sql.Placeholder(name), sql.SQL(type_))
        for name, type_ in types.items()
    ]
    casts: dict[str, LiteralString] = {"attributes": "jsonb", "geom": "geometry"}
    shown = [
        sql.SQL("u.{0}::{1} AS {0}").format(sql.Identifier(name), sql.SQL(casts[name]))
        if name in casts
        else sql.Identifier("u", name)
        for name in types
    ]
    return sql.SQL("(SELECT {} FROM unnest({}) AS u ({})) AS r").format(
        sql.SQL(", ").join(shown),
        sql.SQL(", ").join(arrays),
        sql.SQL(", ").join(map(sql.Identifier, types)),
    )


def _new(table: Table, name: str, at: int) -> sql.Composed:
    """Return what a column of a feature that is there becomes: what is not brought stays."""
    if name == "attributes":
        return sql.SQL("t.attributes || coalesce(r.attributes, '{{}}'::jsonb)").format()
    if name == "geom" or not table.c[name].nullable:
        return sql.SQL("coalesce(r.{0}, t.{0})").format(sql.Identifier(name))
    return sql.SQL("CASE WHEN r.given & {1} <> 0 THEN r.{0} ELSE t.{0} END").format(
        sql.Identifier(name), sql.Literal(1 << at)
    )


def _or_default(table: Table, name: str) -> sql.Composed:
    default = getattr(table.c[name].server_default, "arg", None)
    if default is None:
        return sql.SQL("r.{}").format(sql.Identifier(name))
    # The default is text of the model, never of a request.
    return sql.SQL("coalesce(r.{}, {})").format(
        sql.Identifier(name), sql.SQL(cast("LiteralString", default.text))
    )


_UPDATE = """
UPDATE {table} AS t
SET {sets}
FROM {rows}
WHERE t.code = r.code{in_force} AND NOT {stale} AND ROW({old}) IS DISTINCT FROM ROW({new})
RETURNING r.n
"""

_THERE = "SELECT r.n, {stale} FROM {rows} JOIN {table} AS t ON t.code = r.code{in_force}"

_INSERT = """
INSERT INTO {table} ({columns}{version})
SELECT {values}{count}
FROM {rows}
ON CONFLICT (code){arbiter} DO NOTHING
RETURNING code, id
"""

# A code that was in force before, and is taken up again, goes on counting its versions.
_COUNT = ", 1 + coalesce((SELECT max(p.version) FROM grids AS p WHERE p.code = r.code), 0)"

# What the policy of a layer asks of a new row (geo.adopt), asked before: many places outside the
# area would be found one by one otherwise.
_OUTSIDE_SQL = """
SELECT p.n
FROM (
    SELECT
        u.n,
        CASE
            WHEN geometrytype(u.geom::geometry) = 'POINT' THEN u.geom::geometry
            ELSE st_pointonsurface(u.geom::geometry)
        END AS at
    FROM unnest(%(n)s::integer[], %(geom)s::text[]) AS u (n, geom)
) AS p
LEFT JOIN LATERAL geo.grid_at(p.at) AS g ON true
LEFT JOIN LATERAL geo.area_at(p.at) AS a ON g.code IS NULL
WHERE NOT (
    starts_with(coalesce(g.parent, a.code, ''), (SELECT geo.scope()))
    OR coalesce(g.code, '') = (SELECT geo.scope())
)
"""
