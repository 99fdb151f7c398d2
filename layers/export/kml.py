"""KML: pieces of text, made as the rows come."""

import re
from collections.abc import Iterator
from itertools import starmap
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import shapely

from layers.export.table import Batch, Table, iso

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>\n'
)
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_TYPES = {"integer": "int", "number": "double"}


def kml(table: Table, rows: Iterator[Batch]) -> Iterator[str]:
    """Yield one placemark a line.

    The column ``name`` is the placemark's own name. Where the layer has none, people are shown the
    code; files for programs leave it out, since a name would come back as another column.
    """
    names = [column.name for column in table.columns]
    headers = [column.header for column in table.columns]
    people = headers != names
    named = names.index("name") if "name" in names else 0 if people else None
    apart = named is not None and headers[named].casefold() == "name"
    data = [
        (position, f"<SimpleData name={quoteattr(header)}>")
        for position, header in enumerate(headers)
        if not (apart and position == named)
    ]
    id_ = table.layer.id
    fields = "".join(
        f'<SimpleField type="{_TYPES.get(table.columns[position].kind, "string")}"'
        f" name={quoteattr(table.columns[position].header)}/>"
        for position, _ in data
    )
    yield f'{_HEAD}<Schema name="{id_}" id="{id_}">{fields}</Schema>\n'
    yield f"<Folder><name>{id_}</name>\n"
    for batch in rows:
        lines = []
        for *values, shape in zip(*batch.values, batch.geometry, strict=True):
            texts = [None if value is None else _text(iso(value)) for value in values]
            label = None if named is None else texts[named]
            own = "".join(
                f"{start}{texts[position]}</SimpleData>"
                for position, start in data
                if texts[position] is not None
            )
            lines.append(
                f"<Placemark>{f'<name>{label}</name>' if label else ''}"
                f'<ExtendedData><SchemaData schemaUrl="#{id_}">{own}'
                f"</SchemaData></ExtendedData>{_geometry(shape)}</Placemark>\n"
            )
        yield "".join(lines)
    yield "</Folder></Document></kml>\n"


def _text(value: Any) -> str:
    # A bare carriage return would be read as a line feed; other control characters are no XML.
    return escape(_NO_XML.sub("", str(value)), {"\r": "&#13;"})


def _geometry(shape: Any) -> str:
    if shape is None or shape.is_empty:
        return ""
    if shape.geom_type == "Polygon":
        holes = (
            f"<innerBoundaryIs>{_line(r, 'LinearRing')}</innerBoundaryIs>" for r in shape.interiors
        )
        outer = _line(shape.exterior, "LinearRing")
        return f"<Polygon><outerBoundaryIs>{outer}</outerBoundaryIs>{''.join(holes)}</Polygon>"
    if hasattr(shape, "geoms"):
        return f"<MultiGeometry>{''.join(map(_geometry, shape.geoms))}</MultiGeometry>"
    return _line(shape, shape.geom_type)


def _line(shape: Any, tag: str) -> str:
    pairs = " ".join(starmap("{!r},{!r}".format, shapely.get_coordinates(shape).tolist()))
    return f"<{tag}><coordinates>{pairs}</coordinates></{tag}>"
