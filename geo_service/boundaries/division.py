"""What is divided and what a good division is: a graph of blocks, an aim, an objective."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from geo_service.boundaries.lattice import Floats, Ints


@dataclass(frozen=True, eq=False)
class Graph:
    """n nodes with a weight each, and m pairs of neighbours with the cost of parting them."""

    weight: Floats
    pairs: Ints
    cost: Floats

    def connected(self, members: Ints) -> list[Ints]:
        """Return the connected pieces of some nodes, the heaviest first."""
        chosen = np.zeros(len(self.weight), dtype=bool)
        chosen[members] = True
        inner = self.pairs[chosen[self.pairs].all(axis=1)]
        size = len(self.weight)
        graph = sparse.coo_array((np.ones(len(inner)), (inner[:, 0], inner[:, 1])), (size, size))
        _, piece = connected_components(graph, directed=False)
        pieces = [members[piece[members] == k] for k in np.unique(piece[members])]
        return sorted(pieces, key=lambda own: (-float(self.weight[own].sum()), -len(own)))


@dataclass(frozen=True, eq=False)
class Aim:
    """What is a good division into k parts; the objective is the sum of all terms.

    ``targets`` (k) are the weights aimed at. ``even`` is what a deviation by the whole weight
    costs, ``border`` what parting all pairs would, ``limits`` (low, high; k each) with
    ``beyond`` what it costs to leave them by the whole weight, ``moving`` what it costs to move
    the whole weight away from ``now``, the part of each node today. ``roots`` are nodes that stay
    in their part. ``unlike`` are divisions found before: a new one parts at most ``share`` of the
    border that one of them parts (or, with ``roots``, has ``share`` of the weight elsewhere).
    """

    targets: Floats
    even: float = 10.0
    border: float = 1.0
    limits: tuple[Ints | Floats, Ints | Floats] | None = None
    beyond: float = 0.0
    now: Ints | None = None
    moving: float = 0.0
    roots: Sequence[int] = ()
    unlike: Sequence[Ints] = field(default_factory=tuple)
    share: float = 0.7

    @property
    def parts(self) -> int:
        """How many parts."""
        return len(self.targets)


@dataclass(frozen=True, eq=False)
class Division:
    """The part of each node, its objective, and how far below the best one can be (0 to 1)."""

    labels: Ints
    objective: float
    gap: float


def objective(graph: Graph, aim: Aim, labels: Ints) -> float:
    """Return the objective of a division into parts that each have a node.

    >>> line = Graph(np.array([1.0, 1, 2]), np.array([[0, 1], [1, 2]]), np.array([1.0, 1]))
    >>> aim = Aim(np.array([2.0, 2.0]), even=10, border=1)
    >>> objective(line, aim, np.array([0, 0, 1])), objective(line, aim, np.array([0, 1, 1]))
    (0.5, 5.5)
    """
    whole = max(float(graph.weight.sum()), 1e-9)
    weight = np.bincount(labels, graph.weight, minlength=aim.parts)
    value = aim.even * float(np.abs(weight - aim.targets).sum()) / whole
    parted = labels[graph.pairs[:, 0]] != labels[graph.pairs[:, 1]]
    value += aim.border * float(graph.cost[parted].sum()) / max(float(graph.cost.sum()), 1e-9)
    if aim.limits is not None:
        low, high = aim.limits
        out = np.maximum(low - weight, 0) + np.maximum(weight - high, 0)
        value += aim.beyond * float(out.sum()) / whole
    if aim.now is not None:
        value += aim.moving * float(graph.weight[labels != aim.now].sum()) / whole
    return value
