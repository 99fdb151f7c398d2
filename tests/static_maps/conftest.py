"""A small made-up town: nine grids of 500 m, a road, and events."""

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from static_maps.theme import LegendClass, Theme, ThemeLayer

STATUS = (
    LegendClass("open", "已登记", "#c0362c"),
    LegendClass("closed", "已结案", "#8b95a1"),
    LegendClass("never", "已上报", "#7a2f8f"),
)


def grids() -> gpd.GeoDataFrame:
    corners = [(x, y) for y in (1000, 500, 0) for x in (0, 500, 1000)]
    return gpd.GeoDataFrame(
        {
            "name": [f"和平第{number}网格" for number in "一二三四五六七八九"],
            "community": ["东社区"] * 5 + ["西社区"] * 4,
            "households": [310, 355, 402, 298, 441, 377, 365, 420, np.nan],
        },
        geometry=[
            shapely.multipolygons([shapely.box(519000 + x, 3352000 + y, 519500 + x, 3352500 + y)])
            for x, y in corners
        ],
        crs=4549,
    ).to_crs(4326)


def events(number: int) -> gpd.GeoDataFrame:
    random = np.random.default_rng(7)
    x, y = random.uniform(20, 1480, (2, number))
    return gpd.GeoDataFrame(
        {
            "code": [f"JF{index:05d}" for index in range(number)],
            "status": ["open"] * (number // 3) + ["closed"] * (number - number // 3 - 1) + ["?"],
            "at": pd.date_range("2025-01-01T12:00Z", "2025-03-31T12:00Z", periods=number),
            "azimuth": random.uniform(0, 360, number),
            "secret": ["不可外传"] * number,
        },
        geometry=gpd.points_from_xy(519000 + x, 3352000 + y),
        crs=4549,
    ).to_crs(4326)


def disputes(frame: gpd.GeoDataFrame) -> ThemeLayer:
    return ThemeLayer(
        "disputes",
        "矛盾纠纷",
        frame,
        "#c0362c",
        "theme",
        by="status",
        classes=STATUS,
        fields={"code": "编号", "status": "办理状态", "at": "发生日期"},
        time="at",
        azimuth="azimuth",
    )


def town(*more: ThemeLayer) -> Theme:
    cells = grids()
    x, y = 519000, 3352700
    road = gpd.GeoDataFrame(
        {"name": ["人民路"], "width": [20.0]},
        geometry=[shapely.LineString([(x, y), (x + 1500, y)])],
        crs=4549,
    )
    outline = gpd.GeoDataFrame(geometry=[cells.union_all()], crs=4326)
    return Theme(
        "demo",
        "示范镇分布图",
        "按办理状态",
        (
            ThemeLayer(
                "roads", "道路", road.to_crs(4326), "#c9c2b8", "road", "width", label="name"
            ),
            ThemeLayer("grids", "网格界", cells, "#4a7bb5", "grid", label="name"),
            ThemeLayer("areas", "镇界", outline, "#34495e", "outline"),
            *more,
        ),
    )


@pytest.fixture
def theme() -> Callable[[int], Theme]:
    """A town with a number of disputes."""
    return lambda number: town(disputes(events(number)))


@pytest.fixture
def households() -> ThemeLayer:
    return ThemeLayer(
        "grids",
        "网格户数",
        grids(),
        "#2f6fb0",
        "theme",
        by="households",
        label="name",
        fields={"name": "名称", "households": "户数"},
    )
