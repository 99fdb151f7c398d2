"""Contiguous, balanced partition of blocks: random spanning trees, cut where the weight divides.

The idea is the recombination step of DeFord, Duchin and Solomon, "Recombination: a family of Markov
chains for redistricting" (2021), used here once per cut, from the top down.
"""

from dataclasses import dataclass

import numpy as np
import shapely

from layers.town.coordinates import Array, Floats, Ints


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Pairs of blocks that share a side: block numbers, shared length (m), how much it divides.

    ``divide`` runs from 0 (a lane) to 1 (a trunk road, the river).
    """

    first: Ints
    second: Ints
    length: Floats
    divide: Floats


def neighbours(blocks: Array, lines: Array, weights: Floats) -> Neighbours:
    """Find the blocks that share sides, and the weight of the line that runs along each side."""
    coords, owner = shapely.get_coordinates(blocks, return_index=True)
    same = owner[:-1] == owner[1:]
    ends = np.stack([coords[:-1][same], coords[1:][same]], axis=1)
    keys = np.round(ends * 100).astype(np.int64)
    swap = (keys[:, 0, 0] > keys[:, 1, 0]) | (
        (keys[:, 0, 0] == keys[:, 1, 0]) & (keys[:, 0, 1] > keys[:, 1, 1])
    )
    keys[swap] = keys[swap][:, ::-1]
    flat = keys.reshape(len(keys), 4)
    order = np.lexsort(flat.T)
    twin = np.flatnonzero((flat[order][:-1] == flat[order][1:]).all(axis=1))
    one, two = order[twin], order[twin + 1]
    block = owner[:-1][same]
    middle = shapely.points(ends[one].mean(axis=1))
    side, line = shapely.STRtree(lines).query(middle, "dwithin", distance=0.1)
    divide = np.zeros(len(one))
    np.maximum.at(divide, side, weights[line])
    pairs = np.sort(np.column_stack([block[one], block[two]]), axis=1)
    pairs, index = np.unique(pairs, axis=0, return_inverse=True)
    index = index.ravel()
    length = np.bincount(index, np.hypot(*(ends[one, 0] - ends[one, 1]).T)).astype(float)
    top = np.zeros(len(pairs))
    np.maximum.at(top, index, divide)
    return Neighbours(pairs[:, 0], pairs[:, 1], length, top)


@dataclass(frozen=True, slots=True)
class Ground:
    """What is divided: blocks, what each weighs, and which lie side by side."""

    blocks: Array
    weight: Floats
    near: Neighbours


def partition(ground: Ground, members: Ints, parts: int, rng: np.random.Generator) -> list[Ints]:
    """Split ``members`` into ``parts`` sets of blocks, each contiguous and without holes."""
    if parts == 1:
        return [members]
    one, two, count = _cut(ground, members, parts, rng)
    return [
        *partition(ground, one, count, rng),
        *partition(ground, two, parts - count, rng),
    ]


def _cut(
    ground: Ground, members: Ints, parts: int, rng: np.random.Generator
) -> tuple[Ints, Ints, int]:
    blocks, near = ground.blocks, ground.near
    local = np.full(len(blocks), -1)
    local[members] = np.arange(len(members))
    inner = (local[near.first] >= 0) & (local[near.second] >= 0)
    a, b = local[near.first[inner]], local[near.second[inner]]
    length, divide = near.length[inner], near.divide[inner]
    own = ground.weight[members]
    target = own.sum() / parts
    scale = np.sqrt(shapely.area(blocks[members]).sum())
    tries: list[tuple[float, int, Ints, Ints, int]] = []
    for attempt in range(400):
        # Dividing lines enter the tree last, so that few tree edges cross them.
        order = np.argsort(rng.random(len(a)) + 0.9 * divide - 0.3 * np.minimum(length / 200, 1))
        parent, visit = _tree(len(members), a[order], b[order])
        below, size = own.copy(), np.ones(len(members))
        for node in visit[:0:-1]:
            below[parent[node]] += below[node]
            size[parent[node]] += size[node]
        count = np.clip(np.round(below / target), max(1, parts // 4), parts - max(1, parts // 4))
        uneven = np.maximum(
            abs(below / count - target), abs((own.sum() - below) / (parts - count) - target)
        )
        # Each part needs a block at least, and the root has nothing to be cut from.
        uneven[(size < count) | (len(members) - size < parts - count)] = np.inf
        cut = int(np.argmin(uneven))
        side = np.zeros(len(members), dtype=bool)
        side[cut] = True
        for node in visit[1:]:
            side[node] |= side[parent[node]]
        border = side[a] != side[b]
        rough = (length[border] * (1 - 0.75 * divide[border])).sum() / scale
        score = float(uneven[cut] / target + 0.16 * rough)
        tries.append((score, attempt, members[side], members[~side], int(count[cut])))
        if attempt % 24 == 23:
            for _, _, one, two, share in sorted(tries, key=lambda t: t[:2])[:8]:
                if _whole(blocks[one]) and _whole(blocks[two]):
                    return one, two, share
            tries.clear()
    raise RuntimeError(f"no cut of {len(members)} blocks into {parts} parts found")


def _tree(size: int, a: Ints, b: Ints) -> tuple[list[int], list[int]]:
    """Return parents and visiting order of the spanning tree that takes edges in order."""
    root = list(range(size))
    links: list[list[int]] = [[] for _ in range(size)]
    for one, two in zip(a.tolist(), b.tolist(), strict=True):
        x, y = one, two
        while root[x] != x:
            root[x] = x = root[root[x]]
        while root[y] != y:
            root[y] = y = root[root[y]]
        if x != y:
            root[x] = y
            links[one].append(two)
            links[two].append(one)
    parent, visit = [-1] * size, [0]
    for node in visit:
        for other in links[node]:
            if other != parent[node]:
                parent[other] = node
                visit.append(other)
    return parent, visit


def _whole(blocks: Array) -> bool:
    union = shapely.coverage_union_all(blocks)
    return union.geom_type == "Polygon" and not len(union.interiors)
