"""Kernel density: against sums over every pair, scipy, and what must add up."""

import math
from typing import Any

import numpy as np
import pytest
import shapely
from scipy.stats import gaussian_kde, norm

from geo_service.analysis.bandwidth import arcgis, cross_validated, scott
from geo_service.analysis.contours import contours, volume_level
from geo_service.analysis.density import Kernel, Surface, kde, space_time_density

KERNELS: tuple[Kernel, ...] = ("quartic", "gaussian")


def summed(x: Any, y: Any, at: Any, bandwidth: float, kernel: str) -> Any:
    """Density in events per km² at points, by every pair."""
    squared = ((at[:, None, :] - np.column_stack([x, y])[None]) ** 2).sum(axis=2) / bandwidth**2
    if kernel == "quartic":
        value = np.where(squared < 1, 3 / math.pi * (1 - squared) ** 2, 0)
    else:
        value = np.exp(-squared / 2) / (2 * math.pi)
    return value.sum(axis=1) / bandwidth**2 * 1e6


def centres(surface: Surface) -> Any:
    across, along = np.meshgrid(surface.x, surface.y)
    return np.column_stack([across.ravel(), along.ravel()])


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_pixel_is_the_sum_over_all_events(kernel: Kernel) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-300, 2300, (2, 150))
    found = kde(x, y, bandwidth=330, pixel=47, kernel=kernel, bounds=(0, 0, 2000, 1000))
    wanted = summed(x, y, centres(found), 330, kernel).reshape(found.values.shape)
    np.testing.assert_allclose(found.values, wanted, rtol=1e-9, atol=1e-12)


def test_gaussian_agrees_with_scipy() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(0, 500, (2, 200))
    found = kde(x, y, bandwidth=200, pixel=50, kernel="gaussian", bounds=(-500, -500, 500, 500))
    other = gaussian_kde(np.vstack([x, y]))
    other.covariance = np.eye(2) * 200**2
    other.set_bandwidth(1.0)
    other._data_covariance = np.eye(2) * 200**2
    other._data_cho_cov = np.eye(2) * 200
    other._compute_covariance()
    wanted = other(centres(found).T).reshape(found.values.shape) * 200 * 1e6
    np.testing.assert_allclose(found.values, wanted, rtol=1e-9)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_density_adds_up_to_the_events(kernel: Kernel) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(0, 400, (2, 80))
    weights = rng.uniform(0, 2, 80)
    found = kde(x, y, bandwidth=300, pixel=25, kernel=kernel, weights=weights)
    assert found.values.sum() * 25**2 / 1e6 == pytest.approx(weights.sum(), rel=1e-3)
    assert found.events == pytest.approx(weights.sum())


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_rim_is_not_emptier(kernel: Kernel) -> None:
    """Events spread evenly are as dense in the corner as in the middle once the rim is mended."""
    area = shapely.box(0, 0, 2000, 2000)
    grid = np.arange(10, 2000, 20.0)
    x, y = (part.ravel() for part in np.meshgrid(grid, grid))
    plain = kde(x, y, bandwidth=200, pixel=40, kernel=kernel, bounds=area.bounds)
    mended = kde(x, y, bandwidth=200, pixel=40, kernel=kernel, area=area)
    assert plain.values[0, 0] < 0.5 * 2500
    np.testing.assert_allclose(mended.values, 2500, rtol=0.02)


def test_nothing_is_shown_outside_the_area() -> None:
    area = shapely.Polygon([(0, 0), (1000, 0), (0, 1000)])
    found = kde([300.0, 900], [300.0, 900], bandwidth=300, pixel=20, area=area)
    outside = ~shapely.intersects_xy(area, *centres(found).T).reshape(found.values.shape)
    assert (found.values[outside] == 0).all()
    assert (found.values[~outside] > 0).any()


@pytest.mark.parametrize("kernel", KERNELS)
def test_space_time_is_the_product_of_both_kernels(kernel: Kernel) -> None:
    rng = np.random.default_rng(4)
    x, y = rng.uniform(0, 1000, (2, 40))
    t = rng.uniform(0, 60, 40)
    found = space_time_density(x, y, t, [10, 30.5], bandwidth=300, days=9, pixel=100, kernel=kernel)
    for surface, moment in zip(found, (10, 30.5), strict=True):
        wanted = np.zeros(surface.values.size)
        for i in range(40):
            u = (t[i] - moment) / 9
            in_time = max(0, 15 / 16 * (1 - u**2) ** 2) if abs(u) < 1 else 0.0
            if kernel == "gaussian":
                in_time = norm.pdf(u)
            wanted += summed(x[[i]], y[[i]], centres(surface), 300, kernel) * in_time / 9
        np.testing.assert_allclose(surface.values.ravel(), wanted, rtol=1e-8, atol=1e-12)


def test_scott_agrees_with_scipy() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.normal(0, 300, (2, 500))
    deviation = np.sqrt((x.var(ddof=1) + y.var(ddof=1)) / 2)
    wanted = gaussian_kde(np.vstack([x, y])).scotts_factor() * deviation
    assert scott(x, y, kernel="gaussian") == pytest.approx(wanted)
    assert scott(x, y) == pytest.approx(wanted * math.sqrt(8))


def test_the_two_kernels_have_one_variance() -> None:
    fine = np.linspace(-1, 1, 2001)
    shape = np.maximum(1 - fine[:, None] ** 2 - fine**2, 0) ** 2
    assert (shape * fine**2).sum() / shape.sum() == pytest.approx(1 / 8, rel=1e-4)


def test_arcgis_rule_by_hand() -> None:
    """Distances from the centre 5, 5, 5, 5, 0: standard distance √20, median 5."""
    x, y = [3.0, -3, 4, -4, 0], [4.0, -4, -3, 3, 0]
    spread = min(math.sqrt(20), 5 * math.sqrt(1 / math.log(2)))
    assert arcgis(x, y) == pytest.approx(0.9 * spread * 5**-0.2)
    assert arcgis([0.0, 0, 0, 0, 10], [0.0] * 5) > 0


@pytest.mark.parametrize("kernel", KERNELS)
def test_cross_validation_is_the_best_of_all_leave_one_out(kernel: Kernel) -> None:
    rng = np.random.default_rng(6)
    xy = np.concatenate([rng.normal(c, 60, (30, 2)) for c in ([0, 0], [900, 200], [300, 800])])
    xy[40:44] = xy[40]
    x, y = xy.T
    found = cross_validated(x, y, kernel=kernel, low=20, high=800)

    def likelihood(bandwidth: float) -> float:
        total = 0.0
        for i in range(len(xy)):
            others = (xy != xy[i]).any(axis=1)
            density = summed(x[others], y[others], xy[[i]], bandwidth, kernel)[0] / 1e6
            total += math.log(density / others.sum()) if density > 0 else -math.inf
        return total / len(xy)

    best = likelihood(found.bandwidth)
    assert not found.at_end
    for bandwidth, score in zip(found.tried, found.log_likelihood, strict=True):
        wanted = likelihood(bandwidth)
        assert (score == wanted) or score == pytest.approx(wanted, rel=1e-9)
        assert best >= wanted - 1e-9
    assert best >= likelihood(found.bandwidth * 1.01) - 1e-7
    assert best >= likelihood(found.bandwidth / 1.01) - 1e-7


def test_contours_are_circles_around_one_event() -> None:
    """The quartic kernel falls to a quarter of its height at r = h √(1 − ½)."""
    surface = kde([0.0], [0.0], bandwidth=1000, pixel=10)
    top = 3 / math.pi
    (found,) = contours(surface, [0.0, 600, 800], [0.0, 0, 0], levels=[top / 4])
    radius = 1000 * math.sqrt(0.5)
    assert found.area_km2 == pytest.approx(math.pi * radius**2 / 1e6, rel=1e-3)
    assert found.events == 2
    assert found.share == pytest.approx(2 / 3)


def test_contours_with_holes_and_at_the_edge_of_the_grid() -> None:
    values = np.zeros((20, 30))
    values[3:12, 0:9] = 5
    values[6:9, 3:6] = 0
    surface = Surface(values, np.arange(30.0) * 10, np.arange(20.0) * 10, 10, "quartic", 1)
    (found,) = contours(surface, [45.0, 15.0], [70.0, 70.0], levels=[2.5])
    assert found.polygon.is_valid
    assert found.events == 1
    assert len(shapely.get_parts(found.polygon)) == 1
    assert shapely.get_num_interior_rings(found.polygon) == 1
    (cut,) = contours(surface, [45.0], [70.0], levels=[2.5], area=shapely.box(0, 0, 40, 400))
    assert cut.polygon.bounds[2] <= 40
    (empty,) = contours(surface, [45.0], [70.0], levels=[9])
    assert (empty.area_km2, empty.events, empty.polygon.is_empty) == (0, 0, True)


def test_volume_contours_hold_their_part_of_the_density() -> None:
    rng = np.random.default_rng(7)
    x, y = rng.normal(0, 400, (2, 300))
    surface = kde(x, y, bandwidth=300, pixel=20)
    for share in (0.25, 0.5, 0.95):
        level = volume_level(surface, share)
        part = surface.values[surface.values >= level].sum() / surface.values.sum()
        assert share <= part < share + 0.01
    found = contours(surface, x, y, volumes=(0.5, 0.95, 0.25))
    levels = [contour.level for contour in found]
    assert levels == sorted(levels, reverse=True)
    assert found[0].share < found[1].share < found[2].share
    for contour in found:
        inside = shapely.intersects_xy(contour.polygon, x, y)
        assert contour.share == inside.mean()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: kde([120.1, 120.2], [30.1, 30.2], bandwidth=500, pixel=50), "look like degrees"),
        (lambda: kde([0.0], [0.0], bandwidth=0, pixel=50), "bandwidth must be a positive"),
        (lambda: kde([0.0], [0.0], bandwidth=9, pixel=-1), "pixel size must be a positive"),
        (lambda: kde([0.0], [0.0], bandwidth=9e6, pixel=1), "take larger ones"),
        (lambda: kde([], [], bandwidth=9, pixel=1), "no events, and neither"),
        (lambda: kde([0.0], [0.0], bandwidth=9, pixel=1, weights=[-1]), "not negative"),
        (lambda: kde([0.0], [0.0], bandwidth=9, pixel=1, kernel="box"), "kernel must be"),  # type: ignore[arg-type]
        (lambda: kde([0.0], [0.0], bandwidth=9, pixel=1, bounds=(5, 0, 0, 5)), "west, south"),
        (
            lambda: space_time_density([0.0], [0.0], [1, 2], [1], bandwidth=9, days=1, pixel=1),
            "needs a time",
        ),
        (
            lambda: space_time_density([0.0], [0.0], [1], [1], bandwidth=9, days=0, pixel=1),
            "number of days",
        ),
        (lambda: scott([5.0, 5], [5.0, 5]), "at two places"),
        (lambda: arcgis([5.0], [5.0]), "at two places"),
        (lambda: cross_validated([0.0, 1, 0], [0.0, 0, 0]), "here are 2"),
        (lambda: cross_validated([0.0, 1, 5], [0.0, 0, 0], low=9, high=5), "below the greatest"),
        (lambda: volume_level(kde([0.0], [0.0], bandwidth=9, pixel=1), 1.5), "share must lie"),
    ],
)
def test_bad_input_is_told(call: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        call()
