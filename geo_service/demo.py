"""The demonstration: a made-up town, and accounts to look at it with."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import TupleRow

from geo_service.access.passwords import put_account, put_token
from geo_service.errors import ServiceError
from layers.catalogue import CATALOGUE
from layers.codes import MADE_UP
from layers.frames import copy

PASSWORD = "liuxi-demo"  # noqa: S105 - printed for all to see: the town is made up
OPEN_ACCOUNT = "demo"
ACCOUNTS = (
    (OPEN_ACCOUNT, "viewer", "*"),
    ("officer", "officer", "*"),
    ("community", "officer", "990101101001"),
    ("editor", "editor", "990101101"),
    ("admin", "admin", "*"),
)
WALL_LABEL = "demo-wall"
TRUTH = "planted-truth.json"


class DemoError(ServiceError):
    """The demonstration cannot be shown; the message says why."""


def prepare(
    connection: psycopg.Connection[TupleRow],
    home: Path,
    until: date | None = None,
    said: Callable[[str], None] = print,
) -> str:
    """Load the made-up town and its accounts unless they are there; return a new wall token.

    What was planted in the town is written to ``planted-truth.json`` in ``home``. Raises DemoError
    where the database holds a real town.
    """
    row = connection.execute(
        "SELECT count(*), count(*) FILTER (WHERE starts_with(code, %s)) FROM areas",
        [MADE_UP],
    ).fetchone()
    there, made_up = row or (0, 0)
    if there > made_up:
        raise DemoError(
            "This database holds a real town. Start the demonstration on another data folder "
            "(GEO_SERVICE_HOME) or database."
        )
    if not there:
        load(connection, home, until or last_day(), said)
    for name, role, area in ACCOUNTS:
        if not connection.execute("SELECT 1 FROM accounts WHERE name = %s", [name]).fetchone():
            put_account(connection, name, PASSWORD, role, area)
    token = put_token(connection, WALL_LABEL, "wall", "*")
    connection.commit()
    return token


def last_day() -> date:
    """Return the day that the demonstration's events end with.

    Its last events happen before 18:00 in the town: today, if that is past, else yesterday.
    """
    return (datetime.now(ZoneInfo("Asia/Shanghai")) - timedelta(hours=18)).date()


def load(
    connection: psycopg.Connection[TupleRow],
    home: Path,
    until: date,
    said: Callable[[str], None] = print,
) -> None:
    """Build the town and copy it in, in the caller's transaction."""
    from layers.town import build  # noqa: PLC0415 - half a second that a second start can spare

    town = build(until=until)
    for layer in CATALOGUE.values():
        frame = town.tables.get(layer.id)
        if frame is not None:
            said(f"  {layer.title.zh} {layer.title.en}: {copy(connection, layer, frame):,}")
    home.mkdir(parents=True, exist_ok=True)
    (home / TRUTH).write_text(json.dumps(town.truth, ensure_ascii=False, indent=1))
    connection.execute("ANALYZE")
