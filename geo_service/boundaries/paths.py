"""A line that somebody drew, in metres, with the buildings around it."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo_service.boundaries.blocks import Even
from geo_service.boundaries.drawing import plan_line
from geo_service.boundaries.lattice import Floats, Frame, Ints, Shape
from geo_service.boundaries.operations import Line
from geo_service.boundaries.refusal import Place
from geo_service.boundaries.survey import WALL, Ground

CLEAR = 0.3
"""Metres that a line keeps from the walls it is led around."""


class Path:
    """A line in metres (``way``) around its own middle, and back to places on the lattice.

    Takes places ``(longitude, latitude)`` or a LineString in EPSG:4326, closed or not. Raises
    :class:`Refused` for what is no line, or crosses itself.
    """

    def __init__(self, line: Any, ground: Ground) -> None:
        self._ground = ground
        self._frame = _frame(line)
        plan = plan_line(self._frame, line)
        self._even = Even(self._frame, [plan])
        self.way: Shape = self._even.metres(plan)

    def metres(self, shapes: Any) -> Any:
        """Return geometries of EPSG:4326 in metres."""
        return np.asarray(self._even.metres(self._frame.plan(shapes)), dtype=object)

    def box(self, way: Shape, reach: float) -> Shape:
        """Return the box in degrees that holds what lies within ``reach`` metres of a line."""
        west, south, east, north = way.bounds
        corners = [(west - reach, south - reach), (east + reach, north + reach)]
        return shapely.box(
            *self._frame.lonlat(self._even.steps(shapely.multipoints(corners))).bounds
        )

    def buildings(self, way: Shape, reach: float) -> tuple[Ints, NDArray[Any]]:
        """Return the buildings within ``reach`` metres of a line: positions, outlines in metres."""
        near = np.sort(self._ground.shelf.query(self.box(way, reach)))
        outlines = self.metres(self._ground.buildings[near])
        close = shapely.dwithin(outlines, way, reach)
        return near[close], outlines[close]

    def line(self, way: Shape) -> Line:
        """Return a line in metres as places on the lattice."""
        steps = shapely.remove_repeated_points(self._even.steps(way))
        xy = shapely.get_coordinates(self._frame.lonlat(steps))
        return tuple((float(x), float(y)) for x, y in xy)

    def place(self, xy: Floats) -> Place:
        """Return a point in metres as a place on the lattice."""
        return self.line(shapely.LineString([xy, xy]))[0]


def drawn(line: Any, ground: Ground) -> Line:
    """Return a line as it was drawn, on the lattice. Raises as :class:`Path`."""
    path = Path(line, ground)
    return path.line(path.way)


def walls(outlines: NDArray[Any]) -> NDArray[Any]:
    """Return polygons that a line goes around: outlines in metres, 30 cm wider, joined."""
    wider = shapely.buffer(outlines, CLEAR, join_style="mitre")
    joined = shapely.get_parts(shapely.union_all(wider))
    return np.asarray(shapely.polygons(shapely.get_exterior_ring(joined)), dtype=object)


def cores(outlines: NDArray[Any]) -> NDArray[Any]:
    """Return outlines in metres without what lies within 10 cm of the walls: lines run there."""
    return np.asarray(shapely.buffer(outlines, -WALL, join_style="mitre"), dtype=object)


def _frame(line: Any) -> Frame:
    """Return a frame around a line, or any for what is no line: the drawing refuses it."""
    try:
        xy = (
            shapely.get_coordinates(line)
            if isinstance(line, shapely.Geometry)
            else np.asarray(line, dtype=np.float64).reshape(-1, 2)
        )
        return Frame((*xy.min(axis=0).tolist(), *xy.max(axis=0).tolist()))
    except (ValueError, TypeError, OverflowError):
        return Frame((0.0, 0.0, 0.0, 0.0))
