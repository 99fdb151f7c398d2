"""What hills hide, in closed form, by plain lines of sight, and in the views of cameras."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely

from geo_service.analysis.buildings import Buildings
from geo_service.analysis.sight import sight
from geo_service.analysis.terrain import Terrain, hidden_ground, terrain_visible
from geo_service.analysis.views import FLAT, Camera, Scene, input_hash, views

OPEN = Buildings.read([])


def test_terrain_against_a_plain_line_of_sight() -> None:
    """Every cell by a thousand steps along its line over heights interpolated between centres."""
    rng = np.random.default_rng(3)
    ground = np.cumsum(np.cumsum(rng.normal(0, 0.4, (25, 31)), axis=0), axis=1) / 6
    seen = terrain_visible(ground, 10, (155, 125), 3, target_height=0.5)
    row = column = 0
    differ = 0
    for row in range(25):
        for column in range(31):
            t = np.linspace(0, 1, 1000)[1:-1]
            r, c = 12 + t * (row - 12), 15 + t * (column - 15)
            i, j = np.minimum(r.astype(int), 23), np.minimum(c.astype(int), 29)
            u, v = r - i, c - j
            top = (
                ground[i, j] * (1 - u) * (1 - v)
                + ground[i + 1, j] * u * (1 - v)
                + ground[i, j + 1] * (1 - u) * v
                + ground[i + 1, j + 1] * u * v
            )
            eye, end = ground[12, 15] + 3, ground[row, column] + 0.5
            plain = bool((top <= eye + t * (end - eye)).all())
            differ += plain != seen[row, column]
    # Bilinear ground bulges between the crossings that R3 looks at.
    assert differ <= 0.03 * seen.size


def test_terrain_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match="outside of the terrain"):
        terrain_visible(np.zeros((3, 3)), 10, (99, 5), 3)
    with pytest.raises(ValueError, match="no height where"):
        terrain_visible(np.full((3, 3), math.nan), 10, (5, 5), 3)
    with pytest.raises(ValueError, match="rows and columns"):
        terrain_visible(np.zeros(3), 10, (5, 5), 3)
    with pytest.raises(ValueError, match="side of a cell"):
        terrain_visible(np.zeros((3, 3)), 0, (5, 5), 3)
    with pytest.raises(ValueError, match="hang above"):
        terrain_visible(np.zeros((3, 3)), 1, (1, 1), 0)


def ridge(height: float, at: float, cell: float = 0.5) -> Terrain:
    """Flat ground from (-20, -60) to (200, 60), with a ridge from south to north at x = ``at``."""
    ground = np.zeros((round(120 / cell), round(220 / cell)), np.float32)
    ground[:, round((at + 20) / cell)] = height
    return Terrain(ground, -20, 60, cell)


@pytest.mark.parametrize("height", [1.0, 2.0, 3.0])
def test_ground_behind_a_ridge_is_hidden_as_far_as_the_sight_line_over_it(height: float) -> None:
    """Eye 4 m, ridge b metres high at 10 m: hidden to 10 · 4 / (4 - b)."""
    terrain = ridge(height, 10)
    window = shapely.box(0, -2, 100, 2)
    hidden, known = hidden_ground(
        terrain, np.array([[0.25, 0.25]]), np.array([4.0]), np.zeros(1), [window]
    )
    assert known.all()
    west, _, east, _ = (hidden[0] & shapely.box(0, 0.2, 100, 0.3)).bounds
    assert west == pytest.approx(10.5, abs=0.5)
    assert east == pytest.approx(0.25 + 10 * 4 / (4 - height), abs=2 * terrain.cell * 4)


def test_hidden_cells_are_those_that_no_line_of_sight_reaches() -> None:
    rng = np.random.default_rng(8)
    ground = np.cumsum(np.cumsum(rng.normal(0, 0.5, (40, 50)), axis=0), axis=1) / 8
    ground[5:8, 7:12] = math.nan
    terrain = Terrain(ground.astype(np.float32), 1000, 2000, 5)
    place = np.array([[1132.5, 1897.5]])
    window = shapely.box(1000, 1800, 1250, 2000)
    hidden, _ = hidden_ground(terrain, place, np.array([3.0]), np.array([0.5]), [window])
    seen = terrain_visible(ground.astype(np.float32), 5, (132.5, 97.5), 3, target_height=0.5)
    x, y = np.meshgrid(1002.5 + 5 * np.arange(50), 1997.5 - 5 * np.arange(40))
    dark = shapely.contains_xy(hidden[0], x, y)
    assert 0.1 < dark.mean() < 0.9
    np.testing.assert_array_equal(dark, ~seen & ~np.isnan(ground))


def test_heights_between_cells_and_beyond_them() -> None:
    rng = np.random.default_rng(2)
    terrain = Terrain(rng.normal(0, 9, (6, 7)).astype(np.float32), 100, 200, 10)
    ground = terrain.heights
    for row, column in rng.uniform(0, 5, (20, 2)):
        i, j = int(row), int(column)
        u, v = row - i, column - j
        plain = (ground[i, j] * (1 - v) + ground[i, j + 1] * v) * (1 - u) + (
            ground[i + 1, j] * (1 - v) + ground[i + 1, j + 1] * v
        ) * u
        x, y = 100 + 10 * (column + 0.5), 200 - 10 * (row + 0.5)
        assert terrain.height_at(x, y) == pytest.approx(plain, abs=1e-5)
    assert terrain.height_at(100, 200) == pytest.approx(ground[0, 0])
    assert math.isnan(terrain.height_at(99, 150))
    part = terrain.around(125, 155, 128, 158)
    assert part.heights.shape == (3, 3)
    assert part.height_at(126.5, 157) == pytest.approx(terrain.height_at(126.5, 157))
    assert terrain.around(900, 900, 950, 950).heights.size == 0


def town(count: int = 90) -> tuple[list[Camera], Buildings]:
    rng = np.random.default_rng(4)
    places, azimuths = rng.uniform(-15, 190, (count, 2)) * (1, 0.25), rng.uniform(0, 360, count)
    made = [
        Camera(f"{k}", x, y, sight("bullet", azimuth, height=4, tilt=12))
        for k, ((x, y), azimuth) in enumerate(zip(places, azimuths, strict=True))
    ]
    return made, Buildings.read([shapely.box(60, -8, 66, 9)], [12.0])


def test_views_lose_what_hills_hide_and_nothing_else() -> None:
    some, houses = town()
    flat = Scene(houses)
    level = replace(flat, terrain=ridge(0, 10, 2))
    hills = ridge(3, 10, 2)
    hilly = replace(flat, terrain=hills)
    plain, same, less = (views(some, scene).shapes for scene in (flat, level, hilly))
    for one, two in zip(plain.ravel(), same.ravel(), strict=True):
        assert one.equals_exact(two)
    for c, camera in enumerate(some):
        eye = np.array([camera.sight.now[0].view.height])
        place = np.array([[camera.x, camera.y]])
        hidden, _ = hidden_ground(hills, place, eye, np.zeros(1), [plain[c, 0]])
        for wanted, found in zip(plain[c], less[c], strict=True):
            assert found.symmetric_difference(wanted - hidden[0]).area < 1e-3
    lost = shapely.area(plain[:, 0]).sum() - shapely.area(less[:, 0]).sum()
    assert lost > 100


def test_a_camera_on_unknown_ground_sees_as_over_flat_ground_and_says_so() -> None:
    some, houses = town(6)
    terrain = ridge(3, 10, 2)
    unknown = replace(terrain, heights=np.full_like(terrain.heights, math.nan))
    elsewhere = replace(terrain, west=9000.0)
    plain = views(some, Scene(houses))
    for ground in (unknown, elsewhere):
        made = views(some, Scene(houses, terrain=ground))
        assert all(FLAT in said for said in made.notes)
        assert all(a.equals_exact(b) for a, b in zip(plain.shapes.ravel(), made.shapes.ravel(),
                                                     strict=True))  # fmt: skip
    assert not any(FLAT in said for said in plain.notes)


def test_only_a_hill_near_a_camera_computes_its_view_again() -> None:
    camera = Camera("a", 0, 0, sight("bullet", 90, height=4, tilt=20))
    terrain = ridge(3, 10, 2)

    def changed(column: int) -> Any:
        heights = terrain.heights.copy()
        heights[:, column] += 1
        return Scene(OPEN, terrain=replace(terrain, heights=heights))

    before = input_hash(camera, Scene(OPEN, terrain=terrain))
    assert input_hash(camera, changed(-1)) == before  # 199 m away: its view ends before
    assert input_hash(camera, changed(20)) != before
    assert input_hash(camera, Scene(OPEN)) != before
