"""How even grids are: households, buildings, events, roads and shape of each, and their spread.

What a grid holds is counted by point: a building counts whole where its point on surface lies, and
a point on a shared edge belongs to the lowest code. Road length is counted by sides: half for each
side of the centre line, in the grid where that side lies, so that a road along a shared edge counts
half for both grids and the lengths of all grids sum to that of all roads in them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import shapely

from geo_service.boundaries.figures import figures
from geo_service.boundaries.lattice import Floats, Shape
from geo_service.boundaries.survey import Ground, holders

__all__ = ["MEASURES", "Ground", "Limits", "balance"]

MEASURES = (
    "households", "population", "buildings", "events", "cameras", "area_m2", "road_m",
    "polsby_popper", "reock", "cut_buildings", "parts",
)  # fmt: skip
"""What is measured of a shape, in the order of a row of figures."""

_SPREAD = (*MEASURES[:-2], "staff")

_WHOLE = {"households", "population", "buildings", "events", "cameras", "cut_buildings", "parts"}

_DIGITS = {"area_m2": 1, "road_m": 1, "polsby_popper": 4, "reock": 4}

_KEPT = 50_000
"""Shapes whose figures are remembered."""


class Grids(Protocol):
    """Grids by code: a mapping, or a :class:`~geo_service.boundaries.topology.Coverage`."""

    def __getitem__(self, code: str, /) -> Any:
        """Return the polygon of a grid (EPSG:4326)."""

    def __iter__(self) -> Any:
        """Iterate over the codes."""

    def __contains__(self, code: object, /) -> bool:
        """Tell whether there is such a code."""


@dataclass(frozen=True)
class Limits:
    """How many households a basic grid should have, both ends included.

    300 to 500 is what provinces commonly ask for. Raises ValueError where low exceeds high.
    """

    low: int = 300
    high: int = 500

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise ValueError(f"Limits of households must be 0 <= low <= high, not {self}.")

    def state(self, households: float) -> str:
        """Return ``below``, ``within`` or ``above``.

        >>> [Limits().state(count) for count in (299, 300, 500, 501)]
        ['below', 'within', 'within', 'above']
        """
        if households < self.low:
            return "below"
        return "above" if households > self.high else "within"


@dataclass(frozen=True, eq=False)
class _Row:
    """Figures of one shape without points on its edge, and those points: (set, position)."""

    shape: Shape
    figures: Floats
    edge: tuple[tuple[int, int], ...]


def balance(
    shapes: Grids,
    ground: Ground,
    codes: Iterable[str] | None = None,
    limits: Limits | None = None,
    kinds: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the balance of some grids, by default all, and the spread over the area's basic grids.

    ``shapes`` are all grids as they are now (EPSG:4326), ``codes`` those to tell about; one that is
    not among the shapes is passed over, ``kinds`` the kinds of those that are not on record or not
    as there, else basic. What was measured before is measured again only where a
    shape has changed. The result can be written as JSON:

    ``grids`` has a row for each code: ``code``, ``name``, ``kind``, ``households``, ``population``,
    ``buildings``, ``events`` and ``cameras`` (counts), ``staff``, ``area_m2`` and ``road_m``,
    ``polsby_popper`` and ``reock``, ``parts``, ``cut_buildings`` (outlines that the grid's edge
    runs through by more than 10 cm), ``state`` by the limits; special grids have none and count as
    within. ``town`` gives ``min``, ``max``, ``mean`` and ``cv`` (standard deviation over mean, None
    where the mean is 0) of each measure over the basic grids of the area. ``window`` are the days
    that events are from, ``note`` what was estimated, or None.

    Population is that of the grids on record, spread over buildings by their households. Staff stay
    with their code; those of a code that is gone go to the grid that took most of its households.

    >>> from geo_service.boundaries.survey import Record
    >>> west, east = shapely.box(117, 31, 117.01, 31.01), shapely.box(117.01, 31, 117.02, 31.01)
    >>> ground = Ground(
    ...     grids={"1": Record(west, staff=1), "2": Record(east, staff=2)},
    ...     points=np.array([[117.01, 31.005], [117.015, 31.005]]),
    ...     buildings=shapely.buffer(shapely.points([[117.01, 31.005], [117.015, 31.005]]), 1e-4),
    ...     households=np.array([320.0, 12.0]),
    ... )
    >>> found = balance({"1": west, "2": east}, ground)
    >>> [(row["households"], row["cut_buildings"], row["state"]) for row in found["grids"]]
    [(320, 1, 'within'), (12, 1, 'below')]
    """
    limits = limits or Limits()
    every = sorted(shapes)
    rows = _rows(every, [shapes[code] for code in every], ground)
    table = np.array([row.figures for row in rows]).reshape(-1, len(MEASURES))
    _add_edges(table, rows, ground)
    staff = _staff(every, rows, ground)
    record = ground.grids
    kind = {code: record[code].kind if code in record else "basic" for code in every}
    kind |= {code: known for code, known in (kinds or {}).items() if code in kind}
    basic = np.array([
        kind[code] == "basic" and (code not in record or record[code].inside) for code in every
    ], dtype=bool)  # fmt: skip
    name = {code: record[code].name for code in every if code in record}
    place = {code: i for i, code in enumerate(every)}
    wanted = every if codes is None else sorted({code for code in codes if code in place})
    return {
        "limits": {"households": [limits.low, limits.high]},
        "grids": [_told({"code": code, "name": name.get(code, ""), "kind": kind[code]},
                        table[place[code]], staff[place[code]], limits)
                  for code in wanted],
        "town": _spread(np.column_stack([table, staff])[basic]),
        "window": [day.isoformat() for day in ground.window] if ground.window else None,
        "note": dict(zip(("zh", "en"), note, strict=True)) if (note := ground.note()) else None,
    }  # fmt: skip


def _told(whose: dict[str, Any], figures: Floats, staff: float, limits: Limits) -> dict[str, Any]:
    told = dict(whose)
    for key, value in zip(MEASURES, figures.tolist(), strict=True):
        told[key] = round(value) if key in _WHOLE else round(value, _DIGITS[key])
    told["staff"] = round(staff)
    told["state"] = "within" if told["kind"] != "basic" else limits.state(told["households"])
    return told


def _spread(table: Floats) -> dict[str, Any]:
    """Return min, max, mean and coefficient of variation of each measure over n grids."""
    names = (*MEASURES, "staff")
    told: dict[str, Any] = {"grids": len(table)}
    for name in _SPREAD:
        column = table[:, names.index(name)]
        digits = _DIGITS.get(name, 2)
        mean = float(column.mean()) if len(column) else 0.0
        told[name] = {
            "min": round(float(column.min()), digits) if len(column) else None,
            "max": round(float(column.max()), digits) if len(column) else None,
            "mean": round(mean, digits) if len(column) else None,
            "cv": round(float(column.std()) / mean, 4) if mean else None,
        }
    return told


def _rows(codes: Sequence[str], shapes: list[Shape], ground: Ground) -> list[_Row]:
    """Return the figures of each shape, measured where nobody measured that shape before."""
    kept = ground.kept
    found: list[_Row | None] = [
        row if (row := kept.get(id(shape))) is not None and row.shape is shape else None
        for shape in shapes
    ]
    missing = [i for i, row in enumerate(found) if row is None]
    # A coverage read anew holds equal shapes that are other objects.
    known = [(i, row) for i in missing if (row := kept.get(codes[i])) is not None]
    if known:
        same = shapely.equals_identical(
            [shapes[i] for i, _ in known], [row.shape for _, row in known]
        )
        for (i, row), equal in zip(known, same, strict=True):
            if equal:
                found[i] = row
        missing = [i for i in missing if found[i] is None]
    if missing:
        if len(kept) > _KEPT:
            kept.clear()
        fresh = _measured(np.array([shapes[i] for i in missing], dtype=object), ground)
        for i, row in zip(missing, fresh, strict=True):
            found[i] = kept[id(row.shape)] = row
            kept.setdefault(codes[i], row)
    return [row for row in found if row is not None]


def _measured(shapes: Any, ground: Ground) -> list[_Row]:
    count = len(shapes)
    table = np.zeros((count, len(MEASURES)))
    edge: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    shapely.prepare(shapes)
    homes = ground.homes
    for k, tree in enumerate(ground.trees):
        shape, point = tree.query(shapes, predicate="intersects")
        xy = (homes.points, ground.events, ground.cameras)[k][point]
        inside = shapely.contains_xy(shapes[shape], xy[:, 0], xy[:, 1])
        for i, p in zip(shape[~inside].tolist(), point[~inside].tolist(), strict=True):
            edge[i].append((k, p))
        _count(table, k, shape[inside], point[inside], ground)
    plan = ground.metric(shapes)
    found = figures(shapes, ground.longitude)
    table[:, 5], table[:, 7], table[:, 8] = found.area, found.polsby_popper, found.reock
    table[:, 6] = _road_lengths(plan, ground)
    cut, _ = np.unique(
        np.column_stack(ground.cores.query(shapely.boundary(plan), predicate="intersects")), axis=0
    ).T.reshape(2, -1)
    table[:, 9] = np.bincount(cut, minlength=count)
    table[:, 10] = found.parts
    return [_Row(shapes[i], table[i], tuple(edge[i])) for i in range(count)]


def _count(table: Floats, k: int, shape: Any, point: Any, ground: Ground) -> None:
    """Add points of one set to the grids that hold them."""
    count = len(table)
    if k:
        table[:, 2 + k] += np.bincount(shape, minlength=count)
        return
    homes = ground.homes
    table[:, 0] += np.bincount(shape, homes.households[point], minlength=count)
    table[:, 1] += np.bincount(shape, homes.people[point], minlength=count)
    table[:, 2] += np.bincount(shape[point < len(ground.points)], minlength=count)


def _road_lengths(plan: Any, ground: Ground) -> Floats:
    lines, tree = ground.sides
    if not len(lines):
        return np.zeros(len(plan))
    shapely.prepare(plan)
    shape, line = tree.query(plan, predicate="intersects")
    length = shapely.length(lines[line])
    cut = np.flatnonzero(~shapely.covers(plan[shape], lines[line]))
    length[cut] = shapely.length(shapely.intersection(lines[line[cut]], plan[shape[cut]]))
    half: Floats = np.bincount(shape, length, minlength=len(plan)) / 2
    return half


def _add_edges(table: Floats, rows: Sequence[_Row], ground: Ground) -> None:
    """Give each point on an edge to the lowest code that has it; rows are in order of code."""
    seen: set[tuple[int, int]] = set()
    for i, row in enumerate(rows):
        for k, point in row.edge:
            if (k, point) not in seen:
                seen.add((k, point))
                _count(table[i : i + 1], k, np.zeros(1, np.int64), np.array([point]), ground)


def _staff(codes: Sequence[str], rows: Sequence[_Row], ground: Ground) -> Floats:
    record = ground.grids
    place = {code: i for i, code in enumerate(codes)}
    staff = np.array([float((record[c].staff or 0) if c in record else 0) for c in codes])
    gone = [code for code, each in record.items() if code not in place and each.staff]
    if not gone:
        return staff
    # What a grid that is gone held lies in grids that are not as they were.
    changed = [
        code
        for code, row in zip(codes, rows, strict=True)
        if code not in record
        or not (
            record[code].shape is row.shape
            or shapely.equals_identical(record[code].shape, row.shape)
        )
    ]
    names = list(record)
    past = {names.index(code): code for code in gone}
    homes = np.flatnonzero(np.isin(ground.owners, list(past)))
    # Its own middle decides where it held nothing.
    middle = shapely.get_coordinates(shapely.point_on_surface([record[c].shape for c in gone]))
    points = np.r_[ground.points[homes], middle]
    weight = np.r_[ground.homes.households[homes], np.full(len(gone), 1e-6)]
    was = [past[int(i)] for i in ground.owners[homes]] + gone
    now = holders(changed, [rows[place[code]].shape for code in changed], points)
    took: dict[str, dict[str, float]] = {}
    for code, taker, share in zip(was, now.tolist(), weight.tolist(), strict=True):
        if taker >= 0:
            shares = took.setdefault(code, {})
            shares[changed[taker]] = shares.get(changed[taker], 0.0) + share
    for code, shares in took.items():
        heir = max(sorted(shares), key=lambda name: shares[name])
        staff[place[heir]] += float(record[code].staff or 0)
    return staff
