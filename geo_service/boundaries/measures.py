"""What is measured of a grid's shape on its ground, and remembered for that shape."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from geo_service.boundaries.figures import figures
from geo_service.boundaries.lattice import Floats, Shape
from geo_service.boundaries.survey import Ground

MEASURES = (
    "households", "population", "buildings", "events", "cameras", "area_m2", "road_m",
    "polsby_popper", "reock", "cut_buildings", "parts",
)  # fmt: skip
"""What is measured of a shape, in the order of a row of figures."""

_KEPT = 6
"""Shapes whose figures are remembered, for each grid there is; 50,000 at least."""


@dataclass(frozen=True, eq=False)
class Row:
    """Figures of one shape without points on its edge, and those points: (set, position)."""

    shape: Shape
    figures: Floats
    edge: tuple[tuple[int, int], ...]


def measured(codes: Sequence[str], shapes: list[Shape], ground: Ground) -> list[Row]:
    """Return the figures of each shape, measured where nobody measured that shape before."""
    kept = ground.kept
    # A row holds on to its shape: while it is kept, no other object has that identity.
    found: list[Row | None] = list(map(kept.get, map(id, shapes)))
    missing = [i for i, row in enumerate(found) if row is None]
    # A coverage read anew holds equal shapes that are other objects.
    known = [(i, row) for i in missing if (row := kept.get(codes[i])) is not None]
    if known:
        same = shapely.equals_identical(
            [shapes[i] for i, _ in known], [row.shape for _, row in known]
        )
        for (i, row), equal in zip(known, same, strict=True):
            if equal:
                found[i] = kept[id(shapes[i])] = replace(row, shape=shapes[i])
        missing = [i for i in missing if found[i] is None]
    if missing:
        if len(kept) > max(_KEPT * len(shapes), 50_000):
            kept.clear()
            kept.update((id(row.shape), row) for row in found if row is not None)
        fresh = _fresh(np.array([shapes[i] for i in missing], dtype=object), ground)
        for i, row in zip(missing, fresh, strict=True):
            found[i] = kept[id(row.shape)] = row
            kept.setdefault(codes[i], row)
    return [row for row in found if row is not None]


def _fresh(shapes: Any, ground: Ground) -> list[Row]:
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
        count_points(table, k, shape[inside], point[inside], ground)
    plan = ground.metric(shapes)
    found = figures(shapes, ground.longitude)
    table[:, 5], table[:, 7], table[:, 8] = found.area, found.polsby_popper, found.reock
    table[:, 6] = _road_lengths(plan, ground)
    cut, _ = np.unique(
        np.column_stack(ground.cores.query(shapely.boundary(plan), predicate="intersects")), axis=0
    ).T.reshape(2, -1)
    table[:, 9] = np.bincount(cut, minlength=count)
    table[:, 10] = found.parts
    return [Row(shapes[i], table[i], tuple(edge[i])) for i in range(count)]


def count_points(table: Floats, k: int, shape: Any, point: Any, ground: Ground) -> None:
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
