"""Planted truth: hot spots that are really there, and one that has just begun."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from layers.town.coordinates import Floats, Ints, lonlat
from layers.town.grids import Division
from layers.town.rhythm import Calendar
from layers.town.spots import Spots

EMERGING, EMERGING_DAYS = 26, 14
JITTER = 3.5
"""Metres, along each axis, by which an event may lie off its building's long axis."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A hot spot as wished: near ``target`` (plan metres), ``risk`` times the usual frequency.

    ``span`` is the stretch of the three years in which it lasts, as shares; ``months`` limits it
    to a season.
    """

    name: str
    layer: str
    category: str
    target: tuple[float, float]
    forms: tuple[str, ...]
    radius: float
    risk: float
    span: tuple[float, float] = (0.0, 1.0)
    months: tuple[int, ...] = tuple(range(1, 13))


_HOMES = ("slabs", "midrise", "towers")
WANTED = (
    Wanted("东桥片区物业纠纷", "disputes", "property", (900, 250), _HOMES, 260, 3.0),
    Wanted("老街邻里纠纷", "disputes", "neighbour", (-500, 160), ("houses",), 200, 3.4),
    Wanted("工业园劳动争议", "disputes", "labour", (1900, 950), ("sheds",), 400, 3.2, (2 / 3, 1.0)),
    Wanted(
        "商贸街消防隐患", "hazards", "fire", (420, 160), ("shops", "market"), 220, 3.5, (0.0, 0.42)
    ),
    Wanted(
        "滨河夜市噪声", "disputes", "environment", (-130, -560), _HOMES, 240, 5.0, months=(6, 7, 8)
    ),
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A planted cluster: events as spots and seconds from the start, and what is told of it."""

    layer: str
    category: str
    spot: Ints
    second: Ints
    centre: Floats
    radius: float
    truth: dict[str, Any]


def hot_spot(
    wanted: Wanted, total: int, places: Spots, calendar: Calendar, rng: np.random.Generator
) -> Cluster:
    """Plant one hot spot, where ``total`` events of its category are usual in the three years."""
    key = (wanted.layer, wanted.category)
    weight = places.weights[key]
    fit = np.isin(places.form, wanted.forms) & (weight > 0)
    away = np.hypot(*(places.xy - wanted.target).T)
    centre = places.xy[int(np.argmin(np.where(fit, away, np.inf)))]
    # Spots that reach over the rim are left out, so that every event lies inside.
    inside = _reach(places, centre) < wanted.radius
    first, last = (round(s * (calendar.days - 1)) for s in wanted.span)
    day = np.arange(calendar.days)
    on = (day >= first) & (day <= last) & np.isin(calendar.month + 1, wanted.months)
    usual = total * weight[inside].sum() / weight.sum() * calendar.weights(key)[on].sum()
    extra = max(20, round((wanted.risk - 1) * usual))
    return Cluster(
        layer=wanted.layer,
        category=wanted.category,
        spot=places.draw(key, inside, extra, rng),
        second=calendar.draw(key, on.astype(float), extra, rng),
        centre=centre,
        radius=wanted.radius,
        truth={
            "name": wanted.name,
            "layer": wanted.layer,
            "category": wanted.category,
            "center": lonlat(centre[None])[0].tolist(),
            "radius_m": float(wanted.radius),
            "start": str(calendar.first + timedelta(days=first)),
            "end": str(calendar.first + timedelta(days=last)),
            "months": list(wanted.months),
            "relative_risk": float(round(1 + extra / usual, 2)),
        },
    )


def emerging(
    total: int,
    taken: list[Cluster],
    places: Spots,
    division: Division,
    *,
    calendar: Calendar,
    rng: np.random.Generator,
) -> Cluster:
    """Plant the cluster of the last fourteen days, in two grids side by side away from the rest."""
    key = ("disputes", "property")
    weight = places.weights[key]
    basic = (division.grids["kind"] == "basic").to_numpy()
    busy = np.bincount(places.grid[places.grid >= 0], weight[places.grid >= 0], len(basic))
    held = [places.xy[places.grid == n] for n in range(len(basic))]
    far = np.array(
        [all((np.hypot(*(xy - c.centre).T) > c.radius + 120).all() for c in taken) for xy in held]
    )
    spread = np.array([np.ptp(xy, axis=0).max() if len(xy) else 0.0 for xy in held])
    good = basic & (busy > 220) & far & (spread < 330)
    pairs = [p for p in division.neighbours if good[p[0]] and good[p[1]]]
    if not pairs:
        raise RuntimeError("no two grids side by side are free for the emerging cluster")
    pair = pairs[int(rng.integers(len(pairs)))]
    inside = np.isin(places.grid, pair)
    spot = places.draw(key, inside, EMERGING, rng)
    centre = (places.xy[spot].min(axis=0) + places.xy[spot].max(axis=0)) / 2
    radius = float(np.ceil(_reach(places, centre)[spot].max() / 10) * 10)
    on = (np.arange(calendar.days) >= calendar.days - EMERGING_DAYS).astype(float)
    usual = total * weight[inside].sum() / weight.sum() * (calendar.weights(key) * on).sum()
    start = calendar.until - timedelta(days=EMERGING_DAYS - 1)
    return Cluster(
        layer=key[0],
        category=key[1],
        spot=spot,
        second=calendar.draw(key, on, EMERGING, rng),
        centre=centre,
        radius=radius,
        truth={
            "name": "新近物业纠纷",
            "layer": key[0],
            "category": key[1],
            "center": lonlat(centre[None])[0].tolist(),
            "radius_m": radius,
            "start": str(start),
            "end": str(calendar.until),
            "months": list(range(1, 13)),
            "relative_risk": float(round(1 + EMERGING / usual, 2)),
        },
    )


def _reach(places: Spots, centre: Floats) -> Floats:
    """Return how far from ``centre`` the events of each spot may lie, in metres."""
    away = np.hypot(*(places.xy - centre).T) + np.hypot(*places.half.T)
    return np.asarray(away + JITTER * np.sqrt(2))
