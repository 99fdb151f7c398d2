"""Fewer, larger blocks: what a solver can weigh up in seconds."""

import numpy as np

from geo_service.boundaries.blocks import Blocks, summed
from geo_service.boundaries.division import Graph
from geo_service.boundaries.lattice import Ints

OFF_ROAD = 2.0
"""What a metre of new boundary off the roads costs, beside one along a road."""


def grouped(blocks: Blocks, most: int, largest: float) -> Ints:
    """Return the group of each block: at most ``most`` groups, if ``largest`` allows it.

    The lightest groups are joined to a neighbour of the same grid first; of the neighbours, to one
    that no road parts it from, so that roads stay as places to cut. No group grows beyond
    ``largest`` households unless a block alone does, or all are empty.
    """
    count = len(blocks.owner)
    group = np.arange(count)
    weight = blocks.households.astype(np.float64).copy()
    area = blocks.area.astype(np.float64).copy()
    near: list[dict[int, tuple[float, float]]] = [{} for _ in range(count)]
    rows = zip(blocks.pairs.tolist(), blocks.border.tolist(), blocks.natural.tolist(), strict=True)
    for (i, j), border, natural in rows:
        if blocks.owner[i] == blocks.owner[j]:
            near[i][j] = near[j][i] = (border, natural)
    left = set(range(count))
    while len(left) > most:
        chosen = None
        for i in sorted(left, key=lambda i: (weight[i], area[i])):
            fits = [
                j for j in near[i] if weight[i] + weight[j] <= largest or not weight[i] * weight[j]
            ]
            if fits:
                # Most off-road edge first, then the longest edge, then the lightest neighbour.
                chosen = (
                    i,
                    max(
                        fits,
                        key=lambda j: (near[i][j][0] - near[i][j][1], near[i][j][0], -weight[j]),
                    ),
                )
                break
        if chosen is None:
            break
        i, j = chosen
        weight[j] += weight[i]
        area[j] += area[i]
        group[group == i] = j
        left.discard(i)
        for other, (border, natural) in near[i].items():
            del near[other][i]
            if other != j:
                more = near[j].get(other, (0.0, 0.0))
                near[j][other] = near[other][j] = (more[0] + border, more[1] + natural)
        near[i] = {}
    return np.unique(group, return_inverse=True)[1].astype(np.int64)


def graph_of(blocks: Blocks, group: Ints) -> Graph:
    """Return the graph of groups: households, and the cost of a boundary between two of them."""
    count = int(group.max()) + 1
    one, two = group[blocks.pairs].T
    apart = one != two
    key = np.minimum(one, two)[apart] * count + np.maximum(one, two)[apart]
    pairs, at = np.unique(key, return_inverse=True)
    cost = blocks.natural + OFF_ROAD * (blocks.border - blocks.natural)
    return Graph(
        weight=summed(group, blocks.households, count),
        pairs=np.column_stack([pairs // count, pairs % count]).astype(np.int64),
        cost=summed(at, cost[apart], len(pairs)),
    )


def owners(found: Blocks, group: Ints) -> Ints:
    """Return the grid that holds most households of each group, or most of its area."""
    share = np.zeros((int(group.max()) + 1, len(found.codes)))
    np.add.at(share, (group, found.owner), found.households + found.area * 1e-9)
    owner: Ints = share.argmax(axis=1).astype(np.int64)
    return owner


def hearts(found: Blocks, group: Ints, graph: Graph, owner: Ints, parts: int) -> list[int]:
    """Return for each grid the group of blocks in the middle of its households."""
    area = np.bincount(group, found.area)
    middle = np.column_stack([np.bincount(group, found.middle[:, k] * found.area) / area
                              for k in (0, 1)])  # fmt: skip
    roots = []
    for p in range(parts):
        own = np.flatnonzero(owner == p)
        weight = graph.weight[own] + 1e-6
        heart = weight @ middle[own] / weight.sum()
        held = own[graph.weight[own] > 0]
        near = held if len(held) else own
        roots.append(int(near[np.argmin(np.hypot(*(middle[near] - heart).T))]))
    return roots
