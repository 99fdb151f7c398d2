"""Figures of grids: area, perimeter, compactness, parts; always in the local metric zone."""

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from geo_service.analysis.metric import local_crs
from geo_service.boundaries.lattice import Floats, Ints


@functools.lru_cache(maxsize=256)
def _transformer(meridian: int) -> Transformer:
    try:
        crs = local_crs(float(meridian))
    except ValueError:
        # The same projection where EPSG has no zone: CGCS2000's ellipsoid, 3-degree meridians.
        crs = CRS.from_proj4(
            f"+proj=tmerc +lat_0=0 +lon_0={meridian} +k=1 +x_0=500000 +ellps=GRS80 +type=crs"
        )
    return Transformer.from_crs(4490, crs, always_xy=True)


def zone(longitude: float) -> Transformer:
    """Return the transformation into the CGCS2000 3-degree Gauss-Krüger zone around a longitude.

    EPSG:4534 to 4554 where there is one; elsewhere in the world a zone of the same construction.

    >>> [round(part) for part in zone(120.2).transform(120, 30)]
    [500000, 3320113]
    >>> [round(part) for part in zone(-87.6).transform(-87, 30)]
    [500000, 3320113]
    """
    return _transformer(3 * math.floor((longitude + 1.5) / 3))


def metric(shapes: Any, longitude: float | None = None) -> Any:
    """Return geometries of EPSG:4326, or one, in metres of one zone.

    The zone is that of ``longitude``, by default of the middle of all the geometries.
    """
    if longitude is None:
        west, _, east, _ = shapely.total_bounds(shapes)
        longitude = (west + east) / 2 if np.isfinite(west + east) else 117.0
    move = zone(float(longitude)).transform
    return shapely.transform(shapes, lambda xy: np.column_stack(move(xy[:, 0], xy[:, 1])))


@dataclass(frozen=True)
class Figures:
    """Figures of n grids, each an array of n.

    ``area`` in m² and ``perimeter`` in m, holes included; ``polsby_popper`` is 4πA/P² (Polsby and
    Popper 1991), ``reock`` the share that the grid takes of its smallest enclosing circle (Reock
    1961), both 1 for a circle; ``parts`` counts separate pieces.
    """

    area: Floats
    perimeter: Floats
    polsby_popper: Floats
    reock: Floats
    parts: Ints


def figures(shapes: Any, longitude: float | None = None) -> Figures:
    """Return the figures of grids (polygons or multipolygons in EPSG:4326).

    Measured in one CGCS2000 3-degree zone, that of ``longitude`` or of the middle of the grids.

    >>> half = figures([shapely.box(120.0, 30.0, 120.02, 30.01)])
    >>> half.area.round().tolist(), half.polsby_popper.round(3).tolist(), half.parts.tolist()
    ([2139042.0], [0.728], [1])
    """
    found: NDArray[Any] = np.atleast_1d(np.asarray(shapes, dtype=object))
    plan = metric(found, longitude)
    area, around = shapely.area(plan), shapely.length(plan)
    circle = np.pi * shapely.minimum_bounding_radius(plan) ** 2
    return Figures(
        area=area,
        perimeter=around,
        polsby_popper=4 * np.pi * area / np.where(around > 0, around, np.nan) ** 2,
        reock=area / np.where(circle > 0, circle, np.nan),
        parts=shapely.get_num_geometries(found).astype(np.int64),
    )
