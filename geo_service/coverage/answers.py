"""The process "coverage", and what the wall and the map ask of the cover as a whole."""

from typing import Any

import shapely

from geo_service.analyses.work import Work
from geo_service.analysis.density_levels import LADDERS
from geo_service.analysis.metric import project
from geo_service.analysis.sentence import Sentence
from geo_service.coverage import figures
from geo_service.coverage.covers import Look
from geo_service.coverage.drawing import both, by_level, collection, levels
from geo_service.coverage.evidence import evidence, notes, percent
from geo_service.coverage.keeping import town_of
from geo_service.coverage.question import Coverage, level_of
from geo_service.coverage.town import Town
from geo_service.problems import Problem


def answer(work: Work, inputs: Coverage) -> dict[str, Any]:
    """Return how much cameras see, by unit, and which losses hurt most."""
    level = inputs.chosen()
    work.step(5, "读取数据", "reading")
    town = town_of(work)
    units = figures.units(town.standing, inputs.by, inputs.area)
    whole = figures.whole(town.standing, inputs.area)
    work.step(20, "计算视野", "what each camera sees")
    made = town.cover(inputs.look(), level.name)
    work.step(80, "统计", "figures")
    table, held = figures.table(town, made, level.name, inputs.k), figures.cameras(town)
    places = figures.surrounded(
        town, made, level.name, whole.grids, around=inputs.around, k=inputs.k
    )
    grid_codes = town.standing.grid_codes
    told = []
    for unit in units:
        row = figures.told(table, unit) | figures.counts(held, unit)
        codes = {grid_codes[n] for n in unit.grids}
        told.append(row | _around([one for one in places if one["grid"] in codes]))
    total = figures.told(table, whole) | figures.counts(held, whole) | _around(places)
    lost = figures.losses(town, made, level.name, whole.grids)
    for one in lost:
        one["sentence"] = both(_loss(one))
    look = inputs.look()
    return {
        "units": told,
        "town": total,
        "places": sorted(places, key=lambda one: (one["area_share"], one["code"])),
        "losses": lost,
        "notes": notes(town, made),
        "summary": both(_summary(inputs, total, level.zh, level.name, lost)),
        "evidence": evidence(town, work.principal.area, look, level)
        | {"k": inputs.k, "around": inputs.around, "area": whole.code},
    }


def _around(places: list[dict[str, Any]]) -> dict[str, Any]:
    of, seen = (sum(one[name] for one in places) for name in ("area_m2", "area_m2_seen"))
    return {"places": len(places), "places_share": round(min(seen / of, 1), 6) if of else None}


def _summary(
    inputs: Coverage, total: dict[str, Any], zh: str, en: str, lost: list[dict[str, Any]]
) -> Sentence:
    if not total["cameras"]:
        return Sentence(
            f"{total['name']}没有摄像机，因此没有覆盖。",
            f"There are no cameras in {total['name']}, so nothing is seen.",
        )
    many = "" if inputs.k == 1 else f"（至少 {inputs.k} 台）"
    many_en = "" if inputs.k == 1 else f" by at least {inputs.k} cameras"
    state = {"online": ("在线", "online"), "designed": ("全部", "all")}[inputs.state]
    worst = f"；失去{lost[0]['name'] or lost[0]['code']}损失最大" if lost else ""
    worst_en = f" The loss that costs most is {lost[0]['code']}." if lost else ""
    return Sentence(
        f"{total['name']}（{state[0]}摄像机，“{zh}”等级）{many}："
        f"面积 {percent(total['area_share'])}，道路 {percent(total['road_share'])}，"
        f"事件 {percent(total['events_share'])}被看到{worst}。",
        f"{total['name']}, {state[1]} cameras, level {en}: {percent(total['area_share'])} of the"
        f" ground, {percent(total['road_share'])} of the roads and"
        f" {percent(total['events_share'])} of past events are seen{many_en}.{worst_en}",
    )


def _loss(lost: dict[str, Any]) -> Sentence:
    name = lost["name"] or lost["code"]
    return Sentence(
        f"若失去{name}，{lost['lost_m2']:,.0f} 平方米再无摄像机看到"
        f"（含 {lost['events']:.1f} 起事件、{lost['households']:.1f} 户）。",
        f"Without {lost['code']} nobody sees {lost['lost_m2']:,.0f} m² any more"
        f" ({lost['events']:.1f} events, {lost['households']:.1f} households).",
    )


def now(
    town: Town, edition: str, level_name: str | None, by: str, *, night: bool
) -> dict[str, Any]:
    """Return cover now against cover designed, by unit, for the wall."""
    level = level_of(edition, level_name)
    designed = town.cover(Look(int(edition), night), level.name)
    online = town.cover(Look(int(edition), night, online=True), level.name)
    of, seen = figures.table(town, designed, level.name), figures.table(town, online, level.name)

    held = figures.cameras(town)

    def told(unit: figures.Unit) -> dict[str, Any]:
        size = float(of["area"][unit.grids].sum())
        all_of_it, left = (float(one["area_seen"][unit.grids].sum()) for one in (of, seen))
        return {
            "code": unit.code,
            "name": unit.name,
            "designed": round(all_of_it / size, 6),
            "now": round(left / size, 6),
            "lost_m2": round(max(all_of_it - left, 0.0), 2),
            **figures.counts(held, unit),
        }

    return {
        "at": town.at.isoformat(),
        "revision": town.revision,
        "level": {
            "id": level.name, "zh": level.zh, "en": level.name,
            "pixels_per_metre": level.pixels_per_metre,
        },
        "edition": LADDERS[int(edition)].edition,
        "units": [told(unit) for unit in figures.units(town.standing, by)],
        "town": told(figures.whole(town.standing)),
    }  # fmt: skip


def union(town: Town, look: Look, names: list[str]) -> dict[str, Any]:
    """Return what at least one camera sees, a feature a level."""
    ladder = LADDERS[look.edition]
    made = town.cover(look, names[0])
    wanted = ladder._replace(levels=tuple(one for one in ladder.levels if one.name in names))
    shapes = [made.union(one) for one in wanted.levels]
    return collection(by_level(shapes, wanted, town.standing.crs), **levels(ladder))


def _stands(town: Town, code: str) -> Any:
    return shapely.Point(town.fitted[code].x, town.fitted[code].y)


def at_point(town: Town, look: Look, lon: float, lat: float) -> dict[str, Any]:
    """Return who sees a point, and why nobody would. Raises Problem 422 far outside of the town."""
    try:
        (x,), (y,) = project([lon], [lat], 4326, town.standing.crs)
    except ValueError:
        raise Problem(
            422, "该点远在本镇之外。", "That point lies far outside of the town."
        ) from None
    usual = level_of(str(look.edition), None).name
    seen = town.cover(look, usual).seen_by(float(x), float(y))
    rows = {row["code"]: row for row in town.cameras.values()}
    order = [one.name for one in LADDERS[look.edition].levels]
    point = shapely.Point(float(x), float(y))
    standing = town.standing
    buildings = standing.buildings.tree.query(point, "within")
    zones = [n for n, zone in enumerate(standing.zones.shapes) if zone.intersects(point)]
    grids = [n for n, grid in enumerate(standing.grids.shapes) if grid.intersects(point)]
    ladder = LADDERS[look.edition]
    return {
        "seen_by": [
            {
                "code": code, "name": rows[code]["name"], "level": level,
                "title": {"zh": ladder.level(level).zh, "en": level},
                "online": rows[code]["status"] == "online",
                "distance_m": round(point.distance(_stands(town, code)), 1),
            }
            for code, level in sorted(
                seen.items(), key=lambda one: (-order.index(one[1]), one[0])
            )
        ],
        "in_building": bool(buildings.size),
        "building": standing.codes[int(buildings[0])] if buildings.size else None,
        "privacy_zone": standing.zones.column(0)[zones[0]] if zones else None,
        "grid": standing.grid_codes[grids[0]] if grids else None,
        "inside": bool(grids),
        "edition": ladder.edition,
    }  # fmt: skip
