"""Readers: a file becomes chunks of cells and geometries, whatever its format.

A reader is a function from a ``File`` to a ``Source``; ``READERS`` names one per suffix.
Another format is another function and another entry.
"""

import codecs
import gzip
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from layers.intake.chunks import File, Source
from layers.intake.delimited import delimited
from layers.intake.geojson import geojson
from layers.intake.parquet import parquet
from layers.intake.report import Problems, Refusal
from layers.intake.spreadsheet import spreadsheet
from layers.intake.vector import flatgeobuf, geopackage, kml, kmz, shapefile, zipped_shapefile


class Reader(Protocol):
    """Reads one format. Bad rows go to ``problems``; raises ``Refusal`` for a bad file."""

    def __call__(self, file: File, problems: Problems) -> Source:
        """Open the file."""


def source(path: Path, problems: Problems, *, max_bytes: int) -> Source:
    """Open a file by its suffix; ``.gz`` is unpacked. Raises ``Refusal``, never anything else."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packed = suffixes[-1:] == [".gz"]
    suffix = suffixes[-2 if packed else -1] if len(suffixes) > packed else ""
    if suffix not in READERS:
        raise Refusal(
            f"不支持“{suffix or path.name}”格式，可导入：{'、'.join(READERS)}。",
            f"The format “{suffix or path.name}” is not read; these are: {', '.join(READERS)}.",
        )
    content = _content(path, packed=packed, max_bytes=max_bytes)
    if not content.strip(b" \t\r\n\0" + codecs.BOM_UTF8):
        raise Refusal("文件是空的。", "The file is empty.")
    for magic, zh, en, right in _MAGIC:
        if content.startswith(magic) and suffix not in right:
            raise Refusal(
                f"文件内容是{zh}，与扩展名 {suffix} 不符。",
                f"The file is {en}, not what its name ({suffix}) says.",
            )
    return READERS[suffix](File(content, path, max_bytes), problems)


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


def _content(path: Path, *, packed: bool, max_bytes: int) -> bytes:
    too_large = Refusal(
        f"文件超过 {max_bytes / 1e6:g} MB 的上限，请拆分后导入。",
        f"The file is larger than the limit of {max_bytes / 1e6:g} MB: split it.",
    )
    try:
        if path.stat().st_size > max_bytes:
            raise too_large
        with gzip.open(path) if packed else path.open("rb") as stream:
            content = stream.read(max_bytes + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise Refusal("压缩包已损坏。", "The gzip archive is damaged.") from None
    except OSError as error:
        reason = error.strerror or "?"
        raise Refusal(
            f"文件无法读取（{reason}）。", f"The file cannot be read ({reason})."
        ) from None
    if len(content) > max_bytes:
        raise too_large
    return content


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
    ".zip": zipped_shapefile,
    ".shp": shapefile,
    ".gpkg": geopackage,
    ".fgb": flatgeobuf,
    ".kml": kml,
    ".kmz": kmz,
    ".parquet": parquet,
}
