"""Readers: a file becomes chunks of cells and geometries, whatever its format.

A reader is a function from a ``File`` to a ``Source``; ``READERS`` names one per suffix.
Another format is another function and another entry.
"""

import codecs
import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from layers.intake.chunks import File, Source
from layers.intake.delimited import delimited
from layers.intake.geojson import geojson
from layers.intake.report import Problems, Refusal
from layers.intake.spreadsheet import spreadsheet
from layers.intake.staged import SUFFIX, staged

MAX_BYTES = 200_000_000
"""Files larger than this are refused, before or after unpacking: they are held in memory."""

MAX_STREAMED = 4_000_000_000
"""The same for ``STREAMED`` formats, which are read as they come and never held as a whole."""

STREAMED = frozenset({".csv", ".tsv", ".txt"})


class Reader(Protocol):
    """Reads one format. Bad rows go to ``problems``; raises ``Refusal`` for a bad file."""

    def __call__(self, file: File, problems: Problems) -> Source:
        """Open the file."""


def source(
    path: Path, problems: Problems, *, max_bytes: int | None = None, name: str | None = None
) -> Source:
    """Open a file by its suffix; ``.gz`` is unpacked. Raises ``Refusal``, never anything else.

    ``name`` is the file's own where it lies under another one. A staged file is opened by its path
    alone, never by a name that somebody gave. ``max_bytes`` None: the limit of the format.
    """
    if name is None and path.suffix == SUFFIX:
        return staged(path, problems)
    content_path = path
    if name is not None:
        path = path.with_name("_" + re.sub(r"[/\\\0]", "_", name))
    suffix, packed = _suffix(path)
    if suffix not in READERS:
        raise Refusal(
            f"不支持“{suffix or path.name}”格式，可导入：{'、'.join(READERS)}。",
            f"The format “{suffix or path.name}” is not read; these are: {', '.join(READERS)}.",
        )
    if max_bytes is None:
        max_bytes = most_bytes(path)
    file = File(path, max_bytes, packed=packed, stored=content_path)
    first = b""
    for number, block in enumerate(file.blocks()):
        first = first if number else block
        if block.strip(b" \t\r\n\0" + codecs.BOM_UTF8):
            break
    else:
        raise Refusal("文件是空的。", "The file is empty.")
    for magic, zh, en, right in _MAGIC:
        if first.startswith(magic) and suffix not in right:
            raise Refusal(
                f"文件内容是{zh}，与扩展名 {suffix} 不符。",
                f"The file is {en}, not what its name ({suffix}) says.",
            )
    return READERS[suffix](file, problems)


def most_bytes(path: Path) -> int:
    """Return the largest size of a file of this name's format, packed and unpacked.

    >>> most_bytes(Path("a.csv.gz")) > most_bytes(Path("a.xlsx"))
    True
    """
    return MAX_STREAMED if _suffix(path)[0] in STREAMED else MAX_BYTES


def _suffix(path: Path) -> tuple[str, bool]:
    """Return the suffix that names the format, and whether the file is packed by gzip."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packed = suffixes[-1:] == [".gz"]
    return (suffixes[-2 if packed else -1] if len(suffixes) > packed else ""), packed


_SHEETS = (".xlsx", ".xls", ".ods")
_MAGIC: tuple[tuple[bytes, str, str, tuple[str, ...]], ...] = (
    (b"\x89PNG", " PNG 图片", "a PNG picture", ()),
    (b"\xff\xd8\xff", " JPEG 图片", "a JPEG picture", ()),
    (b"GIF8", " GIF 图片", "a GIF picture", ()),
    (b"%PDF", " PDF 文档", "a PDF document", ()),
    (
        *(b"PK\x03\x04", "压缩包或 Excel 表格（.xlsx）"),
        *("a ZIP archive or an Excel workbook (.xlsx)", (*_SHEETS, ".zip", ".kmz")),
    ),
    (b"\xd0\xcf\x11\xe0", "旧版 Excel 或 Word 文件", "an old Excel or Word file", _SHEETS),
    (b"\x1f\x8b", " gzip 压缩包", "a gzip archive", ()),
    (b"SQLite format 3", " SQLite 数据库", "an SQLite database", (".gpkg",)),
    (b"\x00\x00\x27\x0a", " Shapefile", "a Shapefile", (".shp",)),
    (b"fgb\x03", " FlatGeobuf", "a FlatGeobuf", (".fgb",)),
    (b"PAR1", " Parquet", "a Parquet file", (".parquet",)),
)


def _later(module: str, name: str) -> Reader:
    """Return a reader whose module is imported when a file asks for it.

    GDAL brings pandas and GeoPandas along: half of the memory that loading a text file takes.
    """

    def read(file: File, problems: Problems) -> Source:
        reader = getattr(import_module(f"layers.intake.{module}"), name)
        return cast("Reader", reader)(file, problems)

    return read


READERS: Mapping[str, Reader] = {
    ".geojson": geojson,
    ".json": geojson,
    ".geojsonl": geojson,
    ".ndjson": geojson,
    ".csv": delimited,
    ".tsv": delimited,
    ".txt": delimited,
    ".xlsx": spreadsheet,
    ".xls": spreadsheet,
    ".ods": spreadsheet,
    ".zip": _later("vector", "zipped_shapefile"),
    ".shp": _later("vector", "shapefile"),
    ".gpkg": _later("vector", "geopackage"),
    ".fgb": _later("vector", "flatgeobuf"),
    ".kml": _later("vector", "kml"),
    ".kmz": _later("vector", "kmz"),
    ".parquet": _later("parquet", "parquet"),
    ".dxf": _later("dxf", "dxf"),
}
