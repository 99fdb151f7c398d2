"""Moran's I of a whole map and of each cell: whether like values lie beside like."""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from geo_service.analysis.local_g import check_exact, one_p, scores
from geo_service.analysis.permutation import tails
from geo_service.analysis.weights import (
    Floats,
    checked_neighbours,
    checked_values,
    has_equal_rows,
    is_whole,
)

NONE, HIGH_HIGH, LOW_HIGH, LOW_LOW, HIGH_LOW = range(5)
"""Quadrants of the Moran diagram, the cell first and its neighbours second, numbered as in esda."""


class Moran(NamedTuple):
    """Global Moran's I, its expectation and variance under randomisation, and two-sided p."""

    I: float  # noqa: E741
    expected: float
    variance: float
    z: float
    p: float


class LocalMoran(NamedTuple):
    """Local Moran's I of each cell, its standard score, two-sided p, and quadrant."""

    I: Floats  # noqa: E741
    z: Floats
    p: Floats
    quadrant: NDArray[np.int64]


def moran(values: ArrayLike, neighbours: Any) -> Moran:
    """Return Moran's I of n cells, with z and p under the randomisation assumption.

    ``values`` are n numbers, ``neighbours`` an n × n CSR matrix of weights without the diagonal,
    used as given. The p-value is that of the normal approximation.

    Where I cannot vary (all values equal, no neighbours, fewer than four cells, all cells each
    other's neighbours) the answer is z = 0 and p = 1, with I = 0 if it has no value at all.

    Source: A. D. Cliff and J. K. Ord, "Spatial Processes" (1981), section 1.5; agrees with
    ``esda.Moran`` (``VI_rand``).

    >>> from scipy import sparse
    >>> chain = sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(6, 6))
    >>> found = moran([5, 4, 5, 1, 0, 1], chain)
    >>> round(found.I, 3), round(found.expected, 3), round(found.z, 2)
    (0.532, -0.2, 1.72)
    """
    x = checked_values(values)
    matrix = checked_neighbours(neighbours, x.size)
    n = x.size
    centred = x - x.mean()
    ss = float(centred @ centred)
    s0 = float(matrix.sum())
    level = x.min() == x.max() or s0 == 0
    found = 0.0 if level else n / s0 * float(centred @ (matrix @ centred)) / ss
    expected = -1.0 / (n - 1) if n > 1 else 0.0
    if level or n < 4:
        return Moran(found, expected, 0.0, 0.0, 1.0)
    both = matrix + matrix.T
    s1 = float(both.multiply(both).sum()) / 2
    s2 = float(np.square(matrix.sum(axis=1) + matrix.sum(axis=0)).sum())
    kurtosis = float((centred**4).sum()) * n / ss**2
    a = n * ((n**2 - 3 * n + 3) * s1 - n * s2 + 3 * s0**2)
    b = kurtosis * ((n**2 - n) * s1 - 2 * n * s2 + 6 * s0**2)
    variance = (a - b) / ((n - 1) * (n - 2) * (n - 3) * s0**2) - expected**2
    if variance <= 1e-12 * expected**2:
        return Moran(found, expected, 0.0, 0.0, 1.0)
    z = (found - expected) / variance**0.5
    return Moran(found, expected, variance, z, float(2 * stats.norm.sf(abs(z))))


def local_moran(
    values: ArrayLike,
    neighbours: Any,
    *,
    inference: Literal["exact", "permutation", "normal"] | None = None,
    permutations: int = 999,
    seed: int | None = None,
) -> LocalMoran:
    """Return Anselin's local Moran's I of n cells.

    ``values`` are n numbers, ``neighbours`` an n × n CSR matrix of weights without the diagonal,
    used as given: scale the rows to 1 first for the usual I. ``I`` is (n − 1) zᵢ Σ wᵢⱼ zⱼ / Σ zⱼ²
    with z the deviations from the mean, as in ``esda.Moran_Local``. ``quadrant`` is 1 high among
    high, 2 low among high, 3 low among low, 4 high among low, and 0 where nothing can be said.

    Inference is conditional on the cell's own value, the other n − 1 being shuffled, as Anselin
    proposes. Given that value I is a multiple of its neighbours' sum, so ``exact`` is the
    distribution :func:`~geo_service.analysis.local_g.local_g` computes for Gi, for whole numbers
    and equal weights within a row. ``permutation`` draws ``permutations`` arrangements (the p is a
    rank, so never below 1 / (permutations + 1) on a side). ``normal`` is the normal tail of ``z``,
    which under each of them is the score by the mean and variance of all arrangements (Sokal, Oden
    and Thomson 1998). By default exact where it applies, otherwise permutation. All p are
    two-sided: twice the smaller tail, at most 1.

    Where I cannot vary (all values equal, no neighbours, a value at the mean exactly) z = 0 and
    p = 1. Raises ValueError for values or weights that do not fit.

    Source: L. Anselin, "Local indicators of spatial association", Geographical Analysis 27 (1995)
    93-115.

    >>> from scipy import sparse
    >>> chain = sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(6, 6))
    >>> found = local_moran([9, 8, 7, 0, 0, 1], chain)
    >>> found.quadrant.tolist(), found.p.round(2).tolist()
    ([1, 1, 4, 3, 3, 3], [0.4, 0.2, 1.0, 0.4, 0.2, 0.8])
    """
    x = checked_values(values)
    matrix = checked_neighbours(neighbours, x.size)
    n = x.size
    if inference is None:
        inference = "exact" if is_whole(x) and has_equal_rows(matrix) else "permutation"
    if inference not in {"exact", "permutation", "normal"}:
        raise ValueError(f'"{inference}" is not exact, permutation or normal.')
    z, fixed = scores(x, matrix, star=False)
    centred = x - x.mean()
    if x.min() == x.max():
        return LocalMoran(np.zeros(n), np.zeros(n), np.ones(n), np.zeros(n, dtype=np.int64))
    # The mean of equal digits is rounded: a value that close to it is at the mean.
    centred[np.abs(centred) <= 1e-12 * np.abs(x).max()] = 0.0
    lag = matrix @ centred
    local = (n - 1) * centred * lag / float(centred @ centred)
    if inference == "exact":
        check_exact(x, matrix)
        greater, less = tails(x, matrix, star=False)
    elif inference == "permutation":
        greater, less = _shuffled(centred, matrix, lag, permutations, seed)
    else:
        greater, less = stats.norm.sf(z), stats.norm.cdf(z)
    fixed = fixed | (centred == 0)
    p = np.where(fixed, 1.0, one_p(greater, less, "two-sided"))
    score = np.where(fixed, 0.0, np.sign(centred) * z)
    high, around = centred > 0, lag > 0
    quadrant = np.select(
        [high & around, ~high & around, ~high & ~around], [HIGH_HIGH, LOW_HIGH, LOW_LOW], HIGH_LOW
    )
    islands = np.diff(matrix.indptr) == 0
    return LocalMoran(local, score, p, np.where(islands, NONE, quadrant).astype(np.int64))


def _shuffled(
    x: Floats, matrix: Any, lag: Floats, permutations: int, seed: int | None
) -> tuple[Floats, Floats]:
    """Return both tails of the neighbours' sum by the rank among random arrangements."""
    if permutations < 1:
        raise ValueError("The number of permutations must be at least 1.")
    rng = np.random.default_rng(seed)
    n = x.size
    degree = np.diff(matrix.indptr)
    row = np.repeat(np.arange(n), degree)
    slot = np.arange(matrix.nnz) - np.repeat(matrix.indptr[:-1], degree)
    # Equal sums added in another order differ in the last digits; they are ties.
    slack = 1e-10 * np.abs(x).max() * np.asarray(matrix.sum(axis=1))
    above, below = np.zeros(n), np.zeros(n)
    for _ in range(permutations):
        # One draw serves all cells: of n − 1 places, counted past the cell itself.
        drawn = rng.choice(n - 1, size=int(degree.max(initial=0)), replace=False, shuffle=True)
        place = drawn[slot]
        place += place >= row
        total = np.bincount(row, matrix.data * x[place], minlength=n)
        above += total >= lag - slack
        below += total <= lag + slack
    return (above + 1) / (permutations + 1), (below + 1) / (permutations + 1)
