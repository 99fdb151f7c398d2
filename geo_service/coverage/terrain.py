"""Heights of a town's ground, from the file that the settings name, in the town's plane."""

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS, Transformer
from scipy.ndimage import map_coordinates

from geo_service.analysis.camera import MAX_RANGE
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.terrain import Terrain
from geo_service.coverage.esri_grid import Raster, TerrainError, read, refuse, refuse_unread
from geo_service.settings import Settings

FINEST = 5.0
"""Metres from height to height in the town's plane, or less where the file is finer."""

MOST_CELLS = 9_000_000
"""Heights of one town; the step follows from its extent."""

_SAMPLES = 100  # across the town, for the share of it that has heights
_ROWS = 256  # of heights that are transformed at a time


@dataclass(frozen=True, eq=False)
class Relief:
    """The terrain of a town, or the sentence why there is none.

    ``share`` is that of the town's ground with a height, ``file`` the name of the file.
    """

    terrain: Terrain | None
    said: Sentence
    share: float = 0.0
    file: str | None = None


FLAT = Relief(
    None, Sentence("未提供地形：按平地计算。", "No terrain is given: flat ground is assumed.")
)


def relief_of(area: Any, crs: CRS) -> Relief:
    """Return the terrain of an area in metres of ``crs``, from the file of the settings.

    A file that cannot be used is told in ``said``; the ground then counts as flat.
    """
    path = Settings().terrain
    if path is None:
        return FLAT
    try:
        return relief(path, area, crs)
    except TerrainError as error:
        why = error.said
        return Relief(
            None,
            Sentence(f"地形不可用，按平地计算：{why.zh}", f"Flat ground is assumed: {why.en}"),
            file=path.name,
        )


def relief(path: Path, area: Any, crs: CRS) -> Relief:
    """Return the terrain of an area from a file. Raises TerrainError where it cannot be used."""
    west, south, east, north = shapely.bounds(area)
    # In whole kilometres, so that an edit of the outline seldom needs another one.
    low = [math.floor((v - MAX_RANGE) / 1000) * 1000.0 for v in (west, south)]
    high = [math.ceil((v + MAX_RANGE) / 1000) * 1000.0 for v in (east, north)]
    try:
        about = path.stat()
    except OSError as error:
        refuse_unread(path, error)
    terrain = _terrain(path, about.st_mtime_ns, about.st_size, crs.to_wkt(), (*low, *high))
    x, y = np.meshgrid(np.linspace(west, east, _SAMPLES), np.linspace(south, north, _SAMPLES))
    inside = shapely.intersects_xy(area, x, y)
    row = ((terrain.north - y[inside]) / terrain.cell).astype(np.int64)
    column = ((x[inside] - terrain.west) / terrain.cell).astype(np.int64)
    share = float(np.isfinite(terrain.heights[row, column]).mean()) if inside.any() else 0.0
    if share == 0:
        refuse(
            f"{path.name} 在本镇范围内没有任何高程，请检查文件和坐标系。",
            f"{path.name} has no height anywhere in the town: check the file and its .prj.",
        )
    said = Sentence(
        f"扣除地形遮挡：{path.name}，间距 {terrain.cell:g} 米，覆盖辖区 {share:.0%}。",
        f"Without what hills hide: {path.name}, every {terrain.cell:g} m, on {share:.0%} of the"
        " ground.",
    )
    return Relief(terrain, said, share, path.name)


@lru_cache(maxsize=4)
def _terrain(
    path: Path, modified: int, size: int, wkt: str, extent: tuple[float, float, float, float]
) -> Terrain:
    """Return a file's heights in a plane, between the file's own in proportion."""
    raster = _raster(path, modified, size)
    west, south, east, north = extent
    plane = CRS.from_wkt(wkt)
    there = Transformer.from_crs(plane, raster.crs, always_xy=True)
    step = _step(raster, there, (west + east) / 2, (south + north) / 2)
    step = max(min(step, FINEST), math.sqrt((east - west) * (north - south) / MOST_CELLS))
    step = math.ceil(step * 100) / 100
    rows, columns = math.ceil((north - south) / step), math.ceil((east - west) / step)
    heights = np.empty((rows, columns), np.float32)
    x = west + (np.arange(columns) + 0.5) * step
    for first in range(0, rows, _ROWS):
        y = north - (np.arange(first, min(first + _ROWS, rows)) + 0.5) * step
        lon, lat = there.transform(*np.meshgrid(x, y))
        column = (lon - raster.west) / raster.across - 0.5
        row = len(raster.heights) - 0.5 - (lat - raster.south) / raster.up
        heights[first : first + _ROWS] = map_coordinates(
            raster.heights, np.stack((row, column)), order=1, cval=np.nan
        )
    return Terrain(heights, west, north, step)


def _step(raster: Raster, there: Transformer, x: float, y: float) -> float:
    """Return the lesser side of a file's cell, in metres of a plane, about a place of it."""
    lon, lat = there.transform(x, y)
    sides = [
        math.dist((x, y), there.transform(lon + right, lat + up, direction="INVERSE"))
        for right, up in ((raster.across, 0), (0, raster.up))
    ]
    side = min(sides)
    if not (math.isfinite(side) and side > 0):
        refuse(
            "高程文件的坐标系与本镇的平面坐标不相容。",
            "The coordinate system of the heights does not reach the town.",
        )
    return side


@lru_cache(maxsize=1)
def _raster(path: Path, modified: int, size: int) -> Raster:
    """Return what a file holds; it is read once as long as it does not change."""
    del modified, size
    return read(path)
