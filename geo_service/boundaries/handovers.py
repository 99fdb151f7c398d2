"""Areas over grids: what lies within one goes from some grids to another.

Each function draws into a sketch and returns what it changes.
"""

from collections.abc import Sequence

from geo_service.analysis.sentence import Sentence
from geo_service.boundaries.faces import Faces, span
from geo_service.boundaries.lattice import Edge, Shape, width
from geo_service.boundaries.pieces import (
    Drawn,
    faces_within,
    grids_near,
    noded_by,
    overlaps,
    place_in,
    relabel,
    swallowed,
)
from geo_service.boundaries.refusal import Refused
from geo_service.boundaries.sketch import REACH, Sketch


def transfer(sketch: Sketch, polygon: Shape, from_codes: Sequence[str], to_code: str) -> Drawn:
    """Give what lies within a polygon from some grids to another."""
    givers = sorted(set(from_codes))
    frame = sketch.ground.frame
    if not givers or to_code in givers:
        raise Refused(
            Sentence(
                "请选择与接收网格不同的划出网格。",
                "Choose grids to take from, other than the one that receives.",
            )
        )
    givers = [code for code in givers if overlaps(sketch.shape(code), polygon)]
    if not givers:
        raise Refused(
            Sentence(
                "所画的面没有碰到要划出的网格。",
                "The drawn area does not cover any of the grids to take from.",
            ),
            place_in(frame, polygon),
        )
    faces = noded_by(sketch, givers, polygon)
    label: list[str | None] = list(faces.owner)
    for i in faces_within(faces, polygon):
        if faces.owner[i] is not None:
            label[i] = to_code
    faces.absorb(label)
    if to_code not in label:
        raise Refused(
            Sentence(
                "所画的面太窄，没有可划转的部分。",
                "The drawn area is too narrow: nothing would change hands.",
            ),
            place_in(frame, polygon),
        )
    for code in givers:
        if code not in label:
            raise swallowed(sketch, code)
    relabel(sketch, faces, label, givers, [to_code])
    return [*givers, to_code], {}


def redraw(sketch: Sketch, code: str, polygon: Shape) -> Drawn:
    """Give a grid a new shape; its neighbours give and take."""
    around = [
        other
        for other in grids_near(sketch, polygon)
        if other != code and overlaps(sketch.shape(other), polygon)
    ]
    if not overlaps(sketch.shape(code), polygon):
        raise Refused(
            Sentence(
                f"新的边界完全离开了网格 {code} 原来的位置。",
                f"The new shape lies wholly outside grid {code} as it is.",
            ),
            place_in(sketch.ground.frame, polygon),
        )
    codes = [code, *around]
    faces = noded_by(sketch, codes, polygon)
    inside = set(faces_within(faces, polygon))
    label: list[str | None] = list(faces.owner)
    lost = []
    for i, owner in enumerate(faces.owner):
        if i in inside and (owner is not None or sketch.outer):
            label[i] = code
        elif owner == code:
            label[i] = ""
            lost.append(i)
    thin = set(faces.thin())
    for i in thin:
        # A narrow face stays whose it is, unless that would tear it off.
        label[i] = faces.owner[i]
    faces.absorb(label)
    takers = _share_out(sketch, faces, label, code)
    for other in around:
        if other not in label:
            raise swallowed(sketch, other)
    relabel(sketch, faces, label, codes, takers)
    return [*codes, *(taker for taker in takers if taker not in codes)], {}


def _share_out(sketch: Sketch, faces: Faces, label: list[str | None], code: str) -> list[str]:
    """Give each face labelled "" to the grid with the longest edge along it, and return those."""
    outside: dict[Edge, str | None] = {}
    takers: list[str] = []
    # Beside the outline a strip that nobody else can take was meant to lie on it.
    strips = {i for i in range(len(label)) if label[i] == "" and _narrow(faces, i)}
    left = [i for i, name in enumerate(label) if name == ""]
    while left:
        rest = []
        for i in left:
            shared: dict[str | None, float] = {}
            for tail, head in faces.sides[i]:
                at = faces.beside.get((head, tail))
                name = label[at] if at is not None and faces.owner[at] is not None else None
                if name is None:
                    if (tail, head) not in outside:
                        found = sketch.holders(tail, head).get((head, tail))
                        outside[tail, head] = found
                    name = outside[tail, head]
                if name in {"", code} or (name is None and not sketch.outer):
                    continue
                shared[name] = shared.get(name, 0.0) + span(tail, head)
            if shared:
                label[i] = max(sorted(shared, key=str), key=lambda name: shared[name])
                if label[i] is not None:
                    takers.append(str(label[i]))
            elif i in strips and not sketch.outer:
                label[i] = code
            else:
                rest.append(i)
        if len(rest) == len(left):
            raise Refused(
                Sentence(
                    f"网格 {code} 让出的这一块旁边没有别的网格可以接收。",
                    f"No other grid lies beside this piece, which grid {code} leaves.",
                ),
                place_in(sketch.ground.frame, faces.shapes[rest[0]]),
            )
        left = rest
    return sorted(set(takers))


def _narrow(faces: Faces, i: int) -> bool:
    return bool(width(faces.shapes[i : i + 1])[0] < 2 * REACH)
