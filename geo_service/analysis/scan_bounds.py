"""The least count with which a cylinder may reach a bound on the scan statistic."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SLACK = 0.2
"""Share of the excess that windows' expectation may grow by while they are ruled out together."""

_STEP = 1.02


class Tilt(NamedTuple):
    """Least counts as straight lines over a window's mass, in whole numbers.

    At a fixed length the least count is concave in the mass, so it lies above the line through its
    values at the lightest and the heaviest window, and above any line below both. For circles of a
    row, ``scale`` × count - (``tilt`` after the window - ``tilt`` before it) is at least
    ``steep[row, length]`` wherever the count reaches the bound.
    """

    scale: int
    tilt: Ints
    steep: Ints


def size_rows(size: Floats) -> tuple[Floats, Ints]:
    """Return sizes in steps of two parts in a hundred, and for each circle the step it has reached.

    The least count rises with the size, so the step below stands in for it safely.
    """
    if not len(size):
        return np.ones(1), np.zeros(0, np.int64)
    low, high = float(size.min()), float(size.max())
    steps = int(np.ceil(np.log(high / low) / np.log(_STEP))) + 1
    grid = low * _STEP ** np.arange(steps)
    row = np.maximum(np.searchsorted(grid, size * (1 + 1e-12), side="right") - 1, 0)
    return np.asarray(grid, np.float64), row.astype(np.int64)


def least(bound: float, size: Floats, mass: Floats, total: float) -> Floats:
    """Return where the statistic reaches ``bound``, for each size (rows) and mass (columns).

    ``total`` where no count does. By Newton's method from above: the statistic is convex in the
    count. A part in 10⁸ is taken off, so that arithmetic never makes it too high.
    """
    expected = np.clip(np.outer(size, mass) / total, 1e-9, total * (1 - 1e-9))
    top = total * (1 - 1e-12)
    # Bennett's inequality gives a start beyond the root.
    count = np.minimum(expected + np.sqrt(2 * bound * expected) + 2 / 3 * bound, top)
    for _ in range(12):
        inside, outside = np.log(count / expected), np.log((total - count) / (total - expected))
        value = count * inside + (total - count) * outside - bound
        step = value / np.maximum(inside - outside, 1e-12)
        count = np.clip(count - step, expected, top)
    return count * (1 - 1e-8)


def least_counts(reached: Floats, total: float) -> Ints:
    """Return the whole counts from ``least``: at least 2, and ``total`` + 1 where none can."""
    whole = np.ceil(reached - 1e-6)
    return np.where(whole >= total, total + 1, np.maximum(whole, 2)).astype(np.int64)


def tilts(light: Floats, heavy: Floats, masses: tuple[Floats, Floats], mass: Floats) -> Tilt:
    """Return the lines below ``least`` at the lightest (``masses[0]``) and heaviest windows."""
    low, high = masses
    total = mass[-1]
    rise = (heavy[:, 1] - light[:, 1]) / max(high[1] - low[1], 1e-9)
    # A steeper line could leave sixteen bits; a flatter one is as safe.
    slope = np.clip(rise, 0.0, 0.9)
    scale = int(np.clip(30_000 // total, 1, 8))
    taken = np.rint(scale * slope[:, None] * mass).astype(np.int64)
    line = np.minimum(light - slope[:, None] * low, heavy - slope[:, None] * high)
    return Tilt(scale, taken, (np.floor(scale * line) - 1).astype(np.int64))


def reaches(bound: float, size: Floats, mass: Floats, total: float) -> Ints:
    """Return up to which length windows are looked at together with those of each length.

    As far as the expectation grows by ``SLACK`` of the excess that ``bound`` asks for: less, and
    too many windows are looked at; more, and too few are ruled out.
    """
    days = np.arange(len(mass))
    expected = np.maximum(np.outer(size, mass) / total, 1e-9)
    reach = np.floor(days * (1 + SLACK * np.sqrt(2 * bound / expected)))
    return np.clip(reach, days, len(mass) - 1).astype(np.int64)
