"""What the pages ask for: the catalogue, search, counts, and the state of the town for the wall."""

from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from psycopg import sql
from starlette.responses import Response

from geo_service.access.principals import Asking
from geo_service.database import Database, Principal
from geo_service.ogc.parameters import Timed, layer
from geo_service.ogc.selection import in_force
from geo_service.ogc.tiles import AGGREGATE_BELOW
from geo_service.web.queries import COUNTS, SEARCH, TOWN, WALL
from layers.catalogue import CATALOGUE, Layer
from layers.codes import MADE_UP

router = APIRouter(prefix="/api", tags=["Pages"])


def account(principal: Principal) -> dict[str, Any]:
    """Return what a page shows of who is signed in."""
    return {
        "name": principal.name,
        "role": principal.role,
        "area": principal.area,
        "open": principal.open,
    }


@router.get("/catalogue", summary="Layers, their fields and styles, and the town")
async def catalogue(request: Request, asking: Asking) -> dict[str, Any]:
    """Return all that a page needs to draw the layers; a new layer needs no new page."""
    database: Database = request.app.state.database
    async with database.reading(asking) as connection:
        row = await (await connection.execute(TOWN)).fetchone()
        counts = {}
        for entry in CATALOGUE.values():
            cursor = await connection.execute(
                sql.SQL("SELECT count(*) FROM {} WHERE {}").format(
                    sql.Identifier(entry.table), in_force(entry)
                )
            )
            count = await cursor.fetchone()
            counts[entry.id] = count[0] if count else 0
    assert row is not None  # noqa: S101 - an aggregate always has a row
    name, code, *edges, now = row
    return {
        "town": {
            "name": {"zh": name or "未命名乡镇", "en": name or "Unnamed town"},
            "demo": bool(code and code.startswith(MADE_UP)),
            "bounds": None if edges[0] is None else edges,
        },
        "account": account(asking),
        "server_time": now.isoformat(),
        "layers": [
            _describe(entry, counts[entry.id]) | {"writable": asking.role in entry.writers}
            for entry in sorted(CATALOGUE.values(), key=lambda entry: entry.style.order)
        ],
    }


def _describe(entry: Layer, count: int) -> dict[str, Any]:
    return {
        "id": entry.id,
        "title": {"zh": entry.title.zh, "en": entry.title.en},
        "description": {"zh": entry.description.zh, "en": entry.description.en},
        "geometry": entry.geometry,
        "count": count,
        "label": entry.label,
        "time": entry.time,
        "aggregate_below": AGGREGATE_BELOW if entry.geometry == "POINT" else None,
        "style": {
            "color": entry.style.color,
            "order": entry.style.order,
            "by": entry.style.by,
            "visible": entry.style.visible,
            "min_zoom": entry.style.min_zoom,
        },
        "fields": [
            {
                "name": field.name,
                "title": {"zh": field.title.zh, "en": field.title.en},
                "kind": field.kind,
                "unit": field.unit,
                "derived": field.derived,
                "codes": [
                    {"code": code.code, "zh": code.zh, "en": code.en, "color": code.color}
                    for code in field.codes
                ]
                if field.codes
                else None,
            }
            for field in entry.fields
        ],
    }


@router.get("/search", summary="Find features by code or name")
async def search(
    request: Request,
    asking: Asking,
    q: Annotated[str, Query(max_length=100, description="Part of a code or name")],
    limit: Annotated[int, Query(ge=1, le=50)] = 12,
) -> dict[str, Any]:
    """Return features whose code or name holds ``q``: exact matches first, then beginnings."""
    text = q.strip().replace("\0", "")
    if not text:
        return {"results": []}
    database: Database = request.app.state.database
    async with database.reading(asking) as connection:
        rows = await (
            await connection.execute(_search_query(), {"q": text, "limit": limit})
        ).fetchall()
    return {
        "results": [
            {
                "layer": layer_id, "id": id_, "code": code, "label": label,
                "center": [lon, lat], "bounds": bounds,
            }
            for layer_id, id_, code, label, lon, lat, *bounds in rows
        ]
    }  # fmt: skip


@cache
def _search_query() -> sql.Composed:
    parts = [
        sql.SQL(SEARCH).format(
            layer=sql.Literal(entry.id),
            table=sql.Identifier(entry.table),
            label=sql.Identifier(entry.label) if entry.label else sql.SQL("NULL::text"),
            current=in_force(entry),
        )
        for entry in CATALOGUE.values()
    ]
    return sql.SQL(
        "SELECT layer, id, code, label, lon, lat, west, south, east, north FROM ({}) AS found"
        " ORDER BY rank, length(code), code, layer LIMIT %(limit)s"
    ).format(sql.SQL(" UNION ALL ").join(parts))


@router.get("/counts", summary="Features of a layer by code")
async def counts(
    request: Request,
    asking: Asking,
    layer_id: Annotated[str, Query(alias="layer")],
    time: Timed,
) -> dict[str, Any]:
    """Return how many features lie in a time window, in all and by each coded column."""
    entry = await layer(layer_id)
    coded = [field.name for field in entry.fields if field.codes]
    values = {"start": time.start if time else None, "end": time.end if time else None}
    database: Database = request.app.state.database
    async with database.reading(asking) as connection:
        rows = await (await connection.execute(_counts_query(entry), values)).fetchall()
    total = 0
    by: dict[str, dict[str, int]] = {name: {} for name in coded}
    for count, mask, *codes in rows:
        if mask == 2 ** len(coded) - 1:
            total = count
            continue
        # grouping() sets the bit of every column not grouped by; the first column is the highest.
        place = next(i for i in range(len(coded)) if not mask & (1 << (len(coded) - 1 - i)))
        if codes[place] is not None:
            by[coded[place]][codes[place]] = count
    return {"layer": entry.id, "total": total, "by": by}


@cache
def _counts_query(entry: Layer) -> sql.Composed:
    coded = [sql.Identifier(field.name) for field in entry.fields if field.codes]
    columns = sql.SQL(", ").join(coded)
    time: sql.Composable = sql.SQL("true")
    if entry.time:
        time = sql.SQL(
            "(%(start)s::timestamptz IS NULL OR {0} >= %(start)s)"
            " AND (%(end)s::timestamptz IS NULL OR {0} <= %(end)s)"
        ).format(sql.Identifier(entry.time))
    return sql.SQL(COUNTS).format(
        grouping=sql.SQL("grouping({})").format(columns) if coded else sql.SQL("0"),
        columns=sql.SQL(", {}").format(columns) if coded else sql.SQL(""),
        sets=sql.SQL(", ").join([sql.SQL("()"), *(sql.SQL("({})").format(c) for c in coded)]),
        table=sql.Identifier(entry.table),
        current=in_force(entry),
        time=time,
    )


@router.get("/wall", summary="The state of the town now")
async def wall(request: Request, asking: Asking) -> Response:
    """Return the figures of the map wall, all of one moment."""
    database: Database = request.app.state.database
    async with database.reading(asking) as connection:
        row = await (await connection.execute(WALL)).fetchone()
    return Response(row[0] if row else "{}", media_type="application/json")
