"""What hills hide: lines of sight over a raster of heights."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geo_service.analysis.compiled import compiled
from geo_service.analysis.weights import Bools, Floats


@dataclass(frozen=True, eq=False)
class Terrain:
    """Heights of bare ground in metres, of square cells, row 0 in the north.

    ``west`` and ``north`` are the raster's corner and ``cell`` the side of a cell, in metres. A
    height that is not a number is not known.
    """

    heights: NDArray[np.float32]
    west: float
    north: float
    cell: float

    def around(self, west: float, south: float, east: float, north: float) -> "Terrain":
        """Return the cells that touch a rectangle, and one more on each side, as far as known."""
        rows, columns = self.heights.shape
        first = min(max(math.floor((west - self.west) / self.cell) - 1, 0), columns)
        last = min(max(math.ceil((east - self.west) / self.cell) + 1, first), columns)
        top = min(max(math.floor((self.north - north) / self.cell) - 1, 0), rows)
        bottom = min(max(math.ceil((self.north - south) / self.cell) + 1, top), rows)
        return Terrain(
            np.ascontiguousarray(self.heights[top:bottom, first:last]),
            self.west + first * self.cell,
            self.north - top * self.cell,
            self.cell,
        )

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return the row and the column of a place, whole numbers at the middle of a cell."""
        return (self.north - y) / self.cell - 0.5, (x - self.west) / self.cell - 0.5

    def height_at(self, x: float, y: float) -> float:
        """Return the height of a place, between cell centres in proportion; NaN if not known.

        >>> slope = Terrain(np.array([[0, 1, 2]], np.float32), 0, 10, 10)
        >>> slope.height_at(10, 5), slope.height_at(31, 5)
        (0.5, nan)
        """
        part = self.around(x, y, x, y)
        return float(height_between(part.heights.astype(np.float64), *part.place(x, y)))


def terrain_visible(
    heights: ArrayLike,
    cell: float,
    origin: tuple[float, float],
    eye: float,
    *,
    target_height: float = 0.0,
    radius: float = math.inf,
) -> Bools:
    """Return which cells of a raster can be seen, as an array of truths of the same shape.

    ``heights`` are metres above sea, row 0 in the north; ``cell`` is the side of a cell in metres;
    ``origin`` the (x, y) of the camera from the south-west corner of the raster, ``eye`` its height
    above the ground there. Seen is a cell whose centre, ``target_height`` above its ground, is
    in line with the eye over ground taken as piecewise linear along the line, at every crossing of
    a row or column of cell centres. Cells without a height (not a number) hide nothing and are not
    seen. Times the number of cells in reach times their distance in cells.

    Raises ValueError for a raster that is none, and an origin outside of it.

    Source: W. R. Franklin and C. K. Ray, "Higher isn't necessarily better: visibility algorithms
    and experiments" (1994), algorithm R3.

    >>> hill = np.zeros((1, 9)); hill[0, 4] = 5
    >>> terrain_visible(hill, 10, (5, 5), 4)[0].astype(int).tolist()
    [1, 1, 1, 1, 1, 0, 0, 0, 0]
    """
    ground = np.array(heights, dtype=np.float64)
    if ground.ndim != 2 or not ground.size:
        raise ValueError("The terrain must be a raster of heights in rows and columns.")
    if not (math.isfinite(cell) and cell > 0):
        raise ValueError(f"The side of a cell must be above 0 metres, not {cell}.")
    if not (eye > 0 and target_height >= 0):
        raise ValueError("The camera must hang above the ground, and the target not below it.")
    rows, columns = ground.shape
    column, row = origin[0] / cell - 0.5, rows - 0.5 - origin[1] / cell
    if not (-0.5 <= column <= columns - 0.5 and -0.5 <= row <= rows - 0.5):
        raise ValueError("The camera stands outside of the terrain.")
    here = float(height_between(ground, row, column))
    if math.isnan(here):
        raise ValueError("The terrain has no height where the camera stands.")
    seen: Bools = line_of_sight(ground, row, column, here + eye, target_height, radius / cell)
    return seen


def hidden_ground(
    terrain: Terrain, places: Floats, eyes: Floats, targets: Floats, within: Any
) -> tuple[Any, Bools]:
    """Return what hills hide of one region a camera, and which cameras stand on known ground.

    ``places`` (n, 2) are metres, ``eyes`` and ``targets`` metres above the ground. What is hidden
    comes in whole cells, for which their centres speak; it may reach beyond the region. Cells of
    unknown height neither hide nor are hidden, and nothing is for a camera on unknown ground.

    >>> ridge = Terrain(np.array([[0, 0, 9, 0, 0]], np.float32), 0, 10, 10)
    >>> hidden, known = hidden_ground(ridge, np.array([[5.0, 5]]), np.array([4.0]), np.zeros(1),
    ...                               [shapely.box(0, 0, 50, 10)])
    >>> hidden[0].bounds, bool(known[0])
    ((30.0, 0.0, 50.0, 10.0), True)
    """
    known = np.ones(len(places), dtype=bool)
    hidden = np.full(len(places), shapely.Polygon(), dtype=object)
    for c in np.flatnonzero(~shapely.is_empty(within)):
        (x, y), (west, south, east, north) = places[c], shapely.bounds(within[c])
        part = terrain.around(min(west, x), min(south, y), max(east, x), max(north, y))
        here = part.height_at(x, y)
        if math.isnan(here):
            known[c] = False
            continue
        ground = part.heights.astype(np.float64)
        row, column = part.place(x, y)
        seen = line_of_sight(ground, row, column, here + eyes[c], targets[c], math.inf)
        hidden[c] = _of_cells(~seen & ~np.isnan(ground), part)
    return hidden, known


def _of_cells(wanted: Bools, part: Terrain) -> Any:
    """Return cells of a raster as one shape."""
    # Row by row, from where a run of cells begins to where it ends.
    turns = np.diff(np.pad(wanted.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    (row, first), (_, last) = np.nonzero(turns == 1), np.nonzero(turns == -1)
    west, north, cell = part.west, part.north, part.cell
    runs = shapely.box(
        west + first * cell, north - (row + 1) * cell, west + last * cell, north - row * cell
    )
    return shapely.union_all(runs)


@compiled
def height_between(ground: Floats, row: float, column: float) -> float:
    """Return the height at fractions of a row and a column, NaN outside and where not known."""
    rows, columns = ground.shape
    if not (-0.5 <= row <= rows - 0.5 and -0.5 <= column <= columns - 0.5):
        return math.nan
    top, left = min(max(math.floor(row), 0), rows - 1), min(max(math.floor(column), 0), columns - 1)
    down, right = min(max(row - top, 0.0), 1.0), min(max(column - left, 0.0), 1.0)
    low, far = min(top + 1, rows - 1), min(left + 1, columns - 1)
    height = 0.0
    for r, c, part in (
        (top, left, (1 - down) * (1 - right)),
        (top, far, (1 - down) * right),
        (low, left, down * (1 - right)),
        (low, far, down * right),
    ):
        # An unknown neighbour of which nothing is wanted does not matter.
        if part > 0:
            height += part * ground[r, c]
    return height


@compiled
def line_of_sight(  # noqa: PLR0917 - compiled
    ground: Floats, row: float, column: float, eye: float, above: float, reach: float
) -> Bools:
    """Return the cells in line with an eye at a row and column (fractions of cells) of a raster."""
    rows, columns = ground.shape
    seen = np.zeros((rows, columns), np.bool_)
    for r in range(rows):
        for c in range(columns):
            down, right = r - row, c - column
            far = math.hypot(down, right)
            if far > reach or math.isnan(ground[r, c]):
                continue
            if max(abs(down), abs(right)) <= 0.5:
                seen[r, c] = True
                continue
            slope = (ground[r, c] + above - eye) / far
            clear = True
            for across in range(2):
                step = down if across == 0 else right
                if not clear or abs(step) < 1e-12:
                    continue
                start = row if across == 0 else column
                end = r if across == 0 else c
                way = 1 if step > 0 else -1
                line = math.floor(start) + 1 if way > 0 else math.ceil(start) - 1
                while (end - line) * way > 0:
                    t = (line - start) / step
                    side = (column + t * right) if across == 0 else (row + t * down)
                    low = math.floor(side)
                    part = side - low
                    limit = (columns if across == 0 else rows) - 1
                    low, high = min(max(low, 0), limit), min(max(low + 1, 0), limit)
                    if across == 0:
                        one, two = ground[line, low], ground[line, high]
                    else:
                        one, two = ground[low, line], ground[high, line]
                    top = one if part < 1e-12 else one + part * (two - one)
                    if t > 1e-12 and (top - eye) / (t * far) > slope + 1e-12:
                        clear = False
                        break
                    line += way
            seen[r, c] = clear
    return seen
