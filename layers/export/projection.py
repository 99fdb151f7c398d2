"""Longitude and latitude of the database become coordinates of another CRS."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from layers.base import SRID
from layers.intake.coordinates import DECIMALS, Floats, Pair, Way, gcj02_to_bd09, wgs84_to_gcj02
from layers.intake.reference import Obfuscated, obfuscated


class ExportError(ValueError):
    """It cannot be written; the message says why in a sentence, ``zh`` in Chinese."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.zh = zh


class Obfuscation:
    """The way from EPSG:4326 to GCJ-02 or BD-09, where it leads back to the same place.

    Raises ``ExportError`` where it does not: along the edge of the box of GCJ-02's formula, and,
    for BD-09, far from China.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._back = Obfuscated(name)

    def transform(self, xx: Any, yy: Any) -> Pair:
        """Return longitudes and latitudes of the obfuscated system."""
        x, y = wgs84_to_gcj02(xx, yy)
        return gcj02_to_bd09(x, y) if self.name == "BD-09" else (x, y)

    def check(self, places: Floats, written: Floats) -> None:
        """Compare what ``written`` means with the ``places`` on the lattice."""
        back = np.column_stack(self._back.transform(written[:, 0], written[:, 1]))
        lost = np.flatnonzero((np.round(back, DECIMALS) != places).any(axis=1))
        if len(lost):
            x, y = places[lost[0]].tolist()
            raise ExportError(
                f"({x}, {y}) cannot be written as {self.name}: it lies outside China or along the "
                "edge of what the system is made for, where its coordinates mean no one place.",
                f"（{x}, {y}）不能写成 {self.name}：该处在境外或该坐标系适用范围的边缘，"
                "坐标无法唯一还原。",
            )


@dataclass(frozen=True, slots=True)
class Projection:
    """The way from EPSG:4326 to the CRS of a name; None where the coordinates stay.

    ``epsg`` is None for GCJ-02 and BD-09, which have no code.
    """

    name: str
    epsg: int | None
    geographic: bool
    decimals: int
    way: Way | None

    @property
    def crs(self) -> CRS:
        """The CRS as a file declares it.

        What GCJ-02 and BD-09 are made of is not published. They are declared as engineering CRSs of
        their names: no program then takes their degrees, wrong by hundreds of metres, for WGS 84.
        """
        if self.epsg is not None:
            return CRS.from_epsg(self.epsg)
        return CRS.from_wkt(
            f'LOCAL_CS["{self.name}",LOCAL_DATUM["{self.name}",32767],'
            'UNIT["degree",0.0174532925199433],AXIS["Longitude",EAST],AXIS["Latitude",NORTH]]'
        )

    def __call__(self, geometries: NDArray[np.object_]) -> NDArray[np.object_]:
        """Return the geometries in the CRS, rounded; raise ``ExportError`` where it ends."""

        def step(xy: NDArray[np.float64]) -> NDArray[np.float64]:
            places = xy
            if self.way is not None and len(xy):
                xy = np.column_stack(self.way.transform(xy[:, 0], xy[:, 1]))
                if not np.isfinite(xy).all():
                    raise ExportError(
                        f"A place lies outside of what {self.name} can express.",
                        f"有位置超出了 {self.name} 能表示的范围。",
                    )
            xy = np.round(xy, self.decimals) + 0.0  # + 0.0: there is no -0
            if isinstance(self.way, Obfuscation) and len(xy):
                self.way.check(places, xy)
            return xy

        changed: NDArray[np.object_] = shapely.transform(geometries, step)
        return changed


def projection(crs: str) -> Projection:
    """Return the way to ``EPSG:n``, ``GCJ-02`` or ``BD-09``, named as intake knows them.

    Raises ``ExportError`` for a CRS without places on a plane. Degrees of EPSG:4326 and 4490 keep
    the 8 decimals of the lattice, other degrees 10, so that they lead back to the same point of it;
    metres have 4 (0.1 mm).

    >>> projection("EPSG:4548").decimals, projection("gcj02").name
    (4, 'GCJ-02')
    """
    if name := obfuscated(crs):
        return Projection(name, None, geographic=True, decimals=10, way=Obfuscation(name))
    found = re.fullmatch(r"(?i:epsg:)?([0-9]{4,6})", crs.strip())
    try:
        known = CRS.from_epsg(int(found[1])) if found else None
    except CRSError:
        known = None
    flat = known is not None and len(known.axis_info) == 2
    if known is None or not flat or not (known.is_geographic or known.is_projected):
        raise ExportError(
            f"The CRS “{crs}” is not known, or not one of places on a map; "
            "write it as EPSG:4326, EPSG:4548, GCJ-02 or BD-09.",
            f"不认识坐标系“{crs}”，或它不是平面坐标系；"
            "请写成 EPSG:4326、EPSG:4548、GCJ-02 或 BD-09。",
        )
    epsg = int(found[1]) if found else SRID
    name = f"EPSG:{epsg}"
    # EPSG:4490 is the identity within the accuracy of the data; PROJ would call it a ballpark.
    if epsg in (SRID, 4490):
        return Projection(name, epsg, geographic=True, decimals=DECIMALS, way=None)
    way = Transformer.from_crs(CRS.from_epsg(SRID), known, always_xy=True)
    return Projection(name, epsg, known.is_geographic, 10 if known.is_geographic else 4, way)
