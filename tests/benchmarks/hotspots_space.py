"""Cases in space: Gi*, local Moran, events to cells, kernel density, clusters."""

import warnings
from typing import Any

import numpy as np
import shapely
from esda import G_Local
from libpysal.weights import lat2W
from scipy import sparse

from geo_service.analysis.bandwidth import cross_validated
from geo_service.analysis.clusters import dbscan, st_dbscan
from geo_service.analysis.density import kde
from geo_service.analysis.lattice import hexagons, squares
from geo_service.analysis.local_g import local_g
from geo_service.analysis.moran import local_moran
from geo_service.analysis.neighbours import contiguity
from geo_service.analysis.network_density import network, network_density
from tests.benchmarks.cases import case, peak, seconds, warmed

CORNER = (500_000.0, 3_300_000.0)


def field(side: int, mean: float = 1.0) -> tuple[Any, Any]:
    """Counts with clusters on side × side squares, and their queen neighbours."""
    east, north = CORNER
    area = shapely.box(east, north, east + 100 * side, north + 100 * side)
    lattice = squares(area, 100, crs=4549)
    rng = np.random.default_rng(1)
    rate = mean * rng.gamma(2, 0.5, len(lattice))
    return rng.poisson(rate), contiguity(lattice)


def town(events: int, side: float = 8000.0) -> Any:
    """Places of events in metres: half around forty addresses, half anywhere."""
    rng = np.random.default_rng(2)
    middles = rng.uniform(0, side, (40, 2))
    near = middles[rng.integers(0, 40, events // 2)] + rng.normal(0, 150, (events // 2, 2))
    return (np.concatenate([near, rng.uniform(0, side, (events - events // 2, 2))]) + CORNER).T


def with_esda(values: Any, side: int) -> Any:
    weights = lat2W(side, side, rook=False)
    number = values.astype(float)

    def run() -> Any:
        with warnings.catch_warnings():
            # esda warns of its changing default, and of its own z where the variance is zero.
            warnings.simplefilter("ignore")
            return G_Local(
                number,
                weights,
                transform="B",
                star=True,
                permutations=999,
                seed=1,
                keep_simulations=False,
            )

    return run


@case("gi-star", "40,000 cells in 0.2 s, 50 × esda with 999 permutations")
def gi_star() -> list[str]:
    small = np.random.default_rng(1).poisson(1, 100)
    lines = [
        warmed(
            "local_g", lambda: local_g(small, sparse.csr_array(lat2W(10, 10, rook=False).sparse))
        ),
        warmed("esda", with_esda(small, 10)),
    ]
    for mean in (0.2, 1.0, 20.0):
        values, neighbours = field(200, mean)
        ours = seconds(lambda v=values, w=neighbours: local_g(v, w), 5)  # type: ignore[misc]
        line = f"  Gi* exact, 40,000 cells, mean {mean:g}, largest {values.max()}: {ours:.3f} s"
        if mean == 1.0:
            esda = seconds(with_esda(values, 200), 1)
            line += f"; esda, 999 permutations: {esda:.1f} s, {esda / ours:.0f} ×"
        lines.append(line)
    return lines


@case("local", "the other local statistics on 40,000 cells")
def local() -> list[str]:
    values, neighbours = field(200)
    return [
        f"  Gi exact: {seconds(lambda: local_g(values, neighbours, star=False)):.3f} s",
        f"  Gi* normal: {seconds(lambda: local_g(values, neighbours, inference='normal')):.3f} s",
        f"  local Moran exact: {seconds(lambda: local_moran(values, neighbours)):.3f} s",
        "  local Moran, 99 permutations: "
        + format(
            seconds(
                lambda: local_moran(
                    values, neighbours, inference="permutation", permutations=99, seed=1
                ),
                1,
            ),
            ".3f",
        )
        + " s",
    ]


@case("cells-growth", "10⁶ cells")
def cells_growth() -> list[str]:
    lines = []
    for side in (100, 200, 400, 1000):
        values, neighbours = field(side)
        call = lambda v=values, w=neighbours: local_g(v, w)  # noqa: E731
        lines.append(
            f"  Gi* exact, {side * side:>9,} cells: {seconds(call, 2):.3f} s, {peak(call):.0f} MB"
        )
    east, north = CORNER
    area = shapely.box(east, north, east + 100_000, north + 100_000)
    for name, make in (("squares", squares), ("hexagons", hexagons)):
        made = make(area, 100, crs=4549)
        lines.append(
            f"  {name}, {len(made):,}: made in "
            f"{seconds(lambda m=make: m(area, 100, crs=4549), 1):.2f} s, "  # type: ignore[misc]
            f"neighbours in {seconds(lambda m=made: contiguity(m), 1):.2f} s"  # type: ignore[misc]
        )
    return lines


@case("events-growth", "10⁷ events to 6,400 cells")
def events_growth() -> list[str]:
    east, north = CORNER
    area = shapely.box(east, north, east + 8000, north + 8000)
    lines = []
    for events in (100_000, 1_000_000, 10_000_000):
        x, y = town(events)
        for lattice in (squares(area, 100, crs=4549), hexagons(area, 100, crs=4549)):
            call = lambda m=lattice: m.counts(x, y, crs=4549)  # noqa: B023, E731
            line = f"  {events:>10,} events to {lattice.kind}s: {seconds(call, 1):.2f} s"
            lines.append(f"{line}, {peak(call):.0f} MB")
    return lines


@case("density")
def density() -> list[str]:
    x, y = town(100)
    lines = [
        warmed("kde", lambda: kde(x, y, bandwidth=300, pixel=50)),
        warmed("cross_validated", lambda: cross_validated(x, y)),
    ]
    east, north = CORNER
    bounds = (east, north, east + 8000, north + 8000)
    for events in (10_000, 100_000, 1_000_000):
        x, y = town(events)
        quartic = seconds(
            lambda x=x, y=y: kde(x, y, bandwidth=400, pixel=20, bounds=bounds),  # type: ignore[misc]
            1,
        )
        line = f"  {events:>9,} events on 400 × 400 pixels: quartic, 400 m {quartic:.2f} s"
        if events <= 100_000:
            gaussian = seconds(
                lambda x=x, y=y: kde(  # type: ignore[misc]
                    x, y, bandwidth=140, pixel=20, bounds=bounds, kernel="gaussian"
                ),
                1,
            )
            line += f", Gaussian, 140 m, not cut off {gaussian:.2f} s"
        lines.append(line)
    x, y = town(5_000)
    lines.append(f"  cross-validation, 5,000: {seconds(lambda: cross_validated(x, y), 1):.2f} s")
    return lines


@case("roads")
def roads() -> list[str]:
    east, north = CORNER
    steps = np.arange(0, 8001, 150.0)
    lines = [shapely.LineString([(east + s, north), (east + s, north + 8000)]) for s in steps]
    lines += [shapely.LineString([(east, north + s), (east + 8000, north + s)]) for s in steps]
    streets = network(lines)
    x, y = town(9_400)
    few = (x[:10], y[:10])
    return [
        warmed("network_density", lambda: network_density(streets, *few, bandwidth=200)),
        *(
            f"  9,400 events on {len(streets.edges):,} edges, {reach} m: "
            + format(seconds(lambda r=reach: network_density(streets, x, y, bandwidth=r), 1), ".2f")  # type: ignore[misc]
            + " s"
            for reach in (200, 400)
        ),
    ]


@case("clusters")
def clusters() -> list[str]:
    lines = []
    for events in (10_000, 100_000):
        x, y = town(events)
        t = np.random.default_rng(3).uniform(0, 1000, events)
        space = seconds(lambda x=x, y=y: dbscan(x, y, distance=40, least=10), 1)  # type: ignore[misc]
        both = seconds(
            lambda x=x, y=y, t=t: st_dbscan(x, y, t, distance=40, days=30, least=5),  # type: ignore[misc]
            1,
        )
        lines.append(f"  {events:,} events: DBSCAN {space:.2f} s, ST-DBSCAN {both:.2f} s")
    return lines
