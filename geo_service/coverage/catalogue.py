"""The analyses of cover: what each is called, takes, gives, and what does it."""

from collections.abc import Mapping
from types import MappingProxyType

from geo_service.analyses.process import COMMON, LIST, WRITERS, Process
from geo_service.coverage import question
from layers.catalogue import Title

_COLLECTION = {
    "type": {"type": "string", "const": "FeatureCollection"},
    "features": {**LIST, "description": "GeoJSON in CRS84, each with a sentence"},
}
_FIGURES = {
    "type": "object",
    "description": "Area, road, households and past events of a unit, and what is seen of them",
}
_UNITS = {"type": "array", "items": _FIGURES}

_PROCESSES = (
    Process(
        "coverage",
        Title("摄像机覆盖", "Camera coverage"),
        Title(
            "按网格、社区或全镇统计摄像机真正看到的面积、道路、场所周边、住户与事件",
            "What cameras really see of the ground, roads, places' surroundings, households and"
            " past events, by grid, community or town",
        ),
        question.Coverage,
        "geo_service.coverage.answers",
        {
            "units": _UNITS,
            "town": _FIGURES,
            "places": LIST,
            "losses": LIST,
            "notes": LIST,
            **COMMON,
        },
    ),
    Process(
        "blind-spots",
        Title("监控盲区", "Blind spots"),
        Title(
            "没有任何摄像机看到的地面，最要紧的在前",
            "Ground that no camera sees, what matters most first",
        ),
        question.BlindSpots,
        "geo_service.coverage.blind_spots",
        {**_COLLECTION, "unseen_m2": {"type": "number"}, **COMMON},
    ),
    Process(
        "privacy-intrusions",
        Title("隐私侵入检查", "Privacy intrusions"),
        Title(
            "拍到隐私区域的摄像机，以及可纠正的俯角或遮挡",
            "Cameras that look into privacy zones, and the tilt or the mask that mends it",
        ),
        question.Intrusions,
        "geo_service.coverage.intrusions",
        {**_COLLECTION, "reason": {"type": "object"}, **COMMON},
    ),
    Process(
        "placement",
        Title("新增点位", "Placement"),
        Title(
            "在何处增设摄像机最有用，每处增加多少，与可证明上界的差距",
            "Where more cameras help most, what each adds, and the gap to the proven bound",
        ),
        question.Placing,
        "geo_service.coverage.placing",
        {
            **_COLLECTION,
            "bound": {"type": ["number", "null"]},
            "gap": {"type": ["number", "null"]},
            "optimal": {"type": "boolean"},
            **COMMON,
        },
    ),
    Process(
        "what-if",
        Title("假设方案", "What if"),
        Title(
            "增设、移动或拆除若干摄像机之后的覆盖，与现在相比",
            "Cover with cameras added, moved or removed, beside cover as it is",
        ),
        question.WhatIf,
        "geo_service.coverage.what_if",
        {"before": _UNITS, "after": _UNITS, "difference": _UNITS, "views": LIST, **COMMON},
        roles=WRITERS,
    ),
)

PROCESSES: Mapping[str, Process] = MappingProxyType({process.id: process for process in _PROCESSES})
