"""The processes there are: what each is called, takes, gives, and what does it.

The analyses bring large libraries, so each is imported when it is first run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from geo_service.hotspots import question
from geo_service.hotspots.work import Work
from layers.catalogue import Title

WRITERS = frozenset({"officer", "editor", "admin"})


@dataclass(frozen=True)
class Process:
    """An analysis. ``module`` holds a function ``answer(work, inputs)`` that returns its document.

    ``members`` describes the document, a JSON Schema a member. ``roles`` are those that may run it,
    None for all who may read. ``writes`` says that it changes the database, so it is always a job.
    """

    id: str
    title: Title
    description: Title
    inputs: type[BaseModel]
    module: str
    members: Mapping[str, Any]
    roles: frozenset[str] | None = None
    writes: bool = False

    @property
    def modes(self) -> tuple[str, ...]:
        """How it may be executed, in the standard's words."""
        return ("async-execute",) if self.writes else ("sync-execute", "async-execute")

    @property
    def answer(self) -> Callable[[Work, Any], dict[str, Any]]:
        """The function that does it."""
        found: Callable[[Work, Any], dict[str, Any]] = import_module(self.module).answer
        return found


_SENTENCE: Mapping[str, Any] = {
    "type": "object",
    "properties": {"zh": {"type": "string"}, "en": {"type": "string"}},
}
_FEATURES = {
    "type": "object",
    "format": "geojson-feature-collection",
    "description": "GeoJSON in CRS84; the id of a feature is its cell",
}
_LIST = {"type": "array", "items": {"type": "object"}}
_COMMON = {
    "summary": {**_SENTENCE, "description": "The answer in a sentence"},
    "evidence": {
        "type": "object",
        "description": "Definition and source, n, window, cells, test, correction, seed, data time;"
        " enough is false where there is too little data",
    },
}
_RANKED = {**_LIST, "description": "What was found, the most certain first, each with a sentence"}
_CELLED = {"cells": _FEATURES, "ranked": _RANKED, **_COMMON}
_SHAPED = {"features": _FEATURES, "ranked": _RANKED, **_COMMON}


_PROCESSES = (
    Process(
        "hot-spots",
        Title("热点分析", "Hot spots"),
        Title(
            "哪些格子的事件显著多于或少于随机（Gi*，精确检验，控制错误发现率）",
            "Cells with more or fewer events than chance puts there: Gi*, exact, with false"
            " discovery rate",
        ),
        question.HotSpots,
        "geo_service.hotspots.hot_spots",
        _CELLED | {"steps": _LIST},
    ),
    Process(
        "emerging",
        Title("热点演变", "Emerging hot spots"),
        Title(
            "热点、冷点如何出现、持续和消失，17 类",
            "How hot and cold spots come and go: 17 categories",
        ),
        question.Emerging,
        "geo_service.hotspots.emerging",
        _CELLED | {"steps": _LIST, "categories": _LIST},
    ),
    Process(
        "compare",
        Title("时段对比", "Two periods compared"),
        Title(
            "本期与上期发生率之比，精确区间",
            "This period against an earlier one: exact rate ratios",
        ),
        question.Compare,
        "geo_service.hotspots.compare",
        _CELLED,
    ),
    Process(
        "density",
        Title("核密度", "Kernel density"),
        Title(
            "事件密度的等值区，各含多少事件",
            "Contours of the density of events, and what each holds",
        ),
        question.Density,
        "geo_service.hotspots.density",
        _SHAPED,
    ),
    Process(
        "clusters",
        Title("密集点群", "Clusters"),
        Title("事件密集之处（DBSCAN、ST-DBSCAN）", "Where events lie close: DBSCAN and ST-DBSCAN"),
        question.Clusters,
        "geo_service.hotspots.clusters",
        _SHAPED,
    ),
    Process(
        "near-repeat",
        Title("近重复", "Near repeats"),
        Title(
            "一起事件之后，附近短期内是否更易再发生（Knox 检验）",
            "Whether events come again near and soon after another: Knox's test",
        ),
        question.NearRepeat,
        "geo_service.hotspots.near_repeat",
        {"table": _LIST, **_COMMON},
    ),
    Process(
        "scan",
        Title("时空扫描", "Space-time scan"),
        Title(
            "何时何地的事件超出记录其余部分所能解释的范围（时空排列扫描统计量）",
            "Where and when more happened than the rest of the record explains: space-time"
            " permutation scan statistic",
        ),
        question.Scan,
        "geo_service.hotspots.scan",
        _SHAPED,
    ),
    Process(
        "forecast",
        Title("预测评估", "Forecast evaluation"),
        Title(
            "各种方法能否预测事件将在何处发生，与“上期最多的格子”比较",
            "Which method forecasts where events come, beside the cells that were busiest last"
            " period",
        ),
        question.Forecast,
        "geo_service.hotspots.forecast",
        {"table": _LIST, "ranked": _RANKED, **_COMMON},
    ),
    Process(
        "alerts",
        Title("预警扫描", "Look for alerts"),
        Title(
            "立即按类别扫描全镇，新增、更新和关闭预警（每夜自动进行）",
            "Scan the whole town by category now: raise, follow and close alerts, as every night",
        ),
        question.Alerts,
        "geo_service.hotspots.alerts",
        {"opened": _LIST, "continued": _LIST, "closed": _LIST, **_COMMON},
        roles=WRITERS,
        writes=True,
    ),
)

PROCESSES: Mapping[str, Process] = MappingProxyType({process.id: process for process in _PROCESSES})
