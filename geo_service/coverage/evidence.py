"""What stands behind an answer about cover, so that it can be defended and repeated."""

from typing import Any

import numpy as np

from geo_service.analysis.cover import Cover
from geo_service.analysis.density_levels import LADDERS, Level
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.sight import Sight
from geo_service.coverage.covers import Look
from geo_service.coverage.drawing import both
from geo_service.coverage.rows import DAYS
from geo_service.coverage.town import Town

METHOD = Sentence(
    "按针孔相机模型计算每台摄像机在平地上达到该像素密度的区域，"
    "减去建筑遮挡（按建筑高度，2.5 维）和隐私区域；面积为多边形精确叠加，不用栅格",
    "Pinhole model: ground seen at the level's pixels a metre, behind buildings by their heights"
    " (2.5-D), without privacy zones; areas by exact overlay of polygons, no raster",
)
POINTS = Sentence(
    "建筑内的住户和事件按该建筑外轮廓被看到的比例计入；最近一年的事件",
    "Households and events in a building count by the share of its outline that is seen; events"
    " of the last year",
)
EDGE = Sentence(
    "只计算您范围内的摄像机和建筑；相邻区域的摄像机看进来的部分未计入",
    "Only cameras and buildings that you may see; what neighbouring areas' cameras see of yours is"
    " not counted",
)


def evidence(town: Town, scope: str, look: Look, level: Level) -> dict[str, Any]:
    """Return what any answer says of itself: levels, cameras, what is assumed, data time."""
    ladder = LADDERS[look.edition]
    standing = town.standing
    online = sum(camera.online for camera in town.fitted.values())
    return {
        "edition": ladder.edition,
        "source": ladder.source,
        "level": {
            "id": level.name, "zh": level.zh, "en": level.name,
            "pixels_per_metre": level.pixels_per_metre,
        },
        "when": "night" if look.night else "day",
        "state": "online" if look.online else "designed",
        "turning": "now" if look.moment else "reach",
        "method": both(METHOD),
        "points": both(POINTS),
        "scope": scope,
        "edge": None if scope == "*" else both(EDGE),
        "n": online if look.online else len(town.fitted),
        "cameras": {
            "all": len(town.cameras), "online": online, "counted": len(town.fitted),
            "refused": len(town.refused),
        },
        "assumed": assumed(town),
        "refused": [{"code": code, **both(why)} for code, why in sorted(town.refused.items())],
        "buildings": len(standing.codes),
        "heights_by_floors": standing.heights_by_floors,
        "heights_unknown": standing.heights_unknown,
        "terrain": terrain(town),
        "mended": [both(note) for note in standing.buildings.notes],
        "privacy_zones": len(standing.zones),
        "events_days": DAYS,
        "events_in_buildings": town.indoors,
        "crs": f"EPSG:{standing.crs.to_epsg()}",
        "data_at": town.at.isoformat(),
        "enough": bool(town.fitted),
    }  # fmt: skip


def terrain(town: Town) -> dict[str, Any]:
    """Return whether hills were taken into account, and for how many cameras they were not."""
    relief = town.standing.relief
    ground, flat = relief.terrain, 0
    if ground is not None:
        heights = [ground.height_at(one.x, one.y) for one in town.fitted.values()]
        flat = int(np.isnan(heights).sum())
    return {
        **both(relief.said),
        "used": ground is not None,
        "file": relief.file,
        "step_m": None if ground is None else ground.cell,
        "share": round(relief.share, 4),
        "cameras_on_unknown_ground": flat,
    }


def assumed(town: Town) -> dict[str, Any] | None:
    """Return which optics are defaults of the form, of which cameras; None where none are."""
    codes: dict[str, list[str]] = {}
    for code in sorted(town.fitted):
        for name in town.fitted[code].sight.assumed:
            codes.setdefault(name, []).append(code)
    note = Sight((), (), 0.0, tuple(sorted(codes))).note()
    if note is None:
        return None
    return {
        **both(note),
        "cameras": len({code for held in codes.values() for code in held}),
        "fields": {name: {"n": len(held), "codes": held} for name, held in sorted(codes.items())},
    }


def notes(town: Town, made: Cover) -> list[dict[str, Any]]:
    """Return what is to be told about single cameras, by code."""
    told = {code: list(said) for code, said in made.notes().items()}
    for code, said in town.said.items():
        told.setdefault(code, []).extend(said)
    return [{"code": code, "notes": [both(one) for one in told[code]]} for code in sorted(told)]


def percent(share: float | None) -> str:
    """Return a share as people write it.

    >>> percent(0.1234), percent(None), percent(0.0004)
    ('12.3 %', '—', '0.04 %')
    """
    if share is None:
        return "—"
    return (
        f"{share:.2%}".replace("%", " %") if 0 < share < 0.01 else f"{share:.1%}".replace("%", " %")
    )
