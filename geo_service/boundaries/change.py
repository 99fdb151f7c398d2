"""What an operation changed, and how much of it went from whom to whom."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import shapely

from geo_service.boundaries.figures import metric
from geo_service.boundaries.lattice import Shape


@dataclass(frozen=True)
class Change:
    """What an operation changed.

    ``before`` and ``after`` hold the grids (EPSG:4326) that are not the same in both, by code; a
    grid that was made is missing from the one, a grid that was taken away from the other.
    ``moved_area`` is what went from one code to another or over the outer boundary, in m²: vertices
    put into a neighbour's edge on the lattice, which move it by less than a millimetre, are not
    counted. ``gained_area`` of it came from outside the outer boundary, ``lost_area`` was left to
    the outside.
    """

    before: Mapping[str, Shape]
    after: Mapping[str, Shape]
    moved_area: float
    gained_area: float = 0.0
    lost_area: float = 0.0

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all grids that changed, in order."""
        return tuple(sorted({*self.before, *self.after}))


def measured(
    before: Mapping[str, Shape],
    after: Mapping[str, Shape],
    moved: Iterable[str],
    longitude: float,
    *,
    outer: bool,
) -> Change:
    """Return a change of grids (EPSG:4326) with its areas.

    ``moved`` are the codes whose areas change, ``longitude`` (degrees) names the metric zone;
    without ``outer`` nothing can have passed the outer boundary.

    >>> one, two = shapely.box(117, 31, 117.01, 31.01), shapely.box(117, 31, 117.02, 31.01)
    >>> change = measured({"a": one}, {"a": two}, ["a"], 117.0, outer=True)
    >>> round(change.moved_area), round(change.gained_area), change.lost_area
    (1058796, 1058796, 0.0)
    """
    codes = list(moved)
    came = _beyond(_each(after, codes), _each(before, codes), longitude)
    if not outer:
        return Change(before, after, came)
    was, now = (np.array([_whole(group)], dtype=object) for group in (before, after))
    gained, lost = _beyond(now, was, longitude), _beyond(was, now, longitude)
    # What two grids both held and one gave up came to nobody.
    went = _beyond(_each(before, codes), _each(after, codes), longitude)
    return Change(before, after, max(came + lost, went), gained, lost)


def _each(group: Mapping[str, Shape], codes: list[str]) -> Shape:
    shapes = np.array([group.get(code, shapely.Polygon()) for code in codes], dtype=object)
    bad = ~shapely.is_valid(shapes)
    shapes[bad] = shapely.make_valid(shapes[bad], method="structure")
    return shapes


def _whole(group: Mapping[str, Shape]) -> Shape:
    return shapely.union_all(_each(group, list(group)))


def _beyond(shapes: Shape, others: Shape, longitude: float) -> float:
    """Return the m² that lie in each of some shapes and not in its counterpart."""
    if not len(shapes):
        return 0.0
    return float(np.sum(shapely.area(metric(shapely.difference(shapes, others), longitude))))
