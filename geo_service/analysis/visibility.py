"""What can be seen from a point: walls hide what is behind them, low ones only some of it.

Exact, in vectors, in metres. Walls at least as high as the eye hide all behind them: an angular
sweep (see ``sweep``) gives the star-shaped rest. A building lower than the eye casts a shadow on
the target plane that ends: every point q of it hides the points k·q for 1 ≤ k ≤ (H - h)/(H - b),
with the eye at H, the plane at h and the roof at b, seen from the eye's foot. What is not higher
than the target plane hides nothing.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike

from geo_service.analysis.buildings import Buildings, angles_of, as_buildings
from geo_service.analysis.camera import checked_range
from geo_service.analysis.mounting import MOUNT, Mounted, mount_cameras
from geo_service.analysis.shadows import shadows, stretch_of, without_shadows
from geo_service.analysis.sweep import Places, seen_from_all
from geo_service.analysis.weights import Floats, Ints

_CHUNK = 512
_THREADS = 2
_ENDLESS = 1e3


def visible_region(
    origin: ArrayLike,
    walls: Any,
    radius: float,
    *,
    height: float | None = None,
    heights: ArrayLike | None = None,
    target_height: float = 0.0,
    mount: float = MOUNT,
) -> Any:
    """Return what can be seen from ``origin`` within ``radius``, as a polygon, all in metres.

    ``walls`` are shapely polygons and lines, an array of segments (n, 2, 2), or
    :class:`~geo_service.analysis.buildings.Buildings`. Without ``height``, that of the eye, all
    hide everything behind them; with it, those with lower ``heights`` only up to where the sight
    line over them meets the target plane.

    An origin on or in a polygon (up to ``mount`` metres from its outline) is taken to hang on that
    wall and sees outward from it. A bare segment through the origin hides nothing. Arcs have 64
    edges a quadrant and enclose exactly the area of the circle, so their corners lie outside of it
    by up to 1e-4 of the radius. A MultiPolygon where what is seen touches itself at the origin or
    is cut by shadows.

    Raises ValueError, with a sentence, for an origin or radius that is none, one deeper inside a
    building, walled in or more than 10 km from all walls, and outlines that cross themselves.

    >>> room = [[(-5, -5), (5, -5)], [(5, -5), (5, 5)], [(5, 5), (-5, 5)], [(-5, 5), (-5, -5)]]
    >>> visible_region((0, 0), room, 20).area
    100.0
    """
    eye = np.array(origin, dtype=np.float64)
    if eye.shape != (2,) or not np.isfinite(eye).all():
        raise ValueError("The origin must be two finite numbers, x and y in metres.")
    town = as_buildings(walls, heights)
    if town.notes:
        raise ValueError(town.notes[0].en.replace(": it was mended.", ": mend it first."))
    tops = None if height is None else np.array([height], dtype=np.float64)
    mounted = mount_cameras(eye[None, :], town, tops, mount=mount)
    note = mounted.notes[0]
    if not mounted.usable[0] and note is not None:
        raise ValueError(note.en)
    region = visible_regions(
        mounted, town, radius, heights=tops, target_height=target_height, mount=mount
    )[0]
    if region.is_empty:
        raise ValueError("The camera is walled in: it sees nothing.")
    return region


def visible_regions(
    origins: ArrayLike | Mounted,
    walls: Any,
    radius: ArrayLike,
    *,
    heights: ArrayLike | None = None,
    target_height: ArrayLike = 0.0,
    mount: float = MOUNT,
    within: Any = None,
) -> Any:
    """Return what can be seen from each of many origins (n, 2), as an array of polygons.

    As :func:`visible_region`, with ``heights`` of the eyes, one each. An origin that cannot be used
    gets an empty polygon: ask :func:`mount_cameras` for the reason. With ``within``, one polygon a
    camera inside its ``radius``, only what is seen of that is returned, which is much faster.
    """
    town = as_buildings(walls)
    eyes = None if heights is None else np.asarray(heights, dtype=np.float64)
    mounted = (
        origins if isinstance(origins, Mounted) else mount_cameras(origins, town, eyes, mount=mount)
    )
    n = len(mounted.xy)
    reach = np.broadcast_to(np.asarray(radius, dtype=np.float64), (n,)).copy()
    for value in np.unique(reach):
        checked_range(float(value))
    target = np.broadcast_to(np.asarray(target_height, dtype=np.float64), (n,))
    camera, building = _around(mounted, town, reach, within)
    if eyes is None:
        hides = np.ones(len(camera), dtype=bool)
    else:
        hides = stretch_of(eyes[camera], town.heights[building], target[camera]) > _ENDLESS
    tall = camera[hides], building[hides]
    seen = _sweep(mounted, town, reach, tall, square=within is not None)
    if within is not None:
        seen = shapely.intersection(seen, within)
    seen[~mounted.usable] = shapely.Polygon()
    if eyes is not None:
        low = ~hides & (town.heights[building] > target[camera])
        camera, building = camera[low], building[low]
        stretch = stretch_of(eyes[camera], town.heights[building], target[camera])
        seen = without_shadows(seen, camera, shadows(mounted.xy[camera], town, building, stretch))
    return seen


def _around(mounted: Mounted, town: Buildings, reach: Floats, within: Any) -> tuple[Ints, Ints]:
    """Return the pairs of cameras and buildings that may hide something, in order of cameras."""
    x, y = mounted.xy.T
    box = np.column_stack((x - reach, y - reach, x + reach, y + reach))
    if within is not None:
        bounds = shapely.bounds(within)
        box[:, :2] = np.fmin(bounds[:, :2], mounted.xy)
        box[:, 2:] = np.fmax(bounds[:, 2:], mounted.xy)
    camera, building = town.tree.query(shapely.box(*box.T))
    order = np.lexsort((building, camera))
    return camera[order], building[order]


def _sweep(
    mounted: Mounted, town: Buildings, reach: Floats, near: tuple[Ints, Ints], *, square: bool
) -> Any:
    """Return the star-shaped regions that walls leave to be seen."""
    n = len(mounted.xy)
    first = np.searchsorted(near[0], np.arange(n + 1)).astype(np.int64)
    angles = angles_of(mounted.blocked)
    places = Places(mounted.xy, reach, square, first, near[1].astype(np.int64), *angles)

    def some(low: int) -> Any:
        corners, counts = seen_from_all(low, min(low + _CHUNK, n), places, town.walls)
        return _polygons(corners, counts)

    lows = range(0, n, _CHUNK)
    if len(lows) == 1:
        return some(0)
    with ThreadPoolExecutor(_THREADS) as pool:
        return np.concatenate([np.zeros(0, dtype=object), *pool.map(some, lows)])


def _polygons(corners: Floats, counts: Ints) -> Any:
    """Return polygons of rings in a row; empty for a ring of fewer than three corners."""
    made = np.full(len(counts), shapely.Polygon(), dtype=object)
    real = np.flatnonzero(counts >= 3)
    ring = np.repeat(np.arange(len(counts)), counts)
    wanted = counts[ring] >= 3
    if real.size:
        owner = np.searchsorted(real, ring[wanted])
        made[real] = shapely.polygons(shapely.linearrings(corners[wanted], indices=owner))
    # A ring may touch itself where two corners of buildings stand in one line with the camera.
    for k in np.flatnonzero(~shapely.is_valid(made)):
        made[k] = shapely.buffer(made[k], 0)
    return made
