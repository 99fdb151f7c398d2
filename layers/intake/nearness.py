"""Rows that may be there twice, by place and time: events entered by two people, cameras on a pole.

Pure: what is warned of is found here, and nothing is refused.
"""

from collections.abc import Sequence
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

PAIRS = 2_000_000
"""Pairs that are looked at one by one; where there are more, only the nearest of each row."""

_NEAREST = 16
_RADIUS = 6_371_008.8  # the mean radius of the earth in metres, IUGG 1980
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
    ``PAIRS`` candidates, as where thousands of events stand at one place, only the nearest few of
    each row are looked at.

    >>> here = Events(np.array([117.0, 117.0001, 117.1]), np.array([31.0, 31.0, 31.0]))
    >>> [(n.first, n.second, round(n.metres, 1)) for n in near_duplicates(here)]
    [(0, 1, 9.5)]
    """
    if not len(events):
        return []
    names: dict[str | None, int] = {}
    own = _scaled(events, names, metres, hours)
    tree = cKDTree(own)
    pairs = _pairs(tree, None)
    found = _judged(events, events, pairs[pairs[:, 0] < pairs[:, 1]], metres, hours, known=False)
    if known is not None and len(known):
        there = cKDTree(_scaled(known, names, metres, hours))
        found += _judged(events, known, _pairs(tree, there), metres, hours, known=True)
    return sorted(found, key=lambda n: (n.first, n.known, n.metres, n.second))


def _scaled(
    events: Events, names: dict[str | None, int], metres: float, hours: float
) -> NDArray[np.float64]:
    """Return places, times and categories as coordinates in which what is near is within 1.

    What has no place, no time or no category is near to nothing.
    """
    xyz = _sphere(events)
    columns = [*(xyz / max(metres, 1e-9)).T]
    if events.times is not None:
        columns.append(events.times / max(hours * 3600, 1e-9))
    if events.categories is not None:
        numbers = [names.setdefault(name, len(names)) for name in events.categories]
        columns.append(np.array(numbers) * _APART)
    table = np.column_stack(columns)
    lost = ~np.isfinite(table).all(axis=1)
    table[lost] = 0.0
    # Each at a place of its own, far from everything.
    table[lost, 0] = 1e12 + np.arange(np.count_nonzero(lost)) * _APART
    return table


def _sphere(events: Events) -> NDArray[np.float64]:
    x, y = np.radians(events.longitude), np.radians(events.latitude)
    return _RADIUS * np.column_stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)])


def _pairs(tree: cKDTree, other: cKDTree | None) -> NDArray[np.int64]:
    """Return candidates, as positions in both trees: all within 1 in every coordinate."""
    there = other if other is not None else tree
    kept: NDArray[np.int64]
    within = 1 + 1e-9
    count = int(tree.count_neighbors(there, within, p=np.inf))
    if count <= PAIRS:
        if other is None:
            kept = tree.query_pairs(within, p=np.inf, output_type="ndarray").reshape(-1, 2)
            return kept
        rows = tree.sparse_distance_matrix(other, within, p=np.inf, output_type="ndarray")
        kept = np.column_stack([rows["i"], rows["j"]]).astype(np.int64)
        return kept
    most = min(_NEAREST, there.n)
    _, at = there.query(tree.data, k=range(1, most + 1), p=np.inf, distance_upper_bound=within)
    first = np.repeat(np.arange(tree.n), most)
    second = at.ravel()
    kept = np.column_stack([first, second])[second < there.n].astype(np.int64)
    if other is None:
        kept = np.unique(np.sort(kept[kept[:, 0] != kept[:, 1]], axis=1), axis=0)
    return kept


def _judged(
    events: Events,
    others: Events,
    pairs: NDArray[np.int64],
    metres: float,
    hours: float,
    *,
    known: bool,
) -> list[Near]:
    a, b = pairs[:, 0], pairs[:, 1]
    away = np.linalg.norm(_sphere(events)[a] - _sphere(others)[b], axis=1)
    apart = np.zeros(len(pairs))
    if events.times is not None and others.times is not None:
        apart = np.abs(events.times[a] - others.times[b]) / 3600
    good = np.flatnonzero((away <= metres) & (apart <= hours))
    return [
        Near(int(a[i]), int(b[i]), known, float(away[i]), float(apart[i])) for i in good.tolist()
    ]
