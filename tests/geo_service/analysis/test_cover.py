"""Figures of a cover against shapely's overlay, against a cover made anew, and on real towns."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from geo_service.analysis.blind_spots import blind_spots
from geo_service.analysis.buildings import Buildings
from geo_service.analysis.camera import View
from geo_service.analysis.candidates import demand_covers, pole_candidates, wall_candidates
from geo_service.analysis.cover import EVERYWHERE, Cover, cover
from geo_service.analysis.density_levels import EN_2015, Level
from geo_service.analysis.ground import Ground, Points, surroundings
from geo_service.analysis.overlap import on_grid, overlap_areas
from geo_service.analysis.placement import maximal_cover, set_cover
from geo_service.analysis.privacy import intrusions
from geo_service.analysis.sight import Heading, fixed, sight, turning
from geo_service.analysis.views import Camera, Scene, input_hash, views

OPEN = Buildings.read([])
DOWN = View(10, 90, 4, 4, 3, 1000)
"""Sees 10 m × 7.5 m straight below it, at 100 px/m."""

SIDE = 240.0


def overlay(shapes: Any) -> list[float]:
    """Areas under at least 1, 2, … shapes by noding, polygonizing and counting."""
    shapes = shapes[~shapely.is_empty(shapes)]
    if not len(shapes):
        return []
    lines = shapely.union_all(shapely.boundary(shapes))
    faces = shapely.get_parts(shapely.polygonize([lines]))
    inside = shapely.point_on_surface(faces)
    count = np.array([shapely.intersects(shapes, point).sum() for point in inside])
    area = shapely.area(faces)
    return [float(area[count >= k].sum()) for k in range(1, count.max(initial=0) + 1)]


def close(found: Any, expected: Any, rel: float = 1e-6) -> None:
    size = max(len(found), len(expected))
    pad = [np.pad(np.asarray(one, float), (0, size - len(one))) for one in (found, expected)]
    np.testing.assert_allclose(pad[0], pad[1], rtol=rel, atol=1e-4)


def houses(seed: int, count: int = 60) -> Buildings:
    rng = np.random.default_rng(seed)
    made = [
        affinity.rotate(shapely.box(x, y, x + w, y + h), rng.choice([0, 0, 20]))
        for x, y, w, h in zip(
            *rng.uniform(0, SIDE, (2, count)), *rng.uniform(5, 25, (2, count)), strict=True
        )
    ]
    return Buildings.read(made, rng.choice([3.0, 6.0, 12.0, math.nan], count))


def bullets(seed: int, count: int = 40) -> list[Camera]:
    rng = np.random.default_rng(seed)
    return [
        Camera(
            f"c{k}",
            rng.uniform(0, SIDE),
            rng.uniform(0, SIDE),
            sight("bullet", rng.uniform(0, 360), height=rng.uniform(3, 7), tilt=rng.uniform(8, 35)),
            online=bool(rng.random() < 0.8),
        )
        for k in range(count)
    ]


def ground(seed: int) -> Ground:
    rng = np.random.default_rng(seed)
    grids = [shapely.box(x, y, x + 80, y + 80) for x in (0, 80, 160) for y in (0, 80, 160)]
    return Ground(
        {"grid": grids, "school": surroundings([shapely.Point(60, 60), shapely.Point(90, 70)], 50)},
        lines=[shapely.LineString([(0, y), (SIDE, y + 9)]) for y in range(10, 230, 40)],
        points={"events": Points.read(rng.uniform(0, SIDE, (300, 2)), rng.integers(1, 4, 300))},
    )


def same(one: Cover, two: Cover) -> None:
    for level in one.scene.levels:
        for kind in (EVERYWHERE, *one.ground.zones):
            for mine, other in (
                (one.seen(level, kind), two.seen(level, kind)),
                (one.road(level, kind), two.road(level, kind)),
                (one.weight(level, "events", kind), two.weight(level, "events", kind)),
            ):
                for a, b in zip(mine, other, strict=True):
                    close(a, b, 1e-9)
        lost = {loss.code: loss for loss in two.losses(level)}
        for loss in one.losses(level):
            assert loss.area == pytest.approx(lost[loss.code].area, abs=1e-6)
            assert loss.points == lost[loss.code].points


def test_lens_of_two_discs() -> None:
    """2 r² acos(d/2r) - d/2 √(4r² - d²)."""
    discs = shapely.buffer([shapely.Point(0, 0), shapely.Point(12, 0)], 10, quad_segs=256)
    lens = 200 * math.acos(0.6) - 6 * math.sqrt(400 - 144)
    once, twice = overlap_areas(discs)
    assert twice == pytest.approx(lens, rel=1e-4)
    assert once == pytest.approx(200 * math.pi - lens, rel=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.booleans())
def test_overlaps_are_those_of_an_overlay(seed: int, count: int, aligned: bool) -> None:
    """Boxes on whole metres share corners, edges and all of their area; discs hardly anything."""
    rng = np.random.default_rng(seed)
    if aligned:
        corner, size = rng.integers(0, 4, (2, count)), rng.integers(1, 4, (2, count))
        shapes = shapely.box(*corner, *(corner + size))
        shapes = np.append(shapes, [shapes[0], shapely.box(-1, -1, 5, 5) - shapely.box(1, 1, 2, 3)])
    else:
        shapes = on_grid(shapely.buffer(shapely.points(rng.uniform(0, 50, (count, 2))), 20))
    found = overlap_areas(shapes)
    close(found, overlay(shapes))
    assert found.sum() == pytest.approx(shapely.area(shapes).sum(), rel=1e-9)


def test_overlap_of_none_and_of_far_too_wide_views() -> None:
    assert overlap_areas([]).size == 0
    assert overlap_areas([shapely.Polygon()]).size == 0
    with pytest.raises(ValueError, match="wider than 10 km"):
        overlap_areas([shapely.box(0, 0, 40_000, 1)])


@pytest.mark.parametrize("seed", [1, 2])
def test_figures_are_those_of_an_overlay(seed: int) -> None:
    made = cover(bullets(seed), Scene(houses(seed)), ground(seed))
    assert shapely.is_valid(made.shapes).all()
    for row, level in enumerate(EN_2015.levels):
        shapes = made.shapes[:, row]
        close(made.seen(level)[0], overlay(shapes))
        # Inclusion-exclusion: what is seen k times is counted k times in the sum of the views.
        assert made.seen(level).sum() == pytest.approx(shapely.area(shapes).sum(), rel=1e-9)
        assert made.union(level).area == pytest.approx(made.seen(level)[0, 0], rel=1e-6, abs=1e-4)
        for kind, zones in made.ground.zones.items():
            for k, zone in enumerate(zones):
                close(made.seen(level, kind)[k], overlay(on_grid(shapes & zone)), 1e-5)
            shares = made.share(level, kind)[:, 0]
            expected = shapely.area(made.union(level) & np.array(zones)) / shapely.area(zones)
            np.testing.assert_allclose(shares, expected, atol=1e-6)
        roads = shapely.length(shapely.intersection(made.union(level), made.ground.lines)).sum()
        assert made.road(level)[0, 0] == pytest.approx(roads, abs=1e-3)
        assert made.ground.points is not None
        events = made.ground.points["events"]
        count = np.array([shapely.intersects_xy(one, *events.xy.T) for one in shapes]).sum(axis=0)
        for k in range(1, int(count.max(initial=0)) + 1):
            held = events.weight[count >= k].sum()
            assert made.weight(level, "events")[0, k - 1] == held
            assert made.weight(level, "events", "grid")[:, k - 1].sum() == held


def test_levels_lie_in_each_other() -> None:
    made = views(bullets(3), Scene(houses(3))).shapes
    for low, high in zip(made.T[:-1], made.T[1:], strict=True):
        assert shapely.area(shapely.difference(high, low)).max() < 1e-2


def test_losses_are_what_the_union_would_miss() -> None:
    made = cover(bullets(4), Scene(houses(4)), ground(4))
    row, level = 1, EN_2015.level("detect")
    whole = made.union(level).area
    losses = made.losses(level)
    assert [loss.area for loss in losses] == sorted((loss.area for loss in losses), reverse=True)
    for loss in losses:
        k = made.number[loss.code]
        rest = shapely.union_all(np.delete(made.shapes[:, row], k)).area
        assert loss.area == pytest.approx(whole - rest, abs=1e-2)
    worst = made.without(losses[0].code)
    assert made.seen(level)[0, 0] - worst.seen(level)[0, 0] == pytest.approx(losses[0].area)
    before, after = (one.weight(level, "events")[0, 0] for one in (made, worst))
    assert before - after == losses[0].points["events"]


def test_one_camera_changed_is_as_if_all_were_made_anew() -> None:
    cameras = bullets(5)
    scene, wanted = Scene(houses(5)), ground(5)
    made = cover(cameras, scene, wanted, online_only=True)
    rng = np.random.default_rng(5)
    for step in range(8):
        k = int(rng.integers(len(cameras)))
        other = replace(cameras[k], online=not cameras[k].online)
        if step % 2:
            x, y = rng.uniform(0, SIDE, 2)
            other = replace(cameras[k], x=x, y=y, sight=sight("dome", rng.uniform(0, 360)))
        cameras[k] = other
        made = made.replace(other)
    one_more = Camera("new", 120, 120, sight("bullet", 45))
    same(made.add(one_more), cover([*cameras, one_more], scene, wanted, online_only=True))
    same(made, cover(cameras, scene, wanted, online_only=True))


def test_a_heartbeat_computes_no_view(monkeypatch: pytest.MonkeyPatch) -> None:
    cameras = bullets(6, 12)
    made = cover(cameras, Scene(houses(6)), ground(6), online_only=True)

    def never(*_: Any) -> None:
        raise AssertionError("a view was computed")

    monkeypatch.setattr("geo_service.analysis.cover.views", never)
    off = made.replace(replace(cameras[0], online=False))
    on = off.replace(replace(cameras[0], online=True))
    same(on, made.replace(replace(cameras[0], online=True)))


def test_known_views_are_computed_again_only_where_something_near_differs() -> None:
    cameras, town = bullets(7, 20), houses(7)
    known: dict[str, Any] = {}
    first = views(cameras, Scene(town), known)
    assert len(known) == 20
    again = views([replace(camera, online=False) for camera in cameras], Scene(town), known)
    assert len(known) == 20
    assert shapely.equals(first.shapes, again.shapes).all()
    place = shapely.Point(cameras[0].x, cameras[0].y)
    house = np.append(town.shapes, [place.buffer(3)])
    other = Scene(Buildings.read(house, np.append(town.heights, 30)))
    keys = {camera.code: input_hash(camera, other) for camera in cameras}
    assert keys["c0"] not in known
    assert sum(key in known for key in keys.values()) >= 5


class Forgetful(dict[str, Any]):
    """Holds two views at most."""

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        if len(self) > 2:
            del self[next(iter(self))]


def test_views_that_are_forgotten_meanwhile_are_still_returned() -> None:
    some, walls = bullets(3, 12), houses(3)
    wanted, known = views(some, Scene(walls)), Forgetful()
    for cameras in (some[:2], some):  # the two known ones are forgotten for the others
        made = views(cameras, Scene(walls), known)
        for one, two in zip(made.shapes.ravel(), wanted.shapes.ravel(), strict=False):
            assert one.equals_exact(two)
    assert len(known) == 2


def test_night_moment_and_online_change_what_counts() -> None:
    view = View(5, 20, 4, 5.37, 3.02, 1920)
    ball = turning([Heading(0, view), Heading(180, view)], now=0, night_range=13)
    camera = Camera("ball", 0, 0, ball, online=False)
    day, now, night = (
        views([camera], Scene(OPEN, moment=moment, night=dark)).shapes[0]
        for moment, dark in ((False, False), (True, False), (False, True))
    )
    assert day[0].area == pytest.approx(2 * now[0].area, rel=1e-6)
    assert shapely.hausdorff_distance(night[0], shapely.Point(0, 0)) == pytest.approx(12, rel=1e-4)
    assert cover([camera], Scene(OPEN), online_only=True).seen("detect")[0, 0] == 0
    lost = Camera("lost", 0, 0, turning([Heading(0, view)]))
    note = views([lost], Scene(OPEN, moment=True)).notes[0][0]
    assert note.en == "It is not known which way the camera looks now."


def test_privacy_zones_are_subtracted_at_every_level_and_mended() -> None:
    camera = Camera("a", 0, 0, sight("bullet", 90, height=4, tilt=20, focal_length=6))
    turner = Camera("b", 200, 0, turning([Heading(90, View(4, 20, 6, 5.37, 3.02, 1920))]))
    wards = [shapely.box(22, -4, 30, 5), shapely.box(500, 0, 510, 10), shapely.box(220, -4, 230, 9)]
    scene = Scene(OPEN, private=wards)
    made = views([camera, turner], scene)
    assert made.intruding == [0, 1]
    for shape in made.shapes.ravel():
        assert shape.intersection(shapely.union_all(wards)).area < 1e-3
    free = views([camera], Scene(OPEN)).shapes[0]
    found = intrusions([camera, turner], scene)
    assert [one.zones for one in found] == [(0,), (2,)]
    assert found[0].area == pytest.approx((free[0] & wards[0]).area, rel=1e-6)
    tilt = found[0].tilt
    assert tilt is not None
    for turn, clear in ((tilt, True), (tilt - 0.5, False)):
        turned = sight("bullet", 90, height=4, tilt=turn, focal_length=6)
        shape = views([replace(camera, sight=turned)], Scene(OPEN)).shapes[0, 0]
        assert (shape.intersection(wards[0]).area < 1e-6) == clear
    heading, mask = found[0].masks[0]
    corners = heading.view.image(wards[0] & free[0], heading.azimuth)
    assert mask.contains(corners)
    assert "第799号" in found[0].note().zh
    assert "mask" in found[1].note().en or "tilt" in found[1].note().en
    hidden = Scene(Buildings.read([shapely.box(15, -50, 16, 50)]), private=wards[:1])
    assert intrusions([camera], hidden) == []


def test_blind_spots_hold_what_they_say() -> None:
    made = cover(bullets(8), Scene(houses(8)), ground(8))
    area = shapely.box(0, 0, SIDE, SIDE)
    union = made.union("observe")
    points, town = made.ground.points, made.scene.buildings.shapes
    spots = blind_spots(
        area,
        union,
        points=points,
        lines=made.ground.lines,
        places=[shapely.Point(60, 60)],
        buildings=town,
        split=made.ground.zones["grid"],
        least=0,
    )
    unseen = area - union - shapely.union_all(town)
    assert sum(spot.area for spot in spots) == pytest.approx(unseen.area, rel=1e-9)
    assert [spot.score for spot in spots] == sorted((spot.score for spot in spots), reverse=True)
    assert points is not None
    events = points["events"]
    held = events.weight[shapely.intersects_xy(unseen, *events.xy.T)].sum()
    assert sum(spot.points["events"] for spot in spots) == held
    line = shapely.length(shapely.intersection(unseen, made.ground.lines)).sum()
    assert sum(spot.line for spot in spots) == pytest.approx(line)
    with pytest.raises(ValueError, match="valid polygon"):
        blind_spots(shapely.Point(0, 0), union)


def test_bad_input_is_a_sentence() -> None:
    walls = Buildings.read([shapely.box(-20, -20, 20, 20)])
    eye = sight("bullet", 0, height=4)
    inside = Camera("in", 0, 0, eye)
    far = Camera("far", 40_200, 100, eye)
    high = Camera("high", 70, 70, sight("bullet", 0, tilt=-80))
    nowhere = Camera("nowhere", math.nan, 0, eye)
    pair = [Camera("one", 50, 50, eye), Camera("two", 50, 50, eye)]
    made = cover(
        [inside, far, high, nowhere, *pair],
        Scene(walls),
        Ground({}, area=shapely.box(0, 0, 200, 200)),
    )
    told = {code: " ".join(note.en for note in notes) for code, notes in made.notes().items()}
    assert "stands inside a building" in told["in"]
    assert "40.0 km outside of the area" in told["far"]
    assert "40.2 km away from all buildings" in told["far"]
    assert "sees no ground" in told["high"]
    assert "no coordinates" in told["nowhere"]
    assert "On one pole with two" in told["one"]
    assert "Assumed, not known" in told["two"]
    assert shapely.is_empty(made.shapes[:4]).all()
    alone = cover(pair[:1], Scene(walls))
    assert made.seen("detect")[0, 0] == pytest.approx(alone.seen("detect")[0, 0])
    with pytest.raises(ValueError, match="Two cameras have the code one"):
        cover([pair[0], pair[0]], Scene(walls))
    with pytest.raises(ValueError, match="no camera x"):
        made.replace(replace(inside, code="x"))
    with pytest.raises(ValueError, match="camera one already"):
        made.add(pair[0])
    with pytest.raises(ValueError, match="no level 'see'"):
        made.seen("see")
    with pytest.raises(ValueError, match="no zones 'grid'"):
        made.seen("detect", "grid")
    with pytest.raises(ValueError, match="not a valid polygon"):
        cover([], Scene(walls), Ground({"g": [shapely.Polygon([(0, 0), (4, 4), (4, 0), (0, 4)])]}))
    with pytest.raises(ValueError, match="from the lowest density"):
        Scene(walls, levels=(Level("b", "乙", 2.0), Level("a", "甲", 1.0)))
    with pytest.raises(ValueError, match="weight of 0 or more"):
        Points.read([(0, 0)], [-1])
    with pytest.raises(ValueError, match="distance must be above 0"):
        surroundings([shapely.Point(0, 0)], 0)


@pytest.mark.parametrize("form", ["ptz", "panoramic", "dome"])
def test_other_forms_in_a_town(form: str) -> None:
    town, rng = houses(11), np.random.default_rng(11)
    cameras = [
        Camera(f"c{k}", x, y, sight(form, None if form != "dome" else 30 * k))
        for k, (x, y) in enumerate(rng.uniform(0, SIDE, (12, 2)))
    ]
    made = cover(cameras, Scene(town))
    assert made.seen("detect")[0, 0] > 0
    for row, level in enumerate(EN_2015.levels):
        close(made.seen(level)[0], overlay(made.shapes[:, row]))
    now = cover(cameras, Scene(town, moment=True))
    if form == "ptz":
        assert now.seen("monitor")[0, 0] == 0
    else:
        assert now.seen("monitor")[0, 0] == made.seen("monitor")[0, 0]


def test_straight_down_is_seen_as_drawn() -> None:
    made = cover([Camera("down", 5, 5, fixed(DOWN, 0))], Scene(OPEN))
    assert made.seen("observe")[0, 0] == pytest.approx(75, rel=1e-6)
    assert made.seen("recognise")[0, 0] == 0


def test_who_sees_a_point() -> None:
    made = cover(bullets(9), Scene(houses(9)))
    for x, y in np.random.default_rng(9).uniform(0, SIDE, (50, 2)):
        point, told = shapely.Point(x, y), made.seen_by(x, y)
        for camera, row in zip(made.cameras, made.shapes, strict=True):
            names = [
                level.name
                for level, shape in zip(EN_2015.levels, row, strict=True)
                if shape.covers(point)
            ]
            assert told.get(camera.code) == (names[-1] if names else None)


def test_ten_more_cameras() -> None:
    """Candidates on walls and poles, existing cameras kept: as much more is seen as was said."""
    town, wanted = houses(10), ground(10)
    existing = bullets(10, 10)
    new = [
        *wall_candidates(town, 15, height=2.9),
        *pole_candidates([(60, 60), (100, 140)], [0, 90, 180, 270]),
    ]
    assert wanted.points is not None
    events = wanted.points["events"]
    shapes = views([*existing, *new], Scene(town)).shapes[:, 1]
    covers = demand_covers(shapes, events.xy)
    placed = maximal_cover(covers, events.weight, 5, fixed=range(10))
    assert placed.optimal
    made = cover(existing, Scene(town), wanted)
    before = made.weight("detect", "events")[0, 0]
    for site, gain in placed.adds:
        made = made.add(new[site - 10])
        after = made.weight("detect", "events")[0, 0]
        assert after - before == gain
        before = after
    assert before == placed.covered
    fewer = set_cover(covers[np.flatnonzero(covers[:, :10].sum(axis=1))][:, :10])
    assert len(fewer.sites) <= 10
    for camera in new[:40]:
        ahead = math.radians(camera.sight.now[0].azimuth)
        front = shapely.Point(camera.x + 1e-3 * math.sin(ahead), camera.y + 1e-3 * math.cos(ahead))
        number = int(camera.code.split("-")[1])
        assert not shapely.contains(town.shapes[number], front)
    with pytest.raises(ValueError, match="range must be above 0"):
        wall_candidates(town, 0)


@pytest.mark.slow
def test_suzhou(shared_data: Path) -> None:
    """Two hundred made-up cameras among real houses with heights: the figures of an overlay."""
    import geopandas as gpd

    file = shared_data / "cn_suzhou_buildings" / "bd_demo_2.json"
    town = gpd.read_file(file).to_crs(4549)
    walls = Buildings.read(town.geometry.to_numpy(), town["height"].to_numpy())
    rng = np.random.default_rng(2)
    left, low, right, top = town.total_bounds
    cameras = [
        Camera(f"c{k}", x, y, sight("bullet", rng.uniform(0, 360), height=rng.uniform(3, 8)))
        for k, (x, y) in enumerate(rng.uniform((left, low), (right, top), (200, 2)))
    ]
    made = cover(cameras, Scene(walls))
    for row, level in enumerate(EN_2015.levels):
        close(made.seen(level)[0], overlay(made.shapes[:, row]), 1e-5)
        assert made.seen(level).sum() == pytest.approx(
            shapely.area(made.shapes[:, row]).sum(), rel=1e-9
        )
