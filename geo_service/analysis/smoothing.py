"""Rates of cells with a base population, raw and smoothed by empirical Bayes."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo_service.analysis.weights import Floats, checked_values


class SmoothedRates(NamedTuple):
    """Rates of events per unit of base, and how they were smoothed.

    ``smoothed`` is ``weight`` × ``raw`` + (1 − ``weight``) × ``overall``. A cell without base has
    no rate: ``known`` is False, the raw rate is given as 0 and the smoothed one as the overall.
    """

    raw: Floats
    smoothed: Floats
    weight: Floats
    overall: float
    known: NDArray[np.bool_]


def empirical_bayes(events: ArrayLike, base: ArrayLike) -> SmoothedRates:
    """Return Marshall's global empirical Bayes rates, to be marked as smoothed where shown.

    ``events`` and ``base`` (households, residents, cameras) are one number a cell. A rate of few
    households says little, so it is drawn towards the overall rate, the more the smaller its base.
    Where the rates vary no more than chance explains, all become the overall rate. Cells without
    base take no part.

    Raises ValueError for negative or missing numbers, and where no cell has a base.

    Source: R. J. Marshall, "Mapping disease and mortality rates using empirical Bayes estimators",
    Applied Statistics 40 (1991) 283-294, the global estimator.

    >>> found = empirical_bayes([0, 1, 40, 30], [2, 5, 100, 400])
    >>> found.raw.tolist(), found.smoothed.round(3).tolist(), round(found.overall, 3)
    ([0.0, 0.2, 0.4, 0.075], [0.114, 0.162, 0.379, 0.076], 0.14)
    """
    count, people = checked_values(events), checked_values(base)
    if count.shape != people.shape:
        raise ValueError(f"There are {count.size} counts of events but {people.size} of the base.")
    if (count < 0).any() or (people < 0).any():
        raise ValueError("Events and base must not be negative.")
    known = people > 0
    if not known.any():
        raise ValueError("No cell has a base population, so there is no rate.")
    total = float(people[known].sum())
    overall = float(count[known].sum()) / total
    raw = np.divide(count, people, out=np.zeros_like(count), where=known)
    spread = float((people[known] * (raw[known] - overall) ** 2).sum()) / total
    between = max(0.0, spread - overall / (total / int(known.sum())))
    chance = np.divide(overall, people, out=np.zeros_like(people), where=known)
    both = between + chance
    weight = np.divide(between, both, out=np.zeros_like(both), where=known & (both > 0))
    smoothed = weight * raw + (1 - weight) * overall
    return SmoothedRates(raw, smoothed, weight, overall, known)
