"""Dividing a graph of blocks into contiguous, even parts with short borders, by HiGHS.

The contiguity of parts is imposed by separators, added where a solution breaks it: two blocks of
one part that are not joined need a block of the part in every set that separates them (Oehrlein and
Haunert 2017; Validi, Buchanan and Lykhovyd 2022). Every solution without all of these constraints
is a bound for the one with them, so the gap that is told is a true one.
"""

import time

import numpy as np
from scipy import sparse

from geo_service.analysis.solver import Program, minimise
from geo_service.boundaries.descent import descend, joined, near_of, sweeps
from geo_service.boundaries.division import Aim, Division, Graph, objective
from geo_service.boundaries.lattice import Floats, Ints

ROUNDS = 80
"""Solutions are checked and mended this often at most."""


def divide(graph: Graph, aim: Aim, time_limit: float = 5.0, gap: float = 0.0) -> Division | None:
    """Return the best contiguous division found in ``time_limit`` seconds, or None.

    The division is proven to be within ``gap`` of the best unless the time ran out; its own ``gap``
    tells. None where no division is contiguous (and unlike those found before), or none was found.
    """
    return _Search(graph, aim).run(time_limit, gap)


class _Search:
    """A program whose columns are x[node, part], y[pair], then deviations of the parts."""

    def __init__(self, graph: Graph, aim: Aim) -> None:
        self.graph, self.aim = graph, aim
        self.n, self.m, self.k = len(graph.weight), len(graph.pairs), aim.parts
        self.whole = max(float(graph.weight.sum()), 1e-9)
        self.rows: list[tuple[list[int], list[float], float, float]] = []
        self.out = 2 * self.k if aim.limits is not None else 0
        self.columns = self.n * self.k + self.m + self.k + self.out
        # Without roots parts have no names: the heaviest node names the first.
        self.anchors = list(aim.roots) or [int(np.argmax(graph.weight))]
        self.near = near_of(self.n, graph.pairs)
        self._describe()

    def x(self, node: int, part: int) -> int:
        return node * self.k + part

    def y(self, pair: int) -> int:
        return self.n * self.k + pair

    def row(self, columns: list[int], values: list[float], low: float, high: float) -> None:
        self.rows.append((columns, values, low, high))

    def _describe(self) -> None:
        graph, aim, n, k = self.graph, self.aim, self.n, self.k
        weight = graph.weight.tolist()
        for i in range(n):
            self.row([self.x(i, p) for p in range(k)], [1.0] * k, 1, 1)
        off = n * k + self.m
        for p in range(k):
            own = [self.x(i, p) for i in range(n)]
            self.row(own, [1.0] * n, 1, np.inf)
            self.row([*own, off + p], [*weight, -1.0], -np.inf, float(aim.targets[p]))
            self.row([*own, off + p], [*weight, 1.0], float(aim.targets[p]), np.inf)
            if aim.limits is not None:
                low, high = aim.limits
                self.row([*own, off + k + 2 * p], [*weight, -1.0], -np.inf, float(high[p]))
                self.row([*own, off + k + 2 * p + 1], [*weight, 1.0], float(low[p]), np.inf)
        for e, (i, j) in enumerate(graph.pairs.tolist()):
            for p in range(k):
                both = [self.x(i, p), self.x(j, p), self.y(e)]
                self.row(both, [1.0, -1.0, -1.0], -np.inf, 0)
                self.row(both, [-1.0, 1.0, -1.0], -np.inf, 0)
        for p, root in enumerate(self.anchors):
            # Whoever is with a root and is not it has a neighbour that is.
            for i in range(n):
                if i != root:
                    beside = [self.x(j, p) for j in self.near[i]]
                    self.row([self.x(i, p), *beside], [1.0] + [-1.0] * len(beside), -np.inf, 0)
        for old in aim.unlike:
            if aim.roots:
                size = [w / self.whole + 1e-3 / n for w in weight]
                own = [self.x(i, int(p)) for i, p in enumerate(old)]
                self.row(own, size, -np.inf, sum(size) - aim.share)
            else:
                parted = np.flatnonzero(old[graph.pairs[:, 0]] != old[graph.pairs[:, 1]])
                cost = (graph.cost[parted] + 1e-6).tolist()
                cuts = [self.y(int(e)) for e in parted]
                self.row(cuts, cost, -np.inf, aim.share * sum(cost))

    def program(self) -> Program:
        graph, aim = self.graph, self.aim
        cost = np.zeros(self.columns)
        off = self.n * self.k
        if aim.now is not None:
            moving = aim.moving * graph.weight / self.whole
            cost[:off] = np.repeat(moving, self.k)
            cost[np.arange(self.n) * self.k + aim.now] = 0
        whole_cost = max(float(graph.cost.sum()), 1e-9)
        cost[off : off + self.m] = aim.border * graph.cost / whole_cost
        cost[off + self.m : off + self.m + self.k] = aim.even / self.whole
        cost[off + self.m + self.k :] = aim.beyond / self.whole
        upper = np.full(self.columns, np.inf)
        upper[: off + self.m] = 1
        lower = np.zeros(self.columns)
        for p, root in enumerate(self.anchors):
            lower[self.x(root, p)] = 1
        whole = np.arange(self.columns) < off
        at = np.repeat(np.arange(len(self.rows)), [len(row[0]) for row in self.rows])
        columns = np.concatenate([row[0] for row in self.rows])
        values = np.concatenate([row[1] for row in self.rows])
        matrix = sparse.csr_array((values, (at, columns)), (len(self.rows), self.columns))
        low, high = (np.array([row[k] for row in self.rows]) for k in (2, 3))
        return Program(cost, lower, upper, matrix, low, high, whole)

    def run(self, time_limit: float, gap: float) -> Division | None:
        end = time.monotonic() + time_limit
        best, value = self._quick(time.monotonic() + time_limit / 4)
        bound = -np.inf
        for _ in range(ROUNDS):
            left = end - time.monotonic()
            if left <= 0:
                break
            start = None if best is None else self._start(best)
            # A round that is broken off still gives a bound, and more separators.
            share = left if best is None else max(left / 2, 0.5)
            try:
                answer = minimise(self.program(), start, min(left, share), gap)
            except ValueError:
                break
            bound = max(bound, answer.bound)
            labels = answer.x[: self.n * self.k].reshape(self.n, self.k).argmax(axis=1)
            broken = self._separate(labels)
            made = labels if not broken else self._mended(labels)
            if made is not None and (now := objective(self.graph, self.aim, made)) < value:
                best, value = made, now
            near = best is not None and value - bound <= max(gap, 1e-7) * abs(value)
            if near:
                break
        if best is None:
            return None
        short = max(0.0, (value - bound) / value) if value > 1e-9 else 0.0
        return Division(best, value, float(min(short, 1.0)) if short > 1e-6 else 0.0)

    def _quick(self, end: float) -> tuple[Ints | None, float]:
        """Return the best division that sweeps and local search find, and its objective."""
        graph, aim = self.graph, self.aim
        starts = [aim.now] if aim.now is not None else []
        if not aim.roots:
            found = sweeps(graph.weight, graph.pairs, aim.targets)
            every = sorted((self._named(each) for each in found), key=self._value)
            # The best, and some that are quite different.
            starts += [*every[:6], *every[6 :: max(1, len(every) // 6)]]
        best, value = None, np.inf
        fixed = set(self.anchors)
        for each in starts:
            whole = all(joined(np.flatnonzero(each == p).tolist(), self.near)
                        for p in range(self.k))  # fmt: skip
            if not whole or any(each[root] != p for p, root in enumerate(self.anchors)):
                continue
            made, _ = descend(each, graph.pairs, fixed, self._value)
            if self._new(made) and (now := objective(graph, aim, made)) < value:
                best, value = made, now
            if time.monotonic() > end:
                break
        return best, value

    def _named(self, labels: Ints) -> Ints:
        """Return a division with the part of the first anchor called 0."""
        own = labels[self.anchors[0]]
        names = np.arange(self.k)
        names[own], names[0] = 0, own
        return names[labels]

    def _value(self, labels: Ints) -> float:
        """Return the objective, and a penalty for what is like a division found before."""
        return objective(self.graph, self.aim, labels) + (0.0 if self._new(labels) else 100.0)

    def _separate(self, labels: Ints) -> bool:
        """Add a separator for every piece that is cut off its part; return whether any was."""
        broken = False
        for p in range(self.k):
            pieces = self.graph.connected(np.flatnonzero(labels == p))
            root = self.anchors[p] if p < len(self.anchors) else -1
            home = next((i for i, own in enumerate(pieces) if root in own), 0)
            for i, own in enumerate(pieces):
                if i == home:
                    continue
                broken = True
                target = root if root >= 0 else int(pieces[home][0])
                wall = self._wall(self.near, {int(node) for node in own}, target)
                for node in own.tolist():
                    parts = [p] if root >= 0 else range(self.k)
                    for part in parts:
                        columns = [self.x(s, part) for s in wall]
                        values = [-1.0] * len(wall)
                        if root >= 0:
                            self.row([self.x(node, part), *columns], [1.0, *values], -np.inf, 0)
                        else:
                            both = [self.x(node, part), self.x(target, part)]
                            self.row([*both, *columns], [1.0, 1.0, *values], -np.inf, 1)
        return broken

    @staticmethod
    def _wall(near: list[list[int]], piece: set[int], target: int) -> list[int]:
        """Return the neighbours of a piece that the target reaches without crossing others."""
        around = {j for i in piece for j in near[i]} - piece
        seen, front, wall = {target}, [target], set()
        while front:
            for j in near[front.pop()]:
                if j in around:
                    wall.add(j)
                elif j not in seen:
                    seen.add(j)
                    front.append(j)
        return sorted(wall)

    def _mended(self, labels: Ints) -> Ints | None:
        """Give pieces that are cut off to the lightest part beside them, or return None."""
        made = labels.copy()
        for _ in range(self.n):
            loose = []
            for p in range(self.k):
                pieces = self.graph.connected(np.flatnonzero(made == p))
                root = self.anchors[p] if p < len(self.anchors) else -1
                home = next((i for i, own in enumerate(pieces) if root in own), 0)
                loose += [own for i, own in enumerate(pieces) if i != home]
            if not loose:
                break
            own = min(loose, key=len)
            beside = {int(made[j]) for i in own.tolist() for j in self.near[i]} - {
                int(made[own[0]])
            }
            if not beside:
                return None
            weight = np.bincount(made, self.graph.weight, minlength=self.k)
            made[own] = min(sorted(beside), key=lambda p: weight[p] - self.aim.targets[p])
        fits = len(np.unique(made)) == self.k and all(
            made[root] == p for p, root in enumerate(self.anchors)
        )
        return made if fits and self._new(made) else None

    def _new(self, labels: Ints) -> bool:
        """Return whether a division is unlike those found before."""
        for old in self.aim.unlike:
            if self.aim.roots:
                size = self.graph.weight / self.whole + 1e-3 / self.n
                if size[labels == old].sum() > size.sum() - self.aim.share:
                    return False
            else:
                one, two = self.graph.pairs.T
                was, now = old[one] != old[two], labels[one] != labels[two]
                cost = self.graph.cost + 1e-6
                if cost[was & now].sum() > self.aim.share * cost[was].sum():
                    return False
        return True

    def _start(self, labels: Ints) -> Floats:
        """Return the columns of a division."""
        found = np.zeros(self.columns)
        found[np.arange(self.n) * self.k + labels] = 1
        off = self.n * self.k
        one, two = self.graph.pairs.T
        found[off : off + self.m] = labels[one] != labels[two]
        weight = np.bincount(labels, self.graph.weight, minlength=self.k)
        off += self.m
        found[off : off + self.k] = np.abs(weight - self.aim.targets)
        if self.aim.limits is not None:
            low, high = self.aim.limits
            found[off + self.k :: 2] = np.maximum(weight - high, 0)
            found[off + self.k + 1 :: 2] = np.maximum(low - weight, 0)
        return found
