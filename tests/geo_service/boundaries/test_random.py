"""Random operations, undo and redo: the coverage is exact after each of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from geo_service.boundaries.topology import Coverage
from tests.geo_service.boundaries import coverages
from tests.geo_service.boundaries.moves import KINDS, Walk, walk

SEEDS = st.integers(0, 2**32 - 1)


class Editing(RuleBasedStateMachine):
    """Somebody edits, undoes and redoes as they like."""

    walk: Walk

    @initialize(seed=st.integers(0, 5), made=st.sampled_from(["voronoi", "odd"]))
    def begin(self, seed: int, made: str) -> None:
        self.walk = Walk(coverages.voronoi(25, seed) if made == "voronoi" else coverages.odd())

    @rule(seed=SEEDS, kind=st.sampled_from(sorted(KINDS)))
    def edit(self, seed: int, kind: str) -> None:
        self.walk.step(np.random.default_rng(seed), kind)

    @rule()
    def undo(self) -> None:
        self.walk.step(np.random.default_rng(0), "undo")

    @rule()
    def redo(self) -> None:
        self.walk.step(np.random.default_rng(0), "redo")

    def teardown(self) -> None:
        if hasattr(self, "walk"):
            self.walk.finish()


TestEditing = Editing.TestCase
TestEditing.settings = settings(
    max_examples=12, stateful_step_count=15, deadline=None, derandomize=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def test_a_short_walk_changes_more_than_it_refuses() -> None:
    made = walk(coverages.voronoi(36, 3), 60, seed=5)
    assert made.refused < 30
    made.finish()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_ten_thousand_operations_on_made_up_towns(seed: int) -> None:
    for k, polygons in enumerate((coverages.voronoi(100, seed), coverages.odd())):
        made = walk(polygons, 900 if k == 0 else 350, seed)
        assert made.count - made.refused > made.count / 3
        made.finish()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["us_chicago_boundaries", "cn_beijing_subdistricts", "tw_villages"]
)
@pytest.mark.parametrize("seed", range(2))
def test_ten_thousand_operations_on_real_coverages(shared_data: Path, name: str, seed: int) -> None:
    polygons = cleaned(coverages.real(shared_data, name))
    made = walk(polygons, 850, seed)
    assert made.count - made.refused > made.count / 4
    made.finish()


def cleaned(polygons: dict[str, Any]) -> dict[str, Any]:
    town = Coverage(polygons)
    town.clean(1.0)
    shapes = np.array(list(town.polygons.values()), dtype=object)
    assert shapely.coverage_is_valid(shapes)
    return town.polygons
