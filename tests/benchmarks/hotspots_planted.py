"""What was planted in the made-up town is found, and little else: its events drawn 200 times.

The town, its grids and households stay; each seed draws three years of disputes and hazards anew,
with the hot spots planted among them. Asked is what an officer asks: where are disputes between
neighbours more than households explain (exact, false discovery rate 0.05), and what is new among
property disputes (prospective scan, p at most 0.05). Family disputes have nothing planted in them.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geo_service.analysis import lattice
from geo_service.analysis.local_rate import local_rate
from geo_service.analysis.neighbours import contiguity
from geo_service.analysis.scan import permutation_scan
from geo_service.analysis.significance import benjamini_hochberg
from layers.town import blocks, buildings, events, grids, land, spots
from tests.benchmarks.cases import case

ALPHA = 0.05
UNTIL = date(2026, 9, 30)
DAYS = 365


@dataclass(frozen=True)
class Found:
    """What one drawing of the events gave.

    ``hot`` and ``cold`` are the cells called in the planted category, ``false`` the hot ones with
    nothing planted in them or beside them; ``spot`` tells whether the planted spot is among them.
    ``null_hot`` and ``null_cold`` are those of the category without a planted spot. ``new`` tells
    whether the planted new cluster is the most likely one with p at most 0.05, ``other`` how many
    clusters away from it had such a p, ``null_new`` whether one did where none was planted.
    """

    spot: bool
    hot: int
    cold: int
    false: int
    null_hot: int
    null_cold: int
    new: bool
    other: int
    null_new: bool


class Study:
    """The town without its events, and the questions."""

    def __init__(self, seed: int = 20240101) -> None:
        """Build what stays; the same town as ``layers.town.build`` builds."""
        rng = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(8)]
        plan = blocks.plan(rng[0])
        use, _ = land.land_use(plan, rng[1])
        stock = buildings.build(plan, use, rng[2])
        self.division = grids.divide(plan, use, stock, UNTIL, rng[3])
        self.spots = spots.spots(plan, stock, self.division)
        table = self.division.grids
        self.codes = np.array(table["code"])
        self.households = table["households"].to_numpy(float)
        self.cells = lattice.grids(table.geometry.to_numpy(), list(self.codes), crs=4326)
        self.neighbours = contiguity(self.cells)

    def found(self, seed: int) -> Found:
        """Draw the events with ``seed`` and ask."""
        rng = np.random.default_rng([seed, 6])
        disputes, _, planted = events.events(self.spots, self.division, UNTIL, rng)
        at = shapely.get_coordinates(disputes.geometry)
        cell = self.cells.locate(at[:, 0], at[:, 1], crs=4326)
        category = disputes["category"].to_numpy()
        local = pd.DatetimeIndex(disputes["occurred_at"]).tz_convert("Asia/Shanghai")
        day = (local.normalize().tz_localize(None) - pd.Timestamp(UNTIL)).days.to_numpy()
        spot, new = (
            np.isin(self.codes, truth["grids"])
            for name in ("neighbour", "property")
            for truth in planted
            if truth["category"] == name and (name == "neighbour" or truth is planted[-1])
        )
        hot, cold = self._rates(cell[category == "neighbour"])
        near = self._with_neighbours(spot)
        null_hot, null_cold = self._rates(cell[category == "family"])
        mine = (category == "property") & (day > -DAYS)
        clusters = self._new(cell[mine], day[mine], seed)
        # A cluster belongs to what was planted where they share a grid or touch.
        touches = [bool(self._with_neighbours(new)[list(c.zones)].any()) for c in clusters]
        nothing = (category == "family") & (day > -DAYS)
        return Found(
            spot=bool(hot[spot].any()),
            hot=int(hot.sum()),
            cold=int(cold.sum()),
            false=int((hot & ~near).sum()),
            null_hot=int(null_hot.sum()),
            null_cold=int(null_cold.sum()),
            new=bool(touches and touches[0] and clusters[0].p <= ALPHA),
            other=sum(c.p <= ALPHA and not t for c, t in zip(clusters, touches, strict=True)),
            null_new=any(c.p <= ALPHA for c in self._new(cell[nothing], day[nothing], seed)),
        )

    def _with_neighbours(self, chosen: Any) -> Any:
        return chosen | (self.neighbours @ chosen.astype(float) > 0)

    def _rates(self, cell: Any) -> tuple[Any, Any]:
        counts = np.bincount(cell[cell >= 0], minlength=len(self.cells))
        found = local_rate(counts, self.households, self.neighbours)
        significant = benjamini_hochberg(found.p, ALPHA)
        return significant & (found.z > 0), significant & (found.z < 0)

    def _new(self, cell: Any, day: Any, seed: int) -> Any:
        x, y = self.cells.centres.T
        held = cell >= 0
        return permutation_scan(
            cell[held], day[held], x, y, max_radius=1000, max_days=30, until=0, seed=seed,
            simulations=999, stop=50,
        )  # fmt: skip


@dataclass(frozen=True)
class Summary:
    """Shares over all drawings; ``false_discoveries`` is the mean share of false hot cells."""

    towns: int
    spots: float
    hot: float
    false_discoveries: float
    null_hot: float
    null_cold: float
    new: float
    other: float
    null_new: float


def summary(found: list[Found]) -> Summary:
    """Return what the drawings gave together."""

    def mean(values: Any) -> float:
        return float(np.mean(list(values)))

    return Summary(
        towns=len(found),
        spots=mean(f.spot for f in found),
        hot=mean(f.hot for f in found),
        false_discoveries=mean(f.false / max(f.hot, 1) for f in found),
        null_hot=mean(f.null_hot > 0 for f in found),
        null_cold=mean(f.null_hot + f.null_cold > 0 for f in found),
        new=mean(f.new for f in found),
        other=mean(f.other > 0 for f in found),
        null_new=mean(f.null_new for f in found),
    )


@case("planted", reach="found, and nothing else above the stated rates over 200 seeds")
def planted() -> list[str]:
    """Draw the town's events 200 times."""
    study = Study()
    made = summary([study.found(seed) for seed in range(200)])
    return [
        f"  {made.towns} drawings of the events of the town, {len(study.cells)} grids",
        f"  neighbours' disputes per household, FDR {ALPHA}: the planted spot found in"
        f" {made.spots:.1%}; {made.hot:.1f} grids hot in the mean, of which"
        f" {made.false_discoveries:.2%} with nothing planted in or beside them",
        f"  family disputes, nothing planted: a hot grid in {made.null_hot:.1%} of the drawings,"
        f" a hot or cold one in {made.null_cold:.1%}",
        f"  new cluster of property disputes, scan p ≤ {ALPHA}: first and found in {made.new:.1%};"
        f" another cluster beyond it in {made.other:.1%}",
        f"  family disputes, nothing new planted: a cluster in {made.null_new:.1%}",
    ]
