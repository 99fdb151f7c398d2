"""Searching all cylinders of a record, and of simulated ones, for the largest scan statistic."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geo_service.analysis import scan_chance, scan_kernels
from geo_service.analysis.circles import Circles
from geo_service.analysis.scan_bounds import Lines, least, least_counts, lines_below, size_rows
from geo_service.analysis.scan_chance import Chance
from geo_service.analysis.scan_kernels import Ground, Windows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
States = NDArray[np.uint64]

LOWEST = 1e-9
"""Statistics below this are rounding: a count equal to its expectation."""

LADDER = np.append(40 * 0.85 ** np.arange(30), LOWEST)
"""Bounds on the statistic, tried from above: high ones rule out more and cost less."""

_ABOVE = 5
"""Steps of the ladder above the bound, for when more than the bound has been found."""

_PILOT, _PILOT_BOUND = 8, 10.0
"""Simulations that tell where the bound for the others may start, and where theirs does."""


_NOTHING = np.zeros((1, 1, 1), np.int64)
NO_LINES = Lines(1, _NOTHING, _NOTHING, _NOTHING[0, 0], _NOTHING[..., :0], _NOTHING[0, 0, :0])
"""What a prospective scan has in their place."""


@dataclass(frozen=True, slots=True)
class Best:
    """A cylinder: its statistic, its circle, its first day from 0, its days, what it expects."""

    value: float
    circle: int
    first: int
    days: int
    expected: float


class Search(Protocol):
    """What a scan needs of its statistic."""

    def best(self, free: Ints, at_most: float) -> Best | None:
        """Return the best cylinder among each centre's circles before ``free``."""
        ...

    def simulate(self, states: States) -> Floats:
        """Return the largest statistic of one simulated record a state."""
        ...


@dataclass(frozen=True, slots=True)
class Cases:
    """Each case's zone and column, and the weight of each column."""

    zone: Ints
    column: Ints
    weight: Floats


def dealt(cases: Cases) -> Chance:
    """Deal the cases' zones anew over their times."""
    nothing, none = np.zeros(0), np.zeros(0, np.int32)
    place = np.sort(cases.column).astype(np.int32)
    return Chance(cases.zone.astype(np.int32), place, 0, nothing, none, nothing, none)


def thrown(base: Floats) -> Callable[[Cases], Chance]:
    """Throw the cases over the zones by ``base`` and over the times by their weight."""

    def chance(cases: Cases) -> Chance:
        none = np.zeros(0, np.int32)
        zones, times = _alias(base), _alias(cases.weight)
        return Chance(none, none, len(cases.zone), *zones, *times)

    return chance


class CountSearch:
    """The search where a cylinder expects its circle's base times its days' share."""

    def __init__(
        self,
        zone: Ints,
        day: Ints,
        circles: Circles,
        weight: Floats,
        *,
        max_days: int,
        prospective: bool,
        chance: Callable[[Cases], Chance],
    ) -> None:
        """Take cases by zone and day from 0; ``weight`` of the days sums to the cases."""
        self.days, self.total, self.prospective = len(weight), float(len(zone)), prospective
        self.circles = circles
        # Column 0 stays empty, so that a column holds what came before it.
        column = self.days - day if prospective else day + 1
        by_column = np.append(0.0, weight[::-1] if prospective else weight)
        self.mass = np.cumsum(by_column)
        self.lightest, self.heaviest = self._spans(min(max_days, self.days))
        if prospective:
            self.mass = self.lightest
        self.grid, self.row = size_rows(circles.size)
        self.kind: Any = np.int16 if self.total < np.iinfo(np.int16).max - 1 else np.int32
        zones = int(max(zone.max(), circles.zone.max(initial=0))) + 1
        self.prefix = np.zeros((zones, len(self.mass)), self.kind)
        held = column < len(self.mass)
        np.add.at(self.prefix, (zone[held], column[held]), 1)
        scan_chance.accumulate(self.prefix)
        self.kept: dict[float, Windows] = {}
        self.tables: dict[tuple[float, bool], Floats] = {}
        self.chance = chance(Cases(zone, column, by_column))

    def _spans(self, longest: int) -> tuple[Floats, Floats]:
        """Return the weight of the lightest and heaviest window of each length that may count."""
        half = self.total / 2 * (1 + 1e-9)
        if self.prospective:
            ends = self.mass[: longest + 1]
            return ends[ends <= half], ends[ends <= half]
        spans = [self.mass[w:] - self.mass[: len(self.mass) - w] for w in range(1, longest + 1)]
        light = np.array([0.0, *(float(s[s > 0].min()) for s in spans)])
        heavy = np.array([0.0, *(float(s.max()) for s in spans)])
        return light[light <= half], np.minimum(heavy[light <= half], half)

    def best(self, free: Ints, at_most: float) -> Best | None:
        """Return the best cylinder among each centre's circles before ``free``."""
        if not self._any():
            return None
        run, before = np.empty((2, self.prefix.shape[1]), self.kind)
        found = np.zeros(3, np.int64)
        value = -1.0
        for bound in LADDER[np.searchsorted(-LADDER, -at_most) :]:
            windows, ground = self._windows(float(bound)), self._ground(free)
            if self.prospective:
                value = scan_kernels.scan_last(self.prefix, ground, windows, run, found)
            else:
                lines = np.empty((scan_kernels.line_rows(windows), len(run)), self.kind)
                value = scan_kernels.scan_all(
                    self.prefix, ground, windows, run, before, lines, found
                )
            if value > 0:
                break
        if value <= 0:
            return None
        circle, first, days = (int(v) for v in found)
        share = self.mass[first + days] - self.mass[first]
        if self.prospective:
            first = self.days - days
        expected = float(self.circles.size[circle] * share / self.total)
        return Best(float(value), circle, first, days, expected)

    def simulate(self, states: States) -> Floats:
        """Return the largest statistic of one simulated record a state; 0 where nothing exceeds."""
        if not self._any() or not len(states):
            return np.zeros(len(states))
        pilots = self._descend(states[:_PILOT], LADDER[LADDER <= _PILOT_BOUND])
        # A bound just below the pilots' least is reached by nearly all the others.
        start = np.searchsorted(-LADDER, -pilots.min())
        others = self._descend(states[_PILOT:], LADDER[min(start, len(LADDER) - 1) :])
        return np.asarray(np.maximum(np.concatenate([pilots, others]), 0.0))

    def _descend(self, states: States, bounds: Floats) -> Floats:
        """Simulate with a lower and lower bound, each time only what found nothing above it."""
        maxima = np.full(len(states), -1.0)
        left = np.arange(len(states))
        for bound in bounds:
            if not len(left):
                break
            maxima[left] = self._threaded(states[left], self._windows(float(bound)))
            left = left[maxima[left] < 0]
        return maxima

    def _threaded(self, states: States, windows: Windows) -> Floats:
        ground = self._ground(self.circles.first[1:])

        def part(some: States) -> Floats:
            prefix = np.empty_like(self.prefix)
            made: Floats = scan_chance.simulate(
                self.chance, ground, windows, self.prospective, some, prefix
            )
            return made

        return threaded(part, states)

    def _ground(self, free: Ints) -> Ground:
        c = self.circles
        return Ground(c.first, c.zone_first, c.zone, c.zone_end, c.size, self.row, free)

    def _windows(self, bound: float) -> Windows:
        """Return the tables for a bound of the ladder, and for some above it."""
        if bound not in self.kept:
            above = 0 if self.prospective else _ABOVE
            at = int(np.searchsorted(-LADDER, -bound))
            bounds = LADDER[max(at - above, 0) : at + 1][::-1].copy()
            light = np.array([self._least(b, heaviest=False) for b in bounds])
            counts = np.minimum(least_counts(light, self.total), np.iinfo(self.kind).max)
            line = NO_LINES
            if not self.prospective:
                heavy = np.array([self._least(b, heaviest=True) for b in bounds])
                line = lines_below(light, heavy, (self.lightest, self.heaviest), self.mass)
            self.kept[bound] = Windows(
                counts.astype(self.kind),
                line.scale,
                line.tilt.astype(self.kind),
                line.steep.astype(self.kind),
                line.edges,
                line.wide.astype(self.kind),
                line.level,
                self.mass,
                self.total,
                bounds,
            )
        return self.kept[bound]

    def _least(self, bound: float, *, heaviest: bool) -> Floats:
        """Return the table of least counts; kept, since each is used again and again."""
        key = float(bound), heaviest
        if key not in self.tables:
            mass = self.heaviest if heaviest else self.lightest
            self.tables[key] = least(bound, self.grid, mass, self.total)
        return self.tables[key]

    def _any(self) -> bool:
        return len(self.circles.size) > 0 and len(self.lightest) > 1


def threaded(part: Callable[[States], Floats], states: States) -> Floats:
    """Run ``part`` on pieces of ``states``, one a processor; compiled code holds no lock."""
    workers = min(len(os.sched_getaffinity(0)), len(states))
    if workers < 2:
        return part(states)
    with ThreadPoolExecutor(workers) as pool:
        return np.concatenate(list(pool.map(part, np.array_split(states, workers))))


def _alias(weight: Floats) -> tuple[Floats, NDArray[np.int32]]:
    """Return an alias table: keep n with probability ``cut[n]``, else take ``other[n]``."""
    count = len(weight)
    cut = weight * count / weight.sum()
    other = np.arange(count, dtype=np.int32)
    small = [int(n) for n in np.flatnonzero(cut < 1)]
    large = [int(n) for n in np.flatnonzero(cut >= 1)]
    while small and large:
        n, m = small.pop(), large[-1]
        other[n] = m
        cut[m] -= 1 - cut[n]
        if cut[m] < 1:
            small.append(large.pop())
    cut[small + large] = 1.0
    return cut, other
