"""Buildings that a line drawn by hand runs through, and the way around them.

Lines are places ``(longitude, latitude)`` or LineStrings in EPSG:4326. A line keeps its ends, where
it meets the boundary that it was drawn from; one that is closed keeps the place where it closes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import shapely.ops

from geo_service.analysis.sentence import Sentence
from geo_service.boundaries.lattice import Floats, Shape
from geo_service.boundaries.operations import Line
from geo_service.boundaries.paths import Path, cores, walls
from geo_service.boundaries.refusal import Place, Refused
from geo_service.boundaries.survey import Ground

AROUND = 40.0
"""Metres from a line within which buildings are looked at that its way around may meet."""

ROUNDS = 20
"""A way around a building may meet another: it is led on this often at most."""


@dataclass(frozen=True)
class Crossing:
    """A building that a line runs through: its position in the ground data, and a place in it."""

    building: int
    place: Place


def crossed(line: Any, ground: Ground) -> list[Crossing]:
    """Return the buildings that a line runs through by more than 10 cm, along the line.

    >>> house = shapely.box(117.001, 31.001, 117.002, 31.002)
    >>> ground = Ground({}, buildings=np.array([house]))
    >>> [each.building for each in crossed([(117.0, 31.0015), (117.003, 31.0015)], ground)]
    [0]
    """
    path = Path(line, ground)
    near, outlines = path.buildings(path.way, 1.0)
    inner = cores(outlines)
    hit = np.flatnonzero(shapely.intersects(inner, path.way))
    middles = [_middle(shapely.intersection(core, path.way)) for core in inner[hit]]
    order = np.argsort(shapely.line_locate_point(path.way, middles), kind="stable")
    return [
        Crossing(int(near[hit[i]]), path.place(shapely.get_coordinates(middles[i])[0]))
        for i in order.tolist()
    ]


def off_buildings(line: Any, ground: Ground) -> Line:
    """Return a line that is led around every building it ran through, the shorter way.

    It passes 30 cm from the walls; buildings nearer to each other than 60 cm are passed as one. The
    rest of the line stays as it was drawn. Raises :class:`Refused` where an end of the line lies in
    or at a building, or where the way around would meet the line again.
    """
    path = Path(line, ground)
    way = path.way
    for _ in range(ROUNDS):
        _, outlines = path.buildings(way, AROUND)
        inner = cores(outlines)
        cut = shapely.union_all(inner[shapely.intersects(inner, way)])
        if cut.is_empty:
            break
        solid = walls(outlines)
        for wall in solid[shapely.intersects(solid, cut)]:
            way = _around(way, wall, path)
    found = path.line(way)
    # Once more on the lattice: pieces that pass each other by a hair may cross there.
    if not cut.is_empty or not shapely.LineString(np.rint(np.array(found) * 1e8)).is_simple:
        raise Refused(
            Sentence(
                "线绕开建筑后会与自己相交，请换个位置画线。",
                "Led around the buildings the line would cross itself: draw it elsewhere.",
            ),
            path.place(shapely.get_coordinates(way)[0]),
        )
    return found


def _middle(inner: Shape) -> Shape:
    """Return the middle of the longest piece of a line."""
    pieces = shapely.get_parts(shapely.line_merge(inner))
    longest = pieces[np.argmax(shapely.length(pieces))]
    return shapely.line_interpolate_point(longest, 0.5, normalized=True)


def _around(way: Shape, wall: Shape, path: Path) -> Shape:
    """Return a line led around a polygon, the shorter way."""
    xy = shapely.get_coordinates(way)
    for end in (xy[0], xy[-1]):
        if shapely.contains_xy(wall, *end):
            raise Refused(
                Sentence(
                    "线的端点在建筑内或离墙不到 30 厘米，请把端点移到建筑外。",
                    "An end of the line lies in a building or within 30 cm of one: move it away.",
                ),
                path.place(end),
            )
    ring = shapely.LineString(wall.exterior)
    met = shapely.get_coordinates(shapely.intersection(way, ring))
    if not len(met):  # the way around another building leads past this one
        return way
    along = shapely.line_locate_point(way, shapely.points(met))
    enter, leave = float(along.min()), float(along.max())
    ends = shapely.line_interpolate_point(way, [enter, leave])
    start, stop = (float(at) for at in shapely.line_locate_point(ring, ends))
    low, high = min(start, stop), max(start, stop)
    inner = _part(ring, low, high)
    outer = np.concatenate([_part(ring, high, ring.length), _part(ring, 0, low)])
    forth, back = (inner, outer[::-1]) if start <= stop else (inner[::-1], outer)
    shorter = min(forth, back, key=lambda side: float(np.hypot(*np.diff(side, axis=0).T).sum()))
    whole = [_part(way, 0, enter), shorter, _part(way, leave, way.length)]
    return shapely.remove_repeated_points(shapely.LineString(np.concatenate(whole)), 0.002)


def _part(line: Shape, start: float, stop: float) -> Floats:
    """Return the corners of a line between two distances along it."""
    found: Floats = shapely.get_coordinates(shapely.ops.substring(line, start, stop))
    return found
