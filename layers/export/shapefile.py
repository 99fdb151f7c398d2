"""Zipped Shapefiles in GBK, as surveyors and offices exchange them."""

import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import geopandas

from layers.catalogue import Field
from layers.export.frames import GEOMETRY_TYPES, frame, gdal
from layers.export.table import Batch, Column, ExportError, Table
from layers.intake.headers import targets

MAX_NAME, MAX_TEXT = 10, 254
"""Bytes of a column's name and of a text in dBASE."""


def shapefile(path: Path, table: Table, rows: Iterator[Batch]) -> Mapping[str, str]:
    """Write a zip of a Shapefile, with its encoding in .cpg and its columns in columns.txt.

    A layer of points and polygons becomes two Shapefiles. Texts that GBK lacks a character of make
    it UTF-8. Raises ``ExportError`` where a text is too long.
    """
    short = names(table)
    made, _ = frame(table, rows)
    made = made.rename(columns={column.header: short[column.name] for column in table.columns})
    texts = [short[column.name] for column in table.columns if _is_text(column)]
    encoding = _encoding(made, texts)
    _check(made, texts, encoding)
    for name, part, kind in _parts(table, made):
        gdal(
            path.parent / f"{name}.shp", part, table, "ESRI Shapefile",
            geometry_type=kind, encoding=encoding,
        )  # fmt: skip
    told = "\r\n".join(_told(table, short, encoding))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(path.parent.iterdir()):
            if file != path:
                packed.write(file, file.name)
        packed.writestr("columns.txt", told.encode("utf-8-sig"))
    return short


def names(table: Table) -> dict[str, str]:
    """Return a name of at most ten ASCII characters for each column.

    Where the import knows a short word for a column, that is its name, so that it is found again.
    """
    words = targets(table.layer)
    found = {c.name: c.name for c in table.columns if len(c.name) <= MAX_NAME}
    for column in table.columns:
        if column.name in found:
            continue
        known = [
            w for w in words.get(column.name, ()) if re.fullmatch(f"[a-z0-9]{{1,{MAX_NAME}}}", w)
        ]
        number, cut = 1, column.name[:MAX_NAME].rstrip("_")
        choices = [*known, cut]
        while choices and choices[0] in found.values():
            choices.pop(0)
        name = choices[0] if choices else cut
        while name in found.values():
            number += 1
            name = f"{cut[: MAX_NAME - len(str(number))]}{number}"
        found[column.name] = name
    return {column.name: found[column.name] for column in table.columns}


def _is_text(column: Column) -> bool:
    return column.kind not in ("integer", "number")


def _encoding(made: geopandas.GeoDataFrame, texts: list[str]) -> str:
    try:
        for name in texts:
            "".join(made[name].dropna()).encode("gbk")
    except UnicodeEncodeError:
        return "UTF-8"
    return "GBK"


def _check(made: geopandas.GeoDataFrame, texts: list[str], encoding: str) -> None:
    for name in texts:
        for code, text in zip(made["code"], made[name], strict=True):
            if isinstance(text, str) and len(text.encode(encoding)) > MAX_TEXT:
                raise ExportError(
                    f"{name} of {code} is longer than the {MAX_TEXT} bytes that a Shapefile holds: "
                    "choose another format, such as GeoPackage.",
                    f"{code} 的 {name} 超过了 Shapefile 的 {MAX_TEXT} 字节："
                    "请选其他格式，如 GeoPackage。",
                )


def _parts(
    table: Table, made: geopandas.GeoDataFrame
) -> Iterator[tuple[str, geopandas.GeoDataFrame, str]]:
    """Part a layer of several geometry types: a Shapefile holds one."""
    known = GEOMETRY_TYPES.get(table.layer.geometry)
    if known:
        yield table.layer.id, made, known
        return
    kinds = sorted(set(made.geometry.geom_type.dropna())) or ["Point"]
    for kind in kinds:
        name = table.layer.id if len(kinds) == 1 else f"{table.layer.id}_{kind.lower()}"
        yield name, made[made.geometry.geom_type == kind], kind


def _told(table: Table, short: Mapping[str, str], encoding: str) -> Iterator[str]:
    layer = table.layer
    yield f"{layer.title.zh} · {layer.title.en}, {table.projection.name}, {encoding}"
    yield ""
    yield "column\tname\t中文\tEnglish"
    for column in table.columns:
        field: Field = layer.field(column.name)
        yield "\t".join((short[column.name], column.name, field.title.zh, field.title.en))
