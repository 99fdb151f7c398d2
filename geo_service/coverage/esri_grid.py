"""Heights in an Esri ASCII grid, and the coordinate system in the .prj beside it.

Every GIS writes one: ``gdal_translate -of AAIGrid heights.tif heights.asc``.
"""

import itertools
import math
from pathlib import Path
from typing import NamedTuple, NoReturn, TextIO

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError

from geo_service.analysis.sentence import Sentence
from geo_service.errors import ServiceError

MOST = 45_000_000
"""Heights of a file that is read: some 300 MB of text."""

LOWEST, HIGHEST = -500.0, 9000.0
"""Metres. Heights beyond are no heights of ground in China."""

NO_DATA = -9999.0
"""What stands for no height where the file does not say."""

_KEYS = frozenset({
    "ncols", "nrows", "xllcorner", "yllcorner", "xllcenter", "yllcenter", "cellsize", "dx", "dy",
    "nodata_value",
})  # fmt: skip


class TerrainError(ServiceError):
    """The file cannot be used; ``said`` is the sentence that tells why."""

    def __init__(self, said: Sentence) -> None:
        super().__init__(said.en)
        self.said = said


class Raster(NamedTuple):
    """Heights as a file has them, row 0 in the north; its south-west corner, and sides of cells."""

    heights: NDArray[np.float32]
    west: float
    south: float
    across: float
    up: float
    crs: CRS


def read(path: Path) -> Raster:
    """Return the heights in an Esri ASCII grid and the coordinate system in the .prj beside it.

    Raises TerrainError, with a sentence, for anything else.
    """
    crs = _crs(path.with_suffix(".prj"))
    try:
        with path.open(encoding="ascii") as stream:
            head, first = _head(path, stream)
            columns, rows = int(head["ncols"]), int(head["nrows"])
            if not 0 < columns * rows <= MOST:
                refuse(
                    f"{path.name} 有 {columns} × {rows} 个高程，最多 {MOST}："
                    "请用 gdalwarp -tr 降低分辨率。",
                    f"{path.name} has {columns} × {rows} heights; at most {MOST} are"
                    " read: make it coarser with gdalwarp -tr.",
                )
            values = np.loadtxt(itertools.chain([first], stream), dtype=np.float32, ndmin=2)
    except OSError as error:
        refuse_unread(path, error)
    except ValueError as error:  # UnicodeDecodeError is one
        refuse(
            f"{path.name} 不是 Esri ASCII 栅格（{error}）。",
            f"{path.name} is no Esri ASCII grid: {error}.",
        )
    if values.shape != (rows, columns):
        refuse(
            f"{path.name} 有 {values.shape[0]} 行、每行 {values.shape[1]} 个高程，"
            f"文件头写的是 {rows} 行、{columns} 列。",
            f"{path.name} has {values.shape[0]} rows of {values.shape[1]} heights, but its head"
            f" says {rows} of {columns}.",
        )
    values[values == np.float32(head.get("nodata_value", NO_DATA))] = np.nan
    known = values[np.isfinite(values)]
    if known.size and not LOWEST <= known.min() <= known.max() <= HIGHEST:
        refuse(
            f"{path.name} 的高程为 {known.min():g} 至 {known.max():g} 米，不合理："
            "请检查 NODATA_value 和单位。",
            f"{path.name} has heights from {known.min():g} to {known.max():g} m: check its"
            " NODATA_value and its unit.",
        )
    across, up = head.get("dx", head.get("cellsize", 0)), head.get("dy", head.get("cellsize", 0))
    west = head["xllcorner"] if "xllcorner" in head else head["xllcenter"] - across / 2
    south = head["yllcorner"] if "yllcorner" in head else head["yllcenter"] - up / 2
    return Raster(values, west, south, across, up, crs)


def _head(path: Path, stream: TextIO) -> tuple[dict[str, float], str]:
    """Return the head of a grid by lower-case key, and the first line after it."""
    head: dict[str, float] = {}
    for line in stream:
        words = line.split()
        if len(words) != 2 or words[0].lower() not in _KEYS:
            break
        head[words[0].lower()] = float(words[1])
    else:
        line = ""
    sides = [head.get("cellsize", head.get(side, 0.0)) for side in ("dx", "dy")]
    whole = {"ncols", "nrows"} <= head.keys() and all(
        {f"{axis}llcorner", f"{axis}llcenter"} & head.keys() for axis in "xy"
    )
    numbers = [value for key, value in head.items() if key != "nodata_value"]
    if not (whole and all(map(math.isfinite, numbers)) and min(sides) > 0):
        refuse(
            f"{path.name} 缺少 Esri ASCII 栅格的文件头："
            "ncols、nrows、xllcorner、yllcorner、cellsize。",
            f"{path.name} lacks the head of an Esri ASCII grid: ncols, nrows, xllcorner, yllcorner,"
            " cellsize.",
        )
    return head, line


def _crs(path: Path) -> CRS:
    try:
        return CRS.from_user_input(path.read_text("utf-8").strip())
    except OSError:
        refuse(
            f"缺少 {path.name}：高程文件旁须有写明坐标系的 .prj（gdal_translate 会自动写出）。",
            f"{path.name} is missing: the .prj beside the heights tells their coordinate system"
            " (gdal_translate writes it).",
        )
    except (CRSError, UnicodeDecodeError):
        refuse(
            f"{path.name} 中没有可识别的坐标系。",
            f"{path.name} holds no coordinate system that is known.",
        )


def refuse_unread(path: Path, error: OSError) -> NoReturn:
    """Raise TerrainError for a file that the system does not give."""
    refuse(f"无法读取 {path}（{error.strerror}）。", f"{path} cannot be read: {error.strerror}.")


def refuse(zh: str, en: str) -> NoReturn:
    """Raise TerrainError with a sentence."""
    raise TerrainError(Sentence(zh, en))
