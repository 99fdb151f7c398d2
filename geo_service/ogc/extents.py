"""Where and when the features of a layer lie, kept until a change may have moved that."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import LiteralString

from psycopg import sql

from geo_service.database import SYSTEM, Database, Principal
from geo_service.ogc.matrix_sets import HALF_WORLD, Box, northing
from geo_service.ogc.selection import in_force
from layers.catalogue import CATALOGUE, Layer

_METRE = 1.0  # a change nearer than this to the edge may have moved it: boxes are rounded


@dataclass(frozen=True, slots=True)
class Extent:
    """A box in degrees, None where no feature is in sight, and the first and last time."""

    box: Box | None
    first: datetime | None = None
    last: datetime | None = None


class Extents:
    """The extents of layers, by layer and area scope: what one sees tells nothing of the rest.

    To find one reads the whole layer, which takes a second for a million features. A change well
    inside of a box leaves it as it is, whoever made it, and whether it adds or takes away. Of
    times nothing like that is known: who sees everything gets them from an index each time, for
    others they go with any change.

    Whoever knows of changes sets ``listening``; while it is false nothing is kept, nor without
    ``keep``.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self.listening = False
        self._keep = keep
        self._kept: dict[tuple[str, str], Extent] = {}
        self._asking: list[dict[str, list[Box | None]]] = []

    async def find(
        self, database: Database, asking: Principal, layers: Sequence[Layer]
    ) -> dict[str, Extent]:
        """Return the extents of what ``asking`` may see of layers, by id."""
        area = asking.area
        found = {layer.id: kept for layer in layers if (kept := self._kept.get((layer.id, area)))}
        missing = tuple(layer for layer in layers if layer.id not in found)
        changes: dict[str, list[Box | None]] = {layer.id: [] for layer in missing}
        self._asking.append(changes)
        try:
            async with database.reading(asking) as connection:
                if missing:
                    cursor = await connection.execute(_wholes(missing))
                    for name, *box, first, last in await cursor.fetchall():
                        there = None if box[0] is None else (box[0], box[1], box[2], box[3])
                        found[name] = Extent(there, first, last)
                timed = tuple(layer for layer in layers if layer.time and layer not in missing)
                if timed and area == SYSTEM.area:
                    cursor = await connection.execute(_times(timed))
                    for name, first, last in await cursor.fetchall():
                        found[name] = Extent(found[name].box, first, last)
        finally:
            self._asking.remove(changes)
        for layer in missing:
            extent = found[layer.id]
            if (
                self._keep
                and self.listening
                and not any(_moves(extent, layer.id, area, box) for box in changes[layer.id])
            ):
                self._kept[layer.id, area] = extent
        return found

    def invalidate(self, layer: str, box: Box | None) -> None:
        """Forget what a change within ``box`` (EPSG:3857; None: anywhere) may have moved."""
        for changes in self._asking:
            if layer in changes:
                changes[layer].append(box)
        for kept in [key for key in self._kept if key[0] == layer]:
            if _moves(self._kept[kept], *kept, box):
                del self._kept[kept]

    def clear(self) -> None:
        """Forget everything."""
        for layer in CATALOGUE:
            self.invalidate(layer, None)


def _moves(extent: Extent, layer: str, area: str, change: Box | None) -> bool:
    """Tell whether a change may have moved an extent, as it is kept."""
    if change is None or extent.box is None:
        return True
    if CATALOGUE[layer].time and area != SYSTEM.area:
        return True
    west, south, east, north = extent.box
    return not (
        west / 180 * HALF_WORLD + _METRE < change[0]
        and northing(south) + _METRE < change[1]
        and change[2] < east / 180 * HALF_WORLD - _METRE
        and change[3] < northing(north) - _METRE
    )


@cache
def _wholes(layers: tuple[Layer, ...]) -> sql.Composed:
    return _all(_WHOLE, layers)


@cache
def _times(layers: tuple[Layer, ...]) -> sql.Composed:
    return _all(_TIMES, layers)


def _all(one: LiteralString, layers: Iterable[Layer]) -> sql.Composed:
    return sql.SQL(" UNION ALL ").join(
        sql.SQL(one).format(
            id=sql.Literal(layer.id),
            time=sql.Identifier(layer.time) if layer.time else sql.SQL("NULL::timestamptz"),
            table=sql.Identifier(layer.table),
            current=in_force(layer),
        )
        for layer in layers
    )


_WHOLE = """
SELECT {id}, st_xmin(e), st_ymin(e), st_xmax(e), st_ymax(e), first, last
FROM (
    SELECT
        st_extent(geom) AS e, min({time})::timestamptz AS first, max({time})::timestamptz AS last
    FROM {table}
    WHERE {current}
) AS whole
"""

# By itself, each is the first row of an index.
_TIMES = """
SELECT {id}, min({time})::timestamptz, max({time})::timestamptz FROM {table} WHERE {current}
"""
