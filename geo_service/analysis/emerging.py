"""Emerging hot spots: how the hot and cold spots of each cell have come and gone."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfc

from geo_service.analysis.local_g import check_exact, one_p
from geo_service.analysis.permutation import drawn_tails
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.significance import benjamini_hochberg
from geo_service.analysis.trend import MannKendall, mann_kendall
from geo_service.analysis.weights import checked_neighbours, largest_weight

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PATTERNS = {
    0: Sentence("未检测到模式", "no pattern detected"),
    1: Sentence("新增热点", "new hot spot"),
    2: Sentence("连续热点", "consecutive hot spot"),
    3: Sentence("加强热点", "intensifying hot spot"),
    4: Sentence("持续热点", "persistent hot spot"),
    5: Sentence("逐渐减弱热点", "diminishing hot spot"),
    6: Sentence("分散热点", "sporadic hot spot"),
    7: Sentence("振荡热点", "oscillating hot spot"),
    8: Sentence("历史热点", "historical hot spot"),
    -1: Sentence("新增冷点", "new cold spot"),
    -2: Sentence("连续冷点", "consecutive cold spot"),
    -3: Sentence("加强冷点", "intensifying cold spot"),
    -4: Sentence("持续冷点", "persistent cold spot"),
    -5: Sentence("逐渐减弱冷点", "diminishing cold spot"),
    -6: Sentence("分散冷点", "sporadic cold spot"),
    -7: Sentence("振荡冷点", "oscillating cold spot"),
    -8: Sentence("历史冷点", "historical cold spot"),
}
"""The 17 categories by ArcGIS' number: positive for hot, negative for cold."""


@dataclass(frozen=True, slots=True)
class EmergingHotSpots:
    """One category a cell, and what it rests on.

    ``category`` has the numbers of ``PATTERNS``, one a cell; ``z``, ``p``, ``hot`` and ``cold`` are
    cells × steps, the latter two true where the bin is significant; ``trend`` tests each cell's z.
    """

    category: NDArray[np.int8]
    z: Floats
    p: Floats
    hot: Bools
    cold: Bools
    trend: MannKendall

    @property
    def pattern(self) -> NDArray[np.str_]:
        """The English name of each cell's category."""
        return np.array([PATTERNS[int(c)].en for c in self.category], dtype=np.str_)


def emerging_hot_spots(
    cube: ArrayLike,
    neighbours: Any,
    *,
    alpha: float = 0.05,
    time_neighbours: int = 1,
    inference: Literal["exact", "normal"] = "exact",
    fdr: bool = True,
    trend_alpha: float | None = None,
) -> EmergingHotSpots:
    """Find the category of each cell of a space-time cube.

    Each bin gets Gi* over its cell and the cell's neighbours, in its own step and the
    ``time_neighbours`` steps before it (fewer at the start), against the whole cube. Bins are
    significant where the two-sided p passes Benjamini and Hochberg's rule over all bins at
    ``alpha``. The trend is the Mann-Kendall test of each cell's z. Then one category, where "hot"
    means significantly hot and at least 90 % means 10 × hot steps ≥ 9 × steps. The final step
    decides first; for a cell hot in it, in this order:

    1. **new**: hot in the final step and never before;
    2. **consecutive**: one uninterrupted run of two or more hot steps at the end, never hot before
       it, and hot in less than 90 % of the steps;
    3. **intensifying**: hot in at least 90 %, with a significant rise of z;
    4. **diminishing**: hot in at least 90 %, with a significant fall of z;
    5. **persistent**: hot in at least 90 %, without a significant trend;
    6. **oscillating**: hot in less than 90 %, and significantly cold in some step before;
    7. **sporadic**: hot in less than 90 %, on and off, and cold in none.

    A cell cold in the final step gets the same seven with hot and cold, rise and fall exchanged. A
    cell neither hot nor cold in it is **historical** where at least 90 % of its steps were hot (or
    cold), otherwise it has no pattern. So a cell that was cold and is hot for the first time is
    new (or consecutive), not oscillating, and one that was hot nine times in ten and is now cold is
    a new cold spot, not a historical hot spot: the documentation's wording allows both.

    :param cube: counts (or numbers, with ``normal``), cells × steps, steps in order of time
    :param neighbours: cells × cells CSR matrix of weights without the diagonal
    :param inference: the exact permutation distribution over all bins, for counts and equal
        weights, or the normal one that ArcGIS uses
    :param fdr: without it, bins are significant where p ≤ ``alpha``
    :param trend_alpha: for the trend; else ``alpha``
    :raises ValueError: where the cube does not fit the neighbours or a number is missing, and for
        ``exact`` where it does not apply

    Wording: ArcGIS Pro, "How Emerging Hot Spot Analysis works" (as of 2026: a consecutive hot spot
    needs a run of at least two bins, an oscillating or sporadic one the final step). Gi*: Ord and
    Getis (1995), Geographical Analysis 27:286.

    >>> from scipy import sparse
    >>> cube = np.zeros((40, 10), int)
    >>> cube[3, 9] = 9
    >>> alone = sparse.csr_array((40, 40))
    >>> found = emerging_hot_spots(cube, alone, time_neighbours=0, fdr=False)
    >>> str(found.pattern[3]), int((found.category != 0).sum())
    ('new hot spot', 1)
    """
    bins = np.asarray(cube, dtype=np.float64)
    if bins.ndim != 2 or not bins.size:
        raise ValueError("the cube must be cells × steps, with at least one of each")
    if not np.isfinite(bins).all():
        raise ValueError("a bin of the cube is missing or infinite; a bin without events is 0")
    if time_neighbours < 0:
        raise ValueError("time_neighbours is a number of steps before a bin's own, zero or more")
    if inference not in ("exact", "normal"):
        raise ValueError("inference must be exact or normal")
    matrix = checked_neighbours(neighbours, len(bins))
    z, p = _space_time_g(bins, matrix, time_neighbours, exact=inference == "exact")
    significant = benjamini_hochberg(p, alpha) if fdr else p <= alpha
    hot, cold = significant & (z > 0), significant & (z < 0)
    trend = mann_kendall(z)
    sure = trend.p <= (alpha if trend_alpha is None else trend_alpha)
    return EmergingHotSpots(
        category=classify(hot, cold, np.where(sure, np.sign(trend.s), 0)),
        z=z,
        p=p,
        hot=hot,
        cold=cold,
        trend=trend,
    )


def classify(hot: Bools, cold: Bools, trend: ArrayLike) -> NDArray[np.int8]:
    """Return the category of each cell by the rules of :func:`emerging_hot_spots`.

    :param hot, cold: cells × steps, no bin both
    :param trend: 1 where a cell's z rises significantly, -1 where it falls, else 0

    >>> hot = np.array([[0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 0, 1], [1, 1, 1, 1]], bool)
    >>> classify(hot, np.zeros_like(hot), [0, 0, 0, -1]).tolist()
    [1, 2, 6, 5]
    """
    rising = np.asarray(trend)
    one = _one_sided(hot, cold, rising)
    other = -_one_sided(cold, hot, -rising)
    return np.where(hot[:, -1] | ((one == 8) & ~cold[:, -1]), one, other).astype(np.int8)


def _one_sided(hot: Bools, cold: Bools, rising: NDArray[Any]) -> NDArray[np.int8]:
    steps = hot.shape[1]
    count = hot.sum(axis=1)
    often = 10 * count >= 9 * steps
    # The run at the end is as long as the reversed row before its first False.
    run = np.where(hot.all(axis=1), steps, np.argmin(hot[:, ::-1], axis=1))
    last = hot[:, -1]
    return np.select(
        [
            last & (count == 1),
            last & (run == count) & ~often,
            last & often & (rising > 0),
            last & often & (rising < 0),
            last & often,
            last & cold.any(axis=1),
            last,
            often,
        ],
        [1, 2, 3, 5, 4, 7, 6, 8],
        0,
    ).astype(np.int8)


def _space_time_g(bins: Floats, matrix: Any, before: int, *, exact: bool) -> tuple[Floats, Floats]:
    """Return z and two-sided p of Gi* in space and time, as ``local_g`` of the cube as one map.

    A step before has the weights of the bin's own step, so every sum is one over space, added up
    over the steps; the matrix of all bins is never made.
    """
    n, steps = bins.size, bins.shape[1]
    own = largest_weight(matrix)[:, None]
    weight = np.asarray(matrix.sum(axis=1)).ravel()[:, None] + own
    squares = np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel()[:, None] + own**2
    reached = np.minimum(np.arange(steps), before) + 1
    weight, squares = weight * reached, squares * reached
    centred = bins - bins.mean()
    lag = _over_steps(matrix @ centred + own * centred, before)
    variance = float((centred**2).sum()) / n
    spread = n * squares - weight**2
    fixed = (spread <= 1e-12 * weight**2) | (np.ptp(bins) == 0) | (n < 2)
    scale = np.sqrt(np.where(fixed, 1.0, (variance or 1.0) * spread / max(n - 1, 1)))
    z = np.where(fixed, 0.0, lag / scale)
    if not exact:
        return z, np.where(fixed, 1.0, erfc(np.abs(z) / np.sqrt(2)))
    check_exact(bins.ravel(), matrix)
    pattern = matrix.copy()
    pattern.data = np.ones_like(pattern.data)
    size = (np.diff(matrix.indptr)[:, None] + 1) * reached
    tails = drawn_tails(bins, size.astype(np.int64), _over_steps(pattern @ bins + bins, before))
    return z, np.where(fixed, 1.0, one_p(tails.greater, tails.less, "two-sided"))


def _over_steps(values: Floats, before: int) -> Floats:
    """Return for each step the sum over it and the ``before`` steps ahead of it."""
    total = values.copy()
    for back in range(1, min(before, values.shape[1] - 1) + 1):
        total[:, back:] += values[:, :-back]
    return total
