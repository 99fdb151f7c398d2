"""The permutation distribution of a neighbourhood's sum of counts, exactly and without simulation.

Under the null hypothesis every arrangement of the values over the cells is as likely as any other:
a neighbourhood of k cells holds k of the values, drawn without replacement. How the sum of such a
draw is distributed depends on the values only through how often each occurs: of ``m_d`` cells with
the value ``v_d``, ``t_d`` are drawn with probability Π C(m_d, t_d) / C(n, k), and the sum is
Σ t_d v_d. Dynamic programming over the distinct values collects these terms.

Numerics: C(m, t) is replaced by the binomial probability C(m, t) πᵗ (1 − π)ᵐ⁻ᵗ for one π near k/n.
The powers of π are the same for all ways to draw k, so they cancel when the row for k is divided by
its total C(n, k) πᵏ (1 − π)ⁿ⁻ᵏ. Thus nothing overflows, one table serves all k, and since only
positive numbers are multiplied and added, a tail of 1e-40 is as accurate as one of 0.5: about
1e-13, against rational arithmetic in the tests.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse, stats

from geo_service.analysis.compiled import compiled
from geo_service.analysis.weights import Floats, Ints

WORK = 3e10
"""Most multiplications a distribution may take, about half a minute."""

STATES = 1e8
"""Most states (cells drawn × sum) of one table, 0.8 GB."""

DEEPEST = -200.0
"""A neighbourhood size shares a table unless its logarithmic probability in it is below this: the
tails then still have 200 powers of e above the smallest float."""


class Tails(NamedTuple):
    """P(S ≥ s) and P(S ≤ s) of each cell's observed sum s."""

    greater: Floats
    less: Floats


@dataclass(frozen=True)
class Groups:
    """The distinct values, ascending, and how many cells have each."""

    value: Ints
    count: Ints

    def without(self, place: int) -> "Groups":
        """Return the groups with one cell fewer in the one at ``place``."""
        count = self.count.copy()
        count[place] -= 1
        return Groups(self.value, count)


def tails(values: Floats, pattern: Any, *, star: bool) -> Tails:
    """Return the tails of the sum over each cell's neighbours, and with ``star`` the cell itself.

    ``values`` are n whole numbers, ``pattern`` an n × n CSR matrix whose stored entries are the
    neighbours. With ``star`` the draw is from all n values; without, it is from the n − 1 values of
    the other cells, given the cell's own. Raises ValueError where the table would be too large.

    >>> pair = sparse.csr_array(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]]))
    >>> tails(np.array([3.0, 2, 0]), pair, star=True).greater.round(3).tolist()
    [0.333, 0.333, 1.0]
    """
    whole = np.rint(values - values.min()).astype(np.int64)
    whole //= max(int(np.gcd.reduce(whole)), 1)
    ones = sparse.csr_array(
        (np.ones(pattern.nnz, dtype=np.int64), pattern.indices, pattern.indptr), pattern.shape
    )
    size = np.diff(pattern.indptr).astype(np.int64)
    total = np.asarray(ones @ whole, dtype=np.int64)
    if star:
        size, total = size + 1, total + whole
    value, kind, count = np.unique(whole, return_inverse=True, return_counts=True)
    groups = Groups(value, count)
    greater, less = np.ones(len(whole)), np.ones(len(whole))
    cap = int(total.max()) + 1
    for sizes, draw in _batches(np.unique(size[size > 0]), len(whole) - (not star)):
        _check_work(groups, int(sizes[-1]), cap, star=star)
        for place, table in _tables(groups, int(sizes[-1]), cap, draw, star=star):
            mine = np.isin(size, sizes)
            if place is not None:
                mine &= kind == place
            chance = np.zeros_like(table)
            for k in sizes:
                scale = _binomial(len(whole) - (not star), int(k), draw)[-1]
                chance[k] = table[k] / scale
            up = np.cumsum(chance[:, ::-1], axis=1)[:, ::-1]
            down = np.cumsum(chance, axis=1)
            greater[mine] = up[size[mine], total[mine]]
            less[mine] = down[size[mine], total[mine]]
    return Tails(np.minimum(greater, 1.0), np.minimum(less, 1.0))


def _batches(sizes: Ints, n: int) -> Iterator[tuple[Ints, float]]:
    """Yield neighbourhood sizes that can share a table, with the π of the table."""
    while sizes.size:
        draw = float(sizes[-1]) / (n + 1)
        near = stats.binom.logpmf(sizes, n, draw) > DEEPEST
        near[-1] = True
        yield sizes[near], draw
        sizes = sizes[~near]


def _check_work(groups: Groups, most: int, cap: int, *, star: bool) -> None:
    states = (most + 1) * (cap + 1)
    steps = float(np.minimum(groups.count, most).sum()) * states
    if not star:
        steps *= 1 + math.log2(len(groups.value))
    if states > STATES or steps > WORK:
        raise ValueError(
            f"The exact distribution of sums up to {cap - 1:,} over up to {most:,} cells is too "
            'large to compute: use inference="normal", smaller neighbourhoods or smaller cells.'
        )


def _tables(
    groups: Groups, most: int, cap: int, draw: float, *, star: bool
) -> Iterator[tuple[int | None, Floats]]:
    """Yield the table of all cells, or for each distinct value the table without one cell of it.

    A table holds the joint probability of (cells drawn, sum), sums of ``cap`` and more in one.
    """
    empty = np.zeros((most + 1, cap + 1))
    empty[0, 0] = 1.0
    everything = np.arange(len(groups.value))
    if star:
        yield None, _with(empty, groups, everything, draw)
        return
    # Taking a value out of a finished table would subtract, and lose the tails. Halving the groups
    # instead reaches every table with one group left out in log2 as many steps, adding only.
    waiting = [(everything, empty)]
    while waiting:
        left, table = waiting.pop()
        if len(left) == 1:
            place = int(left[0])
            yield place, _with(table, groups.without(place), left, draw)
            continue
        half = len(left) // 2
        waiting.append((left[:half], _with(table, groups, left[half:], draw)))
        waiting.append((left[half:], _with(table, groups, left[:half], draw)))


def _with(table: Floats, groups: Groups, places: Ints, draw: float) -> Floats:
    """Return the table after draws from the groups at ``places``."""
    most = table.shape[0] - 1
    after, reached = table.copy(), int(np.flatnonzero(table.any(axis=0))[-1])
    for place in places:
        value, count = int(groups.value[place]), int(groups.count[place])
        weight = _binomial(count, min(count, most), draw)
        reached = _draw(after, value, weight, reached)
    return after


@compiled
def _draw(table: Floats, value: int, weight: Floats, reached: int) -> Any:
    """Draw t cells of a value with probability ``weight[t]``, in place; sums of the end add up.

    ``reached`` is the largest sum with a probability so far; the new one is returned. Rows are done
    from the last, since each needs those before it as they were.
    """
    cap = table.shape[1] - 1
    for k in range(table.shape[0] - 1, -1, -1):
        row = table[k]
        for s in range(reached + 1):
            row[s] *= weight[0]
        for t in range(1, min(len(weight) - 1, k) + 1):
            chance, came = weight[t], table[k - t]
            if chance == 0:
                continue
            step = min(value * t, cap)
            moved = row[step:]
            for s in range(min(reached + 1, cap - step)):
                moved[s] += chance * came[s]
            over = 0.0
            for s in range(cap - step, reached + 1):
                over += came[s]
            row[cap] += chance * over
    return min(reached + value * min(len(weight) - 1, table.shape[0] - 1), cap)


def _binomial(n: int, most: int, draw: float) -> Floats:
    """Return the binomial probabilities of 0 to ``most`` of ``n``, to about 14 digits.

    The logarithms summed are of the order of the answer's own, not of n!, so nothing is lost.
    """
    t = np.arange(1, most + 1)
    steps = np.log((n + 1 - t) / t) + (math.log(draw) - math.log1p(-draw))
    return np.asarray(np.exp(n * math.log1p(-draw) + np.concatenate([[0.0], np.cumsum(steps)])))


def drawn_tails(values: Floats, size: Ints, total: Floats) -> Tails:
    """Return the tails of sums of ``size`` values drawn from all ``values``, of any shape.

    ``total`` is the observed sum of each draw, as many values as ``size``; those are whole numbers.
    For neighbourhoods too many to write as a matrix, such as those of a space-time cube.

    >>> drawn_tails(np.array([3.0, 2, 0]), np.array([2, 1]), np.array([5.0, 3.0])).greater.round(3)
    array([0.333, 0.333])
    """
    lowest = int(values.min())
    whole = np.rint(values.ravel() - lowest).astype(np.int64)
    unit = max(int(np.gcd.reduce(whole)), 1)
    above = (np.rint(total).astype(np.int64) - lowest * size) // unit
    value, count = np.unique(whole // unit, return_counts=True)
    groups, cap = Groups(value, count), int(above.max()) + 1
    greater, less = np.ones(size.shape), np.ones(size.shape)
    for sizes, draw in _batches(np.unique(size), len(whole)):
        _check_work(groups, int(sizes[-1]), cap, star=True)
        [(_, table)] = _tables(groups, int(sizes[-1]), cap, draw, star=True)
        for k in sizes:
            chance = table[k] / _binomial(len(whole), int(k), draw)[-1]
            mine = size == k
            greater[mine] = np.cumsum(chance[::-1])[::-1][above[mine]]
            less[mine] = np.cumsum(chance)[above[mine]]
    return Tails(np.minimum(greater, 1.0), np.minimum(less, 1.0))
