"""The inner loops of the scan for cylinders whose expectation is base times share of time.

A cylinder is a circle times a window of days. With ``size`` of the base in the circle, ``mass`` of
the days' weight in the window and C cases in all, it expects size × mass / C. For a bound m on the
statistic, the least count that reaches m grows with the expectation and is concave in it, so one
table of least counts (by size and length of window) rules out nearly all windows with one integer
comparison. Circles that grow little are taken together: the largest one's counts against the
smallest one's least count; and so are windows of nearly one length that begin on one day. What is
not ruled out is computed exactly, so nothing is missed.

The hottest loops are written out, and arrays are taken out of the tuples before them: handing them
to a function costs numba more than the additions do.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo_service.analysis.compiled import compiled

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
    """The tables that rule windows out, for rising ``bounds`` on the statistic.

    ``least[b, r, w]`` is the least count of circles of size row r in windows of w days that may
    reach bound b. ``scale``, ``tilt`` and ``steep`` are the lines below it, and ``edges``, ``wide``
    and ``level`` the stretches of lengths looked at together: see ``scan_bounds.Lines``. ``mass``
    is the days' weight up to each column, ``total`` all cases.

    The least that matters is the first bound; those above it rule out more once they are reached.
    """

    least: NDArray[Any]
    scale: int
    tilt: NDArray[Any]
    steep: NDArray[Any]
    edges: Ints
    wide: NDArray[Any]
    level: Ints
    mass: Floats
    total: float
    bounds: Floats


@compiled
def ratio(count: float, expected: float, total: float) -> float:
    """Return the logarithm of the likelihood ratio of a cylinder with more cases than expected."""
    inside = count * math.log(count / expected)
    rest = total - count
    if rest <= 0:
        return inside
    return inside + rest * math.log(rest / (total - expected))


@compiled
def add(run: Counts, prefix: Counts, zones: Ints, place: int, end: int) -> None:
    """Add the zones from ``place`` to before ``end`` to the running counts."""
    for at in range(place, end):
        zone = zones[at]
        for t in range(len(run)):
            run[t] += prefix[zone, t]


@compiled
def most(lines: NDArray[Any], late: int, early: int, days: int) -> Any:
    """Return by how much row ``late`` exceeds, at most, what row ``early`` was ``days`` before.

    Differences are cast back to the counts' own type: in numba's wider one they would fill four
    times the registers.
    """
    ahead, behind, cast = lines[late, days:], lines[early], lines.dtype.type
    top = cast(-32768)
    for t in range(len(ahead)):
        top = max(top, cast(ahead[t] - behind[t]))
    return top


@compiled
def tilt(run: Counts, row: int, scale: int, taken: NDArray[Any], lines: NDArray[Any]) -> None:
    """Take multiples of the days' weight off the counts: heavy days need more to stand out.

    Fills rows 0 and 1 with the tilted counts for short windows and for longer ones.
    """
    cast = run.dtype.type
    times = cast(scale)
    for k in range(2):
        for t in range(len(run)):
            lines[k, t] = cast(cast(run[t] * times) - taken[k, row, t])


@compiled
def line_rows(windows: Windows) -> int:
    """Return how many rows ``scan_all`` needs for tilted counts and their peaks."""
    rows = 2
    for level in windows.level:
        rows = max(rows, 2 + level)
    return rows


@compiled
def peaks(lines: NDArray[Any]) -> None:
    """Fill row 1 + k with the highest of row 1 on the 2ᵏ days that begin with each."""
    ends = lines.shape[1]
    for k in range(2, len(lines)):
        half = min(1 << (k - 2), ends)
        source, ahead, to = lines[k - 1], lines[k - 1, half:], lines[k]
        for t in range(ends):
            to[t] = source[t]
        for t in range(len(ahead)):
            to[t] = max(to[t], ahead[t])


@compiled
def scan_all(  # noqa: PLR0912, PLR0917 - compiled functions take arguments by place
    prefix: Counts,
    ground: Ground,
    windows: Windows,
    run: Counts,
    before: Counts,
    lines: NDArray[Any],
    found: Ints,
) -> float:
    """Return the largest statistic of at least the bound over all windows, or -1.

    ``prefix[z, t]`` counts the cases in zone z before day t, ``mass`` likewise the days' weight.
    Fills ``found`` with the circle, the first day and the length. Circles together and stretches
    of lengths, single lengths and single circles are ruled out in turn, then days one by one.
    """
    best, ends, longest = -1.0, prefix.shape[1], windows.least.shape[2] - 1
    first, free = ground.first, ground.free
    zone_first, zone_end = ground.zone_first, ground.zone_end
    zones, sizes, rows = ground.zone, ground.size, ground.row
    least, steep, edges = windows.least, windows.steep, windows.edges
    wide, level, scale, taken = windows.wide, windows.level, windows.scale, windows.tilt
    bounds, b = windows.bounds, 0
    vary = SLACK * math.sqrt(2 * windows.total / max(windows.mass[-1], 1e-9))
    alarm = np.empty(longest + 1, np.int64)
    for centre in range(len(free)):
        circle, place, end = first[centre], zone_first[centre], free[centre]
        run[:] = 0
        while circle < end:
            # Circles that grow by little more than chance varies are looked at together.
            widest = sizes[circle] + vary * math.sqrt(bounds[b] * sizes[circle])
            last = circle
            while last + 1 < end and sizes[last + 1] <= widest:
                last += 1
            start = place
            if last > circle:
                before[:] = run
            for at in range(place, zone_end[last]):
                zone = zones[at]
                for t in range(len(run)):
                    run[t] += prefix[zone, t]
            place, row = zone_end[last], rows[circle]
            tilt(run, row, scale, taken, lines)
            alarms, all_days = 0, run[ends - 1]
            for days in range(1, edges[0]):
                if all_days < least[b, row, days]:
                    break
                if most(lines, 0, 0, days) >= steep[b, row, days]:
                    alarm[alarms] = days
                    alarms += 1
            if len(level) > 0 and all_days >= least[b, row, edges[0]]:
                peaks(lines)
                for s in range(len(level)):
                    if all_days < least[b, row, edges[s]]:
                        break
                    if most(lines, 1 + level[s], 1, edges[s]) < wide[b, row, s]:
                        continue
                    for days in range(edges[s], edges[s + 1]):
                        if most(lines, 1, 1, days) >= steep[b, row, days]:
                            alarm[alarms] = days
                            alarms += 1
            if alarms > 0:
                if last > circle:
                    run[:] = before
                for c in range(circle, last + 1):
                    if last > circle:
                        add(run, prefix, zones, start, zone_end[c])
                        start = zone_end[c]
                        tilt(run, rows[c], scale, taken, lines)
                    best = days_of(run, lines, c, alarm[:alarms], ground, windows, b, best, found)
                while b + 1 < len(bounds) and best >= bounds[b + 1]:
                    b += 1
            circle = last + 1
    return best


@compiled
def days_of(  # noqa: PLR0917 - compiled functions take arguments by place
    run: Counts,
    lines: NDArray[Any],
    circle: int,
    alarm: Ints,
    ground: Ground,
    windows: Windows,
    b: int,
    best: float,
    found: Ints,
) -> float:
    """Return the better of ``best`` and the circle's windows of the lengths in ``alarm``."""
    total, mass = windows.total, windows.mass
    half = total / 2 * (1 + 1e-9)
    for days in alarm:
        steep = windows.steep[b, ground.row[circle], days]
        which = 0 if days < windows.edges[0] else 1
        if most(lines, which, which, days) < steep:
            continue
        line = lines[which]
        limit = windows.least[b, ground.row[circle], days]
        for t in range(len(run) - days):
            if line[t + days] - line[t] < steep:
                continue
            count = run[t + days] - run[t]
            share = mass[t + days] - mass[t]
            if count < limit or share <= 0 or share > half:
                continue
            expected = ground.size[circle] * share / total
            if promising(count, expected, total, max(best, windows.bounds[0])):
                value = ratio(count, expected, total)
                if value >= windows.bounds[0] and value > best:
                    best = value
                    found[0], found[1], found[2] = circle, t, days
    return best


@compiled
def promising(count: float, expected: float, total: float, bound: float) -> bool:
    """Tell whether the statistic can reach the bound: it never exceeds chi-squared."""
    over = count - expected
    return over > 0 and over * over * total >= bound * expected * (total - expected) * (1 - 1e-9)


@compiled
def scan_last(prefix: Counts, ground: Ground, windows: Windows, run: Counts, found: Ints) -> float:
    """Return the largest statistic of at least the bound over windows that end last, or -1.

    ``prefix[z, w]`` counts the cases of the last w days in zone z, and ``mass`` likewise.
    """
    best, least = -1.0, windows.least[0]
    first, free = ground.first, ground.free
    zone_first, zone_end = ground.zone_first, ground.zone_end
    zones, rows = ground.zone, ground.row
    for centre in range(len(free)):
        place = zone_first[centre]
        run[:] = 0
        for circle in range(first[centre], free[centre]):
            for at in range(place, zone_end[circle]):
                zone = zones[at]
                for w in range(len(run)):
                    run[w] += prefix[zone, w]
            place, row = zone_end[circle], rows[circle]
            alarm = False
            for w in range(least.shape[1]):  # without a branch, many lengths are compared at once
                alarm |= run[w] >= least[row, w]
            if alarm:
                best = last_of(run, circle, ground, windows, best, found)
    return best


@compiled
def last_of(  # noqa: PLR0917 - compiled functions take arguments by place
    run: Counts, circle: int, ground: Ground, windows: Windows, best: float, found: Ints
) -> float:
    """Return the better of ``best`` and the circle's windows that end last."""
    total, mass, limits = windows.total, windows.mass, windows.least[0, ground.row[circle]]
    for days in range(1, len(limits)):
        if run[days] < limits[days] or mass[days] <= 0:
            continue
        expected = ground.size[circle] * mass[days] / total
        if promising(run[days], expected, total, max(best, windows.bounds[0])):
            value = ratio(run[days], expected, total)
            if value >= windows.bounds[0] and value > best:
                best = value
                found[0], found[1], found[2] = circle, 0, days
    return best
