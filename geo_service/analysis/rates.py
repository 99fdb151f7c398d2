"""Event rates: exact intervals, and whether this period differs from the last."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, bdtrc, betaincinv, gammaincinv

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RateInterval:
    """Events per unit of exposure, and the exact interval that holds the true rate."""

    rate: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class RateComparison:
    """The rate now divided by the rate before, its exact interval, and ``p``, two-sided."""

    ratio: Floats
    low: Floats
    high: Floats
    p: Floats


def rate_interval(
    count: ArrayLike, exposure: ArrayLike = 1.0, *, confidence: float = 0.95
) -> RateInterval:
    """Return Poisson rates with exact intervals.

    :param count: events, whole numbers of any shape
    :param exposure: what they are counted over (days, households, households times days), positive
    :param confidence: of the interval, between 0 and 1
    :raises ValueError: where a count is no whole number of events, or an exposure is not positive

    Garwood (1936), Biometrika 28:437.

    >>> found = rate_interval(4, 2.0)
    >>> [round(float(v), 4) for v in (found.rate, found.low, found.high)]
    [2.0, 0.5449, 5.1208]
    """
    events, over = np.broadcast_arrays(_counts(count), _exposures(exposure))
    tail = _tail(confidence)
    low = np.where(events > 0, gammaincinv(np.maximum(events, 1), tail), 0.0)
    high = gammaincinv(events + 1, 1 - tail)
    return RateInterval(events / over, low / over, high / over)


def compare_rates(
    now: ArrayLike,
    before: ArrayLike,
    *,
    exposure_now: ArrayLike = 1.0,
    exposure_before: ArrayLike = 1.0,
    confidence: float = 0.95,
) -> RateComparison:
    """Compare the Poisson rates of two periods, exactly.

    Of ``now + before`` events the share in this period is binomial. ``p`` is twice the smaller
    tail, which agrees with the interval: p < 1 - confidence exactly where the interval leaves out
    1. No event last time gives a ratio of infinity; none in either period gives ratio 1, interval 0
    to infinity and p 1, since nothing speaks for a difference.

    :param now, before: events of this period and of the last, whole numbers that broadcast
    :param exposure_now, exposure_before: lengths or populations, positive, in one unit
    :raises ValueError: where a count is no whole number of events, or an exposure is not positive

    Przyborowski and Wilenski (1940), Biometrika 31:313; the interval by Clopper and Pearson (1934),
    Biometrika 26:404.

    >>> change = compare_rates(41, 17)
    >>> [round(float(v), 4) for v in (change.ratio, change.low, change.high, change.p)]
    [2.4118, 1.3403, 4.5277, 0.0022]
    """
    k, m, t, u = np.broadcast_arrays(
        _counts(now), _counts(before), _exposures(exposure_now), _exposures(exposure_before)
    )
    tail = _tail(confidence)
    n, share = k + m, t / (t + u)
    some, none_before = n > 0, m == 0
    at_most = bdtr(k, n.astype(np.int64), share)
    at_least = np.where(k > 0, bdtrc(np.maximum(k - 1, 0), n.astype(np.int64), share), 1.0)
    p = np.where(some, np.minimum(1.0, 2 * np.minimum(at_most, at_least)), 1.0)
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), m + 1, tail), 0.0)
    high = np.where(none_before, 1.0, betaincinv(k + 1, np.maximum(m, 1), 1 - tail))
    scale = u / t
    ratio = np.where(
        some & none_before, np.inf, np.where(some, k / np.where(none_before, 1, m) * scale, 1.0)
    )
    above = np.where(high < 1, high / np.where(high < 1, 1 - high, 1.0) * scale, np.inf)
    return RateComparison(ratio, low / (1 - low) * scale, above, p)


def _counts(count: ArrayLike) -> Floats:
    values = np.asarray(count, dtype=np.float64)
    if not (np.isfinite(values).all() and (values >= 0).all() and (values % 1 == 0).all()):
        raise ValueError("counts of events must be whole numbers, zero or more")
    return values


def _exposures(exposure: ArrayLike) -> Floats:
    values = np.asarray(exposure, dtype=np.float64)
    if not (np.isfinite(values).all() and (values > 0).all()):
        raise ValueError("an exposure (days, households) must be a positive number")
    return values


def _tail(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError("a confidence lies between 0 and 1, such as 0.95")
    return (1 - confidence) / 2
