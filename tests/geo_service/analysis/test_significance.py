"""The false discovery rate: against scipy, at the bound itself, and as a rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from geo_service.analysis.significance import benjamini_hochberg


@given(
    st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=60),
    st.floats(0.001, 0.5),
)
def test_agrees_with_scipy(p: list[float], alpha: float) -> None:
    adjusted = stats.false_discovery_control(p)
    clear = np.abs(adjusted - alpha) > 1e-9
    np.testing.assert_array_equal(benjamini_hochberg(p, alpha)[clear], (adjusted <= alpha)[clear])


def test_a_p_at_its_bound_is_rejected() -> None:
    """esda's fdr uses <, and binary fractions put 0.03 above 3/5 of 0.05."""
    assert benjamini_hochberg([0.01, 0.02, 0.03, 0.04, 0.05], 0.05).all()
    assert benjamini_hochberg([0.05], 0.05).all()
    assert not benjamini_hochberg([0.0501], 0.05).any()


def test_the_largest_k_counts_even_where_smaller_ones_fail() -> None:
    """0.03 and 0.035 miss their own bounds, 0.0125 and 0.025, but 0.037 meets its own."""
    p = np.array([[0.035, 0.9], [0.037, 0.03]])
    assert benjamini_hochberg(p, 0.05).tolist() == [[True, False], [True, True]]


def test_nothing_to_test() -> None:
    assert benjamini_hochberg([], 0.05).tolist() == []


@pytest.mark.parametrize("p", [[np.nan, 0.1], [-0.1], [1.1]])
def test_a_p_that_is_none_is_told(p: list[float]) -> None:
    with pytest.raises(ValueError, match="not between 0 and 1"):
        benjamini_hochberg(p)


@pytest.mark.parametrize("alpha", [0, 1, -0.1, np.nan])
def test_a_rate_that_is_none_is_told(alpha: float) -> None:
    with pytest.raises(ValueError, match="false discovery rate"):
        benjamini_hochberg([0.1], alpha)


def test_the_rate_of_false_discoveries_holds() -> None:
    """Of 100 tests 20 are real: the mean share of false ones among the found is 0.8 × 0.1."""
    rng = np.random.default_rng(1)
    shift = np.where(np.arange(100) < 20, 3.0, 0.0)
    shares = []
    for _ in range(400):
        found = benjamini_hochberg(stats.norm.sf(rng.normal(shift)), 0.1)
        shares.append(found[20:].sum() / max(found.sum(), 1))
    error = 4 * np.std(shares) / 20
    assert abs(np.mean(shares) - 0.08) < error
