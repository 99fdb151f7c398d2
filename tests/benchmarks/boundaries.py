"""Boundary operations on 3,000 and 30,000 grids: does their cost grow with the town?

Run ``python -m tests.benchmarks.boundaries``. Each operation passes the gate and is followed by the
figures of the grids it touched and their neighbours, as the server does on release of the mouse,
and is then undone. Towns are made up (Voronoi cells of about 300 m, 40 vertices a grid).
"""

import functools
import time
from typing import Any

import numpy as np

from geo_service.boundaries.topology import Change, Coverage, Refused
from tests.benchmarks.cases import case, main, seconds
from tests.geo_service.boundaries import coverages
from tests.geo_service.boundaries.moves import KINDS

SIZES = (3_000, 30_000)
ROUNDS = 60


@functools.lru_cache
def town(size: int) -> dict[str, Any]:
    """Return a made-up town."""
    return coverages.voronoi(size, corners=0.15)


def _timed(coverage: Coverage, kind: str, rng: np.random.Generator, k: int) -> float | None:
    codes = _codes(len(coverage))
    operation = KINDS[kind](rng, coverage, codes[int(rng.integers(len(codes)))], f"n{k}")
    start = time.perf_counter()
    try:
        change: Change = operation.do(coverage)
    except Refused:
        return None
    touched = list(change.after)
    around = {near for code in touched for near in coverage.neighbours(code)}
    coverage.figures(sorted({*touched, *around}))
    spent = time.perf_counter() - start
    coverage.revert(change)
    return spent


@functools.lru_cache
def _codes(size: int) -> list[str]:
    return sorted(next(c for n in SIZES if len(c := town(n)) == size))


@case(
    "operations", "p95 at most 100 ms on 3,000 grids, and on 30,000 no slower than 1.5 times that"
)
def operations() -> list[str]:
    """Time operations on both towns in turn, so that a busy machine slows both alike."""
    made = {size: Coverage(town(size)) for size in SIZES}
    lines = []
    every: dict[int, list[float]] = {size: [] for size in SIZES}
    for kind in sorted(KINDS.keys() - {"trace"}):
        spent: dict[int, list[float]] = {size: [] for size in SIZES}
        rngs = {size: np.random.default_rng(7) for size in SIZES}
        for k in range(ROUNDS):
            for size in SIZES:
                found = _timed(made[size], kind, rngs[size], k)
                if found is not None:
                    spent[size].append(found)
        for size in SIZES:
            every[size] += spent[size]
        few, many = (np.array(spent[size]) * 1e3 for size in SIZES)
        lines.append(
            f"  {kind:9} median {np.median(few):5.1f} / {np.median(many):5.1f} ms, "
            f"p95 {np.quantile(few, 0.95):5.1f} / {np.quantile(many, 0.95):5.1f} ms"
        )
    low, high = (float(np.quantile(every[size], 0.95)) * 1e3 for size in SIZES)
    middle = [float(np.median(every[size])) * 1e3 for size in SIZES]
    lines.append(
        f"  all: p95 {low:.1f} ms on 3,000, {high:.1f} ms on 30,000: ratio {high / low:.2f} "
        f"(medians {middle[1] / middle[0]:.2f}; {sum(map(len, every.values()))} operations)"
    )
    return lines


@case("check", "at most 3 s for 30,000 polygons")
def check() -> list[str]:
    """Check whole towns."""
    lines = []
    for size in SIZES:
        coverage = Coverage(town(size))
        spent = seconds(coverage.check, repeat=2)
        built = seconds(lambda size=size: Coverage(town(size)), repeat=2)  # type: ignore[misc]
        defects = len(coverage.check()) if size < 5_000 else "-"
        lines.append(
            f"  {len(coverage):,} grids: {spent:.2f} s (defects: {defects}), built in {built:.2f} s"
        )
    return lines


if __name__ == "__main__":
    main(__doc__.splitlines()[0])
