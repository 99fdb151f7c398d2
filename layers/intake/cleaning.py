"""Mending a coverage: gaps and overlaps up to a stated width, and what moved by it."""

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod

from layers.intake.coordinates import Geometries

_ELLIPSOID = Geod(ellps="WGS84")


class Moved(NamedTuple):
    """A grid that cleaning changed: its position, the area that changed hands (m²), how far (m)."""

    position: int
    area: float
    distance: float


def clean(grids: Geometries, tolerance: float) -> tuple[Geometries, list[Moved]]:
    """Return the polygons (EPSG:4326, on the lattice) as a coverage, and which of them moved.

    A gap is a hole between grids; one narrower than ``tolerance`` metres goes to the neighbour with
    the longest shared border, as does every overlap, however wide: look at ``Moved.distance``, the
    Hausdorff distance between a grid's old and new boundary. The work is GEOS' CoverageCleaner's.

    Metres are degrees scaled at the centre of the grids (WGS 84): over a town they err by less than
    a thousandth. A projection would bend edges that lie on one another, and so tear them apart.

    >>> west, east = shapely.box(117, 31, 117.010002, 31.01), shapely.box(117.01, 31, 117.02, 31.01)
    >>> mended, moved = clean(np.array([west, east]), tolerance=1)
    >>> bool(shapely.coverage_is_valid(mended)), [round(m.distance, 2) for m in moved]
    (True, [0.0, 0.19])
    """
    west, south, east, north = shapely.total_bounds(grids)
    scale = metres_a_degree((west + east) / 2, (south + north) / 2)
    before = shapely.transform(grids, lambda places: places * scale)
    after = shapely.coverage_clean(before, gap_width=tolerance)
    mended = shapely.transform(after, lambda places: np.round(places / scale, 8))
    changed = ~shapely.equals_identical(shapely.normalize(mended), shapely.normalize(grids))
    moved = [
        Moved(
            int(i),
            float(shapely.area(shapely.symmetric_difference(before[i], after[i]))),
            float(
                shapely.hausdorff_distance(shapely.boundary(before[i]), shapely.boundary(after[i]))
            ),
        )
        for i in np.flatnonzero(changed)
    ]
    return mended, moved


def metres_a_degree(longitude: float, latitude: float) -> NDArray[np.float64]:
    """Return how many metres a degree of longitude and one of latitude span at a place."""
    _, _, across = _ELLIPSOID.inv(longitude - 0.005, latitude, longitude + 0.005, latitude)
    _, _, up = _ELLIPSOID.inv(longitude, latitude - 0.005, longitude, latitude + 0.005)
    return np.array([across, up]) * 100
