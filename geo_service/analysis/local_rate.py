"""Events of a cell and its neighbours against a base such as households, by an exact test."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from geo_service.analysis.weights import Floats, checked_neighbours


class LocalRate(NamedTuple):
    """For each cell with its neighbours: standard score, two-sided p, events, and expected ones."""

    z: Floats
    p: Floats
    around: Floats
    expected: Floats


def local_rate(counts: ArrayLike, base: ArrayLike, neighbours: Any) -> LocalRate:
    """Return whether the events around each cell are more, or fewer, than its base explains.

    Under the null hypothesis every event is as likely at any unit of the base, so of n events those
    around a cell are binomial with its share of the base. The sum over a cell and its neighbours
    is that of Getis and Ord's Gi* (Geographical Analysis 24 (1992) 189-206); p is twice the smaller
    tail, at most 1, and exact. Events where there is no base are left out. Cells with no base
    around them, or with all of it, are not tested: z = 0 and p = 1.

    :param counts: events of each cell
    :param base: households, or what else it is, of each cell; zero or more
    :param neighbours: n × n CSR matrix of ones without the diagonal
    :raises ValueError: where shapes differ, or there is no base at all

    >>> from scipy import sparse
    >>> alone = sparse.csr_array((3, 3))
    >>> found = local_rate([12, 3, 3], [100, 100, 100], alone)
    >>> found.expected.round(6).tolist(), found.p.round(4).tolist()
    ([6.0, 6.0, 6.0], [0.0078, 0.2033, 0.2033])
    """
    given, held = np.asarray(counts, np.float64), np.asarray(base, np.float64)
    matrix = checked_neighbours(neighbours, given.size)
    if held.shape != given.shape or not (held >= 0).all() or not held.sum() > 0:
        raise ValueError("The base must be a number a cell, zero or more, and not zero everywhere.")
    share = held / held.sum()
    # Events where nobody lives have no rate: they are left out of the comparison.
    total = np.where(held > 0, given, 0)
    n = int(total.sum())
    around = matrix @ total + total
    part = np.clip(matrix @ share + share, 0, 1)
    tested = (part > 0) & (part < 1)
    q = np.where(tested, part, 0.5)
    upper = stats.binom.sf(around - 1, n, q)
    lower = stats.binom.cdf(around, n, q)
    p = np.where(tested, np.minimum(1, 2 * np.minimum(upper, lower)), 1.0)
    z = np.where(tested, (around - n * q) / np.sqrt(max(n, 1) * q * (1 - q)), 0.0)
    return LocalRate(z, p, around, n * part)
