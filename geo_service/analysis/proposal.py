"""Which size of cell and which distance to take, why, and what changes if one takes another."""

import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import shapely
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree

from geo_service.analysis.lattice import Lattice, hexagons, squares
from geo_service.analysis.local_g import local_g
from geo_service.analysis.metric import metres
from geo_service.analysis.moran import moran
from geo_service.analysis.neighbours import MOST_PAIRS, contiguity, distance_band
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.significance import benjamini_hochberg
from geo_service.analysis.weights import Floats, checked_values

FEWEST = 30
"""Fewer events, or cells, than this are too few to propose anything from."""

ROUND = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
"""Leading digits of a size that people can say."""

SIGNIFICANT = 1.96
"""A peak below this z is chance."""


class SizeProposal(NamedTuple):
    """A side of cells in metres, and why."""

    size: float
    reason: Sentence


class DistanceProposal(NamedTuple):
    """A distance of neighbourhood in metres, why, and the z of Moran's I at the distances tried."""

    distance: float
    reason: Sentence
    tried: Floats
    z: Floats
    peak: bool


@dataclass(frozen=True)
class Answer:
    """What hot spot analysis answers with one size of cell.

    ``hot`` are the cells above expectation at the false discovery rate. ``agreement`` is the area
    hot here and with the middle size, divided by the area hot in either (1 where neither is).
    """

    size: float
    lattice: Lattice
    counts: Floats
    z: Floats
    p: Floats
    hot: Any
    hot_km2: float
    events: int
    hot_events: int
    agreement: float


def propose_size(
    events: int,
    area: float,
    *,
    least: float = 20.0,
    cells: Literal["squares", "hexagons"] = "squares",
) -> SizeProposal:
    """Return a size for cells so that a cell holds two events on average, rounded.

    For squares it is the side √(2 A / n), for hexagons the width between opposite sides, which is
    √(2 / √3) as much. ``area`` is in m². The size is at most what leaves 30 cells, and at least
    ``least`` metres, the accuracy of the places. Raises ValueError for fewer than 30 events: that
    is too few.

    Source: D. W. S. Wong and J. Lee, "Statistical Analysis of Geographic Information" (2005),
    on the size of quadrats, after Griffith and Amrhein (1991).

    >>> propose_size(9400, 48e6).size, propose_size(40, 1e6).reason.en
    (100.0, 'Squares of 150 m: fewer than 30 larger ones would cover the area.')
    >>> propose_size(9400, 38e6, cells="hexagons").reason.en
    'Hexagons 100 m across: with 9400 events one holds about two on average.'
    """
    if events < FEWEST:
        raise ValueError(f"{events} events are too few to propose a cell size: {FEWEST} at least.")
    if not (math.isfinite(area) and area > 0):
        raise ValueError("The area must be a positive number of square metres.")
    part = math.sqrt(3) / 2 if cells == "hexagons" else 1.0  # of the square of the size
    wanted = math.sqrt(2 * area / (events * part))
    most = math.sqrt(area / (FEWEST * part))
    size = _rounded(min(max(wanted, least), most), least, most)
    zh = f"建议{'六边形对边距' if cells == 'hexagons' else '格网边长'} {size:g} 米"
    en = f"Hexagons {size:g} m across" if cells == "hexagons" else f"Squares of {size:g} m"
    if wanted > most:
        return SizeProposal(
            size,
            Sentence(
                f"{zh}：再大则全区不足 {FEWEST} 格。",
                f"{en}: fewer than {FEWEST} larger ones would cover the area.",
            ),
        )
    if wanted < least:
        return SizeProposal(
            size,
            Sentence(
                f"{zh}：更小则超出事件定位的精度。",
                f"{en}: smaller ones would be finer than the places are known.",
            ),
        )
    return SizeProposal(
        size,
        Sentence(
            f"{zh}：{events} 起事件，平均每格约两起。",
            f"{en}: with {events} events one holds about two on average.",
        ),
    )


def propose_distance(
    values: ArrayLike, x: ArrayLike, y: ArrayLike, *, steps: int = 10
) -> DistanceProposal:
    """Return the distance at which like values cluster most, by the peak of incremental Moran's I.

    ``values`` are one number a cell, ``x`` and ``y`` the centres in metres. Moran's I is computed
    for neighbours within increasing distances: from the least that leaves no cell without one, in
    steps of the mean distance to the nearest. The first peak of its z above 1.96 is where the
    processes behind the clustering are most pronounced. Without a peak it is the mean distance to
    the K-th nearest cell, K a twentieth of the cells, from 3 to 30.

    Raises ValueError for fewer than 30 cells, and for degrees.

    Source: Esri, "How Optimized Hot Spot Analysis works" and "Incremental Spatial Autocorrelation",
    ArcGIS Pro documentation; J. K. Ord and A. Getis (1995).
    """
    number = checked_values(values)
    points = np.column_stack(metres(x, y))
    n = len(points)
    if number.size != n:
        raise ValueError(f"There are {number.size} values for {n} cells.")
    if n < FEWEST:
        raise ValueError(f"{n} cells are too few to propose a distance: {FEWEST} at least.")
    tree = cKDTree(points)
    beside = tree.query(points, k=2)[0][:, 1]
    step, start = float(beside.mean()), float(beside.max())
    if step == 0:
        raise ValueError("All cells have their centre in the same place as another.")
    tried, scores = [], []
    for distance in start + step * np.arange(steps):
        if tree.count_neighbors(tree, distance) > min(MOST_PAIRS / 4, n * n / 2):
            break
        tried.append(float(distance))
        scores.append(moran(number, distance_band(x, y, distance)).z)
    z = np.array(scores)
    inner = np.arange(1, len(z) - 1)
    peaks = inner[(z[inner] > z[inner - 1]) & (z[inner] >= z[inner + 1]) & (z[inner] > SIGNIFICANT)]
    if peaks.size:
        found = tried[int(peaks[0])]
        score = z[int(peaks[0])]
        reason = Sentence(
            f"建议距离 {found:.0f} 米：在此距离聚集最明显（莫兰指数 z = {score:.1f}，首个峰值）。",
            f"{found:.0f} m: clustering is most pronounced there (first peak of Moran's I, "
            f"z = {score:.1f}).",
        )
        return DistanceProposal(found, reason, np.array(tried), z, peak=True)
    k = min(max(round(n / 20), 3), 30, n - 1)
    found = float(tree.query(points, k=k + 1)[0][:, k].mean())
    reason = Sentence(
        f"建议距离 {found:.0f} 米：莫兰指数没有峰值，故取平均约有 {k} 个邻格的距离。",
        f"{found:.0f} m: Moran's I has no peak, so this is where a cell has about {k} neighbours.",
    )
    return DistanceProposal(found, reason, np.array(tried), z, peak=False)


def three_sizes(
    x: ArrayLike,
    y: ArrayLike,
    area: Any,
    *,
    crs: Any,
    size: float | None = None,
    shape: Literal["square", "hexagon"] = "square",
    alpha: float = 0.05,
    local: Any = None,
) -> list[Answer]:
    """Return the answer of Gi* at half the size, the size, and twice the size, side by side.

    ``x``, ``y`` and ``area`` are in ``crs``; ``size`` is in metres, by default the proposed one. An
    answer that holds at one size only is an answer about the cells. Each cell is compared with its
    queen (or six) neighbours, exactly, one-sided, at the false discovery rate ``alpha``.

    Raises ValueError as :func:`propose_size` and the functions of ``lattice`` do.
    """
    make = squares if shape == "square" else hexagons
    if size is None:
        whole = make(area, 1000.0, crs=crs, local=local)
        found = int((whole.locate(x, y, crs=crs) >= 0).sum())
        size = propose_size(found, float(whole.areas().sum())).size
    made = []
    for side in (size / 2, size, size * 2):
        lattice = make(area, side, crs=crs, local=local)
        counts = lattice.counts(x, y, crs=crs)
        z, p = local_g(counts, contiguity(lattice), alternative="greater")
        made.append((side, lattice, counts, z, p, benjamini_hochberg(p, alpha)))
    covers = [shapely.union_all(lattice.polygons[hot]) for _, lattice, _, _, _, hot in made]
    return [
        Answer(
            size=side,
            lattice=lattice,
            counts=counts.astype(np.float64),
            z=z,
            p=p,
            hot=hot,
            hot_km2=float(cover.area) / 1e6,
            events=int(counts.sum()),
            hot_events=int(counts[hot].sum()),
            agreement=_agreement(cover, covers[1]),
        )
        for (side, lattice, counts, z, p, hot), cover in zip(made, covers, strict=True)
    ]


def _agreement(first: Any, second: Any) -> float:
    either = shapely.union(first, second).area
    return float(shapely.intersection(first, second).area / either) if either else 1.0


def _rounded(value: float, least: float, most: float) -> float:
    """Return the round number nearest to ``value`` between two bounds, or ``value`` itself."""
    every = [step * 10.0**power for power in range(6) for step in ROUND]
    allowed = [size for size in every if least <= size <= most]
    return min(allowed, key=lambda size: abs(size - value)) if allowed else value
