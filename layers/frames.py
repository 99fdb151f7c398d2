"""Layers as GeoDataFrames: rows out of PostGIS, and in bulk back into it by COPY."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import geopandas
import pandas as pd
import psycopg
import shapely
from psycopg import sql
from psycopg.rows import TupleRow

from layers.base import SRID
from layers.catalogue import Layer


def read(
    connection: psycopg.Connection[TupleRow],
    layer: Layer,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
) -> geopandas.GeoDataFrame:
    """Return the layer's rows in force as a frame in EPSG:4326, with its fields as columns.

    ``start`` and ``end`` (half open) keep the events of a time window, on layers with a time.
    """
    names = [field.name for field in layer.fields]
    conditions: list[sql.Composable] = [
        sql.SQL("valid_to IS NULL") if layer.versioned else sql.SQL("true")
    ]
    if layer.time:
        time = sql.Identifier(layer.time)
        conditions += [sql.SQL("{} >= {}").format(time, start)] if start else []
        conditions += [sql.SQL("{} < {}").format(time, end)] if end else []
    query = sql.SQL("SELECT {}, st_asbinary(geom) FROM {} WHERE {} ORDER BY code").format(
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.Identifier(layer.table),
        sql.SQL(" AND ").join(conditions),
    )
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(query).fetchall()
    columns = list(zip(*rows, strict=True)) or [()] * (len(names) + 1)
    table = dict(zip(names, map(list, columns), strict=False))
    return geopandas.GeoDataFrame(
        table, geometry=shapely.from_wkb(list(columns[-1])), crs=SRID
    ).rename_geometry("geom")


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


def _rows(frame: geopandas.GeoDataFrame, names: list[str]) -> Iterator[tuple[Any, ...]]:
    columns = []
    for name in names:
        values = frame[name].astype(object)
        columns.append(values.where(pd.notna(values), None).tolist())
    shapes = shapely.to_wkb(
        shapely.set_srid(frame.geometry.to_numpy(), SRID), hex=True, include_srid=True
    )
    columns.append(shapes.tolist())
    return zip(*columns, strict=True)
