"""The local metric grid, and hexagons on it."""

import math

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from static_maps.words import Lang, words


def local_crs(longitude: float, latitude: float) -> CRS:
    """Return the metric CRS around a place given in degrees.

    In China it is the CGCS2000 3-degree Gauss-Krüger zone by central meridian (EPSG:4534 at 75° E
    to EPSG:4554 at 135° E, easting first as geopandas uses it), elsewhere the UTM zone on WGS 84.

    >>> local_crs(120.2, 30.3).to_epsg(), local_crs(13.4, 52.5).to_epsg()
    (4549, 32633)
    """
    if 73.5 <= longitude < 136.5 and 3 <= latitude <= 54:
        return CRS.from_epsg(4534 + round((central_meridian(longitude) - 75) / 3))
    zone = min(int((longitude + 180) // 6) + 1, 60)
    return CRS.from_epsg((32600 if latitude >= 0 else 32700) + zone)


def central_meridian(longitude: float) -> int:
    """Return the central meridian, in degrees, of the 3-degree zone around a longitude."""
    return 3 * math.floor(longitude / 3 + 0.5)


def crs_name(crs: CRS, longitude: float, lang: Lang) -> str:
    """Return what a reader needs to know of a CRS from :func:`local_crs`."""
    code = crs.to_epsg()
    if code is not None and code < 5000:
        return words(lang)["gk"].format(central_meridian(longitude), code)
    return words(lang)["utm"].format(crs.utm_zone, code)


def round_up(value: float, steps: tuple[float, ...] = (1, 1.5, 2, 2.5, 3, 4, 5)) -> float:
    """Return the least round number that is not below ``value``.

    >>> round_up(8700), round_up(142)
    (10000.0, 150.0)
    """
    power: float = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in steps if step * power >= value), 10 * power)


def hexagons(
    points: NDArray[np.float64], width: float
) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Count points in the hexagons they fall in.

    ``points`` is an (n, 2) array, ``width`` the distance between opposite sides, both in metres.
    Returns the hexagons that hold a point, as polygons, and their counts, which sum to n.

    >>> cells, counts = hexagons(np.array([[0.0, 0], [1, 1], [500, 0]]), 100)
    >>> counts.tolist(), round(shapely.area(cells[0]))
    ([2, 1], 8660)
    """
    # Rows of cells are shifted by half a cell, so the centres form two rectangular lattices: the
    # nearest centre is the nearer of the two candidates.
    step = np.array([width, width * math.sqrt(3)])
    even = np.round(points / step) * step
    odd = (np.floor(points / step) + 0.5) * step
    nearer = np.hypot(*(points - even).T) <= np.hypot(*(points - odd).T)
    centres = np.where(nearer[:, None], even, odd)
    index, counts = np.unique(np.round(centres / step * 2).astype(int), axis=0, return_counts=True)
    turn = np.radians(np.arange(30, 390, 60))
    ring = width / math.sqrt(3) * np.column_stack([np.cos(turn), np.sin(turn)])
    return shapely.polygons((index * step / 2)[:, None, :] + ring), counts
