"""Random operations, undo and redo in memory: the coverage is exact after each of them.

Publication and rollback join in where there is a database: test_years.py.
"""

from pathlib import Path

import numpy as np
import pytest
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
@pytest.mark.parametrize("seed", range(3))
def test_walks_through_a_town_with_an_enclave_and_a_lake(seed: int) -> None:
    made = walk(coverages.odd(), 200, seed)
    assert made.count - made.refused > made.count / 3
    made.finish()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["us_chicago_boundaries", "cn_beijing_subdistricts", "tw_villages"]
)
def test_walks_through_whole_real_coverages(shared_data: Path, name: str) -> None:
    """Mended, but with their gaps and lakes: those stay as they are."""
    town = Coverage(coverages.real(shared_data, name))
    town.clean(1.0)
    made = walk(town.polygons, 150, seed=1)
    assert made.count - made.refused > made.count / 4
    made.finish()
