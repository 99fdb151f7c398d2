"""Which coordinate system a file may be of: proposals with evidence. Nothing is decided here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias, cast

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

from layers.intake.coordinates import Floats, Pair
from layers.intake.reference import FAMILIES, MILLION, Obfuscated, metric, reference, title
from layers.intake.report import Words

SAMPLE = 2_000
"""Points that a proposal looks at, evenly spaced over the file."""

CLOSE = 0.05
"""Hypotheses whose shares differ by no more than this are not told apart."""

Town: TypeAlias = BaseGeometry | Sequence[float]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What it would mean if coordinates were of ``crs``, ``swapped`` if the second comes first.

    ``share`` of the ``count`` points looked at lies inside the town; ``distance`` is the mean
    distance to the town in metres (0 inside), ``centre`` that of the middle of the points from the
    middle of the town. ``ties`` are the names of hypotheses that fit as well: where there are any,
    the places alone do not decide.
    """

    crs: str
    swapped: bool
    share: float
    distance: float
    centre: float
    count: int
    ties: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The CRS, marked where the coordinates are swapped."""
        return f"{self.crs} (swapped)" if self.swapped else self.crs

    @property
    def zh(self) -> str:
        """The evidence in Chinese."""
        far = "" if not 0 < self.distance < np.inf else f"，平均相距 {_far(self.distance)}"
        tie = f"；{_listed(self.ties)} 同样符合，仅凭位置无法判断" if self.ties else ""
        swapped = "且两列互换" if self.swapped else ""
        return (
            f"若坐标为 {self.crs}{swapped}，{percent(self.share)} 的点落在辖区内"
            f"（检查了 {self.count} 个点{far}）{tie}。"
        )

    @property
    def en(self) -> str:
        """The evidence in English."""
        far = "" if not 0 < self.distance < np.inf else f", {_far(self.distance)} off on average"
        tie = f"; undecided, for {', '.join(self.ties)} fit as well" if self.ties else ""
        swapped = " with the two coordinates swapped" if self.swapped else ""
        return (
            f"If the coordinates are {self.crs}{swapped}, {percent(self.share)} of the points lie "
            f"inside the town ({self.count} looked at{far}){tie}."
        )


def percent(share: float) -> str:
    """Return a share in per cent; 0 % and 100 % are none and all.

    >>> percent(0.999), percent(1.0)
    ('99%', '100%')
    """
    whole = round(share * 100)
    return f"{min(max(whole, 1), 99) if 0 < share < 1 else whole}%"


def _listed(names: Sequence[str]) -> str:
    return "、".join(names).replace(" (swapped)", "（两列互换）")


def _far(metres: float) -> str:
    return f"{metres:.0f} m" if metres < 1000 else f"{metres / 1000:,.0f} km"


def propose(lon_or_x: ArrayLike, lat_or_y: ArrayLike, town: Town) -> list[Hypothesis]:
    """Return which CRS the coordinates of points in ``town`` may be of, the likeliest first.

    ``town`` is a geometry or bounds in EPSG:4326. All hypotheses are returned, the hopeless too:
    EPSG:4326 (CGCS2000 is the same), GCJ-02, BD-09, EPSG:3857 and Gauss-Krüger zones near the town,
    each also with the coordinates swapped. They are ordered by the share of points inside the town,
    then by the distance from it, then by that of the middles. Up to ``SAMPLE`` points are looked
    at. GCJ-02 differs from WGS-84 by about 500 m, the datums by about 100 m: often several fit, and
    then each names the others in ``ties``. Nothing is decided here.
    """
    x, y = _sample(lon_or_x, lat_or_y)
    if not len(x):
        return []
    measure = _Measure(town)
    found = [
        measure.hypothesis(crs, xy, swapped=swapped)
        for crs in _candidates(measure.west, measure.east)
        for swapped, xy in ((False, (x, y)), (True, (y, x)))
    ]
    found.sort(key=lambda h: (-round(h.share, 2), round(min(h.distance, 1e9)), h.centre // 200))
    best = found[0].share
    close = [h.name for h in found if best > 0 and h.share >= best - CLOSE]
    if len(close) < 2:
        return found
    return [
        replace(h, ties=tuple(n for n in close if n != h.name)) if h.name in close else h
        for h in found
    ]


class Proposal(NamedTuple):
    """One CRS that a file may be of, for people to choose from.

    ``share`` (0 to 1) of the points looked at lies inside the town. Where ``swapped``, the columns
    of longitude (or easting) and latitude (or northing) have to change places as well.
    """

    crs: str
    title: Words
    share: float
    swapped: bool


def proposals(
    lon_or_x: ArrayLike, lat_or_y: ArrayLike, town: Town, *, hopeless: bool = False
) -> list[Proposal]:
    """Return the hypotheses of ``propose`` as data, the likeliest first.

    Those that bring no point into ``town`` (EPSG:4326) are left out unless ``hopeless``.

    >>> best = proposals([500_000.0], [3_520_000.0], (116.9, 31.7, 117.1, 31.9))[0]
    >>> best.crs, best.title.en, best.share
    ('EPSG:4548', 'CGCS2000 Gauss-Krüger, 3-degree zone with meridian 117°', 1.0)
    """
    found = propose(lon_or_x, lat_or_y, town)
    return [
        Proposal(h.crs, _title(h), h.share, h.swapped) for h in found if hopeless or h.share > 0
    ]


def _title(hypothesis: Hypothesis) -> Words:
    zh, en = title(hypothesis.crs)
    return Words(f"{zh}（两列互换）", f"{en}, swapped") if hypothesis.swapped else Words(zh, en)


def suspicion(stated: str, x: ArrayLike, y: ArrayLike, town: Town) -> Words | None:
    """Say that another CRS fits better, where most points lie outside ``town`` under ``stated``.

    Better is one that brings at least half of the points into the town.
    """
    xy = _sample(x, y)
    if not len(xy[0]):
        return None
    known = reference(stated)
    way = known.way
    own = _Measure(town).share(*(xy if way is None else way.transform(*xy)))
    if own >= 0.5:
        return None
    best = propose(*xy, town)[0]
    if best.share < 0.5 or best.share <= own + CLOSE:
        return None
    ties = best.ties[:5]
    more = len(best.ties) - len(ties)
    zh = f"若坐标为 {best.crs}{'且两列互换' if best.swapped else ''}，"
    zh += f"{percent(best.share)} 的点落在辖区内（按 {known.name} 为 {percent(own)}）。"
    en = f"If the coordinates are {best.crs}{', swapped' if best.swapped else ''}, "
    en += f"{percent(best.share)} of the points lie inside the town ({percent(own)} as "
    en += f"{known.name}). "
    if ties:
        zh += f"{_listed(ties)}{f' 等另外 {more} 种' if more else ''} 同样符合，"
        zh += "仅凭位置无法判断，请向提供者核实。"
        en += f"{', '.join(ties)}{f' and {more} more' if more else ''} fit as well: the places "
        en += "alone do not decide, ask where the file comes from. "
    change = "互换两列坐标，" if best.swapped else ""
    option = f"--crs {best.crs}"
    zh += f"{'核实后，' if ties else ''}请{change}用 {option} 重新导入。"
    en += "Then swap" if ties and best.swapped else "Swap" if best.swapped else ""
    en += " the coordinates and import" if best.swapped else "Then import" if ties else "Import"
    en += f" again with {option}."
    return Words(zh, en)


def _sample(x: ArrayLike, y: ArrayLike) -> Pair:
    xy = np.column_stack([np.ravel(np.asarray(x, float)), np.ravel(np.asarray(y, float))])
    xy = xy[np.isfinite(xy).all(axis=1) & (np.abs(xy) < 1e9).all(axis=1)]
    if len(xy) > SAMPLE:
        xy = xy[np.linspace(0, len(xy) - 1, SAMPLE).astype(int)]
    return xy[:, 0], xy[:, 1]


def _candidates(west: float, east: float) -> Iterator[str]:
    yield from ("EPSG:4326", "GCJ-02", "BD-09", "EPSG:3857")
    for family in FAMILIES:
        for zone in range(family.first, family.first + family.size):
            if west - family.degrees <= family.meridian(zone) <= east + family.degrees:
                for numbered in (False, True):
                    yield f"EPSG:{family.epsg(zone, numbered=numbered)}"


class _Measure:
    """A town, and how points lie to it."""

    def __init__(self, town: Town) -> None:
        area = town if isinstance(town, BaseGeometry) else shapely.box(*town)
        shapely.prepare(area)
        self.area = area
        self.west, south, self.east, north = shapely.bounds(area).tolist()
        self.middle = np.array([(self.west + self.east) / 2, (south + north) / 2])
        # Metres a degree about here: enough to rank, not to survey.
        self.scale = np.array([np.cos(np.radians(self.middle[1])), 1.0]) * 111_320
        self.flat = shapely.transform(area, lambda xy: (xy - self.middle) * self.scale)
        self.centre = shapely.get_coordinates(shapely.centroid(self.flat))[0]
        self._ways: dict[int, Transformer] = {}

    def share(self, lon: Floats, lat: Floats) -> float:
        """Return the share of points inside."""
        return float(self._inside(lon, lat).mean())

    def hypothesis(self, crs: str, xy: Pair, *, swapped: bool) -> Hypothesis:
        """Judge one CRS."""
        count = len(xy[0])
        there = self._there(crs, *xy)
        if there is None:
            return Hypothesis(crs, swapped, 0.0, np.inf, np.inf, count)
        inside = self._inside(*there)
        flat = (np.column_stack(there) - self.middle) * self.scale
        outside = flat[~inside]
        some = outside[np.linspace(0, max(len(outside) - 1, 0), min(len(outside), 100)).astype(int)]
        share, distance, centre = float(inside.mean()), 0.0, np.inf
        if len(some):
            finite = bool(np.isfinite(some).all())
            away = shapely.distance(self.flat, shapely.points(some)) if finite else np.inf
            distance = float(np.mean(away)) * (1 - share)
        if np.isfinite(flat).all():
            centre = float(np.hypot(*(np.median(flat, axis=0) - self.centre)))
        return Hypothesis(crs, swapped, share, distance, centre, count)

    def _inside(self, lon: Floats, lat: Floats) -> NDArray[np.bool_]:
        finite = np.isfinite(lon) & np.isfinite(lat)
        xy = np.where(finite, lon, 999.0), np.where(finite, lat, 999.0)
        return np.asarray(shapely.intersects_xy(self.area, *xy))

    def _there(self, crs: str, x: Floats, y: Floats) -> Pair | None:
        """Return longitudes and latitudes; None where the numbers cannot be of the CRS."""
        degrees = np.median(np.abs(x)) <= 360 and np.median(np.abs(y)) <= 360
        if degrees != (crs in ("EPSG:4326", "GCJ-02", "BD-09")):
            return None
        if degrees:
            return (x, y) if crs == "EPSG:4326" else Obfuscated(crs).transform(x, y)
        epsg = int(crs.removeprefix("EPSG:"))
        for family in FAMILIES:
            if (found := family.zone(epsg)) is not None:
                zone, numbered = found
                if numbered != (np.median(x) > MILLION):
                    return None
                x, epsg = x - zone * MILLION * numbered, family.epsg(zone, numbered=False)
                if abs(np.median(x) - 500_000) > MILLION:
                    return None
        if epsg not in self._ways:
            self._ways[epsg] = metric(epsg)
        return cast("Pair", self._ways[epsg].transform(x, y))
