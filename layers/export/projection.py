"""Longitude and latitude of the database become coordinates of another CRS."""

import re
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from layers.base import SRID


class ExportError(ValueError):
    """It cannot be written; the message says why in a sentence."""


@dataclass(frozen=True, slots=True)
class Projection:
    """The way from EPSG:4326 to ``epsg``; ``way`` is None where the coordinates stay."""

    epsg: int
    geographic: bool
    decimals: int
    way: Transformer | None

    def __call__(self, geometries: NDArray[np.object_]) -> NDArray[np.object_]:
        """Return the geometries in the CRS, rounded; raise ``ExportError`` where it ends."""

        def step(xy: NDArray[np.float64]) -> NDArray[np.float64]:
            if self.way is not None and len(xy):
                xy = np.column_stack(self.way.transform(xy[:, 0], xy[:, 1]))
                if not np.isfinite(xy).all():
                    raise ExportError(f"A place lies outside of what EPSG:{self.epsg} can express.")
            return np.round(xy, self.decimals) + 0.0  # + 0.0: there is no -0

        changed: NDArray[np.object_] = shapely.transform(geometries, step)
        return changed


def projection(crs: str) -> Projection:
    """Return the way to ``EPSG:n``. Raises ``ExportError`` for a CRS without places on a plane.

    Degrees of EPSG:4326 and 4490 keep the 8 decimals of the lattice, other degrees 10, so that
    they lead back to the same point of it; metres have 4 (0.1 mm).

    >>> projection("EPSG:4548").decimals
    4
    """
    found = re.fullmatch(r"(?i:epsg:)?([0-9]{4,6})", crs.strip())
    try:
        known = CRS.from_epsg(int(found[1])) if found else None
    except CRSError:
        known = None
    flat = known is not None and len(known.axis_info) == 2
    if known is None or not flat or not (known.is_geographic or known.is_projected):
        raise ExportError(
            f"The CRS “{crs}” is not known, or not one of places on a map; "
            "write it as EPSG:4326 or EPSG:4548."
        )
    epsg = int(found[1]) if found else SRID
    # EPSG:4490 is the identity within the accuracy of the data; PROJ would call it a ballpark.
    if epsg in (SRID, 4490):
        return Projection(epsg, geographic=True, decimals=8, way=None)
    way = Transformer.from_crs(CRS.from_epsg(SRID), known, always_xy=True)
    return Projection(epsg, known.is_geographic, 10 if known.is_geographic else 4, way)
