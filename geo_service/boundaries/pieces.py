"""What the overlays share: which grids a line meets, the pieces it makes, and whose they become."""

from collections.abc import Iterable, Sequence

import numpy as np
import shapely

from geo_service.analysis.sentence import Sentence
from geo_service.boundaries.faces import Faces, span
from geo_service.boundaries.lattice import Edge, Frame, Shape, inner_point
from geo_service.boundaries.refusal import Place, Refused
from geo_service.boundaries.sketch import REACH, Sketch

MOST_GRIDS = 200
"""A line or a polygon over more grids than this was not meant for them."""

Drawn = tuple[list[str], dict[str, int]]
"""Codes whose areas change, and in how many parts they may lie where that is not as before."""


def relabel(
    sketch: Sketch,
    faces: Faces,
    label: Sequence[str | None],
    codes: Sequence[str],
    takers: Iterable[str] = (),
) -> None:
    """Unite the faces by label; ``takers`` were not noded and keep what they have.

    A face without a label belongs to the outside, as one without an owner did before.
    """
    for i, (owner, name) in enumerate(zip(faces.owner, label, strict=True)):
        if owner is None and name is not None:
            sketch.came += faces.sides[i]
        elif owner is not None and name is None:
            sketch.gone += faces.sides[i]
    for code in codes:
        own = [i for i, name in enumerate(label) if name == code]
        if own != faces.of(code):
            shapes = faces.shapes[own]
            sketch.put(code, sketch.unite(shapes) if own else shapely.Polygon())
    for code in takers:
        if code not in codes:
            new = [i for i, name in enumerate(label) if name == code]
            sketch.put(code, sketch.unite([sketch.shape(code), *faces.shapes[new]]))


def pieces_of(sketch: Sketch, faces: Faces, code: str, thin: set[int]) -> list[int]:
    """Return the faces into which parts of a grid are cut; none where the line cuts nothing."""
    own = [i for i in faces.of(code) if i not in thin]
    if len(own) < 2:
        return own
    parts = shapely.get_parts(sketch.shape(code))
    if len(parts) == 1:
        return own
    points = shapely.point_on_surface(faces.shapes[own])
    at, part = shapely.STRtree(parts).query(points, predicate="intersects")
    of = dict(zip(at.tolist(), part.tolist(), strict=True))
    count: dict[int, int] = {}
    for k in of.values():
        count[k] = count.get(k, 0) + 1
    return [i for k, i in enumerate(own) if count.get(of.get(k, -1), 0) > 1]


def edge_beside(sketch: Sketch, sides: Sequence[Edge], without: set[str]) -> dict[str, float]:
    """Return how much edge each grid has along directed edges, on their other side."""
    shared: dict[str, float] = {}
    ends = np.array([Frame.unpack(end) for edge in sides for end in edge], dtype=np.float64)
    bounds = (*ends.min(axis=0), *ends.max(axis=0))
    back = {(head, tail) for tail, head in sides}
    for code in sketch.near(bounds):
        if code not in without:
            for edge in back & sketch.directed(code):
                shared[code] = shared.get(code, 0.0) + span(*edge)
    return shared


def noded_by(sketch: Sketch, codes: Sequence[str], polygon: Shape) -> Faces:
    """Node grids with the outline of an area."""
    return sketch.node(codes, shapely.boundary(polygon))


def faces_within(faces: Faces, polygon: Shape) -> list[int]:
    """Return the faces that lie within an area."""
    points = shapely.point_on_surface(faces.shapes)
    shapely.prepare(polygon)
    return [int(i) for i in np.flatnonzero(shapely.contains(polygon, points))]


def grids_near(sketch: Sketch, shape: Shape) -> list[str]:
    """Return the grids whose boxes a shape touches; refuse too many."""
    west, south, east, north = shape.bounds
    codes = sketch.near((west - REACH, south - REACH, east + REACH, north + REACH))
    if len(codes) > MOST_GRIDS:
        raise Refused(
            Sentence(
                f"所画范围涉及 {len(codes)} 个网格，一次最多 {MOST_GRIDS} 个。",
                f"This is drawn over {len(codes)} grids: {MOST_GRIDS} are the most at a time.",
            ),
            sketch.ground.frame.place(shapely.get_coordinates(shape)[0]),
        )
    return codes


def grids_met(sketch: Sketch, line: Shape) -> list[str]:
    """Return the grids that a line runs through; where the outline may change, that it touches."""
    codes = grids_near(sketch, line)
    if not codes:
        return []
    shapes = np.array([sketch.shape(code) for code in codes], dtype=object)
    if sketch.outer:
        through = shapely.dwithin(shapes, line, REACH)
    else:
        through = shapely.relate_pattern(line, shapes, "T********")
    return [code for code, runs in zip(codes, through, strict=True) if runs]


def overlaps(shape: Shape, polygon: Shape) -> bool:
    """Tell whether two areas share more than an edge."""
    return bool(shapely.relate_pattern(shape, polygon, "T********"))


def fresh(sketch: Sketch, names: Sequence[str], given_up: Sequence[str]) -> None:
    """Raise unless new codes are words of their own that no remaining grid has."""
    for name in names:
        if not name.strip():
            raise Refused(Sentence("编码不能为空。", "A code cannot be empty."))
        if name in sketch.ground and name not in given_up:
            raise Refused(
                Sentence(f"编码 {name} 已有网格使用。", f"Code {name} belongs to another grid."),
                place_in(sketch.ground.frame, sketch.ground.plan(name)),
            )
    if len(set(names)) != len(names):
        raise Refused(Sentence("新编码有重复。", "A new code is given twice."))


def uncut(sketch: Sketch, code: str, line: Shape) -> Refused:
    """Return the refusal of a line that does not divide a grid."""
    shape = sketch.shape(code)
    if not shapely.relate_pattern(line, shape, "T********"):
        return Refused(
            Sentence(
                f"这条线没有穿过网格 {code}。", f"This line does not run through grid {code}."
            ),
            sketch.ground.frame.place(shapely.get_coordinates(line)[0]),
        )
    return Refused(
        Sentence(
            f"这条线没有把网格 {code} 切开，它在网格内就断了。",
            f"This line ends within grid {code} and does not divide it.",
        ),
        loose_end(sketch, [code], line),
    )


def loose_end(sketch: Sketch, codes: Sequence[str], line: Shape) -> Place:
    """Return the end of a line that stops inside a grid."""
    xy = shapely.get_coordinates(line)
    shapes = np.array([sketch.shape(code) for code in codes], dtype=object)
    for end in (xy[-1], xy[0]):
        if shapely.contains_xy(shapes, *end).any():
            return sketch.ground.frame.place(end)
    return sketch.ground.frame.place(xy[0])


def swallowed(sketch: Sketch, code: str) -> Refused:
    """Return the refusal to leave nothing of a grid."""
    return Refused(
        Sentence(
            f"网格 {code} 会被整个吞掉；若要如此，请用合并。",
            f"Grid {code} would be swallowed whole; if that is meant, merge it.",
        ),
        place_in(sketch.ground.frame, sketch.ground.plan(code)),
    )


def place_in(frame: Frame, shape: Shape) -> Place:
    """Return a place inside a shape."""
    return frame.place(inner_point(shape))
