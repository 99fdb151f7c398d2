"""What tiles there are: tile sets and their matrices (OGC API Tiles Part 1), and TileJSON 3.0."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from psycopg import sql

from geo_service.access.principals import Asking
from geo_service.database import Database, Principal
from geo_service.ogc import tile_queries
from geo_service.ogc.matrix_sets import MATRIX_SETS, WEB_MERCATOR_QUAD, MatrixSet
from geo_service.ogc.parameters import Layered, address
from geo_service.ogc.tiles import MVT, Matrixed, chosen_layers
from geo_service.problems import Problem
from layers.catalogue import Layer

_WORLD = (-180.0, -85.0511, 180.0, 85.0511)
_TILING = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
TILEJSON = "application/vnd.mapbox.tile+json"

router = APIRouter(prefix="/ogc", tags=["OGC API Tiles"])
Named = Annotated[
    str | None, Query(description="Layers to hold, with commas between them; unset: all")
]


@router.get("/tileMatrixSets", summary="Tile matrix sets")
async def matrix_sets(request: Request, _: Asking) -> dict[str, Any]:
    """Return the ways that the world is cut into tiles."""
    return {
        "tileMatrixSets": [
            {
                "id": each.id,
                "title": each.title,
                **({"uri": each.uri} if each.uri else {}),
                "crs": each.crs,
                "links": [_link(request, f"/ogc/tileMatrixSets/{each.id}", "self")],
            }
            for each in MATRIX_SETS.values()
        ]
    }


@router.get("/tileMatrixSets/{tms}", summary="A tile matrix set")
async def matrix_set(_: Asking, matrix: Matrixed) -> dict[str, Any]:
    """Return a tile matrix set's definition (OGC 17-083r4)."""
    return matrix.definition()


@router.get("/tiles", summary="Tile sets of all layers in one")
async def combined_tilesets(request: Request, _: Asking) -> dict[str, Any]:
    """Return the tile sets that hold every layer."""
    return {
        "links": [_link(request, "/ogc/tiles", "self")],
        "tilesets": [_brief(request, "/ogc/tiles", "全部图层 · All layers", m) for m in _ALL],
    }


@router.get("/tiles/{tms}", summary="Tile set of all layers in one")
async def combined_tileset(request: Request, asking: Asking, matrix: Matrixed) -> dict[str, Any]:
    """Return the description of the tile set that holds every layer."""
    return await _tileset(
        request, asking, "/ogc/tiles", "全部图层 · All layers", matrix, chosen_layers(None)
    )


@router.get("/tiles/{tms}/tilejson", summary="TileJSON of all layers in one")
async def combined_tilejson(
    request: Request, asking: Asking, matrix: Matrixed, collections: Named = None
) -> dict[str, Any]:
    """Return TileJSON 3.0 of the tiles that hold several layers; only for WebMercatorQuad."""
    query = {"collections": collections} if collections is not None else {}
    return await _tilejson(
        request, asking, "/ogc/tiles", "全部图层 · All layers", matrix,
        chosen_layers(collections), query,
    )  # fmt: skip


@router.get("/collections/{collection}/tiles", summary="Tile sets of a layer")
async def tilesets(request: Request, _: Asking, layer: Layered) -> dict[str, Any]:
    """Return the tile sets of a layer."""
    path = f"/ogc/collections/{layer.id}/tiles"
    return {
        "links": [_link(request, path, "self")],
        "tilesets": [_brief(request, path, _title(layer), matrix) for matrix in _ALL],
    }


@router.get("/collections/{collection}/tiles/{tms}", summary="Tile set of a layer")
async def tileset(
    request: Request, asking: Asking, layer: Layered, matrix: Matrixed
) -> dict[str, Any]:
    """Return the tile set's description, with the template of its tiles."""
    path = f"/ogc/collections/{layer.id}/tiles"
    return await _tileset(request, asking, path, _title(layer), matrix, [layer])


@router.get("/collections/{collection}/tiles/{tms}/tilejson", summary="TileJSON of a layer")
async def tilejson(
    request: Request, asking: Asking, layer: Layered, matrix: Matrixed
) -> dict[str, Any]:
    """Return TileJSON 3.0 of a layer's tiles; only for WebMercatorQuad, which it knows alone."""
    path = f"/ogc/collections/{layer.id}/tiles"
    return await _tilejson(request, asking, path, _title(layer), matrix, [layer], {})


_ALL = tuple(MATRIX_SETS.values())


def _title(layer: Layer) -> str:
    return f"{layer.title.zh} · {layer.title.en}"


def _link(
    request: Request, path: str, rel: str, type_: str = "application/json", *, template: str = ""
) -> dict[str, Any]:
    link: dict[str, Any] = {"href": address(request, path) + template, "rel": rel, "type": type_}
    return link | {"templated": True} if template else link


def _brief(request: Request, path: str, title: str, matrix: MatrixSet) -> dict[str, Any]:
    return {
        "title": title,
        "dataType": "vector",
        "crs": matrix.crs,
        **({"tileMatrixSetURI": matrix.uri} if matrix.uri else {}),
        "links": [
            _link(request, f"{path}/{matrix.id}", "self"),
            _link(request, f"/ogc/tileMatrixSets/{matrix.id}", _TILING),
            _link(
                request, f"{path}/{matrix.id}", "item", MVT,
                template="/{tileMatrix}/{tileRow}/{tileCol}",
            ),
        ],
    }  # fmt: skip


async def _tileset(  # noqa: PLR0917
    request: Request, asking: Principal, path: str, title: str, matrix: MatrixSet,
    layers: list[Layer],
) -> dict[str, Any]:  # fmt: skip
    content = _brief(request, path, title, matrix)
    if matrix is WEB_MERCATOR_QUAD:
        content["links"].append(
            _link(request, f"{path}/{matrix.id}/tilejson", "describedby", TILEJSON)
        )
    style = "all" if path == "/ogc/tiles" else layers[0].id
    content["links"].append(
        _link(request, f"/ogc/styles/{style}", "style", "application/vnd.mapbox.style+json")
    )
    west, south, east, north = await extent(request.app.state.database, asking, layers)
    content["boundingBox"] = {
        "lowerLeft": [west, south],
        "upperRight": [east, north],
        "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
    }
    content["layers"] = [
        {
            "id": layer.id,
            "title": _title(layer),
            "dataType": "vector",
            "geometryDimension": _DIMENSIONS.get(layer.geometry.removeprefix("MULTI"), 2),
            "minTileMatrix": "0",
            "maxTileMatrix": str(matrix.deepest),
        }
        for layer in layers
    ]
    return content


_DIMENSIONS = {"POINT": 0, "LINESTRING": 1}


async def _tilejson(  # noqa: PLR0917
    request: Request, asking: Principal, path: str, title: str, matrix: MatrixSet,
    layers: list[Layer], query: dict[str, str],
) -> dict[str, Any]:  # fmt: skip
    _refuse_degrees(matrix)
    box = await extent(request.app.state.database, asking, layers)
    template = address(request, f"{path}/{matrix.id}") + "/{z}/{y}/{x}"
    if query:
        template += address(request, "", **query).removeprefix(address(request, ""))
    return {
        "tilejson": "3.0.0",
        "name": title,
        "scheme": "xyz",
        "tiles": [template],
        "minzoom": 0,
        "maxzoom": matrix.deepest,
        "bounds": list(box),
        "center": [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, 13],
        "vector_layers": [
            {
                "id": layer.id,
                "description": f"{layer.description.zh} · {layer.description.en}",
                "minzoom": 0,
                "maxzoom": matrix.deepest,
                "fields": _fields(layer),
            }
            for layer in layers
        ],
    }


def _refuse_degrees(matrix: MatrixSet) -> None:
    if matrix is not WEB_MERCATOR_QUAD:
        raise Problem(
            404,
            f"TileJSON 只描述 WebMercatorQuad；{matrix.id} 见切片集说明。",
            f"TileJSON knows WebMercatorQuad alone; for {matrix.id} see its tile set.",
        )


def _fields(layer: Layer) -> dict[str, str]:
    fields = {name: _described(layer, name) for name in tile_queries.columns(layer)}
    if layer.geometry == "POINT":
        fields["count"] = f"数量 · Count, below zoom {WEB_MERCATOR_QUAD.aggregate_below}"
        fields |= dict.fromkeys(tile_queries.counters(layer), "数量 · Count")
    return fields


def _described(layer: Layer, name: str) -> str:
    field = layer.field(name)
    return f"{field.title.zh} · {field.title.en}"


async def extent(
    database: Database, asking: Principal, layers: list[Layer]
) -> tuple[float, float, float, float]:
    """Return the box in degrees of what the asker may see of layers, else the world."""
    boxes = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT st_extent(geom)::geometry AS box FROM {}").format(
            sql.Identifier(layer.table)
        )
        for layer in layers
    )
    query = sql.SQL(
        "SELECT st_xmin(e), st_ymin(e), st_xmax(e), st_ymax(e)"
        " FROM (SELECT st_extent(box) AS e FROM ({}) AS boxes) AS whole"
    ).format(boxes)
    async with database.reading(asking) as connection:
        row = await (await connection.execute(query)).fetchone()
    if row is None or row[0] is None:
        return _WORLD
    return row[0], row[1], row[2], row[3]
