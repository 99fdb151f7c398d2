"""Which rows are exported: SQL of catalogue names, with every value bound."""

import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import psycopg
import shapely
from psycopg import sql
from psycopg.rows import TupleRow

from layers.catalogue import Field, Layer
from layers.export.table import TOWN_TIME, Batch, ExportError, Table

BATCH = 5_000
"""Rows in memory at a time."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A condition on the rows of a layer, with the values bound to it."""

    condition: sql.Composable
    values: Sequence[Any] | Mapping[str, Any]

    @classmethod
    def of(
        cls,
        layer: Layer,
        *,
        where: Mapping[str, str],
        bbox: tuple[float, float, float, float] | None,
        start: datetime | None,
        end: datetime | None,
    ) -> "Selection":
        """Compose the filters. Raises ``ExportError`` for those that make no sense."""
        parts: list[sql.Composable] = [
            sql.SQL("valid_to IS NULL" if layer.versioned else "true"),
        ]
        values: list[Any] = []
        for name, text in where.items():
            column = sql.Identifier(_known(layer, name).name)
            if text == "":
                parts.append(sql.SQL("{} IS NULL").format(column))
            else:
                parts.append(sql.SQL("{} = %s").format(column))
                values.append(_value(_known(layer, name), text))
        if bbox is not None:
            boxes = _boxes(bbox)
            one = sql.SQL("st_intersects(geom, st_makeenvelope(%s, %s, %s, %s, 4326))")
            parts.append(sql.SQL("({})").format(sql.SQL(" OR ").join([one] * len(boxes))))
            values += [corner for box in boxes for corner in box]
        if (start or end) and layer.time is None:
            raise ExportError(
                f"The layer {layer.id} has no time to filter on.",
                f"图层“{layer.title.zh}”没有可筛选的时间。",
            )
        if start and end and end <= start:
            raise ExportError("The time window ends before it starts.", "时间范围的结束早于开始。")
        for moment, condition in ((start, sql.SQL("{} >= %s")), (end, sql.SQL("{} < %s"))):
            if moment and layer.time:
                parts.append(condition.format(sql.Identifier(layer.time)))
                values.append(moment)
        return cls(sql.SQL(" AND ").join(parts), tuple(values))


def _known(layer: Layer, name: str) -> Field:
    try:
        return layer.field(name)
    except KeyError:
        names = ", ".join(field.name for field in layer.fields)
        raise ExportError(
            f"The layer {layer.id} has no column “{name}”. There are: {names}.",
            f"图层“{layer.title.zh}”没有列“{name}”，可用：{names}。",
        ) from None


def _value(field: Field, text: str) -> Any:
    """Return the value that ``text`` means in a column."""
    if field.codes is not None and text not in field.codes:
        raise ExportError(
            f"“{text}” is no {field.name}. There are: {', '.join(field.codes.values)}.",
            f"“{text}”不是“{field.title.zh}”的代码，可用：{'、'.join(field.codes.values)}。",
        )
    try:
        if field.kind == "integer":
            return int(text)
        if field.kind == "number":
            return float(text)
        if field.kind == "date":
            return date.fromisoformat(text)
        if field.kind == "datetime":
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=TOWN_TIME)
    except ValueError:
        raise ExportError(
            f"“{text}” is no {field.kind}, as {field.name} needs.",
            f"“{text}”不能作为“{field.title.zh}”的值。",
        ) from None
    if "\0" in text:
        raise ExportError("A value holds a character that no text has.", "值中含有不可用的字符。")
    return text


def _boxes(bbox: tuple[float, float, float, float]) -> list[tuple[float, float, float, float]]:
    west, south, east, north = bbox
    if not (
        all(map(math.isfinite, bbox))
        and min(west, east) >= -180
        and max(west, east) <= 180
        and -90 <= south <= north <= 90
    ):
        raise ExportError(
            "A bbox is west, south, east, north in degrees.", "bbox 应为西、南、东、北（度）。"
        )
    if west > east:  # across the antimeridian
        return [(west, south, 180.0, north), (-180.0, south, east, north)]
    return [(west, south, east, north)]


def batches(
    connection: psycopg.Connection[TupleRow], table: Table, selection: Selection
) -> Iterator[Batch]:
    """Read the rows from a cursor on the server; the caller holds the transaction."""
    extra = [sql.Identifier("attributes")] if table.attributes else []
    query = sql.SQL("SELECT {}, st_asbinary(geom) FROM {} WHERE {} ORDER BY code").format(
        sql.SQL(", ").join([*(sql.Identifier(c.name) for c in table.columns), *extra]),
        sql.Identifier(table.layer.table),
        selection.condition,
    )
    with connection.cursor(f"export_{uuid.uuid4().hex}", binary=True) as cursor:
        cursor.execute(query, selection.values)
        while rows := cursor.fetchmany(BATCH):
            cells = list(zip(*rows, strict=True))
            yield Batch(
                [
                    list(map(column.read, values))
                    for column, values in zip(table.columns, cells, strict=False)
                ],
                cells[len(table.columns)] if table.attributes else [{}] * len(rows),
                table.projection(
                    np.atleast_1d(shapely.from_wkb(np.array(cells[-1], dtype=object)))
                ),
            )
