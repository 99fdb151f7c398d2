"""Camera coverage: how long views, figures and placement take, on made-up towns.

``python -m tests.benchmarks.coverage`` prints one line a case and in the end one JSON object.
``--quick`` leaves out the large towns. Beside seconds on the clock stand seconds of processors,
which other work on the machine does not lengthen. Compilation is done before, and its time printed
apart; it is paid once, for results of compilation are kept.
"""

import argparse
import json
import math
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from scipy.ndimage import gaussian_filter
from shapely import affinity

from geo_service.analysis.buildings import Buildings
from geo_service.analysis.cover import Cover, cover
from geo_service.analysis.density_levels import EN_2015
from geo_service.analysis.ground import Ground, Points
from geo_service.analysis.overlap import overlap_areas
from geo_service.analysis.placement import Placement, maximal_cover
from geo_service.analysis.sight import sight
from geo_service.analysis.terrain import Terrain
from geo_service.analysis.views import Camera, Scene, views
from tests.benchmarks import coverage_service

PLOT = 25.0
"""Metres from house to house: five times as many houses stand on five times as much ground."""

HOUSES_A_CAMERA = 10
MOVES = 40


def town(houses: int, seed: int = 1) -> Buildings:
    """Return houses on a grid of plots, turned a little, of 1 to 10 floors."""
    rng = np.random.default_rng(seed)
    side = math.ceil(math.sqrt(houses))
    made = []
    for k in range(houses):
        wide, deep = rng.uniform(6, 18, 2)
        house = shapely.box(-wide / 2, -deep / 2, wide / 2, deep / 2)
        turned = affinity.rotate(house, rng.uniform(0, 25))
        made.append(affinity.translate(turned, k % side * PLOT, k // side * PLOT))
    return Buildings.read(made, rng.choice([3.0, 6.0, 9.0, 12.0, 30.0], houses))


def cameras(count: int, houses: int, seed: int = 2) -> list[Camera]:
    """Return cameras at random places, 30 m away from the town's edge or more."""
    rng = np.random.default_rng(seed)
    side = math.sqrt(houses) * PLOT
    return [camera(str(k), side, rng) for k in range(count)]


def camera(code: str, side: float, rng: np.random.Generator) -> Camera:
    """Return a bullet camera somewhere in a square town."""
    x, y = rng.uniform(0, side, 2)
    looks = sight(
        "bullet",
        rng.uniform(0, 360),
        height=rng.uniform(3.5, 6),
        tilt=rng.uniform(10, 30),
        focal_length=rng.choice([2.8, 4.0, 6.0]),
    )
    return Camera(code, x, y, looks)


def compile_all() -> float:
    """Return the seconds until everything has been called once."""
    start = time.perf_counter()
    some = cameras(70, 700)
    _figures(some, town(700))
    made = cover(some, Scene(town(700)), ground(700))
    made.replace(some[0])
    maximal_cover(np.ones((2, 2)), [1, 1], 1)
    return time.perf_counter() - start


def ground(houses: int) -> Ground:
    """Return grids of 300 m, roads between the houses, and 5,000 events."""
    side = math.sqrt(houses) * PLOT
    steps = np.arange(0, side, 300)
    return Ground(
        {"grid": [shapely.box(x, y, x + 300, y + 300) for x in steps for y in steps]},
        [shapely.LineString([(0, y), (side, y)]) for y in np.arange(PLOT / 2, side, PLOT)],
        {"events": Points.read(np.random.default_rng(3).uniform(0, side, (5000, 2)))},
    )


def _figures(
    some: list[Camera], houses: Buildings, terrain: Terrain | None = None
) -> tuple[float, float]:
    """Return the seconds, and those of processors, for views at five levels and what is made of it.

    Their unions, and areas seen k times.
    """
    fresh = Buildings(houses.shapes, houses.heights)
    start, used = time.perf_counter(), time.process_time()
    shapes = views(some, Scene(fresh, terrain=terrain)).shapes
    for row in range(len(EN_2015.levels)):
        shapely.disjoint_subset_union_all(shapes[:, row])
        overlap_areas(shapes[:, row])
    return time.perf_counter() - start, time.process_time() - used


def hills(houses: int, cell: float = 5.0) -> Terrain:
    """Return rolling ground under a town, of some metres over a hundred."""
    cells = math.ceil((math.sqrt(houses) * PLOT + 400) / cell)
    rough = gaussian_filter(np.random.default_rng(9).normal(size=(cells, cells)), 20)
    heights = (8 * rough / rough.std()).astype(np.float32)
    return Terrain(heights, -200, -200 + cells * cell, cell)


def moves(made: Cover, houses: int) -> tuple[list[float], list[float]]:
    """Return the seconds it takes to move one camera, each with all figures of the town.

    And those of processors.
    """
    rng = np.random.default_rng(5)
    side = math.sqrt(houses) * PLOT
    took, used = [], []
    for k in range(MOVES):
        moved = camera(str(k), side, rng)
        start, begun = time.perf_counter(), time.process_time()
        made = made.replace(moved)
        for level in made.scene.levels:
            made.seen(level)
            made.seen(level, "grid")
            made.road(level)
            made.weight(level, "events")
        took.append(time.perf_counter() - start)
        used.append(time.process_time() - begun)
    return took, used


def demand(
    points: int, sites: int, radius: float, seed: int = 7, *, round_about: bool = False
) -> tuple[Any, Any]:
    """Return which points sites see within sectors of a quarter turn, and the points' weights.

    ``round_about``: within whole circles.
    """
    rng = np.random.default_rng(seed)
    place, site = rng.uniform(0, 3000, (points, 2)), rng.uniform(0, 3000, (sites, 2))
    step = place[:, None] - site[None]
    turn = np.arctan2(step[..., 1], step[..., 0]) - rng.uniform(-np.pi, np.pi, sites)
    ahead = (np.cos(turn) > math.cos(math.pi / 4)) | round_about
    return (np.hypot(*step.transpose(2, 0, 1)) < radius) & ahead, rng.integers(1, 20, points)


def timed(call: Callable[[], Placement]) -> tuple[float, float, Placement]:
    """Return seconds, seconds of processors, and the answer."""
    start, used = time.perf_counter(), time.process_time()
    made = call()
    return time.perf_counter() - start, time.process_time() - used, made


def main() -> None:
    """Run the cases and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the large towns")
    quick = parser.parse_args().quick
    told: dict[str, Any] = {"first calls, compilation in them, s": compile_all()}
    _say(told)
    sizes = (5000,) if quick else (5000, 50_000, 200_000)
    for houses in sizes:
        count = houses // HOUSES_A_CAMERA
        walls, some = town(houses), cameras(count, houses)
        seconds = [_figures(some, walls) for _ in range(5 if houses == 5000 else 1)]
        name = f"{count} cameras, {houses} buildings: views, unions, k-cover"
        told[f"{name}, s"], told[f"{name}, CPU s"] = min(seconds)
        _say(told, 2)
        if houses == 5000:
            hilly = [_figures(some, walls, hills(houses)) for _ in range(5)]
            told[f"{name}, over hills, s"], told[f"{name}, over hills, CPU s"] = min(hilly)
            _say(told, 2)
            made = cover(some, Scene(walls), ground(houses))
            name = "one of 500 cameras moved, all figures"
            for unit, took in zip(("ms", "CPU ms"), moves(made, houses), strict=True):
                told[f"{name}: median, {unit}"] = 1e3 * statistics.median(took)
                told[f"{name}: worst, {unit}"] = 1e3 * max(took)
            _say(told, 4)
    told["memory at most, GB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    _say(told)
    covers, weights = demand(205, 16, 900)
    took = []
    for budget in range(17):
        wall, _, placed = timed(lambda budget=budget: maximal_cover(covers, weights, budget))  # type: ignore[misc]
        took.append(wall)
        if not placed.optimal:
            raise SystemExit(f"Budget {budget} was not solved: {placed}")
    told["maximal cover, 205 × 16, worst budget, ms"] = 1e3 * max(took)
    _say(told)
    for round_about, radii in ((False, (150, 300, 500)), (True, (150, 300, 380, 450, 500))):
        for radius in radii:
            covers, weights = demand(4000, 1000, radius, round_about=round_about)
            wall, used, placed = timed(lambda: maximal_cover(covers, weights, 20))  # noqa: B023
            shape = "circles" if round_about else "quarters"
            name = f"maximal cover, 4000 × 1000, budget 20, {shape} of {radius} m"
            told[f"{name}, s"], told[f"{name}, CPU s"] = wall, used
            told[f"{name}, gap"] = placed.gap
            _say(told, 3)
    for name, value in coverage_service.figures().items():
        told[name] = value
        _say(told)
    print(json.dumps(told))


def _say(told: dict[str, Any], last: int = 1) -> None:
    for name in list(told)[-last:]:
        print(f"{name}: {told[name]:.4g}", flush=True)


if __name__ == "__main__":
    main()
