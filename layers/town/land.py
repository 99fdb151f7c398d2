"""Land use: what every block serves, and which blocks are the town's schools, markets and so on."""

from dataclasses import dataclass

import numpy as np
import shapely

from layers.town.blocks import Plan
from layers.town.coordinates import Array, Floats


@dataclass(frozen=True, slots=True)
class Site:
    """A public place that takes a whole block. ``kind`` is from ``PLACE_KIND``."""

    name: str
    kind: str
    use: str
    block: int


# Name, place kind, land use, where to look for a block (plan metres), least size of the lot (m²).
_WANTED: tuple[tuple[str, str, str, tuple[int, int], int], ...] = (
    ("柳溪镇人民政府", "other", "civic", (730, -40), 12000),
    ("柳溪镇中心医院", "hospital", "hospital", (310, -360), 16000),
    ("柳溪镇中心小学", "school", "school", (-830, -130), 11000),
    ("柳溪镇第二小学", "school", "school", (240, 670), 12000),
    ("东桥小学", "school", "school", (950, 460), 12000),
    ("南苑小学", "school", "school", (-700, -920), 12000),
    ("柳溪中学", "school", "school", (980, -360), 18000),
    ("柳溪第二中学", "school", "school", (-800, 850), 15000),
    ("柳溪职业技术学校", "school", "school", (1110, 780), 15000),
    ("老街农贸市场", "market", "market", (-470, 310), 6500),
    ("东桥综合市场", "market", "market", (410, 180), 10000),
    ("柳溪建材市场", "market", "market", (1440, -40), 11000),
    ("柳溪汽车站", "station", "station", (650, -240), 10000),
    ("柳溪公园", "scenic", "park", (310, 460), 12000),
    ("望溪公园", "scenic", "park", (-590, -460), 12000),
    ("科创公园", "scenic", "park", (870, 870), 10000),
    ("城南体育公园", "scenic", "park", (180, -920), 12000),
    ("古槐园", "scenic", "park", (-310, 90), 3500),
    ("云锦府二期项目工地", "construction", "construction", (1100, -110), 12000),
    ("学府路安置房工地", "construction", "construction", (470, -840), 12000),
    ("环城北路改造项目部", "construction", "construction", (110, 1070), 9000),
    ("柳岸花园三期工地", "construction", "construction", (-1220, -310), 9000),
    ("标准厂房二期工地", "construction", "construction", (1660, 920), 15000),
    ("柳溪镇敬老院", "other", "civic", (-1180, 500), 6000),
    ("柳溪镇消防救援站", "other", "civic", (1000, 150), 6000),
    ("柳溪镇文化站", "other", "civic", (-180, 240), 3500),
)

_CENTRES = np.array([(470.0, 250.0), (610.0, -170.0), (-110.0, -240.0), (740.0, 330.0)])
"""Where shops and offices gather, in plan metres."""


def land_use(plan: Plan, rng: np.random.Generator) -> tuple[Array, list[Site]]:
    """Return the use of every block and the public places that take whole blocks."""
    middle = shapely.get_coordinates(shapely.centroid(plan.blocks))
    base = {
        "old": "houses",
        "works": "sheds",
        "hamlet": "hamlet",
        "bank": "bank",
        "estate": "slabs",
    }
    use = np.array([base.get(q, "field") for q in plan.quarter], dtype=object)
    estate = plan.quarter == "estate"
    use[estate] = _estate_forms(middle[estate], rng)
    room = _roomy(plan)
    sites: list[Site] = []
    for name, kind, purpose, near, size in _WANTED:
        away = np.hypot(*(middle - near).T)
        block = int(np.argmin(np.where(room > size, away, np.inf)))
        room[block] = 0.0
        use[block] = purpose
        sites.append(Site(name, kind, purpose, block))
    use[shapely.is_empty(plan.lots)] = "none"
    return use, sites


def _estate_forms(middle: Floats, rng: np.random.Generator) -> Array:
    """Return the form of each estate block; neighbours tend to be alike, as if built together."""
    wave = rng.normal(size=(6, 2)) / 330.0
    age = np.cos(middle @ wave.T + rng.uniform(0, 2 * np.pi, 6)).sum(axis=1)
    age += 0.5 * rng.normal(size=len(age)) - middle[:, 0] / 1100.0
    rank = np.argsort(np.argsort(age)) / len(age)
    form = np.select(
        [rank < 0.08, rank < 0.17, rank < 0.6, rank < 0.74, rank < 0.8],
        ["towers", "midrise", "slabs", "villas", "houses"],
        "open",
    ).astype(object)
    reach = np.linalg.norm(middle[:, None] - _CENTRES, axis=2).min(axis=1)
    form[np.argsort(reach + 120 * rng.random(len(reach)))[:24]] = "shops"
    return form


def _roomy(plan: Plan) -> Floats:
    """Return the areas of lots fit for a public place, in m²; 0 where a lot is not."""
    area = shapely.area(plan.lots)
    # A lot that fills little of its rectangle is a corner between curves: no place for a school.
    full = area > 0.62 * shapely.area(shapely.minimum_rotated_rectangle(plan.lots))
    return np.where(full & np.isin(plan.quarter, ["old", "estate", "works"]), area, 0.0)
