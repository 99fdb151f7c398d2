"""Grids, communities and the areas above them, made of whole street blocks."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers.town import outline
from layers.town.blocks import Plan
from layers.town.buildings import Stock
from layers.town.coordinates import Array, Floats, Ints, project, table
from layers.town.partition import Ground, Neighbours, neighbours, partition

COUNTY, TOWN = "990101", "990101101"
"""Division codes. No province has the prefix 99."""

COMMUNITIES, GRIDS = 13, 156
POPULATION, STAFF = 94163, 165
ZONE = ZoneInfo("Asia/Shanghai")

_DIVIDE = {"trunk": 1.0, "primary": 0.85, "secondary": 0.6, "local": 0.1, "path": 0.0}
_SPECIAL = {"sheds": 70.0, "market": 190.0, "school": 150.0, "hospital": 200.0, "station": 150.0}
"""Weights in households of blocks that a special grid is made for, so that they fill one."""

_URBAN = (
    "老街",
    "东桥",
    "柳岸",
    "幸福",
    "迎宾",
    "和平",
    "文昌",
    "滨河",
    "新苑",
    "学府",
    "城南",
    "城北",
    "锦绣",
)
_RURAL = (
    "柳林",
    "荷塘",
    "望溪",
    "杏花",
    "石桥",
    "槐树",
    "麦田",
    "古渡",
    "竹园",
    "塘湾",
    "枣园",
    "榆林",
    "双井",
)


@dataclass(frozen=True, slots=True)
class Division:
    """The town divided: area and grid tables, and the grid number of every block."""

    areas: gpd.GeoDataFrame
    grids: gpd.GeoDataFrame
    grid_of_block: Ints
    neighbours: list[tuple[int, int]]
    """Pairs of grids, by row, that share a side."""
    community_of_grid: Ints


def divide(plan: Plan, use: Array, stock: Stock, until: date, rng: np.random.Generator) -> Division:
    """Group the blocks into grids of like size, and the grids into communities."""
    homes = np.bincount(stock.block, stock.households, minlength=len(plan.blocks))
    area = shapely.area(plan.blocks)
    special = np.array([_SPECIAL.get(str(u), 0.0) for u in use])
    # Open land counts a little, or a village grid would reach across half the town.
    weight = homes + special + area / 1e4 * np.where(homes > 0, 0.4, 0.7)
    near = _neighbours(plan)
    # Communities differ in size, so they are drawn as if some parts of town weighed less.
    middle = shapely.get_coordinates(shapely.centroid(plan.blocks))
    phase = rng.uniform(0, 2 * np.pi, size=2)
    tilted = weight * (1 + 0.45 * np.sin(middle / 620.0 + phase).prod(axis=1))
    everything = np.arange(len(area))
    whole = partition(Ground(plan.blocks, tilted, near), everything, COMMUNITIES, rng)
    share = np.array([weight[m].sum() for m in whole])
    ground = Ground(plan.blocks, weight, near)
    parts = [
        partition(ground, m, int(n), rng)
        for m, n in zip(whole, _whole_numbers(share, GRIDS), strict=True)
    ]
    whole, parts = _north_to_south(plan, whole, parts)
    names = _community_names(plan, use, whole)
    codes = [f"{TOWN}{n:03d}" for n in range(1, COMMUNITIES + 1)]
    members = [m for community in parts for m in community]
    parent = np.repeat(np.arange(COMMUNITIES), [len(p) for p in parts])
    number = np.concatenate([np.arange(1, len(p) + 1) for p in parts])
    households = np.array([homes[m].sum() for m in members])
    population = _whole_numbers(households * rng.uniform(0.96, 1.04, GRIDS), POPULATION)
    staff = np.ones(GRIDS, dtype=int)
    staff[np.argsort(-households)[: STAFF - GRIDS]] += 1
    blocks = project(plan.blocks)
    shapes = np.array([shapely.coverage_union_all(blocks[m]) for m in members], dtype=object)
    start = datetime.combine(until, time(), ZONE) - timedelta(days=1278)
    grids = table(
        {
            "code": [f"{codes[p]}{n:03d}" for p, n in zip(parent, number, strict=True)],
            "name": [f"{names[p]}第{n}网格" for p, n in zip(parent, number, strict=True)],
            "kind": [_kind(special[m], weight[m]) for m in members],
            "parent": [codes[p] for p in parent],
            "households": households.astype(int),
            "population": population,
            "staff": staff,
            "valid_from": [start] * GRIDS,
        },
        [shapely.MultiPolygon([s]) for s in shapes],
    )
    grid_of_block = np.empty(len(area), dtype=np.int64)
    for n, m in enumerate(members):
        grid_of_block[m] = n
    pairs = np.unique(
        np.sort(np.column_stack([grid_of_block[near.first], grid_of_block[near.second]])), axis=0
    )
    return Division(
        areas=_areas(codes, names, parent, population, shapes),
        grids=grids,
        grid_of_block=grid_of_block,
        neighbours=[(int(a), int(b)) for a, b in pairs if a != b],
        community_of_grid=parent,
    )


def _neighbours(plan: Plan) -> Neighbours:
    lines = np.array([s.line for s in plan.streets] + [outline.RIVER], dtype=object)
    return neighbours(
        plan.blocks, lines, np.array([_DIVIDE[s.road_class] for s in plan.streets] + [1.0])
    )


def _whole_numbers(shares: Floats, total: int) -> Ints:
    """Return whole numbers in proportion to ``shares`` summing to ``total`` (largest remainder)."""
    exact = shares * total / shares.sum()
    whole = np.floor(exact).astype(np.int64)
    short = total - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:short]] += 1
    return np.asarray(whole)


def _rank(plan: Plan, sets: list[Ints], band: float) -> list[int]:
    """Return the order west to east within bands of ``band`` metres from north to south."""
    middle = np.array(
        [shapely.centroid(shapely.coverage_union_all(plan.blocks[m])).coords[0] for m in sets]
    )
    return [int(n) for n in np.lexsort((middle[:, 0], -np.floor(middle[:, 1] / band)))]


def _north_to_south(
    plan: Plan, whole: list[Ints], parts: list[list[Ints]]
) -> tuple[list[Ints], list[list[Ints]]]:
    order = _rank(plan, whole, 900.0)
    return (
        [whole[n] for n in order],
        [[parts[n][k] for k in _rank(plan, parts[n], 300.0)] for n in order],
    )


def _community_names(plan: Plan, use: Array, whole: list[Ints]) -> list[str]:
    """Name communities: villages (村) where hamlets and fields prevail, 社区 elsewhere."""
    area = shapely.area(plan.blocks)
    names: list[str] = []
    urban, rural = iter(_URBAN[1:]), iter(_RURAL)
    old = [float(area[m][plan.quarter[m] == "old"].sum()) for m in whole]
    works = [float(area[m][use[m] == "sheds"].sum()) for m in whole]
    for n, m in enumerate(whole):
        open_land = area[m][np.isin(use[m], ["field", "hamlet"])].sum() / area[m].sum()
        if n == int(np.argmax(old)):
            names.append(f"{_URBAN[0]}社区")
        elif n == int(np.argmax(works)):
            names.append("工业园社区")
        elif open_land > 0.6:
            names.append(f"{next(rural)}村")
        else:
            names.append(f"{next(urban)}社区")
    return names


def _kind(special: Floats, weight: Floats) -> str:
    return "special" if special.sum() > 0.5 * weight.sum() else "basic"


def _areas(
    codes: list[str], names: list[str], parent: Ints, population: Ints, shapes: Array
) -> gpd.GeoDataFrame:
    outlines = [shapely.coverage_union_all(shapes[parent == n]) for n in range(COMMUNITIES)]
    town = shapely.coverage_union_all(shapes)
    return table(
        {
            "code": [COUNTY, TOWN, *codes],
            "name": ["云水县（演示）", "柳溪镇（演示）", *names],
            "level": ["county", "town", *["community"] * COMMUNITIES],
            "parent": [None, COUNTY, *[TOWN] * COMMUNITIES],
            "population": pd.array(
                [None, POPULATION, *np.bincount(parent, population).astype(int)], dtype="Int64"
            ),
        },
        [None, *(shapely.MultiPolygon([s]) for s in (town, *outlines))],
    )
