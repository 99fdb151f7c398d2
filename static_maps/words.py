"""The words printed around a map, in Chinese and English."""

from datetime import date, datetime
from typing import Literal, get_args

import pandas as pd

from static_maps.theme import Theme

Lang = Literal["zh", "en"]

_WORDS: dict[str, tuple[str, str]] = {
    "legend": ("图  例", "Legend"),
    "base": ("底  图", "Base map"),
    "colon": ("：", ": "),
    "total": ("合计", "Total"),
    "unstated": ("其他或未注明", "Other or not stated"),
    "no_value": ("无数据", "No data"),
    "period": ("时段：{0} 至 {1}", "Period: {0} to {1}"),
    "no_period": ("时段未注明", "Period not stated"),
    "nothing": ("本图所选范围内无数据", "No data for this selection"),
    "hexagons": (
        "每个六边形（对边距 {0} 米）内的数量，无色处为零",
        "Count in each hexagon ({0} m across), none where blank",
    ),
    "hexagons_zoom": (
        "点数超过 {0}，缩小时按六边形（对边距 {1} 米）计数，放大后显示各点",
        "More than {0} points: counted in hexagons ({1} m across) until you zoom in to the points",
    ),
    "many": (
        "共 {0} 个点，超过 {1}，改以六边形计数表示",
        "{0} points, more than {1}: shown as counts in hexagons",
    ),
    "split": ("各类数量", "Counts by class"),
    "hexagon_count": ("六边形内数量", "Count in hexagon"),
    "range": ("{0} – {1}", "{0} – {1}"),
    "unlisted": ("另有 {0} 类未列入图例", "{0} more classes are not listed"),
    "labels": (
        "因位置不足，有 {0} 个“{1}”名称未注记。",
        "Names of “{1}” left out for want of room: {0}.",
    ),
    "outside": (
        "有 {0} 个点落在图幅之外，未绘出，也未计入图例。",
        "Points off the map, neither drawn nor counted: {0}.",
    ),
    "placeless": (
        "图层“{1}”有 {0} 条记录没有位置，未绘出。",
        "Records of “{1}” without a location, not drawn: {0}.",
    ),
    "glyphs": ("字库缺字：{0}", "Characters missing from the font: {0}"),
    "date": ("制图日期", "Date"),
    "scale": ("比例尺", "Scale"),
    "crs": ("坐标系", "CRS"),
    "gk": (
        "CGCS2000 / 高斯-克吕格 3 度带，中央经线 {0}°E（EPSG:{1}）",
        "CGCS2000 / 3-degree Gauss-Krüger, CM {0}°E (EPSG:{1})",
    ),
    "utm": ("WGS 84 / UTM {0} 带（EPSG:{1}）", "WGS 84 / UTM zone {0} (EPSG:{1})"),
    "footer": (
        "图上界线仅供内部工作参考，不作为划界依据。",
        "Boundaries are for internal work only and carry no legal force.",
    ),
    "north": ("北", "N"),
    "metre": ("米", "m"),
    "heading": ("镜头朝向", "Camera heading"),
    "layers": ("图层", "Layers"),
    "list": ("列表", "List"),
}


def words(lang: Lang) -> dict[str, str]:
    """Return the words in ``lang``; raise ValueError where it is neither ``zh`` nor ``en``.

    >>> words("en")["total"]
    'Total'
    """
    if lang not in get_args(Lang):
        raise ValueError(f"There is no language {lang}: use zh or en.")
    return {key: pair[get_args(Lang).index(lang)] for key, pair in _WORDS.items()}


def period(theme: Theme, lang: Lang) -> str:
    """Return the sentence on the time window of the theme's events; empty where there is no time.

    Days are those of China Standard Time, whatever zone the column is in.
    """
    layer, word = theme.subject, words(lang)
    if theme.period is not None:
        return word["period"].format(*theme.period)
    if layer is None or layer.time is None:
        return ""
    days = [day(value) for value in layer.frame[layer.time].dropna()]
    return word["period"].format(min(days), max(days)) if days else word["no_period"]


def day(value: datetime | date) -> str:
    """Return a time as its day in China.

    >>> day(pd.Timestamp("2025-03-31T18:00Z"))
    '2025-04-01'
    """
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = pd.Timestamp(value).tz_convert("Asia/Shanghai")
    return f"{value:%Y-%m-%d}"
