"""The made-up town's planted truth over many drawings of its events: found, and little else."""

import numpy as np
import pytest

from tests.benchmarks.hotspots_planted import ALPHA, Found, Study, summary

TOWNS = 30


@pytest.fixture(scope="module")
def drawings() -> list[Found]:
    study = Study()
    return [study.found(seed) for seed in range(TOWNS)]


@pytest.mark.slow
def test_the_planted_clusters_are_found(drawings: list[Found]) -> None:
    made = summary(drawings)
    assert made.new >= 0.9
    assert made.spots >= 0.6


@pytest.mark.slow
def test_nothing_else_is_found_beyond_the_stated_rates(drawings: list[Found]) -> None:
    made = summary(drawings)
    false = np.array([f.false / max(f.hot, 1) for f in drawings])
    assert made.false_discoveries <= ALPHA + 3 * float(false.std()) / TOWNS**0.5
    chance = ALPHA + 3 * (ALPHA * (1 - ALPHA) / TOWNS) ** 0.5
    for name in ("null_hot", "null_cold", "other", "null_new"):
        assert getattr(made, name) <= chance, name
