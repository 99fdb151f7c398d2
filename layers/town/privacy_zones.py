"""Ground that no camera may look at: before the windows of dormitories, wards, rooms and homes."""

import geopandas as gpd
import numpy as np
import shapely

from layers.town.buildings import Stock
from layers.town.coordinates import Array, plan, project, table
from layers.town.land import Site

BEFORE = 2.0
"""Metres before a wall from which one looks in through its windows."""

_WANTED = (
    ("柳溪职业技术学校", "宿舍", "dormitory"),
    ("柳溪第二中学", "宿舍", "dormitory"),
    ("柳溪镇中心医院", "病房楼", "ward"),
    ("柳溪镇敬老院", "居室", "dwelling"),
    ("柳溪公园", "更衣室", "changing_room"),
)
_HOMES = 6


def privacy_zones(
    sites: list[Site], stock: Stock, cameras: gpd.GeoDataFrame, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Return zones around a few buildings.

    Homes are taken close to cameras, so that there is something to mend.
    """
    found: list[tuple[str, str, Array]] = []
    for name, part, kind in _WANTED:
        site = next(s for s in sites if s.name == name)
        rows = np.flatnonzero(stock.block == site.block)
        if rows.size:
            found.append((f"{name}{part}", kind, stock.shape[rng.choice(rows)]))
    homes = np.flatnonzero(np.isin(stock.form, ["slabs", "midrise", "houses"]))
    watching = shapely.STRtree(plan(cameras["geom"].to_numpy()))
    (at, _), away = watching.query_nearest(
        stock.shape[homes], return_distance=True, all_matches=False
    )
    near = away[np.argsort(at)]
    close = homes[(near > 3) & (near < 15)]
    for n, row in enumerate(rng.choice(close, _HOMES, replace=False), start=1):
        found.append((f"住宅{n}号", "dwelling", stock.shape[row]))
    around = shapely.buffer(np.array([s for *_, s in found]), BEFORE, join_style="mitre")
    return table(
        {
            "code": [f"PZ{n:04d}" for n in range(1, len(found) + 1)],
            "name": [name for name, _, _ in found],
            "kind": [kind for _, kind, _ in found],
        },
        project(around),
    )
