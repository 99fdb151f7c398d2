"""Where no camera sees: the parts of an area as polygons, those that hold most first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geo_service.analysis.ground import Points


@dataclass(frozen=True, eq=False)
class BlindSpot:
    """A piece of ground that is not seen, and what it holds.

    Square metres, weight of the points by kind, metres of the lines, the number of places, and the
    ``score`` it is ranked by.
    """

    shape: Any
    area: float
    points: dict[str, float]
    line: float
    places: int
    score: float


def blind_spots(
    area: Any,
    seen: Any,
    *,
    points: Mapping[str, Points] | None = None,
    lines: Any = (),
    places: Any = (),
    buildings: Any = None,
    weights: Mapping[str, float] | None = None,
    least: float = 10.0,
    split: Any = None,
) -> list[BlindSpot]:
    """Return what of ``area`` is not in ``seen``, piece by piece, the highest score first.

    ``buildings`` are taken out: nobody stands in them. ``split`` are polygons, such as grids, that
    pieces are cut by, for one unseen piece is often as large as the town. Pieces smaller than
    ``least`` m² are left out. The score of a piece is the weight of its points + its places + a
    hundredth of its metres of line, each times its entry in ``weights`` (names of ``points``,
    "places", "line"; 1 unless given).

    Raises ValueError for an area that is no valid polygon.

    >>> events = Points.read([(2, 5), (8, 5), (9, 5)])
    >>> spots = blind_spots(shapely.box(0, 0, 10, 10), shapely.box(4, 0, 6, 10),
    ...                     points={"events": events})
    >>> [(spot.area, spot.points["events"], spot.score) for spot in spots]
    [(40.0, 2.0, 2.0), (40.0, 1.0, 1.0)]
    """
    if shapely.get_dimensions(area) != 2 or not area.is_valid:
        raise ValueError("The area must be a valid polygon.")
    whole = np.array([area], dtype=object)
    parts = whole if split is None else _split(whole, np.array(split, dtype=object).reshape(-1))
    hidden = [shapely.get_parts(seen)]
    if buildings is not None and len(buildings):
        hidden.append(np.asarray(buildings, dtype=object))
    pieces = shapely.get_parts(_without(parts, np.concatenate(hidden)))
    pieces = pieces[(shapely.get_dimensions(pieces) == 2) & (shapely.area(pieces) >= least)]
    rate = dict(weights or {})
    tree = shapely.STRtree(pieces)
    by_name = {}
    score = np.zeros(len(pieces))
    for name, held in (points or {}).items():
        point, piece = tree.query(shapely.points(held.xy), "intersects")
        # A point on a cut belongs to the first piece, once.
        point, at = np.unique(point, return_index=True)
        by_name[name] = np.bincount(piece[at], held.weight[point], minlength=len(pieces))
        score += rate.get(name, 1.0) * by_name[name]
    length = np.zeros(len(pieces))
    roads = np.array(lines, dtype=object).reshape(-1)
    road, piece = tree.query(roads, "intersects")
    inside = shapely.length(shapely.intersection(roads[road], pieces[piece]))
    np.add.at(length, piece, inside)
    count = np.zeros(len(pieces), np.int64)
    np.add.at(count, tree.query(np.array(places, dtype=object).reshape(-1), "intersects")[1], 1)
    score += rate.get("places", 1.0) * count + rate.get("line", 1.0) * length / 100
    size = shapely.area(pieces)
    return [
        BlindSpot(
            pieces[k],
            float(size[k]),
            {name: float(held[k]) for name, held in by_name.items()},
            float(length[k]),
            int(count[k]),
            float(score[k]),
        )
        for k in np.lexsort((-size, -score))
    ]


def _without(parts: Any, hidden: Any) -> Any:
    """Return parts of an area without what lies over them; each only with what is near it."""
    part, over = shapely.STRtree(hidden).query(parts, "intersects")
    order = np.argsort(part, kind="stable")
    part, over = part[order], over[order]
    first = np.searchsorted(part, np.arange(len(parts) + 1))
    near = [shapely.union_all(hidden[over[first[k] : first[k + 1]]]) for k in range(len(parts))]
    left: Any = shapely.difference(parts, near)
    return left


def _split(pieces: Any, zones: Any) -> Any:
    """Return pieces cut by zones; what lies in none of them stays whole."""
    tree = shapely.STRtree(zones)
    piece, zone = tree.query(pieces, "intersects")
    cut = shapely.get_parts(shapely.intersection(pieces[piece], zones[zone]))
    rest = shapely.get_parts(shapely.difference(pieces, shapely.union_all(zones)))
    return np.concatenate((cut, rest))
