"""The demonstration town: 柳溪镇, a made-up township with a little of everything.

Nothing in it exists: no province has the prefix 99, and places, cameras and events are drawn at
random around a plan drawn by hand.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np

from layers.town import (
    blocks,
    buildings,
    cameras,
    events,
    grids,
    land,
    places,
    privacy_zones,
    roads,
    spots,
)

__all__ = ["Town", "build"]


@dataclass(frozen=True, slots=True)
class Town:
    """The town's layers by id, in EPSG:4326 with the geometry in ``geom``, and what is true of it.

    ``truth`` can be written as JSON: ``hot_spots`` and ``emerging`` tell where events were added,
    ``counts`` the totals, ``seed`` and ``until`` what it was built from.
    """

    tables: dict[str, gpd.GeoDataFrame]
    truth: dict[str, Any]


def build(seed: int = 20240101, until: date = date(2026, 9, 30)) -> Town:
    """Build the town as of ``until``, with the three years of events that end on that day.

    The same ``seed`` and ``until`` give the same town. Each part draws from a generator of its own,
    so a change to one leaves the others as they were.
    """
    rng = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(8)]
    plan = blocks.plan(rng[0])
    use, sites = land.land_use(plan, rng[1])
    stock = buildings.build(plan, use, rng[2])
    division = grids.divide(plan, use, stock, until, rng[3])
    public, gates = places.places(plan, use, sites, stock, division, rng=rng[4])
    disputes, hazards, planted = events.events(
        spots.spots(plan, stock, division), division, until, rng[6]
    )
    watching = cameras.cameras(plan, use, gates, until, rng[5])
    tables = {
        "areas": division.areas,
        "grids": division.grids,
        "buildings": stock.table,
        "roads": roads.roads(plan),
        "places": public,
        "cameras": watching,
        "privacy_zones": privacy_zones.privacy_zones(sites, stock, watching, rng[7]),
        "hazards": hazards,
        "disputes": disputes,
    }
    closed = int(disputes["closed_at"].notna().sum() + hazards["closed_at"].notna().sum())
    counts = {name: len(made) for name, made in tables.items()} | {
        "communities": grids.COMMUNITIES,
        "population": grids.POPULATION,
        "households": int(division.grids["households"].sum()),
        "staff": grids.STAFF,
        "events": len(disputes) + len(hazards),
        "closed": closed,
        "open": len(disputes) + len(hazards) - closed,
    }
    truth = {
        "hot_spots": planted[:-1],
        "emerging": planted[-1],
        "counts": counts,
        "seed": seed,
        "until": until.isoformat(),
    }
    return Town(tables=tables, truth=truth)
