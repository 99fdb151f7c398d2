"""What is visible, against viewsheds of a raster by other programs: GRASS, and GDAL.

A raster knows a wall to within a cell. So a cell that is seen with all walls a cell further out
must be seen in the raster too, and none may be that is hidden with all walls a cell further in.
"""

import math
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from shapely import affinity

from geo_service.analysis.buildings import Buildings
from geo_service.analysis.terrain import terrain_visible
from geo_service.analysis.visibility import visible_region

pytestmark = pytest.mark.slow

CELL = 0.5
SIDE = 161
"""Cells across a town: a camera in the middle looks 40 m far."""

REACH = 39.0
HOUSES = 14
HEIGHTS = (2.0, 3.0, 4.5, 20.0)
EYES = (3.5, 6.0, 10.0)
TOWNS = range(3)
HILLS = range(6)

Seen = NDArray[np.bool_]


class Case(NamedTuple):
    """A raster of heights, row 0 in the north, and a camera over the middle of one of its cells."""

    ground: NDArray[np.float64]
    cell: float
    row: int
    column: int
    eye: float
    target: float = 0.0

    @property
    def place(self) -> tuple[float, float]:
        """The camera in metres from the south-west corner."""
        rows = len(self.ground)
        return (self.column + 0.5) * self.cell, (rows - self.row - 0.5) * self.cell

    def write(self, path: Path) -> None:
        """Write the heights as an Esri ASCII grid."""
        rows, columns = self.ground.shape
        head = f"ncols {columns}\nnrows {rows}\nxllcorner 0\nyllcorner 0\ncellsize {self.cell}\n"
        np.savetxt(path, self.ground, fmt="%.6f", header=head.rstrip(), comments="")


def grass(cases: list[Case], folder: Path) -> list[Seen]:
    """Return what r.viewshed sees, all in one session of GRASS."""
    if shutil.which("grass") is None:
        pytest.skip("GRASS is not installed (Debian: grass-core)")
    lines = ["set -e"]
    for k, case in enumerate(cases):
        case.write(folder / f"ground{k}.asc")
        x, y = case.place
        lines += [
            f"r.in.gdal -o --quiet input=ground{k}.asc output=ground{k}",
            f"g.region raster=ground{k}",
            f"r.viewshed --quiet -b input=ground{k} output=seen{k} coordinates={x},{y}"
            f" observer_elevation={case.eye} target_elevation={case.target} memory=100",
            f"r.out.bin --quiet input=seen{k} output=seen{k}.bin bytes=1",
        ]
    (folder / "all.sh").write_text("\n".join(lines) + "\n")
    subprocess.run(
        ["grass", "--tmp-location", "XY", "--exec", "sh", "all.sh"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return [
        np.fromfile(folder / f"seen{k}.bin", np.uint8).reshape(case.ground.shape) == 1
        for k, case in enumerate(cases)
    ]


def gdal(cases: list[Case], folder: Path) -> list[Seen]:
    """Return what gdal_viewshed sees."""
    if shutil.which("gdal_viewshed") is None:
        pytest.skip("gdal_viewshed is not installed (Debian: gdal-bin)")
    found = []
    for k, case in enumerate(cases):
        case.write(folder / f"ground{k}.asc")
        x, y = case.place
        subprocess.run(
            ["gdal_viewshed", "-q", "-f", "EHdr", "-cc", "0", "-md", "0", "-ox", f"{x}", "-oy",
             f"{y}", "-oz", f"{case.eye}", "-tz", f"{case.target}", f"ground{k}.asc",
             f"seen{k}.bil"],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip
        seen = np.fromfile(folder / f"seen{k}.bil", np.uint8)
        found.append(seen.reshape(case.ground.shape) == 255)
    return found


def near_edge(seen: Seen) -> Seen:
    """Return the cells with another answer among their eight neighbours."""
    around = np.pad(seen, 1, mode="edge")
    rows, columns = seen.shape
    edge = np.zeros_like(seen)
    for i in range(3):
        for j in range(3):
            edge |= around[i : i + rows, j : j + columns] != seen
    return edge


def hills(seed: int) -> Case:
    """Return smooth hills of some metres, a little rough, in cells of 5 m."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:81, :101]
    ground = rng.normal(0, 0.05, x.shape)
    for _ in range(14):
        high, wide = rng.uniform(3, 16), rng.uniform(4, 14)
        off = (x - rng.uniform(0, 101)) ** 2 + (y - rng.uniform(0, 81)) ** 2
        ground += high * np.exp(-off / (2 * wide**2))
    row, column = (int(v) for v in rng.integers(10, 70, 2))
    return Case(ground, 5.0, row, column, EYES[seed % len(EYES)], (0.0, 1.5)[seed % 2])


@pytest.mark.parametrize(("program", "astray"), [(grass, 0), (gdal, 3e-4)])
def test_hills_hide_the_same_ground(program: Any, astray: float, tmp_path: Path) -> None:
    """Only cells at the edge of what is seen differ, but for a few of GDAL's approximation."""
    cases = [hills(seed) for seed in HILLS]
    for case, theirs in zip(cases, program(cases, tmp_path), strict=True):
        seen = terrain_visible(
            case.ground, case.cell, case.place, case.eye, target_height=case.target
        )
        assert 0.3 < seen.mean() < 0.7
        edges = near_edge(seen) | near_edge(theirs)
        assert edges.mean() < 0.15
        differs = seen != theirs
        assert differs.mean() < 0.01
        assert (differs & ~edges).mean() <= astray


def town(seed: int, eye: float) -> tuple[list[Any], list[float], Case]:
    """Return houses, their heights, and their raster around a camera in the open or on a wall.

    With an odd seed the camera hangs on the west wall of a house, half a cell before it in the
    raster; its house is first in the list.
    """
    rng = np.random.default_rng(seed)
    middle = shapely.Point(SIDE * CELL / 2, SIDE * CELL / 2)
    made: list[Any] = []
    if seed % 2:
        made.append(shapely.box(middle.x + CELL / 2, middle.y - 6, middle.x + 9, middle.y + 7))
    while len(made) < HOUSES:
        w, h, x, y = (*rng.uniform(4, 14, 2), *rng.uniform(0, SIDE * CELL, 2))
        house = affinity.rotate(shapely.box(x, y, x + w, y + h), rng.choice([0, 0, 25, 60]))
        if rng.random() < 0.3:
            house -= affinity.translate(house, 0.6 * w, 0.6 * h)
        if house.geom_type == "Polygon" and house.distance(middle) > 3:
            made.append(house)
    heights = [20.0, *rng.choice(HEIGHTS, HOUSES - 1)]
    at = (np.arange(SIDE) + 0.5) * CELL
    x, y = np.meshgrid(at, at[::-1])
    ground = np.zeros((SIDE, SIDE))
    for house, top in zip(made, heights, strict=True):
        inside = shapely.contains_xy(house, x, y)
        ground[inside] = np.maximum(ground[inside], top)
    return made, heights, Case(ground, CELL, SIDE // 2, SIDE // 2, eye, (0.0, 1.5)[seed % 2])


def within(houses: list[Any], heights: list[float], case: Case, by: float) -> Any:
    """Return what the camera sees with the walls of all houses ``by`` metres further out."""
    # Heights between cell centres are interpolated: a roof reaches into all four cells around.
    moved = shapely.buffer(houses, by * math.sqrt(2), join_style="mitre")
    hung = shapely.distance(houses, shapely.Point(case.place)) <= CELL
    if by > 0 and hung.any():
        moved[hung] = shapely.buffer(houses, CELL / 2, join_style="mitre")[hung]
    real = ~shapely.is_empty(moved)
    walls = Buildings.read(moved[real], np.array(heights)[real])
    return visible_region(
        case.place, walls, REACH, height=case.eye, target_height=case.target, mount=1e-6
    )


@pytest.mark.parametrize(("program", "astray", "far"), [(grass, 5e-4, 0.01), (gdal, 0.01, 0.025)])
def test_houses_hide_the_same_ground(
    program: Any, astray: float, far: float, tmp_path: Path
) -> None:
    """The raster lies between the town with wider houses and that with narrower ones.

    GDAL approximates lines of sight by planes (Wang, Robinson and White 2000), GRASS does not.
    """
    towns = [town(seed, eye) for seed in TOWNS for eye in EYES]
    found = program([case for _, _, case in towns], tmp_path)
    at = (np.arange(SIDE) + 0.5) * CELL
    x, y = np.meshgrid(at, at[::-1])
    for (houses, heights, case), theirs in zip(towns, found, strict=True):
        # A cell that is half a house is neither ground nor roof.
        solid = shapely.buffer(shapely.union_all(houses), 1.5 * CELL)
        ground = np.hypot(x - case.place[0], y - case.place[1]) < REACH - CELL
        ground &= ~shapely.intersects_xy(solid, x, y)
        seen = theirs[ground]
        assert 0.5 < seen.mean() < 0.8
        wider, exact, narrower = (within(houses, heights, case, by) for by in (CELL, 0, -CELL))
        surely = shapely.contains_xy(wider, x, y)[ground]
        never = ~shapely.intersects_xy(narrower, x, y)[ground]
        assert (surely | never).mean() > 0.85
        assert ((surely & ~seen) | (never & seen)).mean() <= astray
        points = shapely.points(x[ground], y[ground])
        clear = shapely.distance(points, exact.boundary) > CELL
        assert clear.mean() > 0.9
        assert ((shapely.contains(exact, points) != seen) & clear).mean() <= far
        # Houses half as tall would not pass.
        if case.eye > 5 and case.target == 0:
            lower = within(houses, [top / 2 for top in heights], case, 0)
            assert ((shapely.contains(lower, points) != seen) & clear).mean() > 3 * far
