"""Maximal cover before the solver: small cases in full, good starts, and a bound by relaxation."""

import math
import time
from typing import NamedTuple

import numpy as np
from scipy import sparse

from geo_service.analysis.cover_case import Small, without_useless
from geo_service.analysis.solver import Program, relaxation
from geo_service.analysis.weights import Bools, Floats

FEW_SITES = 16
"""Up to so many sites all choices are tried: 65,536 of them, in a few milliseconds."""

_ROUNDS = 600
_PATIENCE = 20
_STARTS = 40
_SHAKES = 400
_SLACK = 1e-3
_LEAST = 1e-4


class Relaxed(NamedTuple):
    """What the relaxation tells: sites, the bound, and which sites a better answer may hold."""

    chosen: Bools
    bound: float
    useful: Bools


def searched(
    small: Small, budget: float, gap: float, seconds: float, *, times: int
) -> tuple[Small, Bools, float]:
    """Return the case without useless sites, a good answer to it, and a bound of all answers.

    What is found before the solver starts saves it much of its search. ``seconds`` at most are for
    the linear relaxation, half as many for shaking. Where demand counts only if it is covered
    several ``times``, there is no bound yet.
    """
    start = swapped(small, greedy(small, budget), budget)
    if times > 1:
        return small, start, math.inf
    outcome = relax(small, budget, start)
    start, bound = swapped(small, outcome.chosen, budget), outcome.bound
    small, start = without_useless(small, start, outcome.useful)
    if bound <= worth(small, start) * (1 + gap):
        return small, start, bound
    program, _ = cover_program(small, budget, start)
    whole = relaxation(program, seconds)
    if whole is not None:
        bound = min(bound, -whole.bound)
        enough, favour = bound / (1 + gap), whole.x[: len(small.site)]
        start = shaken(small, start, budget, favour, enough, time.monotonic() + seconds / 2)
    outcome = relax(small, budget, start)
    small, start = without_useless(small, start, outcome.useful)
    return small, start, min(bound, outcome.bound)


def exhausted(small: Small, budget: float) -> Bools:
    """Return the best of all choices of at most 16 sites.

    ``lonely[T]`` is the weight that nothing but sites of T cover, by sums over subsets; a choice
    covers all but what only the other sites cover.

    Source: the zeta transform over subsets, F. Yates (1937).
    """
    n = small.matrix.shape[1]
    bits = 1 << np.arange(n)
    lonely = np.bincount(small.matrix @ bits, small.weight, minlength=1 << n)
    price = np.zeros(1 << n)
    for k in range(n):
        pairs = lonely.reshape(-1, 2, 1 << k)
        pairs[:, 1] += pairs[:, 0]
        price.reshape(-1, 2, 1 << k)[:, 1] += small.price[k]
    missed = np.where(price <= budget * (1 + 1e-12), lonely[::-1], np.inf)
    best = int(np.argmin(missed))
    chosen: Bools = (best & bits) > 0
    return chosen


def worth(small: Small, chosen: Bools) -> float:
    """Return the weight that a choice covers."""
    return float(small.weight[small.matrix @ chosen.astype(np.int64) >= small.missing].sum())


def greedy(small: Small, budget: float, start: Bools | None = None) -> Bools:
    """Return sites taken one by one, each time the one that adds most for its price."""
    across = small.matrix.T.tocsr().astype(np.float64)
    chosen = np.zeros(small.matrix.shape[1], dtype=bool) if start is None else start.copy()
    left = budget - float(small.price[chosen].sum())
    need = small.missing - small.matrix @ chosen.astype(np.float64)
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


def swapped(small: Small, chosen: Bools, budget: float) -> Bools:
    """Return sites improved by exchanging one for another while that covers more."""
    across = small.matrix.T.tocsr().astype(np.float64)
    for _ in range(_ROUNDS):
        value, count = worth(small, chosen), small.matrix @ chosen.astype(np.float64)
        outs = np.flatnonzero(chosen)
        if not outs.size:
            return chosen
        left = count - across[outs].toarray()
        held = left >= small.missing
        lacking = (~held & (left + 1 >= small.missing)) * small.weight
        totals = held @ small.weight + across @ lacking.T
        free = budget - float(small.price[chosen].sum()) + small.price[outs]
        totals[chosen] = -1
        totals[small.price[:, None] > free[None, :]] = -1
        into, out = np.unravel_index(int(np.argmax(totals)), totals.shape)
        if totals[into, out] <= value + 1e-9 * max(value, 1.0):
            return chosen
        chosen = chosen.copy()
        chosen[outs[out]], chosen[into] = False, True
    return chosen


def shaken(  # noqa: PLR0917
    small: Small, chosen: Bools, budget: float, favour: Floats, enough: float, until: float
) -> Bools:
    """Return sites improved by giving up some at random, filling up again, and exchanging.

    ``favour`` is how much of each site a relaxation takes: others are drawn by it, first all of
    them some times over, then a few of the best at a time. Until they cover ``enough``, for at most
    400 rounds, and not after the clock says ``until``.

    Sources: H. R. Lourenço, O. C. Martin and T. Stützle, "Iterated local search" (2003);
    P. Raghavan and C. D. Thompson, "Randomized rounding" (1987).
    """
    rng = np.random.default_rng(1)
    best, now = worth(small, chosen), chosen
    value = best
    for turn in range(_SHAKES):
        taken = np.flatnonzero(now)
        if best >= enough or not taken.size or time.monotonic() > until:
            break
        count = len(taken) if turn < _STARTS else min(int(rng.integers(2, 5)), len(taken))
        other = now.copy()
        other[rng.choice(taken, count, replace=False)] = False
        other = _drawn(small, other, budget, favour, count, rng)
        other = swapped(small, greedy(small, budget, other), budget)
        found = worth(small, other)
        if found >= value * (1 - _SLACK * rng.random()):
            now, value = other, found
        if found > best:
            best, chosen = found, other
        if turn == _STARTS - 1:
            now, value = chosen, best
    return chosen


def _drawn(  # noqa: PLR0917
    small: Small, chosen: Bools, budget: float, favour: Floats, count: int, rng: np.random.Generator
) -> Bools:
    """Return a choice with as many sites more, drawn by favour, as far as they can be paid."""
    left = budget - float(small.price[chosen].sum())
    # An exponential race: each time the first of those left, in proportion to its favour.
    order = np.argsort(rng.exponential(size=len(favour)) / np.maximum(favour, _LEAST))
    for site in order[~chosen[order]][:count]:
        if small.price[site] <= left:
            chosen[site] = True
            left -= float(small.price[site])
    return chosen


def relax(small: Small, budget: float, start: Bools) -> Relaxed:
    """Return a bound by Lagrangian relaxation, and the best sites met on the way.

    The links between demand and sites are priced instead of held: what is left is solved by taking
    the sites with the highest prices per cost. Any prices give a bound; the subgradient method
    lowers it. A site that cannot be in a better answer, by the bound with it taken, is useless.

    Source: R. D. Galvão and C. ReVelle, "A Lagrangean heuristic for the maximal covering location
    problem" (1996); step lengths by B. T. Polyak (1969).
    """
    rows = small.matrix.astype(np.float64)
    across = rows.T.tocsr()
    value = float(small.weight[rows @ start.astype(np.float64) > 0].sum())
    chosen, best, useful = start, np.inf, np.ones(len(small.site), dtype=bool)
    price = small.weight / np.maximum(rows @ start.astype(np.float64), 1)
    pace, waited, base = 1.5, 0, price
    equal = bool(small.price.max() == small.price.min() > 0)
    for _ in range(_ROUNDS):
        score = across @ price
        order = np.argsort(-score / np.maximum(small.price, 1e-12), kind="stable")
        spent = np.cumsum(small.price[order])
        fits = int(np.searchsorted(spent, budget * (1 + 1e-12), side="right"))
        taken = np.zeros(len(order), dtype=bool)
        taken[order[:fits]] = True
        bound = float((small.weight - price).sum() + score[taken].sum())
        if fits < len(order) and not equal:
            # The part of a site that the rest of the budget would pay for.
            rest = budget - (spent[fits - 1] if fits else 0.0)
            bound += float(score[order[fits]]) * rest / small.price[order[fits]]
        count = rows @ taken.astype(np.float64)
        found = float(small.weight[count > 0].sum())
        if found > value:
            value, chosen = found, taken
        if equal and fits:
            least = float(score[order[fits - 1]])
            useful &= taken | (bound - least + score > value * (1 + 1e-9))
        if bound < best * (1 - 1e-6):
            best, base, waited = bound, price, 0
        else:
            best, waited = min(best, bound), waited + 1
            if waited >= _PATIENCE:
                pace, waited, price = pace / 2, 0, base
                continue
        slope = count - 1
        # Prices that the slope would push out of bounds do not move.
        slope[(price <= 0) & (slope > 0)] = 0
        slope[(price >= small.weight) & (slope < 0)] = 0
        long = float(slope @ slope)
        if best <= value * (1 + 1e-9) or long == 0 or pace < 1e-3:
            break
        price = np.clip(price - pace * (bound - value) / long * slope, 0, small.weight)
    return Relaxed(chosen, best, useful)


def cover_program(small: Small, budget: float, start: Bools) -> tuple[Program, Floats]:
    """Return the maximal cover as a program that minimises, and the start as its solution."""
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
    return program, np.concatenate((start, held)).astype(np.float64)
