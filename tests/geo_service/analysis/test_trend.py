"""Mann-Kendall against pymannkendall, a count of pairs, and all permutations."""

import itertools
import math

import numpy as np
import pymannkendall
import pytest
from scipy import stats

from geo_service.analysis.trend import mann_kendall


@pytest.mark.parametrize("top", [2, 5, 1000])
def test_it_agrees_with_pymannkendall(top: int) -> None:
    series = np.random.default_rng(top).integers(0, top, (40, 31))
    found = mann_kendall(series)
    for n, row in enumerate(series):
        other = pymannkendall.original_test(row)
        assert (found.s[n], found.variance[n]) == (other.s, pytest.approx(other.var_s))
        assert found.z[n] == pytest.approx(other.z)
        assert found.p[n] == pytest.approx(other.p, abs=1e-12)


def test_s_and_its_variance_are_those_of_all_permutations() -> None:
    values = [1, 1, 2, 2, 2, 5]
    every = [
        sum(int(np.sign(b - a)) for a, b in itertools.combinations(order, 2))
        for order in itertools.permutations(values)
    ]
    found = mann_kendall(values)
    assert int(found.s) == every[0]
    assert float(found.variance) == pytest.approx(np.var(every))


def test_the_last_axis_is_time() -> None:
    series = np.random.default_rng(1).normal(size=(2, 3, 12))
    found = mann_kendall(series)
    assert found.z.shape == (2, 3)
    assert found.z[1, 2] == mann_kendall(series[1, 2]).z


@pytest.mark.parametrize("series", [[3, 3, 3, 3], [7], []])
def test_a_series_that_says_nothing(series: list[float]) -> None:
    found = mann_kendall(series)
    assert (float(found.z), float(found.p)) == (0.0, 1.0)


@pytest.mark.parametrize("series", [[1, math.nan, 2], [1, math.inf], 3])
def test_what_is_no_series_is_refused(series: object) -> None:
    with pytest.raises(ValueError, match="trend needs"):
        mann_kendall(series)  # type: ignore[arg-type]


def test_p_is_calibrated() -> None:
    # 500 series without a trend; the count of p < 0.05 within the binomial's 99.9 %.
    p = mann_kendall(np.random.default_rng(3).normal(size=(500, 30))).p
    low, high = stats.binom.interval(0.999, 500, 0.05)
    assert low <= (p < 0.05).sum() <= high
