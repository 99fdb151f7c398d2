"""Features of a layer, by page and one by one (OGC API Features Parts 1, 2 and 3)."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any
from zlib import crc32

from fastapi import APIRouter, Depends, Path, Query, Request
from psycopg import sql
from starlette.responses import JSONResponse, Response

from geo_service import downloads
from geo_service.access.principals import Asking
from geo_service.database import Database, Principal
from geo_service.ogc import crs, paging
from geo_service.ogc.crs import Reference
from geo_service.ogc.negotiation import (
    FEATURES,
    FILES,
    GEOJSON,
    Form,
    Formed,
    alternates,
    chosen,
    page,
)
from geo_service.ogc.parameters import Layered, Limited, address, refuse_unknown
from geo_service.ogc.selection import SELECTING, Selected, Selection
from geo_service.ogc.town import references
from geo_service.problems import Problem
from geo_service.waiting import unless_left
from layers import export
from layers.catalogue import Layer
from layers.export.projection import projection

MOST_COUNTED = 100_000
"""Features that are counted for each page; beyond, the planner's estimate is told, as such."""

router = APIRouter(prefix="/ogc", tags=["OGC API Features"])


@dataclass(frozen=True, slots=True)
class Shown:
    """How features are to be shown: in which CRS, and which of their properties."""

    reference: Reference
    properties: tuple[str, ...]
    whole: bool = True


async def shown(
    request: Request,
    layer: Layered,
    crs_: Annotated[
        str | None, Query(alias="crs", description="CRS of the coordinates, by URI")
    ] = None,
    properties: Annotated[
        str | None, Query(description="Properties to give, with commas between them; unset: all")
    ] = None,
) -> Shown:
    """Return how features are to be shown; raise Problem 400 for what is not there."""
    reference = crs.WGS84
    if crs_ is not None:
        reference = crs.chosen(crs_, await references(request), "crs")
    names = (*(field.name for field in layer.fields), "attributes")
    if properties is None:
        return Shown(reference, names)
    wanted = [name.strip() for name in properties.split(",") if name.strip()]
    if unknown := [name for name in wanted if name not in names]:
        raise Problem(
            400,
            f"没有字段“{unknown[0][:40]}”，可用：{', '.join(names)}。",
            f"There is no property {unknown[0][:40]!r}; there are: {', '.join(names)}.",
        )
    return Shown(reference, tuple(name for name in names if name in wanted), whole=False)


As = Annotated[Shown, Depends(shown)]


@router.get(
    "/collections/{collection}/items",
    summary="Features of a layer",
    responses={200: {"content": {GEOJSON: {}, **{form.media_type: {} for form in FILES}}}},
)
async def items(  # noqa: PLR0917
    request: Request,
    asking: Asking,
    layer: Layered,
    form: Formed,
    selected: Selection,
    how: As,
    limit: Limited,
    sortby: Annotated[
        str | None, Query(description="Columns to sort by, each with + or - before it")
    ] = None,
    after: Annotated[str | None, Query(description="Continue after this place")] = None,
) -> Response:
    """Return a page of features; any field of the layer may filter by equality.

    Formats other than GeoJSON and HTML hold every feature that is asked for, without pages.
    """
    names = {field.name for field in layer.fields}
    refuse_unknown(
        request, names | SELECTING | {"limit", "after", "f", "crs", "properties", "sortby"}
    )
    if form.suffix:
        return await downloads.send(request, asking, _file(layer, selected, how, form))
    keys = paging.sort_keys(layer, sortby)
    beyond, more_values = paging.after(keys, after)
    query = sql.SQL(_PAGE).format(
        table=sql.Identifier(layer.table),
        feature=_feature(how),
        keys=sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(sql.Identifier(key.name), sql.Identifier(f"key{number}"))
            for number, key in enumerate(keys)
        ),
        where=selected.where,
        beyond=beyond,
        order=paging.order(keys),
        most=sql.Literal(MOST_COUNTED),
    )
    values = {**selected.values, **more_values, "limit": limit + 1}
    rows = await unless_left(request, _rows(request.app.state.database, asking, query, values))
    matched = rows[0][0]
    found = [row[1:] for row in rows if row[1] is not None]
    head: dict[str, Any] = {"type": "FeatureCollection"}
    if matched < MOST_COUNTED:
        head["numberMatched"] = matched
    else:
        head["estimatedNumberMatched"] = await _estimate(
            request.app.state.database, asking, layer, selected
        )
    head["numberReturned"] = min(limit, len(found))
    given = {name: value for name, value in request.query_params.items() if name != "after"}
    path = f"/ogc/collections/{layer.id}/items"
    head["links"] = [
        {
            "href": address(request, path, **dict(request.query_params)),
            "rel": "self",
            "type": form.media_type,
        },
        *alternates(request, path, form, FEATURES, **given),
        {
            "href": address(request, f"/ogc/collections/{layer.id}"),
            "rel": "collection",
            "type": "application/json",
        },
    ]
    if len(found) > limit:
        found = found[:limit]
        token = paging.token(found[-1][1:])
        head["links"].append(
            {
                "href": address(request, path, **given, after=token),
                "rel": "next",
                "type": form.media_type,
            }
        )
    if form.html:
        head["features"] = [json.loads(row[0]) for row in found]
        return page(request, head, f"{layer.title.zh} · {layer.title.en}")
    # The database wrote the features as JSON; reading and writing them again would cost more.
    body = bytes(JSONResponse(head).body)[:-1] + b',"features":['
    body += b",".join(row[0].encode() for row in found) + b"]}"
    return Response(body, media_type=GEOJSON, headers=_crs_header(how))


@router.get(
    "/collections/{collection}/items/{feature}",
    summary="One feature",
    responses={200: {"content": {GEOJSON: {}, "text/html": {}}}},
)
async def item(  # noqa: PLR0917
    request: Request,
    asking: Asking,
    layer: Layered,
    feature: Annotated[int, Path(ge=0, lt=2**63)],
    how: As,
    f: Annotated[str | None, Query(description="Form of the answer: json or html")] = None,
) -> Response:
    """Return one feature, with a strong ETag that names its state."""
    refuse_unknown(request, {"f", "crs", "properties"})
    form = chosen(request, f, FEATURES[:2])
    query = sql.SQL("SELECT {}, xmin::text FROM {} AS t WHERE id = %(id)s").format(
        _feature(how), sql.Identifier(layer.table)
    )
    database: Database = request.app.state.database
    async with database.reading(asking) as connection:
        cursor = await connection.execute(query, {"id": feature})
        row = await cursor.fetchone()
    if row is None:
        raise Problem(
            404,
            f"图层“{layer.title.zh}”中没有编号 {feature}。",
            f"{layer.id} has no item {feature}.",
        )
    path = f"/ogc/collections/{layer.id}/items/{feature}"
    links = [
        {"href": address(request, path), "rel": "self", "type": GEOJSON},
        *alternates(request, path, form, FEATURES[:2]),
        {
            "href": address(request, f"/ogc/collections/{layer.id}"),
            "rel": "collection",
            "type": "application/json",
        },
    ]
    if form.html:
        content = json.loads(row[0]) | {"links": links}
        return page(request, content, f"{layer.title.zh} · {feature}")
    tail = bytes(JSONResponse({"links": links}).body)[1:]
    body = row[0].encode()[:-1] + b"," + tail
    headers = _crs_header(how) | {"ETag": etag(row[1], how), "Cache-Control": "private, no-cache"}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=GEOJSON, headers=headers)


def _file(layer: Layer, selected: Selected, how: Shown, form: Form) -> downloads.Asked:
    """Return what a file is to hold; raise Problem 400 for what files do not take."""
    srid = how.reference.srid
    if not how.whole or (form.suffix == ".geojsonl" and how.reference.uri != crs.CRS84):
        raise Problem(
            400,
            f"格式 {form.name} 包含全部字段；GeoJSON 的坐标为 CRS84。",
            f"The form {form.name} holds all properties, and GeoJSON is in CRS84.",
        )
    assert form.suffix  # noqa: S101 - a form without one is no file
    chosen_rows = export.Selection(selected.where, selected.values)
    return downloads.Asked(layer, form.suffix, chosen_rows, projection(f"EPSG:{srid}"))


def etag(state: str, how: Shown | None = None) -> str:
    """Return the strong ETag of a feature: its state, and how it is shown.

    The state is the number of the transaction that wrote it. What comes after the dot tells
    representations of one state apart; a condition on writing looks at the state alone.
    """
    whole = how is None or (how.reference.uri == crs.CRS84 and how.whole)
    shown_as = "" if whole else crc32(repr(how).encode())
    return f'"{state}.{shown_as}"'


def _crs_header(how: Shown) -> dict[str, str]:
    return {"Content-Crs": f"<{how.reference.uri}>"}


@cache
def _feature(how: Shown) -> sql.Composed:
    """Return the SQL of a feature of the table t as GeoJSON text; its names are the catalogue's.

    Put together as text: building JSON of the geometry would parse it again.
    """
    columns = sql.SQL(", ").join(sql.Identifier("t", name) for name in how.properties)
    return sql.SQL(_FEATURE).format(
        shape=how.reference.expression(),
        digits=sql.Literal(how.reference.digits),
        properties=sql.SQL("SELECT {}").format(columns) if how.properties else sql.SQL("SELECT"),
    )


async def _rows(
    database: Database, asking: Principal, query: sql.Composed, values: dict[str, Any]
) -> list[tuple[Any, ...]]:
    async with database.reading(asking) as connection:
        cursor = await connection.execute(query, values)
        return await cursor.fetchall()


async def _estimate(database: Database, asking: Principal, layer: Layer, selected: Selected) -> int:
    """Return how many features the planner expects."""
    query = sql.SQL("EXPLAIN (FORMAT JSON) SELECT FROM {} WHERE {}").format(
        sql.Identifier(layer.table), selected.where
    )
    rows = await _rows(database, asking, query, selected.values)
    return int(rows[0][0][0]["Plan"]["Plan Rows"])


_FEATURE = """
'{{"type":"Feature","id":' || t.id
|| ',"geometry":' || coalesce(st_asgeojson({shape}, {digits}, 0), 'null')
|| ',"properties":' || (SELECT row_to_json(_row)::text FROM ({properties}) AS _row) || '}}'
"""

# One statement, so that the count and the page are of the same moment.
_PAGE = """
SELECT counted.matched, page.*
FROM (
    SELECT count(*) AS matched FROM (SELECT FROM {table} WHERE {where} LIMIT {most}) AS counted_rows
) AS counted
LEFT JOIN (
    SELECT {feature} AS feature, {keys}
    FROM {table} AS t
    WHERE {where} AND {beyond}
    ORDER BY {order}
    LIMIT %(limit)s
) AS page ON true
"""
