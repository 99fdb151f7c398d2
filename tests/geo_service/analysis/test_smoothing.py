"""Empirical Bayes rates: against esda, and where there is no base."""

from typing import Any

import numpy as np
import pytest
from esda.smoothing import Empirical_Bayes

from geo_service.analysis.smoothing import empirical_bayes


def test_agrees_with_esda() -> None:
    rng = np.random.default_rng(1)
    base = rng.integers(50, 900, 40).astype(float)
    events = rng.poisson(base * rng.gamma(4, 0.01, 40)).astype(float)
    found = empirical_bayes(events, base)
    np.testing.assert_allclose(found.smoothed, Empirical_Bayes(events, base).r.ravel(), rtol=1e-10)
    assert (found.weight > 0).all()


def test_rates_that_differ_by_chance_become_one() -> None:
    found = empirical_bayes([10, 21, 29], [100, 200, 300])
    np.testing.assert_allclose(found.smoothed, 0.1)
    assert (found.weight == 0).all()


def test_small_bases_are_drawn_further() -> None:
    found = empirical_bayes([5, 500, 0, 10], [10, 1000, 10, 1000])
    assert found.weight[0] < found.weight[1]
    np.testing.assert_allclose(found.raw[:2], 0.5)
    assert found.smoothed[0] < found.smoothed[1] < 0.5


def test_a_cell_without_base_has_no_rate() -> None:
    found = empirical_bayes([0, 3, 9, 40], [0, 50, 60, 70])
    assert found.known.tolist() == [False, True, True, True]
    assert (found.raw[0], found.smoothed[0]) == (0, found.overall)
    alone = empirical_bayes([3, 9, 40], [50, 60, 70])
    np.testing.assert_allclose(found.smoothed[1:], alone.smoothed)


def test_no_events_at_all() -> None:
    found = empirical_bayes([0, 0], [5, 6])
    assert found.smoothed.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("events", "base", "sentence"),
    [
        ([1, 2], [1], "2 counts of events but 1"),
        ([-1, 2], [1, 1], "negative"),
        ([1, 2], [0, 0], "No cell has a base"),
        ([1, np.nan], [1, 1], "missing"),
    ],
)
def test_bad_input_is_told(events: Any, base: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        empirical_bayes(events, base)
