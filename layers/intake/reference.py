"""Which coordinate system: the stated one by name, and its zones."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
from pyproj import CRS, Transformer

from layers.base import SRID
from layers.intake.coordinates import (
    Pair,
    Way,
    bd09_to_gcj02,
    gcj02_to_wgs84,
    transformer,
)
from layers.intake.report import Words

MILLION = 1_000_000
"""Metres that a zone number stands for in front of an easting."""


class Family(NamedTuple):
    """Gauss-Krüger zones of one datum: the first EPSG codes with and without the zone number."""

    numbered: int
    central: int
    first: int
    size: int
    degrees: int
    datum: Words

    def meridian(self, zone: int) -> int:
        """Return the central meridian of a zone."""
        return zone * 3 if self.degrees == 3 else zone * 6 - 3

    def zone(self, epsg: int) -> tuple[int, bool] | None:
        """Return the zone of an EPSG code, and whether eastings begin with its number."""
        for start, numbered in ((self.numbered, True), (self.central, False)):
            if start <= epsg < start + self.size:
                return self.first + epsg - start, numbered
        return None

    def epsg(self, zone: int, *, numbered: bool) -> int:
        """Return the EPSG code of a zone."""
        return (self.numbered if numbered else self.central) + zone - self.first


_CGCS2000 = Words("CGCS2000", "CGCS2000")
_XIAN = Words("1980 西安", "Xi'an 1980")
_BEIJING = Words("1954 北京", "Beijing 1954")

FAMILIES = (
    Family(4513, 4534, 25, 21, 3, _CGCS2000),
    Family(4491, 4502, 13, 11, 6, _CGCS2000),
    Family(2349, 2370, 25, 21, 3, _XIAN),
    Family(2327, 2338, 13, 11, 6, _XIAN),
    Family(2401, 2422, 25, 21, 3, _BEIJING),
    Family(21413, 21453, 13, 11, 6, _BEIJING),
)


class Obfuscated:
    """The way from GCJ-02 or BD-09 to EPSG:4326."""

    def __init__(self, name: str) -> None:
        self.name = name

    def transform(self, xx: Any, yy: Any) -> Pair:
        """Return longitudes and latitudes in WGS-84."""
        return gcj02_to_wgs84(*(bd09_to_gcj02(xx, yy) if self.name == "BD-09" else (xx, yy)))


class Zoned:
    """The way from a Gauss-Krüger zone, with or without its number in front of the easting.

    An easting that has the number (eight digits) although the CRS has none, or none although the
    CRS has one, or that of another zone, is read as what it is; ``used`` counts by EPSG code.
    """

    def __init__(self, epsg: int, family: Family, zone: int, *, numbered: bool) -> None:
        self.epsg, self.family, self.zone, self.numbered = epsg, family, zone, numbered
        self.used: Counter[int] = Counter()
        self._ways: dict[int, Transformer] = {}

    def transform(self, xx: Any, yy: Any) -> Pair:
        """Return longitudes and latitudes."""
        x, y = np.asarray(xx, dtype=float), np.asarray(yy, dtype=float)
        first, count = self.family.first, self.family.size
        front = np.floor(x / MILLION)
        known = (front >= first) & (front < first + count)
        bare = (x >= 100_000) & (x < MILLION)
        numbered = known | (~bare & self.numbered)
        zones = np.where(known, front, self.zone).astype(int)
        lon, lat = np.full(x.shape, np.inf), np.full(x.shape, np.inf)
        for zone in np.unique(zones).tolist():
            own = zones == zone
            local = np.where(numbered[own], x[own] - zone * MILLION, x[own])
            lon[own], lat[own] = self._way(zone).transform(local, y[own])
            for has in (True, False):
                at = int((numbered[own] == has).sum())
                code = self.family.epsg(zone, numbered=has)
                if at and code != self.epsg and (has or self.numbered):
                    self.used[code] += at
        return lon, lat

    def _way(self, zone: int) -> Transformer:
        if zone not in self._ways:
            self._ways[zone] = metric(self.family.epsg(zone, numbered=False))
        return self._ways[zone]

    def notes(self) -> Iterator[Words]:
        """Say where the eastings spoke against the stated CRS."""
        for code, count in sorted(self.used.items()):
            zone, numbered = cast("tuple[int, bool]", self.family.zone(code))
            yield Words(
                f"{count} 个坐标点的东坐标"
                + (f"前有带号 {zone}（8 位）" if numbered else "前没有带号（6 位）")
                + f"，已按 EPSG:{code} 换算，而不是声明的 EPSG:{self.epsg}。",
                f"The eastings of {count} coordinates have "
                + (f"the zone number {zone} in front" if numbered else "no zone number in front")
                + f": EPSG:{code} was used, not EPSG:{self.epsg} as stated.",
            )


@dataclass(frozen=True, slots=True)
class Reference:
    """A stated CRS: as written, its name, the way to EPSG:4326 (None: none to go).

    ``projected`` tells that it is transformed by PROJ, ``old`` that its datum is of before 2000.
    """

    crs: str
    name: str
    way: Way | None
    projected: bool
    old: bool = False

    def notes(self) -> Iterator[Words]:
        """Say what was done with coordinates that a clerk should know of."""
        if isinstance(self.way, Obfuscated):
            yield Words(
                f"坐标按 {self.name} 换算为 WGS-84（公开公式，迭代求逆）。",
                f"Coordinates were converted from {self.name} to WGS-84 "
                "(public formula, iterated inverse).",
            )
        if isinstance(self.way, Zoned):
            yield from self.way.notes()
        if self.old:
            yield Words(
                "1980 西安、1954 北京坐标系与 WGS-84 之间没有公开的当地转换参数，"
                "位置可能偏差约百米。",
                "There are no public local parameters between Xi'an 1980 or Beijing 1954 and "
                "WGS-84: places may be off by about a hundred metres.",
            )


_OBFUSCATED = re.compile(
    r"(?:\s*(?:LOCAL_CS|ENGCRS|ENGINEERINGCRS)\s*\[\s*\"(?P<wkt>[^\"]*)\".*)"
    r"|(?:\{.*\"type\": *\"EngineeringCRS\", *\"name\": *\"(?P<json>[^\"]*)\".*)",
    re.DOTALL,
)


def obfuscated(crs: str) -> str | None:
    """Return ``GCJ-02`` or ``BD-09`` where that is meant: by name, or as a file declares it.

    They have no EPSG code; an export declares them as engineering CRSs of their names.

    >>> obfuscated("gcj02"), obfuscated('LOCAL_CS["BD-09",UNIT["degree",1]]'), obfuscated("WGS 84")
    ('GCJ-02', 'BD-09', None)
    """
    declared = _OBFUSCATED.fullmatch(crs)
    named = (declared["wkt"] or declared["json"] or "") if declared else crs
    short = re.sub("[-_ ]", "", named).upper()
    return f"{short[:-2]}-{short[-2:]}" if short in ("GCJ02", "BD09") else None


def reference(crs: str) -> Reference:
    """Return the CRS of a name: ``GCJ-02``, ``BD-09`` (in any case, hyphen or not) or EPSG.

    Raises ``Refusal`` for a CRS that is not known.

    >>> reference("gcj02").name
    'GCJ-02'
    """
    if name := obfuscated(crs):
        return Reference(crs, name, Obfuscated(name), projected=False)
    way = transformer(crs)
    declared = CRS.from_user_input(crs)
    epsg = declared.to_epsg()
    name = f"EPSG:{epsg}" if epsg else declared.name
    if way is None:
        return Reference(crs, name, None, projected=False)
    base = declared.geodetic_crs
    old = base is not None and base.name in ("Xian 1980", "Beijing 1954")
    for family in FAMILIES:
        if epsg and (found := family.zone(epsg)) and _same(declared, epsg):
            zoned = Zoned(epsg, family, found[0], numbered=found[1])
            return Reference(crs, name, zoned, projected=True, old=old)
    return Reference(crs, name, way, projected=True, old=old)


def _same(declared: CRS, epsg: int) -> bool:
    """Tell whether a CRS that PROJ takes for one of EPSG has its numbers too."""
    own, registered = declared.coordinate_operation, CRS.from_epsg(epsg).coordinate_operation
    if own is None or registered is None:
        return False
    values = [sorted(p.value for p in operation.params) for operation in (own, registered)]
    return values[0] == values[1]


def metric(epsg: int) -> Transformer:
    """Return the way from a projected CRS to EPSG:4326, easting first."""
    return Transformer.from_crs(CRS.from_epsg(epsg), CRS.from_epsg(SRID), always_xy=True)


_TITLES = {
    "EPSG:4326": Words("WGS-84 或 CGCS2000 经纬度", "WGS 84 or CGCS2000, degrees"),
    "GCJ-02": Words("GCJ-02 经纬度（高德、腾讯等地图）", "GCJ-02, degrees (web maps of China)"),
    "BD-09": Words("BD-09 经纬度（百度地图）", "BD-09, degrees (Baidu's map)"),
    "EPSG:3857": Words("Web 墨卡托（米）", "Web Mercator, metres"),
}


def title(crs: str) -> Words:
    """Return what people call a CRS; an EPSG code without a name of its own here is its name.

    >>> title("EPSG:4548").zh
    'CGCS2000 高斯-克吕格 3 度带，中央经线 117°'
    >>> title("EPSG:4527").en
    'CGCS2000 Gauss-Krüger, 3-degree zone 39, number in front'
    """
    if crs in _TITLES:
        return _TITLES[crs]
    digits = crs.removeprefix("EPSG:")
    for family in FAMILIES if digits.isdecimal() else ():
        if (found := family.zone(int(digits))) is not None:
            zone, numbered = found
            degrees, middle = family.degrees, family.meridian(zone)
            return Words(
                f"{family.datum.zh} 高斯-克吕格 {degrees} 度带，"
                + (f"带号 {zone} 在前" if numbered else f"中央经线 {middle}°"),
                f"{family.datum.en} Gauss-Krüger, {degrees}-degree zone "
                + (f"{zone}, number in front" if numbered else f"with meridian {middle}°"),
            )
    return Words(crs, crs)
