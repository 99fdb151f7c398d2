"""The grids that a draft starts from: those of its area and their neighbours, by version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import shapely
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from geo_service.boundaries.lattice import Shape
from geo_service.boundaries.operations import Merge, Operation, Split
from geo_service.boundaries.refusal import Refused
from geo_service.boundaries.topology import Coverage


@dataclass(frozen=True, slots=True)
class Row:
    """A grid on record. ``own``: it is of the draft's area, and not only beside it."""

    code: str
    name: str
    kind: str
    parent: str
    households: int | None
    population: int | None
    staff: int | None
    version: int
    attributes: Mapping[str, Any]
    shape: Shape
    own: bool


@dataclass(frozen=True, slots=True)
class Base:
    """What a draft starts from: grids by code, in order."""

    area: str
    rows: Mapping[str, Row]

    @property
    def versions(self) -> dict[str, int]:
        """The version of each grid by code."""
        return {code: row.version for code, row in self.rows.items()}

    def coverage(self) -> Coverage:
        """Return the grids as a coverage whose edges fit: vertices stand on both sides.

        Where grids overlap so badly that one would vanish they stay as they are; operations there
        are refused until they are mended.
        """
        made = Coverage({code: row.shape for code, row in self.rows.items()})
        if not shapely.coverage_is_valid(list(made.polygons.values())):
            try:
                made.clean(0.0)
            except Refused:
                return Coverage({code: row.shape for code, row in self.rows.items()})
        return made


_COLUMNS = """
    g.code, g.name, g.kind, g.parent, g.households, g.population, g.staff, g.version,
    g.attributes, st_asbinary(g.geom), starts_with(g.parent, %(area)s)
"""

# Neighbours touch the area: those in its box are asked exactly, in memory.
_CURRENT = f"""
WITH box AS (
    SELECT st_setsrid(st_extent(geom)::geometry, 4326) AS geom
    FROM grids
    WHERE valid_to IS NULL AND starts_with(parent, %(area)s)
)
SELECT {_COLUMNS}
FROM grids AS g
WHERE
    g.valid_to IS NULL
    AND (starts_with(g.parent, %(area)s) OR g.geom && (SELECT geom FROM box))
ORDER BY g.code COLLATE "C"
"""  # noqa: S608 - nothing but the columns above

_VERSIONS = f"""
SELECT {_COLUMNS}
FROM jsonb_each_text((SELECT base FROM drafts WHERE id = %(draft)s)) AS v (code, version)
LEFT JOIN grids AS g ON g.code = v.code AND g.version = v.version::integer
ORDER BY g.code COLLATE "C"
"""  # noqa: S608 - nothing but the columns above


async def current(connection: AsyncConnection[TupleRow], area: str) -> Base:
    """Return the grids in force of an area and those that touch them.

    The connection must see all grids: what lies beside an area is needed for its edges.
    """
    rows = _rows(await (await connection.execute(_CURRENT, {"area": area})).fetchall())
    own = [row.shape for row in rows.values() if row.own]
    beside = [row for row in rows.values() if not row.own]
    if own and beside:
        tree = shapely.STRtree(own)
        touching, _ = tree.query([row.shape for row in beside], predicate="intersects")
        kept = {beside[i].code for i in set(touching.tolist())}
        rows = {code: row for code, row in rows.items() if row.own or code in kept}
    return Base(area, rows)


async def of_draft(connection: AsyncConnection[TupleRow], draft: Any, area: str) -> Base:
    """Return the grids of a draft's base, in the versions that it names.

    Raises LookupError where a version is not on record any more.
    """
    values = {"draft": draft, "area": area}
    rows = await (await connection.execute(_VERSIONS, values)).fetchall()
    if any(row[-2] is None for row in rows):
        raise LookupError("a version of the base is not on record")
    return Base(area, _rows(rows))


def _rows(found: Sequence[tuple[Any, ...]]) -> dict[str, Row]:
    made = {}
    for *columns, wkb, own in found:
        code, name, kind, parent, households, population, staff, version, attributes = columns
        shape = shapely.from_wkb(wkb)
        if shapely.get_num_geometries(shape) == 1:
            shape = shapely.get_geometry(shape, 0)
        made[code] = Row(
            code, name, kind, parent, households, population, staff, version, attributes, shape, own
        )
    return made


def inherit(rows: dict[str, Row], operation: Operation) -> None:
    """Add the grids that an operation makes: parts are named after the whole, with their code.

    A part has the kind and the parent of the grid that was split; a merged grid those of the one
    with most households. What it counts is counted when it is published.
    """
    if isinstance(operation, Split):
        source, made = rows.get(operation.code), operation.new_codes
    elif isinstance(operation, Merge):
        known = [rows[code] for code in operation.codes if code in rows]
        source = max(known, key=lambda row: row.households or 0, default=None)
        made = (operation.into,)
    else:
        return
    if source is None:
        return
    for code in made:
        if code not in rows:
            rows[code] = replace(
                source,
                code=code,
                name=f"{source.name}（{code[-3:]}）"
                if isinstance(operation, Split)
                else source.name,
                households=None,
                population=None,
                staff=None,
                version=0,
                attributes={},
                own=True,
            )
