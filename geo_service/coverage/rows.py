"""What a principal may see of a town, out of PostGIS: rows as they are, places in degrees."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import shapely
from numpy.typing import NDArray
from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow, dict_row

from layers.catalogue import CATALOGUE

EVENTS = tuple(layer for layer in CATALOGUE.values() if layer.time and layer.geometry == "POINT")
"""Layers of events: points with a time."""

DAYS = 365
"""Of events that count as past events."""

CAMERA_COLUMNS = (
    "id", "code", "name", "form", "azimuth", "tilt", "mount_height", "focal_length", "sensor_width",
    "sensor_height", "pixels_across", "night_range", "status", "grid_now",
)  # fmt: skip

_CAMERAS = """
SELECT {columns}, attributes -> 'presets' AS presets, attributes -> 'preset' AS preset,
    st_x(geom) AS lon, st_y(geom) AS lat
FROM cameras
WHERE %(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s)
ORDER BY code COLLATE "C"
"""
_GRIDS = """
SELECT code, name, parent, st_asbinary(geom) FROM grids
WHERE valid_to IS NULL
ORDER BY code COLLATE "C"
"""
_BUILDINGS = """
SELECT code, coalesce(height, floors * 3.0), coalesce(households, 0),
    (height IS NULL AND floors IS NOT NULL), height IS NULL AND floors IS NULL, st_asbinary(geom)
FROM buildings
ORDER BY code COLLATE "C"
"""
_PLACES = """
SELECT code, name, kind, grid_now, st_asbinary(geom) FROM places ORDER BY code COLLATE "C"
"""
_ZONES = """
SELECT code, name, kind, st_asbinary(geom) FROM privacy_zones ORDER BY code COLLATE "C"
"""
_ROADS = 'SELECT coalesce(width, 6.0), st_asbinary(geom) FROM roads ORDER BY code COLLATE "C"'

# Several events of one place are one row: a building of flats has hundreds.
_EVENTS = """
SELECT
    coalesce(string_agg(float8send(x), ''::bytea), ''),
    coalesce(string_agg(float8send(y), ''::bytea), ''),
    coalesce(string_agg(float8send(n), ''::bytea), '')
FROM (
    SELECT st_x(geom) AS x, st_y(geom) AS y, count(*)::float8 AS n
    FROM {table}
    WHERE {time} >= %(since)s
    GROUP BY 1, 2
    ORDER BY 1, 2
) AS places
"""


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of a layer: its columns, and the shapes in degrees."""

    columns: tuple[tuple[Any, ...], ...]
    shapes: NDArray[Any]

    def __len__(self) -> int:
        return len(self.shapes)

    def column(self, number: int) -> tuple[Any, ...]:
        """Return a column; empty where there is no row."""
        return self.columns[number] if len(self.shapes) else ()


def cameras(
    connection: psycopg.Connection[TupleRow], ids: Sequence[int] | None = None
) -> list[dict[str, Any]]:
    """Return cameras as dictionaries, only those of some ids where told."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_cameras(), {"ids": None if ids is None else list(ids)}).fetchall()


async def cameras_beside(
    connection: AsyncConnection[TupleRow], ids: Sequence[int]
) -> list[dict[str, Any]]:
    """Return cameras as dictionaries, as ``cameras`` does."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_cameras(), {"ids": list(ids)})
        return await cursor.fetchall()


def _cameras() -> sql.Composed:
    return sql.SQL(_CAMERAS).format(columns=sql.SQL(", ").join(map(sql.Identifier, CAMERA_COLUMNS)))


def grids(connection: psycopg.Connection[TupleRow]) -> Table:
    """Return the grids in force: code, name, code of the community."""
    return _table(connection, _GRIDS)


def buildings(connection: psycopg.Connection[TupleRow]) -> Table:
    """Return buildings.

    Code, height in metres or None, households, whether the height is three metres a floor, and
    whether nothing is known of it.
    """
    return _table(connection, _BUILDINGS)


def places(connection: psycopg.Connection[TupleRow]) -> Table:
    """Return places: code, name, kind, grid."""
    return _table(connection, _PLACES)


def zones(connection: psycopg.Connection[TupleRow]) -> Table:
    """Return privacy zones: code, name, kind."""
    return _table(connection, _ZONES)


def roads(connection: psycopg.Connection[TupleRow]) -> Table:
    """Return centre lines: the width in metres, six where it is not known."""
    return _table(connection, _ROADS)


def names(connection: psycopg.Connection[TupleRow]) -> dict[str, str]:
    """Return the names of areas by code."""
    return dict(connection.execute("SELECT code, name FROM areas").fetchall())


def events(
    connection: psycopg.Connection[TupleRow], until: datetime
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places of the events of the last year in degrees (n, 2), and how many each had."""
    xy, count = [], []
    for layer in EVENTS:
        query = sql.SQL(_EVENTS).format(
            table=sql.Identifier(layer.table), time=sql.Identifier(layer.time or "")
        )
        with connection.cursor(binary=True) as cursor:
            row = cursor.execute(query, {"since": until - timedelta(days=DAYS)}).fetchone()
        x, y, n = (np.frombuffer(part, ">f8").astype(np.float64) for part in row or (b"",) * 3)
        xy.append(np.column_stack((x, y)))
        count.append(n)
    return np.concatenate(xy), np.concatenate(count)


def _table(connection: psycopg.Connection[TupleRow], query: Any) -> Table:
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(query).fetchall()
    columns = tuple(zip(*rows, strict=True))
    shapes = np.array(shapely.from_wkb(list(columns[-1])) if rows else [], dtype=object)
    return Table(columns[:-1], shapes)
