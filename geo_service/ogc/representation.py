"""How a feature is shown: in which CRS, with which properties, and the ETag of that."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated
from zlib import crc32

from fastapi import Depends, Query, Request
from psycopg import sql

from geo_service.ogc import crs
from geo_service.ogc.crs import Reference
from geo_service.ogc.parameters import Layered
from geo_service.ogc.town import references
from geo_service.problems import Problem


@dataclass(frozen=True, slots=True)
class Shown:
    """How features are to be shown: in which CRS, and which of their properties."""

    reference: Reference
    properties: tuple[str, ...]
    whole: bool = True


async def shown(
    request: Request,
    layer: Layered,
    crs_: Annotated[
        str | None, Query(alias="crs", description="CRS of the coordinates, by URI")
    ] = None,
    properties: Annotated[
        str | None, Query(description="Properties to give, with commas between them; unset: all")
    ] = None,
) -> Shown:
    """Return how features are to be shown; raise Problem 400 for what is not there."""
    reference = crs.WGS84
    if crs_ is not None:
        reference = crs.chosen(crs_, await references(request), "crs")
    names = (*(field.name for field in layer.fields), "attributes")
    if properties is None:
        return Shown(reference, names)
    wanted = [name.strip() for name in properties.split(",") if name.strip()]
    if unknown := [name for name in wanted if name not in names]:
        raise Problem(
            400,
            f"没有字段“{unknown[0][:40]}”，可用：{', '.join(names)}。",
            f"There is no property {unknown[0][:40]!r}; there are: {', '.join(names)}.",
        )
    return Shown(reference, tuple(name for name in names if name in wanted), whole=False)


As = Annotated[Shown, Depends(shown)]


def etag(state: str, how: Shown | None = None) -> str:
    """Return the strong ETag of a feature: its state, and how it is shown.

    The state is the number of the transaction that wrote it. What comes after the dot tells
    representations of one state apart; a condition on writing looks at the state alone.
    """
    whole = how is None or (how.reference.uri == crs.CRS84 and how.whole)
    shown_as = "" if whole else crc32(repr(how).encode())
    return f'"{state}.{shown_as}"'


@lru_cache(maxsize=256)
def feature(how: Shown) -> sql.Composed:
    """Return the SQL of a feature of the table t as GeoJSON text; its names are the catalogue's.

    Put together as text: building JSON of the geometry would parse it again.
    """
    return sql.SQL(_FEATURE).format(
        shape=how.reference.expression(),
        digits=sql.Literal(how.reference.digits),
        properties=_properties(how),
    )


@lru_cache(maxsize=256)
def parts(how: Shown) -> sql.Composed:
    """Return the SQL of the parts of a feature of the table t.

    They are id, shape in WKB, properties as JSON, and the transaction that wrote them.
    """
    return sql.SQL("t.id, st_asbinary({}, 'NDR'), {}, t.xmin").format(
        how.reference.expression(), _properties(how)
    )


def _properties(how: Shown) -> sql.Composed:
    columns = sql.SQL(", ").join(sql.Identifier("t", name) for name in how.properties)
    selected = sql.SQL("SELECT {}").format(columns) if how.properties else sql.SQL("SELECT")
    return sql.SQL("(SELECT row_to_json(_row)::text FROM ({}) AS _row)").format(selected)


_FEATURE = """
'{{"type":"Feature","id":' || t.id
|| ',"geometry":' || coalesce(st_asgeojson({shape}, {digits}, 0), 'null')
|| ',"properties":' || {properties} || '}}'
"""
