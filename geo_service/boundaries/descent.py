"""Good divisions quickly: sweeps and local search, where the exact search starts from."""

from collections.abc import Callable, Iterator

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components, dijkstra

from geo_service.boundaries.lattice import Floats, Ints

STEPS = 200
"""Moves of a local search at most."""

MOST_EXCHANGES = 1500
"""Exchanges that are tried where no single move helps."""


def near_of(count: int, pairs: Ints) -> list[list[int]]:
    """Return the neighbours of each of ``count`` nodes."""
    near: list[list[int]] = [[] for _ in range(count)]
    for i, j in pairs.tolist():
        near[i].append(j)
        near[j].append(i)
    return near


def joined(members: list[int], near: list[list[int]]) -> bool:
    """Return whether some nodes hang together.

    >>> joined([0, 2], [[1], [0, 2], [1]]), joined([], [])
    (False, False)
    """
    if not members:
        return False
    left = set(members)
    front = [left.pop()]
    while front and left:
        reached = left.intersection(near[front.pop()])
        left -= reached
        front.extend(reached)
    return not left


def sweeps(weight: Floats, pairs: Ints, targets: Floats) -> Iterator[Ints]:
    """Yield divisions that grow the parts one after another from one node after another.

    Each part takes the nodes nearest to its start (by steps) until it has its target; only
    divisions into parts that hang together are yielded, each once. Then come divisions that leave
    all but single far nodes to one part: there is one of these wherever there is any division.
    """
    count, parts = len(weight), len(targets)
    near = near_of(count, pairs)
    graph = sparse.coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (count, count))
    if not count or connected_components(graph, directed=False)[0] > 1:
        return
    steps = dijkstra(graph, directed=False, unweighted=True)
    seen: set[bytes] = set()
    for start in range(count):
        labels = np.full(count, parts - 1, dtype=np.int64)
        first = start
        for p in range(parts - 1):
            free = np.flatnonzero(labels == parts - 1)
            order = free[np.argsort(steps[first, free], kind="stable")]
            total = np.cumsum(weight[order])
            take = int(np.argmin(np.abs(total - targets[p]))) + 1
            labels[order[:take]] = p
            rest = order[take:]
            if not len(rest):
                break
            first = int(rest[np.argmin(steps[first, rest])])
        if labels.tobytes() not in seen and all(
            joined(np.flatnonzero(labels == p).tolist(), near) for p in range(parts)
        ):
            seen.add(labels.tobytes())
            yield labels
    for start in range(count):
        labels = np.zeros(count, dtype=np.int64)
        far = steps[start].copy()
        for p in range(1, parts):
            # The farthest node is on no way between others: without it they still hang together.
            node = int(np.argmax(far))
            labels[node] = p
            far = np.where(labels > 0, -1.0, np.minimum(far, steps[node]))
        if labels.tobytes() not in seen and all(
            joined(np.flatnonzero(labels == p).tolist(), near) for p in range(parts)
        ):
            seen.add(labels.tobytes())
            yield labels


def descend(
    labels: Ints, pairs: Ints, fixed: set[int], value: Callable[[Ints], float]
) -> tuple[Ints, float]:
    """Move nodes, or exchange two, between parts that touch while ``value`` gets less.

    A node takes along what hangs on it alone. Every part stays in one piece and keeps a node;
    ``fixed`` nodes stay where they are.

    >>> line = np.array([[0, 1], [1, 2], [2, 3]])
    >>> descend(np.array([0, 1, 1, 1]), line, {0}, lambda made: abs(2 - made.sum()))[0].tolist()
    [0, 0, 1, 1]
    """
    made = labels.copy()
    near = near_of(len(labels), pairs)
    best = value(made)
    for _ in range(STEPS):
        moves = _moves(made, pairs, fixed)
        choices = (_carried(made, node, part, near, fixed) for node, part in moves)
        found = _best([each for each in choices if each is not None], best, value)
        if found is None:
            found = _best(list(_exchanged(made, moves, near)), best, value)
        if found is None:
            break
        made, best = found
    return made, best


def _moves(labels: Ints, pairs: Ints, fixed: set[int]) -> list[tuple[int, int]]:
    moves = set()
    for i, j in pairs[labels[pairs[:, 0]] != labels[pairs[:, 1]]].tolist():
        if i not in fixed:
            moves.add((i, int(labels[j])))
        if j not in fixed:
            moves.add((j, int(labels[i])))
    return sorted(moves)


def _carried(
    labels: Ints, node: int, part: int, near: list[list[int]], fixed: set[int]
) -> Ints | None:
    """Return the division after a node has gone to another part with what hangs on it alone.

    None where that would take a fixed node, or all of the part that it leaves.
    """
    own = int(labels[node])
    left = set(np.flatnonzero(labels == own).tolist()) - {node}
    pieces = []
    while left:
        start = left.pop()
        piece, front = {start}, [start]
        while front:
            reached = left.intersection(near[front.pop()])
            left -= reached
            piece |= reached
            front.extend(reached)
        pieces.append(piece)
    if not pieces:
        return None
    home = max(pieces, key=lambda piece: (not fixed.isdisjoint(piece), len(piece)))
    made = labels.copy()
    made[node] = part
    for piece in pieces:
        if piece is not home:
            if not fixed.isdisjoint(piece):
                return None
            made[list(piece)] = part
    return made


def _exchanged(labels: Ints, moves: list[tuple[int, int]], near: list[list[int]]) -> Iterator[Ints]:
    """Yield the divisions after an exchange of two nodes that leaves both parts whole."""
    tried = 0
    for k, (i, p) in enumerate(moves):
        for j, q in moves[k + 1 :]:
            if p == labels[j] and q == labels[i] and (tried := tried + 1) < MOST_EXCHANGES:
                made = labels.copy()
                made[i], made[j] = p, q
                if all(joined(np.flatnonzero(made == part).tolist(), near) for part in (p, q)):
                    yield made


def _best(
    choices: list[Ints], value_now: float, value: Callable[[Ints], float]
) -> tuple[Ints, float] | None:
    """Return the best of some divisions and its value, if it is any better."""
    values = [value(made) for made in choices]
    if not values or min(values) >= value_now - 1e-9:
        return None
    best = int(np.argmin(values))
    return choices[best], values[best]
