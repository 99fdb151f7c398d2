"""From the plan's metres to the stored longitude and latitude."""

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Shape = Any
"""A geometry; shapely carries no types."""
Array = npt.NDArray[Any]
"""An array of geometries or of text."""

ORIGIN = (518929.0, 3525237.0)
"""Easting and northing in EPSG:4548 of the plan's origin, at about 117.20° E, 31.85° N."""

_TO_LONLAT = Transformer.from_crs(4548, 4326, always_xy=True)


def lonlat(xy: Floats) -> Floats:
    """Return plan coordinates (m from ``ORIGIN``) as EPSG:4326 degrees on the 1e-8 lattice."""
    lon, lat = _TO_LONLAT.transform(xy[:, 0] + ORIGIN[0], xy[:, 1] + ORIGIN[1])
    return np.column_stack([np.round(lon, 8), np.round(lat, 8)])


def project(geometries: Array) -> Array:
    """Return plan geometries in EPSG:4326.

    Every distinct vertex is transformed once, so vertices that neighbours share stay shared.
    """
    points, index = np.unique(shapely.get_coordinates(geometries), axis=0, return_inverse=True)
    moved: Array = shapely.set_coordinates(geometries.copy(), lonlat(points)[index.ravel()])
    return moved


def plan(geometries: Array) -> Array:
    """Return geometries in EPSG:4326 in plan metres again."""

    def moved(xy: Floats) -> Floats:
        east, north = _TO_LONLAT.transform(xy[:, 0], xy[:, 1], direction="INVERSE")
        return np.column_stack([east - ORIGIN[0], north - ORIGIN[1]])

    made: Array = shapely.transform(geometries, moved)
    return made


def points(xy: Floats) -> Array:
    """Return plan coordinates as points in EPSG:4326."""
    made: Array = shapely.points(lonlat(xy))
    return made


def table(columns: dict[str, Any], geometries: Any) -> gpd.GeoDataFrame:
    """Return a table in EPSG:4326 with the geometry column ``geom``."""
    return gpd.GeoDataFrame({**columns, "geom": geometries}, geometry="geom", crs=4326)


def rotate(xy: Floats, angle: float) -> Floats:
    """Return ``xy`` turned by ``angle`` radians counterclockwise about the origin."""
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray(xy @ np.array([[c, s], [-s, c]]))
