"""Where new cameras could hang in a town, and the demand that they could see."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import shapely

from geo_service.analysis.buildings import Buildings
from geo_service.analysis.candidates import pole_candidates, wall_candidates
from geo_service.analysis.cover import Cover
from geo_service.analysis.density_levels import Level
from geo_service.analysis.ground import Points
from geo_service.analysis.views import Camera, Scene, views
from geo_service.analysis.weights import Bools, Floats
from geo_service.coverage.standing import Standing
from geo_service.coverage.town import Town

AZIMUTHS = tuple(45.0 * k for k in range(8))
TURNS = (-45.0, 0.0, 45.0)
"""Degrees that a camera on a wall is turned from straight out."""

MOST_PLACES = 500
"""Poles and walls that are tried, those with most demand near them first."""

MOST_DEMAND = 30_000
"""Points that stand for ground; the step between them follows from the area."""

NEAR = 40.0
"""Metres within which demand counts for whether a place is tried."""

BESIDE = 1.5
"""Metres from the edge of the road to a pole."""


class Candidates(NamedTuple):
    """Cameras that might be added, one a place and azimuth, and how many places there were."""

    cameras: list[Camera]
    places: int
    tried: int


class Demand(NamedTuple):
    """What is to be seen: points, and the metres between them where they stand for ground."""

    points: Points
    step: float | None


def demand_of(town: Town, made: Cover, level: str, kind: str, area: Any, *, unseen: bool) -> Demand:
    """Return the demand of an area; ``unseen``: only what nobody sees yet.

    Points of ground stand for ``step`` squared each; buildings and privacy zones have none.
    """
    if kind in {"events", "households"}:
        held, step = town.points[kind], None
        inside = shapely.intersects_xy(area, held.xy)
        points = Points(held.xy[inside], held.weight[inside])
    else:
        step = max(math.sqrt(shapely.area(area) / MOST_DEMAND), 4.0)
        xy = _lattice(area, step)
        points = Points(xy[_open(town.standing, xy)], np.zeros(0))
        points = Points(points.xy, np.full(len(points.xy), step**2))
    if unseen and len(points.xy):
        left = ~seen(made, level, points.xy)
        points = Points(points.xy[left], points.weight[left])
    return Demand(points, step)


def seen(made: Cover, level: str, xy: Floats) -> Bools:
    """Return which points at least one camera sees."""
    hit = np.zeros(len(xy), dtype=bool)
    _, at = shapely.STRtree(shapely.points(xy)).query(
        made.counted[:, made.row(level)], "intersects"
    )
    hit[at] = True
    return hit


def candidates_of(
    standing: Standing, kind: str, spacing: float, area: Any, demand: Points
) -> Candidates:
    """Return cameras on poles along roads, on outer walls, or both, with optics of the form."""
    made: list[Camera] = []
    places = tried = 0
    near = shapely.STRtree(shapely.points(demand.xy)) if len(demand.xy) else None
    if kind in {"poles", "both"}:
        xy = _poles(standing, spacing, area)
        places += len(xy)
        xy = xy[_best(near, demand.weight, xy)]
        tried += len(xy)
        made += pole_candidates(xy, AZIMUTHS)
    if kind in {"walls", "both"}:
        here = np.sort(standing.buildings.tree.query(area, "intersects"))
        walls = Buildings(standing.buildings.shapes[here], standing.buildings.heights[here])
        straight = wall_candidates(walls, spacing)
        places += len(straight)
        xy = np.array([(one.x, one.y) for one in straight]).reshape(-1, 2)
        kept = _best(near, demand.weight, xy)
        tried += len(kept)
        wanted = {straight[k].code.rpartition("-")[0] for k in kept}
        made += [one for one in wall_candidates(walls, spacing, TURNS) if _site(one.code) in wanted]
    return Candidates(made, places, tried)


def views_of(cameras: Sequence[Camera], scene: Scene, level: Level) -> tuple[list[Camera], Any]:
    """Return the candidates that see something, and no privacy zone, with their views."""
    made = views(cameras, replace(scene, levels=(level,)))
    shapes = made.shapes[:, 0]
    good = ~shapely.is_empty(shapes)
    good[made.intruding] = False
    return [one for one, wanted in zip(cameras, good, strict=True) if wanted], shapes[good]


def _site(code: str) -> str:
    # wall-<building>-<number>-<turn>, where the turn may be negative.
    return "-".join(code.split("-")[:3])


def _poles(standing: Standing, spacing: float, area: Any) -> Floats:
    """Return places beside the roads of an area, on open ground, every ``spacing`` metres."""
    found = []
    for line, width in zip(standing.roads, standing.widths, strict=True):
        count = max(1, math.ceil(line.length / spacing))
        at = (np.arange(count) + 0.5) * line.length / count
        here = shapely.get_coordinates(shapely.line_interpolate_point(line, at))
        ahead = shapely.get_coordinates(
            shapely.line_interpolate_point(line, np.minimum(at + 0.5, line.length))
        )
        step = ahead - here
        long = np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-9)[:, None]
        left = np.column_stack((-step[:, 1], step[:, 0])) / long
        found.append(here + left * (width / 2 + BESIDE))
    xy: Floats = np.concatenate(found) if found else np.zeros((0, 2))
    xy = xy[shapely.intersects_xy(area, xy)] if len(xy) else xy
    return xy[_open(standing, xy)]


def _open(standing: Standing, xy: Floats) -> Bools:
    """Return which points lie neither in a building nor in a privacy zone."""
    points = shapely.points(xy)
    free = np.ones(len(xy), dtype=bool)
    free[standing.buildings.tree.query(points, "intersects")[0]] = False
    if len(standing.zones):
        free[shapely.STRtree(standing.zones.shapes).query(points, "intersects")[0]] = False
    return free


def _best(near: Any, weight: Floats, xy: Floats) -> Any:
    """Return the numbers of the places with most demand near them, in order; none without any."""
    if near is None or not len(xy):
        return np.zeros(0, np.int64)
    place, point = near.query(shapely.points(xy), "dwithin", distance=NEAR)
    held = np.bincount(place, weight[point], minlength=len(xy))
    order = np.argsort(-held, kind="stable")[:MOST_PLACES]
    return np.sort(order[held[order] > 0])


def _lattice(area: Any, step: float) -> Floats:
    west, south, east, north = shapely.bounds(area)
    x, y = np.meshgrid(
        np.arange(west + step / 2, east, step), np.arange(south + step / 2, north, step)
    )
    xy = np.column_stack((x.ravel(), y.ravel()))
    made: Floats = xy[shapely.intersects_xy(area, xy)]
    return made
