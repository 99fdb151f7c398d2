"""Which cells are neighbours: binary scipy CSR matrices, a row a cell, the diagonal empty."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.spatial import cKDTree

from geo_service.analysis.lattice import Lattice
from geo_service.analysis.metric import checked_length, metres
from geo_service.analysis.weights import Floats, Ints

TOUCH = 0.01
"""Grids this near, in metres, touch: where three meet, an edge may pass a corner by rounding."""

QUEEN = ((-1, 1), (0, 1), (1, 1), (-1, 0), (1, 0), (-1, -1), (0, -1), (1, -1))
HEXAGON = ((-1, 1), (0, 1), (-1, 0), (1, 0), (0, -1), (1, -1))
"""Steps to the neighbours from the north-west to the south-east, as cells are numbered: the columns
of each row of the matrix then come sorted."""

MOST_PAIRS = 200_000_000
"""More neighbour pairs than this do not fit the memory of a town's computer."""


def contiguity(lattice: Lattice) -> Any:
    """Return the neighbours that share an edge or a corner.

    Squares have up to eight (queen), hexagons up to six, grids those that touch within a
    centimetre. Cells cut by the rim of the area count as whole ones. The result is an n × n CSR
    array of ones.

    >>> from geo_service.analysis.lattice import squares
    >>> cells = squares(shapely.box(0, 0, 300, 300), 100, crs=4549, local=4549)
    >>> contiguity(cells).sum(axis=1).astype(int).tolist()
    [3, 5, 3, 5, 8, 5, 3, 5, 3]
    """
    n = len(lattice)
    if lattice.kind == "grid":
        first, second = shapely.STRtree(lattice.polygons).query(
            lattice.polygons, predicate="dwithin", distance=TOUCH
        )
        return _binary(first, second, n)
    low = lattice.place.min(axis=0) - 1
    table = np.full(lattice.place.max(axis=0) - low + 2, -1, dtype=np.int64)
    at = lattice.place - low
    table[at[:, 0], at[:, 1]] = np.arange(n)
    steps = QUEEN if lattice.kind == "square" else HEXAGON
    beside = np.stack([table[at[:, 0] + dx, at[:, 1] + dy] for dx, dy in steps], axis=1)
    there = beside >= 0
    columns = beside[there].astype(np.int32)
    ends = np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int32)
    return sparse.csr_array((np.ones(len(columns)), columns, ends), shape=(n, n))


def nearest(x: ArrayLike, y: ArrayLike, k: int) -> Any:
    """Return the ``k`` nearest neighbours of each point (a row has k ones; not symmetric).

    ``x`` and ``y`` are metres. Of points equally far, to a millimetre, the lower number wins.
    Raises ValueError unless k is from 1 to n − 1, and for degrees.

    >>> nearest([0.0, 1, 3, 7], [0.0, 0, 0, 0], 1).toarray().astype(int).tolist()
    [[0, 1, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
    """
    points = np.column_stack(metres(x, y))
    n = len(points)
    if not 1 <= k < n:
        raise ValueError(f"Each of {n} places has at most {n - 1} neighbours, not {k}.")
    # Ties may stand at the end of the list, or hide the point itself among its doubles.
    reach = min(n, k + 1)
    while True:
        away, other = cKDTree(points).query(points, k=reach)
        rounded = np.round(away, 3)
        if reach == n or (rounded[:, -1] > rounded[:, k]).all():
            break
        reach = min(n, 2 * reach)
    rounded = np.where(other == np.arange(n)[:, None], np.inf, rounded)
    order = np.lexsort((other, rounded), axis=1)[:, :k]
    return _binary(np.repeat(np.arange(n), k), np.take_along_axis(other, order, 1).ravel(), n)


def distance_band(x: ArrayLike, y: ArrayLike, distance: float) -> Any:
    """Return all neighbours within ``distance`` metres, the distance itself included.

    ``x`` and ``y`` are metres. Raises ValueError for degrees, a distance that is not positive, and
    for more neighbour pairs than memory holds.

    >>> distance_band([0.0, 100, 200, 500], [0.0] * 4, 100).sum(axis=1).tolist()
    [1.0, 2.0, 1.0, 0.0]
    """
    points = np.column_stack(metres(x, y))
    # Centres computed as 3 × 0.1 and as 0.3 are equally far.
    reach = checked_length(distance, "distance") * (1 + 1e-9)
    tree = cKDTree(points)
    pairs = tree.count_neighbors(tree, reach)
    if pairs > MOST_PAIRS:
        raise ValueError(
            f"Within {distance:g} m there are {pairs:,} pairs of neighbours: too many to hold."
        )
    pair = tree.query_pairs(reach, output_type="ndarray")
    return _binary(
        np.concatenate([pair[:, 0], pair[:, 1]]),
        np.concatenate([pair[:, 1], pair[:, 0]]),
        len(points),
    )


def row_standardised(neighbours: Any) -> Any:
    """Return weights that sum to 1 in each row; an empty row stays empty.

    >>> row_standardised(distance_band([0.0, 1, 2], [0.0] * 3, 1)).toarray()[1].tolist()
    [0.5, 0.0, 0.5]
    """
    total = np.asarray(neighbours.sum(axis=1)).ravel().astype(np.float64)
    scale = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
    return sparse.csr_array(sparse.diags_array(scale) @ neighbours)


def _binary(row: Ints, column: Ints, n: int) -> Any:
    off = row != column
    # 32 bits: half the memory, and some libraries take no others.
    row, column = row[off].astype(np.int32), column[off].astype(np.int32)
    ones: Floats = np.ones(len(row))
    matrix = sparse.csr_array((ones, (row, column)), shape=(n, n))
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix
