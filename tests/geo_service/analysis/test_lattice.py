"""Cells: every event in exactly one, shares that add up, and neighbours as listed one by one."""

from typing import Any

import numpy as np
import pytest
import shapely
from libpysal.weights import lat2W
from pyproj import CRS
from scipy import sparse
from scipy.spatial.distance import cdist

from geo_service.analysis.lattice import Lattice, grids, hexagons, squares
from geo_service.analysis.local_g import local_g
from geo_service.analysis.metric import local_crs, metres, metric_crs, project
from geo_service.analysis.neighbours import contiguity, distance_band, nearest
from geo_service.analysis.significance import benjamini_hochberg
from static_maps.metric import local_crs as printed_crs

L_SHAPE = shapely.Polygon([(0, 0), (1000, 0), (1000, 400), (450, 400), (450, 1000), (0, 1000)])
"""In metres, with a side (450) that no cell of 100 m follows."""


def metric_lattice(kind: str, area: Any = L_SHAPE, size: float = 100) -> Lattice:
    make = squares if kind == "square" else hexagons
    return make(area, size, crs=4549, local=4549)


@pytest.mark.parametrize("longitude", [73.5, 76.49, 76.5, 104.07, 119.99, 121.5, 136.49])
def test_local_crs_is_that_of_the_printed_maps(longitude: float) -> None:
    assert local_crs(longitude) == printed_crs(longitude, 30)


@pytest.mark.parametrize("longitude", [73.4, 136.5, -87.6, float("nan")])
def test_local_crs_outside_china_is_told(longitude: float) -> None:
    with pytest.raises(ValueError, match="no CGCS2000 3-degree zone"):
        local_crs(longitude)


@pytest.mark.parametrize("kind", ["square", "hexagon"])
@pytest.mark.parametrize("size", [70, 100])
def test_cells_cover_the_area_once(kind: str, size: float) -> None:
    lattice = metric_lattice(kind, size=size)
    assert lattice.areas().sum() == pytest.approx(L_SHAPE.area)
    assert shapely.union_all(lattice.polygons).area == pytest.approx(L_SHAPE.area)
    whole = size**2 if kind == "square" else size**2 * np.sqrt(3) / 2
    np.testing.assert_allclose(lattice.areas(), lattice.share * whole, rtol=1e-9)
    assert (lattice.share > 0).all()
    assert (lattice.share <= 1).all()


@pytest.mark.parametrize("kind", ["square", "hexagon"])
def test_cells_are_numbered_as_grids_are(kind: str) -> None:
    """West to east in a row, rows north to south."""
    centres = metric_lattice(kind).centres
    order = np.lexsort((centres[:, 0], -np.round(centres[:, 1], 6)))
    np.testing.assert_array_equal(order, np.arange(len(centres)))


@pytest.mark.parametrize("kind", ["square", "hexagon"])
def test_every_event_of_the_area_is_in_the_lowest_cell_that_holds_it(kind: str) -> None:
    lattice = metric_lattice(kind)
    rng = np.random.default_rng(1)
    steps = rng.integers(-1, 12, (400, 2)) * 100.0
    x, y = np.concatenate([rng.uniform(-50, 1050, (2000, 2)), steps, steps + np.array([50, 0])]).T
    found = lattice.locate(x, y, crs=4549)
    points = shapely.points(x, y)
    near = shapely.dwithin(points[:, None], lattice.polygons[None, :], 1e-7)
    inside = shapely.intersects(L_SHAPE, points)
    assert (found[~inside] == -1).all()
    assert inside.sum() > 1000
    np.testing.assert_array_equal(found[inside], np.argmax(near[inside], axis=1))
    assert near[inside].any(axis=1).all()


def test_events_on_the_corner_of_hexagons_are_in_the_lowest() -> None:
    lattice = metric_lattice("hexagon", shapely.box(0, 0, 2000, 2000))
    corners = shapely.get_coordinates(lattice.polygons[lattice.share == 1])
    found = lattice.locate(corners[:, 0], corners[:, 1], crs=4549)
    near = shapely.dwithin(shapely.points(corners)[:, None], lattice.polygons[None, :], 1e-6)
    np.testing.assert_array_equal(found, np.argmax(near, axis=1))


def test_grids_give_shared_edges_to_the_lowest_code() -> None:
    west, east = shapely.box(120.0, 30.0, 120.01, 30.01), shapely.box(120.01, 30.0, 120.02, 30.01)
    lattice = grids([east, west], ["990101101001002", "990101101001001"], crs=4326)
    assert lattice.codes == ("990101101001001", "990101101001002")
    found = lattice.locate(
        [120.01, 120.01, 120.015, 120.0, 119.9], [30.005, 30.01, 30.0, 30.0, 30.0], crs=4326
    )
    assert found.tolist() == [0, 0, 1, 0, -1]
    assert lattice.counts([120.005] * 3, [30.005] * 3, crs=4326).tolist() == [3, 0]
    assert contiguity(lattice).toarray().tolist() == [[0, 1], [1, 0]]


def test_grids_that_meet_inside_an_edge_are_neighbours() -> None:
    """A corner on a neighbour's longer edge leaves it by a hair when both are projected."""
    shapes = [
        shapely.box(120.0, 30.0, 120.01, 30.02),
        shapely.box(120.01, 30.0, 120.02, 30.007),
        shapely.box(120.01, 30.007, 120.02, 30.02),
        shapely.box(120.03, 30.0, 120.04, 30.01),
    ]
    found = contiguity(grids(shapes, list("abcd"), crs=4326)).sum(axis=1)
    assert found.tolist() == [2, 2, 2, 0]


def test_queen_neighbours_are_those_of_libpysal() -> None:
    lattice = metric_lattice("square", shapely.box(0, 0, 700, 700))
    np.testing.assert_array_equal(contiguity(lattice).toarray(), lat2W(7, 7, rook=False).full()[0])


@pytest.mark.parametrize(("kind", "reach"), [("square", 1.5), ("hexagon", 1.1)])
def test_neighbours_are_the_cells_around(kind: str, reach: float) -> None:
    lattice = metric_lattice(kind)
    away = cdist(lattice.centres, lattice.centres) / 100
    wanted = (away < reach) & (away > 0)
    np.testing.assert_array_equal(contiguity(lattice).toarray(), wanted)
    band = distance_band(lattice.centres[:, 0], lattice.centres[:, 1], 100 * reach)
    np.testing.assert_array_equal(band.toarray(), wanted)


def test_distance_band_holds_its_own_distance() -> None:
    lattice = metric_lattice("square", size=0.3 * 100)
    band = distance_band(lattice.centres[:, 0], lattice.centres[:, 1], 0.1 * 3 * 100)
    assert band.sum(axis=1).max() == 4


def test_nearest_against_sorted_distances() -> None:
    rng = np.random.default_rng(2)
    points = np.concatenate([rng.integers(0, 6, (60, 2)) * 10.0, rng.random((20, 2)) * 60])
    for k in (1, 4, 79):
        found = nearest(points[:, 0], points[:, 1], k).toarray()
        assert (found.sum(axis=1) == k).all()
        away = np.round(cdist(points, points), 3)
        np.fill_diagonal(away, np.inf)
        order = np.lexsort((np.tile(np.arange(80), (80, 1)), away), axis=1)[:, :k]
        wanted = np.zeros((80, 80))
        np.put_along_axis(wanted, order, 1, axis=1)
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("matrix", [
    distance_band([0.0, 1, 5], [0.0] * 3, 1), nearest([0.0, 1, 5], [0.0] * 3, 2),
    contiguity(metric_lattice("hexagon")),
])  # fmt: skip
def test_neighbours_are_binary_csr_without_the_diagonal(matrix: Any) -> None:
    assert sparse.issparse(matrix)
    assert matrix.format == "csr"
    assert set(matrix.data) == {1.0}
    assert not matrix.diagonal().any()
    assert matrix.has_sorted_indices
    assert matrix.indices.dtype == np.int32  # what other libraries take


def town(latitude: float) -> tuple[Any, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """A town of 4 × 3 km with a cluster, laid out in metres, told in degrees at a latitude."""
    crs = CRS.from_epsg(4548)
    _, north = project([117.0], [latitude], 4326, crs)
    origin = np.array([500_000.0, np.round(north[0] / 1000) * 1000])
    rng = np.random.default_rng(3)
    xy = np.concatenate(
        [rng.uniform([10, 10], [3990, 2990], (900, 2)), rng.normal([2210, 1390], 90, (80, 2))]
    )
    corners = np.array([(0, 0), (4000, 0), (4000, 3000), (0, 3000)], dtype=float)
    corners, xy = corners + origin, xy + origin
    outline = np.column_stack(project(corners[:, 0], corners[:, 1], crs, 4326))
    x, y = project(xy[:, 0], xy[:, 1], crs, 4326)
    return shapely.Polygon(outline), x, y


@pytest.mark.parametrize("kind", ["square", "hexagon"])
def test_the_same_town_at_two_latitudes_has_the_same_hot_spots(kind: str) -> None:
    """Degrees of longitude are a fifth shorter at 45° N than at 30° N; the answer is not."""
    make = squares if kind == "square" else hexagons
    answers = []
    for latitude in (30.0, 45.0):
        area, x, y = town(latitude)
        # Both towns meet the squares alike; rows of hexagons, 0.866 widths apart, they do not.
        lattice = make(area.buffer(1e-9), 200, crs=4326)
        counts = lattice.counts(x, y, crs=4326)
        assert counts.sum() == len(x)
        whole = lattice.share > 0.999
        found = local_g(counts, contiguity(lattice), alternative="greater")
        hot = benjamini_hochberg(found.p, 0.05)
        middle = lattice.centres[np.argmin(found.p)] - lattice.centres.mean(axis=0)
        answers.append(
            (int(whole.sum()), float(lattice.areas().sum()), counts, found.z, hot, middle)
        )
    first, second = answers
    assert first[1] == pytest.approx(12e6, rel=1e-4)
    assert first[1] == pytest.approx(second[1], rel=1e-6)
    assert first[4].any()
    if kind == "square":
        assert first[0] == second[0] == 300
        inner = [(a[2][a[2] > 0], np.sort(a[3])[-20:]) for a in answers]
        np.testing.assert_array_equal(inner[0][0], inner[1][0])
        np.testing.assert_allclose(first[5], second[5], atol=1)
    else:
        assert abs(int(first[4].sum()) - int(second[4].sum())) <= 3
        np.testing.assert_allclose(first[5], second[5], atol=300)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: squares(L_SHAPE, 0, crs=4549), "cell size must be a positive"),
        (lambda: squares(L_SHAPE, np.nan, crs=4549, local=4549), "cell size must be a positive"),
        (lambda: squares(L_SHAPE, 0.1, crs=4549, local=4549), "2,000,000 are the most"),
        (lambda: squares(shapely.Point(0, 0), 9, crs=4549), "polygon or multipolygon"),
        (lambda: squares(L_SHAPE, 100, crs=4326), "beyond 180° or 90°"),
        (lambda: squares(shapely.box(120, 30, 121, 31), 100, crs=4549), "look like degrees"),
        (lambda: squares(shapely.box(-88, 41, -87, 42), 500, crs=4326), "give a projected CRS"),
        (lambda: squares(shapely.box(120, 30, 121, 31), 500, crs=4326, local=4490), "in metres"),
        (lambda: squares(shapely.box(120, 30, 121, 31), 500, crs=4326, local=2913), "in metres"),
        (lambda: grids([L_SHAPE], ["a", "b"], crs=4549), "1 grids and 2 codes"),
        (lambda: grids([L_SHAPE] * 2, ["a", "a"], crs=4549), "same code"),
        (lambda: grids([shapely.Polygon()], ["a"], crs=4549), "no polygon"),
        (lambda: nearest([0.0, 1], [0.0, 0], 2), "at most 1 neighbours"),
        (lambda: distance_band([0.0, 1], [0.0, 0], -1), "distance must be a positive"),
        (lambda: distance_band([120.1, 120.2], [30.1, 30.2], 500), "look like degrees"),
        (lambda: metres([1.0], [1.0, 2]), "lists of one length"),
        (lambda: metres([np.inf], [1.0]), "missing or infinite"),
        (lambda: metric_crs(4326), "does not measure in metres"),
    ],
)
def test_bad_input_is_told(call: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        call()


def test_many_events_are_located_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    x, y = rng.uniform(0, 1000, (2, 1000))
    for kind in ("square", "hexagon"):
        lattice = metric_lattice(kind)
        whole = lattice.locate(x, y, crs=4549)
        with monkeypatch.context() as patch:
            patch.setattr("geo_service.analysis.lattice.CHUNK", 37)
            np.testing.assert_array_equal(lattice.locate(x, y, crs=4549), whole)
        assert lattice.locate([], [], crs=4549).tolist() == []


def test_real_places_outside_china_take_a_given_grid() -> None:
    lattice = squares(shapely.box(-87.7, 41.8, -87.6, 41.9), 1000, crs=4326, local=32616)
    assert lattice.areas().sum() == pytest.approx(92.3e6, rel=0.01)
