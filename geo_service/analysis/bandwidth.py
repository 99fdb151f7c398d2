"""How far a kernel should reach: Scott's rule, ArcGIS' rule, and likelihood cross-validation."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar

from geo_service.analysis.compiled import compiled
from geo_service.analysis.density import KERNELS, Kernel
from geo_service.analysis.metric import metres
from geo_service.analysis.weights import Floats

QUARTIC = math.sqrt(8)
"""Radius of the quartic kernel whose variance is that of a Gaussian with deviation 1."""

STEPS = 24
"""Bandwidths tried before the best is refined: the likelihood may have several peaks."""


class CrossValidation(NamedTuple):
    """The bandwidth of the greatest likelihood, all that were tried, and how well each did.

    ``log_likelihood`` is the mean a event of the logarithm of the density in events per m², from
    the events elsewhere. ``at_end`` tells that the best was the least or the greatest tried.
    """

    bandwidth: float
    tried: Floats
    log_likelihood: Floats
    at_end: bool


def scott(x: ArrayLike, y: ArrayLike, *, kernel: Kernel = "quartic") -> float:
    """Return Scott's bandwidth in metres: s n^(-1/6), for the quartic kernel times √8.

    s is the root mean square of the standard deviations of ``x`` and ``y`` (metres). It is best for
    one round normal cloud and smooths too much where there are several.

    Source: D. W. Scott, "Multivariate Density Estimation" (1992), section 6.3.

    >>> round(scott([0, 100, 200, 300], [0, 100, 0, 100], kernel="gaussian"), 1)
    79.4
    """
    east, north = _checked(x, y, kernel)
    deviation = math.sqrt((east.var(ddof=1) + north.var(ddof=1)) / 2)
    return float(deviation * east.size ** (-1 / 6)) * (QUARTIC if kernel == "quartic" else 1.0)


def arcgis(x: ArrayLike, y: ArrayLike) -> float:
    """Return the default search radius of ArcGIS' Kernel Density (quartic kernel), in metres.

    0.9 min(SD, √(1 / ln 2) Dₘ) n^(-0.2), with SD the standard distance of the events from their
    mean centre and Dₘ the median distance. Where half the events lie in the mean centre, Dₘ is 0
    and SD alone counts.

    Source: Esri, "How Kernel Density works", ArcGIS Pro documentation, after Silverman (1986),
    section 3.4.2.

    >>> round(arcgis([0, 100, 200, 300], [0, 100, 0, 100]), 1)
    83.5
    """
    east, north = _checked(x, y, "quartic")
    away = np.hypot(east - east.mean(), north - north.mean())
    deviation = math.sqrt(float((away**2).mean()))
    median = float(np.median(away)) * math.sqrt(1 / math.log(2))
    spread = min(deviation, median) if median > 0 else deviation
    return float(0.9 * spread * east.size**-0.2)


def cross_validated(
    x: ArrayLike,
    y: ArrayLike,
    *,
    kernel: Kernel = "gaussian",
    low: float | None = None,
    high: float | None = None,
) -> CrossValidation:
    """Return the bandwidth under which the events are best predicted by the events elsewhere.

    Maximises Σ log f₋ᵢ(xᵢ). Events at the very same place are left out together: where many share
    an address, leaving out one alone would make an infinitely narrow kernel best. ``low`` and
    ``high`` bound the search in metres, by default from a fiftieth of Scott's bandwidth to three
    times it. With the quartic kernel one lone event can force a wide bandwidth, so the Gaussian is
    the default. The time grows with the square of the number of places: 10,000 take seconds.

    Raises ValueError for fewer than three places, for degrees, and for bounds out of order.

    Source: R. P. W. Duin, IEEE Transactions on Computers C-25 (1976) 1175-1179; B. W. Silverman,
    "Density Estimation" (1986), section 3.4.4.

    >>> rng = np.random.default_rng(3)
    >>> x, y = rng.normal(0, 100, (2, 200)) + rng.choice([0, 5000], 200)
    >>> found = cross_validated(x, y)
    >>> 30 < found.bandwidth < 80, found.at_end
    (True, False)
    """
    east, north = _checked(x, y, kernel)
    places, count = np.unique(np.column_stack([east, north]), axis=0, return_counts=True)
    if len(places) < 3:
        raise ValueError(f"A bandwidth needs events at three places, here are {len(places)}.")
    scale = scott(east, north, kernel=kernel)
    low, high = (scale / 50 if low is None else low), (3 * scale if high is None else high)
    if not 0 < low < high < math.inf:
        raise ValueError("The least bandwidth must be positive and below the greatest.")
    across, along = np.ascontiguousarray(places.T)

    def score(logarithm: float) -> float:
        bandwidth = math.exp(logarithm)
        quartic = kernel == "quartic"
        return float(_likelihood(across, along, count.astype(np.float64), bandwidth, quartic))

    steps = np.linspace(math.log(low), math.log(high), STEPS)
    scores = np.array([score(step) for step in steps])
    if not np.isfinite(scores).any():
        raise ValueError("At every bandwidth tried some event has no other near: raise the bounds.")
    best = int(np.argmax(scores))
    found, at_end = steps[best], best in {0, STEPS - 1}
    if not at_end:
        finer = minimize_scalar(
            lambda step: -score(step),
            bounds=(steps[best - 1], steps[best + 1]),
            method="bounded",
            options={"xatol": 1e-3},
        )
        if -finer.fun >= scores[best]:
            found = float(finer.x)
    return CrossValidation(math.exp(found), np.exp(steps), scores, at_end)


def _checked(x: ArrayLike, y: ArrayLike, kernel: str) -> tuple[Floats, Floats]:
    east, north = metres(x, y)
    if kernel not in KERNELS:
        raise ValueError(f"The kernel must be one of {', '.join(KERNELS)}.")
    if east.size < 2 or (np.ptp(east) == 0 and np.ptp(north) == 0):
        raise ValueError("A bandwidth needs events at two places at least.")
    return east, north


@compiled
def _likelihood(x: Floats, y: Floats, count: Floats, bandwidth: float, quartic: bool) -> float:
    """Return the mean logarithm of each event's density from the places other than its own.

    ``x`` ascends, so that a kernel's reach is a run of places. A Gaussian is cut at 38 deviations,
    where it is below the smallest float.
    """
    n = x.size
    total = count.sum()
    reach = bandwidth if quartic else 38.0 * bandwidth
    scale = 3.0 / (np.pi * bandwidth**2) if quartic else 1.0 / (2.0 * np.pi * bandwidth**2)
    density = np.zeros(n)
    for i in range(n):
        for j in range(i + 1, n):
            dx = x[j] - x[i]
            if dx > reach:
                break
            dy = y[j] - y[i]
            squared = (dx * dx + dy * dy) / (bandwidth * bandwidth)
            if quartic:
                value = (1.0 - squared) ** 2 if squared < 1.0 else 0.0
            else:
                value = np.exp(-squared / 2.0) if squared < 1490.0 else 0.0
            density[i] += count[j] * value
            density[j] += count[i] * value
    score = 0.0
    for i in range(n):
        if density[i] <= 0.0:
            return -np.inf
        score += count[i] * np.log(density[i] * scale / (total - count[i]))
    return float(score / total)
