"""Public places: whole-block sites as outlines, smaller ones as points."""

import geopandas as gpd
import numpy as np
import shapely

from layers.town.blocks import Plan
from layers.town.buildings import Stock
from layers.town.coordinates import Array, Floats, project, table
from layers.town.grids import Division
from layers.town.land import Site

_KINDERGARTENS = ("幸福", "东桥", "柳岸", "阳光", "小太阳", "春苗", "新苑", "望溪", "金色童年")
_STOPS = (("东桥公交首末站", (1090.0, 160.0)), ("工业园公交站", (1640.0, 1010.0)),
          ("城南公交站", (-430.0, -1120.0)), ("老街公交站", (-520.0, 255.0)))  # fmt: skip
_SMALL = (("柳溪派出所", (560.0, 20.0)), ("柳溪司法所", (600.0, -20.0)),
          ("柳溪镇便民服务中心", (640.0, -40.0)), ("柳溪大道加油站", (1500.0, 40.0)),
          ("人民路加油站", (-1130.0, -430.0)))  # fmt: skip


def places(
    plan: Plan,
    use: Array,
    sites: list[Site],
    stock: Stock,
    division: Division,
    *,
    rng: np.random.Generator,
) -> tuple[gpd.GeoDataFrame, list[tuple[str, str, Floats]]]:
    """Return the table of places, and name, kind and gate (plan metres) of each."""
    found: list[tuple[str, str, Array]] = [(s.name, s.kind, plan.lots[s.block]) for s in sites]
    strips = np.flatnonzero(use == "bank")
    strips = strips[np.argsort(-shapely.area(plan.lots[strips]))][:3]
    found += [
        (f"滨河公园{n}区", "scenic", plan.lots[b]) for n, b in zip("一二三", strips, strict=False)
    ]

    def standing(name: str, kind: str, row: int) -> None:
        found.append((name, kind, shapely.Point(stock.xy[row])))

    names = list(division.areas["name"][2:])
    community = division.community_of_grid[division.grid_of_block[stock.block]]
    for n, name in enumerate(names):
        # Offices and clinics rent ground floors where people live, not sheds.
        rows = np.flatnonzero((community == n) & (stock.form != "sheds"))
        rows = rows if len(rows) >= 2 else np.flatnonzero(community == n)
        clinic, office = rng.choice(rows, 2, replace=False)
        standing(
            f"{name}{'卫生室' if name.endswith('村') else '卫生服务站'}", "hospital", int(clinic)
        )
        standing(f"{name}人民调解委员会", "mediation", int(office))
    estates = np.flatnonzero(np.isin(stock.form, ["slabs", "midrise", "towers", "villas"]))
    for name, row in zip(
        _KINDERGARTENS, rng.choice(estates, len(_KINDERGARTENS), replace=False), strict=True
    ):
        standing(f"{name}幼儿园", "school", int(row))
    town_hall = next(s for s in sites if s.name == "柳溪镇人民政府")
    hall = np.flatnonzero(stock.block == town_hall.block)
    standing("柳溪镇矛盾纠纷调处化解中心", "mediation", int(hall[0]))
    for s in sites:
        # Playgrounds and lawns are where a township gathers people after an earthquake.
        if s.kind == "scenic" or "中学" in s.name or "中心小学" in s.name:
            corner = shapely.point_on_surface(plan.lots[s.block])
            found.append((f"{s.name}应急避难场所", "shelter", corner))
    found += [(name, "station", shapely.Point(xy)) for name, xy in _STOPS]
    found += [(name, "other", shapely.Point(xy)) for name, xy in _SMALL]
    shapes = np.array([shape for _, _, shape in found], dtype=object)
    made = table(
        {
            "code": [f"P{n:05d}" for n in range(1, len(found) + 1)],
            "name": [name for name, _, _ in found],
            "kind": [kind for _, kind, _ in found],
        },
        project(shapes),
    )
    return made, [(name, kind, _gate(shape)) for name, kind, shape in found]


def _gate(shape: Array) -> Floats:
    """Return a point or, of an outline, the middle of its longest side."""
    xy = shapely.get_coordinates(shape)
    if len(xy) == 1:
        return np.asarray(xy[0])
    longest = int(np.argmax(np.hypot(*np.diff(xy, axis=0).T)))
    return np.asarray(xy[longest : longest + 2].mean(axis=0))
