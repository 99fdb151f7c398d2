"""The printed notice of a draft: PDF or DOCX of its review, with neighbours and roads beneath."""

from collections.abc import Mapping
from datetime import date, datetime
from io import BytesIO
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import shapely

from geo_service.boundaries.answers import sees
from geo_service.boundaries.balance import Ground
from geo_service.boundaries.replay import Session
from geo_service.boundaries.review import review
from geo_service.boundaries.store import Draft
from geo_service.database import Principal
from geo_service.problems import Problem
from layers.codes import MADE_UP

Kind = Literal["pdf", "docx"]

TYPES: Mapping[Kind, str] = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}

_TOWN_TIME = ZoneInfo("Asia/Shanghai")
_MADE_UP = "演示数据，纯属虚构 · Demonstration data: all of it is made up"
_MARGIN = 0.003
"""Degrees around the changed grids that roads and buildings are drawn in."""


def notice(  # noqa: PLR0917 - what a notice is made of
    draft: Draft, session: Session, ground: Ground, asking: Principal, area: str, kind: Kind
) -> bytes:
    """Return the notice of a draft as a file. ``area`` is the name of the draft's area.

    Raises Problem 409 where the draft changes no grid, 503 where the fonts are not installed.
    """
    from static_maps.notice import of_review, write  # noqa: PLC0415 - Matplotlib takes a second

    found = review(session, ground, asking)
    if not found["before"]["features"] or not found["after"]["features"]:
        raise Problem(409, "草稿没有改动任何网格，没有可打印的通知。", "The draft changes no grid.")
    west, south, east, north = shapely.total_bounds(
        [session.coverage[code] for code in session.touched if code in session.coverage]
    )
    box = shapely.box(west - _MARGIN, south - _MARGIN, east + _MARGIN, north + _MARGIN)
    words: dict[str, Any] = {
        "title": draft.name,
        "reason": draft.reason,
        "area": area,
        "made": datetime.now(_TOWN_TIME).date(),
        "valid_from": draft.valid_from,
        "approved": draft.state in {"approved", "published", "rolled-back"},
        "around": _around(session, asking, box),
        "roads": _frame(_within(ground.roads, box)),
        "buildings": _frame(_within(ground.buildings, box)),
        "footer": _MADE_UP if draft.area.startswith(MADE_UP) else "",
    }
    target = BytesIO()
    try:
        write(of_review(found, **words), target, kind)
    except FileNotFoundError as error:
        raise Problem(
            503, "服务器缺少中文字体，无法生成文件。", "The server lacks the Chinese fonts."
        ) from error
    return target.getvalue()


def filename(draft: Draft, day: date, kind: Kind) -> str:
    """Return the name that the file is saved under."""
    return f"网格边界调整通知书-{draft.area}-{day:%Y%m%d}.{kind}"


def _around(session: Session, asking: Principal, box: Any) -> Any:
    shapes = session.coverage.polygons
    codes = [c for c in shapes if c not in session.touched and sees(asking, session.rows.get(c))]
    near = shapely.intersects(np.array([shapes[code] for code in codes], dtype=object), box)
    shown = [code for code, there in zip(codes, near, strict=True) if there]
    frame = _frame(np.array([shapes[code] for code in shown], dtype=object))
    return frame if frame is None else frame.assign(name=[session.rows[c].name for c in shown])


def _within(shapes: Any, box: Any) -> Any:
    return shapes[shapely.intersects(shapes, box)] if len(shapes) else shapes


def _frame(shapes: Any) -> Any:
    import geopandas  # noqa: PLC0415 - half a second that the first page can spare

    return geopandas.GeoDataFrame(geometry=list(shapes), crs=4326) if len(shapes) else None
