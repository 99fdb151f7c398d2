"""p-values from simulated maxima: ranks, the sequential test, and the fitted tail."""

import numpy as np
import pytest
from scipy import stats

from geo_service.analysis.monte_carlo import gumbel_p, rank_p, sequential_p


def test_the_rank_counts_ties_and_the_record_itself() -> None:
    maxima = np.array([1.0, 2.0, 2.0, 5.0])
    assert rank_p(2.0, maxima) == 4 / 5
    assert rank_p(9.0, maxima) == 1 / 5


def test_the_fitted_tail_is_that_of_a_gumbel_distribution() -> None:
    maxima = stats.gumbel_r.rvs(7, 1.3, size=9999, random_state=1)
    for far in (1e-2, 1e-4, 1e-6):
        observed = float(stats.gumbel_r.isf(far, 7, 1.3))
        assert gumbel_p(observed, maxima) == pytest.approx(far, rel=0.25)


def test_the_sequential_p_is_uniform_on_its_steps() -> None:
    # Besag and Clifford: P(p <= h/l) = h/l for every l at which it may stop.
    rng = np.random.default_rng(1)
    p = np.array([sequential_p(rng.random(), rng.random(499), 5) for _ in range(4000)])
    for level in (5 / 10, 5 / 50, 5 / 100):
        share = (p <= level).mean()
        assert share == pytest.approx(level, abs=4 * (level * (1 - level) / 4000) ** 0.5)
