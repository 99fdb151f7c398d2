"""Divisions of small graphs against every contiguous division there is."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from geo_service.boundaries.districts import divide
from geo_service.boundaries.division import Aim, Graph, objective


def meadow(rng: np.random.Generator, wide: int, high: int) -> Graph:
    """A lattice of nodes with some pairs missing, still connected."""
    number = np.arange(wide * high).reshape(high, wide)
    pairs = np.r_[
        np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()]),
        np.column_stack([number[:-1].ravel(), number[1:].ravel()]),
    ]
    for i in rng.permutation(len(pairs))[: len(pairs) // 4]:
        fewer = np.delete(pairs, np.flatnonzero((pairs == pairs[min(i, len(pairs) - 1)]).all(1)), 0)
        whole = Graph(np.ones(number.size), fewer, np.ones(len(fewer)))
        if len(whole.connected(np.arange(number.size))) == 1:
            pairs = fewer
    weight = rng.integers(0, 40, number.size).astype(float)
    return Graph(weight, pairs, rng.uniform(10, 200, len(pairs)))


def contiguous(graph: Graph, labels: np.ndarray, parts: int) -> bool:
    for part in range(parts):
        left = {i for i, label in enumerate(labels) if label == part}
        if not left:
            return False
        front = [left.pop()]
        while front:
            i = front.pop()
            for pair in graph.pairs.tolist():
                if i in pair and (j := pair[0] + pair[1] - i) in left:
                    left.remove(j)
                    front.append(j)
        if left:
            return False
    return True


def every(graph: Graph, parts: int) -> Iterator[np.ndarray]:
    """All divisions into contiguous parts."""
    for labels in itertools.product(range(parts), repeat=len(graph.weight)):
        made = np.array(labels)
        if contiguous(graph, made, parts):
            yield made


@pytest.mark.parametrize(("seed", "parts"), [*((s, 2) for s in range(6)), (6, 3), (7, 3)])
def test_best_division_of_all(seed: int, parts: int) -> None:
    rng = np.random.default_rng(seed)
    graph = meadow(rng, 3, 3) if parts == 2 else meadow(rng, 4, 2)
    target = np.full(parts, graph.weight.sum() / parts)
    # Little weight on borders: that is what makes parts fall apart.
    aim = Aim(target, even=10, border=[1.0, 0.05][seed % 2])
    found = divide(graph, aim, time_limit=30)
    assert found is not None
    assert contiguous(graph, found.labels, parts)
    values = [objective(graph, aim, labels) for labels in every(graph, parts)]
    assert found.objective == pytest.approx(min(values), abs=1e-6)
    assert found.objective == pytest.approx(objective(graph, aim, found.labels))
    assert found.gap == 0


@pytest.mark.parametrize("seed", range(4))
def test_rebalancing_with_roots_limits_and_moves(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = meadow(rng, 3, 3)
    now = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1])
    total = graph.weight.sum()
    aim = Aim(
        np.full(2, total / 2), even=1, border=0.3,
        limits=(np.full(2, 0.45 * total), np.full(2, 0.6 * total)), beyond=50,
        now=now, moving=0.5, roots=(0, 8),
    )  # fmt: skip
    found = divide(graph, aim, time_limit=30)
    values = [
        objective(graph, aim, labels)
        for labels in every(graph, 2)
        if labels[0] == 0 and labels[8] == 1
    ]
    assert found is not None
    assert found.objective == pytest.approx(min(values), abs=1e-6)
    # The next one has at least a tenth of the weight elsewhere, and is the best of those.
    other = Aim(**{**vars(aim), "unlike": [found.labels], "share": 0.1})
    second = divide(graph, other, time_limit=30)
    size = graph.weight / total + 1e-3 / 9
    rest = [
        objective(graph, aim, labels)
        for labels in every(graph, 2)
        if labels[0] == 0
        and labels[8] == 1
        and size[labels == found.labels].sum() <= size.sum() - 0.1 + 1e-9
    ]
    if second is None:
        assert not rest
    else:
        assert second.objective == pytest.approx(min(rest), abs=1e-6)


def test_unlike_border_without_roots() -> None:
    graph = meadow(np.random.default_rng(9), 3, 3)
    aim = Aim(np.full(2, graph.weight.sum() / 2))
    first = divide(graph, aim)
    assert first is not None
    second = divide(graph, Aim(aim.targets, unlike=[first.labels], share=0.3))
    assert second is not None

    def cut(labels: np.ndarray) -> np.ndarray:
        return np.asarray(labels[graph.pairs[:, 0]] != labels[graph.pairs[:, 1]])

    both = graph.cost[cut(first.labels) & cut(second.labels)].sum()
    assert both <= 0.3 * graph.cost[cut(first.labels)].sum() + 1e-3
    assert second.objective >= first.objective - 1e-9


def test_no_contiguous_division() -> None:
    # A star whose middle is fixed elsewhere: its two ends cannot be one part.
    star = Graph(np.array([5.0, 1, 1]), np.array([[0, 1], [0, 2]]), np.ones(2))
    assert divide(star, Aim(np.array([1.0, 1.0]), roots=(1, 0))) is not None
    apart = Graph(np.ones(3), np.array([[0, 1]]), np.ones(1))
    assert divide(apart, Aim(np.array([1.5, 1.5]))) is not None
    assert divide(apart, Aim(np.array([2.0, 1.0]), roots=(0, 1))) is None


def test_a_short_time_still_gives_a_division_and_its_gap() -> None:
    rng = np.random.default_rng(3)
    graph = meadow(rng, 9, 8)
    found = divide(graph, Aim(np.full(4, graph.weight.sum() / 4), border=0.2), time_limit=1.5)
    assert found is not None
    assert contiguous(graph, found.labels, 4)
    assert 0 <= found.gap <= 1
