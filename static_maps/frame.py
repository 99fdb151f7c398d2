"""Where the map lies on the paper: page, scale, extent, and the degrees at its margin."""

import math
from dataclasses import dataclass

import numpy as np
from geopandas import GeoSeries
from matplotlib.axes import Axes
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from static_maps.fonts import typeface
from static_maps.metric import local_crs, round_up

INK, GREY, HAIR = "#22303c", "#66727d", "#c9d0d6"
PAPERS = {"A0": (841, 1189), "A1": (594, 841), "A2": (420, 594), "A3": (297, 420), "A4": (210, 297)}
_SCALES = (1, 1.2, 1.5, 1.8, 2, 2.2, 2.5, 2.8, 3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 9)
_STEPS = (5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600, 7200, 18000, 36000)


@dataclass(frozen=True, slots=True)
class Frame:
    """A page in millimetres and the map on it.

    ``unit`` is 1 on A3 and scales type and lines with the paper. ``scale`` is the denominator of
    the map's scale, exact on paper and always round. ``centre`` is in metres of ``crs``.
    """

    width: float
    height: float
    unit: float
    crs: CRS
    longitude: float
    centre: tuple[float, float]
    scale: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The map on the page: left, bottom, width, height in millimetres."""
        return _map_box(self.width, self.height, self.unit)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """The map on the ground: west, south, east, north in metres."""
        _, _, wide, high = (side * self.scale / 2000 for side in self.box)
        x, y = self.centre
        return x - wide, y - high, x + wide, y + high

    @property
    def panel(self) -> tuple[float, float]:
        """Left and right edge of the column of words, in millimetres."""
        left, _, wide, _ = self.box
        return left + wide + 10 * self.unit, self.width - 12 * self.unit


def _map_box(width: float, height: float, unit: float) -> tuple[float, float, float, float]:
    margin, column, title, foot = (size * unit for size in (15, 84, 33, 18))
    return margin, foot, width - margin - column, height - title - foot


def frame(paper: str, extent: GeoSeries) -> Frame:
    """Lay a map of ``extent`` (EPSG:4326) on paper, upright or lengthways, as large as fits.

    Raises ValueError where there is no such paper.
    """
    if paper not in PAPERS:
        raise ValueError(f"There is no paper {paper}: use {', '.join(sorted(PAPERS))}.")
    west, south, east, north = extent.total_bounds
    longitude = (west + east) / 2
    crs = local_crs(longitude, (south + north) / 2)
    left, low, right, high = extent.to_crs(crs).total_bounds
    short, long = PAPERS[paper]
    unit = short / 297
    layouts = []
    for width, height in ((long, short), (short, long)):
        _, _, wide, tall = _map_box(width, height, unit)
        # A town of one point still gets a map of its surroundings.
        need = max((right - left) / wide, (high - low) / tall, 200 / wide) * 1000 * 1.05
        layouts.append((round_up(need, _SCALES), width, height))
    scale, width, height = min(layouts, key=lambda layout: layout[0])
    centre = ((left + right) / 2, (low + high) / 2)
    return Frame(width, height, unit, crs, longitude, centre, scale)


def convergence(page: Frame) -> float:
    """Return the bearing of true north at the middle of the map, degrees clockwise from its top."""
    x, y = page.centre
    back = Transformer.from_crs(page.crs, 4326, always_xy=True)
    longitude, latitude = back.transform(x, y)
    east, north = back.transform(longitude, latitude + 0.001, direction="INVERSE")
    return math.degrees(math.atan2(east - x, north - y))


def graticule(axes: Axes, page: Frame) -> None:
    """Mark meridians and parallels at the margin, with degrees, and as faint crosses inside."""
    west, south, east, north = page.extent
    back = Transformer.from_crs(page.crs, 4326, always_xy=True)
    mm = page.scale / 1000
    across, up = np.linspace(west, east, 60), np.linspace(south, north, 60)
    degrees = back.transform([west, east], [south, north])
    step = _step(degrees[0][1] - degrees[0][0], degrees[1][1] - degrees[1][0])
    for edge, out in ((south, -mm), (north, mm)):
        for second, x in _crossings(back.transform(across, np.full(60, edge))[0], across, step):
            _tick(axes, page, (x, edge), (0, out), _dms(second, "E", "W"))
    for edge, out in ((west, -mm), (east, mm)):
        for second, y in _crossings(back.transform(np.full(60, edge), up)[1], up, step):
            _tick(axes, page, (edge, y), (out, 0), _dms(second, "N", "S"))
    corners = back.transform([west, east, west, east], [south, south, north, north])
    lon, lat = np.meshgrid(
        *(np.arange(min(c) * 3600 // step, max(c) * 3600 // step + 1) for c in corners)
    )
    x, y = back.transform(lon.ravel() * step / 3600, lat.ravel() * step / 3600, direction="INVERSE")
    inside = (x > west) & (x < east) & (y > south) & (y < north)
    axes.plot(
        x[inside], y[inside], "+", color="#8795a1", markersize=5 * page.unit, mew=0.4, zorder=0.5
    )


def _step(wide: float, high: float) -> int:
    seconds = max(wide, high) * 3600 / 6
    return next((step for step in _STEPS if step >= seconds), _STEPS[-1])


def _crossings(
    degrees: NDArray[np.float64], metres: NDArray[np.float64], step: int
) -> list[tuple[int, float]]:
    seconds = degrees * 3600
    marks = np.arange(math.ceil(seconds[0] / step), math.floor(seconds[-1] / step) + 1) * step
    return [(int(m), float(np.interp(m, seconds, metres))) for m in marks]


def _dms(seconds: int, positive: str, negative: str) -> str:
    """Write seconds of arc as degrees, minutes and seconds."""
    degrees, rest = divmod(abs(seconds), 3600)
    return f"{degrees}°{rest // 60:02d}′{rest % 60:02d}″{positive if seconds >= 0 else negative}"


def _tick(
    axes: Axes, page: Frame, place: tuple[float, float], out: tuple[float, float], words: str
) -> None:
    """Draw a mark outward from the frame with its degrees, upright at the sides."""
    (x, y), (dx, dy) = place, (out[0] * page.unit, out[1] * page.unit)
    axes.plot([x, x + 1.6 * dx], [y, y + 1.6 * dy], color=INK, lw=0.6, clip_on=False)
    axes.text(
        x + 2.2 * dx,
        y + 2.2 * dy,
        words,
        fontproperties=typeface(),
        fontsize=7 * page.unit,
        color=GREY,
        ha="center" if dx == 0 else "right" if dx < 0 else "left",
        va="center" if dy == 0 else "top" if dy < 0 else "bottom",
        rotation=90 if dy == 0 else 0,
        parse_math=False,
    )
