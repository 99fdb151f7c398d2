"""Lines drawn by hand, put onto natural borders: roads, public places, gaps between buildings.

Lines are places ``(longitude, latitude)`` or LineStrings in EPSG:4326; tolerances are metres. A
line keeps its ends, where it meets the boundary that it was drawn from.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import shapely.ops
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from geo_service.analysis.sentence import Sentence
from geo_service.boundaries.blocks import Even
from geo_service.boundaries.drawing import plan_line
from geo_service.boundaries.gaps import mid_lines
from geo_service.boundaries.lattice import Floats, Frame, Ints, Shape
from geo_service.boundaries.operations import Line
from geo_service.boundaries.refusal import Place, Refused
from geo_service.boundaries.survey import WALL, Ground

WIDEST = 200.0
"""The widest tolerance in metres: a line further off was not meant for that road."""

LONGEST = 20_000.0
"""The longest line in metres that is snapped."""

STEP = 5.0
"""Metres between the places where the way may leave a line for another."""

CLEAR = 0.3
"""Metres that a line keeps from the walls it is led around."""

ROAD, GAP, DRAWN, ACROSS = 0.25, 0.55, 1.0, 1.6
"""What a metre costs along a road, a gap between buildings, the line as drawn, and between them."""

THROUGH = 50.0
"""What a metre through a building costs."""


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
    frame, plan = _planned(line)
    even = Even(frame, [plan])
    way = even.metres(plan)
    near, outlines = _houses(ground, frame, even, way, 1.0)
    cores = shapely.buffer(outlines, -WALL, join_style="mitre")
    hit = np.flatnonzero(shapely.intersects(cores, way))
    inner = shapely.intersection(cores[hit], way)
    places = shapely.line_interpolate_point(
        [shapely.get_parts(shapely.line_merge(piece))[0] for piece in inner], 0.5, normalized=True
    )
    order = np.argsort(shapely.line_locate_point(way, places), kind="stable")
    lonlat = shapely.get_coordinates(frame.lonlat(even.steps(places[order])))
    return [
        Crossing(int(near[hit[i]]), (float(x), float(y)))
        for i, (x, y) in zip(order.tolist(), lonlat.tolist(), strict=True)
    ]


def off_buildings(line: Any, ground: Ground) -> Line:
    """Return a line that is led around every building it ran through, the shorter way.

    It passes 30 cm from the walls; buildings nearer to each other than 60 cm are passed as one. The
    rest of the line stays as it was drawn. Raises :class:`Refused` where an end of the line lies in
    or at a building, or where the way around would meet the line again.
    """
    frame, plan = _planned(line)
    even = Even(frame, [plan])
    way = even.metres(plan)
    for _ in range(20):
        _, outlines = _houses(ground, frame, even, way, 40.0)
        cores = shapely.buffer(outlines, -WALL, join_style="mitre")
        if not shapely.intersects(cores, way).any():
            break
        walls = shapely.get_parts(
            shapely.union_all(shapely.buffer(outlines, CLEAR, join_style="mitre"))
        )
        cut = shapely.union_all(shapely.intersection(cores, way))
        for wall in walls[shapely.intersects(walls, cut)]:
            way = _around(way, shapely.Polygon(wall.exterior), frame, even)
    if not way.is_simple or shapely.intersects(cores, way).any():
        raise Refused(
            Sentence(
                "线绕开建筑后会与自己相交，请换个位置画线。",
                "Led around the buildings the line would cross itself: draw it elsewhere.",
            ),
            _place(frame, even, shapely.get_coordinates(way)[0]),
        )
    return _line(frame, even, way)


def snapped(line: Any, ground: Ground, tolerance: float = 25.0) -> Line:
    """Return a line that follows roads, edges of public places and gaps between buildings.

    It goes where these lie within ``tolerance`` metres of the line as drawn and lead on, runs
    through no building if that can be helped, and keeps its ends: the cheapest way in a network of
    natural borders, the drawn line, and short ways between them. Raises :class:`Refused` for a
    tolerance of more than 200 m or none, and for a line that is none.
    """
    if not 0 < tolerance <= WIDEST:
        raise Refused(
            Sentence("贴合距离应在 0 到 200 米之间。", "The tolerance must be up to 200 m.")
        )
    frame, plan = _planned(line)
    even = Even(frame, [plan])
    way = even.metres(plan)
    if way.length > LONGEST:
        raise Refused(
            Sentence("线太长，请分段贴合。", "The line is too long to be snapped at once."),
            _place(frame, even, shapely.get_coordinates(way)[0]),
        )
    reach = shapely.buffer(way, tolerance)
    _, outlines = _houses(ground, frame, even, way, tolerance + 30)
    net = _Net(way)
    natural = [*ground.roads, *shapely.boundary(ground.places)]
    found = even.metres(frame.plan(np.array(natural, dtype=object))) if natural else np.array([])
    net.put(found, reach, ROAD)
    net.put([mid_lines(outlines, shapely.buffer(reach, 1))], reach, GAP)
    found = net.way(tolerance, outlines)
    if not found.is_simple:
        raise Refused(
            Sentence(
                "贴合后线会与自己相交，请缩小贴合距离或分段画线。",
                "Snapped, the line would cross itself: use a smaller tolerance or shorter lines.",
            ),
            _place(frame, even, shapely.get_coordinates(way)[0]),
        )
    return _line(frame, even, found)


class _Net:
    """Places on lines, and what it costs to go from one to the next."""

    def __init__(self, way: Shape) -> None:
        self.points: list[Floats] = []
        self.one: list[Ints] = []
        self.two: list[Ints] = []
        self.rate: list[Floats] = []
        self.count = 0
        self._add(way, DRAWN)
        self.drawn = self.count

    def put(self, lines: Any, reach: Shape, rate: float) -> None:
        """Add what lies of lines within reach, joined where lines meet."""
        inner = [shapely.intersection(line, reach) for line in lines]
        noded = shapely.union_all([line for line in inner if not line.is_empty])
        for part in shapely.get_parts(shapely.line_merge(noded)):
            if part.geom_type == "LineString" and part.length > 0:
                self._add(part, rate)

    def _add(self, line: Shape, rate: float) -> None:
        xy = shapely.get_coordinates(shapely.segmentize(line, STEP))
        at = np.arange(len(xy)) + self.count
        self.points.append(xy)
        self.one.append(at[:-1])
        self.two.append(at[1:])
        self.rate.append(np.full(len(xy) - 1, rate))
        self.count += len(xy)

    def way(self, tolerance: float, outlines: NDArray[Any]) -> Shape:
        """Return the cheapest way from the first drawn point to the last."""
        points = np.concatenate(self.points)
        tree = shapely.STRtree(shapely.points(points))
        # Natural borders join where they touch, and are reached from the line as drawn.
        a, b = tree.query(shapely.points(points), predicate="dwithin", distance=0.05)
        touch = a < b
        near, far = tree.query(
            shapely.points(points[: self.drawn]), predicate="dwithin", distance=tolerance
        )
        off = far >= self.drawn
        one = np.concatenate([*self.one, a[touch], near[off]])
        two = np.concatenate([*self.two, b[touch], far[off]])
        rate = np.concatenate([*self.rate, np.full(touch.sum(), ROAD), np.full(off.sum(), ACROSS)])
        edges = shapely.linestrings(np.stack([points[one], points[two]], axis=1))
        cost = shapely.length(edges) * rate + 1e-6
        if len(outlines):
            cores = shapely.buffer(outlines, -WALL, join_style="mitre")
            edge, house = shapely.STRtree(edges).query(cores, predicate="intersects")[::-1]
            inner = shapely.length(shapely.intersection(edges[edge], cores[house]))
            np.add.at(cost, edge, inner * THROUGH)
        # Of two ways between the same places the cheaper counts: sparse matrices would add them.
        path = _cheapest(one, two, cost, self.count, (0, self.drawn - 1))
        found = shapely.remove_repeated_points(shapely.LineString(points[path]), 0.01)
        return found if found.is_simple else _unlooped(found)


def _cheapest(one: Ints, two: Ints, cost: Floats, count: int, ends: tuple[int, int]) -> list[int]:
    """Return the nodes of the cheapest way from one end to the other."""
    # Of two ways between the same places the cheaper counts: sparse matrices would add them.
    low, high = np.minimum(one, two), np.maximum(one, two)
    order = np.lexsort((cost, high, low))
    low, high, cost = low[order], high[order], cost[order]
    first = np.r_[True, (low[1:] != low[:-1]) | (high[1:] != high[:-1])]
    graph = coo_array((cost[first], (low[first], high[first])), (count, count)).tocsr()
    _, before = dijkstra(graph, directed=False, indices=ends[0], return_predecessors=True)
    path = [ends[1]]
    while path[-1] != ends[0]:
        path.append(int(before[path[-1]]))
    return path[::-1]


def _unlooped(way: Shape) -> Shape:
    """Return the shortest way from end to end along a line that crosses itself."""
    parts = shapely.get_parts(shapely.union_all(way))
    xy = shapely.get_coordinates(way)
    corners, index = shapely.get_coordinates(parts, return_index=True)
    points, number = np.unique(
        np.round(np.r_[corners, xy[:1], xy[-1:]], 6), axis=0, return_inverse=True
    )
    number = number.ravel()
    inner = index[1:] == index[:-1]
    one, two = number[:-2][:-1][inner], number[:-2][1:][inner]
    cost = np.hypot(*(points[two] - points[one]).T) + 1e-9
    path = _cheapest(one, two, cost, len(points), (int(number[-2]), int(number[-1])))
    return shapely.LineString(points[path])


def _around(way: Shape, wall: Shape, frame: Frame, even: Even) -> Shape:
    """Return a line led around a polygon, the shorter way."""
    xy = shapely.get_coordinates(way)
    for end in (xy[0], xy[-1]):
        if shapely.contains_xy(wall, *end):
            raise Refused(
                Sentence(
                    "线的端点在建筑内或离墙不到 30 厘米，请把端点移到建筑外。",
                    "An end of the line lies in a building or within 30 cm of one: move it away.",
                ),
                _place(frame, even, end),
            )
    ring = shapely.LineString(wall.exterior)
    met = shapely.get_coordinates(shapely.intersection(way, ring))
    along = np.sort(shapely.line_locate_point(way, shapely.points(met)))
    enter, leave = float(along[0]), float(along[-1])
    ends = shapely.line_interpolate_point(way, [enter, leave])
    start, stop = (float(s) for s in shapely.line_locate_point(ring, ends))
    low, high = min(start, stop), max(start, stop)
    inner = shapely.get_coordinates(shapely.ops.substring(ring, low, high))
    outer = np.concatenate([
        shapely.get_coordinates(shapely.ops.substring(ring, high, ring.length)),
        shapely.get_coordinates(shapely.ops.substring(ring, 0, low)),
    ])  # fmt: skip
    ways = [inner if start <= stop else inner[::-1], outer[::-1] if start <= stop else outer]
    shorter = min(ways, key=lambda path: float(np.hypot(*np.diff(path, axis=0).T).sum()))
    first = shapely.get_coordinates(shapely.ops.substring(way, 0, enter))
    last = shapely.get_coordinates(shapely.ops.substring(way, leave, way.length))
    return shapely.remove_repeated_points(
        shapely.LineString(np.concatenate([first, shorter, last])), 0.002
    )


def _planned(line: Any) -> tuple[Frame, Shape]:
    """Return a frame around a line and the line in it, or raise Refused for what is no line."""
    try:
        xy = (
            shapely.get_coordinates(line)
            if isinstance(line, shapely.Geometry)
            else np.asarray(line, dtype=np.float64).reshape(-1, 2)
        )
    except (ValueError, TypeError):
        xy = np.empty((0, 2))
    if not len(xy) or not np.isfinite(xy).all() or np.abs(xy).max() > 180:
        xy = np.zeros((1, 2))
    try:
        frame = Frame((*xy.min(axis=0).tolist(), *xy.max(axis=0).tolist()))
    except ValueError:
        frame = Frame((*xy[0].tolist(), *xy[0].tolist()))
    return frame, plan_line(frame, line)


def _houses(
    ground: Ground, frame: Frame, even: Even, way: Shape, reach: float
) -> tuple[Ints, NDArray[Any]]:
    """Return the positions of buildings near a line in metres, and their outlines in metres."""
    west, south, east, north = shapely.buffer(way, reach).bounds
    corners = frame.lonlat(even.steps(shapely.multipoints([(west, south), (east, north)])))
    near = np.sort(ground.shelf.query(shapely.box(*corners.bounds)))
    outlines = even.metres(frame.plan(ground.buildings[near]))
    close = shapely.dwithin(outlines, way, reach) if len(near) else np.zeros(0, dtype=bool)
    return near[close], np.asarray(outlines, dtype=object)[close]


def _line(frame: Frame, even: Even, way: Shape) -> Line:
    xy = shapely.get_coordinates(frame.lonlat(shapely.remove_repeated_points(even.steps(way))))
    return tuple((float(x), float(y)) for x, y in xy)


def _place(frame: Frame, even: Even, xy: Floats) -> Place:
    x, y = shapely.get_coordinates(frame.lonlat(even.steps(shapely.Point(xy))))[0]
    return float(x), float(y)
