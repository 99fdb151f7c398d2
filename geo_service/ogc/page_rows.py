"""The rows of a page of features: one statement for the features and for how many there are."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from psycopg import sql

from geo_service.database import Database, Principal
from geo_service.ogc import kernels, paging
from geo_service.ogc.fragments import Fragments
from geo_service.ogc.representation import Shown, feature
from geo_service.ogc.selection import Selected
from geo_service.ogc.shape_pages import ShapePage, Source
from layers.catalogue import Layer

MOST_COUNTED = 100_000
"""Features that are counted for each page; beyond, the planner's estimate is told, as such."""

Place = tuple[Sequence[paging.Key], str | None]
"""Where a page begins: keys, and the token of the row before."""

_PIECE = 1 << 18  # bytes


@dataclass(frozen=True)
class Page:
    """A page of features.

    ``state`` tells it from a page of other features; ``last`` are the keys of its last row where
    more follow. ``features`` are GeoJSON. ``end`` it, whatever happens.
    """

    matched: int
    count: int
    last: tuple[Any, ...] | None
    state: bytes
    features: AsyncIterator[bytes]
    end: Callable[[], object]

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the features with commas between them, many at a time."""
        waiting: list[bytes] = []
        size = 0
        async for text in self.features:
            waiting.append(text)
            size += len(text)
            if size >= _PIECE:
                yield b",".join(waiting)
                waiting, size = [b""], 0  # a comma comes first
        if size:
            yield b",".join(waiting)


async def read(  # noqa: PLR0917
    database: Database, asking: Principal, layer: Layer, selected: Selected, how: Shown,
    place: Place, limit: int, kept: Fragments,
) -> Page:  # fmt: skip
    """Return the page after a place.

    Shapes in degrees are taken as the database holds them, and written as text here: it takes a
    fraction of the time that the database would. A point is written by either as fast.
    """
    writer = None
    if layer.geometry != "POINT" and how.reference.degrees:
        writer = kernels.GEOJSON.get()
    if writer is not None:
        query, values = paged(layer, selected, _VERSION, place)
        values["limit"] = limit + 1
        page = ShapePage(Source(database, asking, layer, how, kept, writer), query, values, limit)
        try:
            found = await page.rows()
        except BaseException:
            page.end()
            raise
        there = [row for row in found if row[1] is not None]
        last = there[limit - 1][3:] if len(there) > limit else None
        state = _digest(b"%d.%b" % (row[1], row[2]) for row in there[:limit])
        features = page.features()
        return Page(found[0][0], min(len(there), limit), last, state, features, page.end)
    query, values = paged(layer, selected, feature(how), place)
    values["limit"] = limit + 1
    found = await rows(database, asking, query, values)
    there = [row for row in found if row[1] is not None]
    last = there[limit - 1][2:] if len(there) > limit else None
    texts = [row[1].encode() for row in there[:limit]]
    return Page(found[0][0], len(texts), last, _digest(texts), _each(texts), lambda: None)


async def _each(texts: list[bytes]) -> AsyncIterator[bytes]:
    for text in texts:
        yield text


def _digest(parts: Iterable[bytes]) -> bytes:
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.digest()


def paged(
    layer: Layer, selected: Selected, columns: sql.Composable, place: Place
) -> tuple[sql.Composed, dict[str, Any]]:
    """Return the query of a page and its values but ``limit``, the rows to read.

    Its columns are how many features match, ``columns`` of the table t, and the values of its keys.
    """
    keys, token = place
    beyond, values = paging.after(keys, token)
    query = sql.SQL(_PAGE).format(
        table=sql.Identifier(layer.table),
        columns=columns,
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


# No column may have these names: ORDER BY would take them for it.
_VERSION = sql.SQL("t.id AS row_number, t.xmin AS row_version")

# One statement, so that the count and the page are of the same moment.
_PAGE = """
SELECT counted.matched, page.*
FROM (
    SELECT count(*) AS matched FROM (SELECT FROM {table} WHERE {where} LIMIT {most}) AS counted_rows
) AS counted
LEFT JOIN (
    SELECT {columns}, {keys}
    FROM {table} AS t
    WHERE {where} AND {beyond}
    ORDER BY {order}
    LIMIT %(limit)s
) AS page ON true
"""
