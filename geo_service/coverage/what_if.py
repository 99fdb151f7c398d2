"""The process "what-if": cover with cameras added, moved and removed, beside cover as it is."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from geo_service.analyses.work import Work
from geo_service.analysis.cover import Cover
from geo_service.analysis.density_levels import LADDERS
from geo_service.analysis.sentence import Sentence
from geo_service.coverage import figures
from geo_service.coverage.drawing import both, by_level
from geo_service.coverage.evidence import evidence, percent
from geo_service.coverage.keeping import town_of
from geo_service.coverage.optics import FIELDS
from geo_service.coverage.question import WhatIf
from geo_service.coverage.town import Town
from geo_service.coverage.trial import Content, Fitted, Moved
from geo_service.coverage.views import imagined, presets_of, row_of
from geo_service.problems import Problem

_SET = "SELECT content FROM what_if_sets WHERE id = %s"


def answer(work: Work, inputs: WhatIf) -> dict[str, Any]:
    """Return figures before and after, the difference, and what is to be told of the cameras."""
    level = inputs.chosen()
    work.step(5, "读取数据", "reading")
    content = _content(work, inputs)
    town = town_of(work)
    work.step(30, "计算覆盖", "cover as it is")
    look = inputs.look()
    before = town.cover(look, level.name)
    work.step(60, "计算方案", "cover as it might be")
    after, notes, codes = applied(town, before, content)
    units = figures.units(town.standing, inputs.by, inputs.area)
    whole = figures.whole(town.standing, inputs.area)
    old = figures.table(town, before, level.name, inputs.k)
    new = figures.table(town, after, level.name, inputs.k)
    rows = [[figures.told(table, unit) for unit in (*units, whole)] for table in (old, new)]
    earlier, later = rows[0][-1], rows[1][-1]
    change = figures.difference([later], [earlier])[0]
    crs = town.standing.crs
    ladder = LADDERS[look.edition]
    return {
        "before": rows[0][:-1],
        "after": rows[1][:-1],
        "difference": figures.difference(rows[1][:-1], rows[0][:-1]),
        "town": {"before": earlier, "after": later, "difference": change},
        "views": [
            one
            for code in codes
            for one in by_level(after.shapes[after.number[code]], ladder, crs, code=code)
        ],
        "intruding": sorted(after.intruding & set(codes)),
        "notes": [{"code": code, "notes": [both(one) for one in said]} for code, said in notes],
        "summary": both(_summary(content, level.zh, level.name, earlier, later)),
        "evidence": evidence(town, work.principal.area, look, level)
        | {"k": inputs.k, "area": whole.code, "set": str(inputs.set) if inputs.set else None},
    }


def applied(
    town: Town, before: Cover, content: Content
) -> tuple[Cover, list[tuple[str, tuple[Sentence, ...]]], list[str]]:
    """Return the cover with a set's cameras, what is to be told of them, and their codes.

    Raises Problem 422 for a camera that is not in sight, and for one that cannot be.
    """
    made, told, codes = before, dict[str, tuple[Sentence, ...]](), list[str]()
    for code in content.removed:
        _there(town, code)
        if code in made.number:
            made = made.without(code)
    for code, change in content.moved.items():
        if code in content.removed:
            raise Problem(
                422,
                f"摄像机 {code} 同时被移动和拆除。",
                f"Camera {code} is both moved and removed.",
            )
        camera, said = imagined(town, moved(_there(town, code), change), code)
        if code in made.number:
            online = made.cameras[made.number[code]].online
            made = made.replace(replace(camera, online=online))
        else:
            made = made.add(camera)
        told[code] = said
        codes.append(code)
    for number, given in enumerate(content.cameras, start=1):
        code = given.code or f"new-{number}"
        if code in made.number:
            raise Problem(422, f"编码 {code} 已有摄像机。", f"There is a camera {code} already.")
        camera, said = imagined(town, given, code)
        made = made.add(camera)
        told[code] = said
        codes.append(code)
    notes = [(code, (*told[code], *made.notes_of(code))) for code in codes]
    return made, [(code, said) for code, said in notes if said], codes


def moved(row: Mapping[str, Any], change: Moved) -> Fitted:
    """Return a camera of the town with what differs of it."""
    names = ("lon", "lat", "form", "azimuth", *FIELDS)
    given = {name: row[name] for name in names} | presets_of(row)
    return Fitted(**given | {k: v for k, v in change.model_dump().items() if v is not None})


def _there(town: Town, code: str) -> Mapping[str, Any]:
    try:
        return row_of(town, code)
    except Problem as problem:  # of a path it is 404, of a set's content it is not
        raise Problem(422, problem.zh, problem.en) from None


def _content(work: Work, inputs: WhatIf) -> Content:
    inline = Content(cameras=inputs.cameras, moved=inputs.moved, removed=inputs.removed)
    if inputs.set is None:
        return inline
    if inline != Content():
        raise Problem(
            422,
            "请给出已存方案的 set，或直接给出摄像机，不要同时给出。",
            "Name a set that is kept, or give cameras, not both.",
        )
    return kept(work, inputs.set)


def kept(work: Work, id_: UUID) -> Content:
    """Return a set that is kept. Raises Problem 422 where none is in sight."""
    row = work.connection.execute(_SET, [id_]).fetchone()
    if row is None:
        raise Problem(
            422,
            "没有这个方案，或不在您的范围内。",
            "There is no such set that you may see.",
        )
    return Content.model_validate(row[0])


def _summary(
    content: Content, zh: str, en: str, earlier: dict[str, Any], later: dict[str, Any]
) -> Sentence:
    a, b = earlier["area_share"], later["area_share"]
    n = len(content.cameras), len(content.moved), len(content.removed)
    seen = later["area_m2_seen"] - earlier["area_m2_seen"]
    return Sentence(
        f"增设 {n[0]} 台、移动 {n[1]} 台、拆除 {n[2]} 台后，“{zh}”等级的面积覆盖由"
        f" {percent(a)} 变为 {percent(b)}（{seen:+,.0f} 平方米）。",
        f"With {n[0]} cameras added, {n[1]} moved and {n[2]} removed, {percent(b)} of the ground is"
        f" seen at level {en} instead of {percent(a)} ({seen:+,.0f} m²).",
    )
