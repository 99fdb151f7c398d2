"""Which of many tests to believe."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def benjamini_hochberg(p: ArrayLike, alpha: float = 0.05) -> NDArray[np.bool_]:
    """Return which hypotheses to reject so that the false discovery rate is at most ``alpha``.

    ``p`` holds the p-values in any shape, of m tests in all; the mask has the same shape. With the
    p-values in order, all up to the largest k for which p_(k) ≤ α k / m are rejected. A p-value
    that meets its bound counts even where binary fractions cannot hold it (one part in 10¹²).

    Raises ValueError for a p-value that is missing or outside 0 to 1, and for ``alpha`` outside it.

    Source: Y. Benjamini and Y. Hochberg, "Controlling the false discovery rate", Journal of the
    Royal Statistical Society B 57 (1995) 289-300. It holds for independent tests and for positively
    dependent ones (Benjamini and Yekutieli 2001), as neighbouring cells are.

    >>> benjamini_hochberg([0.03, 0.9, 0.01, 0.02], alpha=0.04).tolist()
    [True, False, True, True]
    """
    values = np.asarray(p, dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("A p-value is missing or not between 0 and 1.")
    if not 0 < alpha < 1:
        raise ValueError(f"The false discovery rate must lie between 0 and 1, not {alpha}.")
    ordered = np.sort(values, axis=None)
    m = ordered.size
    kept = np.flatnonzero(ordered * m <= alpha * np.arange(1, m + 1) * (1 + 1e-12))
    if not kept.size:
        return np.zeros(values.shape, dtype=np.bool_)
    return np.asarray(values <= ordered[kept[-1]])
