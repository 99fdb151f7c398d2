"""Coordinates of a file become longitude and latitude on the 1e-8 degree lattice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
import shapely
from numpy.typing import NDArray
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


def on_lattice(geometries: Geometries, way: Transformer | None) -> Geometries:
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
