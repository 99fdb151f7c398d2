"""Live changes: one listener a process reads the outbox and fans it out as server-sent events.

A cursor is a PostgreSQL snapshot, not a number: NOTIFY does not replay, and outbox numbers can
become visible out of order. What a reader has not seen is what was not visible in its snapshot.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Header, Query, Request
from psycopg import AsyncConnection, Connection
from psycopg.rows import TupleRow
from psycopg_pool import PoolTimeout
from starlette.responses import StreamingResponse

from geo_service.access.principals import Asking
from geo_service.database import SYSTEM, Database, Principal
from geo_service.ogc.kept import Kept
from geo_service.problems import Problem
from layers.catalogue import CATALOGUE
from layers.changes import CHANNEL

MOST_CHANGES = 500  # in one event; beyond, the client reloads
BEAT = 15.0  # seconds
LIFE = 3600.0  # seconds; then the browser connects anew, and shows again who it is
_QUEUE = 64  # events that a slow reader may lag before it is told to start anew

_log = logging.getLogger(__name__)
router = APIRouter(prefix="/api", tags=["Live"])

# What is visible now and was not in the snapshot of the cursor; one statement, one snapshot.
_UNSEEN = """
WITH unseen AS (
    SELECT *
    FROM changes
    WHERE
        xid >= (SELECT pg_snapshot_xmin(%(cursor)s::pg_snapshot))
        AND NOT pg_visible_in_snapshot(xid, %(cursor)s::pg_snapshot)
        -- Restored from another cluster, a row may bear a number that is yet to come in this one.
        AND pg_visible_in_snapshot(xid, pg_current_snapshot())
)
SELECT
    pg_current_snapshot()::text AS cursor,
    %(cursor)s::pg_snapshot IS NULL
        OR pg_snapshot_xmin(%(cursor)s::pg_snapshot) <= (SELECT xid FROM changes_pruned)
        OR pg_snapshot_xmax(%(cursor)s::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot())
        AS stale,
    c.layer, c.op, c.feature, c.code, c.grid_now, c.grid_before, c.at,
    c.min_x, c.min_y, c.max_x, c.max_y, c.xid::text::bigint, after.rest
FROM (VALUES (1)) AS always (n)
LEFT JOIN (SELECT * FROM unseen ORDER BY seq LIMIT %(most)s) AS c ON true
CROSS JOIN (
    SELECT jsonb_object_agg(layer, number) AS rest
    FROM (
        SELECT layer, count(*) AS number
        FROM (SELECT layer FROM unseen ORDER BY seq OFFSET %(most)s) AS late
        GROUP BY layer
    ) AS by_layer
) AS after
ORDER BY c.seq
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes between two snapshots. ``stale``: the older one is not known any more.

    ``transactions`` are the ids of those that made the ``changes``, one for one; ``rest`` counts by
    layer what is left out of them.
    """

    cursor: str
    stale: bool
    changes: tuple[dict[str, Any], ...]
    transactions: tuple[int, ...]
    rest: Mapping[str, int]

    @property
    def more(self) -> int:
        """How many changes are left out, of all layers."""
        return sum(self.rest.values())


async def read(
    connection: AsyncConnection[TupleRow], cursor: str | None, most: int = MOST_CHANGES
) -> Batch:
    """Return what the connection's principal may see of the changes since ``cursor``.

    A cursor of None, or one that cannot be read, is stale: the batch then only gives a new one.
    """
    try:
        rows = await (
            await connection.execute(_UNSEEN, {"cursor": cursor, "most": most})
        ).fetchall()
    except (psycopg.errors.InvalidTextRepresentation, psycopg.errors.DataError):
        return await read(connection, None, most)
    return _batch(rows)


def read_beside(
    connection: Connection[TupleRow], cursor: str | None, most: int = MOST_CHANGES
) -> Batch:
    """Do what ``read`` does, for work in a thread; ``cursor`` is one that a batch gave."""
    return _batch(connection.execute(_UNSEEN, {"cursor": cursor, "most": most}).fetchall())


def _batch(rows: list[TupleRow]) -> Batch:
    changes = tuple(
        {
            "layer": layer, "op": op, "id": feature, "code": code, "grid": grid or before,
            "at": at.isoformat(), "bounds": None if box[0] is None else list(box),
        }
        for _, _, layer, op, feature, code, grid, before, at, *box, _, _ in rows
        if layer is not None
    )  # fmt: skip
    transactions = tuple(row[-2] for row in rows[: len(changes)])
    return Batch(rows[0][0], bool(rows[0][1]), changes, transactions, rows[0][-1] or {})


def saw(cursor: str, transaction: int) -> bool:
    """Tell whether a snapshot saw a transaction: what pg_visible_in_snapshot does.

    >>> saw("5:9:7", 4), saw("5:9:7", 7), saw("5:9:7", 8), saw("5:9:7", 9)
    (True, False, True, False)
    """
    oldest, next_, running = cursor.split(":")
    return transaction < int(oldest) or (
        transaction < int(next_) and str(transaction) not in running.split(",")
    )


@dataclass(eq=False)
class Subscriber:
    """One open stream: who reads, and the batches that wait for it. None ends the stream."""

    principal: Principal
    batches: asyncio.Queue[Batch | None] = field(default_factory=lambda: asyncio.Queue(_QUEUE))

    def offer(self, batch: Batch | None) -> None:
        """Queue a batch; a reader that lags too far is told to start anew."""
        try:
            self.batches.put_nowait(batch)
        except asyncio.QueueFull:
            while not self.batches.empty():
                self.batches.get_nowait()
            self.batches.put_nowait(batch and replace(batch, stale=True))


class Hub:
    """Follows the outbox: keeps true what is kept in memory, and feeds every open stream."""

    def __init__(self, database: Database, kept: Kept, keep: timedelta) -> None:
        self._database = database
        self._kept = kept
        self._keep = keep
        self._subscribers: set[Subscriber] = set()
        self._cursors: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self.lag = 0.0
        """Seconds from the last change to its reading."""

    @property
    def closing(self) -> bool:
        """Whether the service is about to end."""
        return self._closing

    @contextlib.contextmanager
    def subscribed(self, principal: Principal) -> Iterator[Subscriber]:
        """Yield a subscriber to what the principal may see, for a stream of one's own."""
        subscriber = Subscriber(principal)
        self._subscribers.add(subscriber)
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self._subscribers)

    def start(self) -> None:
        """Begin to follow."""
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """End the streams and stop following."""
        self._closing = True
        for subscriber in self._subscribers:
            subscriber.offer(None)
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _follow(self) -> None:
        delay = 0.1
        while True:
            try:
                async with await AsyncConnection.connect(
                    self._database.url, autocommit=True
                ) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self._kept.listen(True)
                    delay = 0.1
                    await self._spread()
                    await self._listen(connection)
            except (psycopg.Error, OSError, PoolTimeout) as error:
                _log.warning("live: lost the database (%s); trying again", error)
            finally:
                self._kept.listen(False)
            await asyncio.sleep(delay)
            delay = min(delay * 2, 5.0)

    async def _listen(self, connection: AsyncConnection[TupleRow]) -> None:
        pruned = datetime.min.replace(tzinfo=UTC)
        while True:
            async for _ in connection.notifies(timeout=BEAT, stop_after=1):
                pass
            await self._spread()
            if datetime.now(UTC) - pruned > timedelta(hours=1):
                pruned = datetime.now(UTC)
                await connection.execute("SELECT geo.prune_changes(%s)", [self._keep])

    async def _spread(self) -> None:
        """Read the outbox once for what is kept and once for each area that somebody watches."""
        own = await self._unseen(SYSTEM)
        if own.stale or own.more:
            self._kept.clear()
        if own.changes:
            last = datetime.fromisoformat(own.changes[-1]["at"])
            self.lag = (datetime.now(UTC) - last).total_seconds()
        for change in own.changes:
            box = tuple(change["bounds"]) if change["bounds"] else None
            self._kept.invalidate(change["layer"], box)
        by_area: dict[str, list[Subscriber]] = {}
        for subscriber in self._subscribers:
            by_area.setdefault(subscriber.principal.area, []).append(subscriber)
        for area in set(self._cursors) - set(by_area) - {SYSTEM.area}:
            del self._cursors[area]
        for area, subscribers in by_area.items():
            whole = area == SYSTEM.area
            batch = own if whole else await self._unseen(subscribers[0].principal)
            if batch.stale or batch.changes:
                for subscriber in subscribers:
                    subscriber.offer(batch)

    async def _unseen(self, principal: Principal) -> Batch:
        async with self._database.reading(principal) as connection:
            batch = await read(connection, self._cursors.get(principal.area))
        self._cursors[principal.area] = batch.cursor
        return batch

    async def stream(
        self, principal: Principal, layers: frozenset[str], cursor: str | None
    ) -> AsyncIterator[str]:
        """Yield server-sent events from ``cursor`` on (None: from now on), and beats."""
        subscriber = Subscriber(principal)
        self._subscribers.add(subscriber)
        try:
            yield "retry: 1000\n\n"
            # Subscribed first, then caught up, so that nothing falls between; what the catching up
            # saw is left out of the batches that follow.
            async with self._database.reading(principal) as connection:
                batch = await read(connection, cursor)
            caught_up = batch.cursor
            self._cursors.setdefault(principal.area, caught_up)
            if cursor and (event := _told(batch, layers)):
                yield event
            yield f"id: {caught_up}\n" + _beat()
            end = time.monotonic() + LIFE
            while not self._closing and time.monotonic() < end:
                try:
                    next_batch = await asyncio.wait_for(subscriber.batches.get(), BEAT)
                except TimeoutError:
                    yield _beat()
                    continue
                if next_batch is None:
                    return
                if event := _told(next_batch, layers, caught_up):
                    yield event
        finally:
            self._subscribers.discard(subscriber)


def _beat() -> str:
    # A comment keeps proxies awake; the event lets the page know that it is not cut off.
    return ": beat\n" + _event("beat", {"at": datetime.now(UTC).isoformat()})


def _event(name: str, data: dict[str, Any], cursor: str | None = None) -> str:
    identity = f"id: {cursor}\n" if cursor else ""
    return f"{identity}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _told(batch: Batch, layers: frozenset[str], caught_up: str | None = None) -> str | None:
    """Return the event that tells ``batch``, without what the snapshot ``caught_up`` saw."""
    if batch.stale:
        return _event("reset", {}, batch.cursor)
    changes = [
        change
        for change, transaction in zip(batch.changes, batch.transactions, strict=True)
        if change["layer"] in layers and not (caught_up and saw(caught_up, transaction))
    ]
    more = sum(number for layer, number in batch.rest.items() if layer in layers)
    if not changes and not more:
        return None
    return _event("change", {"changes": changes, "more": more}, batch.cursor)


@router.get(
    "/live",
    summary="Changes as they happen (server-sent events)",
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def live(
    request: Request,
    asking: Asking,
    layers: Annotated[
        str | None, Query(description="Layers to follow, separated by commas; none: all")
    ] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> StreamingResponse:
    """Stream the changes that the principal may see; resume with ``Last-Event-ID``."""
    wanted = frozenset(layers.split(",")) if layers else frozenset(CATALOGUE)
    if unknown := wanted - set(CATALOGUE):
        name = min(unknown)
        raise Problem(404, f"没有图层“{name}”。", f"There is no layer {name}.")
    hub: Hub = request.app.state.hub
    return StreamingResponse(
        hub.stream(asking, wanted, last_event_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
