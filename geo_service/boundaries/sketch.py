"""An operation in the making: polygons that are changed together, or not at all.

Two primitives do all the work. A vertex is inserted, moved or removed in every polygon that has it.
And lines are overlaid: noded with the polygons on the lattice, cut into faces, and the faces given
to grids. Snapping to the lattice moves a crossing off the edge it is on, by up to 0.7 mm; such a
vertex is inserted into the rings on both sides of the edge, so that nothing tears.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from geo_service.analysis.sentence import Sentence
from geo_service.boundaries.faces import THIN, Faces, faces_of
from geo_service.boundaries.grids import Grids
from geo_service.boundaries.lattice import (
    Edge,
    Floats,
    Frame,
    Ints,
    Shape,
    drawn,
    edges,
    line_edges,
    packed,
    rebuilt,
    unpacked,
)
from geo_service.boundaries.refusal import Refused

REACH = 100.0
"""A line that ends this near to an edge (about 10 cm) was meant to end on it."""

ROUNDS = 8
"""Noding settles in two rounds; where it does not, two vertices are within a step or two."""


@dataclass
class Sketch:
    """Changed polygons over a ground that stays as it is until the gate has let them pass.

    ``came`` and ``gone`` are the directed edges that the outline is to gain and to lose by what was
    drawn: the gate holds the grids to them.
    """

    ground: Grids
    outer: bool = False
    shapes: dict[str, Shape | None] = field(default_factory=dict)
    came: list[Edge] = field(default_factory=list)
    gone: list[Edge] = field(default_factory=list)
    _edges: dict[str, frozenset[Edge]] = field(default_factory=dict)

    def shape(self, code: str) -> Shape:
        """Return a grid as it is in the sketch."""
        if code in self.shapes:
            return self.shapes[code]
        return self.ground.plan(code)

    def put(self, code: str, shape: Shape | None) -> None:
        """Change a grid, or take it away (None)."""
        self.shapes[code] = shape
        self._edges.pop(code, None)

    def directed(self, code: str) -> frozenset[Edge]:
        """Return the directed edges of a grid as it is in the sketch."""
        if code not in self.shapes:
            return self.ground.directed(code)
        if code not in self._edges:
            tail, head, _ = edges(self.shapes[code])
            self._edges[code] = frozenset(zip(tail.tolist(), head.tolist(), strict=True))
        return self._edges[code]

    def near(self, bounds: Any) -> list[str]:
        """Return the codes near plan bounds, in order."""
        found = self.ground.near(bounds)
        return sorted(code for code in found if self.shapes.get(code, True) is not None)

    def holders(self, tail: int, head: int) -> dict[Edge, str]:
        """Return which grid has an edge in this direction, and which in the other.

        Vertices inserted before may lie a step outside the boxes of the ground.
        """
        (a, b), (c, d) = Frame.unpack(tail), Frame.unpack(head)
        found: dict[Edge, str] = {}
        for code in self.near((min(a, c) - 2, min(b, d) - 2, max(a, c) + 2, max(b, d) + 2)):
            own = self.directed(code)
            for edge in ((tail, head), (head, tail)):
                if edge in own:
                    found.setdefault(edge, code)
        return found

    def star(self, vertex: int) -> dict[str, list[Edge]]:
        """Return the edges at a vertex by the grids that have it as a corner."""
        x, y = Frame.unpack(vertex)
        stars = {
            code: [edge for edge in self.directed(code) if vertex in edge]
            for code in self.near((x - 2, y - 2, x + 2, y + 2))
        }
        return {code: star for code, star in stars.items() if star}

    def rim(self, code: str) -> set[Edge]:
        """Return the edges of a grid that have no grid on their other side."""
        west, south, east, north = self.shape(code).bounds
        near = self.near((west - 2, south - 2, east + 2, north + 2))
        every = {edge for other in near for edge in self.directed(other)}
        return {(tail, head) for tail, head in self.directed(code) if (head, tail) not in every}

    def insert(self, cuts: dict[Edge, list[int]]) -> None:
        """Insert vertices, in order, into edges, in the grids on both sides.

        Where there is a grid on one side only, the edge belongs to the outline, whose area stays
        what it was unless it may change: after P, the vertex A + B − P is inserted into A B as
        well, which is a lattice point, lies as far on the other side of the edge, and so makes up
        for P exactly.
        """
        plans: dict[str, dict[Edge, list[int]]] = {}
        for (tail, head), vertices in cuts.items():
            holders = self.holders(tail, head)
            path = vertices
            if len(holders) == 1:
                if not self.outer:
                    path = balanced(tail, head, vertices)
                (edge,) = holders
                way = [tail, *path, head] if edge == (tail, head) else [head, *path[::-1], tail]
                self.gone.append(edge)
                self.came += itertools.pairwise(way)
            for code in holders.values():
                plan = plans.setdefault(code, {})
                plan[tail, head] = path
                plan[head, tail] = path[::-1]
        for code, plan in plans.items():
            self.put(code, rebuilt(self.shape(code), inserting(plan)))

    def node(self, codes: Sequence[str], line: Shape) -> Faces:
        """Overlay a plan line on grids and return the faces of both.

        Afterwards the rings of the grids, and of their neighbours, have the vertices where the line
        meets them. Raises :class:`Refused` where the lattice is too coarse for what is drawn.
        """
        work = self.reaching(codes, line)
        for _ in range(ROUNDS):
            shapes = np.array([self.shape(code) for code in codes], dtype=object)
            tail, head, owner = edges(shapes)
            old = set(
                zip(np.minimum(tail, head).tolist(), np.maximum(tail, head).tolist(), strict=True)
            )
            noded = shapely.unary_union([*shapely.boundary(shapes), work], grid_size=1)
            low, high = line_edges(noded)
            new = set(zip(low.tolist(), high.tolist(), strict=True))
            gone = old - new
            if not gone:
                return faces_of(noded, codes, (tail, head, owner), shapes)
            vertices = np.unique(np.concatenate([low, high]))
            cuts = {edge: _path(edge, vertices, new) for edge in gone}
            self.insert(cuts)
            bends = {
                (min(pair), max(pair))
                for edge, path in cuts.items()
                for pair in zip([edge[0], *path], [*path, edge[1]], strict=True)
            }
            work = drawn(sorted(new - old - bends))
        raise Refused(
            Sentence(
                "此处的线与已有边界几乎重合，无法在毫米格网上区分，请把线移开一点。",
                "Here the line all but coincides with a boundary: move it a little.",
            ),
            self.ground.frame.place(shapely.get_coordinates(line)[0]),
        )

    def reaching(self, codes: Sequence[str], lines: Shape) -> Shape:
        """Return lines whose vertices sit on vertices they all but touch, and whose ends reach."""
        shapes = np.array([self.shape(code) for code in codes], dtype=object)
        corners = shapely.get_coordinates(shapes)
        tree = shapely.STRtree(shapely.points(corners))
        made = []
        for line in shapely.get_parts(lines):
            xy = shapely.get_coordinates(line)
            near, to = tree.query_nearest(shapely.points(xy), max_distance=THIN, all_matches=False)
            xy[near] = corners[to]
            if len(xy) < 3 or (xy[0] != xy[-1]).any():
                outline = shapely.union_all(shapely.boundary(shapes))
                start, stop = _end(xy[0], xy[1], outline), _end(xy[-1], xy[-2], outline)
                xy = np.concatenate([start, xy, stop])
            xy = xy[~np.r_[False, (xy[1:] == xy[:-1]).all(axis=1)]]
            if len(xy) > 1:
                made.append(shapely.LineString(xy))
        return shapely.multilinestrings(made)

    def unite(self, shapes: Iterable[Shape]) -> Shape:
        """Return the union of plan polygons that fit each other edge by edge."""
        united = shapely.coverage_union_all(list(shapes))
        return shapely.orient_polygons(shapely.normalize(united))


def balanced(tail: int, head: int, vertices: list[int]) -> list[int]:
    """Return a path from tail to head past the vertices that encloses the area of the edge.

    >>> path = balanced(Frame.pack((0, 0)), Frame.pack((10, 1)), [Frame.pack((3, 0))])
    >>> [Frame.unpack(vertex) for vertex in path]
    [(3, 0), (7, 1)]
    """
    if not vertices:
        return []
    vertex, rest = vertices[0], vertices[1:]
    a, b, p = Frame.unpack(tail), Frame.unpack(head), Frame.unpack(vertex)
    if (p[0] - a[0]) * (b[1] - a[1]) == (p[1] - a[1]) * (b[0] - a[0]):
        return [vertex, *balanced(vertex, head, rest)]
    key = Frame.pack((a[0] + b[0] - p[0], a[1] + b[1] - p[1]))
    rest = [other for other in rest if other != key]
    if _along(a, b, p) * 2 > _along(a, b, b):
        return [key, vertex, *balanced(vertex, head, rest)]
    far = _along(a, b, Frame.unpack(key))
    inner = [other for other in rest if _along(a, b, Frame.unpack(other)) < far]
    return [
        vertex, *balanced(vertex, key, inner),
        key, *balanced(key, head, [other for other in rest if other not in inner]),
    ]  # fmt: skip


def _along(a: tuple[int, int], b: tuple[int, int], p: tuple[int, int]) -> int:
    return (p[0] - a[0]) * (b[0] - a[0]) + (p[1] - a[1]) * (b[1] - a[1])


def inserting(plan: dict[Edge, list[int]]) -> Callable[[Floats], Floats]:
    """Return an edit of rings that inserts vertices into edges."""

    def edit(ring: Floats) -> Floats:
        keys = packed(ring).tolist()
        made = [keys[0]]
        for tail, head in itertools.pairwise(keys):
            made += plan.get((tail, head), ())
            made.append(head)
        return ring if len(made) == len(keys) else unpacked(np.array(made)).astype(np.float64)

    return edit


def _path(edge: Edge, vertices: Ints, new: set[Edge]) -> list[int]:
    """Return the vertices that snap rounding put into an edge, from its tail to its head."""
    a, b = (np.array(Frame.unpack(end), dtype=np.float64) for end in edge)
    xy = unpacked(vertices).astype(np.float64)
    low, high = np.minimum(a, b) - 1, np.maximum(a, b) + 1
    close = np.flatnonzero(((xy >= low) & (xy <= high)).all(axis=1))
    along = (xy[close] - a) @ (b - a)
    off = (xy[close, 0] - a[0]) * (b - a)[1] - (xy[close, 1] - a[1]) * (b - a)[0]
    on = np.abs(off) <= 0.7072 * np.hypot(*(b - a))
    close, along = close[on], along[on]
    path: list[int] = []
    last = edge[0]
    for vertex in vertices[close[np.argsort(along, kind="stable")]].tolist():
        if vertex not in edge and (min(last, vertex), max(last, vertex)) in new:
            path.append(vertex)
            last = vertex
    return path


def _end(end: Floats, before: Floats, outline: Shape) -> Floats:
    """Return what to add to a line so that its end lies on an outline it all but touches."""
    point = shapely.Point(end)
    if not 0 < shapely.distance(point, outline) <= REACH:
        return np.empty((0, 2))
    crossed = shapely.intersection(shapely.LineString([before, end]), outline)
    if not crossed.is_empty and shapely.distance(point, crossed) <= 2 * REACH:
        return np.empty((0, 2))
    way = shapely.shortest_line(point, outline)
    return np.asarray(np.rint(shapely.get_coordinates(way)[1:]))
