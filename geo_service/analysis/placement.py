"""Where the next cameras help most: location models, each with the gap to the proven bound.

``covers`` is demand by site: a boolean array or a sparse one, true where a camera at the site sees
the demand point. Solved by HiGHS from a good start, so that an answer is there early; what is told
beside it is how much better any other answer could be, never an unproven "best".
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geo_service.analysis.cover_case import (
    checked_covers,
    checked_numbers,
    checked_sites,
    distinct,
    reduced,
)
from geo_service.analysis.cover_search import (
    FEW_SITES,
    cover_program,
    exhausted,
    searched,
    worth,
)
from geo_service.analysis.median_search import interchanged, median_program
from geo_service.analysis.solver import Program, minimise
from geo_service.analysis.weights import Bools, Floats

TIME_LIMIT = 25.0
"""Seconds after which the best answer so far is given, with its gap."""

_SAME = 1e-9


@dataclass(frozen=True)
class Placement:
    """Chosen sites, in order, and what they cover.

    ``bound`` is what no choice can beat (for :func:`set_cover` the least possible cost), ``gap``
    how far the answer may be from it, as a share of it, and ``optimal`` whether that is nothing.
    ``cost`` is that of the sites not fixed; ``adds`` what each of these adds, best first.
    """

    sites: tuple[int, ...]
    covered: float
    bound: float
    gap: float
    optimal: bool
    cost: float = 0.0
    adds: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Median:
    """Chosen sites, the weighted cost of serving all demand from them, and which serves which."""

    sites: tuple[int, ...]
    cost: float
    bound: float
    gap: float
    optimal: bool
    serves: tuple[int, ...]


def maximal_cover(
    covers: Any,
    weights: ArrayLike,
    budget: float,
    *,
    fixed: Sequence[int] = (),
    costs: ArrayLike | None = None,
    times: int = 1,
    gap: float = 0.0,
    time_limit: float = TIME_LIMIT,
) -> Placement:
    """Return the sites that cover most of the demand's weight within a budget.

    ``weights`` is one number a demand point. ``fixed`` sites are there already: they are among the
    answer's, cost nothing and do not count against the budget, which is what may be added (a number
    of sites where no ``costs`` are given). Demand counts where at least ``times`` sites cover it.
    The search stops at a proven relative ``gap``, or after ``time_limit`` seconds.

    Raises ValueError for arrays that do not fit each other, negative weights, budgets or costs.

    Source: R. Church and C. ReVelle, "The maximal covering location problem" (1974).

    >>> sees = [[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1]]
    >>> placed = maximal_cover(sees, [3, 1, 1, 2], 2)
    >>> placed.sites, placed.covered, placed.gap, placed.adds
    ((0, 2), 6.0, 0.0, ((0, 4.0), (2, 2.0)))
    """
    matrix = checked_covers(covers)
    demand, n = matrix.shape
    weight = checked_numbers(weights, demand, "weight", "demand point")
    price = np.ones(n) if costs is None else checked_numbers(costs, n, "cost", "site")
    if not (np.isfinite(budget) and budget >= 0):
        raise ValueError(f"The budget must be 0 or more, not {budget}.")
    if times < 1:
        raise ValueError(f"Demand must be covered at least once, not {times} times.")
    kept = checked_sites(fixed, n)
    paid = price.copy()
    paid[kept] = 0.0
    given = np.zeros(n, dtype=bool)
    given[kept] = True
    had = np.asarray(matrix @ given.astype(np.int64))
    base = float(weight[had >= times].sum())
    small = reduced(matrix, weight, paid, had, given, float(budget), times)
    if small.matrix.shape[0] == 0 or small.matrix.shape[1] == 0:
        return _placement(matrix, weight, paid, given, base, times)
    if times == 1 and small.matrix.shape[1] <= FEW_SITES:
        chosen = given.copy()
        chosen[small.site[exhausted(small, float(budget))]] = True
        bound = _value(matrix, weight, chosen, times)
        return _placement(matrix, weight, paid, chosen, bound, times, given)
    began = time.monotonic()
    small, start, relaxed = searched(small, float(budget), gap, time_limit / 2, times=times)
    reached = worth(small, start)
    chosen = given.copy()
    chosen[small.site[start]] = True
    if relaxed > reached * (1 + max(gap, _SAME)):
        program, first = cover_program(small, float(budget), start)
        answer = minimise(program, first, max(time_limit - (time.monotonic() - began), 0.1), gap)
        relaxed = min(relaxed, -answer.bound)
        if -float(program.cost @ answer.x) > reached:
            chosen = given.copy()
            chosen[small.site[answer.x[: len(small.site)] > 0.5]] = True
    return _placement(matrix, weight, paid, chosen, base + relaxed, times, given)


def backup_cover(
    covers: Any, weights: ArrayLike, budget: float, *, fixed: Sequence[int] = (), **options: Any
) -> Placement:
    """Return the sites that cover most of the demand's weight twice, so that one may fail.

    As :func:`maximal_cover` with ``times=2``.

    Source: K. Hogan and C. ReVelle, "Concepts and applications of backup coverage" (1986).

    >>> backup_cover([[1, 1, 0], [0, 1, 1]], [1, 5], 2).sites
    (1, 2)
    """
    return maximal_cover(covers, weights, budget, fixed=fixed, times=2, **options)


def set_cover(
    covers: Any,
    weights: ArrayLike | None = None,
    *,
    fixed: Sequence[int] = (),
    times: int = 1,
    gap: float = 0.0,
    time_limit: float = TIME_LIMIT,
) -> Placement:
    """Return the cheapest sites that cover every demand point, at least ``times``.

    ``weights`` is what each site costs, 1 unless told; ``fixed`` sites are there already and cost
    nothing. ``covered`` is the number of demand points, ``bound`` the least possible cost.

    Raises ValueError where some demand cannot be covered, and as :func:`maximal_cover`.

    Source: C. Toregas, R. Swain, C. ReVelle and L. Bergman, "The location of emergency service
    facilities" (1971).

    >>> placed = set_cover([[1, 1, 0], [0, 1, 1], [0, 1, 0], [0, 0, 1]])
    >>> placed.sites, placed.cost, placed.optimal
    ((1, 2), 2.0, True)
    """
    matrix = checked_covers(covers)
    demand, n = matrix.shape
    price = np.ones(n) if weights is None else checked_numbers(weights, n, "weight", "site")
    given = np.zeros(n, dtype=bool)
    given[checked_sites(fixed, n)] = True
    price = np.where(given, 0.0, price)
    short = np.flatnonzero(np.asarray(matrix.sum(axis=1)).reshape(-1) < times)
    if short.size:
        raise ValueError(
            f"{short.size} of {demand} demand points cannot be covered {times} times by any choice "
            f"of sites, such as number {short[0]}."
        )
    program = Program(
        cost=price,
        lower=given.astype(np.float64),
        upper=np.ones(n),
        rows=distinct(matrix).astype(np.float64),
        low=np.full(distinct(matrix).shape[0], float(times)),
        high=np.full(distinct(matrix).shape[0], np.inf),
        whole=np.ones(n, bool),
    )
    answer = minimise(program, np.ones(n), time_limit, gap)
    chosen = (answer.x > 0.5) | given
    cost = float(price[chosen].sum())
    bound = min(answer.bound, cost)
    share = (cost - bound) / cost if cost > 0 else 0.0
    if share <= _SAME:
        bound, share = cost, 0.0
    sites = tuple(int(k) for k in np.flatnonzero(chosen))
    adds = _adds(matrix, np.ones(demand), chosen, given, times)
    return Placement(sites, float(demand), bound, share, share == 0, cost, adds)


def p_median(
    costs: ArrayLike,
    weights: ArrayLike,
    p: int,
    *,
    fixed: Sequence[int] = (),
    gap: float = 0.0,
    time_limit: float = TIME_LIMIT,
) -> Median:
    """Return the p sites from which all demand is served at least cost, each from the cheapest.

    ``costs`` is demand by site, such as distances; ``fixed`` sites are among the p. Solved in the
    form that asks of each demand point how far it must go, not to which site.

    Raises ValueError as :func:`maximal_cover`, and for p below 1 or above the number of sites.

    Sources: S. L. Hakimi (1964); S. Elloumi, "A tighter formulation of the p-median problem"
    (2010); start by interchange, M. Teitz and P. Bart (1968).

    >>> far = abs(np.subtract.outer([0, 1, 2, 10, 11], [0, 1, 2, 10, 11]))
    >>> placed = p_median(far, [1, 1, 1, 1, 1], 2)
    >>> placed.sites[0], placed.cost, placed.optimal
    (1, 3.0, True)
    """
    table = np.array(costs, dtype=np.float64)
    if table.ndim != 2 or not table.size or not np.isfinite(table).all():
        raise ValueError("Costs must be a table of finite numbers, a row a demand point.")
    if (table < 0).any():
        raise ValueError("Costs must not be below 0.")
    demand, n = table.shape
    weight = checked_numbers(weights, demand, "weight", "demand point")
    kept = checked_sites(fixed, n)
    if not max(1, len(kept)) <= p <= n:
        raise ValueError(
            f"p must be from {max(1, len(kept))} to {n}, the number of sites, not {p}."
        )
    start = interchanged(table * weight[:, None], p, kept)
    program, initial = median_program(table, weight, p, kept, start)
    answer = minimise(program, initial, time_limit, gap)
    found = np.flatnonzero(answer.x[:n] > 0.5)
    choices = [one for one in (found, start) if len(one) == p]
    best = min(choices, key=lambda one: float((weight * table[:, one].min(axis=1)).sum()))
    total = float((weight * table[:, best].min(axis=1)).sum())
    bound = min(answer.bound, total)
    share = (total - bound) / total if total > 0 else 0.0
    if share <= _SAME:
        bound, share = total, 0.0
    serves = tuple(int(k) for k in best[table[:, best].argmin(axis=1)])
    return Median(tuple(int(k) for k in best), total, bound, share, share == 0, serves)


def _placement(  # noqa: PLR0917
    matrix: Any,
    weight: Floats,
    price: Floats,
    chosen: Bools,
    bound: float,
    times: int,
    given: Bools | None = None,
) -> Placement:
    covered = _value(matrix, weight, chosen, times)
    bound = max(bound, covered)
    share = (bound - covered) / bound if bound > 0 else 0.0
    if share <= _SAME:
        bound, share = covered, 0.0
    sites = tuple(int(k) for k in np.flatnonzero(chosen))
    adds = _adds(matrix, weight, chosen, chosen if given is None else given, times)
    cost = float(price[chosen].sum())
    return Placement(sites, covered, bound, share, share == 0, cost, adds)


def _adds(
    matrix: Any, weight: Floats, chosen: Bools, given: Bools, times: int
) -> tuple[tuple[int, float], ...]:
    """Return what each chosen site adds to those before it, the one that adds most first."""
    left = [int(k) for k in np.flatnonzero(chosen & ~given)]
    columns = matrix[:, left].toarray()
    count = np.asarray(matrix @ given.astype(np.int64))
    told = []
    while left:
        before = float(weight[count >= times].sum())
        gains = weight @ (count[:, None] + columns >= times) - before
        best = int(np.argmax(gains))
        told.append((left.pop(best), float(gains[best])))
        count = count + columns[:, best]
        columns = np.delete(columns, best, axis=1)
    return tuple(told)


def _value(matrix: Any, weight: Floats, chosen: Bools, times: int) -> float:
    return float(weight[np.asarray(matrix @ chosen.astype(np.int64)) >= times].sum())
