"""Near repeats: whether events that are close in space also come close in time."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from geo_service.analysis.compiled import compiled, draw_below, seeds
from geo_service.analysis.metric import refuse_degrees

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class KnoxTable:
    """Pairs of events by distance (a row a band) and by interval (a column a band).

    ``observed`` counts each unordered pair once, ``expected`` is its mean over all permutations of
    the times, ``p`` the chance of as many pairs or more without near repeats.
    """

    observed: Ints
    expected: Floats
    p: Floats


def knox(
    x: ArrayLike,
    y: ArrayLike,
    t: ArrayLike,
    space_bands: ArrayLike,
    time_bands: ArrayLike,
    *,
    metric: Literal["euclidean", "manhattan"] = "euclidean",
    simulations: int = 999,
    seed: int | None = None,
) -> KnoxTable:
    """Count pairs of events in bands of distance and interval, and test each count.

    ``space_bands`` are the edges of half-open intervals ``[a, b)``: ``[0, 100, 200]`` gives two
    rows, from 0 to under 100 and from 100 to under 200. ``time_bands`` are those of the interval
    between two events, one column each. ``p`` is (1 + simulations with as many pairs or more) / (1
    + simulations), under random permutation of the times over the places. ``expected`` is exact
    and needs no simulation: pairs in the space band times pairs in the time band, divided by all
    pairs.

    :param x, y: places in metres, in a metric CRS (degrees give no distances)
    :param t: times in any unit, such as days; bands are in the same unit
    :param metric: straight-line distance, or along the axes
    :param simulations: permutations, 1 or more
    :param seed: makes the result repeatable
    :raises ValueError: where shapes differ, a number is missing, coordinates look like degrees,
        or edges do not rise from 0 or more

    Knox (1964), Applied Statistics 13:25; bands as in Ratcliffe and Rengert (2008), Security
    Journal 21:58; expectation as in Barton and David (1966).

    >>> table = knox([0, 1, 50, 51], [0, 0, 0, 0], [0, 1, 90, 91], [0, 5], [0, 7], seed=1)
    >>> int(table.observed[0, 0]), round(float(table.expected[0, 0]), 3)
    (2, 0.667)
    """
    xy = np.column_stack([_numbers(x, "x"), _numbers(y, "y")])
    when = _numbers(t, "t")
    if len(when) != len(xy):
        raise ValueError("x, y and t must have one value an event each")
    refuse_degrees(xy[:, 0], xy[:, 1])
    rows, columns = _edges(space_bands, "space"), _edges(time_bands, "time")
    if metric not in ("euclidean", "manhattan"):
        raise ValueError("metric must be euclidean or manhattan")
    if simulations < 1:
        raise ValueError("a p-value needs at least one simulation")
    events, shape = len(when), (len(rows) - 1, len(columns) - 1)
    if events < 2:
        return KnoxTable(np.zeros(shape, np.int64), np.zeros(shape), np.ones(shape))
    straight = metric == "euclidean"
    near_time = _pairs_in_time(np.sort(when), columns)
    first, second, starts = _pairs_in_space(xy, rows, straight)
    expected = np.outer(np.diff(starts), near_time) / (events * (events - 1) / 2)
    observed = np.diff(_closer(first, second, starts, when, columns))
    at_least = _permuted(first, second, starts, when, columns, observed, seeds(seed, simulations))
    return KnoxTable(observed, expected, (1 + at_least) / (1 + simulations))


def _numbers(values: ArrayLike, name: str) -> Floats:
    made = np.asarray(values, dtype=np.float64)
    if made.ndim != 1 or not np.isfinite(made).all():
        raise ValueError(f"{name} must be a list of numbers, one an event, none missing")
    return made


def _edges(values: ArrayLike, name: str) -> Floats:
    made = np.asarray(values, dtype=np.float64)
    rising = made.ndim == 1 and len(made) > 1 and bool((np.diff(made) > 0).all())
    if not rising or made[0] < 0 or np.isnan(made).any():
        raise ValueError(f"the edges of {name} bands must be two or more, from 0 or more, rising")
    return made


def _pairs_in_space(xy: Floats, edges: Floats, straight: bool) -> tuple[Ints, Ints, Ints]:
    """Return the pairs as two lists, sorted by band, and where each band starts."""
    # A little wider, so that rounding in the tree cannot lose a pair; the bands decide.
    widest = float(np.ptp(xy, axis=0).sum()) + 1
    reach = min(edges[-1] * (1 + 1e-9), widest)
    pairs = cKDTree(xy).query_pairs(reach, p=2 if straight else 1, output_type="ndarray")
    gap = np.abs(xy[pairs[:, 0]] - xy[pairs[:, 1]])
    distance = np.sqrt((gap**2).sum(axis=1)) if straight else gap.sum(axis=1)
    band = np.searchsorted(edges, distance, side="right") - 1
    # By the first event within a band, so that neighbours in the list read nearby memory.
    order = np.lexsort((pairs[:, 0], band))
    order = order[(band[order] >= 0) & (band[order] < len(edges) - 1)]
    starts = np.searchsorted(band[order], np.arange(len(edges))).astype(np.int64)
    return pairs[order, 0].astype(np.int64), pairs[order, 1].astype(np.int64), starts


@compiled
def _pairs_in_time(ordered: Floats, edges: Floats) -> Ints:
    """Return how many pairs of the sorted times lie in each band."""
    closer = np.zeros(len(edges), np.int64)
    for b in range(len(edges)):
        j = 0
        for i in range(len(ordered)):
            j = max(j, i + 1)
            while j < len(ordered) and ordered[j] - ordered[i] < edges[b]:
                j += 1
            closer[b] += j - i - 1
    return closer[1:] - closer[:-1]


@compiled
def _closer(first: Ints, second: Ints, starts: Ints, when: Floats, edges: Floats) -> Ints:
    """Return, for each space band and each edge, how many of the band's pairs are closer in time.

    In blocks without branches: the intervals first, then one pass over them an edge, which the
    compiler turns into vector instructions.
    """
    count = np.zeros((len(starts) - 1, len(edges)), np.int64)
    apart = np.empty(_BLOCK)
    for row in range(len(starts) - 1):
        for block in range(starts[row], starts[row + 1], _BLOCK):
            size = min(_BLOCK, starts[row + 1] - block)
            for n in range(size):
                apart[n] = abs(when[first[block + n]] - when[second[block + n]])
            for b in range(len(edges)):
                edge = edges[b]
                under = 0
                for n in range(size):
                    under += apart[n] < edge
                count[row, b] += under
    return count


@compiled
def _permuted(  # noqa: PLR0917 - compiled functions take arguments by place
    first: Ints,
    second: Ints,
    starts: Ints,
    when: Floats,
    edges: Floats,
    observed: Ints,
    states: NDArray[np.uint64],
) -> Ints:
    """Return in how many permutations of the times each count reached the observed one."""
    reached = np.zeros_like(observed)
    shuffled = when.copy()
    state = np.zeros(1, np.uint64)
    for n in range(len(states)):
        state[0] = states[n]
        shuffled[:] = when
        for i in range(len(when) - 1, 0, -1):
            j = draw_below(state, i + 1)
            kept = shuffled[i]
            shuffled[i] = shuffled[j]
            shuffled[j] = kept
        closer = _closer(first, second, starts, shuffled, edges)
        reached += closer[:, 1:] - closer[:, :-1] >= observed
    return reached
