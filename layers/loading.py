"""Rows into PostGIS in bulk, by COPY."""

from collections.abc import Iterator
from typing import Any

import geopandas
import pandas
import psycopg
import shapely
from psycopg import sql
from psycopg.rows import TupleRow

from layers.base import SRID
from layers.catalogue import Layer


def copy(
    connection: psycopg.Connection[TupleRow], layer: Layer, frame: geopandas.GeoDataFrame
) -> int:
    """Copy ``frame`` (EPSG:4326) into the layer's table and return the number of rows.

    Columns are the layer's own, by name; missing ones keep their defaults. Raises psycopg.Error
    where the database refuses a row; the caller's transaction is then void.
    """
    names = [field.name for field in layer.fields if field.name in frame.columns]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(layer.table), sql.SQL(", ").join(map(sql.Identifier, [*names, "geom"]))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as target:
        for row in _rows(frame, names):
            target.write_row(row)
    return len(frame)


def _rows(frame: geopandas.GeoDataFrame, names: list[str]) -> Iterator[list[Any]]:
    columns = []
    for name in names:
        values = frame[name].astype(object)
        columns.append(values.where(pandas.notna(values), None).tolist())
    shapes = shapely.to_wkb(
        shapely.set_srid(frame.geometry.to_numpy(), SRID), hex=True, include_srid=True
    )
    columns.append(shapes.tolist())
    for row in zip(*columns, strict=True):
        yield list(row)
