"""What stands in the way: outlines with heights, made ready for many cameras at once."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geo_service.analysis.sentence import Sentence
from geo_service.analysis.sweep import TOUCH, Walls
from geo_service.analysis.weights import Bools, Floats, Ints

TALL = np.inf
"""The height of a building whose height is not known: it hides everything behind it."""


@dataclass(frozen=True, eq=False)
class Buildings:
    """Outlines (polygons, or lines for bare walls) in metres, and heights above the ground.

    A height that is missing counts as :data:`TALL`. ``notes`` says what was mended on the way in.
    """

    shapes: Any
    heights: Floats
    notes: tuple[Sentence, ...] = ()

    @classmethod
    def read(
        cls, shapes: ArrayLike | Sequence[Any], heights: ArrayLike | None = None
    ) -> "Buildings":
        """Return buildings from geometries, with outlines that cross themselves mended and noted.

        Raises ValueError for heights that are not as many as the shapes or are negative, and for
        shapes without any outline.

        >>> bow = shapely.Polygon([(0, 0), (4, 4), (4, 0), (0, 4)])
        >>> Buildings.read([bow]).notes[0].en
        'Building 0 crossed itself (Self-intersection[2 2]): it was mended.'
        """
        made = np.array(shapes, dtype=object).reshape(-1)
        kinds = shapely.get_type_id(made)
        if not np.isin(kinds, (1, 2, 3, 5, 6)).all():
            raise ValueError("Walls must be polygons or lines, none of them missing.")
        if heights is None:
            tops = np.full(len(made), TALL)
        else:
            tops = np.array(heights, dtype=np.float64).reshape(-1)
            if len(tops) != len(made):
                raise ValueError(f"There are {len(tops)} heights for {len(made)} buildings.")
            if (tops < 0).any():
                raise ValueError("A building cannot have a height below 0.")
            tops = np.where(np.isnan(tops), TALL, tops)
        bounds = shapely.bounds(made)
        if np.isinf(bounds).any():
            raise ValueError("Some walls have coordinates that are not finite.")
        notes = []
        for k in np.flatnonzero(~shapely.is_valid(made) & np.isin(kinds, (3, 6))):
            reason = shapely.is_valid_reason(made[k])
            made[k] = _mended(made[k])
            notes.append(
                Sentence(
                    f"第 {k} 座建筑的轮廓自相交（{reason}），已修复。",
                    f"Building {k} crossed itself ({reason}): it was mended.",
                )
            )
        return cls(made, tops, tuple(notes))

    @cached_property
    def tree(self) -> Any:
        """The spatial index of the outlines."""
        return shapely.STRtree(self.shapes)

    @cached_property
    def digests(self) -> NDArray[np.uint8]:
        """What tells a building, outline and height, from every other one: 16 bytes each."""
        made = [
            hashlib.blake2b(shape + height.tobytes(), digest_size=16).digest()
            for shape, height in zip(shapely.to_wkb(self.shapes), self.heights, strict=True)
        ]
        return np.frombuffer(b"".join(made), np.uint8).reshape(-1, 16)

    @cached_property
    def extent(self) -> Floats:
        """West, south, east and north end of all outlines."""
        ends: Floats = shapely.total_bounds(self.shapes)
        return ends

    @cached_property
    def solid(self) -> Bools:
        """True for polygons, which have an inside; bare walls have none."""
        return np.isin(shapely.get_type_id(self.shapes), (3, 6))

    @cached_property
    def convex(self) -> Bools:
        """True where a building is as large as its convex hull."""
        hull = shapely.area(shapely.convex_hull(self.shapes))
        whole: Bools = self.solid & (shapely.area(self.shapes) >= hull * (1 - 1e-9))
        return whole

    @cached_property
    def walls(self) -> Walls:
        """Every straight piece of every outline."""
        lines, building = shapely.get_parts(_lines(self.shapes), return_index=True)
        xy, owner = shapely.get_coordinates(lines, return_index=True)
        joined = owner[1:] == owner[:-1]
        segment = np.column_stack((xy[:-1], xy[1:]))[joined] if len(xy) else np.zeros((0, 4))
        of = building[owner[:-1][joined]] if len(xy) else np.zeros(0, np.int64)
        first = np.searchsorted(of, np.arange(len(self.shapes) + 1))
        return Walls(np.ascontiguousarray(segment), first.astype(np.int64))


def as_buildings(walls: Any, heights: ArrayLike | None = None) -> Buildings:
    """Return walls given as shapes, or as segments (n, 2, 2), as buildings.

    Raises ValueError as ``Buildings.read``, and for heights of buildings that have theirs.
    """
    if isinstance(walls, Buildings):
        if heights is not None:
            raise ValueError("These buildings have heights already.")
        return walls
    if hasattr(walls, "geometry") and hasattr(walls, "to_numpy"):
        # A GeoSeries or GeoDataFrame.
        return Buildings.read(walls.geometry.to_numpy(), heights)
    if hasattr(walls, "geom_type"):
        return Buildings.read(shapely.get_parts(walls), heights)
    if len(walls) and hasattr(walls[0], "geom_type"):
        return Buildings.read(walls, heights)
    segments = np.array(walls, dtype=np.float64).reshape(-1, 2, 2)
    if not np.isfinite(segments).all():
        raise ValueError("Some walls have coordinates that are missing or infinite.")
    return Buildings.read(shapely.linestrings(segments), heights)


def blocked_angles(place: Floats, building: Any) -> list[tuple[float, float]]:
    """Return where the inside of a building lies as seen from a point of its outline.

    Intervals of angles, counter-clockwise, in radians from -π to π, so that one which passes ±π
    ends below where it starts; none for a point elsewhere.

    >>> [[round(a, 3) for a in low_high] for low_high in
    ...  blocked_angles(np.array([2.0, 0.0]), shapely.box(0, 0, 4, 4))]
    [[0.0, -3.142]]
    """
    found = []
    for part in shapely.get_parts(shapely.orient_polygons(building)):
        for ring in (part.exterior, *part.interiors):
            xy = shapely.get_coordinates(ring)[:-1] - place
            before, after = np.roll(xy, 1, axis=0), np.roll(xy, -1, axis=0)
            corner = np.hypot(xy[:, 0], xy[:, 1]) <= TOUCH
            if corner.any():
                k = int(np.flatnonzero(corner)[0])
                found.append((_angle(after[k]), _angle(before[k])))
                continue
            step = after - xy
            t = np.clip(-(xy * step).sum(axis=1) / (step**2).sum(axis=1), 0, 1)
            on = np.flatnonzero(np.hypot(*(xy + t[:, None] * step).T) <= TOUCH)
            if on.size:
                found.append((_angle(step[on[0]]), _angle(-step[on[0]])))
    return found


def angles_of(blocked: Sequence[list[tuple[float, float]]]) -> tuple[Ints, Floats, Floats]:
    """Return intervals of angles of many places as one list: first of each, low, high."""
    first = np.cumsum([0, *(len(one) for one in blocked)]).astype(np.int64)
    flat = np.array([pair for one in blocked for pair in one], dtype=np.float64).reshape(-1, 2)
    return first, np.ascontiguousarray(flat[:, 0]), np.ascontiguousarray(flat[:, 1])


def _angle(step: Floats) -> float:
    return float(np.arctan2(step[1], step[0]))


def _lines(shapes: Any) -> Any:
    """Return outlines of polygons, and lines as they are."""
    solid = np.isin(shapely.get_type_id(shapes), (3, 6))
    return np.where(solid, shapely.boundary(np.where(solid, shapes, None)), shapes)


def _mended(shape: Any) -> Any:
    """Return the polygons of a polygon made valid, or its lines if it has shrunk to them."""
    parts = shapely.get_parts(shapely.make_valid(shape))
    solid = parts[shapely.get_dimensions(parts) == 2]
    return shapely.union_all(solid) if len(solid) else shapely.boundary(shapely.convex_hull(shape))
