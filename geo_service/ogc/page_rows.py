"""The rows of a page of features: one statement for the features and for how many there are."""

import asyncio
from collections.abc import Sequence
from typing import Any

from psycopg import sql

from geo_service.database import Database, Principal
from geo_service.ogc import kernels, paging
from geo_service.ogc.representation import Shown, feature, parts
from geo_service.ogc.selection import Selected
from layers.catalogue import Layer

MOST_COUNTED = 100_000
"""Features that are counted for each page; beyond, the planner's estimate is told, as such."""

Page = tuple[list[tuple[Any, ...]], int]
"""Features as GeoJSON in pieces, each with the values of its keys; and how many match."""

_LONG = 1 << 18  # bytes: more are written in a thread, lest the others wait


async def read(  # noqa: PLR0917
    database: Database, asking: Principal, layer: Layer, selected: Selected, how: Shown,
    place: tuple[Sequence[paging.Key], str | None], limit: int,
) -> Page:  # fmt: skip
    """Return a page after a ``place``: keys and token.

    Shapes in degrees are taken as the database holds them, and written as text here: it takes a
    fraction of the time that the database would. A point is written by either as fast.
    """
    writer = None
    if layer.geometry != "POINT" and how.reference.degrees:
        writer = kernels.GEOJSON.get()
    if writer is not None:
        query, values = paged(layer, selected, how, place, whole=False)
        found = await rows(database, asking, query, {**values, "limit": limit})
        written = await _written(writer, [row for row in found if row[1] is not None])
        if written is not None:
            return written, found[0][0]
    query, values = paged(layer, selected, how, place)
    found = await rows(database, asking, query, {**values, "limit": limit})
    return [((row[1].encode(),), *row[2:]) for row in found if row[1] is not None], found[0][0]


async def _written(writer: Any, there: list[tuple[Any, ...]]) -> list[tuple[Any, ...]] | None:
    shapes = [row[2] for row in there]
    if sum(len(shape) for shape in shapes if shape) < _LONG:
        texts = writer.write(shapes)
    else:
        texts = await asyncio.to_thread(writer.write, shapes)
    if texts is None:
        return None
    return [
        (
            (
                b'{"type":"Feature","id":%d,"geometry":' % row[1],
                text,
                b',"properties":%b}' % row[3].encode(),
            ),
            *row[4:],
        )
        for row, text in zip(there, texts, strict=True)
    ]


def paged(
    layer: Layer,
    selected: Selected,
    how: Shown,
    place: tuple[Sequence[paging.Key], str | None],
    *,
    whole: bool = True,
) -> tuple[sql.Composed, dict[str, Any]]:
    """Return the query of a page and its values but ``limit``, the rows to read.

    Its columns are how many features match, a feature, and the values of its keys; the feature is
    text where ``whole``, else three columns: id, shape and properties.
    """
    keys, token = place
    beyond, values = paging.after(keys, token)
    query = sql.SQL(_PAGE).format(
        table=sql.Identifier(layer.table),
        feature=sql.SQL("{} AS feature").format(feature(how)) if whole else parts(how),
        keys=sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(sql.Identifier(key.name), sql.Identifier(f"key{number}"))
            for number, key in enumerate(keys)
        ),
        where=selected.where,
        beyond=beyond,
        order=paging.order(keys),
        most=sql.Literal(MOST_COUNTED),
    )
    return query, {**selected.values, **values}


async def rows(
    database: Database, asking: Principal, query: sql.Composed, values: dict[str, Any]
) -> list[tuple[Any, ...]]:
    """Return what a query finds that ``asking`` may see."""
    async with database.reading(asking) as connection, connection.cursor(binary=True) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()


# One statement, so that the count and the page are of the same moment.
_PAGE = """
SELECT counted.matched, page.*
FROM (
    SELECT count(*) AS matched FROM (SELECT FROM {table} WHERE {where} LIMIT {most}) AS counted_rows
) AS counted
LEFT JOIN (
    SELECT {feature}, {keys}
    FROM {table} AS t
    WHERE {where} AND {beyond}
    ORDER BY {order}
    LIMIT %(limit)s
) AS page ON true
"""
