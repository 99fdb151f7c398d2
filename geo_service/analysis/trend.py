"""Monotonic trend of many series at once: the Mann-Kendall test."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfc

from geo_service.analysis.compiled import compiled

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MannKendall:
    """The test of each series; every array has the series' shape without its last axis.

    ``s`` is the number of rising pairs less the falling ones, ``variance`` that of ``s`` without a
    trend, ``z`` its standard score with continuity correction, ``p`` two-sided.
    """

    s: NDArray[np.int64]
    variance: Floats
    z: Floats
    p: Floats


def mann_kendall(series: ArrayLike) -> MannKendall:
    """Test each series along the last axis for a monotonic trend.

    A constant series, and one of fewer than two values, has ``z`` 0 and ``p`` 1.

    :param series: numbers of any shape, time along the last axis, evenly or unevenly spaced
    :raises ValueError: where ``series`` has no axis, or a value that is not finite
    :returns: one test a series

    Mann (1945), Econometrica 13:245; Kendall (1975), Rank Correlation Methods, ties by its chapter
    4: Var(S) = (n(n-1)(2n+5) - Σ t(t-1)(2t+5)) / 18.

    >>> test = mann_kendall([1, 2, 2, 3, 5, 4, 6, 7])
    >>> int(test.s), round(float(test.z), 4)
    (25, 2.9922)
    """
    values = np.asarray(series, dtype=np.float64)
    if values.ndim == 0:
        raise ValueError("a trend needs a series, not one number")
    if not np.isfinite(values).all():
        raise ValueError("a trend needs a number at every step; some are missing or infinite")
    shape, steps = values.shape[:-1], values.shape[-1]
    s, ties = _pairs(np.ascontiguousarray(values.reshape(math.prod(shape), steps)))
    variance = (steps * (steps - 1) * (2 * steps + 5) - ties) / 18.0
    deviation = np.sqrt(np.where(variance > 0, variance, 1.0))
    z = np.where(variance > 0, (s - np.sign(s)) / deviation, 0.0)
    return MannKendall(
        s=s.reshape(shape),
        variance=variance.reshape(shape),
        z=z.reshape(shape),
        p=erfc(np.abs(z) / np.sqrt(2)).reshape(shape),
    )


@compiled
def _pairs(rows: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return S and the sum of t(t-1)(2t+5) over groups of t equal values, for each row."""
    count, steps = rows.shape
    s = np.zeros(count, np.int64)
    ties = np.zeros(count, np.int64)
    for n in range(count):
        row = rows[n]
        total = 0
        for i in range(steps - 1):
            first = row[i]
            for j in range(i + 1, steps):
                total += (row[j] > first) - (row[j] < first)
        s[n] = total
        ordered = np.sort(row)
        run = 1
        for i in range(1, steps + 1):
            if i < steps and ordered[i] == ordered[i - 1]:
                run += 1
            else:
                ties[n] += run * (run - 1) * (2 * run + 5)
                run = 1
    return s, ties
