"""Clusters: against scikit-learn and a plain loop over every pair, and what is said of them."""

from typing import Any

import numpy as np
import pytest
import shapely
from sklearn.cluster import DBSCAN

from geo_service.analysis.clusters import dbscan, describe, hdbscan, st_dbscan


def looped(x: Any, y: Any, t: Any, distance: float, days: float, *, least: int) -> list[int]:
    """ST-DBSCAN as published: grow each cluster from its first core, event by event."""
    n = len(x)
    reach = [
        [
            j
            for j in range(n)
            if np.hypot(x[i] - x[j], y[i] - y[j]) <= distance and abs(t[i] - t[j]) <= days
        ]
        for i in range(n)
    ]
    core = [len(near) >= least for near in reach]
    component, number = [-1] * n, 0
    for i in range(n):
        if core[i] and component[i] < 0:
            waiting, component[i] = [i], number
            while waiting:
                for j in reach[waiting.pop()]:
                    if core[j] and component[j] < 0:
                        component[j] = number
                        waiting.append(j)
            number += 1
    label = list(component)
    for i in range(n):
        if not core[i]:
            label[i] = min((component[j] for j in reach[i] if core[j]), default=-1)
    order: list[int] = []
    for value in label:
        if value >= 0 and value not in order:
            order.append(value)
    return [order.index(value) if value >= 0 else -1 for value in label]


@pytest.mark.parametrize("least", [1, 2, 4, 5])
def test_st_dbscan_agrees_with_a_loop_over_every_pair(least: int) -> None:
    rng = np.random.default_rng(least)
    x, y = rng.integers(0, 30, (2, 150)) * 10.0
    t = rng.integers(0, 50, 150)
    found = st_dbscan(x, y, t, distance=50, days=8, least=least)
    assert found.tolist() == looped(x, y, t, 50, 8, least=least)
    assert found.max() > 0


def test_st_dbscan_without_end_of_time_is_dbscan() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 1000, (2, 400))
    found = st_dbscan(x, y, rng.uniform(0, 9, 400), distance=40, days=1e6, least=4)
    other = DBSCAN(eps=40, min_samples=4)
    other.fit(np.column_stack([x, y]))
    cores = other.core_sample_indices_
    pairs = set(zip(found[cores].tolist(), other.labels_[cores].tolist(), strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    np.testing.assert_array_equal(found == -1, other.labels_ == -1)
    np.testing.assert_array_equal(dbscan(x, y, distance=40, least=4), other.labels_)


def test_events_apart_in_time_alone_are_two_clusters() -> None:
    rng = np.random.default_rng(2)
    xy = rng.normal(0, 20, (40, 2))
    t = np.repeat([0.0, 100.0], 20) + rng.uniform(0, 2, 40)
    found = st_dbscan(xy[:, 0], xy[:, 1], t, distance=60, days=5, least=3)
    assert found.tolist() == [0] * 20 + [1] * 20
    assert set(dbscan(*xy.T, distance=60, least=3)) == {0}


def test_hdbscan_finds_planted_groups_of_different_density() -> None:
    rng = np.random.default_rng(3)
    xy = np.concatenate(
        [rng.normal(0, 20, (60, 2)), rng.normal(2000, 150, (60, 2)), [[9000, 9000]]]
    )
    found = hdbscan(*xy.T, smallest=15)
    assert found[-1] == -1
    first, second = found[:60], found[60:120]
    assert (first == np.bincount(first[first >= 0]).argmax()).mean() > 0.8
    assert (second == np.bincount(second[second >= 0]).argmax()).mean() > 0.8
    assert not set(first[first >= 0]) & set(second[second >= 0])


def test_a_cluster_is_described() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.uniform(0, 300, (2, 80))
    day = np.datetime64("2026-03-01") + rng.integers(0, 30, 80)
    (found,) = describe(x, y, np.zeros(80, dtype=int), times=day)
    points = shapely.points(x, y)
    assert found.hull.geom_type == "Polygon"
    assert shapely.dwithin(points, found.hull, 1e-6).all()
    assert found.area_km2 == pytest.approx(found.hull.area / 1e6)
    assert found.hull.area <= shapely.convex_hull(shapely.multipoints(points)).area
    away = shapely.distance(points, shapely.Point(found.centre))
    assert away.max() == pytest.approx(found.radius, rel=1e-6)
    assert (found.start, found.end) == (day.min(), day.max())
    assert found.summary.zh == (
        f"80 起，范围 {found.area_km2:.3f} 平方公里，半径 {found.radius:.0f} 米，"
        f"{day.min()} 至 {day.max()}"
    )
    assert found.summary.en.startswith("80 events in ")


@pytest.mark.parametrize(
    ("x", "y", "kind", "zh", "en"),
    [
        ([5, 5, 5], [1, 1, 1], "Point", "3 起，在同一地点", "3 events in one place"),
        (
            [0, 30, 60],
            [0, 40, 80],
            "LineString",
            "3 起，沿一条线，长 100 米",
            "3 events along a line of 100 m",
        ),
        (
            [0, 300, 0],
            [0, 0, 400],
            "Polygon",
            "3 起，范围 0.060 平方公里，半径 250 米",
            "3 events in 0.060 km², within 250 m of their middle",
        ),
    ],
)
def test_clusters_without_width(x: Any, y: Any, kind: str, zh: str, en: str) -> None:
    (found,) = describe(x, y, [2, 2, 2])
    assert found.hull.geom_type == kind
    assert found.summary == (zh, en)
    day = np.array(["2026-03-01T05"] * 3, dtype="datetime64[h]")
    (dated,) = describe(x, y, [2, 2, 2], times=day)
    assert dated.summary == (f"{zh}，2026-03-01", f"{en}, on 2026-03-01")


def test_the_largest_comes_first_and_noise_not_at_all() -> None:
    found = describe([0.0, 1, 50, 51, 52, 900], [0.0] * 6, [0, 0, 1, 1, 1, -1])
    assert [(cluster.label, cluster.count) for cluster in found] == [(1, 3), (0, 2)]
    assert describe([0.0], [0.0], [-1]) == []


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: dbscan([120.1, 120.2], [30.1, 30.2], distance=200, least=3), "look like degrees"),
        (lambda: dbscan([0.0], [0.0], distance=0, least=3), "distance must be a positive"),
        (lambda: dbscan([0.0], [0.0], distance=5, least=0), "must be positive, not 0"),
        (lambda: hdbscan([0.0], [0.0], smallest=1), "two events at least"),
        (lambda: hdbscan([0.0, 1], [0.0, 0], smallest=5), "2 events are too few"),
        (
            lambda: st_dbscan([0.0], [0.0], [1, 2], distance=5, days=3, least=2),
            "needs a time",
        ),
        (
            lambda: st_dbscan([0.0], [0.0], [1], distance=5, days=-3, least=2),
            "positive number of days",
        ),
        (lambda: dbscan(np.zeros(20000), np.zeros(20000), distance=5, least=2), "too many to hold"),
        (lambda: describe([0.0], [0.0], [0, 1]), "labels of shape"),
        (lambda: describe([0.0], [0.0], [0.5]), "labels of shape"),
        (
            lambda: describe([0.0], [0.0], [0], times=np.array(["NaT"], dtype="datetime64[D]")),
            "or none",
        ),
    ],
)
def test_bad_input_is_told(call: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        call()


def test_no_events() -> None:
    assert dbscan([], [], distance=5, least=2).size == 0
    assert st_dbscan([], [], [], distance=5, days=1, least=2).size == 0
