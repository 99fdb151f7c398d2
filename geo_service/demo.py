"""The demonstration: a made-up town, and accounts to look at it with."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import TupleRow

from geo_service.access.passwords import put_account, put_token
from geo_service.web.views import DEMONSTRATION_PREFIX
from layers.catalogue import CATALOGUE
from layers.frames import copy
from layers.town import build

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


class DemoError(RuntimeError):
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
        [DEMONSTRATION_PREFIX],
    ).fetchone()
    there, made_up = row or (0, 0)
    if there > made_up:
        raise DemoError(
            "This database holds a real town. Start the demonstration on another data folder "
            "(GEO_SERVICE_HOME) or database."
        )
    if not there:
        load(connection, home, until or yesterday(), said)
    for name, role, area in ACCOUNTS:
        if not connection.execute("SELECT 1 FROM accounts WHERE name = %s", [name]).fetchone():
            put_account(connection, name, PASSWORD, role, area)
    token = put_token(connection, WALL_LABEL, "wall", "*")
    connection.commit()
    return token


def yesterday() -> date:
    """Return the last whole day of the town: the demonstration's events end with it."""
    return datetime.now(ZoneInfo("Asia/Shanghai")).date() - timedelta(days=1)


def load(
    connection: psycopg.Connection[TupleRow],
    home: Path,
    until: date,
    said: Callable[[str], None] = print,
) -> None:
    """Build the town and copy it in, in the caller's transaction."""
    town = build(until=until)
    for layer in CATALOGUE.values():
        frame = town.tables.get(layer.id)
        if frame is not None:
            said(f"  {layer.title.zh} {layer.title.en}: {copy(connection, layer, frame):,}")
    home.mkdir(parents=True, exist_ok=True)
    (home / TRUTH).write_text(json.dumps(town.truth, ensure_ascii=False, indent=1))
    connection.execute("ANALYZE")
