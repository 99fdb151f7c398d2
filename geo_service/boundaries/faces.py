"""Faces of noded linework, and the grids that they lie in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo_service.boundaries.lattice import Edge, Frame, Ints, Shape, edges, width

THIN = 20.0
"""Faces narrower than this many lattice steps (about 2 cm) come from drawing along an edge."""


@dataclass
class Faces:
    """Faces of noded linework: plan polygons, and the code of the grid that each lies in.

    ``owner`` is None outside the noded grids. ``sides`` holds the directed edges of each face,
    ``beside`` the face on the left of a directed edge.
    """

    shapes: NDArray[Any]
    owner: list[str | None]
    sides: list[list[Edge]]
    beside: dict[Edge, int]

    def of(self, code: str) -> list[int]:
        """Return the faces that lie in a grid."""
        return [i for i, owner in enumerate(self.owner) if owner == code]

    def thin(self) -> list[int]:
        """Return the narrow faces, the smallest first."""
        narrow = np.flatnonzero(width(self.shapes) < THIN)
        return [int(i) for i in narrow[np.argsort(shapely.area(self.shapes[narrow]))]]

    def absorb(self, label: list[Any]) -> None:
        """Give each narrow face the label of the face of the same grid it shares most edge with."""
        left = self.thin()
        while left:
            waiting = []
            for i in left:
                shared: dict[int, float] = {}
                for tail, head in self.sides[i]:
                    other = self.beside.get((head, tail))
                    if other is not None and self.owner[other] == self.owner[i]:
                        shared[other] = shared.get(other, 0.0) + span(tail, head)
                shared = {other: much for other, much in shared.items() if other not in left}
                if shared:
                    label[i] = label[max(sorted(shared), key=lambda other: shared[other])]
                else:
                    waiting.append(i)
            if len(waiting) == len(left):
                return
            left = waiting


def span(tail: int, head: int) -> float:
    """Return the length of an edge in steps."""
    (a, b), (c, d) = Frame.unpack(tail), Frame.unpack(head)
    return float(np.hypot(c - a, d - b))


def faces_of(
    noded: Shape, codes: Sequence[str], known: tuple[Ints, Ints, Ints], grids: NDArray[Any]
) -> Faces:
    """Return the faces of noded plan lines; ``known`` are the directed edges of the grids."""
    shapes = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    tail, head, face = edges(shapes)
    sides: list[list[Edge]] = [[] for _ in shapes]
    pairs = list(zip(tail.tolist(), head.tolist(), strict=True))
    for pair, i in zip(pairs, face.tolist(), strict=True):
        sides[i].append(pair)
    beside = dict(zip(pairs, face.tolist(), strict=True))
    # An edge of a grid tells exactly in which grid the face on its left lies, thin as it may be.
    edge_of = dict(zip(zip(known[0].tolist(), known[1].tolist(), strict=True), known[2].tolist(),
                       strict=True))  # fmt: skip
    owner: list[str | None] = [None] * len(shapes)
    unknown = []
    for i, own in enumerate(sides):
        at = next((edge_of[pair] for pair in own if pair in edge_of), None)
        if at is not None:
            owner[i] = codes[at]
        elif not any((h, t) in edge_of for t, h in own):
            unknown.append(i)
    if unknown:
        points = shapely.point_on_surface(shapes[unknown])
        for i, point in zip(unknown, points, strict=True):
            inside = np.flatnonzero(shapely.intersects(grids, point))
            if len(inside):
                owner[i] = codes[int(inside[0])]
    return Faces(shapes, owner, sides, beside)
