"""Changing one feature (OGC API Features Part 4, OGC 20-002r1): replace, update, delete.

Who changes a feature says which state of it they saw, by If-Match: nobody overwrites unseen work.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import shapely
from anyio import to_thread
from fastapi import APIRouter, Header, Path, Request
from psycopg import AsyncConnection, errors, sql
from psycopg.rows import TupleRow
from starlette.responses import Response

from geo_service.access.principals import Asking
from geo_service.database import Database, Principal
from geo_service.ogc import crs
from geo_service.ogc.bulk import body_of
from geo_service.ogc.items import etag
from geo_service.ogc.negotiation import GEOJSON
from geo_service.ogc.parameters import Layered, refuse_unknown
from geo_service.ogc.town import references
from geo_service.ogc.upserts import TYPES, said
from geo_service.problems import MEDIA_TYPE, Problem
from layers.catalogue import Layer
from layers.intake.items import Item, check, features
from layers.intake.report import Refusal

MERGE_PATCH = "application/merge-patch+json"
_PROBLEM: dict[str, Any] = {"content": {MEDIA_TYPE: {}}}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    204: {"description": "Done; ETag names the new state"},
    400: {"description": "The body is no GeoJSON feature", **_PROBLEM},
    403: {"description": "The role may not write here", **_PROBLEM},
    404: {"description": "There is no such feature", **_PROBLEM},
    409: {"description": "A rule of the layer stands against it", **_PROBLEM},
    412: {"description": "The feature has changed since", **_PROBLEM},
    413: {"description": "Too large", **_PROBLEM},
    415: {"description": "Not GeoJSON", **_PROBLEM},
    422: {"description": "A value breaks the rules of the layer", **_PROBLEM},
    428: {"description": "If-Match is missing", **_PROBLEM},
}
_WITHOUT_BODY = {k: v for k, v in _RESPONSES.items() if k not in {400, 413, 415, 422}}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "object"}}
            for kind in (GEOJSON, "application/json", MERGE_PATCH)
        },
    }
}

_KEPT = frozenset({"code", "version", "valid_from", "valid_to"})
"""What says which feature it is, and when it holds: the database's to say."""

router = APIRouter(prefix="/ogc", tags=["OGC API Features"])
_ITEM = "/collections/{collection}/items/{feature}"
Number = Annotated[int, Path(ge=0, lt=2**63)]
IfMatch = Annotated[str | None, Header(description="The ETag of the state that was seen")]
ContentCrs = Annotated[str | None, Header(description="CRS of the coordinates, <URI>")]


@router.put(_ITEM, summary="Replace a feature", status_code=204, responses=_RESPONSES,
            openapi_extra=_BODY)  # fmt: skip
async def replace(  # noqa: PLR0917
    request: Request,
    asking: Asking,
    layer: Layered,
    feature: Number,
    if_match: IfMatch = None,
    content_crs: ContentCrs = None,
) -> Response:
    """Replace a feature: what the body leaves out becomes empty, or what it is by default."""
    given = await _given(request, content_crs)
    return await _changed(request, asking, layer, feature, if_match, given, whole=True)


@router.patch(_ITEM, summary="Change a feature", status_code=204, responses=_RESPONSES,
              openapi_extra=_BODY)  # fmt: skip
async def update(  # noqa: PLR0917
    request: Request,
    asking: Asking,
    layer: Layered,
    feature: Number,
    if_match: IfMatch = None,
    content_crs: ContentCrs = None,
) -> Response:
    """Change what the body brings (a JSON merge patch, RFC 7396, of the feature)."""
    given = await _given(request, content_crs)
    return await _changed(request, asking, layer, feature, if_match, given, whole=False)


@router.delete(_ITEM, summary="Delete a feature", status_code=204, responses=_WITHOUT_BODY)
async def delete(
    request: Request,
    asking: Asking,
    layer: Layered,
    feature: Number,
    if_match: IfMatch = None,
) -> Response:
    """Delete a feature."""
    refuse_unknown(request, set())
    _may_write(asking, layer)
    if layer.versioned:
        raise _to_drafts(layer)
    database: Database = request.app.state.database
    query = sql.SQL("DELETE FROM {} WHERE id = %(id)s").format(sql.Identifier(layer.table))
    try:
        async with database.writing(asking) as connection:
            await _locked(connection, layer, feature, if_match)
            cursor = await connection.execute(query, {"id": feature})
            if not cursor.rowcount:
                raise _outside()
    except errors.IntegrityError as error:
        raise Problem(409, *said(error)) from None
    return Response(status_code=204)


async def _given(request: Request, content_crs: str | None) -> dict[str, Any]:
    """Read the body: a feature or a part of one, its geometry in EPSG:4326."""
    refuse_unknown(request, set())
    form = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if form not in (GEOJSON, "application/json", MERGE_PATCH):
        raise Problem(
            415,
            f"正文类型应为 {GEOJSON} 或 {MERGE_PATCH}。",
            f"The body must be {GEOJSON} or {MERGE_PATCH}.",
        )
    body = await body_of(request)
    try:
        found, _ = features(body.decode("utf-8-sig"), lines=False, part=True)
    except UnicodeDecodeError:
        raise Problem(400, "正文不是 UTF-8 编码。", "The body is not UTF-8.") from None
    except Refusal as refusal:
        raise Problem(400, *refusal.words) from None
    if len(found) != 1:
        raise Problem(400, "正文应为一个要素。", "The body must be one feature.")
    given: dict[str, Any] = found[0]
    if not isinstance(given.get("properties") or {}, dict):
        raise Problem(400, "properties 应为对象。", "properties must be an object.")
    if content_crs is not None:
        reference = crs.chosen(
            content_crs.strip().strip("<>"), await references(request), "Content-Crs"
        )
        to_wgs84, shape = reference.to_wgs84(), given.get("geometry")
        if to_wgs84 and isinstance(shape, shapely.Geometry):
            given["geometry"] = shapely.transform(shape, to_wgs84.transform, interleaved=False)
    return given


async def _changed(  # noqa: PLR0917 - what an endpoint has
    request: Request,
    asking: Principal,
    layer: Layer,
    feature: int,
    if_match: str | None,
    given: dict[str, Any],
    *,
    whole: bool,
) -> Response:
    _may_write(asking, layer)
    database: Database = request.app.state.database
    try:
        async with database.writing(asking) as connection:
            code, attributes, geometry, past = await _locked(connection, layer, feature, if_match)
            properties = dict(given.get("properties") or {})
            if str(properties.setdefault("code", code)) != code:
                raise Problem(
                    409,
                    "编码不能修改，请删除后新增。",
                    "A code does not change: delete, and create anew.",
                )
            if not whole and isinstance(properties.get("attributes"), dict):
                properties["attributes"] = _merged(attributes, properties["attributes"])
            item = await to_thread.run_sync(
                _item, layer, {**given, "type": "Feature", "properties": properties}
            )
            if layer.versioned and (past or (item.geometry and item.geometry != geometry)):
                raise _to_drafts(layer)
            if whole and item.geometry is None and not layer.model.__geometry_nullable__:
                raise Problem(422, "缺少几何。", "The geometry is missing.")
            query, values = _update(layer, item, whole=whole)
            cursor = await connection.execute(query, {**values, "id": feature})
            row = await cursor.fetchone()
            if row is None:
                raise _outside()
    except (errors.IntegrityError, errors.DataError, errors.RaiseException) as error:
        raise Problem(
            409 if isinstance(error, errors.IntegrityError) else 422, *said(error)
        ) from None
    except errors.InsufficientPrivilege:
        raise _outside() from None
    return Response(status_code=204, headers={"ETag": etag(row[0])})


def _merged(old: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes after a merge patch (RFC 7396): null removes."""
    merged = {**old, **patch}
    return {name: value for name, value in merged.items() if value is not None}


def _item(layer: Layer, feature: dict[str, Any]) -> Item:
    checked = check(layer, [feature])
    if checked.refused:
        raise Problem(422, *checked.refused[0])
    return checked.items[0]


async def _locked(
    connection: AsyncConnection[TupleRow], layer: Layer, feature: int, if_match: str | None
) -> tuple[str, dict[str, Any], str | None, bool]:
    """Lock a feature in the state that the client saw; return code, attributes, shape, past.

    Raises Problem 404, 428 or 412.
    """
    past = sql.SQL("valid_to IS NOT NULL" if layer.versioned else "false")
    query = sql.SQL("SELECT xmin::text, code, attributes, geom::text, {} FROM {} WHERE id = %s{}")
    table = sql.Identifier(layer.table)
    cursor = await connection.execute(query.format(past, table, sql.SQL("")), [feature])
    row = await cursor.fetchone()
    if row is None:
        raise Problem(
            404,
            f"图层“{layer.title.zh}”中没有编号 {feature}。",
            f"{layer.id} has no item {feature}.",
        )
    if if_match is None:
        raise Problem(
            428,
            "请用 If-Match 说明所见的版本（ETag）。",
            "Say with If-Match which state was seen: the ETag of the feature.",
        )
    cursor = await connection.execute(query.format(past, table, sql.SQL(" FOR UPDATE")), [feature])
    row = await cursor.fetchone()
    if row is None:
        raise _outside()
    states = {
        tag.strip().removeprefix("W/").strip('"').partition(".")[0] for tag in if_match.split(",")
    }
    if "*" not in states and row[0] not in states:
        raise Problem(
            412,
            "该要素已被他人修改，请刷新后重试。",
            "The feature has changed since: get it again.",
            {"ETag": etag(row[0])},
        )
    return row[1], row[2], row[3], row[4]


def _update(layer: Layer, item: Item, *, whole: bool) -> tuple[sql.Composed, dict[str, Any]]:
    """Compose the change of one feature; ``whole`` sets what is not brought to its default."""
    sets: list[sql.Composable] = []
    values: dict[str, Any] = {}
    for field in layer.fields:
        if field.derived or field.name in _KEPT:
            continue
        column = sql.Identifier(field.name)
        value = item.values.get(field.name)
        if value is not None or (field.name in item.values and not field.required):
            typed = sql.SQL("{} = {}::{}").format(
                column,
                sql.Placeholder(field.name),
                sql.SQL(TYPES[field.kind]),
            )
            sets.append(typed)
            values[field.name] = value
        elif whole:
            sets.append(sql.SQL("{} = DEFAULT").format(column))
    if item.geometry is not None:
        sets.append(sql.SQL("geom = %(geom)s::geometry"))
        values["geom"] = item.geometry
    if whole or item.attributes is not None:
        sets.append(sql.SQL("attributes = %(attributes)s::jsonb"))
        values["attributes"] = item.attributes or "{}"
    if not sets:
        sets.append(sql.SQL("code = code"))
    query = sql.SQL("UPDATE {} SET {} WHERE id = %(id)s RETURNING xmin::text").format(
        sql.Identifier(layer.table), sql.SQL(", ").join(sets)
    )
    return query, values


def _may_write(asking: Principal, layer: Layer) -> None:
    if asking.role not in layer.writers:
        raise Problem(
            403,
            f"您的角色不能写入图层“{layer.title.zh}”。",
            f"Your role may not write the layer {layer.id}.",
        )


def _outside() -> Problem:
    return Problem(
        403,
        "位置不在本账号的辖区内。",
        "The place lies outside the area of this account.",
    )


def _to_drafts(layer: Layer) -> Problem:
    return Problem(
        409,
        f"“{layer.title.zh}”的边界须在边界草案中修改（/api/drafts），以免破坏地图。",
        f"The boundaries of {layer.id} are changed in a draft (/api/drafts), which cannot break "
        "the map.",
    )
