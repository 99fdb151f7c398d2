"""An answer as a file: GeoJSON, JSON, a table, or a page that opens with no network."""

import csv
import html
import json
from math import cos, radians
from pathlib import Path
from typing import Any

from geo_service.problems import Problem
from layers.catalogue import Title

SUFFIXES = (".geojson", ".json", ".csv", ".html")


def write(found: dict[str, Any], path: Path, lang: str, title: Title) -> None:
    """Write an answer to ``path``. Raises Problem 400 for a suffix that is none of these."""
    suffix = path.suffix.lower()
    shapes = found.get("cells") or found.get("features")
    if suffix not in SUFFIXES:
        raise Problem(
            400,
            f"文件后缀应为 {' '.join(SUFFIXES)}。",
            f"The file must end in {' '.join(SUFFIXES)}.",
        )
    if suffix == ".geojson" and shapes is None:
        raise Problem(
            400, "此分析没有几何，请写入 .json、.csv 或 .html。",
            "This analysis has no shapes: write .json, .csv or .html.",
        )  # fmt: skip
    try:
        if suffix == ".json":
            path.write_text(json.dumps(found, ensure_ascii=False, indent=1), "utf-8")
        elif suffix == ".geojson":
            # RFC 7946 allows further members: the evidence travels with the shapes.
            document = {
                **(shapes or {}),
                "summary": found["summary"],
                "evidence": found["evidence"],
            }
            path.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
        elif suffix == ".csv":
            _table(found, shapes, path)
        else:
            path.write_text(_page(found, shapes, lang, title), "utf-8")
    except OSError as error:
        raise Problem(
            400, f"无法写入 {path}：{error.strerror}。", f"{path}: {error.strerror}."
        ) from None


def _table(found: dict[str, Any], shapes: dict[str, Any] | None, path: Path) -> None:
    if shapes is not None:
        rows = [{"id": f["id"], **f["properties"]} for f in shapes["features"]]
    else:
        rows = found["table"]
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8-sig", newline="") as stream:  # Excel takes it for GBK else
        table = csv.writer(stream)
        table.writerow(names)
        for row in rows:
            table.writerow([_plain(row.get(name)) for name in names])


def _plain(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    # A spreadsheet would take such a text for a formula.
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@" else value


_COLORS = {
    "hot": "#c0362c", "cold": "#2f6fb0", "more": "#c0362c", "less": "#2f6fb0", "none": "#e4e7ea",
}  # fmt: skip


def _page(found: dict[str, Any], shapes: dict[str, Any] | None, lang: str, title: Title) -> str:
    """Return a page with the map as SVG, the list and the evidence; it loads nothing."""
    name = title.zh if lang == "zh" else title.en
    listed = "".join(
        f"<li>{html.escape(line['sentence'][lang])}</li>"
        for line in found.get("ranked") or found.get("table") or ()
        if "sentence" in line
    )
    told = "".join(
        f"<tr><th>{html.escape(key)}</th><td>{html.escape(_said(value, lang))}</td></tr>"
        for key, value in found["evidence"].items()
    )
    return (
        f'<!doctype html><html lang="{"zh-CN" if lang == "zh" else "en"}"><meta charset="utf-8">'
        f"<title>{html.escape(name)}</title><style>body{{font:16px/1.5 sans-serif;margin:2rem auto;"
        "max-width:60rem;padding:0 1rem}svg{width:100%;height:auto;background:#f7f8f9}"
        "th{text-align:left;padding-right:1rem;vertical-align:top;white-space:nowrap}table{font-size:.85rem}"
        f"</style><h1>{html.escape(name)}</h1><p>{html.escape(found['summary'][lang])}</p>"
        f"{_drawing(shapes)}<ol>{listed}</ol><table>{told}</table></html>"
    )


def _said(value: Any, lang: str) -> str:
    if isinstance(value, dict) and lang in value:
        return str(value[lang])
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _drawing(shapes: dict[str, Any] | None) -> str:
    if not shapes or not shapes["features"]:
        return ""
    drawn = []
    for feature in shapes["features"]:
        shape = feature["geometry"]
        parts = [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]
        drawn.append((feature["properties"], [ring for part in parts for ring in part]))
    every = [point for _, rings in drawn for ring in rings for point in ring]
    west, east = min(p[0] for p in every), max(p[0] for p in every)
    south, north = min(p[1] for p in every), max(p[1] for p in every)
    narrow = cos(radians((south + north) / 2))
    scale = 1000 / max((east - west) * narrow, north - south, 1e-9)
    paths = []
    for properties, rings in drawn:
        kind = properties.get("kind") or properties.get("change") or properties.get("category")
        color = _COLORS.get(str(kind), "#c0362c" if "hot" in str(kind) else "#2f6fb0")
        if kind is None:
            color = "#c0362c"
        line = "".join(
            "M" + "L".join(
                f"{(x - west) * narrow * scale:.1f} {(north - y) * scale:.1f}" for x, y in ring
            ) + "Z"
            for ring in rings
        )  # fmt: skip
        label = html.escape(str(properties.get("name", "")))
        paths.append(
            f'<path d="{line}" fill="{color}" fill-opacity=".75" fill-rule="evenodd" '
            f'stroke="#68727d" stroke-width=".7"><title>{label}</title></path>'
        )
    width, height = (east - west) * narrow * scale, (north - south) * scale
    return f'<svg viewBox="-5 -5 {width + 10:.0f} {height + 10:.0f}">{"".join(paths)}</svg>'
