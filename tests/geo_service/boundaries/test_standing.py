"""The balance of a coverage that changes is that of the same grids seen for the first time."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from geo_service.boundaries.balance import balance
from geo_service.boundaries.refusal import Refused
from geo_service.boundaries.survey import Ground
from geo_service.boundaries.topology import Change, Coverage
from tests.geo_service.boundaries import coverages, grounds
from tests.geo_service.boundaries.moves import KINDS


def fresh(coverage: Coverage, ground: Ground, known: Any) -> dict[str, Any]:
    """Ask somebody who has measured nothing yet."""
    anew = replace(ground, kept={})
    return balance(coverage.polygons, anew, known=known)


def agree(one: dict[str, Any], two: dict[str, Any]) -> None:
    assert one["grids"] == two["grids"]
    for name, spread in two["town"].items():
        if name == "grids":
            assert one["town"][name] == spread
        else:
            assert one["town"][name] == pytest.approx(spread, rel=1e-3, abs=0.011), name


@pytest.mark.parametrize("seed", range(3))
def test_followed_or_seen_for_the_first_time(seed: int) -> None:
    shapes = coverages.voronoi(36, seed)
    ground = grounds.scattered(shapes, 400, seed=seed)
    special = sorted(shapes)[::5]
    known = {code: replace(ground.grids[code], kind="special") for code in special}
    coverage, rng = Coverage(shapes), np.random.default_rng(seed)
    done: list[Change] = []
    start = balance(coverage, ground, known=known)
    agree(start, fresh(coverage, ground, known))
    names = sorted(KINDS)
    for k in range(60):
        if done and rng.random() < 0.25:
            coverage.revert(done.pop())
        else:
            codes = sorted(coverage)
            kind = names[int(rng.integers(len(names)))]
            step = KINDS[kind](rng, coverage, codes[int(rng.integers(len(codes)))], f"n{k}")
            try:
                done.append(step.do(coverage))
            except Refused:
                continue
        if k % 4 == 0:  # now and then several changes at once
            agree(balance(coverage, ground, known=known), fresh(coverage, ground, known))
    assert len(done) > 10
    while done:
        coverage.revert(done.pop())
    agree(balance(coverage, ground, known=known), start)


def test_two_coverages_on_one_ground_are_kept_apart() -> None:
    shapes = coverages.voronoi(16, 1)
    ground = grounds.scattered(shapes, 200)
    one, two = Coverage(shapes), Coverage(shapes)
    before = balance(two, ground)
    one.merge([min(one), *one.neighbours(min(one))[:1]], "whole")
    assert balance(one, ground)["town"]["grids"] == 15
    assert balance(two, ground) == before
