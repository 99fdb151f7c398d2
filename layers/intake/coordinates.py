"""Coordinates of a file become longitude and latitude on the 1e-8 degree lattice.

Also the two obfuscated systems of Chinese web maps, GCJ-02 and BD-09, to and fro.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from shapely.geometry.base import BaseGeometry

from layers.base import SRID
from layers.intake.report import Refusal, Words

DECIMALS = 8
"""Decimals of a degree that are kept: the lattice of the database."""

Geometries: TypeAlias = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Broken:
    """Stands where a geometry could not be read, with the reason."""

    words: Words


Shape: TypeAlias = BaseGeometry | Broken | None

Floats: TypeAlias = NDArray[np.float64]
Pair: TypeAlias = tuple[Floats, Floats]


class Way(Protocol):
    """What leads to EPSG:4326, as a ``pyproj.Transformer`` does."""

    def transform(self, xx: Any, yy: Any) -> Any:
        """Return longitudes and latitudes of the first and second coordinates."""


def transformer(crs: str) -> Transformer | None:
    """Return the way from ``crs`` to EPSG:4326, longitude first; None where there is none to go.

    Raises ``Refusal`` for a CRS that is not known.
    """
    try:
        declared = CRS.from_user_input(crs)
    except CRSError:
        declared = None
    # Neither heights alone, nor metres from the centre of the earth.
    if declared is None or not (declared.is_geographic or declared.is_projected):
        raise Refusal(
            f"不认识坐标系“{crs}”，或它不是平面坐标系。",
            f"The CRS “{crs}” is not known, or not one of places.",
        )
    # EPSG:4490 is the identity within the accuracy of the data; PROJ would call it a ballpark.
    if declared.to_epsg() in (SRID, 4490) or declared.to_authority() == ("OGC", "CRS84"):
        return None
    return Transformer.from_crs(declared, CRS.from_epsg(SRID), always_xy=True)


def points(longitude: Sequence[float | None], latitude: Sequence[float | None]) -> Geometries:
    """Return points; None where either coordinate is missing."""
    xy = np.array([longitude, latitude], dtype=float).T.reshape(-1, 2)
    missing = np.array(
        [x is None or y is None for x, y in zip(longitude, latitude, strict=True)], dtype=bool
    )
    found = cast("Geometries", np.atleast_1d(shapely.points(np.where(missing[:, None], 0.0, xy))))
    found[missing] = None
    return found


def middles(geometries: Geometries) -> Floats:
    """Return the centroids of geometries, one row each, without the missing and empty ones."""
    with np.errstate(all="ignore"):  # what is not finite is found by the checks
        return cast("Floats", shapely.get_coordinates(shapely.centroid(geometries)))


def from_wkt(cells: Sequence[Any]) -> list[Shape]:
    """Read well-known text; ``Broken`` where it is none."""
    with np.errstate(all="ignore"):  # numbers too large to be coordinates are found by the checks
        return [_from_wkt(cell) for cell in cells]


_NO_WKT = Broken(Words("不是有效的 WKT。", "This is not well-known text (WKT)."))


def _from_wkt(cell: Any) -> Shape:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    try:
        read = (
            shapely.from_wkt(cell.strip(), on_invalid="ignore") if isinstance(cell, str) else None
        )
    except NotImplementedError:  # curves
        read = None
    return _NO_WKT if read is None else read


def on_lattice(geometries: Geometries, way: Way | None) -> Geometries:
    """Transform to EPSG:4326 where needed, drop Z and round to the lattice.

    Geometries with coordinates that are not finite stay as they are, for the checks to name.
    """
    xy, owner = shapely.get_coordinates(geometries, return_index=True)
    finite = np.ones(len(geometries), dtype=bool)
    finite[owner[~np.isfinite(xy).all(axis=1)]] = False

    def step(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        if way is not None and len(xy):
            xy = np.column_stack(way.transform(xy[:, 0], xy[:, 1]))
        return np.round(xy, DECIMALS) + 0.0  # + 0.0: there is no -0

    result = geometries.copy()
    result[finite] = shapely.transform(geometries[finite], step)
    return result


# The public formula of GCJ-02: Krasovsky's ellipsoid, and the box outside of which nothing moves.
_AXIS = 6378245.0
_ECCENTRICITY = 0.00669342162296594323
_WEST, _EAST, _SOUTH, _NORTH = 72.004, 137.8347, 0.8293, 55.8271
_BD_TURN = np.pi * 3000 / 180

_NEAR = 1e-13
"""Degrees of change at which a fixed point is found: 0.00001 mm."""
_STEPS = 5, 30
"""The least and the most steps towards a fixed point."""


def wgs84_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Return GCJ-02 of WGS-84, as the web maps of China draw it.

    Longitudes and latitudes are in degrees; arrays (or numbers) in, arrays of the same shape out.
    Places outside the formula's box (longitude 72.004 to 137.8347, latitude 0.8293 to 55.8271) stay
    as they are, Hong Kong and Taiwan are inside. The formula is the public one (eviltransform,
    gcoord and others); its values equal theirs to the rounding of a double. How near it is to the
    official, secret one is not published: the 42 cities of gcoord's tests lie 0.7 m from it, all to
    the same side.

    >>> lon, lat = wgs84_to_gcj02(121.5272106, 31.1774276)
    >>> f"{lon:.7f} {lat:.7f}"
    '121.5315419 31.1753040'
    """
    x, y = _floats(lon, lat)
    inside = _boxed(x, y)
    dx, dy = _shift(np.where(inside, x, 105.0), np.where(inside, y, 35.0))
    return np.asarray(np.where(inside, x + dx, x)), np.asarray(np.where(inside, y + dy, y))


def gcj02_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Return WGS-84 of GCJ-02: the fixed point of the forward formula.

    Degrees, arrays or numbers in, arrays out. Within the box of the formula ``gcj02_to_wgs84`` of
    ``wgs84_to_gcj02`` errs by less than 1e-6 m; the well-known single step errs by up to 4 m. What
    no place of the box moves to stays as it is. The formula jumps at the edge of the box, where a
    strip of up to 1 km holds images of places of both sides: the place inside is returned.

    >>> lon, lat = gcj02_to_wgs84(121.531541859215, 31.17530398364597)
    >>> f"{lon:.7f} {lat:.7f}"
    '121.5272106 31.1774276'
    """
    x, y = _floats(lon, lat)
    near = _boxed(x, y, margin=0.1)
    safe = np.where(near, x, 105.0), np.where(near, y, 35.0)
    px, py = _fixed(_shift, *safe)
    # The margin is for places on the edge itself. In the box nothing stays, whatever it came from.
    moved = near & (_boxed(px, py, margin=1e-9) | _boxed(x, y))
    return np.asarray(np.where(moved, px, x)), np.asarray(np.where(moved, py, y))


def gcj02_to_bd09(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Return BD-09, the system of Baidu's maps in degrees, of GCJ-02.

    Degrees, arrays or numbers in, arrays out. The public formula (gcoord and others), which knows
    no box: it moves places outside of China too.

    >>> lon, lat = gcj02_to_bd09(114.022306, 33.0115324)
    >>> f"{lon:.7f} {lat:.7f}"
    '114.0287781 33.0176697'
    """
    x, y = _floats(lon, lat)
    dx, dy = _bd_shift(x, y)
    return np.asarray(x + dx), np.asarray(y + dy)


def bd09_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Return GCJ-02 of BD-09: the fixed point of the forward formula.

    Degrees, arrays or numbers in, arrays out. Over China the way there and back errs by less than
    1e-6 m, where the usual approximate inverse errs by decimetres.

    >>> lon, lat = bd09_to_gcj02(114.0287781, 33.0176697)
    >>> f"{lon:.6f} {lat:.6f}"
    '114.022306 33.011532'
    """
    return _fixed(_bd_shift, *_floats(lon, lat))


def _floats(lon: ArrayLike, lat: ArrayLike) -> Pair:
    x, y = np.broadcast_arrays(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
    return x, y


def _boxed(x: Floats, y: Floats, margin: float = 0.0) -> NDArray[np.bool_]:
    across = (x >= _WEST - margin) & (x <= _EAST + margin)
    return np.asarray(across & (y >= _SOUTH - margin) & (y <= _NORTH + margin))


def _fixed(shift: Callable[[Floats, Floats], Pair], x: Floats, y: Floats) -> Pair:
    """Return the places that ``shift`` moves to x and y."""
    px, py = x, y
    for step in range(_STEPS[1]):
        dx, dy = shift(px, py)
        ox, oy, px, py = px, py, x - dx, y - dy
        if step + 1 >= _STEPS[0]:
            with np.errstate(invalid="ignore"):
                still = (np.abs(px - ox) > _NEAR) | (np.abs(py - oy) > _NEAR)
            if not still.any():
                break
    return np.asarray(px), np.asarray(py)


def _shift(lon: Floats, lat: Floats) -> Pair:
    """Degrees by which GCJ-02 lies east and north of WGS-84, box or not."""
    x, y = lon - 105.0, lat - 35.0
    root, waves = np.sqrt(np.abs(x)), 20 * np.sin(6 * x * np.pi) + 20 * np.sin(2 * x * np.pi)
    north = (
        -100.0 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
        + (waves + 20 * np.sin(y * np.pi) + 40 * np.sin(y / 3 * np.pi)) * 2 / 3
        + (160 * np.sin(y / 12 * np.pi) + 320 * np.sin(y * np.pi / 30)) * 2 / 3
    )  # fmt: skip
    east = (
        300.0 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
        + (waves + 20 * np.sin(x * np.pi) + 40 * np.sin(x / 3 * np.pi)) * 2 / 3
        + (150 * np.sin(x / 12 * np.pi) + 300 * np.sin(x / 30 * np.pi)) * 2 / 3
    )  # fmt: skip
    phi = np.radians(lat)
    magic = 1 - _ECCENTRICITY * np.sin(phi) ** 2
    meridian = _AXIS * (1 - _ECCENTRICITY) / magic**1.5
    parallel = _AXIS / np.sqrt(magic) * np.cos(phi)
    return np.degrees(east / parallel), np.degrees(north / meridian)


def _bd_shift(x: Floats, y: Floats) -> Pair:
    """Degrees by which BD-09 lies east and north of GCJ-02."""
    with np.errstate(invalid="ignore"):  # infinite coordinates are found by the checks
        radius = np.hypot(x, y) + 0.00002 * np.sin(y * _BD_TURN)
        angle = np.arctan2(y, x) + 0.000003 * np.cos(x * _BD_TURN)
        return radius * np.cos(angle) + 0.0065 - x, radius * np.sin(angle) + 0.006 - y
