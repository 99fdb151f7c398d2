"""The analyses of events: what each is called, takes, gives, and what does it."""

from collections.abc import Mapping
from types import MappingProxyType

from geo_service.analyses.process import COMMON, FEATURES, LIST, WRITERS, Process
from geo_service.hotspots import question
from layers.catalogue import Title

_RANKED = {**LIST, "description": "What was found, the most certain first, each with a sentence"}
_CELLED = {"cells": FEATURES, "ranked": _RANKED, **COMMON}
_SHAPED = {"features": FEATURES, "ranked": _RANKED, **COMMON}


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
        _CELLED | {"steps": LIST},
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
        _CELLED | {"steps": LIST, "categories": LIST},
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
        {"table": LIST, **COMMON},
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
        {"table": LIST, "ranked": _RANKED, **COMMON},
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
        {"opened": LIST, "continued": LIST, "closed": LIST, **COMMON},
        roles=WRITERS,
        writes=True,
    ),
)

PROCESSES: Mapping[str, Process] = MappingProxyType({process.id: process for process in _PROCESSES})
