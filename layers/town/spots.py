"""Where events can happen: buildings, roads and river banks, with a weight for every category."""

from dataclasses import dataclass

import numpy as np
import shapely

from layers.town import outline
from layers.town.blocks import Plan
from layers.town.buildings import Stock
from layers.town.coordinates import Array, Floats, Ints
from layers.town.grids import Division

_HAZARD_FORMS = {
    "fire": {"houses": 1.0, "hamlet": 0.5, "villas": 0.8, "slabs": 1.5, "midrise": 2.0,
             "towers": 3.0, "front": 2.0, "shops": 4.0, "market": 9.0, "sheds": 4.0,
             "school": 2.0, "hospital": 3.0},
    "gas": {"houses": 0.5, "villas": 0.8, "slabs": 2.0, "midrise": 2.5, "towers": 3.0,
            "front": 3.0, "shops": 3.0, "market": 4.0},
    "chemical": {"sheds": 1.0, "market": 0.4},
    "building": {"houses": 1.0, "hamlet": 0.9, "slabs": 0.4, "construction": 5.0, "market": 1.0},
    "geological": {"hamlet": 1.0},
}  # fmt: skip
"""How often a hazard is found at a building of each form; forms not named have none."""

_CALM_ROADS = {"trunk": 5.0, "primary": 3.0, "secondary": 2.0, "local": 0.6, "path": 0.1}


@dataclass(frozen=True, slots=True)
class Spots:
    """Places in plan metres, the weight of each by category, and its grid (-1 off the buildings).

    An event lies within ``half``, a vector in metres, to either side of a building's middle.

    The categories of disputes and of hazards have keys of their own: ``("disputes", "fire")``.
    """

    xy: Floats
    half: Floats
    form: Array
    grid: Array
    weights: dict[tuple[str, str], Floats]

    def draw(self, key: tuple[str, str], inside: Array, n: int, rng: np.random.Generator) -> Ints:
        """Draw ``n`` spots by weight, of those where ``inside`` holds."""
        cumulated = np.cumsum(self.weights[key] * inside)
        return np.asarray(np.searchsorted(cumulated, rng.random(n) * cumulated[-1], side="right"))


def spots(plan: Plan, stock: Stock, division: Division) -> Spots:
    """Gather the spots. Disputes at home go by households; hazards by what a building is."""
    road, road_weight = _road_spots(plan)
    river = _river_spots()
    size = (len(stock.xy), len(road), len(river))
    xy = np.vstack([stock.xy, road, river])
    form = np.concatenate([stock.form, np.full(size[1], "road"), np.full(size[2], "river")])

    def by_building(values: Floats) -> Floats:
        return np.concatenate([values, np.zeros(size[1] + size[2])])

    def by_form(values: dict[str, float]) -> Floats:
        return by_building(np.array([values.get(str(f), 0.0) for f in stock.form]))

    homes = by_building(stock.households)
    # Nobody manages the property of a house that stands alone.
    managed = np.where(np.isin(form, ["houses", "hamlet"]), 0.2, 1.0)
    trade = by_form({"shops": 6.0, "front": 2.0, "market": 12.0, "station": 4.0})
    labour = by_form(
        {"sheds": 4.0, "offices": 3.0, "shops": 1.5, "construction": 10.0, "market": 2.0}
    )
    traffic = np.concatenate([np.zeros(size[0]), road_weight, np.zeros(size[2])])
    rural = np.where(form == "hamlet", 6.0, np.where(form == "houses", 0.3, 0.0))
    weights = {
        ("disputes", "family"): homes,
        ("disputes", "neighbour"): homes,
        ("disputes", "property"): homes * managed,
        ("disputes", "land"): homes * rural,
        ("disputes", "labour"): labour,
        ("disputes", "contract"): homes / homes.sum() + trade / trade.sum(),
        ("disputes", "consumer"): trade,
        ("disputes", "medical"): homes / homes.sum() + by_form({"hospital": 0.4}),
        ("disputes", "traffic"): traffic,
        ("disputes", "environment"): homes,
        ("disputes", "other"): homes,
        ("hazards", "traffic"): traffic,
        ("hazards", "water"): np.concatenate([np.zeros(size[0] + size[1]), np.ones(size[2])]),
        ("hazards", "other"): by_building(np.ones(size[0])) + traffic / traffic.sum() * 1000,
    }
    weights |= {("hazards", k): by_form(v) for k, v in _HAZARD_FORMS.items()}
    half = np.vstack([stock.half * 0.8, np.zeros((size[1] + size[2], 2))])
    grid = np.concatenate([division.grid_of_block[stock.block], np.full(size[1] + size[2], -1)])
    return Spots(xy=xy, half=half, form=form, grid=grid, weights=weights)


def _road_spots(plan: Plan) -> tuple[Floats, Floats]:
    """Return places every 25 m or so on the carriageways, busier ones weighing more."""
    inner = outline.BOUNDARY.buffer(-15)
    found: list[Floats] = []
    weight: list[Floats] = []
    for s in plan.streets:
        at = np.arange(12.0, s.line.length, 25.0)
        if not len(at):
            continue
        xy = shapely.get_coordinates(shapely.line_interpolate_point(s.line, at))
        # Half a carriageway off the centre line, where grids may meet.
        xy += np.array([0.6, 0.8]) * s.width / 5
        xy = xy[shapely.contains_xy(inner, xy)]
        found.append(xy)
        weight.append(np.full(len(xy), _CALM_ROADS[s.road_class]))
    return np.vstack(found), np.concatenate(weight)


def _river_spots() -> Floats:
    inner = outline.BOUNDARY.buffer(-30)
    lines = [
        shapely.offset_curve(outline.RIVER, side * (outline.RIVER_WIDTH / 2 + 5))
        for side in (1, -1)
    ]
    at = np.arange(0.0, 1.0, 1 / 280)
    xy = shapely.get_coordinates(
        [shapely.line_interpolate_point(line, at, normalized=True) for line in lines]
    )
    return np.asarray(xy[shapely.contains_xy(inner, xy)])
