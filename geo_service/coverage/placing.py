"""The process "placement": where more cameras help most, and which of those there are can go."""

from typing import Any

import numpy as np
import shapely

from geo_service.analyses.work import Work
from geo_service.analysis.candidates import demand_covers
from geo_service.analysis.cover import Cover
from geo_service.analysis.placement import Placement, maximal_cover
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.sight import sight
from geo_service.coverage import figures
from geo_service.coverage.drawing import both, collection, feature
from geo_service.coverage.evidence import evidence
from geo_service.coverage.keeping import town_of
from geo_service.coverage.nearness import nearest_places
from geo_service.coverage.proof import UNITS, certain, nothing, proven
from geo_service.coverage.question import Placing
from geo_service.coverage.sites import Demand, candidates_of, demand_of, views_of
from geo_service.coverage.sparing import spare
from geo_service.coverage.town import Town

LONG = 20
"""Seconds of search that are for a job, not for somebody who waits."""

SOURCES = {
    "add": "R. Church and C. ReVelle, The maximal covering location problem (1974)",
    "backup": "K. Hogan and C. ReVelle, Concepts and applications of backup coverage (1986)",
    "set-cover": "C. Toregas, R. Swain, C. ReVelle and L. Bergman, The location of emergency"
    " service facilities (1971)",
    "p-median": "S. Elloumi, A tighter formulation of the p-median problem (2010)",
}


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
        found = nothing(inputs)
    elif inputs.question == "set-cover":
        found = spare(town, made, level.name, demand, inputs)
    elif inputs.question == "p-median":
        found = nearest_places(town, made, demand, inputs, area)
    else:
        found = _adding(work, town, made, demand, inputs, area)
    about = found.pop("about")
    return found | {
        "question": inputs.question,
        "evidence": evidence(town, work.principal.area, look, level)
        | {
            "area": whole.code,
            "demand": inputs.demand,
            "demand_points": len(demand.points.xy),
            "demand_weight": round(float(demand.points.weight.sum()), 3),
            "demand_step_m": demand.step and round(demand.step, 2),
            "unit": both(Sentence(*UNITS[inputs.demand])),
            "source_of_model": SOURCES[inputs.question],
            "optics": both(_optics()),
            **about,
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
    cameras, shapes = views_of(tried.cameras, town.covers.scene(inputs.look()), level)
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
    zh, en = UNITS[inputs.demand]
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
        **proven(placed),
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


def _summary(placed: Placement, inputs: Placing, gain: float, zh: str, en: str) -> Sentence:
    proven_zh, proven_en = certain(placed)
    twice_zh, twice_en = ("两次", " twice") if inputs.question == "backup" else ("", "")
    return Sentence(
        f"增设 {len(placed.adds)} 台，新增覆盖{twice_zh} {gain:,.1f} {zh}；{proven_zh}。",
        f"{len(placed.adds)} more cameras add {gain:,.1f} {en} seen{twice_en}; {proven_en}.",
    )
