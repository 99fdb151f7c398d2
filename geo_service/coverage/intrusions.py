"""The process "privacy-intrusions": cameras that look where none may, and what mends it."""

from typing import Any

import shapely

from geo_service.analyses.work import Work
from geo_service.analysis.privacy import REASON, Intrusion, intrusions
from geo_service.analysis.sentence import Sentence
from geo_service.coverage import figures
from geo_service.coverage.covers import Look
from geo_service.coverage.drawing import both, collection, feature
from geo_service.coverage.evidence import evidence
from geo_service.coverage.keeping import town_of
from geo_service.coverage.question import Intrusions, level_of
from geo_service.coverage.town import Town


def answer(work: Work, inputs: Intrusions) -> dict[str, Any]:
    """Return the cameras, each with the ground it sees of zones, a tilt and masks."""
    work.step(5, "读取数据", "reading")
    town = town_of(work)
    whole = figures.whole(town.standing, inputs.area)
    codes = {town.standing.grid_codes[n] for n in whole.grids}
    rows = {row["code"]: row for row in town.cameras.values()}
    # All that is in sight where no area is named, also cameras that stand outside of every grid.
    here = [
        town.fitted[code]
        for code in sorted(town.fitted)
        if inputs.area is None or rows[code]["grid_now"] in codes
    ]
    work.step(20, "检查隐私区域", "looking for zones in view")
    look, level = Look(), level_of("2015", "monitor")
    found = intrusions(here, town.covers.scene(look))
    features = []
    for one in sorted(found, key=lambda one: (-one.area, one.code)):
        row = rows[one.code]
        zones = [_zone(town, number) for number in one.zones]
        features.append(
            feature(
                shapely.Point(town.fitted[one.code].x, town.fitted[one.code].y),
                town.standing.crs,
                one.code,
                code=one.code,
                name=row["name"],
                area_m2=round(one.area, 3),
                tilt_now=row["tilt"],
                tilt=one.tilt,
                kept=round(one.kept, 4) if one.tilt is not None else None,
                masks=[
                    {
                        "azimuth": round(heading.azimuth, 2),
                        "left": round(box[0], 4), "top": round(box[1], 4),
                        "right": round(box[2], 4), "bottom": round(box[3], 4),
                    }
                    for heading, shape in one.masks
                    for box in (shapely.bounds(shape).tolist(),)
                ],
                zones=zones,
                sentence=both(_sentence(one, row["name"] or one.code, zones)),
            )
        )  # fmt: skip
    n = len(features)
    total = len(town.standing.zones)
    summary = (
        Sentence(
            f"{total} 个隐私区域中，没有摄像机拍到。",
            f"No camera looks into any of the {total} privacy zones.",
        )
        if not n
        else Sentence(
            f"{n} 台摄像机拍到隐私区域，其中 {sum(one.tilt is not None for one in found)} 台"
            "调整俯角即可纠正。",
            f"{n} cameras look into privacy zones;"
            f" {sum(one.tilt is not None for one in found)} of them are mended by another tilt.",
        )
    )
    return collection(
        features,
        reason=both(REASON),
        summary=both(summary),
        evidence=evidence(town, work.principal.area, look, level)
        | {"area": whole.code, "checked": len(here)},
    )


def _zone(town: Town, number: int) -> dict[str, Any]:
    codes, names, kinds = (town.standing.zones.column(n) for n in range(3))
    return {"code": codes[number], "name": names[number], "kind": kinds[number]}


def _sentence(found: Intrusion, name: str, zones: list[dict[str, Any]]) -> Sentence:
    zh = "、".join(zone["name"] or zone["code"] for zone in zones)
    en = ", ".join(zone["code"] for zone in zones)
    if found.tilt is None:
        mend = Sentence("请设置隐私遮挡", "mask that part of the image")
    else:
        mend = Sentence(
            f"请将俯角调至 {found.tilt:.1f}°（保留视野 {found.kept:.0%}），或设置隐私遮挡",
            f"tilt it to {found.tilt:.1f}° ({found.kept:.0%} of the view stays), or mask it",
        )
    return Sentence(
        f"{name}拍到隐私区域 {zh}（{found.area:.1f} 平方米）：{mend.zh}。{REASON.zh}",
        f"Camera {found.code} sees {found.area:.1f} m² of privacy zones {en}: {mend.en}."
        f" {REASON.en}",
    )
