"""Where the town is, for what depends on it: the zone of its plane coordinates."""

import time
from dataclasses import dataclass

from fastapi import Request

from geo_service.database import SYSTEM, Database
from geo_service.ogc import crs
from geo_service.ogc.crs import Reference

_REMEMBERED = 60.0  # seconds; a town does not move, but its first grids are loaded once


@dataclass
class Place:
    """The town's middle longitude, asked for again after a minute. One for each application."""

    longitude: float | None = None
    asked: float = float("-inf")

    async def find(self, database: Database) -> float | None:
        """Return the middle longitude of the areas, or None before any is loaded."""
        now = time.monotonic()
        if now - self.asked > _REMEMBERED:
            async with database.reading(SYSTEM) as connection:
                cursor = await connection.execute(
                    "SELECT (st_xmin(e) + st_xmax(e)) / 2 FROM (SELECT st_extent(geom) AS e"
                    " FROM grids WHERE valid_to IS NULL) AS whole"
                )
                row = await cursor.fetchone()
            self.longitude = row[0] if row else None
            self.asked = now
        return self.longitude


async def references(request: Request) -> dict[str, Reference]:
    """Return the CRSs that this town's coordinates may be asked and given in, by URI."""
    place: Place = request.app.state.place
    return crs.supported(await place.find(request.app.state.database))


async def crs_of(request: Request, content_crs: str | None) -> Reference:
    """Return the CRS that the header Content-Crs names; raise Problem 400 for one not offered."""
    if content_crs is None:
        return crs.WGS84
    name = content_crs.strip().removeprefix("<").removesuffix(">")
    return crs.chosen(name, await references(request), "Content-Crs")
