"""The layers of a sheet: quiet ground, strong subject, names; with what each leaves out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from numpy.typing import NDArray

from static_maps import paint
from static_maps.frame import GREY, INK, Frame
from static_maps.labels import Board, Label, heart, stretch
from static_maps.legend import Entry, entries, ranges
from static_maps.metric import hexagons, round_up
from static_maps.panel import POINT, Panel, Row
from static_maps.theme import Theme, ThemeLayer, placed
from static_maps.words import Lang, words

MOST_POINTS = 2000
"""With more points a sheet shows counts in hexagons: single marks would hide each other."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a sheet is drawn with: map, page, words beside it, labels so far, language, period."""

    axes: Axes
    page: Frame
    panel: Panel
    board: Board
    lang: Lang
    period: str

    @property
    def word(self) -> Mapping[str, str]:
        """The words in the sheet's language."""
        return words(self.lang)


def ground(desk: Desk, theme: Theme) -> list[Row]:
    """Draw the base layers and return their lines of the legend, top layer first."""
    rows = []
    filled = theme.subject is not None and surface(theme.subject)
    for layer in theme.layers:
        shapes = placed(layer).geometry.to_crs(desk.page.crs)
        if layer.role != "theme" and not shapes.empty:
            rows.append(_base(desk, layer, shapes, filled))
    return rows[::-1]


def surface(layer: ThemeLayer) -> bool:
    """Whether the features of a layer are all polygons."""
    return bool(placed(layer).geom_type.isin(("Polygon", "MultiPolygon")).all())


def _base(desk: Desk, layer: ThemeLayer, shapes: GeoSeries, filled: bool) -> Row:
    """Over a filled subject buildings and roads are but a veil: colours there carry meaning."""
    axes, page, unit = desk.axes, desk.page, desk.page.unit
    match layer.role:
        case "outline":
            town = GeoSeries([shapely.union_all(shapes.to_numpy())])
            paint.polygons(axes, town, face="#fdfcf9", order=1)
            halo = _pale(layer.color, 0.22)
            paint.polygons(axes, shapes, edge=halo, width=6.5 * unit, order=21)
            paint.polygons(axes, shapes, edge=layer.color, width=1.7 * unit, order=22)
            return Row("line", layer.color, layer.title, width=1.7 * unit)
        case "grid":
            color = _pale(layer.color, 0.7)
            paint.polygons(axes, shapes, edge=color, width=0.7 * unit, order=20)
            return Row("line", color, layer.title, width=0.7 * unit)
        case "building":
            color = "#1d25301a" if filled else _pale(layer.color, 0.5)
            paint.polygons(axes, shapes, face=color, order=2)
            return Row("area", color, layer.title)
        case _:
            metres = np.full(len(shapes), 8.0)
            if layer.by is not None:
                metres = placed(layer)[layer.by].fillna(8.0).to_numpy(float)
            points = np.maximum(metres * 1000 / page.scale / POINT, 0.7 * unit)
            if filled:
                paint.lines(axes, shapes, color="#ffffff8c", widths=points, order=4)
                return Row("line", "#d5d9dc", layer.title, width=2 * unit)
            paint.lines(axes, shapes, color=layer.color, widths=points + 0.9 * unit, order=3)
            paint.lines(axes, shapes, color="#ffffff", widths=points, order=4)
            return Row("line", layer.color, layer.title, width=3 * unit)


def subject(desk: Desk, layer: ThemeLayer) -> list[str]:
    """Draw the theme with its legend and return the sentences on what is not drawn."""
    axes, page, panel, word = desk.axes, desk.page, desk.panel, desk.word
    notes = []
    shapes = placed(layer).geometry.to_crs(page.crs)
    heading = layer.title
    if layer.by is not None and layer.fields.get(layer.by, layer.title) != layer.title:
        heading = f"{layer.title}{word['colon']}{layer.fields[layer.by]}"
    panel.sentence(heading, INK, 10)
    areas = surface(layer)
    if not areas:
        # The legend counts what the map shows.
        inside = shapes.centroid.intersects(shapely.box(*page.extent))
        if not inside.all():
            notes.append(word["outside"].format(f"{(~inside).sum():,}"))
        layer = replace(layer, frame=placed(layer)[inside])
        shapes = shapes[inside]
    if shapes.empty:
        panel.sentence(word["nothing"], layer.color, 10)
        middle = Label(word["nothing"], *page.centre, [22 * page.unit], layer.color, bold=True)
        desk.board.place([middle], 45)
        return notes
    found = entries(layer, desk.lang)
    if areas:
        for entry in found:
            part, width = shapes[entry.rows], 0.9 * page.unit
            paint.polygons(axes, part, face=entry.color, edge="white", width=width, order=1.5)
        _list(panel, "area", found, word)
    else:
        places = shapely.get_coordinates(shapes.centroid.to_numpy())
        if len(places) > MOST_POINTS:
            _counts(desk, layer, places)
            panel.y -= 3 * page.unit
            panel.sentence(word["split"], INK, 10)
            _list(panel, "", found, word)
        else:
            _points(desk, layer, found, places)
            _list(panel, "point", found, word)
    panel.total(word["total"], len(shapes))
    if not areas and layer.azimuth is not None and len(shapes) <= MOST_POINTS:
        panel.row(Row("wedge", layer.color, word["heading"]))
    return notes


def _list(panel: Panel, mark: str, found: Sequence[Entry], word: Mapping[str, str]) -> None:
    """Write the counts by class, as many as there is room for, and how many are left."""
    room = panel.room()
    shown = found if len(found) <= room else found[: max(room - 1, 1)]
    for entry in shown:
        panel.row(Row(mark, entry.color, entry.title, entry.count))
    if rest := len(found) - len(shown):
        panel.row(Row("", "", word["unlisted"].format(rest), sum(e.count for e in found[-rest:])))


def _points(
    desk: Desk, layer: ThemeLayer, found: tuple[Entry, ...], places: NDArray[np.float64]
) -> None:
    axes, page = desk.axes, desk.page
    # Rare classes lie on top, so that what there is little of is never hidden.
    size = page.unit * float(np.clip(150 / math.sqrt(len(places)), 4.2, 8.0))
    for order, entry in enumerate(sorted(found, key=lambda entry: -entry.count)):
        spots = places[entry.rows]
        if layer.azimuth is not None:
            turn = placed(layer)[layer.azimuth].to_numpy(float, na_value=np.nan)[entry.rows]
            aimed = np.isfinite(turn)
            radius = size * 1.7 * POINT * page.scale / 1000
            fans = paint.wedges(spots[aimed], turn[aimed], radius)
            paint.polygons(axes, fans, face=_clear(entry.color), order=29)
        axes.plot(
            *spots.T,
            "o",
            ms=size,
            mfc=entry.color,
            mec="white",
            mew=0.12 * size,
            zorder=30 + order / 100,
        )


def _counts(desk: Desk, layer: ThemeLayer, places: NDArray[np.float64]) -> None:
    page, panel, word = desk.page, desk.panel, desk.word
    width = round_up(page.scale / 1000 * 6 * page.unit, (1, 1.5, 2, 2.5, 3, 4, 5))
    cells, counts = hexagons(places, width)
    panel.sentence(word["many"].format(f"{len(places):,}", f"{MOST_POINTS:,}"))
    if desk.period:
        panel.sentence(desk.period)
    panel.sentence(word["hexagons"].format(f"{width:,.0f}"))
    for entry in ranges(counts.astype(float), layer.color, word["no_value"]):
        shapes = GeoSeries(cells[entry.rows])
        color, width = _clear(entry.color, 0.82), 0.5 * page.unit
        paint.polygons(desk.axes, shapes, face=color, edge="white", width=width, order=15)
        panel.row(Row("area", color, entry.title))


def names(desk: Desk, theme: Theme) -> list[str]:
    """Write the labels, theme and grids before roads; return sentences on those left out."""
    page, notes = desk.page, []
    order = {"theme": 0, "outline": 1, "grid": 2, "building": 3, "road": 4}
    for layer in sorted(theme.layers, key=lambda layer: order[layer.role]):
        if layer.label is not None:
            frame = _seen(placed(layer).to_crs(page.crs), layer.label, page)
            labels = (
                _road_names(layer, frame, page)
                if layer.role == "road"
                else _names(layer, frame, page)
            )
            # Names of the base lie below the points: a name must not hide an event.
            missing = desk.board.place(labels, 41 if layer.role == "theme" else 25)
            if missing:
                notes.append(desk.word["labels"].format(f"{missing:,}", layer.title))
    return notes


def _seen(frame: GeoDataFrame, label: str, page: Frame) -> GeoDataFrame:
    """Return the rows with a name, cut at the edge of the map."""
    frame = frame.set_geometry(frame.geometry.clip_by_rect(*page.extent))
    return frame[frame[label].notna() & ~frame.geometry.is_empty]


def _names(layer: ThemeLayer, frame: GeoDataFrame, page: Frame) -> list[Label]:
    strong = layer.role == "theme"
    color = INK if strong else GREY
    sizes = [size * page.unit for size in ((9.5, 8, 6.8, 5.8) if strong else (8, 6.8, 5.8))]
    largest = frame.iloc[np.argsort(-frame.area.to_numpy(), kind="stable")]
    return [
        _area_name(str(text), shape, sizes, color, strong)
        if shape.geom_type.endswith("Polygon")
        else Label(
            str(text), shape.centroid.x, shape.centroid.y + page.scale * 0.0035, sizes, color
        )
        for text, shape in zip(largest[layer.label], largest.geometry, strict=True)
    ]


def _area_name(
    text: str, shape: shapely.Geometry, sizes: Sequence[float], color: str, bold: bool
) -> Label:
    """Name an area within it: a name that reaches far beyond seems to be its neighbour's."""
    x, y = heart(shape)
    west, _, east, _ = shape.bounds
    across = shapely.intersection(shapely.LineString([(west, y), (east, y)]), shape)
    return Label(text, x, y, sizes, color, bold=bold, room=1.25 * across.length)


def _road_names(layer: ThemeLayer, frame: GeoDataFrame, page: Frame) -> list[Label]:
    """Name each road once, on its straightest piece within the map."""
    best: dict[str, tuple[float, float, float, float]] = {}
    for text, shape in zip(frame[layer.label].astype(str), frame.geometry, strict=True):
        for part in shapely.get_parts(shape):
            piece = stretch(part)
            if text not in best or piece[3] > best[text][3]:
                best[text] = piece
    # Long straight roads are named, lanes are not: a map full of lanes' names says nothing else.
    ranked = sorted(best.items(), key=lambda item: -item[1][3])
    sizes = [7.2 * page.unit, 6.2 * page.unit]
    return [
        Label(text, x, y, sizes, "#8a8177", angle, room=0.4 * length)
        for text, (x, y, angle, length) in ranked
    ]


def _pale(color: str, share: float) -> str:
    red, green, blue = (1 - (1 - part) * share for part in to_rgb(color))
    return to_hex((red, green, blue))


def _clear(color: str, alpha: float = 0.42) -> str:
    return to_hex((color, alpha), keep_alpha=True)


def placeless(theme: Theme, word: Mapping[str, str]) -> list[str]:
    """Return sentences on rows without a location."""
    lost = [(len(layer.frame) - len(placed(layer)), layer.title) for layer in theme.layers]
    return [word["placeless"].format(f"{count:,}", title) for count, title in lost if count]
