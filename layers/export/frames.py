"""Binary formats, written by GDAL and Arrow from the collected rows."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas
import pandas as pd
import pyarrow as pa
import pyogrio

from layers.export.table import Batch, ExportError, Table, distinct, iso

GEOMETRY_TYPES: Mapping[str, str] = {
    "POINT": "Point",
    "LINESTRING": "LineString",
    "POLYGON": "Polygon",
    "MULTIPOLYGON": "MultiPolygon",
}
"""The catalogue's geometry types by the names that GDAL has for them; others vary."""

_DTYPES: Mapping[str, Any] = {"integer": "Int64", "number": "Float64"}
_ARROW: Mapping[str, Any] = {
    **_DTYPES,
    "date": pd.ArrowDtype(pa.date32()),
    "datetime": pd.ArrowDtype(pa.timestamp("us", "UTC")),
}


def frame(
    table: Table, rows: Iterator[Batch], *, arrow: bool = False
) -> tuple[geopandas.GeoDataFrame, list[Mapping[str, Any]]]:
    """Collect the rows, with their attributes beside them.

    Without ``arrow``, dates and times are ISO 8601 text: GDAL would cut times to milliseconds.
    """
    collected: list[list[Any]] = [[] for _ in table.columns]
    attributes: list[Mapping[str, Any]] = []
    shapes: list[Any] = []
    for batch in rows:
        for column, values in zip(collected, batch.values, strict=True):
            column.extend(values if arrow else map(iso, values))
        attributes.extend(batch.attributes)
        shapes.extend(batch.geometry)
    types = _ARROW if arrow else _DTYPES
    data = {
        column.header: pd.array(values, dtype=types.get(column.kind, "string"))
        for column, values in zip(table.columns, collected, strict=True)
    }
    place = distinct(["geometry"], list(data))[0]
    data[place] = geopandas.GeoSeries(shapes, crs=table.projection.crs)
    return geopandas.GeoDataFrame(data, geometry=place), attributes


def geoparquet(path: Path, table: Table, rows: Iterator[Batch]) -> Mapping[str, str]:
    """Write GeoParquet 1.1 with a bbox column, and dates and times as such."""
    made, _ = frame(table, rows, arrow=True)
    made.to_parquet(path, index=False, write_covering_bbox=True, schema_version="1.1.0")
    return table.headers


def flatgeobuf(path: Path, table: Table, rows: Iterator[Batch]) -> Mapping[str, str]:
    """Write FlatGeobuf, with its spatial index where every row has a place."""
    made, _ = frame(table, rows)
    indexed = len(made) > 0 and not bool(made.geometry.isna().any())
    gdal(path, made, table, "FlatGeobuf", SPATIAL_INDEX="YES" if indexed else "NO")
    return table.headers


def geopackage(path: Path, table: Table, rows: Iterator[Batch]) -> Mapping[str, str]:
    """Write a GeoPackage; attributes become columns beside those of the layer."""
    made, attributes = frame(table, rows)
    keys = list(dict.fromkeys(key for record in attributes for key in record))
    # As in GeoJSON, a column goes before an attribute of its name.
    keys = [key for key in keys if key not in made.columns]
    for key, header in zip(keys, distinct(keys, [*made.columns, "fid", "geom"]), strict=True):
        made[header] = _typed([record.get(key) for record in attributes])
    gdal(path, made, table, "GPKG")
    return table.headers


def gdal(
    path: Path,
    made: geopandas.GeoDataFrame,
    table: Table,
    driver: str,
    *,
    geometry_type: str | None = None,
    encoding: str | None = None,
    **options: str,
) -> None:
    """Write a frame through GDAL. Raises ``ExportError`` with what it says."""
    kind = geometry_type or GEOMETRY_TYPES.get(table.layer.geometry, "Unknown")
    name = path.stem if driver == "ESRI Shapefile" else table.layer.id
    try:
        pyogrio.write_dataframe(
            made, path, layer=name, driver=driver, geometry_type=kind, encoding=encoding, **options
        )
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, RuntimeError) as error:
        raise ExportError(
            f"The file cannot be written: {error}", f"文件无法写出：{error}"
        ) from error


def _typed(values: Sequence[Any]) -> Any:
    """Return a column of the narrowest type that holds all values; text, or JSON in it, else."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pd.array(values, dtype="boolean")
    if kinds <= {int, float} and all(abs(value or 0) < 2**53 for value in values):
        return pd.array(values, dtype="Int64" if kinds == {int} else "Float64")
    return pd.array([_text(value) for value in values], dtype="string")


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
