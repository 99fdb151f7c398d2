"""The first primitive: a vertex, wherever it is shared.

Each function draws into a sketch and returns the codes whose areas it changes.
"""

from collections.abc import Callable

import numpy as np
import shapely

from geo_service.analysis.sentence import Sentence
from geo_service.boundaries.lattice import Edge, Floats, Frame, Shape, packed, rebuilt, unpacked
from geo_service.boundaries.refusal import Place, Refused
from geo_service.boundaries.sketch import REACH, Sketch


def move(sketch: Sketch, old: Place, new: Place) -> tuple[list[str]]:
    """Move a vertex in every grid that has it."""
    start, end = _key(sketch, old), _key(sketch, new)
    star = _star(sketch, start, old)
    if start == end:
        raise Refused(Sentence("顶点没有移动。", "The vertex was not moved."), old)
    rim = _rim(star)
    _fixed(sketch, rim, old)
    if sketch.star(end):
        raise Refused(
            Sentence("此处已有一个顶点，两个顶点不能重合。", "There is a vertex here already."),
            new,
        )

    def edit(ring: Floats) -> Floats:
        keys = packed(ring)
        if not (keys == start).any():
            return ring
        return unpacked(np.where(keys == start, end, keys)).astype(np.float64)

    for code in star:
        sketch.put(code, rebuilt(sketch.shape(code), edit))
    sketch.gone += rim
    sketch.came += [(end if a == start else a, end if b == start else b) for a, b in rim]
    return (sorted(star),)


def insert(sketch: Sketch, place: Place) -> tuple[list[str]]:
    """Insert a vertex into the edge that runs past a place."""
    _key(sketch, place)
    x, y = sketch.ground.frame.vertex(place)
    found: list[tuple[float, Edge]] = []
    point = shapely.Point(x, y)
    for code in sketch.near((x - REACH, y - REACH, x + REACH, y + REACH)):
        own = np.array(sorted(sketch.directed(code)), dtype=np.int64)
        ends = np.stack([unpacked(own[:, 0]), unpacked(own[:, 1])], axis=1).astype(np.float64)
        away = shapely.distance(shapely.linestrings(ends), point)
        nearest = int(np.argmin(away))
        found.append((float(away[nearest]), (int(own[nearest, 0]), int(own[nearest, 1]))))
    away_, edge = min(found, default=(np.inf, (0, 0)))
    if away_ > REACH:
        raise Refused(
            Sentence("此处没有边界，无法插点。", "No boundary runs here to take a vertex."), place
        )
    a, b = (np.array(Frame.unpack(end), dtype=np.float64) for end in edge)
    share = float(np.clip((np.array([x, y]) - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1))
    u, v = np.rint(a + share * (b - a)).astype(np.int64)
    key = Frame.pack((int(u), int(v)))
    if key in edge or sketch.star(key):
        raise Refused(Sentence("此处已有一个顶点。", "There is a vertex here already."), place)
    sketch.insert({edge: [key]})
    return ([],)


def remove(sketch: Sketch, place: Place) -> tuple[list[str]]:
    """Take a vertex out of every grid that has it."""
    key = _key(sketch, place)
    star = _star(sketch, key, place)
    sides = {frozenset(edge) for own in star.values() for edge in own}
    if len(sides) != 2:
        raise Refused(
            Sentence(
                "此处有三条以上的边界相接，不能删除这个顶点。",
                "Three boundaries or more meet here: this vertex cannot be removed.",
            ),
            place,
        )
    (a, b), (c, d) = ((Frame.unpack(end) for end in side) for side in sides)
    straight = (b[0] - a[0]) * (d[1] - c[1]) == (b[1] - a[1]) * (d[0] - c[0])
    rim = _rim(star)
    if rim and not straight:
        _fixed(sketch, rim, place)
    if rim:
        sketch.gone += rim
        (tail,), (head,) = ([e[k] for e in rim if e[1 - k] == key] for k in (0, 1))
        sketch.came.append((tail, head))

    def edit(ring: Floats) -> Floats:
        keys = packed(ring)
        if not (keys == key).any():
            return ring
        kept = keys[:-1][keys[:-1] != key]
        return unpacked(np.r_[kept, kept[:1]]).astype(np.float64)

    for code in star:
        sketch.put(code, _trimmed(sketch.shape(code), edit, place))
    return (sorted(star),)


def _trimmed(shape: Shape, edit: Callable[[Floats], Floats], place: Place) -> Shape:
    try:
        return rebuilt(shape, edit)
    except ValueError:
        raise Refused(
            Sentence(
                "边界至少要有三个顶点，不能再删。",
                "A boundary needs three vertices: no more can be removed here.",
            ),
            place,
        ) from None


def _key(sketch: Sketch, place: Place) -> int:
    frame = sketch.ground.frame
    if not (np.isfinite(place).all() and frame.holds(frame.plan(shapely.Point(place)))):
        raise Refused(
            Sentence("这个位置不在本镇范围内。", "This place is far outside the town."), None
        )
    return frame.pack(frame.vertex(place))


def _star(sketch: Sketch, key: int, place: Place) -> dict[str, list[Edge]]:
    star = sketch.star(key)
    if not star:
        raise Refused(Sentence("此处没有顶点。", "There is no vertex here."), place)
    return star


def _rim(star: dict[str, list[Edge]]) -> list[Edge]:
    """Return the edges of a star that have a grid on one side only."""
    every = {edge for own in star.values() for edge in own}
    return sorted((tail, head) for tail, head in every if (head, tail) not in every)


def _fixed(sketch: Sketch, rim: list[Edge], place: Place) -> None:
    if rim and not sketch.outer:
        raise Refused(
            Sentence(
                "这个顶点在外边界上，外边界不可改动；若确要改动，请明确选择。",
                "This vertex is on the outer boundary, which stays as it is unless asked.",
            ),
            place,
        )
