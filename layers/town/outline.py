"""The hand-drawn part of the town: river, main streets, old town, works, outer boundary.

Coordinates are metres east and north of ``coordinates.ORIGIN``. All of it is made up.
"""

from dataclasses import dataclass

import numpy as np
import shapely

from layers.town.coordinates import Floats, Shape


@dataclass(frozen=True, slots=True)
class Street:
    """A street's centre line; ``width`` in metres, ``road_class`` from ``ROAD_CLASS``."""

    name: str | None
    road_class: str
    width: float
    line: Shape


RIVER_WIDTH = 64.0
BANK = RIVER_WIDTH / 2 + 34.0
"""Distance in metres from the river's centre line to the riverside roads."""


def smooth(path: str, *, closed: bool = False, rounds: int = 3) -> Floats:
    """Return a path, given as ``x y, x y``, with corners cut (Chaikin 1974): a B-spline."""
    xy = np.array([point.split() for point in path.split(",")], dtype=float)
    for _ in range(rounds):
        here, after = (xy, np.roll(xy, -1, axis=0)) if closed else (xy[:-1], xy[1:])
        cut = np.stack([0.75 * here + 0.25 * after, 0.25 * here + 0.75 * after], axis=1)
        xy = cut.reshape(-1, 2) if closed else np.vstack([xy[:1], cut.reshape(-1, 2), xy[-1:]])
    return np.vstack([xy, xy[:1]]) if closed else xy


BOUNDARY = shapely.Polygon(
    smooth(
        "-2950 -900, -3150 250, -2550 1150, -2450 2050, -1350 2350, -250 2250, "
        "850 2560, 2100 2250, 2800 1550, 3080 450, 2720 -600, 2950 -1500, "
        "2050 -2300, 750 -2420, -550 -2250, -1650 -2560, -2650 -1950",
        closed=True,
        rounds=2,
    )
)

RIVER = shapely.LineString(
    smooth(
        "-1500 3000, -1175 2020, -390 1440, -460 785, 65 510, 150 85, "
        "-305 -305, -310 -755, 250 -1005, 600 -1540, 360 -2375, 500 -3000"
    )
)

OLD_TOWN = shapely.Polygon(
    smooth(
        "-910 395, -630 525, -330 565, -115 340, -95 100, -295 -105, -610 -130, -905 -60, -990 180",
        closed=True,
        rounds=2,
    )
)

WORKS = shapely.Polygon(
    smooth("1430 265, 3300 330, 3300 2000, 2300 2400, 1340 1565, 1190 1025", rounds=0)
)
"""The industrial park, in the north-east corner."""

ESTATES = shapely.Polygon(
    smooth(
        "-1900 -620, -1680 775, -945 1285, -275 1290, 690 1725, 1390 1305, "
        "1630 420, 2125 -90, 1735 -1070, 740 -1395, -245 -1505, -1275 -1230",
        closed=True,
        rounds=2,
    )
)
"""Where estates stand; what lies outside it, and outside the works, is villages and fields."""

_MAIN: list[tuple[str, str, float, str]] = [
    (
        "柳溪大道",
        "trunk",
        42,
        "-3400 -780, -2090 -510, -980 -250, -305 -210, 325 -240, 935 15, 1920 155, 3400 60",
    ),
    (
        "迎宾路",
        "primary",
        32,
        "620 2900, 640 1600, 475 745, 540 145, 750 -445, 730 -1105, 1270 -1975, 1400 -2800",
    ),
    (
        "人民路",
        "primary",
        28,
        "-1750 -2900, -1290 -1730, -1120 -710, -1060 -260, -1155 255, -1065 785, "
        "-1360 1360, -1900 2600",
    ),
    (
        "解放路",
        "secondary",
        22,
        "-3400 520, -2155 440, -1155 255, -585 240, -215 295, 215 240, "
        "510 305, 1355 375, 2135 770, 3300 760",
    ),
    ("文昌路", "secondary", 20, "-3400 -1700, -2270 -1310, -1135 -830, -300 -705"),
    (
        "学府路",
        "secondary",
        20,
        "-275 -555, 220 -675, 755 -570, 1440 -690, 3300 -700",
    ),
    (
        "中山路",
        "secondary",
        18,
        "-515 605, -465 240, -560 -145, -555 -765, -450 -1385",
    ),
    ("兴业路", "secondary", 24, "1030 1240, 1660 985, 2450 1500, 2500 2600"),
    ("东环支路", "secondary", 20, "1335 15, 1695 650, 1660 985"),
]

RING = shapely.Polygon(
    smooth(
        "-1555 50, -1460 745, -885 1140, -230 1065, 430 1225, 1105 1085, "
        "1355 385, 1345 -360, 1060 -980, 330 -1215, -385 -1400, -1250 -1110, "
        "-1620 -535",
        closed=True,
    )
)


def streets() -> list[Street]:
    """Return the main streets, riverside roads and ring roads, clipped to the boundary."""
    found = [Street(n, c, w, shapely.LineString(smooth(path))) for n, c, w, path in _MAIN]
    found.append(Street("环城路", "primary", 30.0, shapely.LineString(RING.exterior)))
    found.append(Street("老城环路", "secondary", 14.0, shapely.LineString(OLD_TOWN.exterior)))
    for side, name in ((1, "滨河东路"), (-1, "滨河西路")):
        bank = shapely.simplify(shapely.offset_curve(RIVER, side * BANK, quad_segs=4), 0.5)
        found.append(Street(name, "secondary", 16.0, bank))
    return [
        Street(s.name, s.road_class, s.width, part)
        for s in found
        for part in shapely.get_parts(shapely.intersection(s.line, BOUNDARY))
    ]
