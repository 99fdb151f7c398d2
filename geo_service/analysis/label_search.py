"""Searching all cylinders for the largest Bernoulli statistic: cases among records."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from geo_service.analysis.circles import Circles
from geo_service.analysis.compiled import compiled, draw_below
from geo_service.analysis.scan_chance import accumulate
from geo_service.analysis.scan_search import Best, States, threaded

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Counts = NDArray[np.int32]


class LabelSearch:
    """The search where a cylinder of n records expects n C / N cases."""

    def __init__(
        self,
        zone: Ints,
        day: Ints,
        label: NDArray[np.bool_],
        circles: Circles,
        *,
        zones: int,
        days: int,
        max_days: int,
        prospective: bool,
    ) -> None:
        """Take records by zone and day from 0, and which of them are cases."""
        self.zone, self.column, self.label = zone, day + 1, label
        self.records, self.cases = len(zone), int(label.sum())
        self.circles, self.prospective = circles, prospective
        self.longest = min(max_days, days)
        self.everything = np.zeros((zones, days + 1), np.int32)
        np.add.at(self.everything, (zone, self.column), 1)
        accumulate(self.everything)
        # n log n of all whole numbers there can be: the statistic is a sum of eight of them.
        whole = np.arange(self.records + 1, dtype=np.float64)
        self.logs = xlogy(whole, whole)

    def best(self, free: Ints, at_most: float) -> Best | None:
        """Return the best cylinder among each centre's circles before ``free``."""
        del at_most
        found = np.zeros(3, np.int64)
        mine = np.zeros_like(self.everything)
        np.add.at(mine, (self.zone[self.label], self.column[self.label]), 1)
        accumulate(mine)
        value = self._scan(mine, free, found)
        if value <= 0:
            return None
        circle, first, days = (int(v) for v in found)
        centre = int(np.searchsorted(self.circles.first, circle, side="right")) - 1
        zones = self.circles.zone[self.circles.zone_first[centre] : self.circles.zone_end[circle]]
        inside = self.everything[zones]
        records = int((inside[:, first + days] - inside[:, first]).sum())
        return Best(value, circle, first, days, records * self.cases / self.records)

    def simulate(self, states: States) -> Floats:
        """Return the largest statistic of the labels dealt anew, one record a state."""

        def part(some: States) -> Floats:
            maxima = np.empty(len(some))
            mine, found = np.empty_like(self.everything), np.zeros(3, np.int64)
            order = np.empty(self.records, np.int64)
            for n in range(len(some)):
                _deal(self.zone, self.column, self.cases, order, mine, some[n : n + 1].copy())
                maxima[n] = self._scan(mine, self.circles.first[1:], found)
            return np.maximum(maxima, 0.0)

        return threaded(part, states)

    def _scan(self, mine: Counts, free: Ints, found: Ints) -> float:
        c = self.circles
        return float(
            _scan(
                mine,
                self.everything,
                c.first,
                c.zone_first,
                c.zone,
                c.zone_end,
                free,
                self.longest,
                self.prospective,
                self.cases,
                self.logs,
                found,
            )
        )


@compiled
def _deal(  # noqa: PLR0917 - compiled functions take arguments by place
    zone: Ints, column: Ints, cases: int, order: Ints, mine: Counts, state: States
) -> None:
    """Choose which records are the cases, and count them."""
    mine[:] = 0
    records = len(order)
    for n in range(records):
        order[n] = n
    for n in range(cases):
        j = n + draw_below(state, records - n)
        kept = order[j]
        order[j] = order[n]
        order[n] = kept
        mine[zone[kept], column[kept]] += 1
    accumulate(mine)


@compiled
def _scan(  # noqa: PLR0917 - compiled functions take arguments by place
    mine: Counts,
    everything: Counts,
    first: Ints,
    zone_first: Ints,
    zone: Ints,
    zone_end: Ints,
    free: Ints,
    longest: int,
    prospective: bool,
    cases: int,
    logs: Floats,
    found: Ints,
) -> float:
    """Return the largest statistic, or -1, and fill ``found`` with circle, first day and days."""
    best, ends, records = -1.0, mine.shape[1], len(logs) - 1
    inside, both = np.empty(ends, np.int64), np.empty(ends, np.int64)
    per_day = np.zeros(ends, np.int64)
    for z in range(len(everything)):
        per_day += everything[z]
    fixed = logs[records] - logs[cases] - logs[records - cases]
    for centre in range(len(first) - 1):
        inside[:] = 0
        both[:] = 0
        place = zone_first[centre]
        for circle in range(first[centre], free[centre]):
            while place < zone_end[circle]:
                inside += mine[zone[place]]
                both += everything[zone[place]]
                place += 1
            for w in range(1, longest + 1):
                for t in range(ends - 1 - w if prospective else 0, ends - w):
                    c = inside[t + w] - inside[t]
                    n = both[t + w] - both[t]
                    if c < 2 or c * records <= cases * n:
                        continue
                    if 2 * (per_day[t + w] - per_day[t]) > records:
                        continue
                    value = (
                        fixed
                        + logs[c]
                        + logs[n - c]
                        - logs[n]
                        + logs[cases - c]
                        + logs[records - n - cases + c]
                        - logs[records - n]
                    )
                    if value > best:
                        best = value
                        found[0], found[1], found[2] = circle, t, w
    return best
