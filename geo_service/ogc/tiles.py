"""OGC API Tiles, Part 1 (OGC 20-057): Mapbox vector tiles of every layer in WebMercatorQuad."""

from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from psycopg import sql
from starlette.responses import Response

from geo_service.access.principals import Asking
from geo_service.database import Database, Principal
from geo_service.ogc.parameters import Layered, Timed, address
from geo_service.ogc.selection import in_force
from geo_service.ogc.tile_cache import EXTENT, POINT_BUFFER, Key, Tile, TileCache, bounds
from geo_service.problems import Problem
from geo_service.waiting import unless_left
from layers.catalogue import Layer

MVT = "application/vnd.mapbox-vector-tile"
MATRIX_SET = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
DEEPEST = 22
AGGREGATE_BELOW = 14  # point layers carry counts instead of points at lower zooms
BUFFER = 64
CELLS = 8  # aggregation cells along a tile's edge

router = APIRouter(prefix="/ogc", tags=["OGC API Tiles"])


@router.get("/collections/{collection}/tiles", summary="Tile sets of a layer")
async def tilesets(request: Request, _: Asking, layer: Layered) -> dict[str, Any]:
    """Return the tile sets of a layer: one, in WebMercatorQuad."""
    return {"tilesets": [_tileset(request, layer)]}


@router.get("/collections/{collection}/tiles/WebMercatorQuad", summary="Tile set of a layer")
async def tileset(request: Request, _: Asking, layer: Layered) -> dict[str, Any]:
    """Return the tile set's description, with the template of its tiles."""
    return _tileset(request, layer)


def _tileset(request: Request, layer: Layer) -> dict[str, Any]:
    path = f"/ogc/collections/{layer.id}/tiles/WebMercatorQuad"
    return {
        "title": f"{layer.title.zh} · {layer.title.en}",
        "dataType": "vector",
        "crs": "http://www.opengis.net/def/crs/EPSG/0/3857",
        "tileMatrixSetURI": MATRIX_SET,
        "links": [
            {"href": address(request, path), "rel": "self", "type": "application/json"},
            {
                "href": address(request, path) + "/{tileMatrix}/{tileRow}/{tileCol}",
                "rel": "item",
                "type": MVT,
                "templated": True,
            },
        ],
    }


@router.get(
    "/collections/{collection}/tiles/WebMercatorQuad/{z}/{row}/{col}",
    summary="A vector tile",
    responses={200: {"content": {MVT: {}}}, 204: {"description": "Nothing lies here"}},
)
async def tile(  # noqa: PLR0917
    request: Request,
    asking: Asking,
    layer: Layered,
    z: Annotated[int, Path(description="Tile matrix: zoom level, 0 to 22")],
    row: Annotated[int, Path(description="Tile row, from the north")],
    col: Annotated[int, Path(description="Tile column, from the west")],
    time: Timed,
) -> Response:
    """Return a tile. Point layers carry counts by cell below zoom 14: nothing is left out."""
    if not 0 <= z <= DEEPEST or not 0 <= row < 2**z or not 0 <= col < 2**z:
        raise Problem(
            404, f"瓦片 {z}/{row}/{col} 超出范围。", f"Tile {z}/{row}/{col} is out of range."
        )
    start = time.start if time and layer.time else None
    end = time.end if time and layer.time else None
    key = Key(layer.id, z, col, row, asking.area, str(start or ""), str(end or ""))
    tiles: TileCache = request.app.state.tiles
    found = await unless_left(
        request,
        tiles.tile(
            key,
            (request.scope["path"], request.scope["query_string"], asking.area),
            lambda: _make(
                request.app.state.database, asking, layer, key, {"start": start, "end": end}
            ),
        ),
    )
    status, headers, body = answer(found, request.headers.get("if-none-match", ""))
    return Response(body, status, headers)


def answer(tile: Tile, if_none_match: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body for a tile.

    Browsers keep it and ask again each time: a change shows at once, the rest is a 304.
    """
    headers = {
        "etag": tile.etag,
        "cache-control": "private, no-cache",
        "vary": "Cookie, Authorization",
    }
    if if_none_match == "*" or tile.etag in if_none_match:
        return 304, headers, b""
    if not tile.body:
        return 204, headers, b""
    return 200, headers | {"content-type": MVT}, tile.body


async def _make(
    database: Database, asking: Principal, layer: Layer, key: Key, times: dict[str, Any]
) -> bytes:
    west, south, east, north = bounds(key.z, key.x, key.y)
    aggregate = layer.geometry == "POINT" and key.z < AGGREGATE_BELOW
    margin = (east - west) * (POINT_BUFFER if layer.geometry == "POINT" else BUFFER) / EXTENT
    values = {
        "west": west, "south": south, "east": east, "north": north,
        "margin": margin, "cell": (east - west) / CELLS, "layer": layer.id, **times,
    }  # fmt: skip
    query = _query(layer, aggregate, times["start"] is not None, times["end"] is not None)
    async with database.reading(asking) as connection, connection.cursor(binary=True) as cursor:
        await cursor.execute(query, values)
        row = await cursor.fetchone()
    return bytes(row[0]) if row and row[0] else b""


@cache
def _query(layer: Layer, aggregate: bool, start: bool, end: bool) -> bytes:
    """Return the text of a layer's tile query: constant, so that it stays prepared."""
    conditions: list[sql.Composable] = [in_force(layer)]
    if layer.time and start:
        conditions.append(sql.SQL("{} >= %(start)s").format(sql.Identifier(layer.time)))
    if layer.time and end:
        conditions.append(sql.SQL("{} <= %(end)s").format(sql.Identifier(layer.time)))
    template = _AGGREGATE if aggregate else _POINTS if layer.geometry == "POINT" else _SHAPES
    return (
        sql.SQL(template)
        .format(
            table=sql.Identifier(layer.table),
            where=sql.SQL(" AND ").join(conditions),
            columns=sql.SQL("").join(
                sql.SQL(", {}").format(sql.Identifier(name)) for name in _columns(layer)
            ),
            by=sql.Identifier(layer.style.by or "code"),
            counts=sql.SQL("").join(_counts(layer)),
            extent=sql.Literal(EXTENT),
            buffer=sql.Literal(POINT_BUFFER if layer.geometry == "POINT" else BUFFER),
        )
        .as_bytes(None)
    )


def _columns(layer: Layer) -> list[str]:
    """Return the columns that a tile carries: what drawing and picking need, no more."""
    wanted = ["code", layer.label, layer.style.by, *layer.style.needs]
    return list(dict.fromkeys(name for name in wanted if name))


def _counts(layer: Layer) -> list[sql.Composed]:
    if not layer.style.by:
        return []
    codes = layer.field(layer.style.by).codes or ()
    return [
        sql.SQL(", nullif(count(*) FILTER (WHERE by = {}), 0)::integer AS {}").format(
            sql.Literal(code.code), sql.Identifier(f"n_{code.code}")
        )
        for code in codes
    ]


# The tile's box is a subquery, so that a generic plan makes it once and not for every row.
_POINTS = """
SELECT st_asmvt(t, %(layer)s, {extent}, 'geom', 'id')
FROM (
    SELECT
        st_asmvtgeom(
            geom_3857,
            (SELECT st_makeenvelope(%(west)s, %(south)s, %(east)s, %(north)s, 3857)::box2d),
            {extent}, {buffer}, true
        ) AS geom,
        id{columns}
    FROM {table}
    WHERE
        geom_3857 && st_makeenvelope(
            %(west)s - %(margin)s, %(south)s - %(margin)s,
            %(east)s + %(margin)s, %(north)s + %(margin)s, 3857
        )
        AND {where}
) AS t
"""

# A shape smaller than the tile's own grid would vanish: it is drawn as a point instead.
_SHAPES = """
SELECT st_asmvt(t, %(layer)s, {extent}, 'geom', 'id')
FROM (
    SELECT
        coalesce(
            st_asmvtgeom(s.geom_3857, b.tile, {extent}, {buffer}, true),
            st_asmvtgeom(st_pointonsurface(s.geom_3857), b.tile, {extent}, {buffer}, true)
        ) AS geom,
        id{columns}
    FROM (
        SELECT
            st_makeenvelope(%(west)s, %(south)s, %(east)s, %(north)s, 3857) AS tile
    ) AS b
    CROSS JOIN {table} AS s
    WHERE
        s.geom_3857 && st_makeenvelope(
            %(west)s - %(margin)s, %(south)s - %(margin)s,
            %(east)s + %(margin)s, %(north)s + %(margin)s, 3857
        )
        AND {where}
) AS t
"""

# Cells lie within the tile, half open, so that each point is counted in one cell of one tile.
_AGGREGATE = """
SELECT st_asmvt(t, %(layer)s, {extent}, 'geom')
FROM (
    SELECT
        st_asmvtgeom(
            st_setsrid(st_makepoint(avg(x), avg(y)), 3857),
            st_makeenvelope(%(west)s, %(south)s, %(east)s, %(north)s, 3857), {extent}, 0, false
        ) AS geom,
        count(*)::integer AS count{counts}
    FROM (
        SELECT st_x(geom_3857) AS x, st_y(geom_3857) AS y, {by} AS by
        FROM {table}
        WHERE
            geom_3857 && st_makeenvelope(%(west)s, %(south)s, %(east)s, %(north)s, 3857)
            AND {where}
    ) AS p
    WHERE x >= %(west)s AND x < %(east)s AND y >= %(south)s AND y < %(north)s
    GROUP BY floor((x - %(west)s) / %(cell)s), floor((y - %(south)s) / %(cell)s)
) AS t
"""
