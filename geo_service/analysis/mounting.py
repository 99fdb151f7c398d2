"""Where cameras really hang: in the open, or on the wall of the building they were drawn in."""

import math
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import ArrayLike

from geo_service.analysis.buildings import Buildings, as_buildings, blocked_angles
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.sweep import TOUCH
from geo_service.analysis.weights import Bools, Floats, Ints

MOUNT = 4.0
"""Metres that a camera may lie within an outline and still be taken to hang on its wall.

Of 45 cameras drawn inside buildings in Helsinki's OpenStreetMap, 39 lie within 3.7 m of an outer
wall, the next 6.3 m inside."""

FAR = 10_000.0
"""Metres from all walls at which a camera's coordinates are taken to be wrong."""


class Mounted(NamedTuple):
    """Where cameras really hang: moved out to the wall of the building they were drawn in.

    ``blocked`` are the angles of their own walls; ``notes`` says what was done, or why a camera
    cannot be used (``usable`` False).
    """

    xy: Floats
    blocked: list[list[tuple[float, float]]]
    usable: Any
    notes: list[Sentence | None]


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
