"""p-values from simulated maxima: rank, sequential stop, and the tail beyond the simulations."""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_EQUAL = 1e-10
"""Share by which two statistics of the same counts may differ through rounding."""


def reached(observed: float, maxima: Floats) -> NDArray[np.bool_]:
    """Return which simulated maxima are as large as ``observed``, or larger."""
    return np.asarray(maxima >= observed - _EQUAL * abs(observed))


def rank_p(observed: float, maxima: Floats) -> float:
    """Return (1 + simulations that reach ``observed``) / (1 + simulations).

    Dwass (1957), Annals of Mathematical Statistics 28:181.

    >>> rank_p(3.0, np.array([1.0, 2.0, 3.0]))
    0.5
    """
    return float((1 + reached(observed, maxima).sum()) / (1 + len(maxima)))


def sequential_p(observed: float, maxima: Floats, stop: int) -> float:
    """Return the p-value of a test that stops when ``stop`` simulations reach ``observed``.

    ``stop`` / l where the l-th simulation was the last needed, else the rank p of all. Besag and
    Clifford (1991), Biometrika 78:301.

    >>> sequential_p(1.0, np.array([0.5, 2.0, 1.5, 0.1]), 2)
    0.6666666666666666
    """
    places = np.flatnonzero(reached(observed, maxima))
    return stop / float(places[stop - 1] + 1) if len(places) >= stop else rank_p(observed, maxima)


def gumbel_p(observed: float, maxima: Floats) -> float:
    """Return the tail of a Gumbel distribution with the mean and variance of ``maxima``.

    Abrams, Kleinman and Kulldorff (2010), International Journal of Health Geographics 9:61.

    >>> round(gumbel_p(10.0, np.array([4.0, 5.0, 6.0, 5.5, 4.5])), 6)
    0.000168
    """
    scale = float(np.std(maxima, ddof=1)) * math.sqrt(6) / math.pi
    mode = float(np.mean(maxima)) - np.euler_gamma * scale
    return -math.expm1(-math.exp(-(observed - mode) / scale))
