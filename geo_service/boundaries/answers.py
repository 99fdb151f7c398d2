"""What the service answers about a draft, as JSON: grids as features, steps with their balance."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import shapely

from geo_service.boundaries.balance import Ground, balance
from geo_service.boundaries.base import Row
from geo_service.boundaries.change import Change
from geo_service.boundaries.replay import Session
from geo_service.database import Principal


def sees(asking: Principal, row: Row | None) -> bool:
    """Tell whether a grid lies in the principal's area."""
    if asking.area == "*":
        return True
    return row is not None and (row.parent.startswith(asking.area) or row.code == asking.area)


def seen(session: Session, codes: Iterable[str], asking: Principal) -> list[str]:
    """Return those of some codes that lie in the principal's area."""
    return [code for code in codes if sees(asking, session.rows.get(code))]


def features(
    session: Session,
    codes: Sequence[str],
    asking: Principal,
    locked: Mapping[str, str | None] | None = None,
) -> str:
    """Return grids of a draft as they are now, as the text of a GeoJSON FeatureCollection.

    Coordinates are those of the lattice of 1e-8 degrees, written in full.
    """
    codes = seen(session, codes, asking)
    shapes = shapely.to_geojson([session.coverage[code] for code in codes])
    found = []
    for code, shape in zip(codes, shapes, strict=True):
        row = session.rows[code]
        properties: dict[str, Any] = {
            "code": code,
            "name": row.name,
            "kind": row.kind,
            "parent": row.parent,
            "households": row.households,
            "population": row.population,
            "staff": row.staff,
            "version": row.version or None,
            "editable": row.own and code not in (locked or {}),
            "changed": code in session.touched,
            "locked": (locked or {}).get(code, False),
        }
        found.append(
            f'{{"type":"Feature","id":{json.dumps(code)},"geometry":{shape},'
            f'"properties":{json.dumps(properties, ensure_ascii=False)}}}'
        )
    return f'{{"type":"FeatureCollection","features":[{",".join(found)}]}}'


def collected(session: Session, codes: Sequence[str], asking: Principal) -> dict[str, Any]:
    """Return what ``features`` does, as an object."""
    found: dict[str, Any] = json.loads(features(session, codes, asking))
    return found


def measured(
    session: Session, ground: Ground, codes: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return the balance of some grids of a draft as it is now, by default of all in its area."""
    wanted = (
        [code for code in session.coverage if session.rows[code].own] if codes is None else codes
    )
    return balance(session.coverage, ground, wanted, session.limits, session.rows)


def step(session: Session, change: Change, asking: Principal, ground: Ground, revision: int) -> str:
    """Return the answer to an operation, an undo or a redo."""
    now, gone = session.current(change.codes)
    rest = {
        "revision": revision,
        "operations": session.operations,
        "removed": seen(session, gone, asking),
        "moved_area": round(change.moved_area, 6),
        "gained_area": round(change.gained_area, 6),
        "lost_area": round(change.lost_area, 6),
        "balance": measured(session, ground, seen(session, now, asking)),
    }
    changed = features(session, now, asking)
    return f'{json.dumps(rest, ensure_ascii=False)[:-1]}, "changed": {changed}}}'
