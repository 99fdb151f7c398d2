"""The process "blind-spots": ground that no camera sees, what matters most first."""

import math
from typing import Any

import numpy as np
import shapely

from geo_service.analyses.work import Work
from geo_service.analysis.blind_spots import BlindSpot, blind_spots
from geo_service.analysis.sentence import Sentence
from geo_service.coverage import figures
from geo_service.coverage.drawing import both, collection, feature
from geo_service.coverage.evidence import evidence
from geo_service.coverage.keeping import town_of
from geo_service.coverage.question import BlindSpots
from geo_service.coverage.town import Town


def answer(work: Work, inputs: BlindSpots) -> dict[str, Any]:
    """Return the blind spots as features, ranked, each with a sentence."""
    inputs.chosen()
    work.step(5, "读取数据", "reading")
    town = town_of(work)
    work.step(20, "计算视野与盲区", "views and what lies outside of them")
    return found(town, work.principal.area, inputs)


def found(town: Town, scope: str, inputs: BlindSpots) -> dict[str, Any]:
    """Return the blind spots of a town."""
    level, look = inputs.chosen(), inputs.look()
    standing = town.standing
    whole = figures.whole(standing, inputs.area)
    made = town.cover(look, level.name)
    grids = standing.grids.shapes[whole.grids]
    area = standing.area if len(grids) == len(standing.grids) else shapely.union_all(grids)
    spots = blind_spots(
        area,
        made.union(level.name),
        points=town.points,
        lines=standing.roads,
        places=standing.places.shapes,
        buildings=standing.buildings.shapes,
        weights=inputs.weights.model_dump(),
        least=inputs.min_area,
        split=grids if inputs.cell is None else _squares(grids, inputs.cell),
    )
    shown = spots[: inputs.limit]
    codes, names = standing.grids.column(0), standing.grids.column(1)
    tree = shapely.STRtree(grids)
    features = []
    for rank, spot in enumerate(shown, start=1):
        at = tree.query(shapely.point_on_surface(spot.shape), "intersects")
        grid = int(whole.grids[np.sort(at)[0]]) if len(at) else None
        name = None if grid is None else names[grid]
        features.append(
            feature(
                spot.shape,
                standing.crs,
                rank,
                rank=rank,
                grid=None if grid is None else codes[grid],
                grid_name=name,
                area_m2=round(spot.area, 2),
                events=round(spot.points["events"], 3),
                households=round(spot.points["households"], 3),
                road_m=round(spot.line, 2),
                places=spot.places,
                score=round(spot.score, 4),
                sentence=both(_sentence(rank, name or "", spot)),
            )
        )
    unseen = sum(spot.area for spot in spots)
    return collection(
        features,
        numberMatched=len(spots),
        numberReturned=len(shown),
        summary=both(_summary(whole.name, spots, shown, unseen, inputs.min_area)),
        unseen_m2=round(unseen, 2),
        evidence=evidence(town, scope, look, level)
        | {
            "area": whole.code,
            "min_area": inputs.min_area,
            "cell": inputs.cell,
            "weights": inputs.weights.model_dump(),
            "ranking": both(RANKING),
        },
    )


def _squares(grids: Any, side: float) -> Any:
    """Return grids cut into squares: an unseen piece is else often as large as its grid."""
    west, south, east, north = shapely.total_bounds(grids)
    x = np.arange(math.floor(west / side), math.ceil(east / side)) * side
    y = np.arange(math.floor(south / side), math.ceil(north / side)) * side
    left, low = (part.ravel() for part in np.meshgrid(x, y))
    boxes = shapely.box(left, low, left + side, low + side)
    box, grid = shapely.STRtree(grids).query(boxes, "intersects")
    cut = shapely.intersection(boxes[box], grids[grid])
    return cut[shapely.get_dimensions(cut) == 2]


RANKING = Sentence(
    "按 事件权重 + 住户权重 + 场所权重 + 每百米道路权重 之和排序；按网格和方格切分，不含建筑占地",
    "Ranked by the weighted sum of events, households, places and hundreds of metres of road; cut"
    " by grids and squares, without ground under buildings",
)


def _sentence(rank: int, grid: str, spot: BlindSpot) -> Sentence:
    events, road = spot.points["events"], spot.line
    return Sentence(
        f"第 {rank} 处盲区，位于{grid}：{spot.area:,.0f} 平方米，含 {events:.1f} 起事件、"
        f"{road:,.0f} 米道路、{spot.places} 处重点场所。",
        f"Blind spot {rank}: {spot.area:,.0f} m² with {events:.1f} past events, {road:,.0f} m of"
        f" road and {spot.places} places.",
    )


def _summary(
    name: str, spots: list[BlindSpot], shown: list[BlindSpot], unseen: float, least: float
) -> Sentence:
    if not spots:
        return Sentence(
            f"{name}没有大于 {least:g} 平方米的盲区。",
            f"{name} has no blind spot larger than {least:g} m².",
        )
    return Sentence(
        f"{name}有 {len(spots)} 处大于 {least:g} 平方米的盲区，共 {unseen:,.0f} 平方米；"
        f"列出排在前面的 {len(shown)} 处。",
        f"{name} has {len(spots)} blind spots larger than {least:g} m², {unseen:,.0f} m² in all;"
        f" the first {len(shown)} are listed.",
    )
