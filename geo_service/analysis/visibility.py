"""What can be seen from a point: walls hide what is behind them, low ones only some of it.

Exact, in vectors, in metres. Walls at least as high as the eye hide all behind them: an angular
sweep (see ``sweep``) gives the star-shaped rest. A building lower than the eye casts a shadow on
the target plane that ends: every point q of it hides the points k·q for 1 ≤ k ≤ (H - h)/(H - b),
with the eye at H, the plane at h and the roof at b, seen from the eye's foot. What is not higher
than the target plane hides nothing.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import ArrayLike

from geo_service.analysis.buildings import Buildings, angles_of, blocked_angles
from geo_service.analysis.camera import checked_range
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.sweep import TOUCH, Places, seen_from_all
from geo_service.analysis.weights import Bools, Floats, Ints

MOUNT = 4.0
"""Metres that a camera may lie within an outline and still be taken to hang on its wall.

Of 45 cameras drawn inside buildings in Helsinki's OpenStreetMap, 39 lie within 3.7 m of an outer
wall, the next 6.3 m inside."""

FAR = 10_000.0
"""Metres from all walls at which a camera's coordinates are taken to be wrong."""

_CHUNK = 512
_THREADS = 2
_ENDLESS = 1e3


class Mounted(NamedTuple):
    """Where cameras really hang: moved out to the wall of the building they were drawn in.

    ``blocked`` are the angles of their own walls; ``notes`` says what was done, or why a camera
    cannot be used (``usable`` False).
    """

    xy: Floats
    blocked: list[list[tuple[float, float]]]
    usable: Any
    notes: list[Sentence | None]


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
        hides = _stretch(eyes[camera], town.heights[building], target[camera]) > _ENDLESS
    tall = camera[hides], building[hides]
    seen = _sweep(mounted, town, reach, tall, square=within is not None)
    if within is not None:
        seen = shapely.intersection(seen, within)
    seen[~mounted.usable] = shapely.Polygon()
    if eyes is not None:
        low = ~hides & (town.heights[building] > target[camera])
        camera, building = camera[low], building[low]
        stretch = _stretch(eyes[camera], town.heights[building], target[camera])
        seen = _shadowed(seen, camera, shadows(mounted.xy[camera], town, building, stretch))
    return seen


def shadows(origins: ArrayLike, walls: Any, which: ArrayLike, stretch: ArrayLike) -> Any:
    """Return what low buildings hide of the target plane from origins, themselves included.

    Row by row an origin, the building of ``walls`` it looks at, and ``stretch``, (H - h)/(H - b):
    the shadow of a point of the roof ends at as many times its distance.

    >>> shadows([(0, 0)], [shapely.box(10, -1, 12, 1)], [0], [2])[0].bounds
    (10.0, -2.0, 24.0, 2.0)
    """
    town = as_buildings(walls)
    eyes = np.asarray(origins, dtype=np.float64).reshape(-1, 2)
    number, times = np.asarray(which, dtype=np.int64), np.asarray(stretch, dtype=np.float64)
    hidden = np.full(len(number), shapely.Polygon(), dtype=object)
    convex = np.flatnonzero(town.convex[number])
    if convex.size:
        xy, of = shapely.get_coordinates(town.shapes[number[convex]], return_index=True)
        eye = eyes[convex][of]
        thrown = eye + (xy - eye) * times[convex][of, None]
        both = shapely.multipoints(
            np.concatenate((xy, thrown)), indices=np.concatenate((of, len(convex) + of))
        )
        pairs = both.reshape(2, -1)
        hidden[convex] = shapely.convex_hull(shapely.geometrycollections(pairs.T))
    for k in np.flatnonzero(~town.convex[number]):
        hidden[k] = _bent_shadow(eyes[k], town, int(number[k]), float(times[k]))
    return hidden


def mount_cameras(
    origins: ArrayLike, walls: Any, heights: ArrayLike | None = None, *, mount: float = MOUNT
) -> Mounted:
    """Return where cameras hang: those in a building higher than they are move out to its wall.

    Buildings that touch count as one. A camera more than ``mount`` metres inside cannot be used,
    nor one without finite coordinates or more than 10 km from all walls, which would else see a
    full circle; a camera above the roof stands on it and does not move.
    """
    town = as_buildings(walls)
    xy = np.array(origins, dtype=np.float64).reshape(-1, 2)
    n = len(xy)
    usable: Bools = np.asarray(np.isfinite(xy).all(axis=1))
    notes: list[Sentence | None] = [
        None if ok else Sentence("摄像机没有坐标。", "The camera has no coordinates.")
        for ok in usable
    ]
    for c in np.flatnonzero(usable & (_away(xy, town) > FAR)):
        away = _away(xy[c : c + 1], town)[0] / 1000
        usable[c] = False
        notes[c] = Sentence(
            f"摄像机距最近的建筑 {away:.1f} 公里，坐标可能有误，未计入。",
            f"The camera stands {away:.1f} km away from all buildings: its coordinates are "
            "probably wrong, so it is left out.",
        )
    blocked: list[list[tuple[float, float]]] = [[] for _ in range(n)]
    xy[~usable] = 0.0
    eyes = np.zeros(n) if heights is None else np.asarray(heights, dtype=np.float64)
    camera, building = town.tree.query(shapely.points(xy), "dwithin", distance=TOUCH)
    hangs = town.solid[building] & (town.heights[building] >= eyes[camera]) & usable[camera]
    for c in np.unique(camera[hangs]):
        moved = _outward(xy[c], town, building[hangs & (camera == c)], float(eyes[c]), mount)
        if moved is None:
            usable[c] = False
            notes[c] = Sentence(
                f"摄像机在建筑物内部，距外墙超过 {mount:g} 米，无法确定装在哪面墙上。",
                f"The camera stands inside a building, more than {mount:g} m from its walls: "
                "it is not known which wall it hangs on.",
            )
            continue
        step = math.hypot(*(moved - xy[c]))
        if step > TOUCH:
            notes[c] = Sentence(
                f"摄像机落在建筑轮廓内，已向外移动 {step:.2f} 米到墙面。",
                f"The camera was drawn inside a building: it was moved {step:.2f} m to its wall.",
            )
        xy[c] = moved
        beside = town.tree.query(shapely.points(moved), "dwithin", distance=TOUCH)
        for b in beside[town.solid[beside] & (town.heights[beside] >= eyes[c])]:
            blocked[c] += blocked_angles(moved, town.shapes[b])
    return Mounted(xy, blocked, usable, notes)


def as_buildings(walls: Any, heights: ArrayLike | None = None) -> Buildings:
    """Return walls given as shapes, or as segments (n, 2, 2), as buildings."""
    if isinstance(walls, Buildings):
        return walls
    if hasattr(walls, "geometry") and hasattr(walls, "to_numpy"):
        # A GeoSeries or GeoDataFrame.
        return Buildings.read(walls.geometry.to_numpy(), heights)
    if hasattr(walls, "geom_type"):
        return Buildings.read(shapely.get_parts(walls), heights)
    if len(walls) and hasattr(walls[0], "geom_type"):
        return Buildings.read(walls, heights)
    segments = np.array(walls, dtype=np.float64).reshape(-1, 2, 2)
    if not np.isfinite(segments).all():
        raise ValueError("Some walls have coordinates that are missing or infinite.")
    return Buildings.read(shapely.linestrings(segments), heights)


def _away(xy: Floats, town: Buildings) -> Floats:
    """Return metres from places to the extent of all walls; 0 where there are none."""
    if not len(town.shapes):
        return np.zeros(len(xy))
    left, low, right, top = town.extent
    east = np.maximum(np.maximum(left - xy[:, 0], xy[:, 0] - right), 0.0)
    north = np.maximum(np.maximum(low - xy[:, 1], xy[:, 1] - top), 0.0)
    away: Floats = np.hypot(east, north)
    return away


def _outward(place: Floats, town: Buildings, inside: Ints, eye: float, mount: float) -> Any:
    """Return the nearest point of the outline of a building and those that touch it, or None."""
    point = shapely.Point(place)
    solid = shapely.union_all(town.shapes[inside])
    if not solid.contains(point):
        return place
    around = town.tree.query(point, "dwithin", distance=mount)
    around = around[town.solid[around] & (town.heights[around] >= eye)]
    outline = shapely.union_all(town.shapes[around]).boundary
    if outline.distance(point) > mount:
        return None
    return shapely.get_coordinates(outline.interpolate(outline.project(point)))[0]


def _stretch(eye: Floats, roof: Floats, target: Floats) -> Floats:
    """Return how many times further than the roof its shadow ends; infinite where it never does."""
    lower = roof < eye
    return np.where(lower, (eye - target) / np.where(lower, eye - roof, 1.0), np.inf)


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


def _shadowed(seen: Any, camera: Ints, hidden: Any) -> Any:
    """Return regions without what low buildings hide, shadow by shadow, all cameras at once."""
    cut = shapely.intersects(seen[camera], hidden)
    camera, hidden = camera[cut], hidden[cut]
    turn = np.arange(len(camera)) - np.searchsorted(camera, camera)
    for k in range(int(turn.max(initial=-1)) + 1):
        now = turn == k
        seen[camera[now]] = shapely.difference(seen[camera[now]], hidden[now])
    return seen


def _bent_shadow(eye: Floats, town: Buildings, which: int, stretch: float) -> Any:
    """Return the shadow of a building that is not convex, or of a bare wall."""
    about = shapely.transform(town.shapes[which], lambda xy: xy - eye)
    first, last = town.walls.first[which : which + 2]
    a = town.walls.segment[first:last, :2] - eye
    b = town.walls.segment[first:last, 2:] - eye
    behind = shapely.polygons(np.stack((a, b, b * stretch, a * stretch), axis=1))
    behind = behind[shapely.area(behind) > 1e-9]
    solid = [about, shapely.transform(about, lambda xy: xy * stretch)] if town.solid[which] else []
    return shapely.transform(shapely.union_all([*solid, *behind]), lambda xy: xy + eye)
