"""Cells over an area: squares, hexagons, or the grids themselves, and the events in each."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS

from geo_service.analysis.location import first_polygon, hexagons_of, squares_of
from geo_service.analysis.metric import (
    checked_length,
    local_crs,
    metric_crs,
    project,
    project_shapes,
)
from geo_service.analysis.weights import Floats, Ints

MOST_CELLS = 2_000_000
"""More cells than this are refused: someone meant metres and gave kilometres, or degrees."""

CHUNK = 1 << 19
"""Events located at a time: millions of them then need no more memory than these."""

TOUCH = 1e-6
"""An event this near to a clipped cell, in metres, is on its edge."""

ROOT3 = math.sqrt(3)
CORNERS = np.array([(0, 2), (-1, 1), (-1, -1), (0, -2), (1, -1), (1, 1)])
"""Corners of a hexagon around its centre, in steps of half a width and of width / 2√3."""


@dataclass(frozen=True)
class Lattice:
    """Cells over an area, in a metric CRS.

    ``polygons`` are the cells clipped to the area, and ``share`` what part of each whole cell that
    is. Squares and hexagons are numbered as grids are: west to east in each row, rows north to
    south; ``place`` holds their column and row (hexagons: axial q and r), counted from the origin
    of the CRS, so that two areas share their cells. Grids are in the order of their codes.
    """

    kind: Literal["square", "hexagon", "grid"]
    crs: CRS
    size: float | None
    polygons: NDArray[np.object_]
    share: Floats
    centres: Floats
    place: Ints
    codes: tuple[str, ...]
    area: Any
    drawn: NDArray[np.object_]
    drawn_crs: CRS

    def __len__(self) -> int:
        return len(self.polygons)

    def areas(self) -> Floats:
        """Return the area of each clipped cell in square metres."""
        return np.asarray(shapely.area(self.polygons))

    def locate(self, x: ArrayLike, y: ArrayLike, *, crs: Any) -> Ints:
        """Return the cell of each event, or −1 where it lies outside the area.

        ``x`` and ``y`` are longitudes and latitudes, or eastings and northings, in ``crs``. Every
        event of the area belongs to exactly one cell: on a shared edge, to the lowest number, or
        for grids to the lowest code. Raises ValueError for coordinates that are not of ``crs``.
        """
        source = self.drawn_crs if self.kind == "grid" else self.crs
        # Grids are searched in the CRS they were drawn in: there an event on an edge stays on it.
        east, north = project(x, y, crs, source)
        parts = [slice(start, start + CHUNK) for start in range(0, east.size, CHUNK)]
        found = [self._located(east[part], north[part]) for part in parts]
        return np.concatenate([np.empty(0, dtype=np.int64), *found])

    def _located(self, east: Floats, north: Floats) -> Ints:
        if self.kind == "grid":
            return first_polygon(self.drawn, east, north, near=0.0)
        find = squares_of if self.kind == "square" else hexagons_of
        found, close = find(self.place, float(self.size or 0), east, north)
        cut = np.flatnonzero((found >= 0) & (self.share[found] < 1))
        shapely.prepare(self.area)
        outside = ~shapely.intersects_xy(self.area, east[cut], north[cut])
        found[cut[outside]] = -1
        # On an edge, what is left of the lowest cell may be elsewhere: then the next one holds it.
        edge = cut[~outside & close[cut]]
        points = shapely.points(east[edge], north[edge])
        again = edge[~shapely.dwithin(self.polygons[found[edge]], points, TOUCH)]
        found[again] = first_polygon(self.polygons, east[again], north[again], TOUCH)
        return found

    def counts(self, x: ArrayLike, y: ArrayLike, *, crs: Any) -> Ints:
        """Return how many of the events lie in each cell, as :meth:`locate` finds them."""
        found = self.locate(x, y, crs=crs)
        return np.bincount(found[found >= 0], minlength=len(self)).astype(np.int64)


def squares(area: Any, size: float, *, crs: Any, local: Any = None) -> Lattice:
    """Return the squares of ``size`` metres a side that cover an area.

    ``area`` is a polygon or multipolygon in ``crs``, longitude or easting first. ``local`` is the
    metric CRS of the cells, by default the zone of :func:`local_crs`. Raises ValueError for an area
    or a size that makes no cells, or more than two million.

    >>> town = shapely.box(120.0, 30.0, 120.01, 30.01)
    >>> cells = squares(town, 200, crs=4326)
    >>> len(cells), cells.crs.to_epsg(), round(float(cells.areas().sum()) / 1e6, 3)
    (35, 4549, 1.07)
    >>> cells.counts([120.005, 120.005, 121.0], [30.005, 30.005, 30.0], crs=4326).max()
    np.int64(2)
    """
    metric, target = _area(area, crs, local)
    size = checked_length(size, "cell size")
    west, south, east, north = metric.bounds
    columns = np.arange(math.floor(west / size), math.ceil(east / size))
    rows = np.arange(math.floor(south / size), math.ceil(north / size))[::-1]
    _check_count(len(columns) * len(rows), size)
    place = np.column_stack([np.tile(columns, len(rows)), np.repeat(rows, len(columns))])
    low, high = place * size, (place + 1) * size
    whole = shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1])
    centres = (place + 0.5) * size
    return _clipped(metric, "square", target, size, whole=whole, centres=centres, place=place)


def hexagons(area: Any, width: float, *, crs: Any, local: Any = None) -> Lattice:
    """Return the hexagons, ``width`` metres between opposite sides, that cover an area.

    Parameters and errors as :func:`squares`. The hexagons stand on a corner.

    >>> cells = hexagons(shapely.box(120.0, 30.0, 120.01, 30.01), 200, crs=4326)
    >>> len(cells), round(cells.areas().max())
    (38, 34641)
    """
    metric, target = _area(area, crs, local)
    width = checked_length(width, "cell size")
    step = np.array([width / 2, width / (2 * ROOT3)])
    west, south, east, north = metric.bounds
    rows = np.arange(math.floor(south / (3 * step[1])), math.ceil(north / (3 * step[1])) + 1)[::-1]
    halves = np.arange(math.floor(west / step[0]) - 1, math.ceil(east / step[0]) + 2)
    _check_count(len(halves) * len(rows) // 2, width)
    half, row = np.tile(halves, len(rows)), np.repeat(rows, len(halves))
    kept = (half - row) % 2 == 0
    half, row = half[kept], row[kept]
    # Corners in whole steps, so that two cells have exactly the same corner.
    corner = np.column_stack([half, 3 * row])[:, None, :] + CORNERS
    whole = shapely.polygons(corner * step)
    place = np.column_stack([(half - row) // 2, row])
    centres = np.column_stack([half, 3 * row]) * step
    return _clipped(metric, "hexagon", target, width, whole=whole, centres=centres, place=place)


def grids(polygons: Any, codes: Any, *, crs: Any, local: Any = None) -> Lattice:
    """Return given grid polygons as cells, in the order of their codes.

    ``polygons`` are polygons or multipolygons in ``crs``, ``codes`` a text a polygon. Raises
    ValueError where they do not fit each other, where a code comes twice, or for empty polygons.

    >>> halves = [shapely.box(120.01, 30, 120.02, 30.01), shapely.box(120, 30, 120.01, 30.01)]
    >>> cells = grids(halves, ["b", "a"], crs=4326)
    >>> cells.codes, cells.locate([120.01, 120.015], [30.005, 30.005], crs=4326).tolist()
    (('a', 'b'), [0, 1])
    """
    shapes = np.asarray(polygons, dtype=object)
    names = [str(code) for code in codes]
    if len(names) != len(shapes) or not names:
        raise ValueError(f"There are {len(shapes)} grids and {len(names)} codes.")
    if len(set(names)) != len(names):
        raise ValueError("Two grids have the same code.")
    if (shapely.is_missing(shapes) | shapely.is_empty(shapes)).any():
        raise ValueError("A grid has no polygon.")
    order = np.argsort(np.array(names), kind="stable")
    shapes, names = shapes[order], [names[i] for i in order]
    target = _target(shapely.union_all(shapely.envelope(shapes)), crs, local)
    metric = project_shapes(shapes, crs, target)
    return Lattice(
        kind="grid",
        crs=target,
        size=None,
        polygons=metric,
        share=np.ones(len(shapes)),
        centres=shapely.get_coordinates(shapely.centroid(metric)),
        place=np.column_stack([np.arange(len(shapes)), np.zeros(len(shapes), dtype=np.int64)]),
        codes=tuple(names),
        area=None,
        drawn=shapes,
        drawn_crs=CRS.from_user_input(crs),
    )


def _target(area: Any, crs: Any, local: Any) -> CRS:
    if local is not None:
        return metric_crs(local)
    middle = shapely.box(*shapely.bounds(area)).centroid
    longitude, _ = project([middle.x], [middle.y], crs, 4490)
    return local_crs(float(longitude[0]))


def _area(area: Any, crs: Any, local: Any) -> tuple[Any, CRS]:
    if shapely.get_type_id(area) not in {3, 6} or shapely.is_empty(area):
        raise ValueError("The area must be a polygon or multipolygon that is not empty.")
    target = _target(area, crs, local)
    metric = project_shapes(area, crs, target)
    if not metric.is_valid:
        raise ValueError(f"The area is not valid: {shapely.is_valid_reason(metric)}.")
    return metric, target


def _check_count(count: int, size: float) -> None:
    if count > MOST_CELLS:
        raise ValueError(
            f"Cells of {size:g} m would be {count:,} over this area: {MOST_CELLS:,} are the most."
        )


def _clipped(
    area: Any,
    kind: Literal["square", "hexagon"],
    crs: CRS,
    size: float,
    *,
    whole: NDArray[np.object_],
    centres: Floats,
    place: Ints,
) -> Lattice:
    shapely.prepare(area)
    inside = shapely.covers(area, whole)
    polygons, share = whole.copy(), inside.astype(np.float64)
    edge = np.flatnonzero(~inside & shapely.intersects(area, whole))
    polygons[edge] = _surfaces(shapely.intersection(whole[edge], area))
    share[edge] = np.minimum(shapely.area(polygons[edge]) / shapely.area(whole[edge]), 1.0)
    kept = share > 0
    nothing = np.empty(0, dtype=object)
    return Lattice(
        kind=kind,
        crs=crs,
        size=size,
        polygons=polygons[kept],
        share=share[kept],
        centres=centres[kept],
        place=place[kept].astype(np.int64),
        codes=(),
        area=area,
        drawn=nothing,
        drawn_crs=crs,
    )


def _surfaces(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return intersections without the lines and points where a cell only touches the area."""
    mixed = np.flatnonzero(shapely.get_type_id(shapes) == 7)
    for i in mixed:
        parts = shapely.get_parts(shapes[i])
        shapes[i] = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    return shapes
