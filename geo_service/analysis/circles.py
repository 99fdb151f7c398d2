"""Nested circles around zone centres: the ground of every cylinder a scan looks at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SAME = 1e-6
"""Metres by which two distances may differ and still be the same radius."""


@dataclass(frozen=True, slots=True)
class Circles:
    """Circles of all radii around each centre, every one adding zones to the one before it.

    ``zone`` lists zones by distance, centre after centre. Centre c owns the circles from
    ``first[c]`` to before ``first[c + 1]``, and its zones start at ``zone_first[c]``; circle s
    holds the centre's zones up to before ``zone_end[s]``, has the ``radius`` in metres, and covers
    ``size`` of the base.
    """

    first: Ints
    zone_first: Ints
    zone: Ints
    zone_end: Ints
    size: Floats
    radius: Floats


def nested_circles(xy: Floats, base: Floats, max_radius: float, max_size: float) -> Circles:
    """Return the circles around every zone that hold some of the base, and at most ``max_size``.

    Zones at one distance (to a micrometre) enter together. Zones without any base are left out, so
    a circle's ``radius`` is the smallest that holds its base.

    :param xy: zone centres in metres, one row a zone
    :param base: what each zone holds, such as its number of cases
    """
    held = np.flatnonzero(base > 0)
    tree = cKDTree(xy[held])
    parts: list[tuple[Ints, Ints, Floats, Floats]] = []
    first, zone_first = [0], [0]
    for centre in xy:
        near = held[tree.query_ball_point(centre, max_radius + _SAME)]
        gap = xy[near] - centre
        distance = np.sqrt((gap**2).sum(axis=1))
        order = np.lexsort((near, distance))
        near, distance = near[order], distance[order]
        ends = np.flatnonzero(np.diff(distance, append=np.inf) > _SAME) + 1
        size = np.cumsum(base[near])[ends - 1]
        fits = (size <= max_size) & (distance[ends - 1] <= max_radius + _SAME)
        ends, size = ends[fits], size[fits]
        near = near[: ends[-1] if len(ends) else 0]
        parts.append((near, zone_first[-1] + ends, size, distance[ends - 1]))
        first.append(first[-1] + len(ends))
        zone_first.append(zone_first[-1] + len(near))
    near, end, size, radius = (np.concatenate(p) for p in zip(*parts, strict=True))
    return Circles(
        first=np.array(first, np.int64),
        zone_first=np.array(zone_first, np.int64),
        zone=near.astype(np.int64),
        zone_end=end.astype(np.int64),
        size=size.astype(np.float64),
        radius=radius.astype(np.float64),
    )


def free_until(circles: Circles, xy: Floats, taken: NDArray[np.bool_]) -> Ints:
    """Return for each centre where its circles end that hold no ``taken`` zone.

    Circles are nested, so they are free up to the first that reaches the nearest taken zone.
    """
    if not taken.any():
        return circles.first[1:].copy()
    nearest = cKDTree(xy[taken]).query(xy)[0] - _SAME
    ends = np.empty(len(xy), np.int64)
    for c, reach in enumerate(nearest):
        low, high = circles.first[c], circles.first[c + 1]
        ends[c] = low + np.searchsorted(circles.radius[low:high], reach, side="left")
    return ends


def within(xy: Floats, centre: int, radius: float) -> Ints:
    """Return the zones whose centres lie in the circle, those without any base included."""
    gap = xy - xy[centre]
    return np.flatnonzero(np.sqrt((gap**2).sum(axis=1)) <= radius + _SAME)
