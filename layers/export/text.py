"""GeoJSON, GeoJSON by lines and CSV: pieces of text, made as the rows come."""

import csv
import io
import json
from collections.abc import Iterator

import shapely

from layers.export.table import Batch, Table, iso

_dump = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=iso
).encode


def geojson(table: Table, rows: Iterator[Batch]) -> Iterator[str]:
    """Yield a FeatureCollection (RFC 7946), one feature a line.

    Coordinates of GCJ-02 and BD-09, which have to be asked for, are named in a ``crs`` member as it
    was before RFC 7946: a reader that heeds it does not take them for WGS 84.
    """
    yield f'{{"type":"FeatureCollection","name":{_dump(table.layer.id)},{_crs(table)}"features":['
    before = "\n"
    for batch in rows:
        yield before + ",\n".join(_features(table, batch))
        before = ",\n"
    yield "\n]}\n"


def geojsonl(table: Table, rows: Iterator[Batch]) -> Iterator[str]:
    """Yield one feature a line, without the separators of RFC 8142."""
    for batch in rows:
        yield "".join(f"{feature}\n" for feature in _features(table, batch, _crs(table)))


def _crs(table: Table) -> str:
    if table.projection.epsg:
        return ""
    return f'"crs":{_dump({"type": "name", "properties": {"name": table.projection.name}})},'


def _features(table: Table, batch: Batch, crs: str = "") -> Iterator[str]:
    headers = [column.header for column in table.columns]
    shapes = shapely.to_geojson(batch.geometry)
    rows = zip(*batch.values, batch.attributes, shapes, strict=True)
    for *values, attributes, shape in rows:
        # A column goes before an attribute of its name.
        properties = _dump({**attributes, **dict(zip(headers, values, strict=True))})
        yield f'{{"type":"Feature",{crs}"properties":{properties},"geometry":{shape or "null"}}}'


def delimited(table: Table, rows: Iterator[Batch]) -> Iterator[str]:
    """Yield CSV with a byte order mark, from which Excel knows that it is UTF-8."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([*(column.header for column in table.columns), *place_headers(table)])
    yield f"\ufeff{file.getvalue()}"
    for batch in rows:
        file.seek(0)
        file.truncate()
        values = [list(map(iso, column)) for column in batch.values]
        writer.writerows(zip(*values, *places(table, batch), strict=True))
        yield file.getvalue()


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
