"""Disputes and hazards over three years: where, when, of what kind, and how far handled."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers.town import clusters
from layers.town.clusters import Cluster
from layers.town.coordinates import Array, Bools, Floats, Ints, points, table
from layers.town.grids import Division
from layers.town.rhythm import Calendar
from layers.town.spots import Spots

DISPUTES, HAZARDS, OPEN = 9400, 5359, 458

_SHARES = {
    "disputes": {
        "family": 0.13, "neighbour": 0.2, "property": 0.16, "land": 0.06, "labour": 0.08,
        "contract": 0.09, "consumer": 0.08, "medical": 0.02, "traffic": 0.06, "environment": 0.09,
        "other": 0.03,
    },
    "hazards": {
        "geological": 0.02, "fire": 0.31, "gas": 0.14, "chemical": 0.04, "traffic": 0.16,
        "building": 0.12, "water": 0.07, "other": 0.14,
    },
}  # fmt: skip

_BODIES = {
    "labour": "柳溪镇劳动人事争议调解中心",
    "medical": "云水县医疗纠纷人民调解委员会",
    "traffic": "柳溪交警中队道路交通事故纠纷调解室",
    "consumer": "柳溪市场监督管理所消费纠纷调解室",
}
_TOWN_BODY = "柳溪镇矛盾纠纷调处化解中心"
DAY = 86400


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Events in the order they were reported; times in seconds from the start of the record."""

    category: Array
    cluster: Ints
    xy: Floats
    grid: Ints
    occurred: Ints
    reported: Ints
    handling: Floats
    """Seconds from report to close before ``scale`` is applied."""


def events(
    places: Spots, division: Division, until: date, rng: np.random.Generator
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, list[dict[str, Any]]]:
    """Return disputes, hazards, and the truth of the planted clusters, the emerging one last."""
    calendar = Calendar(until)
    totals = {"disputes": DISPUTES, "hazards": HAZARDS}
    planted = [
        clusters.hot_spot(
            w, round(totals[w.layer] * _SHARES[w.layer][w.category]), places, calendar, rng
        )
        for w in clusters.WANTED
    ]
    usual = round(DISPUTES * _SHARES["disputes"]["property"])
    planted.append(clusters.emerging(usual, planted, places, division, calendar=calendar, rng=rng))
    drawn = {
        k: _draw(k, n, planted, places, division, calendar=calendar, rng=rng)
        for k, n in totals.items()
    }
    # A handling time is left open where the record ends first; the scale of handling times is
    # chosen so that this holds for exactly OPEN events.
    ratio = np.concatenate([(calendar.end - d.reported) / d.handling for d in drawn.values()])
    lowest = np.sort(ratio)
    scale = (lowest[OPEN - 1] + lowest[OPEN]) / 2
    disputes = _disputes(drawn["disputes"], scale, division, calendar, rng)
    hazards = _hazards(drawn["hazards"], scale, calendar, rng)
    codes = list(division.grids["code"])
    truth = []
    for n, cluster in enumerate(planted):
        made = (disputes if cluster.layer == "disputes" else hazards)["code"]
        mine = drawn[cluster.layer].cluster == n
        held = sorted({codes[g] for g in drawn[cluster.layer].grid[mine]})
        told = {"grids": held, "events": int(mine.sum()), "codes": list(made[mine])}
        truth.append(cluster.truth | told)
    return disputes, hazards, truth


def _draw(
    layer: str,
    total: int,
    planted: list[Cluster],
    places: Spots,
    division: Division,
    *,
    calendar: Calendar,
    rng: np.random.Generator,
) -> _Drawn:
    """Draw the usual events, add the planted ones, and put all in the order of their report."""
    shares = _SHARES[layer]
    own = [(n, c) for n, c in enumerate(planted) if c.layer == layer]
    usual = total - sum(len(c.spot) for _, c in own)
    everywhere = np.ones(len(places.xy))
    parts: list[tuple[Array, Ints, Ints, Ints]] = []
    counts = rng.multinomial(usual, list(shares.values()))
    for name, n in zip(shares, counts, strict=True):
        spot = places.draw((layer, name), everywhere, n, rng)
        second = calendar.draw((layer, name), np.ones(calendar.days), n, rng)
        parts.append((np.full(n, name, dtype=object), np.full(n, -1), spot, second))
    for k, c in own:
        size = len(c.spot)
        parts.append((np.full(size, c.category, dtype=object), np.full(size, k), c.spot, c.second))
    category, cluster, spot, occurred = (np.concatenate(p) for p in zip(*parts, strict=True))
    lag = np.zeros(total) if layer == "hazards" else rng.lognormal(8.6, 1.3, total)
    reported = np.minimum(
        occurred + lag.astype(np.int64), calendar.end - rng.integers(0, 600, total)
    )
    order = np.lexsort((occurred, reported))
    shift = rng.normal(0, 1.5, (total, 2)).clip(-clusters.JITTER, clusters.JITTER)
    xy = (places.xy[spot] + places.half[spot] * rng.uniform(-1, 1, (total, 1)) + shift)[order]
    median = 20 * DAY if layer == "disputes" else 9 * DAY
    return _Drawn(
        category=category[order],
        cluster=cluster[order],
        xy=xy,
        grid=_grids(xy, division),
        occurred=occurred[order],
        reported=reported[order],
        handling=rng.lognormal(np.log(median), 0.55, total) + 3600,
    )


def _grids(xy: Floats, division: Division) -> Ints:
    """Return the grid that holds each point; on a shared edge the lowest code."""
    point, grid = shapely.STRtree(division.grids["geom"]).query(points(xy), "intersects")
    # By falling grid, so that the lowest is written last; rows are in the order of their codes.
    order = np.argsort(-grid, kind="stable")
    held = np.full(len(xy), -1, dtype=np.int64)
    held[point[order]] = grid[order]
    if (held < 0).any():
        raise RuntimeError("an event lies outside the town")
    return held


def _disputes(
    drawn: _Drawn, scale: float, division: Division, calendar: Calendar, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    total = len(drawn.xy)
    is_open, closed = _closing(drawn, scale, calendar, rng)
    large = np.isin(drawn.category, ["labour", "land", "property", "environment"])
    u = rng.random(total)
    scales = np.select(
        [u < np.where(large, 0.035, 0.004), u < np.where(large, 0.2, 0.07)], [3, 2], 1
    )
    level = np.clip(scales + (rng.random(total) < 0.08) + (rng.random(total) < 0.02), 1, 4)
    people = np.select(
        [scales == 1, scales == 2],
        [2 + rng.binomial(2, 0.12, total), rng.integers(5, 30, total)],
        rng.integers(30, 121, total),
    )
    weekend = calendar.weekend[drawn.reported // DAY]
    hour = drawn.reported % DAY // 3600
    office = ~weekend & (hour >= 8) & (hour < 18)
    channel = np.where(
        office,
        rng.choice(["grid", "hotline", "window", "transfer", "online", "other"], total,
                   p=[0.4, 0.18, 0.24, 0.09, 0.07, 0.02]),
        rng.choice(["grid", "hotline", "online", "transfer"], total, p=[0.42, 0.36, 0.17, 0.05]),
    )  # fmt: skip
    age = (calendar.end - drawn.reported) / DAY
    # Thirty days to mediate, and as long again where the parties agree; more for grave ones.
    term = np.where(level >= 3, 90, 60)
    raised = (level >= 3) | (rng.random(total) < 0.03)
    state = np.select(
        [age < 1.5, age < 5, raised], ["registered", "accepted", "escalated"], "mediating"
    )
    done = np.where(rng.random(total) < 0.8, "closed", "resolved")
    names = list(division.areas["name"][2:])
    community = division.community_of_grid[drawn.grid]
    body = [
        _TOWN_BODY if big else _BODIES.get(str(k), f"{names[c]}人民调解委员会")
        for big, k, c in zip(raised, drawn.category, community, strict=True)
    ]
    low = np.select([channel == "grid", channel == "hotline"], [5.0, 20.0], 10.0)
    high = np.select([channel == "grid", channel == "hotline"], [15.0, 50.0], 35.0)
    return table(
        {
            "code": _codes("JF", drawn.reported, calendar),
            "category": drawn.category,
            "scale": [f"{s:02d}" for s in scales],
            "level": level.astype(str),
            "channel": channel,
            "status": np.where(is_open, state, done),
            "occurred_at": _times(drawn.occurred, calendar),
            "reported_at": _times(drawn.reported, calendar),
            "due_at": _times((drawn.reported // DAY + term + 1) * DAY - 1, calendar),
            "closed_at": _times(closed, calendar, absent=is_open),
            "people": people,
            "organisation": body,
            "accuracy": np.round(rng.uniform(low, high)),
        },
        points(drawn.xy),
    )


def _hazards(
    drawn: _Drawn, scale: float, calendar: Calendar, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    total = len(drawn.xy)
    is_open, closed = _closing(drawn, scale, calendar, rng)
    level = rng.choice([1, 2, 3, 4], total, p=[0.76, 0.19, 0.045, 0.005])
    term = np.array([30, 15, 7, 3])[level - 1]
    age = (calendar.end - drawn.reported) / DAY
    step = age / (term * rng.uniform(0.6, 1.6, total))
    state = np.select(
        [step < 0.08, step < 0.25, step < 0.85], ["found", "assigned", "rectifying"], "rectified"
    )
    state = np.where((age > term) & (rng.random(total) < 0.55), "rectifying", state)
    return table(
        {
            "code": _codes("YH", drawn.reported, calendar),
            "category": drawn.category,
            "level": level.astype(str),
            "status": np.where(is_open, state, "verified"),
            "found_at": _times(drawn.occurred, calendar),
            "due_at": _times((drawn.reported // DAY + term + 1) * DAY - 1, calendar),
            "closed_at": _times(closed, calendar, absent=is_open),
            "source": rng.choice(
                ["patrol", "hotline", "inspection", "sensor", "other"], total,
                p=[0.58, 0.14, 0.19, 0.06, 0.03],
            ),
        },
        points(drawn.xy),
    )  # fmt: skip


def _closing(
    drawn: _Drawn, scale: float, calendar: Calendar, rng: np.random.Generator
) -> tuple[Bools, Ints]:
    """Return which events are open, and when the others were closed, in office hours if may be."""
    closed = drawn.reported + np.floor(drawn.handling * scale).astype(np.int64)
    office = closed // DAY * DAY + rng.integers(8 * 3600 + 1800, 17 * 3600 + 1800, len(closed))
    is_open = (calendar.end - drawn.reported) / drawn.handling < scale
    return is_open, np.where(office > drawn.reported, office, closed)


def _codes(prefix: str, reported: Ints, calendar: Calendar) -> list[str]:
    """Return codes of year and serial number within the year, in the order of the report."""
    year = _times(reported, calendar).year.to_numpy()
    first = {y: int(np.argmax(year == y)) for y in np.unique(year)}
    return [f"{prefix}{y}{n - first[y] + 1:06d}" for n, y in enumerate(year)]


def _times(second: Ints, calendar: Calendar, absent: Bools | None = None) -> pd.DatetimeIndex:
    """Return times in Asia/Shanghai, which has kept one offset since 1991."""
    moment = np.datetime64(calendar.first, "s") + second.astype("timedelta64[s]")
    if absent is not None:
        moment[absent] = np.datetime64("NaT")
    return pd.DatetimeIndex(moment).tz_localize("Asia/Shanghai")
