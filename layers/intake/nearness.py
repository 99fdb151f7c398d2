"""Rows that may be there twice, by place and time: events entered by two people, cameras on a pole.

Pure: what is warned of is found here, and nothing is refused.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from layers.intake.coordinates import Floats

METRES, HOURS = 20.0, 24.0
"""Events of one category so near to each other, in place and in time, may be one."""

POLE = 1.0
"""Metres within which cameras hang on one pole."""

BLOCK = 20_000
"""Rows compared at a time with those that may be near to them."""

PAIRS = 2_000_000
"""Pairs of a block that are looked at; where there are more, only the nearest of each row."""

_NEAREST = 16
_RADIUS = 6_371_008.8  # the mean radius of the earth in metres, IUGG 1980
_WITHIN = 1 + 1e-9
_APART = 10.0  # more than the distance that is looked for, which is 1


@dataclass(frozen=True, slots=True)
class Events:
    """Things at places: longitude and latitude in degrees (WGS 84), one element a row.

    ``times`` are seconds since any moment, NaN where not known (then nothing is near). Where
    ``times`` or ``categories`` is None, they do not matter.
    """

    longitude: Floats
    latitude: Floats
    times: Floats | None = None
    categories: Sequence[str | None] | None = None

    def __len__(self) -> int:
        return len(self.longitude)


class Near(NamedTuple):
    """Two rows near to each other, by position.

    ``first`` is in the file; ``second`` too, or, where ``known``, among what is there already.
    """

    first: int
    second: int
    known: bool
    metres: float
    hours: float


class Pairs(NamedTuple):
    """What ``Near`` says of one pair, of many: arrays of one length."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    known: bool
    metres: Floats
    hours: Floats


def near_duplicates(
    events: Events,
    known: Events | None = None,
    *,
    metres: float = METRES,
    hours: float = HOURS,
) -> list[Near]:
    """Return the pairs of one category within ``metres`` and ``hours``, nearest place first.

    Pairs within ``events``, and of ``events`` with ``known``; both inclusive at the limits. The
    distance is the chord of a sphere, which errs by less than 0.6 %. Where there are more than
    ``PAIRS`` candidates in a block, as where thousands of events stand at one place, only the
    nearest few of each row are looked at.

    >>> here = Events(np.array([117.0, 117.0001, 117.1]), np.array([31.0, 31.0, 31.0]))
    >>> [(n.first, n.second, round(n.metres, 1)) for n in near_duplicates(here)]
    [(0, 1, 9.5)]
    """
    found = [
        Near(int(part.first[i]), int(part.second[i]), part.known,
             float(part.metres[i]), float(part.hours[i]))
        for part in near_pairs(events, known, metres=metres, hours=hours)
        for i in range(len(part.first))
    ]  # fmt: skip
    return sorted(found, key=lambda n: (n.first, n.known, n.metres, n.second))


def near_pairs(
    events: Events,
    known: Events | None = None,
    *,
    metres: float = METRES,
    hours: float = HOURS,
) -> Iterator[Pairs]:
    """Yield the pairs of ``near_duplicates`` in blocks, so that not all are held at once.

    Within a block ``first`` is less than ``second`` where both are rows of the file.
    """
    scale = _Scale(metres, hours)
    along = scale.widest(events)
    mine = _Sorted(events, scale, along)
    for others in (None,) if known is None else (None, known):
        there = mine if others is None else _Sorted(others, scale, along)
        for start in range(0, len(mine.rows), BLOCK):
            block = mine.rows[start : start + BLOCK]
            low, high = mine.along[start], mine.along[start + len(block) - 1]
            until = np.searchsorted(there.along, high + _WITHIN, "right")
            # Of two rows of the file, that which comes first finds the other.
            since = start if others is None else np.searchsorted(there.along, low - _WITHIN)
            near = there.rows[since:until]
            if not len(near):
                continue
            trees = [cKDTree(t.scaled(r), leafsize=32) for t, r in ((mine, block), (there, near))]
            at = _pairs(*trees)
            a, b = block[at[:, 0]], near[at[:, 1]]
            if others is None:
                pairs = np.sort(np.column_stack([a, b])[a != b], axis=1)
                a, b = np.unique(pairs, axis=0).T
            away = np.linalg.norm(_sphere(events, a) - _sphere(there.events, b), axis=1)
            apart = np.zeros(len(a))
            if events.times is not None and there.events.times is not None:
                apart = np.abs(events.times[a] - there.events.times[b]) / 3600
            good = (away <= metres) & (apart <= hours)
            if good.any():
                yield Pairs(a[good], b[good], others is not None, away[good], apart[good])


class _Scale:
    """Places, times and categories as coordinates in which what is near is within 1."""

    def __init__(self, metres: float, hours: float) -> None:
        self.metres, self.seconds = max(metres, 1e-9), max(hours * 3600, 1e-9)
        self.names: dict[str | None, int] = {}

    def widest(self, events: Events) -> Callable[[Events], Floats]:
        """Return the coordinate, time or latitude, in which the rows are spread more widely."""
        ways = (self._north, self._when)
        found = [way(events) for way in ways]
        known = [values[np.isfinite(values)] for values in found]
        spread = [np.ptp(np.percentile(v, [2, 98])) if len(v) else 0.0 for v in known]
        return ways[int(np.argmax(spread))]

    def _north(self, events: Events) -> Floats:
        # A little less than the way there, so that nothing is passed over for the rounding.
        return np.radians(events.latitude) * (_RADIUS / self.metres * 0.999)

    def _when(self, events: Events) -> Floats:
        times = events.times
        return np.zeros(len(events)) if times is None else times / self.seconds


class _Sorted:
    """The rows that have a place and a time, along one coordinate."""

    def __init__(self, events: Events, scale: _Scale, along: Callable[[Events], Floats]) -> None:
        self.events, self._scale = events, scale
        there = np.isfinite(events.longitude) & np.isfinite(events.latitude)
        if events.times is not None:
            there &= np.isfinite(events.times)
        position = along(events)
        rows = np.flatnonzero(there)
        self.rows = rows[np.argsort(position[rows], kind="stable")]
        self.along = position[self.rows]
        self._kinds = None
        if events.categories is not None:
            names = scale.names
            numbers = (names.setdefault(name, len(names)) for name in events.categories)
            self._kinds = np.fromiter(numbers, np.int32, len(events))

    def scaled(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return some rows as points, of shape (rows, 3 to 5)."""
        columns = [*(_sphere(self.events, rows) / self._scale.metres).T]
        if self.events.times is not None:
            columns.append(self.events.times[rows] / self._scale.seconds)
        if self._kinds is not None:
            columns.append(self._kinds[rows] * _APART)
        return np.column_stack(columns)


def _sphere(events: Events, at: NDArray[np.int64]) -> NDArray[np.float64]:
    x, y = np.radians(events.longitude[at]), np.radians(events.latitude[at])
    return _RADIUS * np.column_stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)])


def _pairs(tree: cKDTree, other: cKDTree) -> NDArray[np.int64]:
    """Return the pairs of two trees that are within 1 in every coordinate, or the nearest ones."""
    most = min(_NEAREST, other.n)
    _, at = other.query(tree.data, k=range(1, most + 1), p=np.inf, distance_upper_bound=_WITHIN)
    more = most < other.n and bool((at[:, -1] < other.n).any())
    if more and int(tree.count_neighbors(other, _WITHIN, p=np.inf)) <= PAIRS:
        rows = tree.sparse_distance_matrix(other, _WITHIN, p=np.inf, output_type="ndarray")
        return np.asarray(np.column_stack([rows["i"], rows["j"]]), np.int64)
    found = np.column_stack([np.repeat(np.arange(tree.n), most), at.ravel()])
    return np.asarray(found[found[:, 1] < other.n], np.int64)
