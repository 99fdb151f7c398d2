"""Moran's I, global and local: against esda, all permutations, and what is stated."""

import itertools
from typing import Any

import numpy as np
import pytest
from esda import Moran as EsdaMoran
from esda import Moran_Local
from libpysal.weights import lat2W
from scipy import sparse, stats

from geo_service.analysis.local_g import local_g
from geo_service.analysis.moran import local_moran, moran
from geo_service.analysis.neighbours import row_standardised


def queen(side: int) -> Any:
    return sparse.csr_array(lat2W(side, side, rook=False).sparse)


@pytest.mark.parametrize("transform", ["B", "R"])
def test_global_agrees_with_esda(transform: str) -> None:
    values = np.random.default_rng(1).gamma(1, 3, 225)
    other = EsdaMoran(values, lat2W(15, 15, rook=False), transformation=transform, permutations=0)
    matrix = queen(15) if transform == "B" else row_standardised(queen(15))
    found = moran(values, matrix)
    assert pytest.approx(other.I, rel=1e-10) == found.I
    assert found.expected == pytest.approx(other.EI, rel=1e-12)
    assert found.variance == pytest.approx(other.VI_rand, rel=1e-8)
    assert found.z == pytest.approx(other.z_rand, rel=1e-8)
    assert found.p == pytest.approx(other.p_rand, rel=1e-6)


def test_global_moments_are_those_of_all_permutations() -> None:
    """For weights that are not symmetric too."""
    rng = np.random.default_rng(2)
    values = rng.gamma(1, 3, 7)
    dense = rng.random((7, 7)) * (rng.random((7, 7)) < 0.5)
    np.fill_diagonal(dense, 0)
    centred = values - values.mean()
    every = np.array(list(itertools.permutations(centred)))
    scores = 7 / dense.sum() * np.einsum("pi,ij,pj->p", every, dense, every) / (centred @ centred)
    found = moran(values, sparse.csr_array(dense))
    assert pytest.approx(scores[0]) == found.I
    assert found.expected == pytest.approx(scores.mean())
    assert found.variance == pytest.approx(scores.var())


@pytest.mark.parametrize(
    ("values", "matrix"),
    [
        ([3] * 9, queen(3)),
        ([1, 2, 3, 4], sparse.csr_array((4, 4))),
        ([1, 2, 3, 9, 5], sparse.csr_array(1 - np.eye(5))),
        ([1, 2], sparse.csr_array([[0, 1], [1, 0]])),
        ([1], sparse.csr_array((1, 1))),
    ],
)
def test_global_where_it_cannot_vary(values: Any, matrix: Any) -> None:
    found = moran(values, matrix)
    assert (found.z, found.p) == (0, 1)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("transform", ["B", "R"])
def test_local_agrees_with_esda(transform: str) -> None:
    values = np.random.default_rng(3).poisson(4, 225).astype(float)
    other = Moran_Local(values, lat2W(15, 15, rook=False), transformation=transform, permutations=0)
    matrix = queen(15) if transform == "B" else row_standardised(queen(15))
    found = local_moran(values, matrix)
    np.testing.assert_allclose(found.I, other.Is, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(found.quadrant, other.q)


def test_local_z_agrees_with_esda_conditional_moments() -> None:
    values = np.random.default_rng(4).gamma(1, 3, 225)
    other = Moran_Local(values, lat2W(15, 15, rook=False), transformation="R", permutations=0)
    found = local_moran(values, row_standardised(queen(15)), inference="normal")
    wanted = (other.Is - other.EIc) / np.sqrt(other.VIc)
    # esda's variance is of order 1/n above that of all permutations, which ours is (see below).
    np.testing.assert_allclose(found.z, wanted, rtol=2 / 225)
    np.testing.assert_allclose(found.p, 2 * stats.norm.sf(np.abs(found.z)), rtol=1e-9)


def test_local_p_is_the_share_of_all_permutations() -> None:
    rng = np.random.default_rng(5)
    for _ in range(3):
        values = rng.poisson(2, 6)
        matrix = sparse.csr_array((rng.random((6, 6)) < 0.5) * (1.0 - np.eye(6)))
        centred = values - values.mean()
        found = local_moran(values, matrix)
        for i in range(6):
            others = np.delete(values, i)
            beside = np.delete(matrix.toarray()[i], i)
            sums = np.array([beside @ p for p in itertools.permutations(others)])
            local = centred[i] * (sums - beside.sum() * values.mean())
            greater = (local >= local[0] - 1e-12).mean()
            less = (local <= local[0] + 1e-12).mean()
            assert found.p[i] == pytest.approx(min(1, 2 * min(greater, less)))
            if local.std() > 1e-12:
                assert found.z[i] == pytest.approx((local[0] - local.mean()) / local.std())


def test_permutation_meets_the_exact_distribution() -> None:
    values = np.random.default_rng(6).poisson(1, 144)
    exact = local_moran(values, queen(12), inference="exact")
    drawn = local_moran(values, queen(12), inference="permutation", permutations=2999, seed=1)
    np.testing.assert_allclose(drawn.p, exact.p, atol=0.07)
    np.testing.assert_array_equal(exact.p, local_g(values, queen(12), star=False).p)
    again = local_moran(values, queen(12), inference="permutation", permutations=2999, seed=1)
    np.testing.assert_array_equal(again.p, drawn.p)


def test_permutation_counts_ties_of_scaled_weights() -> None:
    """Thirds add up differently in another order; esda takes such equal sums for smaller ones."""
    values = np.random.default_rng(7).poisson(0.2, 144).astype(float)
    matrix = row_standardised(queen(12))
    binary = local_moran(values, queen(12), inference="permutation", seed=2)
    scaled = local_moran(values, matrix, inference="permutation", seed=2)
    np.testing.assert_array_equal(binary.p, scaled.p)


def test_the_default_is_exact_for_counts_and_drawn_for_rates() -> None:
    rng = np.random.default_rng(8)
    values, matrix = rng.poisson(1, 100), queen(10)
    np.testing.assert_array_equal(
        local_moran(values, matrix).p, local_moran(values, matrix, inference="exact").p
    )
    p = local_moran(values / 7, matrix, seed=3, permutations=99).p
    ranks = p * 50
    np.testing.assert_allclose(ranks, np.round(ranks), atol=1e-9)


@pytest.mark.parametrize("inference", ["exact", "permutation", "normal"])
def test_local_where_it_cannot_vary(inference: Any) -> None:
    flat = local_moran(
        [0.1 * 3] * 9 if inference != "exact" else [3] * 9, queen(3), inference=inference
    )
    assert (flat.I == 0).all()
    assert (flat.z == 0).all()
    assert (flat.p == 1).all()
    assert (flat.quadrant == 0).all()
    alone = local_moran([1, 2, 6], sparse.csr_array((3, 3)), inference=inference)
    assert (alone.I.tolist(), alone.z.tolist()) == ([0] * 3, [0] * 3)
    assert (alone.p.tolist(), alone.quadrant.tolist()) == ([1] * 3, [0] * 3)


@pytest.mark.parametrize(
    ("values", "options", "sentence"),
    [
        ([0.5] * 8 + [1], {"inference": "exact"}, "not whole numbers"),
        ([1] * 8 + [2], {"inference": "guess"}, "guess"),
        ([1] * 8 + [2], {"inference": "permutation", "permutations": 0}, "at least 1"),
        ([1] * 3, {}, "9 × 9"),
    ],
)
def test_bad_input_is_told(values: Any, options: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        local_moran(values, queen(3), **options)


@pytest.mark.slow
@pytest.mark.parametrize("inference", ["exact", "permutation", "normal"])
def test_p_is_calibrated(inference: Any) -> None:
    """500 maps without clusters: 0.05 of them below 0.05 in a fixed cell, within its interval."""
    rng = np.random.default_rng(9)
    matrix = queen(6)
    p = np.array(
        [
            local_moran(
                rng.poisson(12, 36), matrix, inference=inference, permutations=99, seed=i
            ).p[14]
            for i in range(500)
        ]
    )
    low, high = stats.binom.interval(0.999, 500, 0.05)
    assert low <= (p < 0.05).sum() <= high


def test_quadrants_of_a_planted_pattern() -> None:
    values = np.full((9, 9), 1)
    values[:3, :3] = 9
    values[1, 1] = 0
    values[7, 7] = 9
    found = local_moran(values.ravel(), queen(9))
    quadrant = found.quadrant.reshape(9, 9)
    assert quadrant[0, 0] == quadrant[2, 1] == 1
    assert quadrant[1, 1] == 2
    assert quadrant[5, 5] == 3
    assert quadrant[7, 7] == 4
    assert found.p.reshape(9, 9)[1, 1] < 0.001
