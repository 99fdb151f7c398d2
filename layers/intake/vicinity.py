"""What lies near the rows of a file, or outside the town: warnings, of which nothing is refused."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from psycopg import Cursor
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier, Literal

from layers.catalogue import Layer
from layers.intake.chunks import CHUNK
from layers.intake.coordinates import Floats
from layers.intake.nearness import HOURS, METRES, POLE, Events, Pairs, near_pairs
from layers.intake.report import Words
from layers.intake.rows import Rows
from layers.intake.used import Used

SHOWN = 100
"""Pairs and rows that are named; those beyond are counted."""

EVENTS = ("disputes", "hazards")
"""Layers whose rows of one category, near in place and time, may be one event."""

# Half a thousandth of a degree is more than the 20 m that count, and two days more than 24 hours.
# What this transaction wrote is of the file.
_KNOWN: LiteralString = """
SELECT t.id, t.code, st_x(t.geom), st_y(t.geom), {time}, {category}
FROM {table} AS t
WHERE
    t.geom && st_makeenvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)
    AND t.updated_at <> now()
"""
_KNOWN_THEN: LiteralString = """
    AND t.{time} BETWEEN to_timestamp(%(since)s) AND to_timestamp(%(until)s)
"""
_AROUND, _BEFORE = 0.0005, 2 * 86_400.0

_ASTRAY: LiteralString = """
SELECT r.code, count(*) OVER ()
FROM pg_temp.intake_rows AS r
CROSS JOIN LATERAL (
    SELECT t.grid_now, t.geom FROM {table} AS t WHERE t.code = r.code LIMIT 1
) AS w
WHERE w.grid_now IS NULL AND w.geom IS NOT NULL
ORDER BY r.ctid
LIMIT {most}
"""


class _Named(NamedTuple):
    """A pair by what it is called: rows of the file, or a row and the id of what is there."""

    row: int
    known: bool
    other: int
    metres: float
    hours: float


class Vicinity:
    """The places of a file with times and categories, kept small, and what lies near to them.

    Disputes and hazards are near to others of one category within 20 m and 24 hours; cameras within
    1 m, on one pole it seems. Other layers, and rows that bring no time or category, are not looked
    at.
    """

    def __init__(self, layer: Layer, columns: Sequence[str]) -> None:
        self._layer = layer
        self._events = layer.id in EVENTS and {layer.time, "category"} <= {*columns}
        self._reach = METRES if self._events else POLE
        self._wanted = self._events or layer.id == "cameras"
        self._rows: list[NDArray[np.int64]] = []
        self._places: list[NDArray[np.float64]] = []
        self._kinds: list[str | None] = []

    def add(self, rows: Rows) -> None:
        """Keep what is needed of a chunk."""
        if not self._wanted or not len(rows.rows):
            return
        x, y = shapely.get_x(rows.geometry), shapely.get_y(rows.geometry)
        times = np.zeros(len(x))
        if self._events:
            moments = rows.columns[self._layer.time or ""]
            found = (m.timestamp() if isinstance(m, datetime) else np.nan for m in moments)
            times = np.fromiter(found, float, len(x))
            self._kinds += (None if k is None else str(k) for k in rows.columns["category"])
        self._rows.append(np.fromiter(rows.rows, np.int64, len(x)))
        self._places.append(np.stack([x, y, times]))

    def near(self, cursor: Cursor[Any], codes: Used, bad: AbstractSet[int]) -> list[Words]:
        """Return warnings of rows near to each other or to what is in the layer besides.

        To be called when the rows are written. ``bad`` rows were left out after all.
        """
        if not self._rows:
            return []
        rows = np.concatenate(self._rows)
        places, kinds = np.concatenate(self._places, axis=1), self._kinds
        if bad:
            good = ~np.isin(rows, np.fromiter(bad, np.int64, len(bad)))
            rows, places = rows[good], places[:, good]
            kinds = [kind for kind, is_good in zip(kinds, good, strict=True) if is_good]
        if not np.isfinite(places).all(axis=0).any():
            return []
        own = self._of(places, kinds)
        ids, known = self._known(cursor, codes, places)
        total, first = 0, list[_Named]()
        for part in near_pairs(own, known, metres=self._reach, hours=HOURS):
            total += len(part.first)
            first = sorted([*first, *_lowest(part, rows, ids)], key=_order)[:SHOWN]
        return self._told(cursor, first, total, codes)

    def _of(self, places: Floats, kinds: Sequence[str | None]) -> Events:
        x, y, times = places
        return Events(x, y, times, kinds) if self._events else Events(x, y)

    def _known(
        self, cursor: Cursor[Any], codes: Used, places: Floats
    ) -> tuple[NDArray[np.int64], Events]:
        """Return the ids and places of what is there already, other than the file's own rows."""
        with np.errstate(invalid="ignore"):
            west, south, since = np.nanmin(places, axis=1).tolist()
            east, north, until = np.nanmax(places, axis=1).tolist()
        time = Identifier(self._layer.time or "")
        query = SQL(_KNOWN).format(
            table=Identifier(self._layer.table),
            time=SQL("extract(epoch FROM t.{})::float8").format(time)
            if self._events
            else SQL("0::float8"),
            category=SQL("t.category" if self._events else "NULL::text"),
        )
        if self._events:
            query += SQL(_KNOWN_THEN).format(time=time)
        ids, found = [np.array([], np.int64)], [np.empty((3, 0))]
        kinds: list[str | None] = []
        same: dict[str | None, str | None] = {}
        # Rows come in parts and are kept as arrays: there may be a million.
        with cursor.connection.cursor("intake_near", row_factory=tuple_row) as stream:
            stream.execute(
                query,
                {
                    "west": west - _AROUND, "south": south - _AROUND,
                    "east": east + _AROUND, "north": north + _AROUND,
                    "since": since - _BEFORE, "until": until + _BEFORE,
                },
            )  # fmt: skip
            while records := stream.fetchmany(CHUNK):
                others = np.flatnonzero(~codes.among([record[1] for record in records]))
                records = [records[i] for i in others.tolist()]
                ids.append(np.array([record[0] for record in records], np.int64))
                found.append(np.array([r[2:5] for r in records], float).reshape(-1, 3).T)
                kinds += (same.setdefault(record[5], record[5]) for record in records)
        return np.concatenate(ids), self._of(np.concatenate(found, axis=1), kinds)

    def _told(
        self, cursor: Cursor[Any], pairs: Sequence[_Named], total: int, codes: Used
    ) -> list[Words]:
        names = codes.at({p.row for p in pairs} | {p.other for p in pairs if not p.known})
        cursor.execute(
            SQL("SELECT id, code FROM {} WHERE id = ANY(%s)").format(Identifier(self._layer.table)),
            [[p.other for p in pairs if p.known]],
        )
        there: dict[int, str] = dict(cursor.fetchall())
        say = _event if self._events else _pole
        told = []
        for pair in pairs:
            one = names[pair.row]
            if pair.known:
                other = there[pair.other]
                zh = f"第 {pair.row} 行（{one}）与已有的 {other} "
                en = f"Row {pair.row} ({one}) and {other}, which is there already,"
            else:
                other = names[pair.other]
                zh = f"第 {pair.row} 行（{one}）与第 {pair.other} 行（{other}）"
                en = f"Rows {pair.row} ({one}) and {pair.other} ({other})"
            told.append(say(pair, zh, en))
        if (more := total - len(pairs)) > 0:
            zh = f"另有 {more} 对相近的行未列出。"
            told.append(Words(zh, f"{more} more pairs are not listed."))
        return told


def _order(pair: _Named) -> tuple[int, bool, float, float]:
    """Return what pairs are sorted by: rows of the file first, then what is there by nearness."""
    by = (pair.metres, pair.other) if pair.known else (pair.other, pair.metres)
    return (pair.row, pair.known, *by)


def _lowest(part: Pairs, rows: NDArray[np.int64], ids: NDArray[np.int64]) -> list[_Named]:
    """Return the pairs of a block that are named first."""
    first, second = rows[part.first], (ids if part.known else rows)[part.second]
    if not part.known:
        first, second = np.minimum(first, second), np.maximum(first, second)
    by = (second, part.metres, first) if part.known else (part.metres, second, first)
    order = np.lexsort(by)[:SHOWN]
    return [
        _Named(int(first[i]), part.known, int(second[i]),
               float(part.metres[i]), float(part.hours[i]))
        for i in order
    ]  # fmt: skip


def astray(cursor: Cursor[Any], layer: Layer) -> tuple[int, list[str]]:
    """Return how many of the staged rows, which are written, lie in no grid in force.

    With the codes of the first. Areas and grids make the town themselves, alerts are found by
    analyses, and where there are no grids at all, there is no outside.
    """
    if layer.id in ("areas", "grids", "alerts"):
        return 0, []
    cursor.execute("SELECT EXISTS (SELECT FROM grids WHERE valid_to IS NULL)")
    if cursor.fetchone() != (True,):
        return 0, []
    cursor.execute(SQL(_ASTRAY).format(table=Identifier(layer.table), most=Literal(SHOWN)))
    first = cursor.fetchall()
    return (first[0][1], [code for code, _ in first]) if first else (0, [])


def outside(count: int, codes: Sequence[str], used: Used) -> list[Words]:
    """Return warnings of rows that lie in no grid in force, of which ``codes`` are the first."""
    if not count:
        return []
    found = sorted((row, code) for code, row, _ in used.of(codes))
    listed = ", ".join(str(row) for row, _ in found[:10]) + (" …" if count > 10 else "")
    told = [
        Words(
            f"有 {count} 行的位置不在任何现行网格内（已导入）：第 {listed} 行。",
            f"{count} rows lie in no grid in force (they were taken): rows {listed}.",
        )
    ]
    told += [
        Words(f"第 {row} 行（{code}）在辖区外。", f"Row {row} ({code}) lies outside the town.")
        for row, code in found
    ]
    return told


def _event(pair: _Named, zh: str, en: str) -> Words:
    return Words(
        f"{zh}可能是同一事件：类别相同，相距 {pair.metres:.1f} 米，相隔 {pair.hours:.1f} 小时。",
        f"{en} may be one event: same category, {pair.metres:.1f} m and {pair.hours:.1f} h apart.",
    )


def _pole(pair: _Named, zh: str, en: str) -> Words:
    return Words(
        f"{zh}的摄像机相距 {pair.metres:.2f} 米，应在同一杆上。",
        f"{en} are cameras {pair.metres:.2f} m apart, on one pole it seems.",
    )
