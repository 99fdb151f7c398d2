"""Figures of a cover by grid, community and town: areas, roads, households and past events seen.

Grids neither overlap nor leave gaps, so a community's figures are the sums of its grids'.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely

from geo_service.analysis.cover import Cover
from geo_service.analysis.ground import surroundings
from geo_service.analysis.tally import AreaTally
from geo_service.analysis.weights import Floats, Ints
from geo_service.analysis.zones import Zones
from geo_service.coverage.standing import Standing
from geo_service.coverage.town import Town
from geo_service.problems import Problem

GRID = "grid"
MEASURES = ("area", "road", "households", "events")


class Unit(NamedTuple):
    """A grid, a community, or the whole: its code and name, and its grids by number."""

    code: str | None
    name: str
    grids: Ints


def units(standing: Standing, by: str, area: str | None = None) -> list[Unit]:
    """Return the units of an area (None: all in sight) in order of their codes.

    Raises Problem 422 for an area that is not in sight.
    """
    chosen = grids_of(standing, area)
    codes, names, parents = (standing.grids.column(n) for n in range(3))
    if by == "town":
        return [whole(standing, area)]
    if by == GRID:
        return [Unit(codes[n], names[n], np.array([n])) for n in chosen]
    held: dict[str, list[int]] = {}
    for n in chosen:
        held.setdefault(parents[n], []).append(int(n))
    return [
        Unit(code, standing.names.get(code, code), np.array(held[code])) for code in sorted(held)
    ]


def whole(standing: Standing, area: str | None = None) -> Unit:
    """Return an area, or all that is in sight, as one unit."""
    chosen = grids_of(standing, area)
    codes, names, parents = (standing.grids.column(n) for n in range(3))
    if area is None:
        # The name of the town where all grids are of one; a code is a prefix of what is in it.
        towns = {parents[n][:9] for n in chosen}
        code = towns.pop() if len(towns) == 1 else None
    else:
        code = area
    known = {**standing.names, **dict(zip(codes, names, strict=True))}
    return Unit(code, known.get(code or "", code or "—"), chosen)


def grids_of(standing: Standing, area: str | None) -> Ints:
    """Return the numbers of an area's grids. Raises Problem 422 where none is in sight."""
    codes, parents = standing.grids.column(0), standing.grids.column(2)
    chosen = [
        n
        for n, (code, parent) in enumerate(zip(codes, parents, strict=True))
        if area is None or code == area or parent.startswith(area)
    ]
    if not chosen:
        raise Problem(
            422,
            f"没有编码为“{area}”的区域或网格，或不在您的范围内。",
            f"There is no area or grid {area} that you may see.",
        )
    return np.array(chosen, dtype=np.int64)


def table(town: Town, made: Cover, level: str, k: int = 1) -> dict[str, Floats]:
    """Return figures a row a grid: of each measure the whole, and what at least k cameras see."""
    seen, road = made.seen(level, GRID), made.road(level, GRID)
    tally = made.lengths[made.row(level), GRID]
    found = {
        "area": shapely.area(town.standing.grids.shapes),
        "area_seen": _column(seen, k),
        "road": tally.whole(),
        "road_seen": _column(road, k),
    }
    for name in ("households", "events"):
        points = made.points[made.row(level), GRID, name]
        found[name] = points.whole()
        found[f"{name}_seen"] = _column(points.at_least(), k)
    return found


def told(figures: Mapping[str, Floats], unit: Unit) -> dict[str, Any]:
    """Return a unit's figures: metres, square metres and counts, and shares (null: of nothing)."""
    sums = {name: float(values[unit.grids].sum()) for name, values in figures.items()}
    names = {"area": "m2", "road": "m"}
    made: dict[str, Any] = {"code": unit.code, "name": unit.name}
    for measure in MEASURES:
        # Sums of exact parts: what is seen may exceed the whole by the last digit.
        of, seen = sums[measure], min(sums[f"{measure}_seen"], sums[measure])
        name = f"{measure}_{names[measure]}" if measure in names else measure
        made |= {
            name: round(of, 3),
            f"{name}_seen": round(max(seen, 0.0), 3),
            f"{measure}_share": round(max(seen, 0.0) / of, 6) if of > 0 else None,
        }
    return made


def cameras(town: Town) -> dict[str, Floats]:
    """Return by grid how many cameras stand there, are not online, and are not counted."""
    number = {code: n for n, code in enumerate(town.standing.grid_codes)}
    made = {name: np.zeros(len(number)) for name in ("cameras", "offline", "not_counted")}
    for row in town.cameras.values():
        n = number.get(row["grid_now"])
        if n is not None:
            made["cameras"][n] += 1
            made["offline"][n] += row["status"] != "online"
            made["not_counted"][n] += row["code"] in town.refused
    return made


def counts(figures: Mapping[str, Floats], unit: Unit) -> dict[str, int]:
    """Return a unit's counts of cameras."""
    return {name: int(values[unit.grids].sum()) for name, values in figures.items()}


def surrounded(
    town: Town, made: Cover, level: str, chosen: Ints, *, around: float, k: int = 1
) -> list[dict[str, Any]]:
    """Return how much of the ground around each place of some grids at least k cameras see."""
    codes = {town.standing.grid_codes[n] for n in chosen}
    columns = [town.standing.places.column(n) for n in range(4)]
    here = [n for n, grid in enumerate(columns[3]) if grid in codes]
    if not here:
        return []
    zones = surroundings(town.standing.places.shapes[here], around)
    row = made.row(level)
    middle = np.asarray(shapely.get_coordinates(zones[0].centroid)[0])
    seen = _column(AreaTally.of(made.counted[:, row], Zones.read(zones), middle).at_least(), k)
    size = shapely.area(zones)
    return [
        {
            "code": columns[0][n], "name": columns[1][n], "kind": columns[2][n],
            "grid": columns[3][n], "area_m2": round(float(size[i]), 3),
            "area_m2_seen": round(float(seen[i]), 3),
            "area_share": round(float(min(seen[i] / size[i], 1.0)), 6),
        }
        for i, n in enumerate(here)
    ]  # fmt: skip


def losses(
    town: Town, made: Cover, level: str, chosen: Ints, most: int = 10
) -> list[dict[str, Any]]:
    """Return the cameras whose loss costs most of the ground of some grids, and what it costs."""
    row, n = made.row(level), len(made.cameras)
    area = made.areas[row, GRID].losses(n, chosen)
    points = {
        name: made.points[row, GRID, name].losses(n, chosen) for name in ("events", "households")
    }
    names = {camera["code"]: camera["name"] for camera in town.cameras.values()}
    order = sorted(range(n), key=lambda c: (-round(float(area[c]), 6), made.cameras[c].code))
    return [
        {
            "code": made.cameras[c].code,
            "name": names.get(made.cameras[c].code),
            "lost_m2": round(float(area[c]), 3),
            **{name: round(float(lost[c]), 3) for name, lost in points.items()},
        }
        for c in order[:most]
        if area[c] > 1e-6
    ]


def _column(figures: Floats, k: int) -> Floats:
    made: Floats = figures[:, k - 1] if k <= figures.shape[1] else np.zeros(len(figures))
    return made


def difference(after: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]) -> Any:
    """Return figures after less those before, unit by unit; names and wholes stay as they are."""
    made = []
    for new, old in zip(after, before, strict=True):
        row = {"code": new["code"], "name": new["name"]}
        for name, value in new.items():
            if name.endswith(("_seen", "_share")):
                row[name] = None if value is None else round(value - old[name], 6)
        made.append(row)
    return made
