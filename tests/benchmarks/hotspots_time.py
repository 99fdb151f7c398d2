"""Cases in time: emerging hot spots, Knox, space-time scans, and how they grow."""

import subprocess
import sys
from functools import partial
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo_service.analysis.emerging import emerging_hot_spots
from geo_service.analysis.lattice import squares
from geo_service.analysis.near_repeat import knox
from geo_service.analysis.neighbours import contiguity
from geo_service.analysis.scan import permutation_scan
from geo_service.analysis.trend import mann_kendall
from tests.benchmarks.cases import case, peak, seconds, warmed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def record(events: int, zones: int, days: int) -> tuple[Ints, Ints, Floats, Floats]:
    """Cases at random over zones of unequal weight, a third fewer at weekends."""
    rng = np.random.default_rng(1)
    x, y = rng.uniform(500_000, 510_000, zones), rng.uniform(3_300_000, 3_310_000, zones)
    weight = rng.gamma(3, 1, zones)
    week = np.where(np.arange(days) % 7 < 5, 1.0, 0.67)
    zone = rng.choice(zones, events, p=weight / weight.sum())
    return zone, rng.choice(days, events, p=week / week.sum()), x, y


def cube(side: int, steps: int) -> tuple[NDArray[np.int64], Any]:
    area = shapely.box(500_000, 3_300_000, 500_000 + 100 * side, 3_300_000 + 100 * side)
    rng = np.random.default_rng(2)
    rate = rng.gamma(2, 0.5, (side * side, 1))
    return rng.poisson(rate, (side * side, steps)), contiguity(squares(area, 100, crs=4549))


@case("mann-kendall")
def trend_case() -> list[str]:
    """The trend test of many series."""
    lines: list[str] = []
    for series in (10_000, 1_000_000):
        values = np.random.default_rng(1).poisson(3, (series, 52)).astype(float)
        if not lines:
            lines.append(warmed("mann_kendall", partial(mann_kendall, values)))
        took, held = (
            seconds(partial(mann_kendall, values)),
            peak(partial(mann_kendall, values)),
        )
        lines.append(f"  {series:,} series × 52 steps: {took:.3f} s, {held:.0f} MB")
    return lines


@case("emerging", "10,000 cells × 52 steps in 1 s")
def emerging_case() -> list[str]:
    """Emerging hot spots, exact, one step before, false discovery rate over all bins."""
    lines: list[str] = []
    for side, steps, repeat in ((100, 52, 3), (316, 52, 2), (1000, 12, 1)):
        counts, near = cube(side, steps)
        if not lines:
            lines.append(warmed("emerging", partial(emerging_hot_spots, counts, near)))
        took = seconds(partial(emerging_hot_spots, counts, near), repeat)
        held = peak(partial(emerging_hot_spots, counts, near))
        lines.append(f"  {side * side:,} cells × {steps} steps: {took:.2f} s, {held:,.0f} MB")
    return lines


@case("knox", "5,000 events, 999 simulations in 5 s")
def knox_case() -> list[str]:
    """Knox with four bands each of distance and interval."""
    lines: list[str] = []
    for events, side, simulations in (
        (5000, 5000, 999),
        (50_000, 16_000, 99),
        (500_000, 50_000, 9),
    ):
        x, y = np.random.default_rng(1).uniform(0, side, (2, events))
        t = np.random.default_rng(2).integers(0, 365, events)
        call = _knox(x, y, t, simulations)
        if not lines:
            lines.append(warmed("knox", call))
        pairs = int(call().observed.sum())
        lines.append(
            f"  {events:,} events, {simulations} simulations: {seconds(call, 2):.2f} s, "
            f"{peak(call):.0f} MB; {pairs:,} pairs in the bands"
        )
    return lines


def _knox(x: Floats, y: Floats, t: Ints, simulations: int) -> Any:
    bands = [0, 100, 200, 300, 400], [0, 7, 14, 21, 28]
    return lambda: knox(x, y, t, *bands, simulations=simulations, seed=1)


def _scan(events: int, zones: int, days: int, radius: float, longest: int, **more: Any) -> Any:
    zone, day, x, y = record(events, zones, days)
    return lambda: permutation_scan(
        zone, day, x, y, max_radius=radius, max_days=longest, seed=1, **more
    )


@case("scan-prospective", "10,000 events × 400 zones × 180 days, 999 simulations in 2 s")
def prospective_case() -> list[str]:
    """The nightly scan; the second line with every circle up to half of the cases."""
    lines: list[str] = []
    for radius, longest in ((3000.0, 30), (20_000.0, 90)):
        call = _scan(10_000, 400, 180, radius, longest)
        if not lines:
            lines.append(warmed("the prospective scan", call))
        lines.append(
            f"  to {radius:,.0f} m and {longest} days: {seconds(call):.2f} s, {peak(call):.0f} MB"
        )
    return lines


@case("scan-retrospective", "10,000 events × 400 zones × 180 days, 999 simulations in 45 s")
def retrospective_case() -> list[str]:
    """All windows of the record; the second line with every circle up to half of the cases."""
    lines: list[str] = []
    for radius, longest in ((3000.0, 30), (20_000.0, 90)):
        call = _scan(10_000, 400, 180, radius, longest, prospective=False)
        if not lines:
            lines.append(warmed("the retrospective scan", call))
        lines.append(f"  to {radius:,.0f} m and {longest} days: {seconds(call, 1):.1f} s")
    return lines


@case("scan-growth")
def growth_case() -> list[str]:
    """The prospective scan of a year in 400 zones, 30 days, 999 simulations, and 2,000 zones."""
    lines: list[str] = []
    for events, zones, simulations in (
        (100_000, 400, 999),
        (1_000_000, 400, 99),
        (10_000_000, 400, 9),
        (100_000, 2000, 99),
    ):
        call = _scan(events, zones, 365, 3000.0, 30, simulations=simulations)
        lines.append(
            f"  {events:,} events, {zones:,} zones, {simulations} simulations: "
            f"{seconds(call, 1):.2f} s, {peak(call):,.0f} MB"
        )
    return lines


@case("compile")
def compile_case() -> list[str]:
    """What a machine without a cache spends once: each in a process with an empty cache."""
    calls = {
        "mann_kendall": "from geo_service.analysis.trend import *; mann_kendall([1.0, 2.0])",
        "knox": "from geo_service.analysis.near_repeat import *; knox(*[[0, 1]] * 5)",
        "permutation_scan, prospective and retrospective": (
            "from geo_service.analysis.scan import *\n"
            "for when in (True, False): permutation_scan([0, 0, 1], [1, 1, 2], [0.0, 9], [0.0, 9], "
            "max_radius=1, max_days=1, prospective=when, simulations=9)"
        ),
    }
    lines: list[str] = []
    for name, code in calls.items():
        timed = (
            "import tempfile, os, time\n"
            "os.environ['NUMBA_CACHE_DIR'] = tempfile.mkdtemp()\n"
            f"import geo_service.analysis.{'trend' if 'mann' in name else 'scan'}\n"
            f"start = time.perf_counter()\n{code}\nprint(time.perf_counter() - start)"
        )
        made = subprocess.run(
            [sys.executable, "-c", timed], capture_output=True, text=True, check=True
        )
        lines.append(f"  {name}: {float(made.stdout):.1f} s")
    return lines
