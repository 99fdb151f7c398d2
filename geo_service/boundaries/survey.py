"""What stands on the ground that grids divide: homes, events, cameras, roads, and grids on record.

Places are EPSG:4326, longitude first. Lengths and areas are measured in one CGCS2000 3-degree zone,
that of ``longitude``. Nothing here names a person: households and population are counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import shapely
from numpy.typing import NDArray

from geo_service.boundaries.figures import metric
from geo_service.boundaries.lattice import Floats, Ints, Shape

SIDE = 0.5
"""Metres from a road's centre line to each of its sides, by which its length is counted."""

WALL = 0.1
"""Metres that a line may run into an outline before it cuts the building: lines along walls do."""


@dataclass(frozen=True, eq=False)
class Record:
    """A grid on record: its shape, and the counts that its owner keeps (None where unknown).

    ``inside`` is false for a neighbour of the area that is divided.
    """

    shape: Shape
    name: str = ""
    kind: str = "basic"
    parent: str = ""
    households: int | None = None
    population: int | None = None
    staff: int | None = None
    inside: bool = True


def _none() -> NDArray[Any]:
    return np.empty(0, dtype=object)


def _no_points() -> Floats:
    return np.empty((0, 2))


@dataclass(frozen=True, eq=False)
class Ground:
    """Ground data of an area, n buildings and any number of the rest.

    ``buildings`` are outlines, ``codes`` their n codes (empty where nobody asks for them),
    ``points`` (n, 2) their points on surface, ``households`` n counts (NaN where not recorded),
    ``floors`` n (NaN where unknown). ``events`` are the places of what happened in ``window`` (both
    days included), ``roads`` centre lines, ``places`` public places whose outlines are natural
    borders, as roads are.

    >>> cell = shapely.box(117.0, 31.0, 117.01, 31.01)
    >>> house = shapely.box(117.004, 31.004, 117.005, 31.005)
    >>> ground = Ground(
    ...     grids={"1": Record(cell, population=90, households=30)},
    ...     buildings=np.array([house]),
    ...     points=np.array([[117.0045, 31.0045]]),
    ...     households=np.array([30.0]),
    ... )
    >>> ground.homes.people.tolist(), ground.note() is None
    ([90.0], True)
    """

    grids: Mapping[str, Record]
    buildings: NDArray[Any] = field(default_factory=_none)
    codes: NDArray[Any] = field(default_factory=_none)
    points: Floats = field(default_factory=_no_points)
    households: Floats = field(default_factory=lambda: np.empty(0))
    floors: Floats | None = None
    events: Floats = field(default_factory=_no_points)
    cameras: Floats = field(default_factory=_no_points)
    roads: NDArray[Any] = field(default_factory=_none)
    places: NDArray[Any] = field(default_factory=_none)
    window: tuple[date, date] | None = None
    kept: dict[Any, Any] = field(default_factory=dict, repr=False)
    """Figures of shapes that were measured, so that a change costs only what it touches."""
    towns: WeakKeyDictionary[Any, Any] = field(default_factory=WeakKeyDictionary, repr=False)
    """How the grids of coverages stand that were asked about."""

    @cached_property
    def longitude(self) -> float:
        """The middle longitude of the grids, which chooses the metric zone."""
        if not self.grids:
            return 117.0
        west, _, east, _ = shapely.total_bounds([record.shape for record in self.grids.values()])
        return float(west + east) / 2

    def metric(self, shapes: Any) -> Any:
        """Return geometries of EPSG:4326 in metres of the zone."""
        return metric(shapes, self.longitude)

    @cached_property
    def staff(self) -> dict[str, float]:
        """The staff of the grids on record that have any."""
        return {code: float(record.staff) for code, record in self.grids.items() if record.staff}

    @cached_property
    def beside(self) -> frozenset[str]:
        """The grids on record that lie beside the area, and not in it."""
        return frozenset(code for code, record in self.grids.items() if not record.inside)

    @cached_property
    def owners(self) -> Ints:
        """The position among the grids on record of the one that holds each building, -1: none."""
        return holders(list(self.grids), [r.shape for r in self.grids.values()], self.points)

    @cached_property
    def homes(self) -> "Homes":
        """Where households and people are."""
        return _homes(self)

    @cached_property
    def trees(self) -> tuple[shapely.STRtree, ...]:
        """Trees of the points of homes, events and cameras."""
        sets = (self.homes.points, self.events, self.cameras)
        return tuple(shapely.STRtree(shapely.points(points)) for points in sets)

    @cached_property
    def shelf(self) -> shapely.STRtree:
        """A tree of the buildings in degrees."""
        return shapely.STRtree(self.buildings)

    @cached_property
    def natural(self) -> tuple[NDArray[Any], shapely.STRtree]:
        """Natural borders in degrees, roads before outlines of places, and a tree of them."""
        lines = np.r_[self.roads, shapely.boundary(self.places)]
        return lines, shapely.STRtree(lines)

    @cached_property
    def outlines(self) -> NDArray[Any]:
        """The buildings in metres."""
        return np.asarray(self.metric(self.buildings), dtype=object)

    @cached_property
    def cores(self) -> shapely.STRtree:
        """A tree of the buildings in metres without what lies within 10 cm of their walls."""
        return shapely.STRtree(shapely.buffer(self.outlines, -WALL, join_style="mitre"))

    @cached_property
    def sides(self) -> tuple[NDArray[Any], shapely.STRtree]:
        """Both sides of every straight piece of road in metres, and a tree of them."""
        xy, road = shapely.get_coordinates(self.metric(self.roads), return_index=True)
        joined = (road[1:] == road[:-1]) & (xy[1:] != xy[:-1]).any(axis=1)
        ends = np.stack([xy[:-1], xy[1:]], axis=1)[joined]
        along = ends[:, 1] - ends[:, 0]
        aside = np.column_stack([-along[:, 1], along[:, 0]]) * SIDE
        aside /= np.hypot(*along.T)[:, None]
        lines = shapely.linestrings(np.r_[ends + aside[:, None], ends - aside[:, None]])
        return lines, shapely.STRtree(lines)

    def note(self) -> tuple[str, str] | None:
        """Return what was estimated, as a sentence in Chinese and English, or None."""
        count = len(self.homes.estimated)
        if not count:
            return None
        return (
            f"有 {count} 个网格的建筑没有户数，按登记户数分摊到建筑（无建筑时计在网格内一点）。",
            f"Buildings of {count} grids carry no households: those on record are spread over "
            "their floor area (or stand at a point of the grid where it has no buildings).",
        )


@dataclass(frozen=True, eq=False)
class Homes:
    """Points that carry households and people: every building, then grids without buildings.

    Each grid's population on record is spread over its buildings by their households, so that a
    grid that stays as it is keeps its population. ``estimated`` are the codes of grids whose
    households on record had to be spread over floor area, because no building carries any.
    """

    points: Floats
    households: Floats
    people: Floats
    estimated: tuple[str, ...]


def holders(codes: list[str], shapes: list[Shape], points: Floats) -> Ints:
    """Return for each point the position of the lowest code whose grid holds it, -1 for none.

    A point on a shared edge belongs to the lowest code.
    """
    found = np.full(len(points), len(codes), dtype=np.int64)
    order = sorted(range(len(codes)), key=lambda i: codes[i])
    ranked = np.array([shapes[i] for i in order], dtype=object)
    tree = shapely.STRtree(shapely.points(points))
    grid, point = tree.query(ranked, predicate="intersects")
    np.minimum.at(found, point, grid)
    return np.append(np.array(order, dtype=np.int64), -1)[found]


def _homes(ground: Ground) -> Homes:
    codes = list(ground.grids)
    owner = ground.owners
    households = np.nan_to_num(ground.households, nan=0.0).astype(np.float64)
    floors = np.ones(len(owner)) if ground.floors is None else np.nan_to_num(ground.floors, nan=1.0)
    room = shapely.area(ground.outlines) * np.maximum(floors, 1)
    held = owner >= 0
    count = np.bincount(owner[held], minlength=len(codes))
    sums = np.bincount(owner[held], households[held], minlength=len(codes))
    rooms = np.bincount(owner[held], room[held], minlength=len(codes))
    people = np.zeros(len(owner))
    estimated, rest = [], []
    start = np.argsort(owner, kind="stable")
    first = np.searchsorted(owner[start], np.arange(len(codes) + 1))
    for i, code in enumerate(codes):
        record = ground.grids[code]
        own = start[first[i] : first[i + 1]]
        registered = float(record.households or 0)
        spread = float(record.population or 0)
        if sums[i] == 0 and registered > 0:
            estimated.append(code)
        if not count[i]:
            if registered or spread:
                point = shapely.point_on_surface(record.shape)
                rest.append((point.x, point.y, registered, spread))
            continue
        if sums[i] == 0:
            share = room[own] / rooms[i] if rooms[i] > 0 else np.full(len(own), 1 / len(own))
            households[own] = registered * share
        else:
            share = households[own] / sums[i]
        people[own] = spread * share
    extra = np.array(rest, dtype=np.float64).reshape(-1, 4)
    return Homes(
        points=np.r_[ground.points, extra[:, :2]],
        households=np.r_[households, extra[:, 2]],
        people=np.r_[people, extra[:, 3]],
        estimated=tuple(estimated),
    )
