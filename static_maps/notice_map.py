"""The two maps of a notice: the grids before and after, at one scale, in the same colours."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from pyproj import CRS

from static_maps import paint
from static_maps.fonts import typeface
from static_maps.frame import GREY, INK
from static_maps.labels import Board, Label, heart
from static_maps.legend import PALETTE
from static_maps.metric import local_crs, round_up
from static_maps.notice import WORDS, Notice, both, numbers
from static_maps.panel import POINT

OLD, HANDS = "#c0362c", "#7a2f8f"

_SCALES = (1, 1.2, 1.4, 1.6, 1.8, 2, 2.2, 2.5, 2.8, 3.2, 3.6, 4, 4.5, 5, 6, 7, 8, 9)


@dataclass(frozen=True, slots=True)
class Window:
    """What both maps show: CRS, centre in metres, a scale that is exact on paper, degrees."""

    crs: CRS
    centre: tuple[float, float]
    scale: float
    west: float
    south: float
    east: float
    north: float


def window(notice: Notice, wide: float, high: float) -> Window:
    """Return the window that holds all grids that change on maps of so many millimetres."""
    shapes = [*notice.before.geometry, *notice.after.geometry]
    west, south, east, north = shapely.total_bounds(shapes)
    crs = local_crs((west + east) / 2, (south + north) / 2)
    left, low, right, top = GeoDataFrame(geometry=shapes, crs=4326).to_crs(crs).total_bounds
    need = max((right - left) / wide, (top - low) / high, 100 / wide) * 1000 * 1.12
    scale = round_up(need, _SCALES)
    x, y = (left + right) / 2, (low + top) / 2
    right, top = wide * scale / 2000, high * scale / 2000
    page = GeoDataFrame(geometry=[shapely.box(x - right, y - top, x + right, y + top)], crs=crs)
    return Window(crs, (x, y), scale, *page.to_crs(4326).total_bounds.tolist())


def colours(notice: Notice) -> dict[str, str]:
    """Return a colour for each grid that changes."""
    return {code: PALETTE[i % len(PALETTE)] for i, code in enumerate(notice.codes)}


def maps(
    figure: Figure,
    canvas: FigureCanvasAgg,
    notice: Notice,
    boxes: tuple[tuple[float, float, float, float], tuple[float, float, float, float]],
) -> Window:
    """Draw both maps into boxes (left, bottom, width, height in mm) and return what they show."""
    seen = window(notice, boxes[0][2], boxes[0][3])
    page = np.array(figure.get_size_inches()) * 25.4
    for box, after in zip(boxes, (False, True), strict=True):
        left, low, wide, high = box
        axes = figure.add_axes((left / page[0], low / page[1], wide / page[0], high / page[1]))
        half = np.array([wide, high]) * seen.scale / 2000
        x, y = seen.centre
        axes.set(xlim=(x - half[0], x + half[0]), ylim=(y - half[1], y + half[1]),
                 xticks=[], yticks=[], facecolor="#f4f5f6")  # fmt: skip
        for side in axes.spines.values():
            side.set(color=INK, linewidth=0.8, zorder=30)
        _draw(axes, canvas, notice, seen, after)
    return seen


def _draw(axes: Axes, canvas: FigureCanvasAgg, notice: Notice, seen: Window, after: bool) -> None:
    def laid(frame: GeoDataFrame | None) -> GeoDataFrame:
        if frame is None:
            return GeoDataFrame(geometry=[], crs=seen.crs)
        near = frame.cx[seen.west : seen.east, seen.south : seen.north] if len(frame) else frame
        return near.to_crs(seen.crs)

    grids = laid(notice.after if after else notice.before)
    fill = colours(notice)
    around = laid(notice.around)
    paint.polygons(axes, around.geometry, face="#ffffff", edge="#98a3ae", width=0.6, order=1)
    for code, part in grids.groupby("code"):
        paint.polygons(axes, part.geometry, face=fill[str(code)], order=2)
    moved = laid(notice.moved)
    if after and len(moved):
        axes.add_collection(_hatched(moved), autolim=False)
    paint.polygons(axes, laid(notice.buildings).geometry, face="#4a55602e", order=4)
    roads = laid(notice.roads)
    paint.lines(axes, roads.geometry, color="#ffffffd0", widths=np.full(len(roads), 1.3), order=5)
    paint.polygons(axes, grids.geometry, edge=INK, width=1.2, order=7)
    if after:
        old = shapely.unary_union(shapely.boundary(laid(notice.before).geometry.to_numpy()))
        new = shapely.unary_union(shapely.boundary(grids.geometry.to_numpy()))
        # Lattice rounding puts a vertex a millimetre aside: what stays is not marked.
        gone = shapely.difference(old, shapely.buffer(new, 0.2))
        for part in shapely.get_parts(gone):
            if part.length > 1:
                xy = shapely.get_coordinates(part)
                axes.plot(*xy.T, color=OLD, lw=1.2, ls=(0, (4, 2.4)), zorder=8)
    _names(axes, canvas, notice, grids, around)


def _across(shape: Any, y: float) -> float:
    """Return how wide a polygon is at a height."""
    west, _, east, _ = shape.bounds
    return float(shapely.intersection(shapely.LineString([(west, y), (east, y)]), shape).length)


def _hatched(moved: GeoDataFrame) -> PolyCollection:
    parts = shapely.get_parts(moved.geometry.to_numpy())
    rings = [shapely.get_coordinates(part.exterior) for part in parts]
    return PolyCollection(
        rings, facecolor="none", edgecolor=HANDS, hatch="/////", linewidth=0, zorder=6
    )


def _names(
    axes: Axes,
    canvas: FigureCanvasAgg,
    notice: Notice,
    grids: GeoDataFrame,
    around: GeoDataFrame,
) -> None:
    board = Board(axes, canvas)
    number = numbers(notice)
    for code, geometry in zip(grids["code"].astype(str), grids.geometry, strict=True):
        x, y = heart(geometry)
        board.place([Label(str(number[code]), x, y, (10, 8.5, 7, 6), INK, bold=True)], 20)
    if "name" in around.columns:
        low = shapely.box(*axes.viewLim.extents)
        for name, geometry in zip(around["name"], around.geometry, strict=True):
            inner = shapely.intersection(geometry, low)
            if name and not inner.is_empty and inner.area > 0.02 * low.area:
                x, y = heart(inner)
                room = 1.1 * _across(inner, y)
                board.place([Label(str(name), x, y, (6, 5), GREY, room=room)], 19)


def key(axes: Axes, seen: Window, left: float, right: float, y: float) -> None:
    """Write the legend and a scale bar in one line from ``left`` to ``right`` (mm) at ``y``."""
    face, size = typeface(), 7.4
    x = left
    for name in ("new", "old", "hands"):
        words = both(name)
        if name == "hands":
            axes.add_patch(Rectangle((x, y - 0.4), 7, 3, fc="none", ec=HANDS, hatch="//////", lw=0))
        else:
            style = (0, (4, 2.4)) if name == "old" else "-"
            color = OLD if name == "old" else INK
            axes.plot([x, x + 7], [y + 1.1, y + 1.1], color=color, lw=1.2, ls=style)
        axes.text(x + 8.5, y, words, fontproperties=face, fontsize=size, color=INK)
        x += 14 + size * POINT * _ems(words)
    length = round_up(seen.scale * 0.018, (1, 2, 5))
    wide = length / seen.scale * 1000
    end = right
    axes.plot([end - wide] * 2 + [end] * 2, [y + 1.6, y, y, y + 1.6], color=INK, lw=0.9)
    axes.text(
        end - wide - 2,
        y,
        f"1 : {seen.scale:,.0f}    {length:,.0f} 米 m",
        fontproperties=face,
        fontsize=size,
        color=INK,
        ha="right",
    )


def _ems(words: str) -> float:
    return sum(0.55 if ord(letter) < 256 else 1.0 for letter in words)


def heading(after: bool) -> str:
    """Return the title of one of the maps."""
    return " ".join(WORDS["after" if after else "before"])
