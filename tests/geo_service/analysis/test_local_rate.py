"""The local rate against every way to throw events over households, and what it refuses."""

import itertools

import numpy as np
import pytest
from scipy import sparse

from geo_service.analysis.local_rate import local_rate

PAIR = sparse.csr_array(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]]))


@pytest.mark.parametrize("counts", [[5, 0, 1], [0, 0, 6], [2, 2, 2], [0, 3, 3]])
def test_p_is_the_share_of_all_throws(counts: list[int]) -> None:
    base, n = np.array([3, 1, 2]), sum(counts)
    homes = np.repeat(np.arange(3), base)
    group = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    thrown = [
        group @ np.bincount(homes[list(way)], minlength=3)
        for way in itertools.product(range(6), repeat=n)
    ]
    around, sums = group @ counts, np.array(thrown)
    upper, lower = (sums >= around).mean(axis=0), (sums <= around).mean(axis=0)
    found = local_rate(counts, base, PAIR)
    assert found.p == pytest.approx(np.minimum(1, 2 * np.minimum(upper, lower)))
    assert found.around.tolist() == around.tolist()
    assert found.expected == pytest.approx(sums.mean(axis=0))


def test_cells_without_a_base_are_left_out() -> None:
    found = local_rate([4, 1, 9], [10, 10, 0], sparse.csr_array((3, 3)))
    assert found.around.tolist() == [4, 1, 0]
    assert found.expected == pytest.approx([2.5, 2.5, 0])
    assert (found.z[2], found.p[2]) == (0, 1)


@pytest.mark.parametrize("base", [[0, 0, 0], [1, 2], [1, -1, 2], [1, np.nan, 2]])
def test_a_senseless_base_is_refused(base: list[float]) -> None:
    with pytest.raises(ValueError, match="base must be"):
        local_rate([1, 1, 1], base, PAIR)
