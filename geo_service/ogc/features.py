"""OGC API Features, Part 1: Core (OGC 17-069r4), with GeoJSON."""

from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from psycopg import sql
from starlette.responses import JSONResponse, Response

from geo_service.access.principals import Asking
from geo_service.database import Database, Principal
from geo_service.ogc.parameters import (
    Box,
    Boxed,
    Interval,
    Layered,
    Limited,
    Timed,
    address,
    refuse_unknown,
)
from geo_service.problems import Problem
from layers.catalogue import CATALOGUE, Layer

GEOJSON = "application/geo+json"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
_CONFORMANCE = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/mvt",
)

router = APIRouter(prefix="/ogc", tags=["OGC API Features"])


def _link(request: Request, path: str, rel: str, type_: str, title: str) -> dict[str, str]:
    return {"href": address(request, path), "rel": rel, "type": type_, "title": title}


@router.get("", summary="Landing page")
@router.get("/", include_in_schema=False)
async def landing(request: Request, _: Asking) -> dict[str, Any]:
    """Return where everything is."""
    json = "application/json"
    return {
        "title": "Geo Service",
        "description": "乡镇网格化治理图层 · Layers of a township",
        "links": [
            _link(request, "/ogc", "self", json, "This document"),
            _link(request, "/ogc/conformance", "conformance", json, "Conformance classes"),
            _link(request, "/ogc/collections", "data", json, "Layers"),
            _link(
                request,
                "/openapi.json",
                "service-desc",
                "application/vnd.oai.openapi+json;version=3.1",
                "OpenAPI document",
            ),
            _link(request, "/docs", "service-doc", "text/html", "Documentation"),
        ],
    }


@router.get("/conformance", summary="Conformance classes")
async def conformance(_: Asking) -> dict[str, Any]:
    """Return the classes of the standards that are followed."""
    return {"conformsTo": list(_CONFORMANCE)}


@router.get("/collections", summary="Layers")
async def collections(request: Request, asking: Asking) -> dict[str, Any]:
    """Return every layer."""
    database: Database = request.app.state.database
    found = []
    for layer in CATALOGUE.values():
        found.append(await _collection(request, database, asking, layer))  # noqa: PERF401
    return {
        "links": [_link(request, "/ogc/collections", "self", "application/json", "This document")],
        "collections": found,
    }


@router.get("/collections/{collection}", summary="One layer")
async def collection(request: Request, asking: Asking, layer: Layered) -> dict[str, Any]:
    """Return one layer's description."""
    return await _collection(request, request.app.state.database, asking, layer)


async def _collection(
    request: Request, database: Database, asking: Principal, layer: Layer
) -> dict[str, Any]:
    async with database.reading(asking) as connection:
        cursor = await connection.execute(_extent_query(layer))
        row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - an aggregate always has a row
    extent: dict[str, Any] = {}
    if row[0] is not None:
        extent["spatial"] = {"bbox": [list(row[:4])], "crs": CRS84}
    if layer.time:
        times = [row[4]["first"], row[4]["last"]]
        extent["temporal"] = {"interval": [times], "trs": GREGORIAN}
    path = f"/ogc/collections/{layer.id}"
    return {
        "id": layer.id,
        "title": f"{layer.title.zh} · {layer.title.en}",
        "description": f"{layer.description.zh} · {layer.description.en}",
        "itemType": "feature",
        "crs": [CRS84],
        "storageCrs": CRS84,
        "extent": extent,
        "links": [
            _link(request, path, "self", "application/json", "This document"),
            _link(request, f"{path}/items", "items", GEOJSON, layer.title.en),
            _link(
                request,
                f"{path}/tiles",
                "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector",
                "application/json",
                "Vector tiles",
            ),
        ],
    }


@router.get("/collections/{collection}/items", summary="Features of a layer")
async def items(  # noqa: PLR0917
    request: Request,
    asking: Asking,
    layer: Layered,
    limit: Limited,
    box: Boxed,
    time: Timed,
    after: Annotated[int, Query(description="Continue after this id", ge=0)] = 0,
) -> Response:
    """Return a page of features, by ascending id; any field of the layer may filter by equality."""
    names = {field.name for field in layer.fields}
    refuse_unknown(request, names | {"limit", "bbox", "datetime", "after", "f"})
    equal = {n: v for n, v in request.query_params.items() if n in names}
    where, values = _where(layer, box, time, equal)
    database: Database = request.app.state.database
    async with database.reading(asking) as connection, connection.transaction():
        # One snapshot, so that the count and the page are of the same moment.
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        counting = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(
            sql.Identifier(layer.table), where
        )
        cursor = await connection.execute(counting, values)
        row = await cursor.fetchone()
        matched = row[0] if row else 0
        page = sql.SQL("{} WHERE {} AND id > %(after)s ORDER BY id LIMIT %(limit)s").format(
            _select(layer), where
        )
        cursor = await connection.execute(page, {**values, "after": after, "limit": limit + 1})
        rows = await cursor.fetchall()
    more = len(rows) > limit
    rows = rows[:limit]
    given = dict(request.query_params)
    path = f"/ogc/collections/{layer.id}/items"
    links = [
        {"href": address(request, path, **given), "rel": "self", "type": GEOJSON},
        _link(request, f"/ogc/collections/{layer.id}", "collection", "application/json", layer.id),
    ]
    if more:
        given["after"] = str(rows[-1][0])
        links.append({"href": address(request, path, **given), "rel": "next", "type": GEOJSON})
    head = JSONResponse(
        {"type": "FeatureCollection", "numberMatched": matched, "numberReturned": len(rows),
         "links": links}
    ).body  # fmt: skip
    # The database wrote the features as JSON; reading and writing them again would cost more.
    body = bytes(head)[:-1] + b',"features":[' + b",".join(row[1].encode() for row in rows) + b"]}"
    return Response(body, media_type=GEOJSON)


@router.get("/collections/{collection}/items/{feature}", summary="One feature")
async def item(
    request: Request, asking: Asking, layer: Layered, feature: Annotated[int, Path(ge=0, lt=2**63)]
) -> Response:
    """Return one feature."""
    database: Database = request.app.state.database
    query = sql.SQL("{} WHERE id = %s").format(_select(layer))
    async with database.reading(asking) as connection:
        cursor = await connection.execute(query, [feature])
        row = await cursor.fetchone()
    if row is None:
        raise Problem(
            404,
            f"图层“{layer.title.zh}”中没有编号 {feature}。",
            f"{layer.id} has no item {feature}.",
        )
    links = [
        {"href": address(request, f"/ogc/collections/{layer.id}/items/{feature}"),
         "rel": "self", "type": GEOJSON},
        _link(request, f"/ogc/collections/{layer.id}", "collection", "application/json", layer.id),
    ]  # fmt: skip
    tail = bytes(JSONResponse({"links": links}).body)[1:]
    return Response(row[1].encode()[:-1] + b"," + tail, media_type=GEOJSON)


@cache
def _select(layer: Layer) -> sql.Composed:
    """Compose the SELECT of (id, GeoJSON feature); all of its text is the catalogue's."""
    properties = sql.SQL(", ").join(
        sql.SQL("{}, {}").format(sql.Literal(field.name), sql.Identifier(field.name))
        for field in layer.fields
    )
    return sql.SQL(
        "SELECT id, json_build_object('type', 'Feature', 'id', id,"
        " 'geometry', st_asgeojson(geom, 8)::json,"
        " 'properties', json_build_object({properties}, 'attributes', attributes))::text"
        " FROM {table}"
    ).format(properties=properties, table=sql.Identifier(layer.table))


@cache
def _extent_query(layer: Layer) -> sql.Composed:
    times = (
        sql.SQL(", min({0}) AS first, max({0}) AS last").format(sql.Identifier(layer.time))
        if layer.time
        else sql.SQL("")
    )
    return sql.SQL(
        "SELECT st_xmin(e), st_ymin(e), st_xmax(e), st_ymax(e), to_jsonb(t) - 'e'"
        " FROM (SELECT st_extent(geom) AS e{times} FROM {table} WHERE {current}) AS t"
    ).format(times=times, table=sql.Identifier(layer.table), current=in_force(layer))


def in_force(layer: Layer) -> sql.SQL:
    """Return the condition that leaves out past versions."""
    return sql.SQL("valid_to IS NULL") if layer.versioned else sql.SQL("true")


def _where(
    layer: Layer, box: Box | None, time: Interval | None, equal: dict[str, str]
) -> tuple[sql.Composed, dict[str, Any]]:
    conditions: list[sql.Composable] = [in_force(layer)]
    values: dict[str, Any] = {}
    if box:
        west, south, east, north = box
        boxes = [(west, south, east, north)]
        if west > east:  # across the antimeridian
            boxes = [(west, south, 180.0, north), (-180.0, south, east, north)]
        parts = []
        for number, corners in enumerate(boxes):
            values |= {f"box{number}{i}": corner for i, corner in enumerate(corners)}
            parts.append(
                sql.SQL("st_intersects(geom, st_makeenvelope({}, 4326))").format(
                    sql.SQL(", ").join(sql.Placeholder(f"box{number}{i}") for i in range(4))
                )
            )
        conditions.append(sql.SQL("({})").format(sql.SQL(" OR ").join(parts)))
    if time and layer.time:
        column = sql.Identifier(layer.time)
        if time.start:
            conditions.append(sql.SQL("{} >= %(start)s").format(column))
            values["start"] = time.start
        if time.end:
            conditions.append(sql.SQL("{} <= %(end)s").format(column))
            values["end"] = time.end
    for name, value in equal.items():
        kind = layer.field(name).kind
        column = sql.Identifier(name)
        text = sql.SQL("{} = {}") if kind == "text" else sql.SQL("{}::text = {}")
        conditions.append(text.format(column, sql.Placeholder(f"field_{name}")))
        values[f"field_{name}"] = value
    return sql.SQL(" AND ").join(conditions), values
