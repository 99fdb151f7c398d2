"""The least count with which a cylinder may reach a bound on the scan statistic."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SINGLES = 8
"""Windows shorter than this are looked at length by length."""

_STEP = 1.02


class Lines(NamedTuple):
    """Least counts as straight lines over a window's mass, in whole numbers.

    At a fixed length the least count is concave in the mass, so it lies above the line through its
    values at the lightest and the heaviest window, and above any line below both. For circles of a
    row, ``scale`` × count - (``tilt`` after the window - ``tilt`` before it) is at least
    ``steep[bound, row, length]`` wherever the count reaches the bound. There are two tilts: the
    first, for lengths before ``edges[0]``, has the slope of single days, the second that of longer
    windows.

    Lengths from ``edges[s]`` to before ``edges[s + 1]`` are ruled out together: the highest tilted
    count of the 2 ** ``level[s]`` days that end them, against ``wide[bound, row, s]``, the least of
    their ``steep``.
    """

    scale: int
    tilt: Ints
    steep: Ints
    edges: Ints
    wide: Ints
    level: Ints


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


def lines_below(light: Floats, heavy: Floats, masses: tuple[Floats, Floats], mass: Floats) -> Lines:
    """Return the lines below ``least`` at the lightest (``masses[0]``) and heaviest windows.

    ``light`` and ``heavy`` are tables one a bound; the slopes are those of the first.
    """
    low, high = masses
    total, longest = mass[-1], len(low) - 1
    edges, level = _stretches(longest)
    scale = int(np.clip(30_000 // total, 1, 8))
    brief = (heavy[0, :, 1] - light[0, :, 1]) / max(high[1] - low[1], 1e-9)
    at = min(SINGLES, longest)
    lasting = (light[0, :, -1] - light[0, :, at]) / max(low[-1] - low[at], 1e-9)
    tilt, steep = [], np.empty(light.shape)
    for rise, some in ((brief, slice(0, edges[0])), (lasting, slice(edges[0], None))):
        # A steeper line could leave sixteen bits; a flatter one is as safe.
        slope = np.clip(rise, 0.0, 0.9)[:, None]
        tilt.append(np.rint(scale * slope * mass))
        steep[..., some] = np.minimum(light - slope * low, heavy - slope * high)[..., some]
    whole = (np.floor(scale * steep) - 1).astype(np.int64)
    wide = np.empty((*light.shape[:2], len(level)), np.int64)
    for s in range(len(level)):
        wide[..., s] = whole[..., edges[s] : edges[s + 1]].min(axis=-1)
    return Lines(scale, np.array(tilt).astype(np.int64), whole, edges, wide, level)


def _stretches(longest: int) -> tuple[Ints, Ints]:
    """Return the edges of the stretches of lengths, and the binary logarithm of their width.

    A quarter of the length: chance in a quarter of a window varies half as much as in the window.

    >>> [part.tolist() for part in _stretches(30)]
    [[8, 10, 12, 14, 16, 20, 24, 28, 31], [1, 1, 1, 1, 2, 2, 2, 2]]
    """
    edges, level = [min(SINGLES, longest + 1)], []
    while edges[-1] <= longest:
        level.append(edges[-1].bit_length() - 3)
        edges.append(min(edges[-1] + (1 << level[-1]), longest + 1))
    return np.array(edges, np.int64), np.array(level, np.int64)
