"""Proposals with their reason, and the demo town's planted truth at three sizes."""

from datetime import date
from typing import Any

import numpy as np
import pytest
import shapely
from esda import Moran
from libpysal.weights import DistanceBand

from geo_service.analysis.lattice import squares
from geo_service.analysis.metric import project
from geo_service.analysis.proposal import propose_distance, propose_size, three_sizes
from layers.town import Town, build

UNTIL = date(2026, 9, 30)
CORNER = np.array([500_000.0, 3_300_000.0])


@pytest.fixture(scope="module")
def demo_town() -> Town:
    return build(seed=20240101, until=UNTIL)


@pytest.mark.parametrize(
    ("events", "area", "size", "said"),
    [
        (9400, 48e6, 100, "about two on average"),
        (200, 48e6, 600, "about two on average"),
        (40, 1e6, 150, "fewer than 30 larger"),
        (100_000, 10e6, 20, "finer than the places are known"),
    ],
)
def test_size_and_its_reason(events: int, area: float, size: float, said: str) -> None:
    found = propose_size(events, area)
    assert found.size == size
    assert said in found.reason.en
    assert f"{size:g} 米" in found.reason.zh
    assert area / found.size**2 >= 30


def field(side: int, spread: float) -> tuple[Any, Any, Any]:
    """Counts on cells of 100 m around bumps of a given width."""
    rng = np.random.default_rng(1)
    x, y = (part.ravel() * 100.0 for part in np.meshgrid(np.arange(side), np.arange(side)))
    rate = np.full(side * side, 1.0)
    for cx, cy in rng.uniform(0, side * 100, (6, 2)):
        rate += 8 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * spread**2))
    return rng.poisson(rate), x, y


@pytest.mark.slow
def test_distance_is_the_first_peak_of_morans_i() -> None:
    values, x, y = field(30, 150)
    found = propose_distance(values, x, y)
    assert found.peak
    for distance, z in zip(found.tried, found.z, strict=True):
        weights = DistanceBand(
            np.column_stack([x, y]), distance * (1 + 1e-9), binary=True, silence_warnings=True
        )
        assert z == pytest.approx(Moran(values, weights, "B", permutations=0).z_rand, rel=1e-6)
    at = int(np.flatnonzero(found.tried == found.distance)[0])
    assert found.z[at - 1] < found.z[at] >= found.z[at + 1]
    assert (np.diff(found.z[: at + 1]) > 0).all() or at == 1
    assert "first peak" in found.reason.en
    assert f"{found.distance:.0f} 米" in found.reason.zh


def test_without_a_peak_it_is_the_mean_number_of_neighbours() -> None:
    values = np.random.default_rng(2).poisson(1, 400)
    x, y = (part.ravel() * 100.0 for part in np.meshgrid(np.arange(20), np.arange(20)))
    found = propose_distance(values, x, y)
    assert not found.peak
    away = np.sort(np.hypot(x[:, None] - x, y[:, None] - y), axis=1)
    assert found.distance == pytest.approx(away[:, 20].mean())
    assert "about 20 neighbours" in found.reason.en


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: propose_size(29, 1e6), "29 events are too few"),
        (lambda: propose_size(100, 0), "positive number of square metres"),
        (lambda: propose_distance([1] * 9, range(9), range(9)), "9 cells are too few"),
        (lambda: propose_distance([1] * 9, range(40), range(40)), "9 values for 40 cells"),
        (lambda: propose_distance([1] * 40, [5] * 40, [5] * 40), "in the same place"),
        (
            lambda: propose_distance([1] * 40, np.linspace(120, 121, 40), np.full(40, 30.0)),
            "look like degrees",
        ),
    ],
)
def test_bad_input_is_told(call: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        call()


def test_three_sizes_agree_on_a_planted_cluster() -> None:
    area = shapely.box(500_000, 3_300_000, 504_000, 3_304_000)
    rng = np.random.default_rng(3)
    xy = (
        np.concatenate(
            [rng.uniform(0, 4000, (1500, 2)), rng.uniform([1000, 2000], [1600, 2600], (250, 2))]
        )
        + CORNER
    )
    planted = shapely.box(501_000, 3_302_000, 501_600, 3_302_600)
    half, whole, double = three_sizes(xy[:, 0], xy[:, 1], area, crs=4549, size=200)
    assert [answer.size for answer in (half, whole, double)] == [100, 200, 400]
    assert [len(answer.lattice) for answer in (half, whole, double)] == [1600, 400, 100]
    assert whole.agreement == 1
    for answer in (half, whole, double):
        cover = shapely.union_all(answer.lattice.polygons[answer.hot])
        assert shapely.intersection(cover, planted).area > 0.7 * planted.area
        assert cover.area == pytest.approx(answer.hot_km2 * 1e6)
        assert answer.events == answer.counts.sum() == 1750
        assert answer.hot_events == answer.counts[answer.hot].sum()
        assert 0 < answer.agreement <= 1
    hexagons = three_sizes(xy[:, 0], xy[:, 1], area, crs=4549, shape="hexagon")[1]
    assert hexagons.size == 150
    assert hexagons.hot.any()


def test_nothing_is_hot_at_any_size_where_nothing_was_planted() -> None:
    """At a false discovery rate of 5 % a map without clusters shows one in about 1 of 20."""
    area = shapely.box(500_000, 3_300_000, 504_000, 3_304_000)
    shown = 0
    for seed in range(25):
        xy = np.random.default_rng(seed).uniform(0, 4000, (800, 2)) + CORNER
        shown += any(a.hot.any() for a in three_sizes(xy[:, 0], xy[:, 1], area, crs=4549, size=400))
    assert shown <= 8  # three looks a map at most 0.05 each: P(more than 8 of 25) is below 0.02


def test_the_planted_hot_spots_of_the_demo_town_are_found(demo_town: Town) -> None:
    """Disputes of the spot's category in its months, against all of the town's of that category."""
    outline = shapely.union_all(demo_town.tables["grids"]["geom"].to_numpy())
    lattice = squares(outline, 200, crs=4326)
    times = {"disputes": "occurred_at", "hazards": "found_at"}
    assert demo_town.truth["hot_spots"]
    for spot in demo_town.truth["hot_spots"]:
        table = demo_town.tables[spot["layer"]]
        when = table[times[spot["layer"]]]
        mine = (table["category"] == spot["category"]) & when.dt.month.isin(spot["months"])
        day = when.dt.strftime("%Y-%m-%d")
        mine &= (day >= spot["start"]) & (day <= spot["end"])
        points = table["geom"][mine]
        points = points[points.notna()]
        x, y = points.x.to_numpy(), points.y.to_numpy()
        answers = three_sizes(x, y, outline, crs=4326, size=200)
        longitude, latitude = spot["center"]
        centre = np.column_stack(project([longitude], [latitude], 4326, lattice.crs))[0]
        disc = shapely.Point(centre).buffer(spot["radius_m"])
        for answer in answers:
            cover = shapely.union_all(answer.lattice.polygons[answer.hot])
            assert shapely.intersects(cover, disc), (spot["name"], answer.size)
