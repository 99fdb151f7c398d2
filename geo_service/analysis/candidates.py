"""Where new cameras could hang, and which demand each would see: the input of ``placement``."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike
from scipy import sparse

from geo_service.analysis.buildings import Buildings
from geo_service.analysis.camera import checked_range
from geo_service.analysis.sight import sight
from geo_service.analysis.views import Camera


def pole_candidates(
    xy: ArrayLike, azimuths: Sequence[float], *, form: str = "bullet", **known: float | None
) -> list[Camera]:
    """Return one candidate for each pole and azimuth, coded ``pole-<number>-<azimuth>``.

    ``xy`` are metres (n, 2); ``known`` are the optics, as in ``sight``.

    >>> [camera.code for camera in pole_candidates([(0, 0)], [0, 90])]
    ['pole-0-0', 'pole-0-90']
    """
    places = np.array(xy, dtype=np.float64).reshape(-1, 2)
    looks = [(azimuth, sight(form, azimuth, **known)) for azimuth in azimuths]  # type: ignore[arg-type]
    return [
        Camera(f"pole-{k}-{azimuth:g}", float(x), float(y), look)
        for k, (x, y) in enumerate(places)
        for azimuth, look in looks
    ]


def wall_candidates(
    walls: Buildings,
    spacing: float,
    turns: Sequence[float] = (0.0,),
    *,
    form: str = "bullet",
    **known: float | None,
) -> list[Camera]:
    """Return candidates along outer walls, every ``spacing`` metres or less, looking outward.

    ``turns`` are degrees to the right of straight out. Coded ``wall-<building>-<number>-<turn>``.
    Walls shorter than half the spacing, and buildings lower than the camera, carry none.

    >>> found = wall_candidates(Buildings.read([shapely.box(0, 0, 20, 10)]), 20)
    >>> [(camera.x, camera.y, camera.sight.now[0].azimuth) for camera in found]
    [(20.0, 5.0, 90.0), (10.0, 10.0, 0.0), (0.0, 5.0, 270.0), (10.0, 0.0, 180.0)]
    """
    step = checked_range(spacing)
    made: list[Camera] = []
    for b in np.flatnonzero(walls.solid):
        count = 0
        for part in shapely.get_parts(shapely.orient_polygons(walls.shapes[b])):
            xy = shapely.get_coordinates(part.exterior)
            for (ax, ay), (bx, by) in itertools.pairwise(xy):
                long = math.hypot(bx - ax, by - ay)
                # The outside of a ring that runs counter-clockwise is on its right.
                out = (math.degrees(math.atan2(bx - ax, by - ay)) + 90) % 360
                pieces = math.ceil(long / step) if long >= step / 2 else 0
                for k in range(pieces):
                    t = (k + 0.5) / pieces
                    for turn in turns:
                        look = sight(form, round((out + turn) % 360, 9) % 360, **known)  # type: ignore[arg-type]
                        if look.reach[0].view.height > walls.heights[b]:
                            continue
                        code = f"wall-{b}-{count}-{turn:g}"
                        x, y = ax + t * (bx - ax), ay + t * (by - ay)
                        made.append(Camera(code, float(x), float(y), look))
                    count += 1
    return made


def demand_covers(shapes: Any, xy: ArrayLike) -> Any:
    """Return which points each view covers: a sparse boolean array, demand by site.

    ``shapes`` is one view a candidate, at the level that is wanted (a column of ``views``).

    >>> demand_covers([shapely.box(0, 0, 2, 2)], [(1, 1), (5, 5)]).toarray().tolist()
    [[True], [False]]
    """
    sites = np.array(shapes, dtype=object).reshape(-1)
    points = shapely.points(np.array(xy, dtype=np.float64).reshape(-1, 2))
    site, point = shapely.STRtree(points).query(sites, "intersects")
    seen = np.ones(len(site), dtype=bool)
    return sparse.csr_array((seen, (point, site)), shape=(len(points), len(sites)))
