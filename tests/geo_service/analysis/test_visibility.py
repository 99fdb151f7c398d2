"""What is visible, against closed forms, rays sent one by one, and a raster of the same town."""

import itertools
import math
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from geo_service.analysis.buildings import Buildings
from geo_service.analysis.mounting import mount_cameras
from geo_service.analysis.shadows import shadows
from geo_service.analysis.terrain import terrain_visible
from geo_service.analysis.visibility import visible_region, visible_regions

BOX = shapely.box(5, -1, 6, 1)


def test_open_ground_is_exactly_the_circle() -> None:
    seen = visible_region((3, 4), [], 50)
    assert seen.area == pytest.approx(math.pi * 2500, rel=1e-12)
    corners = np.hypot(*(shapely.get_coordinates(seen) - (3, 4)).T)
    assert abs(corners - 50).max() < 50 * 1e-4


@pytest.mark.parametrize("distance", [0.001, 1, 5, 9.99])
def test_circle_cut_by_a_wall_is_the_segment_less(distance: float) -> None:
    """A long wall at distance d cuts off the circular segment r² acos(d/r) - d √(r² - d²)."""
    wall = [[(distance, -100), (distance, 100)]]
    cut = 100 * math.acos(distance / 10) - distance * math.sqrt(100 - distance**2)
    seen = visible_region((0, 0), wall, 10)
    assert seen.area == pytest.approx(100 * math.pi - cut, rel=1e-9)


def test_wall_of_finite_length_hides_its_sector() -> None:
    """A wall from (4, -3) to (4, 3): the sector of 2·atan(3/4) less the triangle before it."""
    angle = 2 * math.atan2(3, 4)
    hidden = 0.5 * 100 * angle - 12
    seen = visible_region((0, 0), [[(4, -3), (4, 3)]], 10)
    assert seen.area == pytest.approx(100 * math.pi - hidden, rel=1e-9)


def test_overlap_of_two_discs() -> None:
    """Their lens is 2 r² acos(d/2r) - d/2 √(4r² - d²)."""
    one, two = visible_regions([(0, 0), (12, 0)], [], 10)
    lens = 200 * math.acos(0.6) - 6 * math.sqrt(400 - 144)
    assert (one & two).area == pytest.approx(lens, rel=1e-4)


def test_room_is_seen_whole_and_no_more() -> None:
    room = shapely.box(-3, -2, 4, 7).exterior
    assert visible_region((0, 0), [room], 100).area == pytest.approx(63, rel=1e-12)


def test_touching_crossing_and_repeated_walls() -> None:
    cross = [[(5, -5), (7, 5)], [(7, -5), (5, 5)]]
    seen = visible_region((0, 0), cross, 20)
    assert seen.contains(shapely.Point(5.5, 0))
    assert not seen.contains(shapely.Point(6.1, 0))
    again = visible_region((0, 0), [*cross, *cross, [(5, -5), (6, 0)], [(7, 5), (6, 0)]], 20)
    assert again.symmetric_difference(seen).area < 1e-9
    edge_on = [*cross, [(1, 1), (9, 9)], [(-8, 0), (-2, 0)], [(3, 3), (3, 3)]]
    assert visible_region((0, 0), edge_on, 20).symmetric_difference(seen).area < 1e-9


def test_walls_in_every_form_are_the_same() -> None:
    frame = geopandas.GeoDataFrame(geometry=[BOX, shapely.box(-9, 3, 9, 4)], index=[7, 9])
    series = frame.geometry
    segments = [
        pair
        for house in series
        for pair in itertools.pairwise(shapely.get_coordinates(house.exterior))
    ]
    wanted = visible_region((0, 0), list(series), 20)
    for walls in (frame, series, shapely.MultiPolygon(list(series)), np.array(segments)):
        assert visible_region((0, 0), walls, 20).symmetric_difference(wanted).area < 1e-9


def test_terraced_houses_leave_no_gap() -> None:
    """Shared walls and T-junctions at coordinates as large as a real grid's."""
    base = np.array([40512345.678, 3456789.012])
    row = [
        affinity.translate(shapely.box(10 * k, 20, 10 * k + 10, 30), *base) for k in range(-20, 20)
    ]
    row.append(affinity.translate(shapely.box(-3.3, 30, 12.7, 44), *base))
    seen = visible_region(base, row, 60)
    assert seen.bounds[3] - base[1] < 20 + 1e-6


@pytest.mark.parametrize(("origin", "share"), [((5, 0), 0.5), ((6, 0.3), 0.5), ((5, 1), 0.75)])
def test_camera_on_a_wall_sees_outward(origin: tuple[float, float], share: float) -> None:
    seen = visible_region(origin, [BOX], 10)
    assert seen.area == pytest.approx(share * math.pi * 100, rel=1e-9)
    assert seen.intersection(BOX).area < 1e-9


def test_camera_in_an_inner_corner_sees_a_quarter() -> None:
    yard = shapely.box(0, 0, 30, 30) - shapely.box(10, 10, 30, 30)
    seen = visible_region((10, 10), [yard], 5)
    assert seen.area == pytest.approx(math.pi * 25 / 4, rel=1e-9)


def test_camera_drawn_inside_hangs_on_the_nearest_wall() -> None:
    inside, on = (visible_region(at, [BOX], 10) for at in ((5.2, 0.1), (5, 0.1)))
    assert inside.symmetric_difference(on).area < 1e-6
    mounted = mount_cameras([(5.2, 0.1)], [BOX])
    note = mounted.notes[0]
    assert note is not None
    assert "moved 0.20 m to its wall" in note.en
    assert "0.20 米" in note.zh


def test_camera_in_a_party_wall_moves_out_to_the_street() -> None:
    """The nearest edge leads into the neighbour's house; the nearest way out is another."""
    pair = [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)]
    mounted = mount_cameras([(9.5, 2)], pair)
    np.testing.assert_allclose(mounted.xy[0], (9.5, 0), atol=1e-9)
    seen = visible_region((10, 0), pair, 5)
    assert seen.area == pytest.approx(math.pi * 12.5, rel=1e-9)


def test_bad_input_is_told() -> None:
    with pytest.raises(ValueError, match="more than 4 m from its walls"):
        visible_region((0, 0), [shapely.box(-10, -10, 10, 10)], 50)
    with pytest.raises(ValueError, match="more than 4 m from its walls"):
        visible_region((5, 10), [shapely.box(0, 0, 10, 10), shapely.box(0, 10, 10, 20)], 9)
    with pytest.raises(ValueError, match=r"crossed itself .*: mend it first"):
        visible_region((9, 9), [shapely.Polygon([(0, 0), (4, 4), (4, 0), (0, 4)])], 50)
    with pytest.raises(ValueError, match=r"40\.0 km away from all buildings"):
        visible_region((40_006, 0), [BOX], 50)
    with pytest.raises(ValueError, match="two finite numbers"):
        visible_region((0, math.nan), [], 50)
    with pytest.raises(ValueError, match="range must be above 0"):
        visible_region((0, 0), [], -1)
    with pytest.raises(ValueError, match="finite"):
        visible_region((0, 0), [], math.inf)
    with pytest.raises(ValueError, match="missing or infinite"):
        visible_region((0, 0), [[(0, math.nan), (1, 1)]], 5)
    with pytest.raises(ValueError, match="polygons or lines"):
        visible_region((0, 0), [shapely.Point(1, 1)], 5)
    with pytest.raises(ValueError, match="1 heights for 2"):
        Buildings.read([BOX, BOX], [3])
    with pytest.raises(ValueError, match="below 0"):
        Buildings.read([BOX], [-3])
    with pytest.raises(ValueError, match="have heights already"):
        visible_region((0, 0), Buildings.read([BOX]), 5, heights=[3])


def test_one_bad_camera_does_not_spoil_the_others() -> None:
    walls = [shapely.box(-10, -10, 10, 10)]
    seen = visible_regions([(0, 0), (math.nan, 1), (30, 0)], walls, 15)
    assert [region.is_empty for region in seen] == [True, True, False]
    assert visible_regions(np.zeros((0, 2)), walls, 15).shape == (0,)


def town(seed: int, count: int) -> Any:
    """Houses at random angles that may overlap and touch, none over the origin."""
    rng = np.random.default_rng(seed)
    made: list[Any] = []
    while len(made) < count:
        w, h, x, y = (*rng.uniform(2, 14, 2), *rng.uniform(-60, 60, 2))
        house = affinity.rotate(shapely.box(x, y, x + w, y + h), rng.choice([0, 0, 30, 77]))
        if rng.random() < 0.3:
            house -= shapely.box(x + w / 3, y + h / 3, x + 2 * w, y + 2 * h)
        if rng.random() < 0.3:
            house = shapely.transform(house, np.rint)
        if (
            house.geom_type == "Polygon"
            and house.is_valid
            and house.distance(shapely.Point(0, 0)) > 1
        ):
            made.append(house)
    return np.array(made, dtype=object)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40))
def test_visible_is_what_a_straight_line_reaches(seed: int, count: int) -> None:
    walls = town(seed, count)
    seen = visible_region((0, 0), walls, 50)
    assert seen.is_valid
    points = np.random.default_rng(seed).uniform(-50, 50, (150, 2))
    points = points[np.hypot(*points.T) < 49.9]
    rays = shapely.linestrings(np.stack((np.zeros_like(points), points), axis=1))
    solid = shapely.union_all(walls)
    free = ~shapely.intersects(rays, solid)
    at = shapely.points(points)
    clear = shapely.distance(at, shapely.boundary(seen)) > 1e-6
    np.testing.assert_array_equal(shapely.contains(seen, at)[clear], free[clear])


def sightline(point: Any, walls: Any, heights: Any, eye: float, target: float) -> bool:
    """Whether the line from the eye at the origin to a target clears every roof it passes over."""
    line = shapely.LineString([(0, 0), point])
    far = math.hypot(*point)
    for wall, top in zip(walls, heights, strict=True):
        over = line & wall
        if over.is_empty:
            continue
        ways = np.hypot(*shapely.get_coordinates(over).T)
        lowest = eye + (target - eye) * ways.max() / far
        if top > lowest:
            return False
    return True


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 25), st.sampled_from([0.0, 1.5]))
def test_low_buildings_hide_as_far_as_their_roofs_reach(
    seed: int, count: int, target: float
) -> None:
    walls = town(seed, count)
    rng = np.random.default_rng(seed)
    heights = rng.choice([1, 3, 5, 9], count).astype(float)
    seen = visible_region((0, 0), walls, 50, height=6, heights=heights, target_height=target)
    points = rng.uniform(-50, 50, (80, 2))
    for point in points[np.hypot(*points.T) < 49.9]:
        at = shapely.Point(point)
        if seen.boundary.distance(at) < 1e-6:
            continue
        assert seen.contains(at) == sightline(point, walls, heights, 6, target), (point, seed)


def test_shadow_ends_where_the_sight_line_meets_the_ground() -> None:
    """Eye 6 m, roof 3 m: a wall 10 m away hides the ground up to 20 m."""
    seen = visible_region((0, 0), [shapely.box(10, -1, 11, 1)], 50, height=6, heights=[3])
    assert not seen.contains(shapely.Point(21.9, 0))
    assert seen.contains(shapely.Point(22.1, 0))
    higher = visible_region((0, 0), [shapely.box(10, -1, 11, 1)], 50, height=6, heights=[7])
    assert not higher.contains(shapely.Point(49, 0))
    over = visible_region(
        (0, 0), [shapely.box(10, -1, 11, 1)], 50, height=6, heights=[1], target_height=1.5
    )
    assert over.area == pytest.approx(math.pi * 2500)


def test_shadow_of_a_bent_house_is_that_of_its_points() -> None:
    bent = shapely.Polygon([(10, 0), (20, 0), (20, 2), (12, 2), (12, 9), (10, 9)])
    cast = shadows([(0, 0)], [bent], [0], [1.7])[0]
    many = shapely.union_all(
        [affinity.scale(bent, k, k, origin=(0, 0)) for k in np.linspace(1, 1.7, 400)]
    )
    assert many.area < cast.area < many.area * 1.01
    assert cast.buffer(1e-6).contains(many)


def test_a_camera_on_a_roof_does_not_see_the_ground_under_the_edge() -> None:
    """Eye 12 m, roof 9 m: the ground is hidden to four times the distance of the roof's edge."""
    seen = visible_region((0, 0), [shapely.box(-2, -2, 2, 2)], 50, height=12, heights=[9])
    assert not seen.contains(shapely.Point(7.9, 0))
    assert seen.contains(shapely.Point(8.1, 0))


def test_raster_of_the_same_town_agrees_within_a_cell() -> None:
    """Buildings burnt into a raster of 0.5 m and seen by lines of sight: only edges differ."""
    walls, cell, n = town(5, 12), 0.5, 161
    heights = np.random.default_rng(5).choice([3.0, 20.0], 12)
    middle = (np.arange(n) + 0.5) * cell - n * cell / 2
    x, y = np.meshgrid(middle, middle[::-1])
    ground = np.zeros((n, n))
    for wall, top in zip(walls, heights, strict=True):
        ground[shapely.contains_xy(wall, x, y)] = top
    raster = terrain_visible(ground, cell, (n * cell / 2, n * cell / 2), 6.0)
    seen = visible_region((0, 0), walls, 70, height=6, heights=heights)
    outside = ~shapely.contains_xy(shapely.union_all(walls).buffer(cell), x, y)
    at = shapely.points(x, y)
    clear = (shapely.distance(at, seen.boundary) > 2 * cell) & outside
    assert clear.mean() > 0.5
    wrong = (shapely.contains(seen, at) != raster) & clear
    assert wrong.sum() == 0, f"{wrong.sum()} of {clear.sum()} cells away from edges differ"


@pytest.mark.slow
def test_helsinki_cameras_see_no_further_than_rays(shared_data: Path) -> None:
    folder = shared_data / "fi_helsinki_osm"
    cameras = geopandas.read_file(folder / "helsinki_cameras.geojson").to_crs(3067)
    houses = geopandas.read_file(folder / "helsinki_buildings_ways.geojson").to_crs(3067)
    walls = Buildings.read(houses.geometry.to_numpy())
    xy = shapely.get_coordinates(cameras.geometry.to_numpy())
    mounted = mount_cameras(xy, walls)
    assert (~mounted.usable).sum() == 6
    seen = visible_regions(mounted, walls, 60)
    assert shapely.is_valid(seen).all()
    solid = shapely.union_all(walls.shapes)
    assert shapely.area(shapely.intersection(seen, solid)).max() < 1e-3
    rng = np.random.default_rng(1)
    for place, region in zip(mounted.xy[mounted.usable], seen[mounted.usable], strict=True):
        ends = place + rng.uniform(-59, 59, (40, 2))
        ends = ends[np.hypot(*(ends - place).T) < 59.9]
        starts = place + (ends - place) * 1e-6
        free = ~shapely.intersects(shapely.linestrings(np.stack((starts, ends), axis=1)), solid)
        at = shapely.points(ends)
        clear = shapely.distance(at, region.boundary) > 1e-3
        np.testing.assert_array_equal(shapely.contains(region, at)[clear], free[clear])
