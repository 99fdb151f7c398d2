"""Rows near to each other: brute force says the same, and thousands at one place do no harm."""

import numpy as np
import pytest
from pyproj import Geod

from layers.intake import nearness
from layers.intake.nearness import Events, near_duplicates

DAY = 86_400.0


def events(seed: int, count: int, spread: float = 0.002) -> Events:
    rng = np.random.default_rng(seed)
    return Events(
        117 + rng.random(count) * spread,
        31 + rng.random(count) * spread,
        rng.random(count) * 10 * DAY,
        [("fire", "gas", None)[i] for i in rng.integers(0, 3, count)],
    )


def brute(a: Events, b: Events, metres: float, *, same: bool) -> set[tuple[int, int]]:
    """Compare every pair, by geodesics on WGS 84."""
    i, j = np.triu_indices(len(a), 1) if same else np.indices((len(a), len(b))).reshape(2, -1)
    _, _, away = Geod(ellps="WGS84").inv(
        a.longitude[i], a.latitude[i], b.longitude[j], b.latitude[j]
    )
    assert a.times is not None
    assert b.times is not None
    kinds = np.array(a.categories, dtype=object)[i] == np.array(b.categories, dtype=object)[j]
    good = (np.abs(a.times[i] - b.times[j]) <= DAY) & kinds & (away <= metres)
    return set(zip(i[good].tolist(), j[good].tolist(), strict=True))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_pairs_are_those_of_brute_force(seed: int) -> None:
    own, there = events(seed, 600), events(seed + 10, 500)
    found = near_duplicates(own, there)
    inside = {(n.first, n.second) for n in found if not n.known}
    across = {(n.first, n.second) for n in found if n.known}
    assert len(inside) > 100
    # At the very edge the sphere and the ellipsoid differ, by less than 0.6 %.
    assert brute(own, own, 19.88, same=True) <= inside <= brute(own, own, 20.12, same=True)
    assert brute(own, there, 19.88, same=False) <= across <= brute(own, there, 20.12, same=False)


def test_the_limits_belong_to_it() -> None:
    at = Events(np.full(3, 117.0), np.full(3, 31.0), np.array([0, DAY, DAY * 2 + 1]), ["a"] * 3)
    assert [(n.first, n.second, n.hours) for n in near_duplicates(at)] == [(0, 1, 24.0)]


def test_what_has_no_time_or_place_is_near_to_nothing() -> None:
    nan = float("nan")
    at = Events(np.array([117, 117, nan, nan]), np.full(4, 31.0), np.array([nan, nan, 0, 0]))
    assert near_duplicates(at) == []
    assert near_duplicates(Events(np.array([]), np.array([]))) == []


def test_cameras_on_one_pole() -> None:
    # 0.9 m and 1.2 m east of the first.
    step = 1 / 95_438.0  # metres a degree of longitude at 31 north
    at = Events(117 + np.array([0, 0.9, 2.1]) * step, np.full(3, 31.0))
    [pair] = near_duplicates(at, metres=1.0)
    assert (pair.first, pair.second) == (0, 1)
    assert pair.metres == pytest.approx(0.9, rel=0.01)


def test_thousands_at_one_place_are_bounded() -> None:
    count = 4000
    at = Events(np.full(count, 117.0), np.full(count, 31.0), np.zeros(count), ["a"] * count)
    assert count * (count - 1) / 2 > nearness.PAIRS
    found = near_duplicates(at, at)
    assert 0 < len(found) <= count * 2 * nearness._NEAREST
    assert {n.first for n in found} == set(range(count))
