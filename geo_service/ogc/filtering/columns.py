"""The names that a filter may use, and what kind of value stands behind each."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from psycopg import sql

from layers.catalogue import Layer

Kind = Literal[
    "text", "number", "boolean", "date", "datetime", "interval", "geometry", "array", "null"
]

GEOMETRY = "geometry"
ATTRIBUTES = "attributes."
"""What an import kept beyond the columns: ``attributes.标签`` is one of its texts."""


@dataclass(frozen=True, slots=True)
class Column:
    """A queryable: its kind, and the column of the table."""

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True)
class Columns:
    """The queryables of one table by name; ``attributes`` tells whether the table keeps extras."""

    known: Mapping[str, Column]
    attributes: bool = False


@cache
def columns_of(layer: Layer) -> Columns:
    """Return the queryables of a layer: its fields, its id, and ``geometry`` (also ``geom``)."""
    kinds: dict[str, Kind] = {"integer": "number"}
    known = {
        field.name: Column(kinds.get(field.kind, field.kind), field.name)  # type: ignore[arg-type]
        for field in layer.fields
    }
    shape = Column("geometry", "geom")
    return Columns({**known, "id": Column("number", "id"), GEOMETRY: shape, "geom": shape}, True)


def column_sql(column: Column) -> sql.Composed:
    """Return the column as SQL. Text is compared by code point, whatever the database's locale."""
    name = sql.SQL("{}").format(sql.Identifier(column.name))
    return sql.SQL('{} COLLATE "C"').format(name) if column.kind == "text" else name
