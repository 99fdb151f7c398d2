"""How deep polygons lie on each other: exact areas and lengths under at least 1, 2, k of them.

By Green's theorem, the area under at least k polygons is the sum of x·dy over the pieces of all
outlines that have exactly k - 1 other polygons over them, so no overlay has to be built. Corners
are whole numbers of a 10 µm grid and every sign is exact. Where corners and edges coincide, as
those of two cameras before one wall do, polygon i is taken to be shifted by i·(ε, ε²): all pieces
agree on what lies inside what, and the areas are those without the shift.

Sources: H. Edelsbrunner and E. P. Mücke, "Simulation of simplicity" (1990), for the shift;
W. R. Franklin, "Polygon properties calculated from the vertex neighborhoods" (1987), for areas of
overlays without their topology.
"""

from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geo_service.analysis.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GRID = 1e-5
"""Metres: the grid that corners lie on."""

DEEPEST = 32
"""More polygons than these over one place are counted as so many."""

WIDEST = 10_000.0
"""Metres. Whole-number arithmetic is exact for views up to this extent."""


class Chains(NamedTuple):
    """Outlines or lines: part p has the edges ``first[p]:first[p + 1]``, x1, y1, x2, y2.

    ``start`` is True for the first edge of each ring; ``weight`` is what an edge counts (x·dy of an
    outline, the length of a line); ``rank`` orders the shifts; ``box`` is each part's extent.
    """

    first: Ints
    edge: Ints
    start: NDArray[np.bool_]
    weight: Floats
    rank: Ints
    box: Ints


class Depths(NamedTuple):
    """``amount[p, d]``: the weight of part p's edges with d others over them.

    ``alone`` goes with the pairs (p, q): the weight of p's edges that only q lies over.
    """

    amount: Floats
    alone: Floats


@compiled
def side(ax: int, ay: int, bx: int, by: int, shift: int) -> int:
    """Return the sign of a × b; where it is 0, that with b shifted by ``shift`` · (ε, ε²)."""
    value = ax * by - ay * bx
    if value == 0:
        value = -shift * ay if ay != 0 else shift * ax
    return 1 if value > 0 else -1


@compiled
def winding(x: int, y: int, edge: Ints, low: int, high: int, shift: int) -> int:  # noqa: PLR0917 - compiled
    """Return how often a shifted polygon's edges wind around a point."""
    turns = 0
    for f in range(low, high):
        before = edge[f, 1] > y or (edge[f, 1] == y and shift > 0)
        after = edge[f, 3] > y or (edge[f, 3] == y and shift > 0)
        if before == after:
            continue
        dx, dy = edge[f, 2] - edge[f, 0], edge[f, 3] - edge[f, 1]
        left = side(dx, dy, x - edge[f, 0], y - edge[f, 1], -shift) > 0
        if after and left:
            turns += 1
        elif before and not left:
            turns -= 1
    return turns


@compiled
def crossings(own: Ints, other: Ints, low: int, high: int, shift: int, at: Any) -> int:  # noqa: PLR0917 - compiled
    """Put where edge ``own`` crosses a shifted polygon's edges into ``at``: place, then ±1.

    Returns how many there are; only as many as ``at`` has room for are put.
    """
    ax, ay, bx, by = own[0], own[1], own[2], own[3]
    ex, ey = bx - ax, by - ay
    left, right, lower, upper = min(ax, bx), max(ax, bx), min(ay, by), max(ay, by)
    found = 0
    for f in range(low, high):
        cx, cy, dx, dy = other[f, 0], other[f, 1], other[f, 2], other[f, 3]
        if (cx < left and dx < left) or (cx > right and dx > right):
            continue
        if (cy < lower and dy < lower) or (cy > upper and dy > upper):
            continue
        if side(ex, ey, cx - ax, cy - ay, shift) == side(ex, ey, dx - ax, dy - ay, shift):
            continue
        fx, fy = dx - cx, dy - cy
        starts = side(fx, fy, ax - cx, ay - cy, -shift)
        if starts == side(fx, fy, bx - cx, by - cy, -shift):
            continue
        if found < len(at):
            before = abs(float(fx * (ay - cy) - fy * (ax - cx)))
            after = abs(float(fx * (by - cy) - fy * (bx - cx)))
            at[found, 0] = before / (before + after) if before + after > 0 else 0.5
            at[found, 1] = -starts
        found += 1
    return found


@compiled
def depths_of(  # noqa: PLR0912, PLR0915, PLR0917 - compiled
    low: int, high: int, own: Chains, other: Chains, near_first: Ints, near: Ints
) -> tuple[Floats, Floats]:
    """Return ``Depths`` of the parts ``low`` to ``high`` of ``own`` under their near ``other``."""
    amount = np.zeros((high - low, DEEPEST))
    base = near_first[low]
    alone = np.zeros(near_first[high] - base)
    room = 64
    at, whose = np.empty((room, 2)), np.empty(room, np.int64)
    for p in range(low, high):
        begin, end = near_first[p], near_first[p + 1]
        over = np.zeros(end - begin, np.int64)
        depth = 0
        for e in range(own.first[p], own.first[p + 1]):
            edge = own.edge[e]
            if own.start[e]:
                depth = 0
                for k in range(begin, end):
                    q = near[k]
                    shift = 1 if other.rank[q] > own.rank[p] else -1
                    turns = winding(
                        edge[0], edge[1], other.edge, other.first[q], other.first[q + 1], shift
                    )
                    over[k - begin] = turns
                    depth += turns
            left, right = min(edge[0], edge[2]), max(edge[0], edge[2])
            lower, upper = min(edge[1], edge[3]), max(edge[1], edge[3])
            count = 0
            for k in range(begin, end):
                q = near[k]
                box = other.box[q]
                if box[0] > right or box[2] < left or box[1] > upper or box[3] < lower:
                    continue
                shift = 1 if other.rank[q] > own.rank[p] else -1
                first, last = other.first[q], other.first[q + 1]
                found = crossings(edge, other.edge, first, last, shift, at[count:])
                if count + found > room:
                    room = 2 * (count + found)
                    more, more_whose = np.empty((room, 2)), np.empty(room, np.int64)
                    more[:count], more_whose[:count] = at[:count], whose[:count]
                    at, whose = more, more_whose
                    crossings(edge, other.edge, first, last, shift, at[count:])
                whose[count : count + found] = k - begin
                count += found
            # Few crossings an edge: put in order one by one.
            for i in range(1, count):
                place, turn, who = at[i, 0], at[i, 1], whose[i]
                j = i - 1
                while j >= 0 and at[j, 0] > place:
                    at[j + 1, 0], at[j + 1, 1], whose[j + 1] = at[j, 0], at[j, 1], whose[j]
                    j -= 1
                at[j + 1, 0], at[j + 1, 1], whose[j + 1] = place, turn, who
            done = 0.0
            for i in range(count + 1):
                until = at[i, 0] if i < count else 1.0
                counted = own.weight[e] * (until - done)
                amount[p - low, min(max(depth, 0), DEEPEST - 1)] += counted
                if depth == 1 and counted != 0:
                    for k in range(end - begin):
                        if over[k] == 1:
                            alone[begin - base + k] += counted
                            break
                done = until
                if i < count:
                    turn = int(at[i, 1])
                    depth += turn
                    over[whose[i]] += turn
    return amount, alone


def on_grid(shapes: Any) -> Any:
    """Return shapes with every corner on the 10 µm grid, valid."""
    moved = shapely.transform(shapes, lambda xy: np.rint(xy / GRID) * GRID)
    # Rounding makes hardly any outline cross itself; those that do are noded, which takes longer.
    wrong = ~shapely.is_valid(moved)
    if np.ndim(moved) == 0:
        return shapely.set_precision(shapes, GRID) if wrong else moved
    moved[wrong] = shapely.set_precision(np.asarray(shapes, dtype=object)[wrong], GRID)
    return moved


def middle(shapes: Any) -> Floats:
    """Return the middle of the extent of shapes; (0, 0) where there is nothing.

    >>> middle([shapely.box(0, 0, 4, 2), shapely.Polygon()]).tolist()
    [2.0, 1.0]
    """
    bounds = shapely.bounds(shapes).reshape(-1, 4)
    held = bounds[~np.isnan(bounds).any(axis=1)]
    if not len(held):
        return np.zeros(2)
    centre: Floats = (held[:, :2].min(axis=0) + held[:, 2:].max(axis=0)) / 2
    return centre


def chains(shapes: Any, ranks: Any, origin: Floats) -> Chains:
    """Return polygons' outlines, or lines, as chains about ``origin``.

    ``shapes`` is an array of polygons, or of lines; ``ranks`` one whole number each.
    """
    areal = shapely.get_dimensions(shapes) == 2
    turned = shapely.orient_polygons(shapes)
    parts, of_part = shapely.get_parts(turned, return_index=True)
    solid = shapely.get_type_id(parts) == 3
    flat = shapely.get_type_id(parts) == 1
    rings, of_ring = shapely.get_rings(parts[solid], return_index=True)
    pieces = np.concatenate((rings, parts[flat]))
    owner = np.concatenate((of_part[solid][of_ring], of_part[flat]))
    order = np.argsort(owner, kind="stable")
    xy, of_piece = shapely.get_coordinates(pieces[order], return_index=True)
    # The origin is moved to the grid as well, or corners on it would be rounded once more.
    origin = np.rint(origin / GRID) * GRID
    whole = np.rint((xy - origin) / GRID).astype(np.int64)
    joined = (of_piece[1:] == of_piece[:-1]) & (whole[1:] != whole[:-1]).any(axis=1)
    edge = np.column_stack((whole[:-1], whole[1:]))[joined] if len(xy) else np.zeros((0, 4), int)
    ring = of_piece[:-1][joined] if len(xy) else np.zeros(0, np.int64)
    part = owner[order][ring]
    metres = edge * GRID
    weight = np.where(
        areal[part],
        (metres[:, 0] * metres[:, 3] - metres[:, 1] * metres[:, 2]) / 2,
        np.hypot(metres[:, 2] - metres[:, 0], metres[:, 3] - metres[:, 1]),
    )
    n = len(shapes)
    bounds = shapely.bounds(shapes)
    middle = np.where(np.isnan(bounds), 0.0, (bounds - np.tile(origin, 2)) / GRID)
    box = np.column_stack((np.floor(middle[:, :2]) - 1, np.ceil(middle[:, 2:]) + 1))
    return Chains(
        np.searchsorted(part, np.arange(n + 1)).astype(np.int64),
        np.ascontiguousarray(edge, dtype=np.int64),
        np.diff(ring, prepend=-1) != 0,
        np.ascontiguousarray(weight),
        np.asarray(ranks, dtype=np.int64),
        np.ascontiguousarray(box, dtype=np.int64),
    )


def at_least(amount: Floats) -> Floats:
    """Return areas under at least 1, 2, … parts, in m², without the zeros at the end.

    From the rows of :class:`Depths`.``amount`` of outlines.
    """
    total = np.asarray(amount).sum(axis=0)
    held = np.flatnonzero(np.abs(total) > 1e-9)
    return total[: held[-1] + 1] if held.size else np.zeros(0)


def overlap_areas(polygons: Any) -> Floats:
    """Return the areas under at least 1, 2, … k of some polygons, in their units squared.

    Corners are moved to the 10 µm grid. The areas sum to the sum of the polygons' areas. Raises
    ValueError for polygons wider than 10 km.

    >>> overlap_areas([shapely.box(0, 0, 2, 2), shapely.box(1, 1, 3, 3)]).round(9).tolist()
    [7.0, 1.0]
    """
    shapes = np.array(polygons, dtype=object).reshape(-1)
    if not len(shapes):
        return np.zeros(0)
    bounds = shapely.bounds(shapes)
    if (bounds[:, 2:] - bounds[:, :2] > WIDEST).any():
        raise ValueError(f"Views wider than {WIDEST / 1000:g} km cannot be laid on each other.")
    made = chains(shapes, np.arange(len(shapes)), middle(shapes))
    return at_least(depths(made, made, pairs(shapes)).amount)


def pairs(shapes: Any, zones: Any = None) -> tuple[Ints, Ints]:
    """Return for each shape which others (of its zone) have an extent that touches its own."""
    tree = shapely.STRtree(shapes)
    one, two = tree.query(shapely.envelope(shapes))
    wanted = one != two
    if zones is not None:
        wanted &= zones[one] == zones[two]
    one, two = one[wanted], two[wanted]
    order = np.lexsort((two, one))
    first = np.searchsorted(one[order], np.arange(len(shapes) + 1))
    return first.astype(np.int64), two[order].astype(np.int64)


def depths(own: Chains, other: Chains, near: tuple[Ints, Ints]) -> Depths:
    """Return how deep every part of ``own`` lies under the parts of ``other`` near it."""
    n = len(own.first) - 1
    if not n:
        return Depths(np.zeros((0, DEEPEST)), np.zeros(0))
    return Depths(*depths_of(0, n, own, other, *near))
