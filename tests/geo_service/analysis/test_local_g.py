"""Gi and Gi*: against all permutations, rational arithmetic and esda, and what is stated."""

import itertools
import math
import warnings
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from esda import G_Local
from libpysal.weights import W, lat2W
from numpy.typing import NDArray
from scipy import sparse, stats

from geo_service.analysis.local_g import ALTERNATIVES, Alternative, local_g
from geo_service.analysis.neighbours import row_standardised
from geo_service.analysis.significance import benjamini_hochberg


def adjacency(rng: np.random.Generator, n: int, chance: float = 0.4) -> Any:
    upper = np.triu(rng.random((n, n)) < chance, 1)
    return sparse.csr_array((upper | upper.T).astype(float))


def queen(side: int) -> Any:
    return sparse.csr_array(lat2W(side, side, rook=False).sparse)


def enumerated(
    values: NDArray[np.int64], matrix: Any, star: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both tails by listing every arrangement of the values (of the others, for Gi)."""
    n = len(values)
    dense = matrix.toarray().astype(int) + (np.eye(n, dtype=int) if star else 0)
    observed = dense @ values
    greater, less = np.empty(n), np.empty(n)
    for i in range(n):
        free = list(range(n)) if star else [j for j in range(n) if j != i]
        weight = dense[i, free]
        sums = np.array([weight @ p for p in itertools.permutations(values[free])])
        greater[i], less[i] = (sums >= observed[i]).mean(), (sums <= observed[i]).mean()
    return greater, less


@pytest.mark.parametrize("star", [True, False])
@pytest.mark.parametrize("n", [2, 3, 5, 7])
def test_exact_is_the_share_of_all_permutations(n: int, star: bool) -> None:
    rng = np.random.default_rng(n)
    for trial in range(4):
        values = rng.integers(-2, 6, n) * (1 if trial % 2 else 3)
        matrix = adjacency(rng, n)
        greater, less = enumerated(values, matrix, star)
        wanted: dict[Alternative, NDArray[np.float64]] = {
            "greater": greater,
            "less": less,
            "two-sided": np.minimum(1, 2 * np.minimum(greater, less)),
        }
        for alternative, p in wanted.items():
            found = local_g(values, matrix, star=star, alternative=alternative)
            np.testing.assert_allclose(found.p, p, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("star", [True, False])
def test_exact_is_the_share_of_all_permutations_of_eight(star: bool) -> None:
    rng = np.random.default_rng(8)
    values = rng.poisson(2, 8)
    matrix = adjacency(rng, 8)
    greater, _ = enumerated(values, matrix, star)
    found = local_g(values, matrix, star=star, alternative="greater")
    np.testing.assert_allclose(found.p, greater, rtol=1e-12)


def upper_tail(values: list[int], k: int) -> dict[int, Fraction]:
    """P(S ≥ s) of k values without replacement, in whole numbers of Python."""
    ways: dict[tuple[int, int], int] = {(0, 0): 1}
    for value, count in Counter(values).items():
        after: dict[tuple[int, int], int] = {}
        for (j, s), number in ways.items():
            for t in range(min(count, k - j) + 1):
                key = (j + t, s + t * value)
                after[key] = after.get(key, 0) + number * math.comb(count, t)
        ways = after
    total = math.comb(len(values), k)
    ordered = sorted((s for j, s in ways if j == k), reverse=True)
    running, tail = 0, {}
    for s in ordered:
        running += ways[k, s]
        tail[s] = Fraction(running, total)
    return tail


@pytest.mark.parametrize("star", [True, False])
def test_far_tails_keep_their_accuracy(star: bool) -> None:
    side = 60
    rng = np.random.default_rng(4)
    values = rng.poisson(0.4, side * side)
    block = 30 * side + 30 + np.add.outer(np.arange(3) * side, np.arange(3)).ravel()
    values[block] += 40
    found = local_g(values, queen(side), star=star, alternative="greater").p
    matrix = queen(side)
    sums = (matrix @ values + (values if star else 0)).astype(int)
    size = np.diff(matrix.indptr) + star
    worst, least = 0.0, 1.0
    for i in [0, 62, block[0], block[4], block[5], 3599]:
        others = values.tolist() if star else np.delete(values, i).tolist()
        wanted = float(upper_tail(others, int(size[i]))[sums[i]])
        worst, least = max(worst, abs(found[i] / wanted - 1)), min(least, wanted)
    assert least < 1e-20
    assert worst < 1e-12


def test_two_values_are_the_hypergeometric_distribution() -> None:
    rng = np.random.default_rng(5)
    values = (rng.random(900) < 0.1).astype(int)
    matrix = queen(30)
    found = local_g(values, matrix, alternative="greater")
    drawn = np.diff(matrix.indptr) + 1
    wanted = stats.hypergeom.sf(matrix @ values + values - 1, 900, values.sum(), drawn)
    np.testing.assert_allclose(found.p, wanted, rtol=1e-9)


def test_neighbourhoods_of_very_different_sizes_share_no_underflow() -> None:
    n = 1500
    matrix = sparse.lil_array((n, n))
    matrix[0, 1:1400] = 1
    matrix[1, 2] = 1
    values = np.zeros(n, dtype=int)
    values[[1, 2]] = 1
    found = local_g(values, matrix.tocsr(), star=True, alternative="greater")
    sums = matrix @ values + values
    drawn = np.diff(matrix.tocsr().indptr) + 1
    np.testing.assert_allclose(found.p, stats.hypergeom.sf(sums - 1, n, 2, drawn), rtol=1e-9)


@pytest.mark.parametrize("star", [True, False])
def test_z_agrees_with_esda(star: bool) -> None:
    rng = np.random.default_rng(6)
    values = rng.poisson(3, 400).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = G_Local(values, lat2W(20, 20, rook=False), transform="B", star=star, permutations=0)
    found = local_g(values, queen(20), star=star, inference="normal")
    np.testing.assert_allclose(found.z, other.Zs, rtol=1e-10)


@pytest.mark.parametrize("star", [True, False])
def test_exact_agrees_with_random_draws(star: bool) -> None:
    rng = np.random.default_rng(7)
    values = rng.poisson(2, 225)
    matrix = queen(15)
    found = local_g(values, matrix, star=star)
    for i in (0, 7, 112):
        others = values if star else np.delete(values, i)
        k = int(np.diff(matrix.indptr)[i]) + star
        order = np.argsort(rng.random((20000, len(others))), axis=1)[:, :k]
        sums = others[order].sum(axis=1)
        observed = (matrix @ values + (values if star else 0))[i]
        rank = 2 * min((sums >= observed).mean(), (sums <= observed).mean())
        assert found.p[i] == pytest.approx(min(1, rank), abs=0.03)


@pytest.mark.slow
def test_esda_permutations_lie_between_the_exact_tails() -> None:
    """esda misses ties of floating-point sums, so its rank lies between P(S > s) and P(S ≥ s)."""
    values = np.random.default_rng(7).poisson(20, 225)
    with warnings.catch_warnings():
        # esda tells that its default, the smaller tail alone, will change.
        warnings.simplefilter("ignore", DeprecationWarning)
        other = G_Local(
            values.astype(float),
            lat2W(15, 15, rook=False),
            transform="B",
            star=False,
            permutations=4999,
            seed=1,
        )
    greater = local_g(values, queen(15), star=False, alternative="greater").p
    less = local_g(values, queen(15), star=False, alternative="less").p
    slack = 0.03
    assert (other.p_sim <= np.minimum(greater, less) + slack).all()
    assert (other.p_sim >= np.minimum(1 - less, 1 - greater) - slack).all()


@pytest.mark.parametrize("star", [True, False])
def test_row_scaling_changes_nothing(star: bool) -> None:
    rng = np.random.default_rng(8)
    values = rng.poisson(1, 100)
    matrix = queen(10)
    scaled = sparse.csr_array(sparse.diags_array(rng.uniform(0.1, 9, 100)) @ matrix)
    plain = local_g(values, matrix, star=star)
    for other in (scaled, row_standardised(matrix)):
        found = local_g(values, other, star=star)
        np.testing.assert_allclose(found.z, plain.z, rtol=1e-9)
        np.testing.assert_allclose(found.p, plain.p, rtol=1e-12)
    uneven = matrix.copy()
    uneven.data = rng.uniform(0.5, 2, uneven.nnz)
    first = local_g(values, uneven, star=star, inference="normal").z
    second = local_g(
        values,
        sparse.csr_array(sparse.diags_array(rng.uniform(0.1, 9, 100)) @ uneven),
        star=star,
        inference="normal",
    ).z
    np.testing.assert_allclose(first, second, rtol=1e-9)


def test_z_of_any_weights_is_the_score_of_all_permutations() -> None:
    rng = np.random.default_rng(9)
    values = rng.normal(0, 1, 6)
    matrix = adjacency(rng, 6, 0.7)
    matrix.data = rng.uniform(0.5, 2, matrix.nnz)
    dense = matrix.toarray()
    for star in (True, False):
        found = local_g(values, matrix, star=star, inference="normal").z
        for i in range(6):
            weight = dense[i].copy()
            free = np.arange(6) if star else np.delete(np.arange(6), i)
            weight[i] = weight.max() if star else 0
            sums = np.array([weight[free] @ p for p in itertools.permutations(values[free])])
            assert found[i] == pytest.approx((weight @ values - sums.mean()) / sums.std())


@pytest.mark.parametrize("star", [True, False])
@pytest.mark.parametrize("inference", ["exact", "normal"])
@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_nothing_to_compare_is_z_0_and_p_1(
    star: bool, inference: Any, alternative: Alternative
) -> None:
    flat = local_g([4] * 25, queen(5), star=star, inference=inference, alternative=alternative)
    assert (flat.z == 0).all()
    assert (flat.p == 1).all()
    alone = local_g(
        [7], sparse.csr_array((1, 1)), star=star, inference=inference, alternative=alternative
    )
    assert (alone.z.tolist(), alone.p.tolist()) == ([0], [1])
    everyone = sparse.csr_array(1 - np.eye(4))
    whole = local_g([1, 2, 3, 9], everyone, star=star, inference=inference, alternative=alternative)
    assert whole.z.tolist() == [0] * 4
    assert whole.p.tolist() == [1] * 4


def test_only_one_cell_differs() -> None:
    """For Gi of that cell the others are all equal, so nothing can be said of it."""
    values = [0] * 24 + [5]
    found = local_g(values, queen(5), star=False)
    assert (found.z[24], found.p[24]) == (0, 1)
    assert np.isfinite(found.z).all()
    assert found.z[23] > 0


def test_islands() -> None:
    values = np.array([1, 2, 3, 4, 90])
    matrix = sparse.csr_array((5, 5))
    outside = local_g(values, matrix, star=False)
    assert (outside.z.tolist(), outside.p.tolist()) == ([0] * 5, [1] * 5)
    own = local_g(values, matrix, alternative="greater")
    np.testing.assert_allclose(own.z, (values - values.mean()) / values.std())
    np.testing.assert_allclose(own.p, [1, 0.8, 0.6, 0.4, 0.2])


@pytest.mark.parametrize(
    ("values", "matrix", "options", "sentence"),
    [
        ([0.5, 1, 2], queen(3)[:3, :3], {}, "not whole numbers"),
        ([1, 2, 3], sparse.csr_array([[0, 1, 2], [1, 0, 1], [1, 1, 0]]), {}, "unequal weights"),
        ([1, np.nan, 3], queen(3)[:3, :3], {}, "1 of the 3 values are missing"),
        ([[1, 2]], queen(2), {}, "one number a cell"),
        ([], queen(2), {}, "one number a cell"),
        ([1, 2, 3], queen(2), {}, "4 × 4, but there are 3 cells"),
        ([1, 2], sparse.csr_array(np.eye(2)), {}, "diagonal"),
        ([1, 2], sparse.csr_array([[0, -1], [1, 0]]), {}, "negative"),
        ([1, 2], np.array([[0, 1], [1, 0]]), {}, "scipy.sparse"),
        ([1, 2], sparse.csr_array([[0, 1], [1, 0]]), {"alternative": "both"}, "alternative"),
        ([1, 2], sparse.csr_array([[0, 1], [1, 0]]), {"inference": "guess"}, "inference"),
    ],
)
def test_bad_input_is_told(values: Any, matrix: Any, options: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        local_g(values, matrix, **options)


def test_a_distribution_too_large_is_refused() -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(ValueError, match="too large to compute: use inference"):
        local_g(rng.integers(0, 10**9, 400), queen(20))


def test_planted_cluster_is_found_and_simulation_cannot() -> None:
    """On 10,000 cells a p floored at 1/1000 never meets the false discovery rate."""
    rng = np.random.default_rng(10)
    rate = np.full((100, 100), 1.0)
    rate[40:44, 60:64] = 6.0
    found = local_g(rng.poisson(rate).ravel(), queen(100), alternative="greater")
    hot = benjamini_hochberg(found.p, 0.05).reshape(100, 100)
    assert hot[40:44, 60:64].mean() > 0.8
    hot[39:45, 59:65] = False
    assert hot.sum() <= 2  # a cell beside the cluster has some of it among its neighbours
    assert not benjamini_hochberg(np.maximum(found.p, 0.001), 0.05).any()


def test_false_discoveries_over_200_seeds() -> None:
    """The planted cluster is found, and of what is found at most 5 % has no part in it."""
    rate = np.full((30, 30), 2.0)
    rate[10:14, 20:24] = 8.0
    touched = np.zeros((30, 30), dtype=bool)
    touched[9:15, 19:25] = True  # all whose neighbourhood holds a planted cell
    matrix, false, missed = queen(30), [], 0
    for seed in range(200):
        counts = np.random.default_rng(seed).poisson(rate).ravel()
        p = local_g(counts, matrix, alternative="greater").p
        hot = benjamini_hochberg(p, 0.05).reshape(30, 30)
        false.append((hot & ~touched).sum() / max(hot.sum(), 1))
        missed += hot[10:14, 20:24].mean() < 0.5
    assert missed == 0
    assert np.mean(false) <= 0.05 + 3 * np.std(false) / 200**0.5


def shares(tests: int, mean: float, star: bool, inference: Any) -> tuple[float, float]:
    """The share of null data sets with p < 0.05 in a fixed inner cell, and with p ≤ 0.5."""
    rng = np.random.default_rng(11)
    matrix = queen(10)
    p = np.array(
        [
            local_g(rng.poisson(mean, 100), matrix, star=star, inference=inference).p[44]
            for _ in range(tests)
        ]
    )
    return float((p < 0.05).mean()), float((p <= 0.5).mean())


def interval(tests: int, level: float) -> tuple[float, float]:
    low, high = stats.binom.interval(0.999, tests, level)
    return float(low / tests), float(high / tests)


@pytest.mark.parametrize("star", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_p_is_calibrated_for_large_counts(star: bool) -> None:
    found, half = shares(500, 30, star, "exact")
    low, high = interval(500, 0.05)
    assert low <= found <= high
    low, high = interval(500, 0.5)
    assert low <= half <= high


@pytest.mark.slow
@pytest.mark.parametrize("star", [True, False])
def test_p_of_rare_events_is_never_too_small(star: bool) -> None:
    """Few different sums are possible, so the exact p is conservative, never the reverse."""
    found, half = shares(500, 0.2, star, "exact")
    assert found <= interval(500, 0.05)[1]
    assert half <= interval(500, 0.5)[1]


@pytest.mark.slow
@pytest.mark.parametrize("star", [True, False])
@pytest.mark.parametrize("mean", [0.05, 0.5, 2, 30])
def test_p_is_calibrated_in_every_cell(mean: float, star: bool) -> None:
    """All cells of 500 null maps: P(p ≤ α) ≤ α for every α, within what 500 maps can tell."""
    rng = np.random.default_rng(12)
    matrix = queen(20)
    p = np.array([local_g(rng.poisson(mean, 400), matrix, star=star).p for _ in range(500)])
    for alpha in (0.001, 0.01, 0.05, 0.2):
        below = (p <= alpha).mean(axis=0)
        assert below.mean() <= alpha * 1.1 + 1e-4
        assert below.max() <= stats.binom.ppf(1 - 1e-6, 500, alpha) / 500


@pytest.mark.slow
def test_the_tail_of_p_is_exactly_the_null() -> None:
    """Over all arrangements of a small map, P(p ≤ α) = the largest attainable p not above α."""
    values = np.array([0, 0, 1, 2, 2, 5])
    matrix = sparse.csr_array(sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(6, 6)))
    p = np.array(
        [
            local_g(np.array(order), matrix, alternative="greater").p[2]
            for order in itertools.permutations(values.tolist())
        ]
    )
    for alpha in np.unique(p):
        assert (p <= alpha + 1e-12).mean() == pytest.approx(alpha)


def test_agrees_with_libpysal_matrices() -> None:
    weights = W({0: [1], 1: [0, 2], 2: [1]}, silence_warnings=True)
    found = local_g([5, 3, 0], weights.sparse, alternative="greater")
    np.testing.assert_allclose(found.p, [1 / 3, 1, 1])
