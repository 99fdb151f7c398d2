"""Compiled functions: numba with a cache where one can be written, and its random numbers."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_SPAN = np.uint64(1 << 32)


def compiled(function: F) -> F:
    """Compile ``function`` with numba, without the interpreter's lock, and keep the result.

    The result is kept beside the source, or in the user's cache where the source is read-only.
    Where neither can be written, numba refuses to cache; it is then compiled anew in each process.
    """
    try:
        made: Any = njit(cache=True, nogil=True)(function)
    except RuntimeError:
        made = njit(nogil=True)(function)
    return cast("F", made)


def seeds(seed: int | None, count: int) -> NDArray[np.uint64]:
    """Return one 64-bit starting state a simulation, so that results do not depend on threads.

    >>> len(seeds(1, 3)), bool((seeds(1, 3) == seeds(1, 3)).all())
    (3, True)
    """
    state = np.random.SeedSequence(seed).generate_state(count, np.uint64)
    return np.asarray(state, dtype=np.uint64)


@compiled
def draw_below(state: NDArray[np.uint64], bound: int) -> Any:
    """Draw an integer from 0 to ``bound - 1``, below 2³², and advance ``state`` (one element).

    SplitMix64 (Steele, Lea and Flood 2014), and Lemire's (2019) multiplication with rejection,
    which favours no value.
    """
    span = np.uint64(bound)
    while True:
        state[0] += _GOLDEN
        z = state[0]
        z = (z ^ (z >> _30)) * _MIX_1
        z = (z ^ (z >> _27)) * _MIX_2
        z = z ^ (z >> _31)
        product = (z >> _32) * span
        low = product & _LOW
        if low >= span or low >= (_SPAN - span) % span:
            return np.int64(product >> _32)
