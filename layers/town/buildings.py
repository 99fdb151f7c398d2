"""Buildings: footprints in rows along their block's streets, with floors and households."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from layers.town.blocks import Plan
from layers.town.coordinates import Array, Floats, Ints, project, rotate, table
from layers.town.forms import FORMS

COUNT = 4531
HOUSEHOLDS = 38800
"""Households aimed at; rounding to whole households a building moves the total a little."""

# Plain, L and U, in a square of side 1.
_SHAPES = (
    np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]),
    np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (0.1, 0.5), (0.1, 0.0), (-0.5, 0.0)]),
    np.array(
        [-0.5, -0.5, 0.5, -0.5, 0.5, 0.5, 0.22, 0.5, 0.22, -0.1, -0.22, -0.1, -0.22, 0.5, -0.5, 0.5]
    ).reshape(-1, 2),
)


@dataclass(frozen=True, slots=True)
class Stock:
    """The building stock: the table, and by row the outline, middle, half length, block and form.

    ``shape``, ``xy`` and the vector ``half``, along the building, are in plan metres.
    """

    table: gpd.GeoDataFrame
    shape: Array
    xy: Floats
    half: Floats
    block: Ints
    form: Array

    @property
    def households(self) -> Floats:
        """Households by row."""
        return np.asarray(self.table["households"], dtype=float)


def build(plan: Plan, use: Array, rng: np.random.Generator) -> Stock:
    """Return exactly ``COUNT`` buildings, each inside its block's lot, none touching another."""
    built = np.flatnonzero(np.isin(use, list(FORMS)))
    parts = [_block(plan.lots[b], float(plan.angle[b]), str(use[b]), rng) for b in built]
    polygons = np.concatenate([p[0] for p in parts])
    xy = np.concatenate([p[1] for p in parts])
    half = np.concatenate([p[2] for p in parts])
    form = np.concatenate([p[3] for p in parts])
    block = np.repeat(built, [len(p[0]) for p in parts])
    # More small houses are drawn than stand: what is over is left as yards.
    small = np.flatnonzero(np.isin(form, ["houses", "hamlet"]))
    over = len(form) - COUNT
    if not 0 <= over <= len(small):
        raise RuntimeError(f"the plan holds {len(form)} buildings, {COUNT} are wanted")
    keep = np.setdiff1d(np.arange(len(form)), rng.choice(small, over, replace=False))
    # Numbered from north to south, as a survey would.
    keep = keep[np.lexsort((xy[keep, 0], -np.round(xy[keep, 1] / 150)))]
    polygons, xy, half, form, block = (a[keep] for a in (polygons, xy, half, form, block))
    of = [FORMS[str(f)] for f in form]
    floors = np.array([rng.integers(f.floors[0], f.floors[1] + 1) for f in of])
    storey = np.array([rng.uniform(*f.storey) for f in of])
    lived = np.array([f.homes for f in of]) * shapely.area(polygons) * floors
    households = np.round(lived * HOUSEHOLDS / lived.sum()).astype(int)
    made = table(
        {
            "code": [f"B{n:06d}" for n in range(1, COUNT + 1)],
            "height": np.round(floors * storey, 1),
            "floors": floors,
            "households": np.where(lived > 0, np.maximum(households, 1), 0),
            "use": [f.use for f in of],
        },
        project(polygons),
    )
    return Stock(table=made, shape=polygons, xy=xy, half=half, block=block, form=form)


def _block(
    lot: Array, angle: float, use: str, rng: np.random.Generator
) -> tuple[Array, Floats, Floats, Array]:
    """Fill a lot with rows; return footprints, middles, half lengths and forms."""
    local = shapely.transform(lot, lambda xy: rotate(xy, -angle))
    boxes, form = _rows(local, use, rng)
    mirrored = rng.choice([-1.0, 1.0], size=(len(boxes), 2))
    plans = [rng.choice(3, p=FORMS[str(f)].shapes) for f in form]
    polygons = np.array(
        [
            shapely.Polygon(_SHAPES[k] * m * b[2:] + b[:2])
            for k, m, b in zip(plans, mirrored, boxes, strict=True)
        ],
        dtype=object,
    )
    thin = 0.25 + 0.75 * rng.random() if use == "hamlet" else 1.0
    kept = np.array([FORMS[str(f)].kept for f in form]) * thin
    shapely.prepare(local)
    good = shapely.covers(local, polygons) & (rng.random(len(boxes)) < kept)
    turned = shapely.transform(polygons[good], lambda xy: rotate(xy, angle))
    half = boxes[good][:, [2]] / 2 * [np.cos(angle), np.sin(angle)]
    return turned, rotate(boxes[good, :2], angle), half, form[good]


def _rows(lot: Array, use: str, rng: np.random.Generator) -> tuple[Floats, Array]:
    """Return boxes (middle x and y, length, depth) in rows from south to north, and their forms."""
    _, south, _, north = shapely.bounds(lot)
    first = {"slabs": "front", "sheds": "offices"}.get(use) if rng.random() < 0.4 else None
    base: list[float] = []
    depths: list[float] = []
    forms: list[str] = []
    y = south + 0.5
    while True:
        name = first if first and not base else use
        depth = rng.uniform(*FORMS[name].depth)
        if y + depth > north:
            break
        base.append(y)
        depths.append(depth)
        forms.append(name)
        # Behind a row of another form there is the distance of the form that follows.
        step = rng.uniform(*FORMS[use].pitch)
        y += max(step, depth + 2.0) if name == use else depth + 10.0
    spare = north - 0.5 - (base[-1] + depths[-1]) if base else 0.0
    low = np.array(base) + spare / 2
    high = low + depths
    # The stretch that lies in the lot along both sides of the row.
    reach = np.array([-1e4, 1e4])
    ends = [
        shapely.bounds(
            shapely.intersection(
                lot, [shapely.LineString(np.column_stack([reach, [y, y]])) for y in side]
            )
        )
        for side in (low, high)
    ]
    boxes: list[tuple[float, float, float, float]] = []
    found: list[str] = []
    for n, name in enumerate(forms):
        form = FORMS[name]
        left = max(ends[0][n, 0], ends[1][n, 0]) + 0.3
        right = min(ends[0][n, 2], ends[1][n, 2]) - 0.3
        room = right - left
        mean_length, mean_gap = np.mean(form.length), np.mean(form.gap)
        if not room >= form.length[0]:
            continue
        count = max(1, round((room + mean_gap) / (mean_length + mean_gap)))
        length = rng.uniform(*form.length, size=count)
        gap = np.append(rng.uniform(*form.gap, size=count - 1), 0.0)
        length *= min((room - gap.sum()) / length.sum(), 1.25)
        start = left + np.append(0.0, np.cumsum(length + gap)[:-1])
        start += (room - (length.sum() + gap.sum())) * rng.random()
        deep = depths[n] * rng.uniform(0.86, 1.0, size=count)
        middle = low[n] + depths[n] / 2
        boxes += zip(start + length / 2, np.full(count, middle), length, deep, strict=True)
        found += [name] * count
    return np.array(boxes, dtype=float).reshape(-1, 4), np.array(found, dtype=object)
