"""A coverage of grids whose boundaries are edited without ever overlapping or coming apart.

Coordinates are EPSG:4326, longitude first, on the lattice of 1e-8 degrees; areas are m² in the
local CGCS2000 3-degree Gauss-Krüger zone. An operation changes the coverage in place and returns
what it changed, or raises :class:`Refused` and changes nothing. It looks at the grids it touches
and their neighbours only, whatever the size of the town.
"""

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ParamSpec

import shapely
from shapely.errors import GEOSException

from geo_service.analysis.sentence import Sentence
from geo_service.boundaries import checks, cleaning, drawing, gate, handovers, overlays, vertices
from geo_service.boundaries.change import Change, measured
from geo_service.boundaries.checks import Defect
from geo_service.boundaries.figures import Figures
from geo_service.boundaries.grids import Grids
from geo_service.boundaries.lattice import Shape, inner_point
from geo_service.boundaries.refusal import Place, Refused
from geo_service.boundaries.sketch import Sketch

__all__ = ["Change", "Coverage", "Defect", "Figures", "Place", "Refused"]

P = ParamSpec("P")


def _answering(do: Callable[P, Change]) -> Callable[P, Change]:
    """Turn what GEOS cannot compute, where boundaries do not fit as they are, into a refusal."""

    @functools.wraps(do)
    def answered(*args: P.args, **kwargs: P.kwargs) -> Change:
        try:
            return do(*args, **kwargs)
        except GEOSException:
            raise Refused(
                Sentence(
                    "此处的边界本来就不吻合，无法计算，请先检查和清理。",
                    "The boundaries here do not fit as they are: check and clean them first.",
                )
            ) from None

    return answered


class Coverage(Grids):
    """Grids by code, and the operations that re-divide them.

    ``polygons`` are valid or not, a coverage or not: :meth:`check` tells, :meth:`clean` mends, and
    operations where it is broken are refused. Coordinates off the lattice are put onto it; a grid
    that lies on it stays the very object given. The outer boundary (the outline of all grids, holes
    included) stays as it is unless an operation is called with ``outer=True``; a line that ends on
    it adds vertices to it that keep its area exactly. Raises ValueError for what is no polygon.

    >>> west, east = shapely.box(117, 31, 117.01, 31.01), shapely.box(117.01, 31, 117.02, 31.01)
    >>> town = Coverage({"a": west, "b": east})
    >>> change = town.reshape([(117.01, 31), (117.008, 31.005), (117.01, 31.01)])
    >>> change.codes, round(change.moved_area)
    (('a', 'b'), 105880)
    >>> town.revert(change)
    >>> town["a"] is west
    True
    """

    def copy(self) -> "Coverage":
        """Return a coverage that can be changed without changing this one."""
        return Coverage(self.polygons)

    # Operations.

    @_answering
    def move_vertex(self, old: Place, new: Place, *, outer: bool = False) -> Change:
        """Move a vertex, in every grid that has it, from ``old`` to ``new``."""
        sketch = Sketch(self, outer)
        return self._commit(sketch, *vertices.move(sketch, old, new))

    @_answering
    def insert_vertex(self, place: Place, *, outer: bool = False) -> Change:
        """Insert a vertex into the edge that runs within 10 cm of a place, on both sides of it."""
        sketch = Sketch(self, outer)
        return self._commit(sketch, *vertices.insert(sketch, place))

    @_answering
    def remove_vertex(self, place: Place, *, outer: bool = False) -> Change:
        """Take away a vertex at which two edges meet, on both sides of them."""
        sketch = Sketch(self, outer)
        return self._commit(sketch, *vertices.remove(sketch, place))

    @_answering
    def reshape(self, line: Any, *, outer: bool = False) -> Change:
        """Let the edge between two grids follow a line.

        ``line`` is a LineString or a list of places that begins and ends on the edge between the
        two, or beyond it. Where it cuts a grid, the piece on the side of the other grid goes to it.
        With ``outer``, a line that begins and ends on the outer boundary, or beyond it, becomes
        that boundary: each grid takes what the line encloses outside beside it, and leaves what the
        line cuts off inside, but for its largest piece.
        """
        sketch = Sketch(self, outer)
        return self._commit(sketch, *overlays.reshape(sketch, self._line(line)))

    @_answering
    def split(self, code: str, line: Any, new_codes: Sequence[str]) -> Change:
        """Divide a grid along a line into as many parts as there are new codes.

        Where ``code`` is among the new codes, the largest part keeps it. The others are given to
        the parts from west to east, and from north to south where they are one above the other.
        """
        self.known(code)
        sketch = Sketch(self)
        return self._commit(sketch, *overlays.split(sketch, code, self._line(line), new_codes))

    @_answering
    def merge(self, codes: Sequence[str], into: str) -> Change:
        """Make one grid of several that share edges; ``into`` is one of them or a new code."""
        for code in codes:
            self.known(code)
        sketch = Sketch(self)
        return self._commit(sketch, *overlays.merge(sketch, codes, into))

    @_answering
    def transfer(self, polygon: Any, from_codes: Sequence[str], to_code: str) -> Change:
        """Give what lies within a polygon from some grids to another beside them."""
        for code in (*from_codes, to_code):
            self.known(code)
        sketch = Sketch(self)
        area = self._polygon(polygon)
        return self._commit(sketch, *handovers.transfer(sketch, area, from_codes, to_code))

    @_answering
    def redraw(self, code: str, polygon: Any, *, outer: bool = False) -> Change:
        """Give a grid a new shape.

        What it gains is taken from the grids it covers; what it leaves goes to the neighbour with
        the longest edge along it. Unless ``outer`` is set, what is drawn beyond the outer boundary
        is cut off, and a strip along it narrower than 20 cm that it leaves stays with the grid.
        """
        self.known(code)
        sketch = Sketch(self, outer)
        return self._commit(sketch, *handovers.redraw(sketch, code, self._polygon(polygon)))

    @_answering
    def clean(self, tolerance: float) -> Change:
        """Mend the coverage: node T-junctions, share out overlaps, close gaps.

        Gaps narrower than ``tolerance`` metres go to the neighbour with the longest shared edge, as
        every overlap does, however wide. Wider gaps stay. Grids that fit are left as they are.
        Raises :class:`Refused` where a grid would vanish. Takes the whole coverage, not a part.
        """
        if not (math.isfinite(tolerance) and 0 <= tolerance <= 1000):
            raise Refused(
                Sentence("容差应在 0 到 1000 米之间。", "The tolerance must be 0 to 1000 m.")
            )
        after = cleaning.cleaned(self._shapes, self.frame, tolerance)
        before = {code: self[code] for code in after}
        change = measured(before, after, after, self.longitude, outer=True)
        self._put(change.before, change.after)
        return change

    def check(self) -> list[Defect]:
        """Return what is wrong: overlaps, gaps, slivers, T-junctions, multiparts, invalid rings."""
        return checks.check(self._shapes, self.frame)

    # Undo and redo.

    def apply(self, change: Change) -> None:
        """Make a change again. Raises :class:`Refused` where a grid is not what it was before."""
        self._swap(change.before, change.after)

    def revert(self, change: Change) -> None:
        """Undo a change, byte by byte. Raises :class:`Refused` where a grid has changed since."""
        self._swap(change.after, change.before)

    def _swap(self, now: Mapping[str, Shape], then: Mapping[str, Shape]) -> None:
        for code in sorted({*now, *then}):
            mine, theirs = self._shapes.get(code), now.get(code)
            if mine is theirs or (
                mine is not None and theirs is not None and shapely.equals_identical(mine, theirs)
            ):
                continue
            shape = mine if mine is not None else theirs
            raise Refused(
                Sentence(
                    f"网格 {code} 此后又有改动，不能撤销或重做。",
                    f"Grid {code} has changed since: this can be neither undone nor redone.",
                ),
                inner_point(shape),
            )
        self._put(now, then)

    def _commit(
        self, sketch: Sketch, moved: Iterable[str], parts: Mapping[str, int] | None = None
    ) -> Change:
        """Pass the gate and change the coverage, or raise and leave it as it is."""
        touched = [
            code
            for code, shape in sorted(sketch.shapes.items())
            if code not in self._shapes
            or shape is None
            or not shapely.equals_identical(shape, self.plan(code))
        ]
        if not touched:
            raise Refused(Sentence("这样画没有改变任何网格。", "This changes no grid."))
        before = {code: self.plan(code) for code in touched if code in self._shapes}
        after = {code: shape for code in touched if (shape := sketch.shapes[code]) is not None}
        allowed = {code: len(shapely.get_parts(shape)) for code, shape in before.items()}
        gate.passed(sketch, before, after, {**allowed, **(parts or {})})
        many = {code for code in before if before[code].geom_type == "MultiPolygon"}
        made = {}
        for code, shape in after.items():
            # A layer of multipolygons stays one.
            multi = code in many or (code not in before and bool(many))
            kept = (
                shapely.multipolygons([shape]) if multi and shape.geom_type == "Polygon" else shape
            )
            made[code] = self.frame.lonlat(kept)
        was = {code: self[code] for code in before}
        change = measured(was, made, moved, self.longitude, outer=sketch.outer)
        self._put(change.before, change.after)
        return change

    def _line(self, line: Any) -> Shape:
        return drawing.plan_line(self.frame, line)

    def _polygon(self, polygon: Any) -> Shape:
        return drawing.plan_polygon(self.frame, polygon)
