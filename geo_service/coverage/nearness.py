"""Places from which demand is nearest to a camera: the p-median, those that are there kept."""

from typing import Any

import numpy as np
import shapely
from scipy.spatial import cKDTree

from geo_service.analysis.cover import Cover
from geo_service.analysis.placement import p_median
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.weights import Floats
from geo_service.coverage.drawing import both, collection, feature
from geo_service.coverage.proof import UNITS, certain, nothing, proven
from geo_service.coverage.question import Placing
from geo_service.coverage.sites import Demand, candidates_of
from geo_service.coverage.town import Town

MOST_MEDIAN = (600, 150)
"""Points and places of a p-median: its table is their product."""


def nearest_places(
    town: Town, made: Cover, demand: Demand, inputs: Placing, area: Any
) -> dict[str, Any]:
    """Return places from which demand is nearest to a camera, those there are kept."""
    most, places = MOST_MEDIAN
    order = np.argsort(-demand.points.weight, kind="stable")
    xy, weight = _thinned(demand.points.xy[order], demand.points.weight[order], most)
    tried = candidates_of(town.standing, inputs.candidates, inputs.spacing, area, demand.points)
    sites = np.unique([(one.x, one.y) for one in tried.cameras], axis=0).reshape(-1, 2)
    sites, _ = _thinned(sites, np.ones(len(sites)), places)
    far = np.hypot(*(xy[:, None] - sites[None]).transpose(2, 0, 1))
    there = np.array([(one.x, one.y) for one in made.cameras if not inputs.look().online
                      or one.online]).reshape(-1, 2)  # fmt: skip
    # All cameras that are there are one site: each point goes to the nearest of them.
    nearest = cKDTree(there).query(xy)[0][:, None] if len(there) else np.zeros((len(xy), 0))
    kept = [len(sites)] if len(there) else []
    budget = min(inputs.budget, len(sites))
    if not budget:
        return nothing(inputs)
    placed = p_median(
        np.hstack((far, nearest)), weight, budget + len(kept), fixed=kept,
        time_limit=inputs.seconds,
    )  # fmt: skip
    chosen = [site for site in placed.sites if site < len(sites)]
    mean = placed.cost / float(weight.sum())
    before = float((nearest[:, 0] * weight).sum() / weight.sum()) if len(there) else None
    proven_zh, proven_en = certain(placed)
    was_zh = "" if before is None else f"（现为 {before:.0f} 米）"
    was_en = "" if before is None else f" instead of {before:.0f} m"
    summary = Sentence(
        f"增设 {len(chosen)} 处后，需求到最近摄像机的平均距离为 {mean:.0f} 米{was_zh}；"
        f"{proven_zh}。",
        f"With {len(chosen)} more places demand is {mean:.0f} m from the nearest camera on average"
        f"{was_en}; {proven_en}.",
    )
    serves = np.array(placed.serves)
    served = {site: float(weight[serves == site].sum()) for site in chosen}
    unit_zh, unit_en = UNITS[inputs.demand]
    return collection(
        [
            feature(
                shapely.Point(*sites[site]), town.standing.crs, f"{rank}", kind="site", rank=rank,
                azimuth=None, serves=round(served[site], 3),
                sentence=both(
                    Sentence(
                        f"第 {rank} 处：离它最近的需求为 {served[site]:,.1f} {unit_zh}。",
                        f"Place {rank}: the nearest one to {served[site]:,.1f} {unit_en}.",
                    )
                ),
            )
            for rank, site in enumerate(sorted(chosen, key=lambda s: -served[s]), start=1)
        ],
        **proven(placed),
        mean_m=round(mean, 2),
        mean_m_before=None if before is None else round(before, 2),
        summary=both(summary),
        about={
            "candidates": len(sites), "places": tried.places, "kept": len(there),
            "demand_points_used": len(xy),
        },
    )  # fmt: skip


def _thinned(xy: Floats, weight: Floats, most: int) -> tuple[Floats, Floats]:
    """Return at most so many points, each with the weight of those nearest to it."""
    if len(xy) <= most:
        return xy, weight
    kept = xy[np.linspace(0, len(xy) - 1, most).astype(np.int64)]
    _, at = cKDTree(kept).query(xy)
    return kept, np.bincount(at, weight, minlength=most).astype(np.float64)
