"""Getis-Ord Gi and Gi*: cells whose neighbourhood holds more, or less, than chance puts there."""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from geo_service.analysis.permutation import tails
from geo_service.analysis.weights import (
    Bools,
    Floats,
    checked_neighbours,
    checked_values,
    has_equal_rows,
    is_whole,
    largest_weight,
)

Alternative = Literal["two-sided", "greater", "less"]
ALTERNATIVES = ("two-sided", "greater", "less")


class LocalG(NamedTuple):
    """The standard score of each cell, and the probability of one as extreme by chance."""

    z: Floats
    p: Floats


def local_g(
    values: ArrayLike,
    neighbours: Any,
    *,
    star: bool = True,
    inference: Literal["exact", "normal"] = "exact",
    alternative: Alternative = "two-sided",
) -> LocalG:
    """Return Getis and Ord's Gi* (or Gi, without ``star``) of n cells.

    ``values`` are n numbers, usually counts of events; ``neighbours`` is an n × n scipy CSR
    matrix of weights without the diagonal. Gi* counts a cell as its own neighbour, Gi does not.

    **z** is the standardised sum of Ord and Getis (1995, equations 6 and 14) for any weights. It
    is unchanged when a row is multiplied by a number. For that to hold for Gi* too, a cell's weight
    for itself is the largest weight in its row: 1 for binary weights, where z agrees with esda's
    ``G_Local`` under the transform ``B``.

    **p** with ``exact`` is the permutation distribution of the neighbourhood's sum, computed, not
    simulated: no seed, no floor at 1/1000, valid for any n. For Gi* all n values are shuffled, for
    Gi the n − 1 others. It needs whole numbers and equal weights within a row. With ``normal`` it
    is the normal tail of z, which for rare events or fewer than 30 cells is only a rough guide.
    ``greater`` is P(S ≥ s), ``less`` P(S ≤ s), and ``two-sided`` twice the smaller of the two, at
    most 1.

    Stated answers: where the sum cannot vary (all values equal, no neighbours under Gi, or a
    neighbourhood of all cells) z = 0 and p = 1. A cell without neighbours under Gi* is compared as
    it is with all cells. There is never a NaN.

    Raises ValueError for values or weights that do not fit, for ``exact`` where it does not apply,
    and where the exact distribution would be too large to compute.

    Sources: A. Getis and J. K. Ord, Geographical Analysis 24 (1992) 189-206; J. K. Ord and
    A. Getis, Geographical Analysis 27 (1995) 286-306.

    >>> from scipy import sparse
    >>> chain = sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(6, 6))
    >>> g = local_g([9, 8, 7, 0, 0, 0], chain, alternative="greater")
    >>> g.p.round(3).tolist()
    [0.067, 0.05, 0.5, 0.95, 1.0, 1.0]
    >>> g.z.round(2).tolist()
    [1.76, 2.21, 0.55, -0.92, -2.21, -1.56]
    """
    x = checked_values(values)
    matrix = checked_neighbours(neighbours, x.size)
    if alternative not in ALTERNATIVES:
        raise ValueError(f"The alternative must be one of {', '.join(ALTERNATIVES)}.")
    z, fixed = scores(x, matrix, star=star)
    if inference == "exact":
        check_exact(x, matrix)
        greater, less = tails(x, matrix, star=star)
    elif inference == "normal":
        greater, less = stats.norm.sf(z), stats.norm.cdf(z)
    else:
        raise ValueError(f'The inference must be "exact" or "normal", not "{inference}".')
    return LocalG(z, np.where(fixed, 1.0, one_p(greater, less, alternative)))


def one_p(greater: Floats, less: Floats, alternative: Alternative) -> Floats:
    """Return the p-value of an alternative from both tails.

    >>> one_p(np.array([0.02]), np.array([0.99]), "two-sided")
    array([0.04])
    """
    if alternative == "greater":
        return greater
    if alternative == "less":
        return less
    return np.asarray(np.minimum(2 * np.minimum(greater, less), 1.0))


def check_exact(x: Floats, matrix: Any) -> None:
    """Raise ValueError where the exact distribution does not apply, saying what does."""
    if not is_whole(x):
        raise ValueError(
            "The exact distribution is for counts, and some values are not whole numbers: "
            'use inference="normal".'
        )
    if not has_equal_rows(matrix):
        raise ValueError(
            "The exact distribution is for neighbours of equal weight, and some rows have "
            'unequal weights: use inference="normal" or binary weights.'
        )


def scores(x: Floats, matrix: Any, *, star: bool) -> tuple[Floats, Bools]:
    """Return the standard score of the weighted sums, and where the sum cannot vary (z = 0)."""
    n = x.size
    # From the mean, sums of squares lose nothing to a large level; the scale cancels.
    centred = x - x.mean()
    weight = matrix.sum(axis=1)
    squares = matrix.multiply(matrix).sum(axis=1)
    lag = matrix @ centred
    ss = float(centred @ centred)
    distinct, kind, count = np.unique(x, return_inverse=True, return_counts=True)
    if star:
        own = largest_weight(matrix)
        weight, squares, lag = weight + own, squares + own**2, lag + own * centred
        drawn, mean, variance = n, np.zeros(n), np.full(n, ss / n)
        level = np.full(n, len(distinct) == 1)
    else:
        drawn = n - 1
        mean = -centred / max(drawn, 1)
        variance = (ss - centred**2 * n / max(drawn, 1)) / max(drawn, 1)
        level = (len(distinct) == 1) | ((len(distinct) == 2) & (count[kind] == 1))
    # What is left when the neighbourhood is everything is the rounding of two equal numbers.
    spread = drawn * squares - weight**2
    fixed = level | (spread <= 1e-12 * weight**2) | (drawn < 2)
    variance = np.where(fixed, 1.0, variance)
    spread = np.where(fixed, 1.0, spread)
    z = (lag - weight * mean) / np.sqrt(variance * spread / max(drawn - 1, 1))
    return np.asarray(np.where(fixed, 0.0, z)), np.asarray(fixed)
