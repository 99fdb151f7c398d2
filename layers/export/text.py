"""GeoJSON, GeoJSON by lines and CSV, written as the rows come."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import shapely

from layers.export.table import Batch, Table, iso

_dump = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=iso
).encode


def geojson(path: Path, table: Table, rows: Iterator[Batch]) -> Mapping[str, str]:
    """Write a FeatureCollection (RFC 7946), one feature a line."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f'{{"type":"FeatureCollection","name":{_dump(table.layer.id)},"features":[')
        between = "\n"
        for feature in _features(table, rows):
            file.write(f"{between}{feature}")
            between = ",\n"
        file.write("\n]}\n")
    return table.headers


def geojsonl(path: Path, table: Table, rows: Iterator[Batch]) -> Mapping[str, str]:
    """Write one feature a line, without the separators of RFC 8142."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for feature in _features(table, rows):
            file.write(f"{feature}\n")
    return table.headers


def _features(table: Table, rows: Iterator[Batch]) -> Iterator[str]:
    headers = [column.header for column in table.columns]
    for batch in rows:
        shapes = shapely.to_geojson(batch.geometry)
        for *values, attributes, shape in zip(*batch.values, batch.attributes, shapes, strict=True):
            # A column goes before an attribute of its name.
            properties = _dump({**attributes, **dict(zip(headers, values, strict=True))})
            yield f'{{"type":"Feature","properties":{properties},"geometry":{shape or "null"}}}'


def delimited(path: Path, table: Table, rows: Iterator[Batch]) -> Mapping[str, str]:
    """Write CSV with a byte order mark, from which Excel knows that it is UTF-8."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(column.header for column in table.columns), *place_headers(table)])
        for batch in rows:
            values = [list(map(iso, column)) for column in batch.values]
            writer.writerows(zip(*values, *places(table, batch), strict=True))
    return table.headers


def place_headers(table: Table) -> list[str]:
    """Return the headers of the columns of ``places``."""
    return list(table.place) if table.layer.geometry == "POINT" else [table.wkt]


def places(table: Table, batch: Batch) -> list[list[float | str | None]]:
    """Return two columns of coordinates for points, one of well-known text for all others."""
    if table.layer.geometry != "POINT":
        texts = shapely.to_wkt(batch.geometry, rounding_precision=table.projection.decimals)
        return [texts.tolist()]
    missing = shapely.is_missing(batch.geometry) | shapely.is_empty(batch.geometry)
    return [
        [None if gone else value for value, gone in zip(axis.tolist(), missing, strict=True)]
        for axis in (shapely.get_x(batch.geometry), shapely.get_y(batch.geometry))
    ]
