"""What hills hide: lines of sight over a raster of heights."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo_service.analysis.compiled import compiled

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


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
    here = float(ground[min(max(round(row), 0), rows - 1), min(max(round(column), 0), columns - 1)])
    if math.isnan(here):
        raise ValueError("The terrain has no height where the camera stands.")
    seen: Bools = line_of_sight(ground, row, column, here + eye, target_height, radius / cell)
    return seen


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
