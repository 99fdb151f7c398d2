"""Lines over grids: noded, cut into faces, and the faces given to grids.

Each function draws into a sketch and returns what it changes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from geo_service.analysis.sentence import Sentence
from geo_service.boundaries import outline
from geo_service.boundaries.faces import Faces
from geo_service.boundaries.lattice import Shape
from geo_service.boundaries.pieces import (
    Drawn,
    edge_beside,
    fresh,
    grids_met,
    loose_end,
    pieces_of,
    place_in,
    relabel,
    uncut,
)
from geo_service.boundaries.refusal import Refused, listed
from geo_service.boundaries.sketch import REACH, Sketch


def reshape(sketch: Sketch, line: Shape) -> Drawn:
    """Let the edge between two grids follow a line."""
    frame = sketch.ground.frame
    met = grids_met(sketch, line)
    if not met:
        raise Refused(
            Sentence("这条线没有穿过任何网格。", "This line does not run through any grid."),
            frame.place(shapely.get_coordinates(line)[0]),
        )
    faces = sketch.node(met, line)
    thin = set(faces.thin())
    cut = {}
    for code in met:
        pieces = pieces_of(sketch, faces, code, thin)
        if len(pieces) > 1:
            cut[code] = pieces
    if sketch.outer:
        gained = outline.bays(sketch, faces, met, thin)
        ends = gained or outline.ends_outside(sketch, met, line)
        left = outline.lost(sketch, faces, cut) if ends else []
        if gained or left:
            return outline.follow(sketch, faces, gained, left)
    if not cut:
        raise Refused(
            Sentence(
                "这条线的两端没有都到达同一条边界。",
                "This line does not begin and end on the edge between two grids.",
            ),
            loose_end(sketch, met, line),
        )
    if len(cut) > 2:
        third = min(cut.values(), key=lambda pieces: shapely.area(faces.shapes[pieces]).sum())
        zh, en = listed(sorted(cut))
        raise Refused(
            Sentence(
                f"这条线切过了网格 {zh}，一次只能改两个网格之间的边界。",
                f"This line cuts grids {en}: reshape the edge between two at a time.",
            ),
            place_in(frame, faces.shapes[third[0]]),
        )
    if len(cut) == 2:
        one, two = sorted(cut)
    else:
        ((one, pieces),) = cut.items()
        two = _other_side(sketch, faces, line, one, pieces)
    return _exchange(sketch, faces, cut, one, two)


def _exchange(sketch: Sketch, faces: Faces, cut: dict[str, list[int]], one: str, two: str) -> Drawn:
    # A piece changes hands where it lies along the old edge; the largest stays if all of them do.
    given: dict[str, list[int]] = {one: [], two: []}
    for code, other in ((one, two), (two, one)):
        if code not in cut:
            continue
        edge = {(head, tail) for tail, head in sketch.directed(other)}
        along = [i for i in cut[code] if not edge.isdisjoint(faces.sides[i])]
        if not along and len(cut) == 2:
            continue
        if len(along) == len(cut[code]):
            along.remove(max(along, key=lambda i: float(shapely.area(faces.shapes[i]))))
        given[code] = along
    if not given[one] and not given[two]:
        raise Refused(
            Sentence(
                f"网格 {one} 与 {two} 之间没有可改的公共边界。",
                f"There is no edge between grids {one} and {two} for this line to reshape.",
            ),
            place_in(sketch.ground.frame, faces.shapes[cut[one][0]]),
        )
    label: list[str | None] = list(faces.owner)
    for code, other in ((one, two), (two, one)):
        for i in given[code]:
            label[i] = other
    faces.absorb(label)
    noded = [code for code in (one, two) if code in faces.owner]
    relabel(sketch, faces, label, noded, [one, two])
    return [one, two], {}


def _other_side(sketch: Sketch, faces: Faces, line: Shape, code: str, pieces: list[int]) -> str:
    """Return the grid that has the most edge along the pieces but the largest of them.

    Where they lie along none, the largest goes to the grid at which the line begins and ends.
    """
    rest = sorted(pieces, key=lambda i: -float(shapely.area(faces.shapes[i])))
    shared = edge_beside(sketch, [edge for i in rest[1:] for edge in faces.sides[i]], {code})
    if not shared:
        ends = shapely.points(shapely.get_coordinates(line)[[0, -1]])
        shared = {
            other: length
            for other, length in edge_beside(sketch, faces.sides[rest[0]], {code}).items()
            if shapely.dwithin(sketch.shape(other), ends, REACH).all()
        }
    if shared:
        return max(sorted(shared), key=lambda other: shared[other])
    raise Refused(
        Sentence(
            f"网格 {code} 的这一侧没有别的网格，外边界不可改动；若确要改动，请明确选择。",
            f"There is no other grid on this side of grid {code}; the outer boundary stays unless "
            "asked.",
        ),
        place_in(sketch.ground.frame, faces.shapes[rest[-1]]),
    )


def split(sketch: Sketch, code: str, line: Shape, new_codes: Sequence[str]) -> Drawn:
    """Divide a grid along a line."""
    names = [str(name) for name in new_codes]
    frame = sketch.ground.frame
    if len(names) < 2:
        raise Refused(Sentence("切分需要至少两个编码。", "A split needs two codes at least."))
    fresh(sketch, names, [code])
    faces = sketch.node([code], line)
    thin = set(faces.thin())
    pieces = pieces_of(sketch, faces, code, thin)
    if len(pieces) < 2:
        raise uncut(sketch, code, line)
    label: list[Any] = [None] * len(faces.shapes)
    for i in faces.of(code):
        label[i] = i
    faces.absorb(label)
    groups = {i: [j for j in faces.of(code) if label[j] == i] for i in pieces}
    loose = [i for i in faces.of(code) if label[i] not in groups]
    for i in loose:
        # Parts of a grid in several parts which the line does not cut stay with the nearest piece.
        away = [float(shapely.distance(faces.shapes[i], faces.shapes[j])) for j in pieces]
        groups[pieces[int(np.argmin(away))]].append(i)
    if len(pieces) != len(names):
        small = min(pieces, key=lambda i: float(shapely.area(faces.shapes[i])))
        raise Refused(
            Sentence(
                f"这条线把网格 {code} 切成 {len(pieces)} 块，而编码有 {len(names)} 个；"
                "请让线只穿过网格一次。",
                f"This line cuts grid {code} into {len(pieces)} parts, and there are {len(names)} "
                "codes: let it cross the grid once.",
            ),
            place_in(frame, faces.shapes[small]),
        )
    made = [sketch.unite(faces.shapes[members]) for members in groups.values()]
    centres = shapely.get_coordinates(shapely.centroid(made))
    order = sorted(range(len(made)), key=lambda i: (centres[i, 0], -centres[i, 1]))
    if code in names:
        largest = max(order, key=lambda i: float(made[i].area))
        order.remove(largest)
        order.insert(names.index(code), largest)
    parts = max(1, len(shapely.get_parts(sketch.shape(code))))
    sketch.put(code, None)
    for name, i in zip(names, order, strict=True):
        sketch.put(name, made[i])
    return names, dict.fromkeys(names, parts)


def merge(sketch: Sketch, codes: Sequence[str], into: str) -> Drawn:
    """Make one grid of several."""
    names = sorted(set(codes))
    if len(names) < 2:
        raise Refused(Sentence("合并需要至少两个网格。", "A merge needs two grids at least."))
    fresh(sketch, [into], names)
    shapes = {name: sketch.shape(name) for name in names}
    reached, waiting = [names[0]], set(names[1:])
    for name in reached:
        back = {(head, tail) for tail, head in sketch.directed(name)}
        beside = sorted(o for o in waiting if not back.isdisjoint(sketch.directed(o)))
        reached += beside
        waiting -= set(beside)
    if waiting:
        far = sorted(waiting)
        zh, en = listed(far)
        zh_rest, en_rest = listed(sorted(reached))
        raise Refused(
            Sentence(
                f"网格 {zh} 与 {zh_rest} 没有公共边界，不能合并。",
                f"Grid {en} shares no edge with {en_rest}: they cannot be merged.",
            ),
            place_in(sketch.ground.frame, shapes[far[0]]),
        )
    parts = 1 + sum(len(shapely.get_parts(shape)) - 1 for shape in shapes.values())
    united = sketch.unite(shapes.values())
    for name in names:
        sketch.put(name, None)
    sketch.put(into, united)
    return [into], {into: parts}
