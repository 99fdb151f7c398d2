"""Records without clusters, and the largest statistic of each: the simulations of a scan."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo_service.analysis.compiled import compiled, draw_below
from geo_service.analysis.scan_kernels import Ground, Windows, line_rows, scan_all, scan_last

Floats = NDArray[np.float64]
Counts = NDArray[np.int16] | NDArray[np.int32]


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
    lines = np.empty((line_rows(windows), len(run)), prefix.dtype)
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
            maxima[n] = scan_last(prefix, ground, windows, run, found)
        else:
            maxima[n] = scan_all(prefix, ground, windows, run, before, lines, found)
    return maxima
