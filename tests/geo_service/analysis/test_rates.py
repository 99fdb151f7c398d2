"""Exact Poisson intervals and comparisons, against scipy's exact binomial test and coverage."""

import numpy as np
import pytest
from scipy import stats

from geo_service.analysis.rates import compare_rates, rate_interval


@pytest.mark.parametrize("count", [0, 1, 7, 250])
def test_the_limits_leave_their_share_in_each_tail(count: int) -> None:
    found = rate_interval(count)
    assert stats.poisson.cdf(count, found.high) == pytest.approx(0.025)
    if count:
        assert stats.poisson.sf(count - 1, found.low) == pytest.approx(0.025)
    else:
        assert found.low == 0


@pytest.mark.parametrize(("now", "before"), [(41, 17), (3, 9), (5, 0), (0, 5), (12, 12), (1, 0)])
@pytest.mark.parametrize(("t", "u"), [(1.0, 1.0), (7.0, 28.0)])
def test_it_agrees_with_scipy(now: int, before: int, t: float, u: float) -> None:
    found = compare_rates(now, before, exposure_now=t, exposure_before=u)
    share = t / (t + u)
    tails = [
        stats.binomtest(now, now + before, share, alternative=a).pvalue for a in ("less", "greater")
    ]
    assert found.p == pytest.approx(min(1.0, 2 * min(tails)))
    limits = stats.binomtest(now, now + before).proportion_ci(0.95, method="exact")
    assert found.low == pytest.approx(limits.low / (1 - limits.low) * u / t)
    if limits.high < 1:
        assert found.high == pytest.approx(limits.high / (1 - limits.high) * u / t)
    else:
        assert found.high == np.inf


def test_the_interval_and_p_agree() -> None:
    now, before = np.meshgrid(np.arange(30), np.arange(30))
    found = compare_rates(now, before)
    outside = (found.low > 1) | (found.high < 1)
    assert (outside == (found.p < 0.05)).all()
    assert not np.isnan(found.ratio).any()


def test_nothing_in_either_period_says_nothing() -> None:
    found = compare_rates(0, 0)
    assert [float(v) for v in (found.ratio, found.low, found.high, found.p)] == [1, 0, np.inf, 1]


def test_p_is_no_smaller_than_it_should_be() -> None:
    now, before = np.random.default_rng(1).poisson(9, (2, 4000))
    assert (compare_rates(now, before).p < 0.05).mean() < 0.05


@pytest.mark.parametrize(("count", "exposure"), [(-1, 1), (1.5, 1), (np.nan, 1), (1, 0), (1, -2)])
def test_senseless_numbers_are_refused(count: float, exposure: float) -> None:
    with pytest.raises(ValueError, match=r"counts of events|exposure"):
        rate_interval(count, exposure)
