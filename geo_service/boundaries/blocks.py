"""Blocks: the pieces into which roads and gaps between buildings cut grids, no building cut.

Plan coordinates are lattice steps of a coverage's frame, so that what is made of blocks fits the
grids exactly; ``even`` coordinates are metres, good to a thousandth within a town.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo_service.boundaries.gaps import cells
from geo_service.boundaries.lattice import Floats, Frame, Ints, Shape, edges, unpacked
from geo_service.boundaries.survey import WALL, Ground, holders
from geo_service.boundaries.topology import Coverage

METRE = 1e8 / 111_320
"""Lattice steps in a metre of latitude."""

REACH = 20.0
"""Metres by which a road that ends nowhere is drawn on, to close a block."""

ON = 0.6
"""Metres from a road within which an edge runs along it."""

THIN = 3.0
"""Metres below which an empty block is a strip beside a road and goes to its neighbour."""


class Even:
    """Metres around the middle of some plan geometries, and back to lattice steps."""

    def __init__(self, frame: Frame, shapes: Any) -> None:
        west, south, east, north = shapely.total_bounds(shapes)
        self._middle = np.array([west + east, south + north]) / 2
        latitude = np.radians(frame.place((self._middle[0], self._middle[1]))[1])
        self._step = np.array([np.cos(latitude), 1.0]) / METRE

    def metres(self, shapes: Any) -> Any:
        """Return plan geometries in metres."""
        return shapely.transform(shapes, lambda xy: (xy - self._middle) * self._step)

    def steps(self, shapes: Any) -> Any:
        """Return geometries in metres on the lattice."""
        return shapely.transform(shapes, lambda xy: np.rint(xy / self._step + self._middle))


@dataclass(frozen=True, eq=False)
class Blocks:
    """n blocks of some grids, and which lie beside each other.

    ``faces`` are plan polygons that fit each other edge by edge, ``block`` the block of each and
    ``grid`` the position (among ``codes``) of the grid that each lies in. ``owner`` is the grid
    that holds most of a block, ``households`` (n) what its buildings hold, ``area`` its m²,
    ``middle`` (n, 2) its place in metres. ``home`` is the block of each building of the ground
    data (-1: none of these). ``pairs`` (m, 2) share ``border`` metres of edge, of which ``natural``
    run along a road or around a public place.
    """

    codes: tuple[str, ...]
    faces: NDArray[Any]
    block: Ints
    grid: Ints
    owner: Ints
    households: Floats
    home: Ints
    area: Floats
    middle: Floats
    pairs: Ints
    border: Floats
    natural: Floats

    def shape(self, members: Any) -> Shape:
        """Return the plan polygon of some blocks (a mask, or positions)."""
        chosen = np.zeros(len(self.owner), dtype=bool)
        chosen[members] = True
        return shapely.coverage_union_all(self.faces[chosen[self.block]])


def summed(index: Any, weights: Any, count: int) -> Floats:
    """Return the sum of weights for each of ``count`` indices."""
    return np.bincount(index, weights, minlength=count).astype(np.float64)


def blocks(coverage: Coverage, codes: Sequence[str], ground: Ground, largest: float) -> Blocks:
    """Cut grids into blocks along roads, and along mid-lines where a block holds too much.

    ``largest`` is how many households a block may hold before it is cut between its buildings. A
    building is never cut: what it lies in is one block. Raises :class:`Refused` for a code that no
    grid has.
    """
    for code in codes:
        coverage.known(code)
    frame = coverage.frame
    grids = np.array([coverage.plan(code) for code in codes], dtype=object)
    even = Even(frame, grids)
    wide = shapely.box(*shapely.total_bounds(grids)).buffer(100 * METRE)
    near = np.sort(ground.shelf.query(shapely.box(*frame.lonlat(wide).bounds)))
    points = ground.points[near]
    houses = _Houses(
        near,
        even.metres(frame.plan(ground.buildings[near])),
        even.metres(frame.plan(shapely.points(points))),
        holders(list(codes), [coverage[code] for code in codes], points),
        ground.homes.households[near],
    )
    roads = _roads(ground, frame, even, wide)
    pieces = _Pieces(*_faces(grids, [even.steps(line) for line in roads]), even, houses)
    lines = [*roads, *pieces.finer(largest)]
    if len(lines) > len(roads):
        pieces = _Pieces(*_faces(grids, [even.steps(line) for line in lines]), even, houses)
    return pieces.joined(tuple(codes), roads, len(ground.buildings))


def _roads(ground: Ground, frame: Frame, even: Even, wide: Shape) -> list[Shape]:
    """Return natural borders near a plan box, in metres: roads drawn on, outlines of places."""
    lines, tree = ground.natural
    near = np.sort(tree.query(shapely.box(*frame.lonlat(wide).bounds)))
    found = even.metres(frame.plan(lines[near]))
    parts = shapely.get_parts(found[near < len(ground.roads)])
    ends = shapely.STRtree(parts)
    more = []
    for i, part in enumerate(parts):
        xy = shapely.get_coordinates(part)
        for end, before in ((xy[0], xy[1]), (xy[-1], xy[-2])):
            touching = ends.query(shapely.Point(end), predicate="dwithin", distance=0.05)
            length = float(np.hypot(*(end - before)))
            if set(touching.tolist()) <= {i} and length > 0:
                on = end + (end - before) / length * REACH
                more.append(shapely.LineString([end, on]))
    return [*parts, *more, *found[near >= len(ground.roads)]]


def _faces(grids: NDArray[Any], lines: Sequence[Shape]) -> tuple[NDArray[Any], Ints]:
    """Return the faces of lines (plan) within grids, and the grid that each lies in."""
    region = shapely.coverage_union_all(grids)
    inner = [shapely.intersection(line, region) for line in lines]
    noded = shapely.unary_union(
        [*shapely.boundary(grids), *(line for line in inner if not line.is_empty)], grid_size=1
    )
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    face, grid = shapely.STRtree(grids).query(
        shapely.point_on_surface(faces), predicate="intersects"
    )
    face, once = np.unique(face, return_index=True)
    return faces[face], grid[once].astype(np.int64)


@dataclass(frozen=True, eq=False)
class _Houses:
    """Buildings by position: in metres, a point in each, the grid that holds it (-1: none)."""

    number: Ints
    outlines: NDArray[Any]
    points: NDArray[Any]
    held: Ints
    households: Floats


class _Pieces:
    """Faces, the buildings that lie in each, and the blocks that they join into."""

    def __init__(
        self,
        faces: NDArray[Any],
        grid: Ints,
        even: Even,
        houses: _Houses,
    ) -> None:
        self.faces, self.grid, self.even, self.houses = faces, grid, even, houses
        self.plan = even.metres(faces)
        tree = shapely.STRtree(self.plan)
        cores = shapely.buffer(houses.outlines, -WALL, join_style="mitre")
        # One at the rim that a neighbour holds counts for nothing here, but is not cut either.
        self.building, self.face = tree.query(cores, predicate="intersects")
        at = np.full(len(cores), -1, dtype=np.int64)
        inside, where = tree.query(houses.points, predicate="intersects")
        at[inside] = where
        lost = np.flatnonzero((houses.held >= 0) & (at < 0))
        nearest = tree.query_nearest(houses.points[lost], all_matches=False)
        at[lost[nearest[0]]] = nearest[1]
        self.at = np.where(houses.held >= 0, at, -1)

    def homes(self) -> Floats:
        """Return the households of each face."""
        own = self.at >= 0
        return summed(self.at[own], self.houses.households[own], len(self.faces))

    def finer(self, largest: float) -> list[Shape]:
        """Return the mid-lines of the faces that hold more than ``largest``."""
        lines = []
        for i in np.flatnonzero(self.homes() > largest):
            inside = np.unique(self.building[self.face == i])
            if len(inside) > 1:
                for cell in cells(self.houses.outlines[inside], self.plan[i]):
                    lines.extend(shapely.get_parts(shapely.boundary(cell)))
        return lines

    def joined(self, codes: tuple[str, ...], roads: Sequence[Shape], buildings: int) -> Blocks:
        """Join faces that one of ``buildings`` lies across, and strips too narrow to be blocks."""
        count = len(self.faces)
        low, high, length, natural = self._shared(roads)
        order = np.argsort(self.building, kind="stable")
        building, face = self.building[order], self.face[order]
        same = building[1:] == building[:-1]
        links = [np.column_stack([face[:-1][same], face[1:][same]])]
        homes = self.homes()
        width = 2 * shapely.area(self.plan) / shapely.length(self.plan)
        for i in np.flatnonzero((homes == 0) & (width < THIN)):
            beside = np.flatnonzero((low == i) | (high == i))
            own = beside[self.grid[low[beside]] == self.grid[high[beside]]]
            if len(own):
                best = own[np.argmax(length[own])]
                links.append(np.array([[low[best], high[best]]]))
        joins = np.concatenate(links)
        graph = coo_array((np.ones(len(joins)), (joins[:, 0], joins[:, 1])), shape=(count, count))
        number, block = connected_components(graph, directed=False)
        a, b = block[low], block[high]
        apart = a != b
        key = np.minimum(a, b)[apart] * number + np.maximum(a, b)[apart]
        pairs, at = np.unique(key, return_inverse=True)
        area = shapely.area(self.plan)
        share = np.zeros((number, len(codes)))
        np.add.at(share, (block, self.grid), homes + area * 1e-9)
        centre = shapely.get_coordinates(shapely.centroid(self.plan)) * area[:, None]
        total = summed(block, area, number)
        held = self.at >= 0
        home = np.full(buildings, -1, dtype=np.int64)
        home[self.houses.number[held]] = block[self.at[held]]
        return Blocks(
            codes=codes,
            faces=self.faces,
            block=block.astype(np.int64),
            grid=self.grid,
            owner=share.argmax(axis=1).astype(np.int64),
            households=summed(block, homes, number),
            home=home,
            area=total,
            middle=np.column_stack([np.bincount(block, centre[:, k]) / total for k in (0, 1)]),
            pairs=np.column_stack([pairs // number, pairs % number]).astype(np.int64),
            border=summed(at, length[apart], len(pairs)),
            natural=summed(at, natural[apart], len(pairs)),
        )

    def _shared(self, roads: Sequence[Shape]) -> tuple[Ints, Ints, Floats, Floats]:
        """Return the edges that two faces share: both faces, metres, metres along a road."""
        tail, head, face = edges(self.faces)
        sides = list(zip(tail.tolist(), head.tolist(), strict=True))
        forth = dict(zip(sides, face.tolist(), strict=True))
        found = [
            (i, other, t, h) for (t, h), i in forth.items() if (other := forth.get((h, t), -1)) > i
        ]
        if not found:
            nothing = np.empty(0, dtype=np.int64)
            return nothing, nothing, np.empty(0), np.empty(0)
        low, high, start, end = np.array(found, dtype=np.int64).T
        ends = np.stack([unpacked(start), unpacked(end)], axis=1).astype(np.float64)
        lines = self.even.metres(shapely.linestrings(ends))
        length = shapely.length(lines)
        along = np.zeros(len(low), dtype=bool)
        if roads:
            middle = shapely.line_interpolate_point(lines, 0.5, normalized=True)
            near, _ = shapely.STRtree(list(roads)).query(middle, predicate="dwithin", distance=ON)
            along[near] = True
        return low, high, length, np.where(along, length, 0.0)
