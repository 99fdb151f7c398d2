"""Where the next cameras help most: location models, each with the gap to the proven bound.

``covers`` is demand by site: a boolean array or a sparse one, true where a camera at the site sees
the demand point. Solved by HiGHS from a good start, so that an answer is there early; what is told
beside it is how much better any other answer could be, never an unproven "best".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from geo_service.analysis.solver import Program, minimise
from geo_service.analysis.weights import Bools, Floats, Ints

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
    matrix = _checked_covers(covers)
    demand, n = matrix.shape
    weight = _checked(weights, demand, "weight", "demand point")
    price = np.ones(n) if costs is None else _checked(costs, n, "cost", "site")
    if not (np.isfinite(budget) and budget >= 0):
        raise ValueError(f"The budget must be 0 or more, not {budget}.")
    if times < 1:
        raise ValueError(f"Demand must be covered at least once, not {times} times.")
    kept = _checked_sites(fixed, n)
    paid = price.copy()
    paid[kept] = 0.0
    given = np.zeros(n, dtype=bool)
    given[kept] = True
    had = np.asarray(matrix @ given.astype(np.int64))
    base = float(weight[had >= times].sum())
    small = _reduced(matrix, weight, paid, had, given, float(budget), times)
    if small.matrix.shape[0] == 0 or small.matrix.shape[1] == 0:
        return _placement(matrix, weight, paid, given, base, times)
    start = _swapped(small, _greedy(small, float(budget)), float(budget))
    rows, columns = small.matrix.shape
    # z_i · missing_i ≤ sum of the chosen sites that cover i; z is whole only where it need be.
    link = sparse.hstack(
        [small.matrix.astype(np.float64), sparse.diags_array(-small.missing.astype(np.float64))]
    )
    spend = sparse.csr_array(np.concatenate((small.price, np.zeros(rows)))[None, :])
    held = np.asarray(small.matrix @ start.astype(np.int64)) >= small.missing
    program = Program(
        cost=np.concatenate((np.zeros(columns), -small.weight)),
        lower=np.zeros(columns + rows),
        upper=np.ones(columns + rows),
        rows=sparse.vstack([link, spend]),
        low=np.concatenate((np.zeros(rows), [-np.inf])),
        high=np.concatenate((np.full(rows, np.inf), [float(budget)])),
        whole=np.concatenate((np.ones(columns, bool), small.missing > 1)),
    )
    answer = minimise(program, np.concatenate((start, held)).astype(np.float64), time_limit, gap)
    chosen = given.copy()
    chosen[small.site[answer.x[:columns] > 0.5]] = True
    if not answer.proven:
        ours = given.copy()
        ours[small.site[start]] = True
        if _value(matrix, weight, ours, times) > _value(matrix, weight, chosen, times):
            chosen = ours
    bound = base - answer.bound
    return _placement(matrix, weight, paid, chosen, bound, times, given)


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
    matrix = _checked_covers(covers)
    demand, n = matrix.shape
    price = np.ones(n) if weights is None else _checked(weights, n, "weight", "site")
    given = np.zeros(n, dtype=bool)
    given[_checked_sites(fixed, n)] = True
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
        rows=_distinct(matrix).astype(np.float64),
        low=np.full(_distinct(matrix).shape[0], float(times)),
        high=np.full(_distinct(matrix).shape[0], np.inf),
        whole=np.ones(n, bool),
    )
    answer = minimise(program, None, time_limit, gap)
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
    weight = _checked(weights, demand, "weight", "demand point")
    kept = _checked_sites(fixed, n)
    if not max(1, len(kept)) <= p <= n:
        raise ValueError(f"p must be from {max(1, len(kept))} to {n}, the number of sites, not {p}.")
    start = _interchanged(table * weight[:, None], p, kept)
    program, initial = _median_program(table, weight, p, kept, start)
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


@dataclass(frozen=True, eq=False)
class _Small:
    """What is left to decide: no demand that is settled, alike demand merged, no dominated site."""

    matrix: Any
    weight: Floats
    price: Floats
    missing: Ints
    site: Ints


def _reduced(
    matrix: Any,
    weight: Floats,
    price: Floats,
    had: Ints,
    given: Bools,
    budget: float,
    times: int,
) -> _Small:
    site = np.flatnonzero(~given & (price <= budget))
    part = matrix[:, site].tocsr()
    missing = np.maximum(times - had, 0)
    reachable = np.asarray(part.sum(axis=1)).reshape(-1) >= missing
    row = np.flatnonzero((missing > 0) & reachable & (weight > 0))
    part, worth, need = part[row], weight[row], missing[row]
    part.sort_indices()
    keys: dict[bytes, int] = {}
    group = np.empty(len(row), np.int64)
    for k in range(len(row)):
        name = part.indices[part.indptr[k] : part.indptr[k + 1]].tobytes() + need[k].tobytes()
        group[k] = keys.setdefault(name, len(keys))
    first = np.unique(group, return_index=True)[1] if len(group) else np.zeros(0, np.int64)
    worth = np.bincount(group, worth, minlength=len(first)) if len(group) else np.zeros(0)
    part, need = part[first], need[first]
    # A site that covers no more than another, for no less, is never needed where once is enough.
    if times == 1 and len(site):
        common = (part.T.astype(np.int64) @ part.astype(np.int64)).tocoo()
        size = np.asarray(part.sum(axis=0)).reshape(-1)
        j, k = common.coords
        cheaper = price[site[k]] <= price[site[j]]
        within = (j != k) & (common.data == size[j]) & cheaper
        alike = (size[j] == size[k]) & (price[site[j]] == price[site[k]])
        useless = np.unique(j[within & (~alike | (k < j))])
        left = np.ones(len(site), dtype=bool)
        left[useless] = False
        left &= size > 0
        site, part = site[left], part[:, left]
    return _Small(part.tocsr(), worth, price[site], need, site)


def _greedy(small: _Small, budget: float) -> Bools:
    """Return sites taken one by one, each time the one that adds most for its price."""
    across = small.matrix.T.tocsr().astype(np.float64)
    chosen = np.zeros(small.matrix.shape[1], dtype=bool)
    left, need = budget, small.missing.astype(np.float64)
    while True:
        # Half a cover is worth half, so that the first of two sites is taken at all.
        gain = across @ (small.weight * (need > 0) / np.maximum(need, 1))
        gain[chosen | (small.price > left)] = 0
        best = int(np.argmax(gain / np.maximum(small.price, 1e-9)))
        if gain[best] <= 0:
            return chosen
        chosen[best] = True
        left -= small.price[best]
        need = need - across[[best]].toarray()[0]


def _swapped(small: _Small, chosen: Bools, budget: float) -> Bools:
    """Return sites improved by exchanging one for another while that covers more."""
    across = small.matrix.T.tocsr().astype(np.float64)
    count = small.matrix.astype(np.float64) @ chosen.astype(np.float64)
    spent = float(small.price[chosen].sum())
    value = float(small.weight[count >= small.missing].sum())
    for _ in range(100):
        best, pair = value + 1e-9 * max(value, 1.0), None
        for out in np.flatnonzero(chosen):
            left = count - across[[out]].toarray()[0]
            held = left >= small.missing
            gain = across @ (small.weight * (~held & (left + 1 >= small.missing)))
            gain[chosen | (small.price > budget - spent + small.price[out])] = -1
            k = int(np.argmax(gain))
            total = float(small.weight[held].sum() + gain[k])
            if gain[k] >= 0 and total > best:
                best, pair = total, (int(out), k)
        if pair is None:
            return chosen
        out, into = pair
        chosen = chosen.copy()
        chosen[out], chosen[into] = False, True
        count = small.matrix.astype(np.float64) @ chosen.astype(np.float64)
        spent, value = float(small.price[chosen].sum()), best
    return chosen


def _interchanged(cost: Floats, p: int, kept: Ints) -> Ints:
    """Return p sites by greedy addition, then by exchanging one for another while that helps."""
    chosen = [int(k) for k in kept]
    nearest = cost[:, chosen].min(axis=1) if chosen else np.full(len(cost), np.inf)
    while len(chosen) < p:
        totals = np.minimum(cost, nearest[:, None]).sum(axis=0)
        totals[chosen] = np.inf
        chosen.append(int(np.argmin(totals)))
        nearest = np.minimum(nearest, cost[:, chosen[-1]])
    for _ in range(200):
        best, move = nearest.sum() * (1 - 1e-12), None
        for at in range(len(kept), p):
            others = chosen[:at] + chosen[at + 1 :]
            left = cost[:, others].min(axis=1) if others else np.full(len(cost), np.inf)
            totals = np.minimum(cost, left[:, None]).sum(axis=0)
            totals[chosen] = np.inf
            k = int(np.argmin(totals))
            if totals[k] < best:
                best, move = totals[k], (at, k)
        if move is None:
            break
        chosen[move[0]] = move[1]
        nearest = cost[:, chosen].min(axis=1)
    return np.array(sorted(chosen), np.int64)


def _median_program(
    table: Floats, weight: Floats, p: int, kept: Ints, start: Ints
) -> tuple[Program, Floats]:
    """Return Elloumi's program: z says that no chosen site is within the k-th distance of i."""
    demand, n = table.shape
    opened = np.zeros(n)
    opened[start] = 1
    row, column, value = [], [], []
    cost, initial, constant = [np.zeros(n)], [opened], 0.0
    low, rows, first = [], 0, n
    reach = n - p + 1
    for i in range(demand):
        steps, rank = np.unique(table[i], return_inverse=True)
        # One of the nearest n - p + 1 sites is always chosen: further steps never matter.
        last = int(np.sort(rank)[reach - 1])
        constant += weight[i] * steps[0]
        z = first + np.arange(last)
        cost.append(weight[i] * np.diff(steps[: last + 1]))
        initial.append((table[i][start].min() > steps[:last]).astype(np.float64))
        # z_0 + (sites at the least cost) ≥ 1; z_k + (sites at step k) - z_(k-1) ≥ 0.
        site = np.flatnonzero(rank <= last)
        row.extend((rows + rank[site], rows + np.arange(last), rows + 1 + np.arange(last)))
        column.extend((site, z, z))
        value.extend((np.ones(len(site)), np.ones(last), -np.ones(last)))
        low.append(np.concatenate(([1.0], np.zeros(last))))
        rows, first = rows + last + 1, first + last
    row.append(np.full(n, rows))
    column.append(np.arange(n))
    value.append(np.ones(n))
    # The cost of the nearest site is always paid: a column fixed at 1 carries it.
    made = sparse.csr_array(
        (np.concatenate(value), (np.concatenate(row), np.concatenate(column))),
        shape=(rows + 1, first + 1),
    )
    lower = np.zeros(first + 1)
    lower[kept], lower[first] = 1.0, 1.0
    upper = np.ones(first + 1)
    program = Program(
        cost=np.concatenate((*cost, [constant])),
        lower=lower,
        upper=upper,
        rows=made,
        low=np.concatenate((*low, [float(p)])),
        high=np.concatenate((np.full(rows, np.inf), [float(p)])),
        whole=np.arange(first + 1) < n,
    )
    return program, np.concatenate((*initial, [1.0]))


def _placement(
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


def _distinct(matrix: Any) -> Any:
    """Return the rows that differ from each other."""
    names: dict[bytes, int] = {}
    for k in range(matrix.shape[0]):
        names.setdefault(matrix.indices[matrix.indptr[k] : matrix.indptr[k + 1]].tobytes(), k)
    return matrix[sorted(names.values())]


def _checked_covers(covers: Any) -> Any:
    """Return covers as sorted sparse rows of ones, or raise ValueError."""
    if sparse.issparse(covers):
        matrix = sparse.csr_array(covers)
    else:
        table = np.asarray(covers)
        if table.ndim != 2:
            raise ValueError(f"Covers must be demand by site, not an array of shape {table.shape}.")
        matrix = sparse.csr_array(table.astype(bool))
    matrix = sparse.csr_array(matrix != 0).astype(np.int64)
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


def _checked(values: ArrayLike, n: int, what: str, of: str) -> Floats:
    made = np.array(values, dtype=np.float64)
    if made.shape != (n,):
        raise ValueError(f"There must be one {what} a {of}, {n} in all, not {made.size}.")
    if not np.isfinite(made).all() or (made < 0).any():
        raise ValueError(f"Every {what} must be a finite number of 0 or more.")
    return made


def _checked_sites(fixed: Sequence[int], n: int) -> Ints:
    made = np.unique(np.array(list(fixed), dtype=np.int64))
    if len(made) and not (made[0] >= 0 and made[-1] < n):
        raise ValueError(f"Fixed sites must be numbered from 0 to {n - 1}.")
    return made
