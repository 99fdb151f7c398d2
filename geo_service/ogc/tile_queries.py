"""The SQL of a tile: features of a layer, or counts of them by cell."""

from dataclasses import dataclass
from functools import cache
from typing import Any, LiteralString

from psycopg import sql
from psycopg.types.numeric import Int4

from geo_service.database import Principal
from geo_service.ogc.matrix_sets import EXTENT, HALF_WORLD, MATRIX_SETS, MatrixSet
from geo_service.ogc.selection import Selected, in_force
from geo_service.ogc.tile_cache import POINT_BUFFER, Key
from layers.catalogue import Kind, Layer
from layers.cells import FINEST, LEVELS, counted

BUFFER = 64
_BEYOND = 200_000.0  # metres: what lies north or south of the square is counted at its edge


def aggregated(layer: Layer, matrix: MatrixSet, z: int) -> bool:
    """Tell whether a tile carries counts instead of features."""
    return layer.geometry == "POINT" and z < matrix.aggregate_below


def query(
    layer: Layer, key: Key, asking: Principal, selected: Selected | None
) -> tuple[bytes, dict[str, Any]]:
    """Return a tile's query and its values; ``selected`` is None where every feature is asked for.

    The text is the same for all tiles of a kind, so that it stays prepared.
    """
    matrix = MATRIX_SETS[key.matrix]
    west, south, east, north = matrix.bounds(key.z, key.x, key.y)
    values: dict[str, Any] = {
        "tile_west": west, "tile_south": south, "tile_east": east, "tile_north": north,
        "tile_layer": layer.id,
    }  # fmt: skip
    if selected:
        values |= selected.values
    if aggregated(layer, matrix, key.z):
        values |= _cells(key, matrix, whole=asking.area == "*")
        if selected is None:
            return _counts_kept(layer, matrix), values
        return _counts(layer, matrix, _RAW, selected.where), values
    buffer = POINT_BUFFER if layer.geometry == "POINT" else BUFFER
    values["tile_margin"] = (east - west) * buffer / EXTENT
    if selected is None:
        return _features_in_force(layer, matrix), values
    return _features(layer, matrix, selected.where), values


def _cells(key: Key, matrix: MatrixSet, *, whole: bool) -> dict[str, Any]:
    """Return which cells a tile counts, which of the kept levels are summed, and their box."""
    level = key.z + matrix.finer
    kept = min(each for each in LEVELS if each >= level)
    x0, x1, y0, y1 = matrix.cell_range(key.z, key.x, key.y)
    size = 2 * HALF_WORLD / 2**level
    most = (1 << level) - 1
    fine, finest = kept - level, FINEST - level
    # All of one type, or each mix of short and long numbers would be prepared anew.
    numbers = {
        "cell_level": kept, "cell_shift": fine, "cell_finest": finest,
        "cell_x0": x0, "cell_x1": x1, "cell_y0": y0, "cell_y1": y1,
        "kept_x0": x0 << fine, "kept_x1": ((x1 + 1) << fine) - 1,
        "kept_y0": y0 << fine, "kept_y1": ((y1 + 1) << fine) - 1,
        "delta_x0": x0 << finest, "delta_x1": ((x1 + 1) << finest) - 1,
        "delta_y0": y0 << finest, "delta_y1": ((y1 + 1) << finest) - 1,
    }  # fmt: skip
    return {name: Int4(value) for name, value in numbers.items()} | {
        "cell_whole": whole and kept < FINEST,
        # A metre more: which cell a point lies in is computed, not compared.
        "box_west": x0 * size - HALF_WORLD - 1,
        "box_east": (x1 + 1) * size - HALF_WORLD + 1,
        "box_south": HALF_WORLD - (y1 + 1) * size - (_BEYOND if y1 == most else 1),
        "box_north": HALF_WORLD - y0 * size + (_BEYOND if y0 == 0 else 1),
    }


@dataclass(frozen=True, slots=True)
class Points:
    """How a tile's points are asked for over the wire, and what their columns are.

    ``query`` takes west, south, east and north of the buffered tile.
    """

    query: bytes
    columns: tuple[tuple[str, Kind], ...]


@cache
def points(layer: Layer, matrix: MatrixSet) -> Points:
    """Return how the points of a tile are asked for: the rows of ``_features``, in their order."""
    names = columns(layer)
    query = sql.SQL(_ROWS).format(
        table=sql.Identifier(layer.table),
        geometry=sql.Identifier("geom_3857" if matrix.metric else "geom"),
        srid=sql.Literal(matrix.srid),
        where=in_force(layer),
        columns=sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(name)) for name in names),
    )
    return Points(query.as_bytes(None), tuple((name, layer.field(name).kind) for name in names))


@cache
def _counts_kept(layer: Layer, matrix: MatrixSet) -> bytes:
    return _counts(layer, matrix, _KEPT, in_force(layer))


@cache
def _features_in_force(layer: Layer, matrix: MatrixSet) -> bytes:
    return _features(layer, matrix, in_force(layer))


def _counts(layer: Layer, matrix: MatrixSet, source: LiteralString, where: sql.Composable) -> bytes:
    kinds = counted(layer)
    return (
        sql.SQL(_AGGREGATE)
        .format(
            source=sql.SQL(source).format(
                table=sql.Identifier(layer.table),
                where=where,
                names=sql.SQL(", ").join(
                    sql.Identifier(f"kind_{number}") for number, _ in enumerate(kinds, 1)
                ),
                kinds=sql.SQL(", ").join(
                    sql.SQL("coalesce({}::text, '') AS {}").format(
                        sql.Identifier(kind), sql.Identifier(f"kind_{number}")
                    )
                    for number, kind in enumerate(kinds, 1)
                ),
            ),
            counts=sql.SQL("").join(_counters(layer, kinds)),
            names=sql.SQL("").join(
                sql.SQL(", {}").format(sql.Identifier(name)) for name in _names(layer, kinds)
            ),
            place=sql.SQL(_METRES if matrix.metric else _DEGREES),
            srid=sql.Literal(matrix.srid),
            extent=sql.Literal(EXTENT),
        )
        .as_bytes(None)
    )


def _features(layer: Layer, matrix: MatrixSet, where: sql.Composable) -> bytes:
    point = layer.geometry == "POINT"
    return (
        sql.SQL(_POINTS if point else _SHAPES)
        .format(
            table=sql.Identifier(layer.table),
            geometry=sql.Identifier("geom_3857" if matrix.metric else "geom"),
            srid=sql.Literal(matrix.srid),
            where=where,
            columns=sql.SQL("").join(
                sql.SQL(", {}").format(sql.Identifier(name)) for name in columns(layer)
            ),
            extent=sql.Literal(EXTENT),
            buffer=sql.Literal(POINT_BUFFER if point else BUFFER),
        )
        .as_bytes(None)
    )


def columns(layer: Layer) -> list[str]:
    """Return the columns that a tile carries: what drawing and picking need, no more."""
    wanted = ["code", layer.label, layer.style.by, *layer.style.needs]
    return list(dict.fromkeys(name for name in wanted if name))


def counters(layer: Layer) -> list[str]:
    """Return what a cell carries beside ``count``.

    ``n_CODE`` by the column that colours the layer, ``COLUMN_CODE`` by the other coded one.
    """
    return _names(layer, counted(layer))


def _names(layer: Layer, kinds: tuple[str, ...]) -> list[str]:
    return [
        f"n_{code}" if kind == layer.style.by else f"{kind}_{code}"
        for kind in kinds
        for code in _codes(layer, kind)
    ]


def _codes(layer: Layer, kind: str) -> tuple[str, ...]:
    codes = layer.field(kind).codes
    return codes.values if codes else ()


def _counters(layer: Layer, kinds: tuple[str, ...]) -> list[sql.Composed]:
    of = [(number, code) for number, kind in enumerate(kinds, 1) for code in _codes(layer, kind)]
    return [
        sql.SQL(", nullif(sum(n) FILTER (WHERE {} = {}), 0)::integer AS {}").format(
            sql.Identifier(f"kind_{number}"), sql.Literal(code), sql.Identifier(name)
        )
        for (number, code), name in zip(of, _names(layer, kinds), strict=True)
    ]


# The tile's box is a subquery, so that a generic plan makes it once and not for every row.
_POINTS = """
SELECT st_asmvt(t, %(tile_layer)s, {extent}, 'geom', 'id')
FROM (
    SELECT
        st_asmvtgeom(
            {geometry},
            (
                SELECT st_makeenvelope(
                    %(tile_west)s, %(tile_south)s, %(tile_east)s, %(tile_north)s, {srid}
                )::box2d
            ),
            {extent}, {buffer}, true
        ) AS geom,
        id{columns}
    FROM {table}
    WHERE
        {geometry} && st_makeenvelope(
            %(tile_west)s - %(tile_margin)s, %(tile_south)s - %(tile_margin)s,
            %(tile_east)s + %(tile_margin)s, %(tile_north)s + %(tile_margin)s, {srid}
        )
        AND {where}
) AS t
"""

_ROWS = """
SELECT {geometry}, id{columns}
FROM {table}
WHERE {geometry} && st_makeenvelope($1, $2, $3, $4, {srid}) AND {where}
"""

# A shape smaller than the tile's own grid would vanish: it is drawn as a point instead.
_SHAPES = """
SELECT st_asmvt(t, %(tile_layer)s, {extent}, 'geom', 'id')
FROM (
    SELECT
        coalesce(
            st_asmvtgeom({geometry}, b.tile, {extent}, {buffer}, true),
            st_asmvtgeom(st_pointonsurface({geometry}), b.tile, {extent}, {buffer}, true)
        ) AS geom,
        id{columns}
    FROM (
        SELECT
            st_makeenvelope(
                %(tile_west)s, %(tile_south)s, %(tile_east)s, %(tile_north)s, {srid}
            ) AS tile
    ) AS b
    CROSS JOIN {table}
    WHERE
        {geometry} && st_makeenvelope(
            %(tile_west)s - %(tile_margin)s, %(tile_south)s - %(tile_margin)s,
            %(tile_east)s + %(tile_margin)s, %(tile_north)s + %(tile_margin)s, {srid}
        )
        AND {where}
) AS t
"""

# Ordered, so that the same counts make the same bytes whichever way they were come by.
_AGGREGATE = """
SELECT st_asmvt(t, %(tile_layer)s, {extent}, 'geom')
FROM (
    SELECT
        st_asmvtgeom(
            place,
            st_makeenvelope(%(tile_west)s, %(tile_south)s, %(tile_east)s, %(tile_north)s, {srid}),
            {extent}, 0, false
        ) AS geom,
        count{names}
    FROM (
        SELECT
            x, y, sum(n)::integer AS count{counts},
            st_setsrid(
                st_makepoint(
                    (sum(sum_x) / sum(n))::float8 / 100, (sum(sum_y) / sum(n))::float8 / 100
                ), 3857
            ) AS middle
        FROM ({source}) AS counted
        WHERE x BETWEEN %(cell_x0)s AND %(cell_x1)s AND y BETWEEN %(cell_y0)s AND %(cell_y1)s
        GROUP BY x, y
        HAVING sum(n) > 0
    ) AS cell
    CROSS JOIN LATERAL ({place}) AS placed
    ORDER BY x, y
) AS t
"""

# A cell of EPSG:3857 lies within one tile.
_METRES = "SELECT middle AS place"

# In degrees it may not: it is counted where its features' middle lies, in one tile alone.
_DEGREES = """
SELECT place
FROM (SELECT st_transform(middle, 4326) AS place OFFSET 0) AS turned
WHERE
    st_x(place) >= %(tile_west)s AND (st_x(place) < %(tile_east)s OR %(tile_east)s = 180)
    AND st_y(place) > %(tile_south)s AND st_y(place) <= %(tile_north)s
"""

# Counted by kind first, so that what is turned into columns are some hundreds of rows; the inner
# query is kept apart (OFFSET 0), so that each cell is computed once.
_RAW = """
SELECT x, y, {names}, count(*) AS n, sum(cm_x) AS sum_x, sum(cm_y) AS sum_y
FROM (
    SELECT
        geo.cell(st_x(geom_3857)) >> %(cell_finest)s AS x,
        geo.cell(-st_y(geom_3857)) >> %(cell_finest)s AS y,
        geo.centimetres(st_x(geom_3857)) AS cm_x,
        geo.centimetres(st_y(geom_3857)) AS cm_y,
        {kinds}
    FROM {table}
    WHERE
        geom_3857 && st_makeenvelope(
            %(box_west)s, %(box_south)s, %(box_east)s, %(box_north)s, 3857
        )
        AND {where}
    OFFSET 0
) AS point
GROUP BY x, y, {names}
"""

_KEPT = """
SELECT
    x >> %(cell_shift)s AS x, y >> %(cell_shift)s AS y, n, sum_x, sum_y, kind_1, kind_2
FROM cells
WHERE
    layer = %(tile_layer)s AND level = %(cell_level)s AND whole = %(cell_whole)s
    AND x BETWEEN %(kept_x0)s AND %(kept_x1)s AND y BETWEEN %(kept_y0)s AND %(kept_y1)s
UNION ALL
SELECT
    x >> %(cell_finest)s AS x, y >> %(cell_finest)s AS y, n, sum_x, sum_y, kind_1, kind_2
FROM cell_deltas
WHERE
    layer = %(tile_layer)s
    AND x BETWEEN %(delta_x0)s AND %(delta_x1)s AND y BETWEEN %(delta_y0)s AND %(delta_y1)s
"""
