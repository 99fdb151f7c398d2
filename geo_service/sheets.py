"""The themes of the printed maps: which layers of the town go on which sheet, and in what words."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import geopandas
import psycopg
from psycopg.rows import TupleRow

from geo_service.errors import ServiceError
from layers.catalogue import CATALOGUE, Layer, Title
from layers.codes import MADE_UP
from layers.frames import read
from static_maps.theme import LegendClass, Theme, ThemeLayer

Language = Literal["zh", "en"]
TOWN_TIME = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A kind of printed map: its subject's layer, its title, and the column that colours it."""

    layer: str
    title: Title
    by: str
    label: str | None = None
    azimuth: str | None = None


SHEETS = {
    "grids": Sheet("grids", Title("网格分布图", "Grids"), by="households", label="short"),
    "disputes": Sheet("disputes", Title("矛盾纠纷分布图", "Disputes"), by="status"),
    "hazards": Sheet("hazards", Title("隐患点分布图", "Hazards"), by="status"),
    "cameras": Sheet("cameras", Title("摄像机分布图", "Cameras"), by="status", azimuth="azimuth"),
}


class SheetError(ServiceError):
    """The map cannot be drawn; the message says why."""


def theme(
    connection: psycopg.Connection[TupleRow],
    kind: str,
    *,
    lang: Language = "zh",
    since: date | None = None,
    until: date | None = None,
) -> Theme:
    """Return the theme ``kind`` (a key of SHEETS) of the town in the database.

    ``since`` and ``until`` are days of the town, both included. Raises SheetError for an unknown
    kind, a window that ends before it starts, or a town without grids.
    """
    if kind not in SHEETS:
        raise SheetError(f"There is no theme {kind}. There are: {', '.join(SHEETS)}.")
    if since and until and until < since:
        raise SheetError("The time window ends before it starts.")
    sheet = SHEETS[kind]
    layer = CATALOGUE[sheet.layer]
    areas = read(connection, CATALOGUE["areas"])
    grids = read(connection, CATALOGUE["grids"])
    if grids.empty:
        raise SheetError("There are no grids yet. Load them first: geo-service import grids FILE")
    towns = areas[areas["level"] == "town"]
    name = " ".join(towns["name"]) or {"zh": "本辖区", "en": "This area"}[lang]
    subject = read(
        connection,
        layer,
        start=_midnight(since) if since else None,
        end=_midnight(until + timedelta(days=1)) if until else None,
    )
    outline = geopandas.GeoDataFrame(geometry=[grids.union_all()], crs=grids.crs)
    roads = read(connection, CATALOGUE["roads"])
    roads.loc[roads["road_class"] == "local", "name"] = None  # named on a page, too many for paper
    return Theme(
        id=kind,
        title=f"{name}{'' if lang == 'zh' else ' · '}{_in(sheet.title, lang)}",
        subtitle=_subtitle(grids, areas, lang),
        layers=(
            _base("buildings", read(connection, CATALOGUE["buildings"]), lang),
            _base("roads", roads[roads["road_class"] != "path"], lang),
            *([] if kind == "grids" else [_base("grids", grids, lang)]),
            _subject(sheet, layer, _with_short_names(subject, areas), lang),
            *([_communities(areas, lang)] if kind == "grids" else []),
            ThemeLayer("outline", name, outline, "#34495e", role="outline"),
        ),
        period=(since, until) if since and until else None,
    )


def footer(connection: psycopg.Connection[TupleRow], lang: Language) -> str | None:
    """Return the note that a made-up town carries on every map, or None for a real one."""
    row = connection.execute("SELECT min(code) FROM areas").fetchone()
    if row and row[0] and row[0].startswith(MADE_UP):
        return {"zh": "演示数据，纯属虚构", "en": "Demonstration data: all of it is made up"}[lang]
    return None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=TOWN_TIME)


def _in(title: Title, lang: Language) -> str:
    return title.zh if lang == "zh" else title.en


def _subtitle(grids: geopandas.GeoDataFrame, areas: geopandas.GeoDataFrame, lang: Language) -> str:
    communities = int((areas["level"] == "community").sum())
    households = int(grids["households"].fillna(0).sum())
    if lang == "zh":
        return f"{communities} 个社区 · {len(grids)} 个网格 · {households:,} 户"
    return f"{communities} communities · {len(grids)} grids · {households:,} households"


def _base(id_: str, frame: geopandas.GeoDataFrame, lang: Language) -> ThemeLayer:
    layer = CATALOGUE[id_]
    roads = id_ == "roads"
    return ThemeLayer(
        id_,
        _in(layer.title, lang),
        frame.astype({"width": float}) if roads else frame,
        layer.style.color,
        role="road" if roads else "grid" if id_ == "grids" else "building",
        by="width" if roads else None,
        label="name" if roads else None,
    )


def _communities(areas: geopandas.GeoDataFrame, lang: Language) -> ThemeLayer:
    drawn = areas[(areas["level"] == "community") & areas.geometry.notna()]
    title = {"zh": "社区", "en": "Communities"}[lang]
    return ThemeLayer("communities", title, drawn, "#22303c", role="grid", label="name")


def _with_short_names(
    frame: geopandas.GeoDataFrame, areas: geopandas.GeoDataFrame
) -> geopandas.GeoDataFrame:
    """Add ``short``: a grid's name without its community's, and of 第3网格 only the number."""
    if "parent" not in frame.columns:
        return frame
    names = dict(zip(areas["code"], areas["name"], strict=True))
    return frame.assign(
        short=[
            re.sub(r"^第?(\d+)网格$", r"\1", name.removeprefix(names.get(parent, "")) or name)
            for name, parent in zip(frame["name"], frame["parent"], strict=True)
        ]
    )


def _subject(
    sheet: Sheet, layer: Layer, frame: geopandas.GeoDataFrame, lang: Language
) -> ThemeLayer:
    """Return the theme layer, with codes put into words for the tooltips."""
    shown = {"code": _in(layer.field("code").title, lang)}
    words = frame.copy()
    for field in layer.fields:
        if field.name in {sheet.by, "category", "level", "name", layer.time}:
            shown[field.name] = _in(field.title, lang)
        if field.codes and field.name != sheet.by:
            titles = {code.code: code.zh if lang == "zh" else code.en for code in field.codes}
            words[field.name] = words[field.name].map(titles)
    by = layer.field(sheet.by)
    if layer.time:
        words[layer.time] = words[layer.time].dt.tz_convert(TOWN_TIME) if len(words) else None
    return ThemeLayer(
        layer.id,
        _in(layer.title, lang),
        words,
        layer.style.color,
        role="theme",
        by=sheet.by,
        classes=tuple(
            LegendClass(
                code.code, code.zh if lang == "zh" else code.en, code.color or layer.style.color
            )
            for code in by.codes or ()
        ),
        label=sheet.label,
        fields=shown,
        time=layer.time,
        azimuth=sheet.azimuth,
    )
