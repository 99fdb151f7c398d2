"""Work in hand: whose it is, its connection, how far it is, and whether anyone still wants it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
from psycopg.rows import TupleRow

from geo_service.database import Principal, acting
from geo_service.problems import Problem

Say = Callable[[int, str, str], None]
"""Is told the percentage done, and in both languages what comes next."""


class LeftError(Exception):
    """Nobody waits for the answer any more."""


@dataclass
class Work:
    """An analysis under way over one snapshot of the database, as ``principal`` may see it."""

    connection: psycopg.Connection[TupleRow]
    principal: Principal
    at: datetime
    say: Say = lambda *_: None
    stopped: threading.Event = field(default_factory=threading.Event)
    waited_for: bool = False

    def refuse_long(self, long: bool) -> None:
        """Raise Problem 422 for long work that somebody waits for: it is for a job."""
        if long and self.waited_for:
            raise Problem(
                422,
                "这项分析耗时较长，请以任务方式提交（Prefer: respond-async）。",
                "This takes long: ask for it as a job (Prefer: respond-async).",
            )

    def step(self, percent: int, zh: str, en: str) -> None:
        """Tell how far it is; raise LeftError where nobody waits for it."""
        if self.stopped.is_set():
            raise LeftError
        self.say(percent, zh, en)


class Stop:
    """Ends work that another thread does: its query at once, its computing at the next step."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self._connection: psycopg.Connection[TupleRow] | None = None
        self._lock = threading.Lock()

    def watch(self, connection: psycopg.Connection[TupleRow]) -> None:
        """Have ``now`` cancel what this connection does."""
        with self._lock:
            self._connection = connection
        if self.event.is_set():
            raise LeftError

    def now(self) -> None:
        """End it."""
        self.event.set()
        with self._lock:
            if self._connection is not None and not self._connection.closed:
                self._connection.cancel_safe(timeout=2)


@contextmanager
def working(
    url: str,
    principal: Principal,
    *,
    seconds: int,
    say: Say = lambda *_: None,
    stop: Stop | None = None,
    writes: bool = False,
    waited_for: bool = False,
) -> Iterator[Work]:
    """Yield work over one snapshot; each of its queries may take so many seconds.

    Everything is read in one transaction, so that all figures of an answer are of one moment.
    """
    stop = stop or Stop()
    with acting(url, principal) as connection:
        stop.watch(connection)
        # Compiling a query takes longer than these queries do.
        connection.execute("SET jit = off")
        # Row-level security looks far more selective to the planner than it is: it would sort
        # every event to group a few, which takes three times as long as hashing.
        connection.execute("SET enable_sort = off")
        connection.execute("SET work_mem = '64MB'")
        connection.execute("SELECT set_config('statement_timeout', %s, false)", [f"{seconds}s"])
        connection.execute("SET client_connection_check_interval = '2s'")
        with connection.transaction():
            if not writes:  # what writes must not fail because an officer wrote meanwhile
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            row = connection.execute("SELECT now()").fetchone()
            at = row[0] if row else datetime.now(UTC)
            try:
                yield Work(connection, principal, at, say, stop.event, waited_for)
            except psycopg.errors.QueryCanceled:
                if stop.event.is_set():
                    raise LeftError from None
                raise Problem(
                    503,
                    "查询时间过长，已中止。请缩小时间窗口或范围。",
                    "The query took too long and was stopped. Ask for a shorter window or less.",
                ) from None
