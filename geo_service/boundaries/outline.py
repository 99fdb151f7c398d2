"""The outer boundary follows a line: what lies outside is one more neighbour, without a code."""

from collections.abc import Mapping, Sequence

import shapely

from geo_service.analysis.sentence import Sentence
from geo_service.boundaries.faces import Faces
from geo_service.boundaries.lattice import Shape
from geo_service.boundaries.pieces import Drawn, place_in, relabel
from geo_service.boundaries.refusal import Refused, listed
from geo_service.boundaries.sketch import REACH, Sketch

Bays = Mapping[int, set[str]]
"""Faces outside all grids, and the grids that each lies beside."""


def bays(sketch: Sketch, faces: Faces, codes: Sequence[str], thin: set[int]) -> Bays:
    """Return the faces outside that a line closes off against some of the noded grids.

    Of a lake that it divides the largest part stays a lake.
    """
    found: dict[int, set[str]] = {}
    for i, owner in enumerate(faces.owner):
        if owner is not None or i in thin:
            continue
        across = [faces.beside.get((head, tail)) for tail, head in faces.sides[i]]
        owners = {None if j is None else faces.owner[j] for j in across}
        # An edge with no grid on either side is the line's.
        if None in owners and len(owners) > 1:
            found[i] = {name for name in owners if name is not None}
    if not found:
        return found
    united = sketch.unite([sketch.shape(code) for code in codes])
    for ring in shapely.get_rings(united):
        lake = shapely.Polygon(ring)
        inside = [i for i in found if lake.contains(shapely.point_on_surface(faces.shapes[i]))]
        if shapely.is_ccw(ring) or not inside:
            continue
        if shapely.area(faces.shapes[inside]).sum() > 0.999 * lake.area:
            del found[max(inside, key=lambda i: float(shapely.area(faces.shapes[i])))]
    return found


def ends_outside(sketch: Sketch, codes: Sequence[str], line: Shape) -> bool:
    """Tell whether a line begins and ends on the outline of some grids, or beyond it."""
    united = sketch.unite([sketch.shape(code) for code in codes])
    xy = shapely.get_coordinates(line)[[0, -1]]
    ends = shapely.points(xy)
    inside = shapely.contains(united, ends)
    return bool((~inside | shapely.dwithin(shapely.boundary(united), ends, REACH)).all())


def lost(sketch: Sketch, faces: Faces, cut: Mapping[str, list[int]]) -> list[int]:
    """Return the pieces along the outline that a line cuts off: the largest of each grid stays."""
    found = []
    for code, pieces in cut.items():
        rim = sketch.rim(code)
        largest = max(pieces, key=lambda i: float(shapely.area(faces.shapes[i])))
        found += [i for i in pieces if i != largest and not rim.isdisjoint(faces.sides[i])]
    return found


def follow(sketch: Sketch, faces: Faces, gained: Bays, left: Sequence[int]) -> Drawn:
    """Give each bay to the grid beside it, and the pieces left to the outside."""
    label: list[str | None] = list(faces.owner)
    for i, beside in gained.items():
        if len(beside) > 1:
            zh, en = listed(sorted(beside))
            raise Refused(
                Sentence(
                    f"线外新增的这一块同时挨着网格 {zh}，不知归谁；"
                    "请让线经过它们在外边界上的交点。",
                    f"What the line takes in lies beside grids {en}: let the line pass through the "
                    "point of the outer boundary where they meet.",
                ),
                place_in(sketch.ground.frame, faces.shapes[i]),
            )
        (label[i],) = beside
    codes = {str(label[i]) for i in gained} | {str(faces.owner[i]) for i in left}
    for i in left:
        label[i] = None
    faces.absorb(label)
    relabel(sketch, faces, label, sorted(codes))
    return sorted(codes), {}
