"""Events out of PostGIS: counted there for grids, fetched as arrays for everything else."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from geo_service.analyses.work import Work
from geo_service.hotspots.question import Question, Window
from geo_service.ogc import filtering
from geo_service.problems import Problem
from layers.catalogue import CATALOGUE, Layer

MOST_EVENTS = 12_000_000
"""More than this are not fetched for an analysis of points: their arrays take about a gigabyte."""

AT_ONCE = 5_000_000
"""More than this are for a job, whose process gives its memory back."""


class Place(NamedTuple):
    """Where an area code points: its own code and name."""

    code: str
    zh: str


@dataclass(frozen=True)
class Points:
    """Events as arrays: degrees, and days since the first moment of the window."""

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    day: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.lon)


@dataclass(frozen=True)
class Events:
    """The events that a question is about, as a condition on a layer's rows."""

    layer: Layer
    where: sql.Composed
    values: dict[str, Any]

    @property
    def time(self) -> sql.Identifier:
        """The column of their time."""
        return sql.Identifier(self.layer.time or "")


def events_of(question: Question) -> Events:
    """Return the events of a question, without its window. Raises Problem 400 for a bad filter."""
    layer = CATALOGUE[question.layer]
    conditions: list[sql.Composable] = [sql.SQL("true")]
    values: dict[str, Any] = {}
    if question.area:
        conditions.append(sql.SQL("(starts_with(area_now, %(area)s) OR grid_now = %(area)s)"))
        values["area"] = question.area
    if question.filter:
        given = question.filter
        text = given if isinstance(given, str) else json.dumps(given)
        try:
            tree = filtering.parse(text, "cql2-text" if isinstance(given, str) else "cql2-json")
            condition, more = filtering.condition(tree, filtering.columns_of(layer))
        except filtering.FilterError as error:
            raise Problem(400, error.zh, error.en) from None
        conditions.append(condition)
        values |= more
    return Events(layer, sql.SQL(" AND ").join(conditions), values)


def place_of(work: Work, code: str | None) -> Place | None:
    """Return the area or grid of a code; raise Problem 422 where none is in sight."""
    if not code:
        return None
    row = work.connection.execute(_PLACE, {"code": code}).fetchone()
    if row is None:
        raise Problem(
            422,
            f"没有编码为“{code}”的区域或网格，或不在您的范围内。",
            f"There is no area or grid {code} that you may see.",
        )
    return Place(code, row[0])


_PLACE = """
SELECT name FROM areas WHERE code = %(code)s
UNION ALL
SELECT name FROM grids WHERE code = %(code)s AND valid_to IS NULL
"""

_COUNTED = """
SELECT coalesce(grid_now, ''), width_bucket({time}, %(edges)s::timestamptz[]), count(*)
FROM {table}
WHERE {time} >= %(start)s AND {time} < %(end)s AND {where}
GROUP BY 1, 2
"""


def counted_by_grid(
    work: Work, events: Events, edges: Sequence[datetime]
) -> dict[str, NDArray[np.int64]]:
    """Return how many events lie in each grid in force, by step; the code '' is outside of all.

    Steps are the half-open intervals between ``edges``. An event counts for the grid that its
    place lies in today, so that counts and drawn cells are of the same division.
    """
    query = sql.SQL(_COUNTED).format(
        time=events.time, table=sql.Identifier(events.layer.table), where=events.where
    )
    values = {
        **events.values, "edges": list(edges), "start": edges[0], "end": edges[-1],
    }  # fmt: skip
    found: dict[str, NDArray[np.int64]] = {}
    for code, step, count in work.connection.execute(query, values):
        row = found.setdefault(code, np.zeros(len(edges) - 1, dtype=np.int64))
        row[step - 1] = count
    return found


_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

# Three values instead of a row an event: a million rows take the driver ten seconds. Times come as
# PostgreSQL holds them, microseconds since 2000: to compute seconds takes it longer than to send.
_POINTS = """
SELECT
    count(*), coalesce(string_agg(float8send(st_x(geom)), ''::bytea), ''),
    coalesce(string_agg(float8send(st_y(geom)), ''::bytea), ''),
    coalesce(string_agg(timestamptz_send(at), ''::bytea), '')
FROM (
    SELECT geom, {time} AS at
    FROM {table}
    WHERE {time} >= %(start)s AND {time} < %(end)s AND {where}
    LIMIT %(most)s
) AS chosen
"""


def points(work: Work, events: Events, window: Window) -> Points:
    """Return the events of a window as arrays, in no order. Raises Problem 422 for too many."""
    most = AT_ONCE if work.waited_for else MOST_EVENTS
    query = sql.SQL(_POINTS).format(
        time=events.time, table=sql.Identifier(events.layer.table), where=events.where
    )
    values = {**events.values, "start": window.start, "end": window.end, "most": most + 1}
    with work.connection.cursor(binary=True) as cursor:
        row = cursor.execute(query, values).fetchone()
    count, *columns = row or (0, b"", b"", b"")
    work.refuse_long(count > most)
    if count > most:
        raise Problem(
            422,
            f"事件超过 {MOST_EVENTS:,} 起，请缩小时间窗口或改用网格。",
            f"There are more than {MOST_EVENTS:,} events: ask for a shorter window, or for grids.",
        )
    lon, lat = (np.frombuffer(column, ">f8").astype(np.float64) for column in columns[:2])
    first = int((window.start - _EPOCH) / timedelta(microseconds=1))
    microseconds = np.frombuffer(columns[2], ">i8").astype(np.int64) - first
    return Points(lon, lat, microseconds / 86_400e6)
