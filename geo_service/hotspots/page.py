"""An answer with cells as one HTML page: a map to move in, the words and the evidence inside it."""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import geopandas
import shapely

from geo_service.hotspots.evidence import counted
from layers.catalogue import Title
from static_maps import interactive
from static_maps.theme import LegendClass, Theme, ThemeLayer

Language = Literal["zh", "en"]

PAGES = ("hot-spots", "emerging", "compare")
"""Analyses that have such a page."""

_KINDS = {
    "hot": ("热点", "hot spot", "#b2182b"),
    "cold": ("冷点", "cold spot", "#2166ac"),
    "more": ("显著增多", "significantly more", "#b2182b"),
    "less": ("显著减少", "significantly fewer", "#2166ac"),
    "none": ("不显著", "may be chance", "#eceff1"),
}
_WARM = ("#67001f", "#b2182b", "#d6604d", "#f4a582", "#fddbc7", "#c98a5a", "#e0b48c", "#8c5a3c")
_COOL = ("#053061", "#2166ac", "#4393c3", "#92c5de", "#d1e5f0", "#5a7fa8", "#8cb0d0", "#3c5a7a")
_QUIET = "#eceff1"
_NAMED = 30
"""So many of the ranked cells have their names on the map."""
_ROWS = 200
"""The table goes on to so many cells after those that stand out."""
_LISTING = {
    "zh": f"列表先列显著的格子，再按事件数列其余各格，至多 {_ROWS} 行。",
    "en": f"The list has the cells that stand out, then the busiest others, up to {_ROWS} rows.",
}


def page(found: Mapping[str, Any], title: Title, lang: Language) -> bytes:
    """Return the page of an answer of one of ``PAGES``; it loads nothing from anywhere.

    Raises ValueError for an answer without cells: there was too little data for a map.
    """
    features = found["cells"]["features"]
    if not features:
        raise ValueError(found["summary"][lang])
    said = {line["cell"]: _rest(line, lang) for line in found["ranked"]}
    named = {line["cell"] for line in found["ranked"][:_NAMED]}
    rows = []
    for feature in features:
        told = feature["properties"]
        events = told.get("count", told.get("after"))
        place = told["name" if lang == "zh" else "name_en"]
        rows.append({
            "place": place,
            "label": place if feature["id"] in named else None,
            "events": events,
            "kind": told.get("kind") or told.get("change") or told["category"],
            "told": said.get(feature["id"])
            or (f"{events} 起" if lang == "zh" else counted(events, "event")),
        })  # fmt: skip
    shapes = [shapely.geometry.shape(feature["geometry"]) for feature in features]
    cells = geopandas.GeoDataFrame(rows, geometry=shapes, crs=4326)
    heading = title.zh if lang == "zh" else title.en
    layer = found["evidence"]["layer"][lang]
    extent = "范围" if lang == "zh" else "Area"
    theme = Theme(
        id="hotspots",
        title=f"{layer} · {heading}",
        subtitle=found["summary"][lang],  # which begins with the days
        layers=(
            ThemeLayer("town", extent, _outline(shapes), "#34495e", role="outline"),
            ThemeLayer(
                "cells", heading, cells, "#b2182b", role="theme", by="kind",
                label="label", classes=_classes(found, lang),
                fields={"place": "地点", "told": "说明"} if lang == "zh" else
                       {"place": "Place", "told": "In words"},
            ),
        ),
    )  # fmt: skip
    with TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        interactive.write(
            theme,
            path,
            lang=lang,
            notes=(*_notes(found["evidence"], lang), _LISTING[lang]),
            listed=_listed(found, rows),
        )
        return path.read_bytes()


def _rest(line: Mapping[str, Any], lang: Language) -> str:
    """Return the sentence of a ranked cell without its place, which has a column of its own."""
    sentence: str = line["sentence"][lang]
    return sentence.removeprefix(line["place"][lang]).lstrip("：: ")


def _listed(found: Mapping[str, Any], rows: list[dict[str, Any]]) -> list[int]:
    """Return the rows of the page's table: what was found in its order, then the busiest others."""
    at = {feature["id"]: row for row, feature in enumerate(found["cells"]["features"])}
    first = [at[line["cell"]] for line in found["ranked"]]
    others = set(range(len(rows))).difference(first)
    busiest = sorted(others, key=lambda row: (-rows[row]["events"], row))
    return first + busiest[: max(0, _ROWS - len(first))]


def _outline(shapes: list[Any]) -> geopandas.GeoDataFrame:
    return geopandas.GeoDataFrame(geometry=[shapely.union_all(shapes)], crs=4326)


def _classes(found: Mapping[str, Any], lang: Language) -> tuple[LegendClass, ...]:
    if "categories" not in found:
        there = {"more", "less"} if "change" in found["cells"]["features"][0]["properties"] else {
            "hot", "cold"}  # fmt: skip
        return tuple(
            LegendClass(code, zh if lang == "zh" else en, color)
            for code, (zh, en, color) in _KINDS.items()
            if code in there | {"none"}
        )
    warm, cool = iter(_WARM), iter(_COOL)
    return tuple(
        LegendClass(
            one["id"],
            one[lang],
            next(warm)
            if one["id"].endswith("-hot")
            else next(cool)
            if one["id"].endswith("-cold")
            else _QUIET,
        )
        for one in found["categories"]
        if one["count"]
    )


def _notes(evidence: Mapping[str, Any], lang: Language) -> tuple[str, ...]:
    """Return what stands behind the figures, a sentence each."""
    method, cells, source = evidence["method"][lang], evidence["cells"][lang], evidence["source"]
    n, of, tests = evidence["n"], evidence["cell_count"], evidence["tests"]
    alpha, at, condition = evidence["alpha"], evidence["data_at"][:16], evidence["filter"]
    if lang == "zh":
        notes = [
            f"方法：{method}。",
            f"出处：{source}",
            f"{n} 起事件，{of} 个格子：{cells}。",
            f"{tests} 次检验一并控制错误发现率不超过 {alpha:g}。",
            f"数据截至 {at} UTC。",
        ]
    else:
        notes = [
            f"Method: {method}.",
            f"Source: {source}",
            f"{counted(n, 'event')}, {of} cells: {cells}.",
            f"{tests} tests together, false discovery rate at most {alpha:g}.",
            f"Data as of {at} UTC.",
        ]
    if condition:
        told = condition if isinstance(condition, str) else json.dumps(condition)
        notes.append(f"条件：{told}" if lang == "zh" else f"Condition: {told}")
    return tuple(notes)
