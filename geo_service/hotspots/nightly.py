"""The look of every night, as the service itself."""

import logging

from geo_service.analyses.running import SECONDS
from geo_service.analyses.work import working
from geo_service.database import SYSTEM
from geo_service.hotspots.alerts import look, yesterday
from geo_service.problems import Problem
from geo_service.settings import Settings

_log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Scan every category as of yesterday, and say in the log what came of it."""
    url = settings.database_url or ""
    try:
        with working(url, SYSTEM, seconds=SECONDS, writes=True) as work:
            found = look(work, settings, yesterday())
    except Problem as problem:  # no grids yet, or alerts of later days
        _log.info("no alerts were looked for: %s", problem.en)
        return
    _log.info("alerts: %s", found["summary"]["en"])
