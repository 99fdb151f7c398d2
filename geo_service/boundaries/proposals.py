"""A division of blocks as operations on a coverage, each of which passes its gate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from geo_service.boundaries.blocks import Blocks
from geo_service.boundaries.lattice import Edge, Ints, Shape, drawn, edges
from geo_service.boundaries.operations import Line, Operation, Split, Transfer
from geo_service.boundaries.refusal import Refused
from geo_service.boundaries.topology import Coverage


@dataclass(frozen=True, eq=False)
class Drawn:
    """Operations, the grids that they re-divide, and all that is not as it was afterwards.

    ``after`` holds neighbours as well whose edge was given a vertex.

    ``border`` are the metres of new boundary, of which ``natural`` run along roads or round public
    places; ``moved`` are the households that change hands.
    """

    operations: tuple[Operation, ...]
    codes: tuple[str, ...]
    after: Mapping[str, Shape]
    border: float
    natural: float
    moved: float


def split_along(
    coverage: Coverage, code: str, blocks: Blocks, labels: Ints, names: Sequence[str]
) -> Drawn | None:
    """Return the splits that divide a grid by the labels of its blocks, or None.

    One part after another is cut off along one line. None where a border is no single line, or the
    gate refuses it.
    """
    work = local(coverage, [code])
    left = sorted(set(labels.tolist()))
    operations: list[Operation] = []
    whole = code
    for name in names:
        for part in left:
            line = _line(blocks, labels, part, [other for other in left if other != part])
            if line is None:
                continue
            places = _places(coverage, line)
            operation = Split(whole, places, (whole, name))
            try:
                operation.do(work)
            except Refused:
                continue
            operations.append(operation)
            left.remove(part)
            break
        else:
            return None
        # The larger part kept the code: the rest is the one that holds its first block.
        rest = blocks.shape(np.flatnonzero(np.isin(labels, left)))
        point = coverage.frame.place(tuple(shapely.point_on_surface(rest).coords[0]))
        whole = next(c for c in (whole, name) if work[c].intersects(shapely.Point(point)))
    parted = labels[blocks.pairs[:, 0]] != labels[blocks.pairs[:, 1]]
    border, natural = blocks.border[parted].sum(), blocks.natural[parted].sum()
    return Drawn(
        tuple(operations),
        (code, *names),
        _changed(coverage, work),
        float(border),
        float(natural),
        0.0,
    )


def transferred(coverage: Coverage, blocks: Blocks, labels: Ints) -> Drawn | None:
    """Return the transfers that give blocks to the grids of their labels, or None.

    They are put in an order in which no grid falls apart in between. None where there is none.
    """
    work = local(coverage, blocks.codes)
    goal = labels[blocks.block]
    waiting: list[tuple[str, str, Shape]] = []
    for giver, one in enumerate(blocks.codes):
        for taker, two in enumerate(blocks.codes):
            moved = (blocks.grid == giver) & (goal == taker) & (giver != taker)
            if moved.any():
                waiting.append((one, two, shapely.coverage_union_all(blocks.faces[moved])))
    operations: list[Operation] = []
    while waiting:
        refused: list[tuple[str, str, Shape]] = []
        for one, two, area in waiting:
            operation = Transfer(_lattice(coverage, area), (one,), two)
            try:
                operation.do(work)
                operations.append(operation)
            except Refused:
                refused.append((one, two, area))
        if len(refused) == len(waiting):
            # Nothing goes as a whole: piece by piece, some may wait for others.
            pieces = [(one, two, part) for one, two, area in refused
                      for part in shapely.get_parts(area)]  # fmt: skip
            if len(pieces) == len(refused):
                return None
            refused = pieces
        waiting = refused
    touched = {code for each in operations if isinstance(each, Transfer)
               for code in (*each.from_codes, each.to_code)}  # fmt: skip
    one, two = blocks.pairs.T
    parted = (labels[one] != labels[two]) & (blocks.owner[one] == blocks.owner[two])
    moving = float(blocks.households[labels != blocks.owner].sum())
    border, natural = blocks.border[parted].sum(), blocks.natural[parted].sum()
    return Drawn(
        tuple(operations),
        tuple(sorted(touched)),
        _changed(coverage, work),
        float(border),
        float(natural),
        moving,
    )


def _changed(coverage: Coverage, work: Coverage) -> dict[str, Shape]:
    return {
        code: work[code]
        for code in work
        if code not in coverage or not shapely.equals_identical(work[code], coverage[code])
    }


def local(coverage: Coverage, codes: Sequence[str]) -> Coverage:
    """Return some grids and all around them as a coverage of their own, to try things out on."""
    near = set(codes)
    for code in codes:
        west, south, east, north = coverage.plan(code).bounds
        near |= coverage.near((west - 2, south - 2, east + 2, north + 2))
    return Coverage({code: coverage[code] for code in sorted(near)})


def _line(blocks: Blocks, labels: Ints, part: int, rest: Sequence[int]) -> Shape | None:
    """Return the border between a part and the rest as one plan line, or None if it is not one."""
    sides: list[set[Edge]] = []
    for members in (labels == part, np.isin(labels, rest)):
        shape = blocks.shape(np.flatnonzero(members))
        if shape.geom_type != "Polygon":
            return None
        tail, head, _ = edges(shape)
        sides.append(set(zip(tail.tolist(), head.tolist(), strict=True)))
    shared = {edge for edge in sides[0] if edge[::-1] in sides[1]}
    if not shared:
        return None
    line = shapely.line_merge(drawn(sorted(shared)))
    return line if line.geom_type == "LineString" and not line.is_closed else None


def _places(coverage: Coverage, line: Shape) -> Line:
    lonlat = coverage.frame.lonlat(line)
    return tuple((float(x), float(y)) for x, y in shapely.get_coordinates(lonlat))


def _lattice(coverage: Coverage, area: Shape) -> Shape:
    return shapely.normalize(coverage.frame.lonlat(area))
