"""What is put on record of the grids of a draft: names, and what they count after it."""

from collections.abc import Mapping
from typing import Any

from geo_service.boundaries import answers
from geo_service.boundaries.balance import Ground, balance
from geo_service.boundaries.base import Row
from geo_service.boundaries.lattice import Shape
from geo_service.boundaries.replay import Session

_COUNTED = ("households", "population", "staff")


def counted(
    session: Session, shapes: Mapping[str, Shape | None], ground: Ground
) -> list[dict[str, Any]]:
    """Return the attributes of the grids that are written, with what they count now.

    What the register counted for a grid stays, changed by the households of the buildings that it
    gained and lost; a new grid counts those of its buildings, or nothing where none are known.
    """
    codes = [code for code, shape in shapes.items() if shape is not None]
    after = {row["code"]: row for row in answers.measured(session, ground, codes)["grids"]}
    before = {row["code"]: row for row in balance(session.start, ground, codes)["grids"]}
    made = []
    for code in codes:
        row = on_record(session.rows[code])
        old = session.base.rows.get(code)
        for key in _COUNTED:
            new = after[code][key]
            if old is None:
                row[key] = new or None
            elif (count := getattr(old, key)) is not None:
                row[key] = max(0, count + new - before[code][key])
        made.append(row)
    return made


def on_record(row: Row) -> dict[str, Any]:
    """Return the attributes of a grid, as they are written."""
    return {
        "code": row.code,
        "name": row.name,
        "kind": row.kind,
        "parent": row.parent,
        "households": row.households,
        "population": row.population,
        "staff": row.staff,
        "attributes": dict(row.attributes),
    }
