"""Counts by cell are folded: what writers appended goes into the pyramid, a little at a time."""

import asyncio
import contextlib
import logging

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout

from geo_service.database import SYSTEM, Database

EVERY = 5.0  # seconds
_MOST = 20_000  # deltas at once: about half a second

_log = logging.getLogger(__name__)


class Folding:
    """Folds while the service runs. Counts are true without it, but slower to read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; what is not folded is folded another time."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            folded = 0
            try:
                async with self._database.reading(SYSTEM) as connection:
                    cursor = await connection.execute("SELECT geo.fold_cells(%s)", [_MOST])
                    row = await cursor.fetchone()
                    folded = row[0] if row else 0
            except (psycopg.Error, OSError, PoolTimeout, PoolClosed) as error:
                _log.warning("folding: %s; trying again", error)
            await asyncio.sleep(0.2 if folded else EVERY)
