"""A case of maximal cover: checked, and reduced to what is left to decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from geo_service.analysis.weights import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class Small:
    """What is left to decide: no demand that is settled, alike demand merged, no dominated site."""

    matrix: Any
    weight: Floats
    price: Floats
    missing: Ints
    site: Ints


def reduced(  # noqa: PLR0917
    matrix: Any,
    weight: Floats,
    price: Floats,
    had: Ints,
    given: Bools,
    budget: float,
    times: int,
) -> Small:
    """Return what is left to decide: sites that can be paid, demand that is not settled.

    ``had`` is how many of the ``given`` sites cover each demand point.
    """
    site = np.flatnonzero(~given & (price <= budget))
    part = matrix[:, site].tocsr()
    missing = np.maximum(times - had, 0)
    reachable = np.asarray(part.sum(axis=1)).reshape(-1) >= missing
    row = np.flatnonzero((missing > 0) & reachable & (weight > 0))
    part, value, need = part[row], weight[row], missing[row]
    part.sort_indices()
    keys: dict[bytes, int] = {}
    group = np.empty(len(row), np.int64)
    for k in range(len(row)):
        name = part.indices[part.indptr[k] : part.indptr[k + 1]].tobytes() + need[k].tobytes()
        group[k] = keys.setdefault(name, len(keys))
    first = np.unique(group, return_index=True)[1] if len(group) else np.zeros(0, np.int64)
    summed = np.bincount(group, value, minlength=len(first)) if len(group) else np.zeros(0)
    part, need = part[first], need[first]
    # A site that covers no more than another, for no less, is never needed where once is enough.
    if times == 1 and len(site):
        common = (part.T.astype(np.int64) @ part.astype(np.int64)).tocoo()
        size = np.asarray(part.sum(axis=0)).reshape(-1)
        j, k = common.coords
        cheaper = price[site[k]] <= price[site[j]]
        within = (j != k) & (common.data == size[j]) & cheaper
        alike = (size[j] == size[k]) & (price[site[j]] == price[site[k]])
        useless = np.unique(j[within & (~alike | (k < j))])
        left = np.ones(len(site), dtype=bool)
        left[useless] = False
        left &= size > 0
        site, part = site[left], part[:, left]
    return Small(part.tocsr(), np.asarray(summed, np.float64), price[site], need, site)


def without_useless(small: Small, start: Bools, useful: Bools) -> tuple[Small, Bools]:
    """Return the case without sites that no better answer holds; those of ``start`` stay."""
    kept = useful | start
    part = small.matrix[:, kept].tocsr()
    row = np.asarray(part.sum(axis=1)).reshape(-1) > 0
    left = Small(
        part[row], small.weight[row], small.price[kept], small.missing[row], small.site[kept]
    )
    return left, start[kept]


def distinct(matrix: Any) -> Any:
    """Return the rows that differ from each other."""
    names: dict[bytes, int] = {}
    for k in range(matrix.shape[0]):
        names.setdefault(matrix.indices[matrix.indptr[k] : matrix.indptr[k + 1]].tobytes(), k)
    return matrix[sorted(names.values())]


def checked_covers(covers: Any) -> Any:
    """Return covers as sorted sparse rows of ones, or raise ValueError."""
    if sparse.issparse(covers):
        matrix = sparse.csr_array(covers)
    else:
        table = np.asarray(covers)
        if table.ndim != 2:
            raise ValueError(f"Covers must be demand by site, not an array of shape {table.shape}.")
        matrix = sparse.csr_array(table.astype(bool))
    matrix = sparse.csr_array(matrix != 0).astype(np.int64)
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


def checked_numbers(values: ArrayLike, n: int, what: str, of: str) -> Floats:
    """Return one number of 0 or more each, or raise ValueError."""
    made = np.array(values, dtype=np.float64)
    if made.shape != (n,):
        raise ValueError(f"There must be one {what} a {of}, {n} in all, not {made.size}.")
    if not np.isfinite(made).all() or (made < 0).any():
        raise ValueError(f"Every {what} must be a finite number of 0 or more.")
    return made


def checked_sites(fixed: Sequence[int], n: int) -> Ints:
    """Return the numbers of sites, sorted, or raise ValueError."""
    made = np.unique(np.array(list(fixed), dtype=np.int64))
    if len(made) and not (made[0] >= 0 and made[-1] < n):
        raise ValueError(f"Fixed sites must be numbered from 0 to {n - 1}.")
    return made
