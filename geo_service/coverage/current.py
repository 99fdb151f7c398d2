"""The town of whoever asks, as it is at the moment of the request."""

from fastapi import Request

from geo_service.analyses.work import Stop, working
from geo_service.coverage.keeping import town_followed, town_of
from geo_service.coverage.threads import beside
from geo_service.coverage.town import Town
from geo_service.database import Database, Principal
from geo_service.settings import Settings

SECONDS = 30
"""Of a query that somebody waits for."""


async def current_town(request: Request, asking: Principal) -> Town:
    """Return the town as it is now. Raises Problem 422 where somebody sees no grids."""
    database: Database = request.app.state.database
    async with database.reading(asking) as connection:
        found = await town_followed(connection, asking.area)
    if found is not None:
        return found
    settings: Settings = request.app.state.settings
    stop = Stop()

    def load() -> Town:
        with working(
            settings.database_url or "", asking, seconds=SECONDS, stop=stop, waited_for=True
        ) as work:
            return town_of(work)

    return await beside(load)
