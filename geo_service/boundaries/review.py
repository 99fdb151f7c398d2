"""What a reviewer looks at: what each grid gains and loses, and what moves with it."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

from geo_service.boundaries import answers
from geo_service.boundaries.balance import Ground, balance
from geo_service.boundaries.figures import metric
from geo_service.boundaries.lattice import Floats, Shape
from geo_service.boundaries.replay import Session
from geo_service.boundaries.survey import holders
from geo_service.database import Principal

HAIR = 0.003
"""Metres of width below which a piece is the rounding of an edge, and not told."""


def review(session: Session, ground: Ground, asking: Principal) -> dict[str, Any]:
    """Return what a draft changes: pieces by giver and taker, before and after, figures of both.

    ``gains`` and ``losses`` hold the same pieces (EPSG:4326), the ones by the grid that takes them,
    the others by the one that gives them; what moves is counted by point, as the balance does.
    ``noded`` are neighbours that only took or lost a vertex on their edge: a new version of each is
    published, but nothing else is told of them.
    """
    touched = sorted(session.touched)
    old = {code: session.start[code] for code in touched if code in session.start}
    new = {code: session.coverage[code] for code in touched if code in session.coverage}
    moved = _moved(old, new, ground)
    noded = _noded(old, new, ground)
    seen = [code for code in touched if answers.sees(asking, session.rows.get(code))]
    shown = [code for code in seen if code not in noded]
    past = [code for code in shown if code in old]
    before = balance(session.start, ground, past, session.limits, session.rows)
    after = answers.measured(session, ground, [code for code in shown if code in new])
    pieces = _pieces(old, new, ground)
    return {
        "revision": session.revision,
        "noded": [code for code in seen if code in noded],
        "gains": _collection(pieces, moved, "to", set(shown)),
        "losses": _collection(pieces, moved, "from", set(shown)),
        "before": _grids(session, old, shown),
        "after": _grids(session, new, shown),
        "table": _table(session, shown, before, after, pieces),
        "balance_before": before,
        "balance_after": after,
    }


def _noded(old: Mapping[str, Shape], new: Mapping[str, Shape], ground: Ground) -> set[str]:
    """Return the grids that differ by the rounding of an edge at most."""
    both = [code for code in old if code in new]
    longitude = ground.longitude if ground.grids else None
    before, after = (np.array([group[c] for c in both], dtype=object) for group in (old, new))
    apart = metric(shapely.symmetric_difference(before, after), longitude)
    thin = 2 * shapely.area(apart) <= HAIR * shapely.length(apart)
    return {code for code, same in zip(both, thin, strict=True) if same}


Pair = tuple[str, str]


def _pieces(
    old: Mapping[str, Shape], new: Mapping[str, Shape], ground: Ground
) -> dict[Pair, tuple[Shape, float]]:
    """Return what goes from one grid to another: its shape and its area in m²."""
    givers, takers = list(old), list(new)
    if not givers or not takers:
        return {}
    tree = shapely.STRtree([old[code] for code in givers])
    taker, giver = tree.query([new[code] for code in takers], predicate="intersects")
    found: dict[Pair, tuple[Shape, float]] = {}
    for g, t in sorted(zip(giver.tolist(), taker.tolist(), strict=True)):
        pair = givers[g], takers[t]
        if pair[0] == pair[1]:
            continue
        shape = shapely.intersection(old[pair[0]], new[pair[1]])
        parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"]
        if not parts:
            continue
        longitude = ground.longitude if ground.grids else None
        plan = metric(parts, longitude)
        area, around = float(np.sum(shapely.area(plan))), float(np.sum(shapely.length(plan)))
        if 2 * area > HAIR * around:
            found[pair] = (parts[0] if len(parts) == 1 else shapely.multipolygons(parts), area)
    return found


def _moved(
    old: Mapping[str, Shape], new: Mapping[str, Shape], ground: Ground
) -> dict[Pair, dict[str, float]]:
    """Return what moves, by giver and taker: households, people, buildings, events, cameras."""
    moved: dict[Pair, dict[str, float]] = {}

    def count(points: Floats, **weights: Floats) -> None:
        if not len(points) or not old or not new:
            return
        givers, takers = list(old), list(new)
        was = holders(givers, list(old.values()), points)
        now = holders(takers, list(new.values()), points)
        for i in np.flatnonzero((was >= 0) & (now >= 0)).tolist():
            pair = givers[was[i]], takers[now[i]]
            if pair[0] != pair[1]:
                told = moved.setdefault(pair, dict.fromkeys(_COUNTS, 0.0))
                for name, weight in weights.items():
                    told[name] += float(weight[i])

    if ground.grids:
        homes = ground.homes
        whole = (np.arange(len(homes.points)) < len(ground.points)).astype(np.float64)
        count(homes.points, households=homes.households, population=homes.people, buildings=whole)
    count(ground.events, events=np.ones(len(ground.events)))
    count(ground.cameras, cameras=np.ones(len(ground.cameras)))
    return moved


_COUNTS = ("households", "population", "buildings", "events", "cameras")


def _collection(
    pieces: Mapping[Pair, tuple[Shape, float]],
    moved: Mapping[Pair, Mapping[str, float]],
    side: str,
    shown: set[str],
) -> dict[str, Any]:
    nothing = dict.fromkeys(_COUNTS, 0.0)
    found = []
    for (giver, taker), (shape, area) in pieces.items():
        own = taker if side == "to" else giver
        if own in shown:
            counts = {key: round(n) for key, n in moved.get((giver, taker), nothing).items()}
            properties = {
                "code": own, "from": giver, "to": taker, "area_m2": round(area, 1), **counts,
            }  # fmt: skip
            found.append(_feature(shape, properties))
    return {"type": "FeatureCollection", "features": found}


def _grids(session: Session, shapes: Mapping[str, Shape], shown: list[str]) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": [
            _feature(shapes[code], {"code": code, "name": session.rows[code].name})
            for code in shown
            if code in shapes
        ],
    }


def _feature(shape: Shape, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": json.loads(shapely.to_geojson(shape)),
        "properties": properties,
    }


def _table(
    session: Session,
    shown: list[str],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    pieces: Mapping[Pair, tuple[Shape, float]],
) -> list[dict[str, Any]]:
    """Return a row for each grid: its figures before and after (None where it is not there)."""
    past = {row["code"]: row for row in before["grids"]}
    present = {row["code"]: row for row in after["grids"]}
    return [
        {
            "code": code,
            "name": session.rows[code].name,
            "gained_m2": round(sum(a for (_, to), (_, a) in pieces.items() if to == code), 1),
            "lost_m2": round(sum(a for (giver, _), (_, a) in pieces.items() if giver == code), 1),
            "before": past.get(code),
            "after": present.get(code),
        }
        for code in shown
    ]
