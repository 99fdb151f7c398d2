"""What every statistic over cells first makes sure of: its values and its matrix of neighbours."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def checked_values(values: ArrayLike) -> Floats:
    """Return ``values`` as a vector of floats, or raise ValueError where it is none."""
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not x.size:
        raise ValueError(f"The values must be one number a cell, not an array of shape {x.shape}.")
    if not np.isfinite(x).all():
        missing = int((~np.isfinite(x)).sum())
        raise ValueError(f"{missing} of the {x.size} values are missing or infinite.")
    return x


def checked_neighbours(neighbours: Any, n: int) -> Any:
    """Return the weights of ``n`` cells as a CSR array without stored zeros, or raise ValueError.

    Weights are finite and not negative, and the diagonal is empty: whether a cell counts as its own
    neighbour is for the statistic to say.
    """
    if not sparse.issparse(neighbours):
        raise ValueError("The neighbours must be a scipy.sparse matrix of weights, a row a cell.")
    if neighbours.shape != (n, n):
        rows, columns = neighbours.shape
        raise ValueError(f"The neighbours are {rows} × {columns}, but there are {n} cells.")
    matrix = sparse.csr_array(neighbours, dtype=np.float64, copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    if not np.isfinite(matrix.data).all() or (matrix.data < 0).any():
        raise ValueError("A weight of a neighbour is negative, missing or infinite.")
    if matrix.diagonal().any():
        raise ValueError("The diagonal of the neighbours must be empty: use star for the cell.")
    return matrix


def is_whole(values: Floats) -> bool:
    """Tell whether all values are whole numbers that a float holds exactly.

    >>> is_whole(np.array([0.0, 3.0])), is_whole(np.array([0.5]))
    (True, False)
    """
    return bool((values == np.rint(values)).all() and (np.abs(values) < 2**53).all())


def has_equal_rows(matrix: Any) -> bool:
    """Tell whether the weights within each row are equal: binary, up to the scale of the row."""
    degree = np.diff(matrix.indptr)
    row = np.repeat(np.arange(matrix.shape[0]), degree)
    largest = matrix.max(axis=1).toarray().ravel()
    return bool(np.allclose(matrix.data, largest[row], rtol=1e-12, atol=0))


def largest_weight(matrix: Any) -> Floats:
    """Return the largest weight of each row, and 1 where a row is empty."""
    largest = matrix.max(axis=1).toarray().ravel()
    return np.where(np.diff(matrix.indptr) > 0, largest, 1.0)
