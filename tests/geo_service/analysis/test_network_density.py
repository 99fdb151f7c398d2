"""Density along roads: against a straight line, a star, and the number of events."""

from typing import Any

import numpy as np
import pytest
import shapely

from geo_service.analysis.network_density import NetworkDensity, network, network_density


def line(*points: tuple[float, float]) -> Any:
    return shapely.LineString(points)


def kernel(distance: Any, reach: float) -> Any:
    u = np.minimum(np.abs(distance) / reach, 1)
    return 15 / (16 * reach) * (1 - u**2) ** 2 * 1000


def events(found: NetworkDensity) -> float:
    return float((found.values * (found.end - found.start)).sum()) / 1000


def at(found: NetworkDensity, x: float, y: float) -> float:
    middles = shapely.centroid(found.lines())
    return float(found.values[np.argmin(shapely.distance(middles, shapely.Point(x, y)))])


STREETS = [
    line((x, 0), (x, 600)) for x in range(0, 601, 100)
] + [line((0, y), (600, y)) for y in range(0, 601, 100)]  # fmt: skip
"""A grid of streets without dead ends."""


@pytest.mark.parametrize("continuous", [True, False])
def test_a_straight_road_is_the_plain_kernel(continuous: bool) -> None:
    """Two roads end to end are one: a junction of two splits nothing."""
    roads = network([line((0, 0), (480, 0)), line((480, 0), (480, 700))])
    found = network_density(roads, [400.0], [5.0], bandwidth=200, lixel=4, continuous=continuous)
    middle = (found.start + found.end) / 2
    along = middle if roads.edges[0].coords[0] == (0, 0) else roads.length[0] - middle
    np.testing.assert_allclose(found.values, kernel(along - 400, 200), rtol=1e-9, atol=1e-9)


def test_a_star_of_three_splits_as_published() -> None:
    """Okabe and Sugihara: halves beyond a junction of three, or two thirds and a third back."""
    roads = network([line((0, 0), (500, 0)), line((0, 0), (0, 500)), line((0, 0), (0, -500))])
    split = network_density(roads, [100.0], [0.0], bandwidth=300, lixel=10, continuous=False)
    assert at(split, 0, 45) == pytest.approx(kernel(145, 300) / 2)
    assert at(split, 0, -45) == pytest.approx(kernel(145, 300) / 2)
    assert at(split, 45, 0) == pytest.approx(kernel(55, 300))
    smooth = network_density(roads, [100.0], [0.0], bandwidth=300, lixel=10)
    assert at(smooth, 0, 45) == pytest.approx(kernel(145, 300) * 2 / 3)
    assert at(smooth, 45, 0) == pytest.approx(kernel(55, 300) - kernel(145, 300) / 3)
    fine = network_density(roads, [100.0], [0.0], bandwidth=300, lixel=1)
    assert at(fine, 0.5, 0) == pytest.approx(at(fine, 0, 0.5), rel=0.01)


@pytest.mark.parametrize("continuous", [True, False])
def test_the_events_are_kept_through_every_junction(continuous: bool) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 600, 40), rng.integers(0, 7, 40) * 100.0
    roads = network(STREETS)
    assert (len(roads.edges), roads.nodes) == (80, 45)
    found = network_density(roads, x, y, bandwidth=250, lixel=2, continuous=continuous)
    assert (found.events, found.left_out) == (40, 0)
    assert events(found) == pytest.approx(40, rel=1e-3)
    assert (found.values >= -1e-9).all()


def test_a_dead_end_turns_the_kernel_round() -> None:
    roads = network([line((0, 0), (1000, 0))])
    smooth = network_density(roads, [30.0], [0.0], bandwidth=200, lixel=1)
    assert events(smooth) == pytest.approx(1, rel=1e-4)
    lost = network_density(roads, [30.0], [0.0], bandwidth=200, lixel=1, continuous=False)
    assert events(lost) == pytest.approx(
        1 - kernel(np.arange(30.5, 200), 200).sum() / 1000, rel=1e-4
    )


def test_crossing_roads_meet_and_far_events_are_counted_out() -> None:
    roads = network([line((-200, 0), (200, 0)), line((0, -200), (0, 200))])
    assert (len(roads.edges), roads.nodes) == (4, 5)
    found = network_density(roads, [0.0, 150], [10.0, 150], bandwidth=100, off_road=50)
    assert (found.events, found.left_out) == (1, 1)
    assert shapely.length(found.lines()).sum() == pytest.approx(800)
    none = network_density(roads, [], [], bandwidth=100)
    assert (none.events, none.values.sum()) == (0, 0)


def test_a_ring_road() -> None:
    """An edge that starts and ends in one node is two of its half edges."""
    ring = line((0, 0), (100, 0), (100, 100), (0, 100), (0, 0))
    found = network_density(network([ring]), [50.0], [0.0], bandwidth=150, lixel=1)
    assert events(found) == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: network([]), "one at least"),
        (lambda: network([shapely.Point(0, 0)]), "must be lines"),
        (lambda: network([line((120.1, 30.1), (120.2, 30.2))]), "look like degrees"),
        (
            lambda: network_density(network(STREETS), [0.0], [0.0], bandwidth=-1),
            "bandwidth must be a positive",
        ),
        (
            lambda: network_density(network(STREETS), [300.0], [300.0], bandwidth=9000),
            "take a smaller bandwidth",
        ),
    ],
)
def test_bad_input_is_told(call: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        call()
