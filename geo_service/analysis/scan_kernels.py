"""The inner loops of the scan for cylinders whose expectation is base times share of time.

A cylinder is a circle times a window of days. With ``size`` of the base in the circle, ``mass`` of
the days' weight in the window and C cases in all, it expects size × mass / C. For a bound m on the
statistic, the least count that reaches m grows with the expectation and is concave in it, so one
table of least counts (by size and length of window) rules out nearly all windows with one integer
comparison. Circles that grow little are taken together: the largest one's counts against the
smallest one's least count. What is not ruled out is computed exactly, so nothing is missed.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo_service.analysis.compiled import compiled, draw_below

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Counts = NDArray[np.int16] | NDArray[np.int32]

SLACK = 0.2
"""Share of the least excess by which the expectation may grow within circles taken together."""


class Ground(NamedTuple):
    """The circles, as ``circles.Circles`` has them, and what may be looked at.

    ``row`` is the row of ``Windows.least`` for each circle, ``free`` for each centre where the
    circles end that may be looked at.
    """

    first: Ints
    zone_first: Ints
    zone: Ints
    zone_end: Ints
    size: Floats
    row: Ints
    free: Ints


class Windows(NamedTuple):
    """The tables that rule windows out, for one ``bound`` on the statistic.

    ``least[r, w]`` is the least count of circles of size row r in windows of w days that may reach
    the bound, ``reach[r, w]`` the longest window looked at together with those of w days; for
    ``scale``, ``tilt`` and ``steep`` see ``scan_bounds.Tilt``. ``mass`` is the days' weight up to
    each column, ``total`` all cases.
    """

    least: Counts
    reach: Ints
    scale: int
    tilt: Counts
    steep: Counts
    mass: Floats
    total: float
    bound: float


class Chance(NamedTuple):
    """How cases fall without clusters: ``zone`` and ``place`` dealt anew, or thrown by weights.

    ``thrown`` cases follow the two alias tables; 0 means that zones are dealt over places.
    """

    zone: NDArray[np.int32]
    place: NDArray[np.int32]
    thrown: int
    zone_cut: Floats
    zone_other: NDArray[np.int32]
    place_cut: Floats
    place_other: NDArray[np.int32]


@compiled
def ratio(count: float, expected: float, total: float) -> float:
    """Return the logarithm of the likelihood ratio of a cylinder with more cases than expected."""
    inside = count * math.log(count / expected)
    rest = total - count
    if rest <= 0:
        return inside
    return inside + rest * math.log(rest / (total - expected))


@compiled
def advance(run: Counts, ground: Ground, prefix: Counts, place: int, end: int) -> None:
    """Add the zones from ``place`` to before ``end`` to the running counts."""
    for at in range(place, end):
        added = prefix[ground.zone[at]]
        for t in range(len(run)):
            run[t] += added[t]


@compiled
def most(run: Counts, days: int) -> Any:
    """Return the largest count in ``days`` days in a row.

    Differences are cast back to the counts' own type: in numba's wider one they would fill four
    times the registers. The type is asked for at run time since a cast needs its name.
    """
    late = run[days:]
    if run.itemsize == 2:
        short = np.int16(-32768)
        for t in range(len(late)):
            short = max(short, np.int16(late[t] - run[t]))
        return np.int64(short)
    top = np.int32(-2147483648)
    for t in range(len(late)):
        top = max(top, np.int32(late[t] - run[t]))
    return np.int64(top)


@compiled
def excess(run: Counts, limits: Counts) -> Any:
    """Return by how much the counts exceed their limits, at most; as ``most`` does it."""
    if run.itemsize == 2:
        short = np.int16(-1)
        for w in range(1, len(limits)):
            short = max(short, np.int16(run[w] - limits[w]))
        return np.int64(short)
    top = np.int32(-1)
    for w in range(1, len(limits)):
        top = max(top, np.int32(run[w] - limits[w]))
    return np.int64(top)


@compiled
def together(ground: Ground, first: int, end: int, windows: Windows) -> int:
    """Return the last circle that is looked at together with circle ``first``."""
    size = ground.size[first]
    if size <= 0 or windows.mass[-1] <= 0:  # no case in any of the windows: nothing to tell apart
        return end - 1
    slack = SLACK * math.sqrt(2 * windows.bound * windows.total / (size * windows.mass[-1]))
    last = first
    while last + 1 < end and ground.size[last + 1] <= size * (1 + slack):
        last += 1
    return last


@compiled
def tilt(run: Counts, row: int, windows: Windows, tilted: Counts) -> None:
    """Take a multiple of the days' weight off the counts: heavy days need more to stand out.

    See ``scan_bounds.Tilt``: the least count is at least a slope × mass + a number that depends on
    the length only, so one comparison a length serves light days and heavy ones.
    """
    taken = windows.tilt[row]
    for t in range(len(run)):
        tilted[t] = run[t] * windows.scale - taken[t]


@compiled
def scan_all(  # noqa: PLR0912, PLR0917 - compiled functions take arguments by place
    prefix: Counts,
    ground: Ground,
    windows: Windows,
    run: Counts,
    before: Counts,
    tilted: Counts,
    found: Ints,
) -> float:
    """Return the largest statistic of at least the bound over all windows, or -1.

    ``prefix[z, t]`` counts the cases in zone z before day t, ``mass`` likewise the days' weight.
    Fills ``found`` with the circle, the first day and the length. Stretches of lengths, circles
    together, single lengths and single circles are ruled out in turn, then days one by one.
    """
    best, ends, longest = -1.0, prefix.shape[1], windows.least.shape[1] - 1
    alarm = np.empty(longest + 1, np.int64)
    for centre in range(len(ground.free)):
        circle, place = ground.first[centre], ground.zone_first[centre]
        end = ground.free[centre]
        if circle >= end:
            continue
        run[:] = 0
        while circle < end:
            last = together(ground, circle, end, windows)
            start, place = place, ground.zone_end[last]
            if last > circle:
                before[:] = run
            advance(run, ground, prefix, start, place)
            row = ground.row[circle]
            limits, stretch, steep = windows.least[row], windows.reach[row], windows.steep[row]
            alarms, w, ready = 0, 1, False
            while w <= longest and run[ends - 1] >= limits[w]:
                to = stretch[w]
                if to == w or most(run, to) >= limits[w]:
                    for days in range(w, to + 1):
                        if most(run, days) < limits[days]:
                            continue
                        if not ready:
                            tilt(run, row, windows, tilted)
                            ready = True
                        if most(tilted, days) >= steep[days]:
                            alarm[alarms] = days
                            alarms += 1
                w = to + 1
            if alarms > 0:
                if last > circle:
                    run[:] = before
                for c in range(circle, last + 1):
                    if last > circle:
                        advance(run, ground, prefix, start, ground.zone_end[c])
                        start = ground.zone_end[c]
                        tilt(run, ground.row[c], windows, tilted)
                    best = days_of(run, tilted, c, alarm[:alarms], ground, windows, best, found)
            circle = last + 1
    return best


@compiled
def days_of(  # noqa: PLR0917 - compiled functions take arguments by place
    run: Counts,
    tilted: Counts,
    circle: int,
    alarm: Ints,
    ground: Ground,
    windows: Windows,
    best: float,
    found: Ints,
) -> float:
    """Return the better of ``best`` and the circle's windows of the lengths in ``alarm``."""
    total, mass = windows.total, windows.mass
    half = total / 2 * (1 + 1e-9)
    for days in alarm:
        steep = windows.steep[ground.row[circle], days]
        if most(tilted, days) < steep:
            continue
        limit = windows.least[ground.row[circle], days]
        for t in range(len(run) - days):
            if tilted[t + days] - tilted[t] < steep:
                continue
            count = run[t + days] - run[t]
            share = mass[t + days] - mass[t]
            if count < limit or share <= 0 or share > half:
                continue
            expected = ground.size[circle] * share / total
            if promising(count, expected, total, max(best, windows.bound)):
                value = ratio(count, expected, total)
                if value >= windows.bound and value > best:
                    best = value
                    found[0], found[1], found[2] = circle, t, days
    return best


@compiled
def promising(count: float, expected: float, total: float, bound: float) -> bool:
    """Tell whether the statistic can reach the bound: it never exceeds chi-squared."""
    over = count - expected
    return over > 0 and over * over * total >= bound * expected * (total - expected) * (1 - 1e-9)


@compiled
def scan_last(  # noqa: PLR0912, PLR0917 - compiled functions take arguments by place
    prefix: Counts, ground: Ground, windows: Windows, run: Counts, before: Counts, found: Ints
) -> float:
    """Return the largest statistic of at least the bound over windows that end last, or -1.

    ``prefix[z, w]`` counts the cases of the last w days in zone z, and ``mass`` likewise.
    """
    best, total, mass = -1.0, windows.total, windows.mass
    for centre in range(len(ground.free)):
        circle, place = ground.first[centre], ground.zone_first[centre]
        end = ground.free[centre]
        if circle >= end:
            continue
        run[:] = 0
        while circle < end:
            last = together(ground, circle, end, windows)
            start, place = place, ground.zone_end[last]
            if last > circle:
                before[:] = run
            advance(run, ground, prefix, start, place)
            if excess(run, windows.least[ground.row[circle]]) >= 0:
                if last > circle:
                    run[:] = before
                for c in range(circle, last + 1):
                    if last > circle:
                        advance(run, ground, prefix, start, ground.zone_end[c])
                        start = ground.zone_end[c]
                    limits = windows.least[ground.row[c]]
                    if excess(run, limits) < 0:
                        continue
                    for days in range(1, len(limits)):
                        if run[days] < limits[days] or mass[days] <= 0:
                            continue
                        expected = ground.size[c] * mass[days] / total
                        if promising(run[days], expected, total, max(best, windows.bound)):
                            value = ratio(run[days], expected, total)
                            if value >= windows.bound and value > best:
                                best = value
                                found[0], found[1], found[2] = c, 0, days
            circle = last + 1
    return best


@compiled
def accumulate(prefix: Counts) -> None:
    """Turn counts a step into counts before each step, in place."""
    for z in range(prefix.shape[0]):
        total = prefix[z, 0]
        for t in range(1, prefix.shape[1]):
            total += prefix[z, t]
            prefix[z, t] = total


@compiled
def permute(
    zone: NDArray[np.int32], place: NDArray[np.int32], prefix: Counts, state: NDArray[np.uint64]
) -> None:
    """Deal the cases' zones anew over their times, and count.

    ``place`` is the column of each case's time, rising, so that those no window reaches (columns
    beyond the last) come last and need not be dealt.
    """
    prefix[:] = 0
    count = len(zone)
    for i in range(count):
        if place[i] >= prefix.shape[1]:
            break
        j = i + draw_below(state, count - i)
        kept = zone[j]
        zone[j] = zone[i]
        zone[i] = kept
        prefix[kept, place[i]] += 1
    accumulate(prefix)


@compiled
def alias_draw(cut: Floats, other: NDArray[np.int32], state: NDArray[np.uint64]) -> Any:
    """Draw from the distribution of an alias table (Walker 1977; Vose 1991)."""
    n = draw_below(state, len(cut))
    return n if draw_below(state, 1 << 31) < cut[n] * (1 << 31) else other[n]


@compiled
def scatter(chance: Chance, prefix: Counts, state: NDArray[np.uint64]) -> None:
    """Throw the cases over zones and times by their weights, and count."""
    prefix[:] = 0
    for _ in range(chance.thrown):
        column = alias_draw(chance.place_cut, chance.place_other, state)
        zone = alias_draw(chance.zone_cut, chance.zone_other, state)
        if column < prefix.shape[1]:
            prefix[zone, column] += 1
    accumulate(prefix)


@compiled
def simulate(  # noqa: PLR0917 - compiled functions take arguments by place
    chance: Chance,
    ground: Ground,
    windows: Windows,
    prospective: bool,
    states: NDArray[np.uint64],
    prefix: Counts,
) -> Floats:
    """Return the largest statistic of each simulation, or -1 where none reaches the bound."""
    maxima = np.empty(len(states))
    state = np.empty(1, np.uint64)
    run, before = np.empty_like(prefix[0]), np.empty_like(prefix[0])
    tilted = np.empty_like(run)
    found = np.empty(3, np.int64)
    zone = chance.zone.copy()
    for n in range(len(states)):
        state[0] = states[n]
        if chance.thrown > 0:
            scatter(chance, prefix, state)
        else:
            zone[:] = chance.zone
            permute(zone, chance.place, prefix, state)
        if prospective:
            maxima[n] = scan_last(prefix, ground, windows, run, before, found)
        else:
            maxima[n] = scan_all(prefix, ground, windows, run, before, tilted, found)
    return maxima
