"""Which square, hexagon or grid an event lies in: millions of events a second.

On a shared edge an event belongs to the lowest number, so every event has exactly one cell.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geo_service.analysis.compiled import compiled
from geo_service.analysis.weights import Bools, Floats, Ints

CLOSE = 1e-5
"""An event this near to the edge of its cell, in metres, may belong to the next one."""

_ROOT3 = math.sqrt(3)


class Located(NamedTuple):
    """The cell of each event, −1 for none, and whether its cell's edge is close."""

    cell: Ints
    close: Bools


class Table(NamedTuple):
    """Cell numbers by column and row counted from ``corner``; −1 where there is no cell."""

    number: Ints
    corner: Ints

    @classmethod
    def of(cls, place: Ints) -> "Table":
        """Return the table of the cells at these columns and rows, in their order."""
        corner = place.min(axis=0)
        number = np.full(place.max(axis=0) - corner + 1, -1, dtype=np.int64)
        number[tuple((place - corner).T)] = np.arange(len(place))
        return cls(number, corner)


def squares_of(place: Ints, size: float, x: Floats, y: Floats) -> Located:
    """Return the squares of ``size`` metres at ``place`` (column and row) that hold events.

    >>> squares_of(np.array([[0, 0], [1, 0]]), 10.0, np.array([3.0, 10, 25]), np.ones(3))[0]
    array([ 0,  0, -1])
    """
    return Located(*_squares(*Table.of(place), size, x, y))


def hexagons_of(place: Ints, width: float, x: Floats, y: Floats) -> Located:
    """Return the hexagons of ``width`` metres at ``place`` (axial q and r) that hold events.

    >>> hexagons_of(np.array([[0, 0], [1, 0]]), 10.0, np.array([3.0, 5, 25]), np.zeros(3))[0]
    array([ 0,  0, -1])
    """
    return Located(*_hexagons(*Table.of(place), width, x, y))


def first_polygon(polygons: NDArray[np.object_], x: Floats, y: Floats, near: float) -> Ints:
    """Return the first polygon that each event is within ``near`` of, or −1."""
    points = shapely.points(x, y)
    tree = shapely.STRtree(polygons)
    event, polygon = tree.query(points, predicate="dwithin", distance=near)
    first = np.full(len(points), len(polygons), dtype=np.int64)
    np.minimum.at(first, event, polygon)
    return np.where(first < len(polygons), first, -1)


@compiled
def _at(number: Ints, corner: Ints, column: int, row: int) -> Any:
    """Return the cell at a column and row, or a number above all where there is none."""
    i, j = column - corner[0], row - corner[1]
    if 0 <= i < number.shape[0] and 0 <= j < number.shape[1] and number[i, j] >= 0:
        return number[i, j]
    return number.size


@compiled
def _squares(number: Ints, corner: Ints, size: float, x: Floats, y: Floats) -> Any:
    found, close = np.empty(len(x), np.int64), np.empty(len(x), np.bool_)
    none, margin = number.size, CLOSE / size
    for n in range(len(x)):
        u, v = x[n] / size, y[n] / size
        column, row = math.floor(u), math.floor(v)
        lowest = _at(number, corner, column, row)
        # On an edge two or four cells meet.
        before, below = math.ceil(u) - 1, math.ceil(v) - 1
        if before != column or below != row:
            lowest = min(lowest, _at(number, corner, before, row))
            lowest = min(lowest, _at(number, corner, column, below))
            lowest = min(lowest, _at(number, corner, before, below))
        found[n] = lowest if lowest < none else -1
        inside = min(u - column, column + 1 - u, v - row, row + 1 - v)
        close[n] = inside < margin
    return found, close


@compiled
def _hexagons(number: Ints, corner: Ints, width: float, x: Floats, y: Floats) -> Any:
    found, close = np.empty(len(x), np.int64), np.empty(len(x), np.bool_)
    none, tall = number.size, width * _ROOT3 / 2
    for n in range(len(x)):
        r = y[n] / tall
        q = x[n] / width - r / 2
        # A cell within one step of the rounded coordinates is the nearest; ties are edges.
        column, row = int(np.rint(q)), int(np.rint(r))
        nearest, second, lowest = math.inf, math.inf, none
        p, s = column, row
        for i in range(-1, 2):
            for j in range(-1, 2):
                east = x[n] - width * (column + i + (row + j) / 2)
                north = y[n] - tall * (row + j)
                away = east * east + north * north
                if away < nearest:
                    nearest, second = away, nearest
                    p, s = column + i, row + j
                elif away < second:
                    second = away
        close[n] = second - nearest < 2 * width * CLOSE
        if close[n]:
            lowest = _tied(number, corner, width, x[n], y[n], column, row)
        else:
            lowest = _at(number, corner, p, s)
        found[n] = lowest if lowest < none else -1
    return found, close


@compiled
def _tied(  # noqa: PLR0917 - compiled functions take arguments by place
    number: Ints, corner: Ints, width: float, x: float, y: float, column: int, row: int
) -> Any:
    """Return the lowest of the cells whose centres are as near as the nearest."""
    away = np.empty((3, 3))
    tall = width * _ROOT3 / 2
    for i in range(3):
        for j in range(3):
            p, s = column + i - 1, row + j - 1
            away[i, j] = math.hypot(x - width * (p + s / 2), y - tall * s)
    tied, lowest = away.min() + 1e-9 * width, number.size
    for i in range(3):
        for j in range(3):
            if away[i, j] <= tied:
                lowest = min(lowest, _at(number, corner, column + i - 1, row + j - 1))
    return lowest
