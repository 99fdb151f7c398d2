"""The p-median before the solver: a good start, and the program in terms of distances."""

from typing import Any

import numpy as np
from scipy import sparse

from geo_service.analysis.solver import Program
from geo_service.analysis.weights import Floats, Ints


def interchanged(cost: Floats, p: int, kept: Ints) -> Ints:
    """Return p sites by greedy addition, then by exchanging one for another while that helps."""
    chosen = [int(k) for k in kept]
    nearest = cost[:, chosen].min(axis=1) if chosen else np.full(len(cost), np.inf)
    while len(chosen) < p:
        totals = np.minimum(cost, nearest[:, None]).sum(axis=0)
        totals[chosen] = np.inf
        chosen.append(int(np.argmin(totals)))
        nearest = np.minimum(nearest, cost[:, chosen[-1]])
    for _ in range(200):
        best, move = nearest.sum() * (1 - 1e-12), None
        for at in range(len(kept), p):
            others = chosen[:at] + chosen[at + 1 :]
            left = cost[:, others].min(axis=1) if others else np.full(len(cost), np.inf)
            totals = np.minimum(cost, left[:, None]).sum(axis=0)
            totals[chosen] = np.inf
            k = int(np.argmin(totals))
            if totals[k] < best:
                best, move = totals[k], (at, k)
        if move is None:
            break
        chosen[move[0]] = move[1]
        nearest = cost[:, chosen].min(axis=1)
    return np.array(sorted(chosen), np.int64)


def median_program(
    table: Floats, weight: Floats, p: int, kept: Ints, start: Ints
) -> tuple[Program, Floats]:
    """Return Elloumi's program: z says that no chosen site is within the k-th distance of i."""
    demand, n = table.shape
    opened = np.zeros(n)
    opened[start] = 1
    row: list[Any] = []
    column: list[Any] = []
    value: list[Any] = []
    cost, initial, constant = [np.zeros(n)], [opened], 0.0
    low, rows, first = [], 0, n
    reach = n - p + 1
    for i in range(demand):
        steps, rank = np.unique(table[i], return_inverse=True)
        # One of the nearest n - p + 1 sites is always chosen: further steps never matter.
        last = int(np.sort(rank)[reach - 1])
        constant += weight[i] * steps[0]
        z = first + np.arange(last)
        cost.append(weight[i] * np.diff(steps[: last + 1]))
        initial.append((table[i][start].min() > steps[:last]).astype(np.float64))
        # z_0 + (sites at the least cost) ≥ 1; z_k + (sites at step k) - z_(k-1) ≥ 0.
        site = np.flatnonzero(rank <= last)
        row.extend((rows + rank[site], rows + np.arange(last), rows + 1 + np.arange(last)))
        column.extend((site, z, z))
        value.extend((np.ones(len(site)), np.ones(last), -np.ones(last)))
        low.append(np.concatenate(([1.0], np.zeros(last))))
        rows, first = rows + last + 1, first + last
    row.append(np.full(n, rows))
    column.append(np.arange(n))
    value.append(np.ones(n))
    # The cost of the nearest site is always paid: a column fixed at 1 carries it.
    made = sparse.csr_array(
        (np.concatenate(value), (np.concatenate(row), np.concatenate(column))),
        shape=(rows + 1, first + 1),
    )
    lower = np.zeros(first + 1)
    lower[kept], lower[first] = 1.0, 1.0
    upper = np.ones(first + 1)
    program = Program(
        cost=np.concatenate((*cost, [constant])),
        lower=lower,
        upper=upper,
        rows=made,
        low=np.concatenate((*low, [float(p)])),
        high=np.concatenate((np.full(rows, np.inf), [float(p)])),
        whole=np.arange(first + 1) < n,
    )
    return program, np.concatenate((*initial, [1.0]))
