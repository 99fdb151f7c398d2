"""The ground data of an area, read from the database as somebody who may see it."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
import shapely

from geo_service.boundaries.lattice import Floats
from geo_service.boundaries.survey import Ground, Record

__all__ = ["Ground", "load"]

_CHINA = ZoneInfo("Asia/Shanghai")

YEAR = 365
"""Days of events that a balance counts."""

_GRIDS = """
WITH own AS (
    SELECT code, geom
    FROM grids
    WHERE valid_to IS NULL AND (starts_with(parent, %(area)s) OR code = %(area)s)
)
SELECT g.code, g.name, g.kind, g.parent, g.households, g.population, g.staff,
       starts_with(g.parent, %(area)s) OR g.code = %(area)s AS inside,
       st_asbinary(g.geom)
FROM grids AS g
WHERE g.valid_to IS NULL
  AND (
      starts_with(g.parent, %(area)s)
      OR g.code = %(area)s
      OR %(neighbours)s AND EXISTS (
          SELECT FROM own WHERE own.geom && g.geom AND st_intersects(own.geom, g.geom)
      )
  )
ORDER BY g.code COLLATE "C"
"""

_BUILDINGS = """
SELECT st_asbinary(geom), st_asbinary(st_pointonsurface(geom)), households, floors, code
FROM buildings
WHERE geom && st_makeenvelope(%s, %s, %s, %s, 4326)
ORDER BY id
"""

_EVENTS = """
SELECT st_x(geom), st_y(geom)
FROM disputes
WHERE occurred_at >= %(start)s AND occurred_at < %(end)s
  AND geom && st_makeenvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)
UNION ALL
SELECT st_x(geom), st_y(geom)
FROM hazards
WHERE found_at >= %(start)s AND found_at < %(end)s
  AND geom && st_makeenvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)
"""

_CAMERAS = """
SELECT st_x(geom), st_y(geom) FROM cameras WHERE geom && st_makeenvelope(%s, %s, %s, %s, 4326)
"""

_ROADS = """
SELECT st_asbinary(geom) FROM roads WHERE geom && st_makeenvelope(%s, %s, %s, %s, 4326) ORDER BY id
"""

_PLACES = """
SELECT st_asbinary(geom)
FROM places
WHERE st_dimension(geom) = 2 AND geom && st_makeenvelope(%s, %s, %s, %s, 4326)
ORDER BY id
"""


def load(
    connection: psycopg.Connection[Any],
    area: str,
    *,
    neighbours: bool = True,
    until: date | None = None,
) -> Ground:
    """Return what lies in an area, as far as the connection's principal may see it.

    ``area`` is a code or the beginning of one (``*`` or empty: everything); with ``neighbours`` the
    grids beside it come as well, with what they hold. Events are those of the 365 days that end
    with ``until`` in China, today by default. Take the connection from
    :func:`geo_service.database.acting`. Where the area has no grids, the ground is empty.
    """
    last = until or datetime.now(_CHINA).date()
    first = last - timedelta(days=YEAR - 1)
    with connection.cursor(binary=True) as cursor:
        cursor.execute(_GRIDS, {"area": "" if area == "*" else area, "neighbours": neighbours})
        grids = {
            code: Record(shapely.from_wkb(shape), name, kind, parent, homes, people, staff, inside)
            for code, name, kind, parent, homes, people, staff, inside, shape in cursor
        }
        if not grids:
            return Ground(grids={}, window=(first, last))
        box = shapely.total_bounds([record.shape for record in grids.values()]).tolist()
        found = cursor.execute(_BUILDINGS, box).fetchall()
        window = {
            "start": datetime(first.year, first.month, first.day, tzinfo=_CHINA),
            "end": datetime(last.year, last.month, last.day, tzinfo=_CHINA) + timedelta(days=1),
        }
        corners = dict(zip(("west", "south", "east", "north"), box, strict=True))
        events = _points(cursor.execute(_EVENTS, window | corners).fetchall())
        cameras = _points(cursor.execute(_CAMERAS, box).fetchall())
        roads, places = (
            _shapes([row[0] for row in cursor.execute(query, box)]) for query in (_ROADS, _PLACES)
        )
    outlines, points, homes, floors, codes = zip(*found, strict=True) if found else [()] * 5
    return Ground(
        grids=grids,
        buildings=_shapes(outlines),
        codes=np.array(codes, dtype=object),
        points=shapely.get_coordinates(_shapes(points)).reshape(-1, 2),
        households=np.array(homes, dtype=np.float64),
        floors=np.array(floors, dtype=np.float64),
        events=events,
        cameras=cameras,
        roads=roads,
        places=places,
        window=(first, last),
    )


def _shapes(texts: Any) -> Any:
    return np.asarray(shapely.from_wkb(np.array(texts, dtype=object)), dtype=object)


def _points(rows: Any) -> Floats:
    return np.array(rows, dtype=np.float64).reshape(-1, 2)
