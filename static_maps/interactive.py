"""A map as one HTML file that opens with no network: folium's page, every asset inside it."""

import json
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import folium
import numpy as np
import pandas as pd
import shapely
from branca.element import MacroElement
from folium.template import Template
from geopandas import GeoSeries

from static_maps import assets
from static_maps.labels import heart
from static_maps.legend import entries, ranges
from static_maps.marks import surface
from static_maps.metric import hexagons, local_crs, round_up
from static_maps.theme import Theme, ThemeLayer, placed
from static_maps.words import Lang, day, period, words

MOST_POINTS = 5000
"""With more points than this a page counts them in hexagons until the reader zooms in."""
POINT_ZOOM = 16

# A reference that a browser would follow. Text and the names of XML languages are not references.
_OUTSIDE = re.compile(
    r"""(?:\b(?:src|href|action|poster|srcset)\s*=\s*["']?|url\(\s*["']?|@import\s+["']?"""
    r"""|\b(?:fetch|import|open|Worker|EventSource|WebSocket)\(\s*["'`])\s*(?:(?:https?|wss?):)?//""",
    re.IGNORECASE,
)


class _Page(folium.Map):
    """folium's page without its 12 addresses on content networks."""

    default_js: list[tuple[str, str]] = []  # noqa: RUF012 - folium's own form
    default_css: list[tuple[str, str]] = []  # noqa: RUF012


class _Drawing(MacroElement):
    _template = Template((files("static_maps") / "interactive.html").read_text("utf-8"))

    def __init__(self, data: dict[str, Any], color: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Drawing"
        self.color = color
        self.leaflet_script, self.leaflet_style = assets.script(), assets.style()
        # Escaped so that no value can end the script or look like an address to a reader of source.
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        self.data = re.sub("[<>&/\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04x}", text)


def write(
    theme: Theme,
    path: Path | str,
    *,
    lang: Lang = "zh",
    notes: Sequence[str] = (),
    listed: Sequence[int] = (),
) -> tuple[str, ...]:
    """Write a map as one self-contained page and return the sentences that its legend adds.

    ``notes`` are sentences of the caller that the legend ends with. ``listed`` are rows of a theme
    of areas, by their label in its frame: a table beside the map gives their ``fields`` in this
    order, and shows each on the map when it is chosen.

    Base layers, theme and names can be switched on and off; tooltips show the ``fields`` of the
    theme layer, never more. Coordinates are kept to 1e-6 degrees, about 0.1 m. More than
    ``MOST_POINTS`` points are counted in hexagons, and drawn one by one from zoom 16 or, in a small
    town, two steps below the first view.

    Raises ValueError for another language or a suffix other than .html, FileNotFoundError where
    Leaflet is not in place (``make setup``), and RuntimeError should the page refer to anything
    outside itself.
    """
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"A page is written as .html, not as {path.suffix or path}.")
    data = _data(theme, lang)
    data["notes"].extend(notes)
    subject = theme.subject
    if listed and subject is not None:
        found = placed(subject).index.get_indexer(list(listed))
        data["listed"] = found[found >= 0].tolist()  # what has no place is told of in a note
    page = _Page(
        location=np.mean(data["bounds"], axis=0).tolist(),
        zoom_start=14,
        tiles=None,
        prefer_canvas=True,
        zoom_control=False,
        attribution_control=False,
        max_zoom=20,
    )
    page.add_child(_Drawing(data, subject.color if subject else "#34495e"))
    figure = page.get_root()
    figure.title = escape(theme.title)  # type: ignore[attr-defined]
    text = figure.render()
    if found := _OUTSIDE.search(text):
        raise RuntimeError(
            f"The page refers outside itself: {text[found.start() : found.end() + 60]}"
        )
    path.write_text(text, "utf-8")
    return tuple(data["notes"])


def _data(theme: Theme, lang: Lang) -> dict[str, Any]:
    word, layer = words(lang), theme.subject
    outlines = [item for item in theme.layers if item.role == "outline"] or theme.layers
    every = pd.concat([placed(item).geometry for item in outlines])
    west, south, east, north = every.total_bounds.tolist()
    # The outline is filled here, as the paper of the town, and so comes first.
    base = [item for item in theme.layers if item.role != "theme"]
    base.sort(key=lambda item: item.role != "outline")
    data: dict[str, Any] = {
        "words": {key: word[key] for key in ("legend", "total", "hexagon_count", "list")},
        "heading": [theme.title, theme.subtitle, period(theme, lang)],
        "bounds": [[south, west], [north, east]],
        "base": [_base(item) for item in base],
        "title": layer.title if layer else "",
        "zoom": POINT_ZOOM,
        "total": 0,
    }
    for key in (
        "fields",
        "values",
        "classes",
        "areas",
        "points",
        "cells",
        "ranges",
        "labels",
        "listed",
        "notes",
    ):
        data[key] = []
    for item in theme.layers:
        if lost := len(item.frame) - len(placed(item)):
            data["notes"].append(word["placeless"].format(f"{lost:,}", item.title))
    if layer is not None:
        _subject(data, layer, lang)
    return data


def _subject(data: dict[str, Any], layer: ThemeLayer, lang: Lang) -> None:
    word, frame = words(lang), placed(layer)
    if frame.empty:
        data["notes"].append(word["nothing"])
        return
    found = entries(layer, lang)
    which = np.zeros(len(frame), int)
    for at, entry in enumerate(found):
        which[entry.rows] = at
    data["classes"] = [{"title": e.title, "color": e.color, "count": e.count} for e in found]
    data["total"] = len(frame)
    columns = []
    for name, title in layer.fields.items():
        # A coded column is said in the words of the legend; each value is kept once.
        shown = (
            [found[at].title for at in which]
            if name == layer.by and layer.classes
            else [_said(value) for value in frame[name]]
        )
        codes, values = pd.factorize(np.array(shown, object))
        columns.append(codes.tolist())
        data["fields"].append(title)
        data["values"].append(values.tolist())
    rows = [list(row) for row in zip(which.tolist(), *columns, strict=True)]
    if surface(layer):
        data["areas"] = [[_rings(s), *row] for s, row in zip(frame.geometry, rows, strict=True)]
        data["labels"] = _labels(layer)
        return
    places = shapely.get_coordinates(shapely.centroid(frame.geometry.to_numpy()))
    micro = np.round(places * 1e6).astype(int).tolist()
    # Rare classes lie on top, so that what there is little of is never hidden.
    points = [[*place, *row] for place, row in zip(micro, rows, strict=True)]
    data["points"] = sorted(points, key=lambda point: -found[point[2]].count)
    if len(frame) > MOST_POINTS:
        _counts(data, layer, places, word)


def _counts(data: dict[str, Any], layer: ThemeLayer, places: Any, word: dict[str, str]) -> None:
    crs = local_crs(*places.mean(axis=0))
    metres = GeoSeries.from_xy(*places.T, crs=4326).to_crs(crs)
    west, south, east, north = metres.total_bounds
    width = round_up(max(east - west, north - south, 400) / 40)
    cells, counts = hexagons(shapely.get_coordinates(metres.to_numpy()), width)
    shapes = GeoSeries(cells, crs=crs).to_crs(4326).to_numpy()
    for entry in ranges(counts.astype(float), layer.color, ""):
        data["ranges"].append([entry.title, entry.color])
        data["cells"] += [
            [_rings(shape), entry.color, count]
            for shape, count in zip(shapes[entry.rows], counts[entry.rows].tolist(), strict=True)
        ]
    data["notes"].append(word["hexagons_zoom"].format(f"{MOST_POINTS:,}", f"{width:,.0f}"))


def _base(layer: ThemeLayer) -> dict[str, Any]:
    looks: dict[str, dict[str, Any]] = {
        "outline": {"color": layer.color, "weight": 3, "fillColor": "#fdfcf9", "fillOpacity": 1},
        "grid": {"color": layer.color, "weight": 1, "opacity": 0.75, "fill": False},
        "building": {"stroke": False, "fillColor": layer.color, "fillOpacity": 0.35},
        "road": {"color": layer.color, "weight": 2.2, "line": True, "fill": False},
    }
    shapes = placed(layer).geometry
    draw = _parts if layer.role == "road" else _rings
    return {
        "title": layer.title,
        "style": looks[layer.role],
        "shapes": [draw(shape) for shape in shapes],
        "labels": [] if layer.role == "road" else _labels(layer),
    }


def _labels(layer: ThemeLayer) -> list[list[Any]]:
    if layer.label is None:
        return []
    frame = placed(layer)
    named = zip(frame[layer.label], frame.geometry, strict=True)
    spots = [(text, heart(s) if s.area else (s.centroid.x, s.centroid.y)) for text, s in named]
    return [[str(t), round(x * 1e6), round(y * 1e6)] for t, (x, y) in spots if not pd.isna(t)]


def _said(value: Any) -> str:
    if value is None or value is pd.NA or value != value:  # noqa: PLR0124 - NaN and NaT
        return ""
    if hasattr(value, "strftime"):
        return day(value)
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _rings(shape: shapely.Geometry) -> list[list[list[int]]]:
    return [[_steps(ring) for ring in shapely.get_rings(part)] for part in shapely.get_parts(shape)]


def _parts(shape: shapely.Geometry) -> list[list[int]]:
    return [_steps(part) for part in shapely.get_parts(shape)]


def _steps(line: shapely.Geometry) -> list[int]:
    """Coordinates in millionths of a degree, each as its step from the one before."""
    whole = np.round(shapely.get_coordinates(line) * 1e6).astype(int)
    steps: list[int] = np.diff(whole, axis=0, prepend=[[0, 0]]).ravel().tolist()
    return steps
