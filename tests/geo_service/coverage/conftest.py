"""The small town with buildings, roads, a school, a privacy zone and cameras that look at them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
import pytest
import shapely
from pyproj import Transformer

from geo_service.embedded import Cluster
from tests.conftest import TestDatabase, copy_of, create
from tests.geo_service.conftest import Town

TO_METRES = Transformer.from_crs(4326, 4548, always_xy=True)
ORIGIN = np.array(TO_METRES.transform(117.005, 31.015))
"""The middle of the north-western grid; all below is in metres from it."""

SOUTHWARDS = -1108.0
"""Metres from there to the middle of the grid to the south, which is of another community."""

A, B, C, D = (f"99010100001320001{n:03}" for n in range(1, 5))
"""Cameras: two on the same street, one across it, one in the south."""

BUILDINGS = (
    ("T1", shapely.box(20, -10, 30, 10), 12.0, 40),
    ("T2", shapely.box(-60, 20, -40, 40), 3.0, 0),
    ("T3", shapely.box(-15, 30, 15, 38), None, 12),
    ("S1", shapely.box(25, SOUTHWARDS - 8, 40, SOUTHWARDS + 8), 9.0, 8),
)
ROADS = (
    ("R1", shapely.LineString([(-200, -2), (200, -2)])),
    ("R2", shapely.LineString([(-50, SOUTHWARDS), (150, SOUTHWARDS)])),
)
ZONE = shapely.box(4, -30, 14, -22)
CAMERAS: tuple[tuple[str, float, float, dict[str, Any]], ...] = (
    (A, 0.0, 0.0, {"form": "bullet", "azimuth": 90, "mount_height": 4, "tilt": 15}),
    (B, 0.0, 6.0, {"form": "bullet", "azimuth": 100, "mount_height": 5, "tilt": 20,
                   "focal_length": 6, "sensor_width": 5.57, "sensor_height": 3.13,
                   "pixels_across": 2560, "night_range": 30}),
    (C, 10.0, -50.0, {"form": "dome", "azimuth": 0, "mount_height": 3.5, "tilt": 25,
                      "focal_length": 2.8}),
    (D, 0.0, SOUTHWARDS, {"form": "bullet", "azimuth": 90, "mount_height": 4, "tilt": 15}),
)  # fmt: skip


def degrees(shape: Any) -> Any:
    """Return a shape, in metres from the origin, in longitude and latitude."""

    def moved(xy: Any) -> Any:
        east, north = xy[:, 0] + ORIGIN[0], xy[:, 1] + ORIGIN[1]
        return np.column_stack(TO_METRES.transform(east, north, direction="INVERSE"))

    return shapely.transform(shape, moved)


def metres(shape: Any) -> Any:
    """Return a shape in longitude and latitude in metres from the origin."""
    return shapely.transform(shape, lambda xy: np.column_stack(TO_METRES.transform(*xy.T)) - ORIGIN)


def put(connection: psycopg.Connection, table: str, shape: Any, **columns: Any) -> None:
    """Insert a feature whose shape is in metres from the origin."""
    names = ", ".join([*columns, "geom"])
    marks = ", ".join(["%s"] * len(columns))
    connection.execute(
        f"INSERT INTO {table} ({names})"
        f" VALUES ({marks}{',' if columns else ''} st_geomfromtext(%s, 4326))".encode(),
        [*columns.values(), shapely.to_wkt(degrees(shape), rounding_precision=10)],
    )


def furnish(connection: psycopg.Connection) -> None:
    """Put everything above into the small town."""
    for code, shape, height, households in BUILDINGS:
        put(connection, "buildings", shape, code=code, height=height, households=households)
    for code, line in ROADS:
        put(connection, "roads", line, code=code, width=8)
    put(connection, "places", shapely.Point(15, 0), code="P1", name="小学", kind="school")
    put(connection, "privacy_zones", ZONE, code="PZ1", name="宿舍", kind="dormitory")
    for code, x, y, optics in CAMERAS:
        put(connection, "cameras", shapely.Point(x, y), code=code, status="online", **optics)
    # One in the open, one inside a building.
    for code, x, y in (("E1", 10.0, 1.0), ("E2", 25.0, 0.0)):
        put(connection, "disputes", shapely.Point(x, y), code=code, category="other",
            occurred_at="2026-11-01T00:00:00Z")  # fmt: skip
    connection.execute("UPDATE disputes SET occurred_at = now() - interval '9 days'")


@pytest.fixture(scope="session")
def watched_template(cluster: Cluster, town_template: tuple[str, dict[str, str]]) -> str:
    name = "geo_watched"
    create(cluster, name, town_template[0])
    with psycopg.connect(cluster.url(name)) as connection:
        furnish(connection)
    return name


@pytest.fixture
def town(
    cluster: Cluster, watched_template: str, town_template: tuple[str, dict[str, str]]
) -> Iterator[Town]:
    """The small town with its cameras, instead of the bare one."""
    for database in copy_of(cluster, watched_template):
        yield Town(TestDatabase(database.url), town_template[1])
