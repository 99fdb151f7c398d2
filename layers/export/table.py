"""What goes into a file, whatever its format: named columns, and batches of rows."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from layers.catalogue import Field, Kind, Layer
from layers.export.projection import ExportError, Projection

__all__ = ["Batch", "Column", "ExportError", "Language", "Table", "distinct"]

Language = Literal["codes", "zh", "en"]
Value: TypeAlias = Any

TOWN_TIME = timezone(timedelta(hours=8))
"""Times are written in the one zone of China, as ISO 8601 with its offset."""

_PLACES: Mapping[tuple[Language, bool], tuple[str, str]] = {
    ("codes", True): ("longitude", "latitude"),
    ("codes", False): ("x", "y"),
    ("zh", True): ("经度", "纬度"),
    ("zh", False): ("东坐标", "北坐标"),
    ("en", True): ("Longitude", "Latitude"),
    ("en", False): ("X", "Y"),
}
_WKT: Mapping[Language, str] = {"codes": "wkt", "zh": "几何", "en": "WKT"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the layer, with its header in the file. ``read`` makes what is written."""

    name: str
    header: str
    kind: Kind
    read: Callable[[Value], Value]


@dataclass(frozen=True, slots=True)
class Table:
    """A layer in the words and the coordinates of one export.

    ``place`` are the headers of the coordinates of points, ``wkt`` that of other geometries.
    """

    layer: Layer
    columns: tuple[Column, ...]
    projection: Projection
    place: tuple[str, str]
    wkt: str
    attributes: bool

    @classmethod
    def of(
        cls, layer: Layer, lang: Language, projection: Projection, *, attributes: bool
    ) -> "Table":
        """Name the columns; derived ones are for people and would come back as attributes."""
        fields = [field for field in layer.fields if lang != "codes" or not field.derived]
        titles = [field.name if lang == "codes" else getattr(field.title, lang) for field in fields]
        columns = (
            Column(field.name, header, field.kind, _reader(field, lang))
            for field, header in zip(fields, distinct(titles), strict=True)
        )
        place = _PLACES[lang, projection.geographic]
        return cls(layer, tuple(columns), projection, place, _WKT[lang], attributes)

    @property
    def headers(self) -> dict[str, str]:
        """Column to header."""
        return {column.name: column.header for column in self.columns}


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows. ``values`` has one list per column: text, numbers, dates, times with a zone, None.

    ``geometry`` is in the CRS of the export, rounded; ``attributes`` is empty where not asked for.
    """

    values: Sequence[Sequence[Value]]
    attributes: Sequence[Mapping[str, Any]]
    geometry: NDArray[np.object_]


def distinct(names: Sequence[str], taken: Sequence[str] = ()) -> list[str]:
    """Return names that differ in more than case; databases in files ask for that.

    >>> distinct(["a", "A"])
    ['a', 'A (2)']
    """
    seen = {name.casefold() for name in taken}
    found = []
    for name in names:
        free, number = name, 1
        while free.casefold() in seen:
            number += 1
            free = f"{name} ({number})"
        seen.add(free.casefold())
        found.append(free)
    return found


def iso(value: Value) -> Value:
    """Return dates and times as ISO 8601 text; anything else passes."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def _reader(field: Field, lang: Language) -> Callable[[Value], Value]:
    if field.codes is not None and lang != "codes":
        titles = {code.code: getattr(code, lang) for code in field.codes}
        return lambda value: titles.get(value, value)
    if field.kind == "datetime":
        return _town_time
    if field.kind == "number":
        return _finite
    return lambda value: value


def _town_time(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(TOWN_TIME)


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
