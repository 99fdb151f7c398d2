"""Optics against rays sent out one by one, closed forms of areas, and refusals in sentences."""

import math
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo_service.analysis.camera import MAX_RANGE, View
from geo_service.analysis.density_levels import EN_2015, IEC_2025, LADDERS
from geo_service.analysis.sight import DEFAULTS, Heading, all_round, fixed, sight, turning

VIEW = View(6, 35, 6, 5.37, 3.02, 1920)
"""Sees from 5.8 m to 17 m of the ground."""


def pixel(view: View, azimuth: float, x: float, y: float) -> tuple[float, float, float]:
    """The image of a ground point by rotating it into the camera's frame: right, up, depth."""
    a, t = math.radians(azimuth), math.radians(view.tilt)
    point = np.array([x, y, view.target_height - view.height])
    ahead = np.array([math.sin(a), math.cos(a), 0.0])
    axis = math.cos(t) * ahead + np.array([0, 0, -math.sin(t)])
    right = np.cross(ahead, [0, 0, 1.0])
    up = np.cross(right, axis)
    return float(point @ right), float(point @ up), float(point @ axis)


def shows(view: View, azimuth: float, x: float, y: float, slack: float = 0.0) -> bool:
    right, up, depth = pixel(view, azimuth, x, y)
    if depth <= 0:
        return False
    wide = view.sensor_width / (2 * view.focal_length) + slack
    tall = view.sensor_height / (2 * view.focal_length) + slack
    return abs(right) <= depth * wide and abs(up) <= depth * tall


def test_fields_of_a_known_lens() -> None:
    """A 36 × 24 mm frame behind 50 mm: 39.6° and 27.0°, as every lens table has it."""
    view = View(5, 20, 50, 36, 24, 6000)
    assert view.horizontal_field == pytest.approx(39.598, abs=1e-3)
    assert view.vertical_field == pytest.approx(26.991, abs=1e-3)


def test_near_and_far_are_where_the_edge_rays_meet_the_target_plane() -> None:
    half = VIEW.vertical_field / 2
    assert VIEW.near == pytest.approx(6 / math.tan(math.radians(35 + half)))
    assert VIEW.far == pytest.approx(6 / math.tan(math.radians(35 - half)))
    assert View(6, 35, 6, 5.37, 3.02, 1920, 1.5).far == pytest.approx(VIEW.far * 4.5 / 6)
    assert View(6, 10, 6, 5.37, 3.02, 1920).far == math.inf


@given(
    st.floats(0.5, 30),
    st.floats(-20, 90),
    st.floats(2, 50),
    st.floats(0, 360),
    st.floats(-40, 40),
    st.floats(-40, 40),
)
def test_footprint_is_what_the_image_shows(  # noqa: PLR0917
    height: float, tilt: float, focal: float, azimuth: float, x: float, y: float
) -> None:
    view = View(height, tilt, focal, 5.37, 3.02, 1920)
    ground = view.footprint(azimuth)
    point = shapely.Point(x, y)
    if shows(view, azimuth, x, y, 1e-9) != shows(view, azimuth, x, y, -1e-9):
        return
    if ground.is_empty or ground.boundary.distance(point) > 1e-6:
        assert ground.contains(point) == shows(view, azimuth, x, y)


@given(st.floats(2, 20), st.floats(0, 90), st.floats(2, 20), st.floats(5, 500))
def test_region_is_the_part_with_at_least_the_density(
    height: float, tilt: float, focal: float, density: float
) -> None:
    view = View(height, tilt, focal, 5.37, 3.02, 1920)
    ground, part = view.footprint(0), view.region(density, 0)
    assert part.is_empty or ground.buffer(1e-6).contains(part)
    rng = np.random.default_rng(1)
    if ground.is_empty:
        assert part.is_empty
        return
    left, low, right, top = ground.bounds
    for x, y in rng.uniform((left, low), (right, top), (30, 2)):
        if not ground.contains(shapely.Point(x, y)):
            continue
        depth = pixel(view, 0, x, y)[2]
        found = focal * 1920 / (5.37 * depth)
        if abs(found / density - 1) > 1e-9:
            assert part.intersects(shapely.Point(x, y)) == (found > density)


def test_area_of_the_footprint_in_closed_form() -> None:
    """A trapezoid: (far - near) times the mean of its two widths, each depth × sensor / focal."""
    widths = [VIEW.depth(at) * 5.37 / 6 for at in (VIEW.near, VIEW.far)]
    expected = (VIEW.far - VIEW.near) * sum(widths) / 2
    for azimuth in (0, 37, 180, 300):
        assert VIEW.footprint(azimuth).area == pytest.approx(expected, rel=1e-12)
    # The solid angle seen on the ground: h² ∫∫ over the image plane of 1/(down)³, done by numbers.
    u, v = np.meshgrid(*(np.linspace(-0.5, 0.5, 501)[:-1] + 0.001,) * 2)
    right, up, t = u * 5.37 / 6, v * 3.02 / 6, math.radians(35)
    down = math.sin(t) - up * math.cos(t)
    numeric = (36 / down**3).mean() * 5.37 * 3.02 / 36 + 0 * right.sum()
    assert VIEW.footprint(0).area == pytest.approx(numeric, rel=1e-5)


def test_footprint_points_along_the_azimuth() -> None:
    for azimuth, (x, y) in {0: (0, 1), 90: (1, 0), 180: (0, -1), 270: (-1, 0)}.items():
        centre = VIEW.footprint(azimuth).centroid
        assert centre.x * x + centre.y * y == pytest.approx(math.hypot(centre.x, centre.y))


def test_footprint_to_the_horizon_ends_at_the_cap() -> None:
    level = View(4, 0, 4, 5.37, 3.02, 1920)
    assert level.footprint(0).bounds[3] == MAX_RANGE
    assert level.footprint(0, max_range=80).bounds[3] == 80
    assert level.footprint(0, max_range=1).is_empty


def test_density_falls_with_depth_and_not_with_ground_distance() -> None:
    assert VIEW.range_at(EN_2015.level("observe")) == VIEW.far  # even the far edge has more
    steep = View(12, 60, 12, 5.37, 3.02, 1920)
    at = steep.range_at(320)
    assert at is not None
    depth = at * math.cos(math.radians(60)) + 12 * math.sin(math.radians(60))
    assert 12 * 1920 / (5.37 * depth) == pytest.approx(320)
    assert steep.density(at) == pytest.approx(320)
    assert steep.range_at(1500) is None


def test_straight_down_all_ground_is_at_one_depth() -> None:
    view = View(10, 90, 4, 4, 3, 1000)
    assert view.footprint(0).area == pytest.approx(75)
    assert view.range_at(99) == view.far
    assert view.range_at(101) is None
    assert view.region(101, 0).is_empty


def test_a_camera_that_looks_up_sees_no_ground() -> None:
    view = View(4, -30, 4, 5.37, 3.02, 1920)
    assert view.near == view.far == math.inf
    assert view.range_at(10) is None
    assert view.footprint(0).is_empty


def test_image_of_the_footprint_is_the_whole_image() -> None:
    shown = VIEW.image(VIEW.footprint(70), 70)
    np.testing.assert_allclose(shown.bounds, (0, 0, 1, 1), atol=1e-9)
    left = VIEW.image(shapely.box(-3, 8, -2, 9), 0)
    assert left.bounds[2] < 0.5


def test_ladders_are_those_of_the_standards() -> None:
    assert [level.pixels_per_metre for level in EN_2015.levels] == [12.5, 25, 62.5, 125, 250]
    assert [level.pixels_per_metre for level in IEC_2025.levels] == [
        *(20, 40, 80, 125, 250, 500, 1500)
    ]
    assert LADDERS[2025].level("perceive").zh
    with pytest.raises(ValueError, match="has no level 'inspect'"):
        EN_2015.level("inspect")


GOOD: dict[str, Any] = {
    "height": 5,
    "tilt": 20,
    "focal_length": 4,
    "sensor_width": 5.37,
    "sensor_height": 3.02,
    "pixels_across": 1920,
}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"tilt": 120}, "between -90 .* and 90 .* not 120"),
        ({"tilt": None}, "tilt must be a number"),
        ({"tilt": math.nan}, "tilt must be a finite number"),
        ({"focal_length": 0}, "focal length must be above 0 millimetres"),
        ({"focal_length": "wide"}, "focal length must be a number"),
        ({"sensor_width": -1}, "sensor width must be above 0"),
        ({"sensor_height": math.inf}, "finite"),
        ({"pixels_across": 0}, "pixels across must be above 0 pixels"),
        ({"height": 0}, "height must be above 0 metres"),
        ({"target_height": 5}, "must hang above what it looks at"),
        ({"target_height": -1}, "not be below the ground"),
    ],
)
def test_what_no_camera_can_be_is_told(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        View(**{**GOOD, **wrong})


def test_wrong_questions_are_told() -> None:
    with pytest.raises(ValueError, match="azimuth is missing"):
        VIEW.footprint(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="azimuth is missing"):
        VIEW.region(25, math.nan)
    with pytest.raises(ValueError, match="between 0 and 360"):
        VIEW.footprint(400)
    with pytest.raises(ValueError, match="range must be above 0"):
        VIEW.footprint(0, max_range=0)
    with pytest.raises(ValueError, match="above 0 pixels a metre"):
        VIEW.range_at(0)
    with pytest.raises(ValueError, match="not before the camera"):
        VIEW.density(-100)


def test_reach_and_view_now_of_a_turning_camera_are_told_apart() -> None:
    presets = [Heading(0.0, VIEW), Heading(120.0, VIEW), Heading(240.0, VIEW)]
    ball = turning(presets, now=1)
    assert [heading.azimuth for heading in ball.reach] == [0, 120, 240]
    assert [heading.azimuth for heading in ball.now] == [120]
    assert turning(presets).now == ()
    with pytest.raises(ValueError, match="no preset 3"):
        turning(presets, now=3)
    with pytest.raises(ValueError, match="at least one preset"):
        turning([])
    free = sight("ptz", 30)
    assert free.now[0].azimuth == 30
    assert len(free.reach) > 3
    assert sight("ptz", None).now == ()
    assert "presets" in free.assumed


@pytest.mark.parametrize("form", DEFAULTS)
def test_what_is_assumed_is_named(form: str) -> None:
    made = sight(form, 45, height=4.5, focal_length=None)
    assert made.reach[0].view.height == 4.5
    assert "height" not in made.assumed
    assert {"focal_length", "tilt", "night_range"} <= set(made.assumed)
    note = made.note()
    assert note is not None
    assert "焦距" in note.zh
    known = {**DEFAULTS[form]}
    told = sight(form, 45, presets=[Heading(45.0, VIEW)], **known)  # type: ignore[arg-type]
    assert told.note() is None


def test_panoramic_sees_all_round_at_every_moment() -> None:
    made = sight("panoramic", None)
    assert made.now == made.reach
    whole = shapely.union_all([look.view.footprint(look.azimuth, 60) for look in made.reach])
    for angle in range(0, 360, 7):
        at = shapely.Point(20 * math.sin(math.radians(angle)), 20 * math.cos(math.radians(angle)))
        assert whole.contains(at)
    assert len(all_round(VIEW)) == math.ceil(360 / VIEW.horizontal_field)


def test_a_form_or_field_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match="no form of camera"):
        sight("drone", 0)
    with pytest.raises(ValueError, match="azimuth is missing"):
        sight("bullet", None)
    with pytest.raises(ValueError, match="has no 'zoom'"):
        sight("dome", 0, zoom=3)
    with pytest.raises(ValueError, match="night range"):
        sight("dome", 0, night_range=-1)
    assert fixed(VIEW, 10).now == fixed(VIEW, 10).reach
