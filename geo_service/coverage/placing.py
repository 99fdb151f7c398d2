"""The process "placement": where more cameras help most, and which of those there are can go."""

from typing import Any

import numpy as np
import shapely
from scipy import sparse
from scipy.spatial import cKDTree

from geo_service.analyses.work import Work
from geo_service.analysis.candidates import demand_covers
from geo_service.analysis.cover import Cover
from geo_service.analysis.placement import Median, Placement, maximal_cover, p_median, set_cover
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.sight import sight
from geo_service.analysis.weights import Floats
from geo_service.coverage import figures
from geo_service.coverage.drawing import both, collection, feature
from geo_service.coverage.evidence import evidence
from geo_service.coverage.keeping import town_of
from geo_service.coverage.question import Placing
from geo_service.coverage.sites import Demand, candidates_of, demand_of, views_of
from geo_service.coverage.town import Town

LONG = 20
"""Seconds of search that are for a job, not for somebody who waits."""

MOST_MEDIAN = (600, 150)
"""Points and places of a p-median: its table is their product."""

SOURCES = {
    "add": "R. Church and C. ReVelle, The maximal covering location problem (1974)",
    "backup": "K. Hogan and C. ReVelle, Concepts and applications of backup coverage (1986)",
    "set-cover": "C. Toregas, R. Swain, C. ReVelle and L. Bergman, The location of emergency"
    " service facilities (1971)",
    "p-median": "S. Elloumi, A tighter formulation of the p-median problem (2010)",
}
_UNITS = {
    "blind": ("平方米", "m²"), "area": ("平方米", "m²"), "events": ("起事件", "events"),
    "households": ("户", "households"),
}  # fmt: skip


def answer(work: Work, inputs: Placing) -> dict[str, Any]:
    """Return sites as features, what each adds, and how far any other choice could be better."""
    work.refuse_long(inputs.seconds > LONG)
    level, look = inputs.chosen(), inputs.look()
    work.step(5, "读取数据", "reading")
    town = town_of(work)
    whole = figures.whole(town.standing, inputs.area)
    area = shapely.union_all(town.standing.grids.shapes[whole.grids])
    shapely.prepare(area)
    work.step(20, "计算现有覆盖", "cover as it is")
    made = town.cover(look, level.name)
    demand = demand_of(
        town, made, level.name, inputs.demand, area,
        unseen=inputs.demand == "blind" and inputs.question in {"add", "p-median"},
    )  # fmt: skip
    work.step(40, "计算候选点位视野", "what candidates would see")
    if not len(demand.points.xy):
        found = _nothing(inputs)
    elif inputs.question == "set-cover":
        found = _spare(town, made, level.name, demand, inputs)
    elif inputs.question == "p-median":
        found = _nearest(town, made, demand, inputs, area)
    else:
        found = _adding(work, town, made, demand, inputs, area)
    return found | {
        "question": inputs.question,
        "evidence": evidence(town, work.principal.area, look, level)
        | {
            "area": whole.code,
            "demand": inputs.demand,
            "demand_points": len(demand.points.xy),
            "demand_weight": round(float(demand.points.weight.sum()), 3),
            "demand_step_m": demand.step and round(demand.step, 2),
            "unit": both(Sentence(*_UNITS[inputs.demand])),
            "source_of_model": SOURCES[inputs.question],
            "optics": both(_optics()),
            **found.pop("about"),
        },
    }


def _optics() -> Sentence:
    note = sight("bullet", 0.0).note()
    assert note is not None  # noqa: S101 - nothing is known of a camera that is not there
    return Sentence(f"新增摄像机按枪机计算。{note.zh}", f"New cameras are bullets. {note.en}")


def _adding(  # noqa: PLR0917
    work: Work, town: Town, made: Cover, demand: Demand, inputs: Placing, area: Any
) -> dict[str, Any]:
    level = inputs.chosen()
    tried = candidates_of(town.standing, inputs.candidates, inputs.spacing, area, demand.points)
    cameras, shapes = views_of(tried.cameras, town.scene(inputs.look()), level)
    there = made.counted[:, made.row(level)]
    there = there[shapely.intersects(there, area)]
    covers = demand_covers(np.concatenate((shapes, there)), demand.points.xy)
    fixed = range(len(cameras), covers.shape[1])
    work.step(70, "求解", "searching")
    placed = maximal_cover(
        covers,
        demand.points.weight,
        inputs.budget,
        fixed=list(fixed),
        times=2 if inputs.question == "backup" else 1,
        time_limit=inputs.seconds,
    )
    crs = town.standing.crs
    zh, en = _UNITS[inputs.demand]
    features = []
    exact = _ground_added([shapes[site] for site, _ in placed.adds], there, area)
    gains = []
    for rank, (site, points) in enumerate(placed.adds, start=1):
        camera = cameras[site]
        azimuth = round(camera.sight.reach[0].azimuth, 1)
        # Points that stand for ground choose the sites; what one adds is told to the square metre.
        ground = inputs.demand in {"blind", "area"} and inputs.question == "add"
        adds = exact[rank - 1] if ground else points
        gains.append(adds)
        told = {"rank": rank, "code": camera.code, "azimuth": azimuth, "adds": round(adds, 3)}
        told |= {"adds_m2": round(exact[rank - 1], 2), "optics": _of(camera)}
        sentence = Sentence(
            f"第 {rank} 台：朝向 {azimuth:g}°，新增 {adds:,.1f} {zh}。",
            f"Number {rank}: azimuth {azimuth:g}°, adds {adds:,.1f} {en}.",
        )
        features += [
            feature(shapely.Point(camera.x, camera.y), crs, f"{rank}", kind="site", **told,
                    sentence=both(sentence)),
            feature(shapes[site], crs, f"{rank}-view", kind="view", rank=rank),
        ]  # fmt: skip
    return collection(
        features,
        **_proven(placed),
        summary=both(_summary(placed, inputs, sum(gains), zh, en)),
        about={
            "places": tried.places,
            "places_tried": tried.tried,
            "candidates": len(cameras),
            "kept": len(fixed),
        },
    )


def _ground_added(views: list[Any], there: Any, area: Any) -> list[float]:
    """Return the square metres of an area that each view adds to those there and before it."""
    tree, made = shapely.STRtree(there), list[float]()
    for k, view in enumerate(views):
        near = [*there[tree.query(view, "intersects")], *views[:k]]
        left = shapely.difference(shapely.intersection(view, area), shapely.union_all(near))
        made.append(float(shapely.area(left)))
    return made


def _of(camera: Any) -> dict[str, float]:
    """Return the optics of a camera by the columns of the layer, to be saved as one."""
    view = camera.sight.reach[0].view
    return {
        "mount_height": view.height, "tilt": view.tilt, "focal_length": view.focal_length,
        "sensor_width": view.sensor_width, "sensor_height": view.sensor_height,
        "pixels_across": view.pixels_across, "night_range": camera.sight.night_range,
    }  # fmt: skip


def _proven(placed: Placement | Median) -> dict[str, Any]:
    return {
        "bound": round(placed.bound, 3),
        "gap": round(placed.gap, 6),
        "optimal": placed.optimal,
    }


def _summary(placed: Placement, inputs: Placing, gain: float, zh: str, en: str) -> Sentence:
    proven_zh, proven_en = _certain(placed)
    twice_zh, twice_en = ("两次", " twice") if inputs.question == "backup" else ("", "")
    return Sentence(
        f"增设 {len(placed.adds)} 台，新增覆盖{twice_zh} {gain:,.1f} {zh}；{proven_zh}。",
        f"{len(placed.adds)} more cameras add {gain:,.1f} {en} seen{twice_en}; {proven_en}.",
    )


def _certain(placed: Placement | Median) -> tuple[str, str]:
    if placed.optimal:
        return "已证明在候选点位中最优", "proven the best choice among the candidates"
    return (
        f"与可证明的界限相差至多 {placed.gap:.1%}",
        f"no other choice is more than {placed.gap:.1%} better",
    )


def _spare(town: Town, made: Cover, level: str, demand: Demand, inputs: Placing) -> dict[str, Any]:
    """Return which cameras are needed for all that is seen now, and which could go."""
    covers = demand_covers(made.counted[:, made.row(level)], demand.points.xy)
    held = np.asarray(covers.sum(axis=1)).reshape(-1) > 0
    used = np.asarray(covers.sum(axis=0)).reshape(-1) > 0
    part = sparse.csr_array(covers)[held][:, used]
    cameras = [made.cameras[k] for k in np.flatnonzero(used)]
    if not part.shape[0]:
        return _nothing(inputs)
    placed = set_cover(part, time_limit=inputs.seconds)
    kept = set(placed.sites)
    crs = town.standing.crs
    spare = [camera for k, camera in enumerate(cameras) if k not in kept]
    names = {row["code"]: row["name"] for row in town.cameras.values()}
    proven_zh, proven_en = _certain(placed)
    summary = Sentence(
        f"看到需求点的 {len(cameras)} 台摄像机中，{len(kept)} 台即可看到同样的需求点，"
        f"{len(spare)} 台可另作他用；{proven_zh}。",
        f"Of {len(cameras)} cameras that see demand, {len(kept)} see all of it; {len(spare)} could"
        f" go elsewhere; {proven_en}.",
    )
    return collection(
        [
            feature(
                shapely.Point(one.x, one.y), crs, one.code, kind="spare", code=one.code,
                name=names[one.code],
                sentence=both(
                    Sentence(
                        f"{names[one.code] or one.code}所见需求点均有其他摄像机看到。",
                        f"All demand that {one.code} sees is seen by others.",
                    )
                ),
            )
            for one in spare
        ],
        **_proven(placed),
        needed=len(kept),
        summary=both(summary),
        about={"candidates": len(cameras), "kept": 0},
    )  # fmt: skip


def _nearest(town: Town, made: Cover, demand: Demand, inputs: Placing, area: Any) -> dict[str, Any]:
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
        return _nothing(inputs)
    placed = p_median(
        np.hstack((far, nearest)), weight, budget + len(kept), fixed=kept,
        time_limit=inputs.seconds,
    )  # fmt: skip
    chosen = [site for site in placed.sites if site < len(sites)]
    mean = placed.cost / float(weight.sum())
    before = float((nearest[:, 0] * weight).sum() / weight.sum()) if len(there) else None
    proven_zh, proven_en = _certain(placed)
    was_zh = "" if before is None else f"（现为 {before:.0f} 米）"
    was_en = "" if before is None else f" instead of {before:.0f} m"
    summary = Sentence(
        f"增设 {len(chosen)} 处后，需求到最近摄像机的平均距离为 {mean:.0f} 米{was_zh}；"
        f"{proven_zh}。",
        f"With {len(chosen)} more places demand is {mean:.0f} m from the nearest camera on average"
        f"{was_en}; {proven_en}.",
    )
    serves = np.array(placed.serves)
    return collection(
        [
            feature(
                shapely.Point(*sites[site]), town.standing.crs, f"{rank}", kind="site", rank=rank,
                azimuth=None, serves=round(float(weight[serves == site].sum()), 3),
                sentence=both(
                    Sentence(f"第 {rank} 处。", f"Place number {rank}.")
                ),
            )
            for rank, site in enumerate(
                sorted(chosen, key=lambda s: -float(weight[serves == s].sum())), start=1
            )
        ],
        **_proven(placed),
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


def _nothing(inputs: Placing) -> dict[str, Any]:
    zh = {
        "blind": "没有盲区", "area": "没有空地",
        "events": "没有过去的事件", "households": "没有住户",
    }[inputs.demand]  # fmt: skip
    return collection(
        [],
        bound=None,
        gap=None,
        optimal=False,
        summary=both(
            Sentence(
                f"{zh}或没有候选点位，因此没有建议。",
                "There is no such demand, or no place to see it from: nothing is proposed.",
            )
        ),
        about={"candidates": 0, "kept": 0},
    )
