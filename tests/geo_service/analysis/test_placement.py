"""Placement: equal to trying everything, to published optima, and its bound never exceeded."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.csgraph import shortest_path

from geo_service.analysis.placement import backup_cover, maximal_cover, p_median, set_cover


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6), st.sampled_from([0.1, 0.3]), st.integers(0, 4), st.sampled_from([1, 2])
)
def test_maximal_cover_is_the_best_of_all_choices(
    seed: int, dense: float, budget: int, times: int
) -> None:
    rng = np.random.default_rng(seed)
    covers = rng.random((30, 9)) < dense
    weights = rng.integers(0, 9, 30)
    fixed = [int(k) for k in rng.choice(9, rng.integers(0, 3), replace=False)]
    placed = maximal_cover(covers, weights, budget, fixed=fixed, times=times)
    others = [k for k in range(9) if k not in fixed]
    best = max(
        weights[covers[:, [*fixed, *choice]].sum(axis=1) >= times].sum()
        for choice in itertools.combinations(others, min(budget, len(others)))
    )
    assert placed.optimal
    assert placed.gap == 0
    assert placed.covered == placed.bound == best
    assert set(fixed) <= set(placed.sites)
    assert len(placed.sites) <= budget + len(fixed)
    assert weights[covers[:, placed.sites].sum(axis=1) >= times].sum() == best
    base = weights[covers[:, fixed].sum(axis=1) >= times].sum()
    assert base + sum(gain for _, gain in placed.adds) == pytest.approx(best)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_maximal_cover_with_costs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    covers, weights = rng.random((25, 8)) < 0.25, rng.uniform(0, 5, 25)
    costs, budget = rng.uniform(1, 4, 8), 7.0
    placed = maximal_cover(sparse.csr_array(covers), weights, budget, costs=costs)
    best = max(
        weights[covers[:, choice].any(axis=1)].sum()
        for size in range(9)
        for choice in itertools.combinations(range(8), size)
        if costs[list(choice)].sum() <= budget
    )
    assert placed.covered == pytest.approx(best, rel=1e-9)
    assert placed.cost <= budget + 1e-9


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1, 2]))
def test_set_cover_is_the_cheapest_of_all_choices(seed: int, times: int) -> None:
    rng = np.random.default_rng(seed)
    covers = rng.random((14, 9)) < 0.4
    costs = rng.integers(1, 6, 9).astype(float)
    choices = [c for size in range(10) for c in itertools.combinations(range(9), size)]
    fits = [c for c in choices if (covers[:, c].sum(axis=1) >= times).all()]
    if not fits:
        with pytest.raises(ValueError, match="cannot be covered"):
            set_cover(covers, costs, times=times)
        return
    placed = set_cover(covers, costs, times=times)
    assert placed.cost == placed.bound == min(costs[list(c)].sum() for c in fits)
    assert (covers[:, placed.sites].sum(axis=1) >= times).all()
    assert placed.optimal
    kept = set_cover(covers, costs, times=times, fixed=[0])
    assert 0 in kept.sites
    assert kept.cost == min(costs[[k for k in c if k]].sum() for c in fits if 0 in c)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_p_median_is_the_best_of_all_choices(seed: int, p: int) -> None:
    rng = np.random.default_rng(seed)
    costs, weights = rng.integers(0, 20, (15, 8)).astype(float), rng.integers(0, 5, 15)
    fixed = [int(rng.integers(8))] if seed % 2 else []
    placed = p_median(costs, weights, p, fixed=fixed)
    best = min(
        (weights * costs[:, choice].min(axis=1)).sum()
        for choice in itertools.combinations(range(8), p)
        if set(fixed) <= set(choice)
    )
    assert placed.cost == best
    assert placed.optimal
    assert set(fixed) <= set(placed.sites)
    paid = costs[np.arange(15), list(placed.serves)]
    assert (weights * paid).sum() == best


@pytest.mark.parametrize(("name", "optimum"), [("pmed1", 5819), ("pmed2", 4093), ("pmed3", 4250)])
def test_or_library(shared_data: Path, name: str, optimum: int) -> None:
    """Beasley (1985): an edge listed twice keeps the last cost; distances are shortest paths."""
    lines = (shared_data / "opt_orlib" / f"{name}.txt").read_text().split("\n")
    (n, _, p), *edges = ([int(part) for part in line.split()] for line in lines if line.strip())
    far = np.full((n, n), np.inf)
    for a, b, cost in edges:
        far[a - 1, b - 1] = far[b - 1, a - 1] = cost
    placed = p_median(shortest_path(far, directed=False), np.ones(n), p)
    assert placed.cost == optimum
    assert placed.optimal


def test_backup_counts_what_is_seen_twice() -> None:
    covers = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 0]], dtype=bool)
    placed = backup_cover(covers, [1, 5, 9], 2)
    assert (placed.sites, placed.covered) == ((1, 2), 5.0)


def test_out_of_time_the_gap_is_told() -> None:
    rng = np.random.default_rng(4)
    xy, site = rng.uniform(0, 3000, (1500, 2)), rng.uniform(0, 3000, (400, 2))
    covers = np.hypot(*(xy[:, None] - site[None]).transpose(2, 0, 1)) < 420
    weights = rng.integers(1, 20, 1500)
    placed = maximal_cover(covers, weights, 15, time_limit=0.2)
    assert placed.covered == weights[covers[:, placed.sites].any(axis=1)].sum()
    assert placed.covered <= placed.bound <= weights.sum()
    assert placed.gap == pytest.approx((placed.bound - placed.covered) / placed.bound)
    assert placed.optimal == (placed.gap == 0)


def test_nothing_to_decide() -> None:
    covers = np.array([[1, 0], [0, 0]], dtype=bool)
    assert maximal_cover(covers, [2, 3], 0).covered == 0
    done = maximal_cover(covers, [2, 3], 5, fixed=[0])
    assert (done.sites, done.covered, done.bound, done.optimal) == ((0,), 2.0, 2.0, True)
    with pytest.raises(ValueError, match="1 of 2 demand points cannot be covered"):
        set_cover(covers)


def test_bad_input_is_told() -> None:
    covers = np.ones((3, 2), dtype=bool)
    with pytest.raises(ValueError, match="one weight a demand point, 3 in all, not 2"):
        maximal_cover(covers, [1, 2], 1)
    with pytest.raises(ValueError, match="finite number of 0 or more"):
        maximal_cover(covers, [1, 2, -3], 1)
    with pytest.raises(ValueError, match="budget must be 0 or more"):
        maximal_cover(covers, [1, 2, 3], -1)
    with pytest.raises(ValueError, match="numbered from 0 to 1"):
        maximal_cover(covers, [1, 2, 3], 1, fixed=[2])
    with pytest.raises(ValueError, match="demand by site"):
        maximal_cover([1, 2], [1], 1)
    with pytest.raises(ValueError, match="at least once"):
        maximal_cover(covers, [1, 2, 3], 1, times=0)
    with pytest.raises(ValueError, match="one cost a site"):
        maximal_cover(covers, [1, 2, 3], 1, costs=[1])
    with pytest.raises(ValueError, match="p must be from 1 to 2"):
        p_median(np.ones((3, 2)), [1, 1, 1], 3)
    with pytest.raises(ValueError, match="table of finite numbers"):
        p_median([[np.nan]], [1], 1)
    with pytest.raises(ValueError, match="not be below 0"):
        p_median([[-1.0]], [1], 1)
