"""What somebody drew: lines and areas onto the lattice, or refused in a sentence."""

from typing import Any

import numpy as np
import shapely

from geo_service.analysis.sentence import Sentence
from geo_service.boundaries.lattice import Frame, Shape, inner_point
from geo_service.boundaries.refusal import Place, Refused


def plan_line(frame: Frame, line: Any) -> Shape:
    """Return a line (LineString or places) in lattice steps, or raise :class:`Refused`."""
    try:
        shape = line if isinstance(line, shapely.Geometry) else _of(shapely.LineString, line)
    except (ValueError, TypeError, shapely.errors.GEOSException):
        shape = shapely.Point()
    if shape.geom_type == "LinearRing":
        shape = shapely.LineString(shape)
    if shape.geom_type != "LineString" or shape.is_empty or not _finite(shape):
        raise Refused(
            Sentence("请画一条线，至少两个点。", "Draw one line, of two points at least.")
        )
    plan = shapely.remove_repeated_points(frame.plan(shapely.force_2d(shape)))
    place = _first(shape)
    if not frame.holds(plan):
        raise Refused(
            Sentence("这条线不在本镇范围内。", "This line is far outside the town."), place
        )
    if plan.length == 0:
        raise Refused(Sentence("这条线没有长度。", "This line has no length."), place)
    crossing = _crossing(plan)
    if crossing is not None:
        raise Refused(
            Sentence("这条线与自己相交。", "This line crosses itself."), frame.place(crossing)
        )
    return plan


def _of(kind: Any, places: Any) -> Shape:
    xy = np.asarray(places, dtype=np.float64)
    if not np.isfinite(xy).all():
        raise ValueError("a coordinate is not a number")
    return kind(xy)


def plan_polygon(frame: Frame, polygon: Any) -> Shape:
    """Return a polygon (Polygon, MultiPolygon or places) in steps, or raise :class:`Refused`."""
    try:
        shape = polygon if isinstance(polygon, shapely.Geometry) else _of(shapely.Polygon, polygon)
    except (ValueError, TypeError, shapely.errors.GEOSException):
        shape = shapely.Point()
    if shape.geom_type not in {"Polygon", "MultiPolygon"} or shape.is_empty or not _finite(shape):
        raise Refused(
            Sentence("请画一个面，至少三个点。", "Draw an area, of three points at least.")
        )
    plan = shapely.remove_repeated_points(frame.plan(shapely.force_2d(shape)))
    place = _first(shape)
    if not frame.holds(plan):
        raise Refused(
            Sentence("这个面不在本镇范围内。", "This area is far outside the town."), place
        )
    if shapely.convex_hull(plan).area < 1:
        raise Refused(Sentence("这个面没有面积。", "This area has no size."), place)
    parts = shapely.get_parts(plan)
    if len(parts) > 1 and shapely.is_valid(parts).all():
        # Areas chosen one by one may share edges, or overlap.
        plan = shapely.union_all(parts, grid_size=1)
    if not shapely.is_valid(plan):
        for ring in shapely.get_rings(plan):
            crossing = _crossing(shapely.LineString(ring))
            if crossing is not None:
                place = frame.place(crossing)
                break
        raise Refused(
            Sentence("这个面的边线与自己相交。", "The outline of this area crosses itself."), place
        )
    return plan


def _finite(shape: Shape) -> bool:
    return bool(np.isfinite(shapely.get_coordinates(shape)).all())


def _first(shape: Shape) -> Place:
    x, y = shapely.get_coordinates(shape)[0]
    return float(x), float(y)


def _crossing(line: Shape) -> tuple[float, float] | None:
    """Return where a line crosses or touches itself, but for a ring that closes."""
    if shapely.is_simple(line):
        return None
    segments = shapely.linestrings(
        np.stack([(xy := shapely.get_coordinates(line))[:-1], xy[1:]], axis=1)
    )
    one, two = shapely.STRtree(segments).query(segments, predicate="intersects")
    ring = bool((xy[0] == xy[-1]).all())
    last = len(segments) - 1
    for i, j in sorted(zip(one.tolist(), two.tolist(), strict=True)):
        if j <= i:
            continue
        met = shapely.intersection(segments[i], segments[j])
        if j == i + 1 or (ring and i == 0 and j == last):
            if met.geom_type != "Point":
                return inner_point(met)
            continue
        return inner_point(met)
    return None
