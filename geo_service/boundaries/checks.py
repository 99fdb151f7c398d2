"""What is wrong with a coverage: each defect with its grids, its place and its size."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from geo_service.analysis.sentence import Sentence
from geo_service.boundaries.figures import metric
from geo_service.boundaries.lattice import (
    Frame,
    Ints,
    Shape,
    edges,
    inner_point,
    unpacked,
    width,
)
from geo_service.boundaries.refusal import Place, listed

Kind = Literal["invalid", "multipart", "overlap", "gap", "sliver", "t-junction"]

NEAR = 2.0
"""Steps (2 mm) within which a vertex lies on an edge, and below which an overlap is rounding."""

NARROW = 0.5
"""Metres below which a part of a grid, or an opening between two grids, is a sliver."""

_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], dtype=np.uint64)

_STEP = 1.11e-3
"""Metres in a lattice step, at most."""

_SAID: dict[str, tuple[str, str]] = {
    "invalid": ("网格 {zh} 的边界不合法", "The boundary of grid {en} is not valid"),
    "multipart": ("网格 {zh} 分成 {size:.0f} 块", "Grid {en} is in {size:.0f} pieces"),
    "overlap": ("网格 {zh} 重叠 {size:.4g} 平方米", "Grids {en} overlap by {size:.4g} m²"),
    "gap": ("网格 {zh} 之间有 {size:.4g} 平方米空隙", "Between {en} is a gap of {size:.4g} m²"),
    "sliver": ("网格 {zh} 处有狭长碎片，{size:.4g} 平方米", "At {en} is a sliver of {size:.4g} m²"),
    "t-junction": (
        "网格 {zh} 的公共边上一方有顶点、另一方没有，相距 {size:.4g} 米",
        "On the edge of grids {en} one has a vertex and the other none, {size:.4g} m off",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Defect:
    """A defect of a coverage.

    ``size`` is in m² for overlaps, gaps and slivers, in metres for T-junctions (how far the vertex
    is off the edge), a count for multiparts, and 0 for invalid boundaries. ``place`` is longitude
    and latitude in degrees. A gap is a hole that grids enclose, wide or narrow: a lake that no grid
    takes is one as well. An opening narrower than half a metre that reaches the outside is a
    sliver, and so is a part of a grid as narrow.
    """

    kind: Kind
    codes: tuple[str, ...]
    place: Place
    size: float

    @property
    def sentence(self) -> Sentence:
        """The defect in words, without its place."""
        zh, en = listed(list(self.codes))
        say_zh, say_en = _SAID[self.kind]
        return Sentence(
            say_zh.format(zh=zh, size=self.size) + "。", say_en.format(en=en, size=self.size) + "."
        )


def check(polygons: Mapping[str, Shape], frame: Frame) -> list[Defect]:
    """Return the defects of grids (EPSG:4326, by code), by kind and place.

    >>> frame = Frame((117.0, 31.0, 117.02, 31.01))
    >>> west, east = shapely.box(117, 31, 117.011, 31.01), shapely.box(117.01, 31, 117.02, 31.01)
    >>> [(d.kind, d.codes, round(d.size)) for d in check({"a": west, "b": east}, frame)]
    [('overlap', ('a', 'b'), 105880)]
    """
    return _Check(polygons, frame).found()


class _Check:
    def __init__(self, polygons: Mapping[str, Shape], frame: Frame) -> None:
        self.codes = list(polygons)
        self.frame = frame
        self.given: NDArray[Any] = np.array(list(polygons.values()), dtype=object)
        self.plan: NDArray[Any] = frame.plan(self.given)
        west, _, east, _ = shapely.total_bounds(self.given)
        self.longitude = float(west + east) / 2

    def found(self) -> list[Defect]:
        defects = [*self.invalid(), *self.multiparts(), *self.narrow_parts()]
        tail, head, owner = edges(self.plan)
        loose = _unmatched(tail, head)
        if loose.any():
            tail, head, owner = tail[loose], head[loose], owner[loose]
            junctions, marks = self.junctions(tail, head, owner)
            suspects = np.unique(owner)
            gaps, holes = self.gaps(tail, head)
            overlaps, shared = self.overlaps(suspects, marks)
            found = [
                (gap, hole)
                for gap, hole in zip(gaps, holes, strict=True)
                if not self._rounding(hole, marks)
            ]
            defects += [*overlaps, *(gap for gap, _ in found)]
            # Corners of what overlaps or gapes lie on edges too: that is told already.
            told = shapely.STRtree([*shared, *(hole for _, hole in found)])
            defects += [
                junction
                for junction, point in junctions
                if not len(told.query(point, predicate="dwithin", distance=NEAR))
            ]
            defects += self.openings(suspects, holes, {d.codes for d in overlaps})
        return sorted(defects, key=lambda d: (d.kind, d.codes, d.place))

    def invalid(self) -> Iterator[Defect]:
        bad = np.flatnonzero(~shapely.is_valid(self.plan))
        for i in bad:
            xy = invalid_point(self.plan[i])
            # From here on its area stands for it.
            self.plan[i] = _polygonal(shapely.make_valid(self.plan[i], method="structure"))
            yield Defect("invalid", (self.codes[i],), self.frame.place(xy), 0.0)

    def multiparts(self) -> Iterator[Defect]:
        for i in np.flatnonzero(shapely.get_num_geometries(self.given) > 1):
            parts = shapely.get_parts(self.given[i])
            place = inner_point(parts[np.argmin(shapely.area(parts))])
            yield Defect("multipart", (self.codes[i],), place, float(len(parts)))

    def narrow_parts(self) -> Iterator[Defect]:
        parts, owner = shapely.get_parts(self.plan, return_index=True)
        for k in np.flatnonzero(width(parts) * _STEP < NARROW):
            if not parts[k].is_empty:
                yield self._area("sliver", (self.codes[owner[k]],), parts[k])

    def junctions(
        self, tail: Ints, head: Ints, owner: Ints
    ) -> tuple[list[tuple[Defect, Shape]], shapely.STRtree]:
        """Return vertices of one grid on an edge of another, and a tree of their places."""
        ends = np.stack([unpacked(tail), unpacked(head)], axis=1).astype(np.float64)
        lines = shapely.linestrings(ends)
        keys, first = np.unique(tail, return_index=True)
        points = shapely.points(unpacked(keys).astype(np.float64))
        at, line = shapely.STRtree(lines).query(points, predicate="dwithin", distance=NEAR)
        apart = (keys[at] != tail[line]) & (keys[at] != head[line])
        at, line = at[apart], line[apart]
        other = owner[first[at]]
        apart = other != owner[line]
        at, line, other = at[apart], line[apart], other[apart]
        away = shapely.distance(points[at], lines[line])
        defects: list[tuple[Defect, Shape]] = []
        seen: set[tuple[int, int]] = set()
        for k, j, o, far in zip(
            at.tolist(), line.tolist(), other.tolist(), away.tolist(), strict=True
        ):
            pair = (k, int(owner[j]))
            if pair not in seen:
                seen.add(pair)
                codes = tuple(sorted((self.codes[owner[j]], self.codes[o])))
                x, y = Frame.unpack(int(keys[k]))
                defect = Defect("t-junction", codes, self.frame.place((x, y)), far * _STEP)
                defects.append((defect, points[k]))
        return defects, shapely.STRtree(points[np.unique(at)])

    def overlaps(self, suspects: Ints, marks: shapely.STRtree) -> tuple[list[Defect], list[Shape]]:
        # Every polygon near a suspect, since one may lie wholly inside a grid whose edges all fit.
        one, two = shapely.STRtree(self.plan).query(self.plan[suspects], predicate="intersects")
        one = suspects[one]
        pairs = np.unique(np.sort(np.column_stack([one, two]), axis=1), axis=0)
        pairs = pairs[pairs[:, 0] != pairs[:, 1]]
        left, right = self.plan[pairs[:, 0]], self.plan[pairs[:, 1]]
        inside = shapely.relate_pattern(left, right, "T********")
        defects, shapes = [], []
        for i, j in pairs[inside].tolist():
            shared = _polygonal(shapely.intersection(self.plan[i], self.plan[j]))
            if shared.is_empty or self._rounding(shared, marks):
                continue
            codes = tuple(sorted((self.codes[i], self.codes[j])))
            defects.append(self._area("overlap", codes, shared))
            shapes.append(shared)
        return defects, shapes

    def gaps(self, tail: Ints, head: Ints) -> tuple[list[Defect], list[Shape]]:
        """Return the faces of unmatched edges that no grid covers."""
        pairs = np.unique(np.column_stack([np.minimum(tail, head), np.maximum(tail, head)]), axis=0)
        ends = np.stack([unpacked(pairs[:, 0]), unpacked(pairs[:, 1])], axis=1)
        noded = shapely.unary_union(shapely.linestrings(ends.astype(np.float64)))
        faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
        points = shapely.point_on_surface(faces)
        tree = shapely.STRtree(self.plan)
        covered = np.zeros(len(faces), dtype=bool)
        covered[np.unique(tree.query(points, predicate="intersects")[0])] = True
        defects, holes = [], []
        for face in faces[~covered]:
            around = tree.query(face, predicate="intersects")
            codes = tuple(sorted(self.codes[i] for i in around))
            holes.append(face)
            defects.append(self._area("gap", codes, face))
        return defects, holes

    def openings(
        self,
        suspects: Ints,
        holes: list[Shape],
        known: set[tuple[str, ...]],
    ) -> Iterator[Defect]:
        """Return narrow openings between grids that reach the outside, so that nothing closes."""
        plan = self.plan[suspects]
        wide = NARROW / _STEP
        broken = shapely.coverage_invalid_edges(plan, gap_width=wide)
        torn = np.flatnonzero(~shapely.is_empty(broken))
        if not len(torn):
            return
        closed = shapely.union_all(holes) if holes else shapely.Polygon()
        one, two = shapely.STRtree(plan[torn]).query(plan[torn], predicate="dwithin", distance=wide)
        for i, j in zip(torn[one[one < two]].tolist(), torn[two[one < two]].tolist(), strict=True):
            codes = tuple(sorted((self.codes[suspects[i]], self.codes[suspects[j]])))
            if codes in known:
                continue
            # What closes when both grow by half a width and shrink again, and no grid takes.
            pair = shapely.union_all(self.plan[suspects[[i, j]]])
            grown = shapely.buffer(pair, wide / 2, quad_segs=2, join_style="mitre")
            opening = shapely.difference(
                shapely.buffer(grown, -wide / 2, quad_segs=2, join_style="mitre"), pair
            )
            near = shapely.STRtree(self.plan).query(opening, predicate="intersects")
            opening = shapely.difference(
                opening, shapely.union_all([*self.plan[near], closed.buffer(NEAR)])
            )
            for part in shapely.get_parts(opening):
                # Mitred corners come back but for rounding; an opening is longer than wide.
                if part.length > 4 * wide and part.area > NEAR * wide:
                    yield self._area("sliver", codes, part)

    def _rounding(self, shape: Shape, marks: shapely.STRtree) -> bool:
        """Return whether a sliver is what a T-junction, already told, leaves on the lattice."""
        return bool(
            width(np.array([shape]))[0] < NEAR
            and len(marks.query(shape, predicate="dwithin", distance=2 * NEAR))
        )

    def _area(self, kind: Kind, codes: tuple[str, ...], shape: Shape) -> Defect:
        size = float(shapely.area(metric(self.frame.lonlat(shape), self.longitude)))
        return Defect(kind, codes, self.frame.place(inner_point(shape)), size)


def invalid_point(shape: Shape) -> tuple[float, float]:
    """Return where an invalid polygon is so.

    >>> invalid_point(shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]))
    (1.0, 1.0)
    """
    found = re.search(r"\[(\S+) (\S+)\]", shapely.is_valid_reason(shape))
    x, y = found.groups() if found else shapely.get_coordinates(shape)[0]
    return float(x), float(y)


def _unmatched(tail: Ints, head: Ints) -> NDArray[np.bool_]:
    """Return which directed edges are not run exactly once in each direction."""
    low, high = np.minimum(tail, head), np.maximum(tail, head)
    # One mixed key sorts faster than two. Two edges that mix alike could only part a pair, which is
    # then looked at more closely for nothing.
    mixed = low.astype(np.uint64) * _MIX[0] + high.astype(np.uint64) * _MIX[1]
    order = np.argsort(mixed)
    low, high, up = low[order], high[order], (tail < head)[order]
    same = (low[1:] == low[:-1]) & (high[1:] == high[:-1])
    before, after = np.r_[False, same], np.r_[same, False]
    twin = np.zeros(len(low), dtype=bool)
    opposite = np.r_[False, up[1:] != up[:-1]]
    # A pair: joined to the one before, opposite to it, and nobody else on either side.
    second = before & ~after & opposite & ~np.r_[False, before[:-1]]
    twin[second] = True
    twin[np.flatnonzero(second) - 1] = True
    loose = np.empty(len(low), dtype=bool)
    loose[order] = ~twin
    return loose


def _polygonal(shape: Shape) -> Shape:
    parts = shapely.get_parts(shape)
    parts = parts[shapely.get_dimensions(parts) == 2]
    return parts[0] if len(parts) == 1 else shapely.multipolygons(shapely.get_parts(parts))
