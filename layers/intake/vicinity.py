"""What lies near the rows of a file, or outside the town: warnings, of which nothing is refused."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, LiteralString

import numpy as np
from numpy.typing import NDArray
from psycopg import Cursor
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Composed, Identifier, Literal

from layers.catalogue import Layer
from layers.intake.chunks import CHUNK
from layers.intake.nearness import HOURS, METRES, POLE, Events, Near, near_duplicates
from layers.intake.report import Words

SHOWN = 100
"""Pairs and rows that are named; those beyond are counted."""

EVENTS = ("disputes", "hazards")
"""Layers whose rows of one category, near in place and time, may be one event."""

Codes = NDArray[np.bytes_]

Rows = Callable[[Collection[str]], Iterable[tuple[str, int, int | None]]]
"""Gives code, row and line of codes."""

_STAGED_EVENTS: LiteralString = """
SELECT code, st_x(geom), st_y(geom), extract(epoch FROM {time})::float8, category
FROM pg_temp.intake_rows
WHERE geom IS NOT NULL
ORDER BY code
"""

_STAGED_CAMERAS: LiteralString = """
SELECT code, st_x(geom), st_y(geom)
FROM pg_temp.intake_rows
WHERE geom IS NOT NULL
ORDER BY code
"""

# Not what the file itself brings again: an update of a row is no duplicate of it. Half a thousandth
# of a degree is more than the 20 m that count, and a day more than the 24 hours.
_KNOWN_EVENTS: LiteralString = """
WITH span AS (
    SELECT
        st_setsrid(st_expand(st_extent(geom)::geometry, 0.0005), 4326) AS box,
        min({time}) - interval '2 days' AS start,
        max({time}) + interval '2 days' AS until
    FROM pg_temp.intake_rows
)
SELECT t.code, st_x(t.geom), st_y(t.geom), extract(epoch FROM t.{time})::float8, t.category
FROM {table} AS t, span
WHERE
    t.geom && span.box
    AND t.{time} BETWEEN span.start AND span.until
    AND NOT EXISTS (SELECT FROM pg_temp.intake_rows AS r WHERE r.code = t.code)
ORDER BY t.code
"""

_KNOWN_CAMERAS: LiteralString = """
WITH span AS (
    SELECT st_setsrid(st_expand(st_extent(geom)::geometry, 0.0005), 4326) AS box
    FROM pg_temp.intake_rows
)
SELECT t.code, st_x(t.geom), st_y(t.geom)
FROM {table} AS t, span
WHERE
    t.geom && span.box
    AND NOT EXISTS (SELECT FROM pg_temp.intake_rows AS r WHERE r.code = t.code)
ORDER BY t.code
"""

_OUTSIDE: LiteralString = """
SELECT t.code, count(*) OVER ()
FROM {table} AS t
INNER JOIN pg_temp.intake_rows AS r ON r.code = t.code
WHERE
    t.grid_now IS NULL
    AND t.geom IS NOT NULL
    AND EXISTS (SELECT FROM grids WHERE valid_to IS NULL)
ORDER BY r.ctid
LIMIT {most}
"""


def near(cursor: Cursor[Any], layer: Layer, columns: Sequence[str], rows: Rows) -> list[Words]:
    """Return warnings of staged rows near to each other or to rows of the database.

    Disputes and hazards: of one category within 20 m and 24 hours. Cameras: within 1 m, on one pole
    it seems. To be called before the staged rows (``pg_temp.intake_rows``, which has ``columns``)
    are written.
    """
    if layer.id in EVENTS and {layer.time, "category"} <= {*columns}:
        texts, reach, say = (_STAGED_EVENTS, _KNOWN_EVENTS), METRES, _event
    elif layer.id == "cameras":
        texts, reach, say = (_STAGED_CAMERAS, _KNOWN_CAMERAS), POLE, _pole
    else:
        return []
    names = {"table": Identifier(layer.table), "time": Identifier(layer.time or "")}
    staged, known = (_events(cursor, SQL(text).format(**names)) for text in texts)
    pairs = near_duplicates(staged[1], known[1], metres=reach, hours=HOURS)
    if not pairs:
        return []
    numbers = {code: row for code, row, _ in rows(_codes(pairs, staged[0]))}
    named = [_named(n, staged[0], known[0], numbers) for n in pairs]
    named.sort(key=lambda item: item[0])
    told = [say(pair, zh, en) for _, pair, zh, en in named[:SHOWN]]
    if (more := len(pairs) - SHOWN) > 0:
        told.append(Words(f"另有 {more} 对相近的行未列出。", f"{more} more pairs are not listed."))
    return told


def outside(cursor: Cursor[Any], layer: Layer, rows: Rows) -> list[Words]:
    """Return warnings of rows that lie in no grid in force, where there are grids at all.

    To be called when the rows are written. Areas and grids make the town themselves, and alerts
    are found by analyses.
    """
    if layer.id in ("areas", "grids", "alerts"):
        return []
    cursor.execute(SQL(_OUTSIDE).format(table=Identifier(layer.table), most=Literal(SHOWN)))
    first = cursor.fetchall()
    if not first:
        return []
    count = first[0][1]
    found = sorted((row, code) for code, row, _ in rows({code for code, _ in first}))
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


def _events(cursor: Cursor[Any], query: Composed) -> tuple[Codes, Events]:
    """Return the codes, and the places with times and categories where they are asked for.

    Rows come in parts and are kept as arrays: there may be a million.
    """
    codes: list[NDArray[np.bytes_]] = [np.array([], dtype="S1")]
    parts: list[NDArray[np.float64]] = [np.empty((0, 3))]
    kinds: list[str | None] = []
    with cursor.connection.cursor("intake_near", row_factory=tuple_row) as stream:
        stream.execute(query)
        while found := stream.fetchmany(CHUNK):
            codes.append(np.array([record[0].encode() for record in found]))
            places = [(r[1], r[2], r[3] if len(r) > 3 else 0.0) for r in found]
            parts.append(np.array(places, dtype=float))
            if len(found[0]) > 3:
                kinds += [record[4] for record in found]
        timed = len(stream.description or ()) > 3
    x, y, times = np.concatenate(parts).T
    return np.concatenate(codes), Events(x, y, times if timed else None, kinds if timed else None)


def _codes(pairs: Sequence[Near], codes: Codes) -> set[str]:
    found = {n.first for n in pairs} | {n.second for n in pairs if not n.known}
    return {codes[at].decode() for at in found}


def _named(
    pair: Near, codes: Codes, known: Codes, rows: Mapping[str, int]
) -> tuple[tuple[int, bool, int], Near, str, str]:
    """Return by what to sort a pair, the pair, and what it is called; the lower row comes first."""
    first, other = (
        codes[pair.first].decode(),
        (known if pair.known else codes)[pair.second].decode(),
    )
    one = rows.get(first, 0)
    if pair.known:
        return (
            (one, True, 0), pair,
            f"第 {one} 行（{first}）与已有的 {other} ",
            f"Row {one} ({first}) and {other}, which is there already,",
        )  # fmt: skip
    (one, first), (two, other) = sorted(((one, first), (rows.get(other, 0), other)))
    return (
        (one, False, two), pair,
        f"第 {one} 行（{first}）与第 {two} 行（{other}）",
        f"Rows {one} ({first}) and {two} ({other})",
    )  # fmt: skip


def _event(pair: Near, zh: str, en: str) -> Words:
    return Words(
        f"{zh}可能是同一事件：类别相同，相距 {pair.metres:.1f} 米，相隔 {pair.hours:.1f} 小时。",
        f"{en} may be one event: same category, {pair.metres:.1f} m and {pair.hours:.1f} h apart.",
    )


def _pole(pair: Near, zh: str, en: str) -> Words:
    return Words(
        f"{zh}的摄像机相距 {pair.metres:.2f} 米，应在同一杆上。",
        f"{en} are cameras {pair.metres:.2f} m apart, on one pole it seems.",
    )
