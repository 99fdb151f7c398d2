"""Kernel density of events on a grid, in space and in space-time."""

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.signal import fftconvolve

from geo_service.analysis.compiled import compiled
from geo_service.analysis.metric import checked_length, metres
from geo_service.analysis.weights import Floats

Kernel = Literal["quartic", "gaussian"]
KERNELS = ("quartic", "gaussian")

MOST_PIXELS = 50_000_000
"""More pixels than this are refused: 0.4 GB of densities."""

CHUNK = 1 << 22
"""Elements of a Gaussian factor held at a time."""

SQUARE_KILOMETRE = 1e6


@dataclass(frozen=True)
class Surface:
    """Densities in events per km², a row a ``y`` and a column an ``x``, the centres of the pixels.

    ``x`` and ``y`` ascend, in metres. ``events`` is how many events (or how much weight) it is of.
    """

    values: Floats
    x: Floats
    y: Floats
    bandwidth: float
    kernel: Kernel
    events: float

    @property
    def pixel(self) -> float:
        """The side of a pixel in metres."""
        return float(self.x[1] - self.x[0])


def kde(
    x: ArrayLike,
    y: ArrayLike,
    *,
    bandwidth: float,
    pixel: float,
    kernel: Kernel = "quartic",
    bounds: tuple[float, float, float, float] | None = None,
    weights: ArrayLike | None = None,
    area: Any = None,
) -> Surface:
    """Return the kernel density of events on a grid, exact at the centre of every pixel.

    ``x`` and ``y`` are metres, as are ``pixel`` (the side), ``bounds`` (west, south, east, north;
    by default those of ``area``, or of the events and one reach more) and ``bandwidth``: the radius
    at which the quartic kernel ends, or the standard deviation of the Gaussian, which is not cut
    off. The quartic kernel with radius h is about as smooth as a Gaussian of h / √8.

    With ``area``, a polygon in the same metres, the density is zero outside it, and inside divided
    by the part of the kernel that lies within (Jones 1993), so that the rim is not shown emptier
    than it is; that part is summed over the pixels whose centre lies in the area.

    Raises ValueError for degrees, lengths that are not positive, weights that do not fit, and a
    grid of more than fifty million pixels.

    Source: B. W. Silverman, "Density Estimation" (1986), section 4.2, equation 4.5 for the quartic;
    M. C. Jones, Statistics and Computing 3 (1993) 135-146, for the rim.

    >>> one = kde([0.0], [0.0], bandwidth=500, pixel=100, bounds=(-550, -550, 550, 550))
    >>> one.values.shape, round(float(one.values.max()), 3), round(float(one.values.sum()) / 100, 2)
    ((11, 11), 3.82, 1.0)
    """
    east, north = metres(x, y)
    reach = checked_length(bandwidth, "bandwidth")
    side = checked_length(pixel, "pixel size")
    _check_kernel(kernel)
    weight = _checked_weights(weights, east.size)
    grid_x, grid_y = _pixels(
        east, north, side, bounds=bounds, area=area, reach=_reach(reach, kernel)
    )
    add = _quartic if kernel == "quartic" else _gaussian
    values = add(east, north, weight, grid_x, grid_y, reach) * SQUARE_KILOMETRE
    if area is not None:
        inside, part = _inside(area, grid_x, grid_y, reach, kernel)
        values = np.where(inside, values / np.where(inside, part, 1.0), 0.0)
    return Surface(values, grid_x, grid_y, reach, kernel, float(weight.sum()))


def space_time_density(
    x: ArrayLike,
    y: ArrayLike,
    t: ArrayLike,
    at: ArrayLike,
    *,
    bandwidth: float,
    days: float,
    pixel: float,
    kernel: Kernel = "quartic",
    bounds: tuple[float, float, float, float] | None = None,
    area: Any = None,
) -> list[Surface]:
    """Return the density at each time of ``at``, in events per km² and day, by a product kernel.

    ``t`` and ``at`` are days; ``days`` is the bandwidth in time, as ``bandwidth`` is in space: half
    the length of the quartic kernel or the standard deviation of the Gaussian. All surfaces share
    their grid. Other parameters and errors as :func:`kde`.

    Source: C. Brunsdon, J. Corcoran and G. Higgs, Computers, Environment and Urban Systems 31
    (2007) 52-75.

    >>> found = space_time_density([0.0], [0.0], [5.0], [5, 20], bandwidth=500, days=7, pixel=100)
    >>> [round(float(s.values.max()), 2) for s in found]
    [0.49, 0.0]
    """
    east, north = metres(x, y)
    day, moments = np.asarray(t, dtype=np.float64), np.asarray(at, dtype=np.float64)
    if day.shape != east.shape or not np.isfinite(day).all() or not np.isfinite(moments).all():
        raise ValueError("Every event needs a time, as a number of days.")
    if not (math.isfinite(days) and days > 0):
        raise ValueError(f"The bandwidth in time must be a positive number of days, not {days}.")
    _check_kernel(kernel)
    side, span = checked_length(pixel, "pixel size"), checked_length(bandwidth, "bandwidth")
    if bounds is None and area is None:
        bounds = _around(east, north, _reach(span, kernel))
    found = []
    for moment in moments:
        u = (day - moment) / days
        if kernel == "quartic":
            weight = np.where(np.abs(u) < 1, 15 / 16 * (1 - u**2) ** 2, 0.0) / days
        else:
            weight = np.exp(-(u**2) / 2) / (days * math.sqrt(2 * math.pi))
        near = weight > 0
        surface = kde(
            east[near],
            north[near],
            bandwidth=span,
            pixel=side,
            kernel=kernel,
            bounds=bounds,
            weights=weight[near],
            area=area,
        )
        found.append(replace(surface, events=float(near.sum())))
    return found


def _check_kernel(kernel: str) -> None:
    if kernel not in KERNELS:
        raise ValueError(f"The kernel must be one of {', '.join(KERNELS)}.")


def _checked_weights(weights: ArrayLike | None, n: int) -> Floats:
    if weights is None:
        return np.ones(n)
    weight = np.asarray(weights, dtype=np.float64)
    if weight.shape != (n,) or not np.isfinite(weight).all() or (weight < 0).any():
        raise ValueError(f"The weights must be {n} numbers that are not negative.")
    return weight


def _reach(bandwidth: float, kernel: Kernel) -> float:
    return bandwidth if kernel == "quartic" else 6 * bandwidth


def _around(x: Floats, y: Floats, reach: float) -> tuple[float, float, float, float]:
    if not x.size:
        raise ValueError("There are no events, and neither bounds nor an area to cover.")
    return (x.min() - reach, y.min() - reach, x.max() + reach, y.max() + reach)


def _pixels(
    x: Floats,
    y: Floats,
    side: float,
    *,
    bounds: tuple[float, float, float, float] | None,
    area: Any,
    reach: float,
) -> tuple[Floats, Floats]:
    if bounds is None:
        bounds = _around(x, y, reach) if area is None else area.bounds
    west, south, east, north = bounds
    if not (west < east and south < north):
        raise ValueError("The bounds must be west, south, east, north, in metres.")
    columns, rows = (max(2, math.ceil(d / side - 1e-9)) for d in (east - west, north - south))
    if columns * rows > MOST_PIXELS:
        raise ValueError(f"Pixels of {side:g} m would be {columns * rows:,}: take larger ones.")
    return west + (np.arange(columns) + 0.5) * side, south + (np.arange(rows) + 0.5) * side


def _gaussian(  # noqa: PLR0917 - as the compiled one, which takes arguments by place
    x: Floats, y: Floats, weight: Floats, grid_x: Floats, grid_y: Floats, sd: float
) -> Floats:
    """Sum Gaussians on the grid: e^-(dx² + dy²) is a product, so the sum is one of matrices."""
    total = np.zeros((grid_y.size, grid_x.size))
    chunk = max(1, CHUNK // max(grid_x.size, grid_y.size))
    for start in range(0, x.size, chunk):
        part = slice(start, start + chunk)
        across = np.exp(-(((grid_x - x[part, None]) / sd) ** 2) / 2)
        along = np.exp(-(((grid_y - y[part, None]) / sd) ** 2) / 2) * weight[part, None]
        total += along.T @ across
    return np.asarray(total / (2 * math.pi * sd**2))


@compiled
def _quartic(  # noqa: PLR0917
    x: Floats, y: Floats, weight: Floats, grid_x: Floats, grid_y: Floats, radius: float
) -> Floats:
    """Sum quartic kernels on the grid, each over the pixels it reaches."""
    columns, rows = grid_x.size, grid_y.size
    total = np.zeros((rows, columns))
    side = grid_x[1] - grid_x[0]
    scale = 3.0 / (np.pi * radius * radius)
    for i in range(x.size):
        low = max(0, int(np.ceil((y[i] - radius - grid_y[0]) / side)))
        high = min(rows - 1, int(np.floor((y[i] + radius - grid_y[0]) / side)))
        for row in range(low, high + 1):
            dy = (grid_y[row] - y[i]) / radius
            left = 1.0 - dy * dy
            if left <= 0:
                continue
            half = radius * np.sqrt(left)
            first = max(0, int(np.ceil((x[i] - half - grid_x[0]) / side)))
            last = min(columns - 1, int(np.floor((x[i] + half - grid_x[0]) / side)))
            for column in range(first, last + 1):
                dx = (grid_x[column] - x[i]) / radius
                u = max(0.0, left - dx * dx)
                total[row, column] += weight[i] * scale * u * u
    return total


def _inside(
    area: Any, grid_x: Floats, grid_y: Floats, bandwidth: float, kernel: Kernel
) -> tuple[NDArray[np.bool_], Floats]:
    """Return which pixels lie in the area, and how much of a kernel at each lies in it."""
    shapely.prepare(area)
    across, along = np.meshgrid(grid_x, grid_y)
    inside = np.asarray(shapely.intersects_xy(area, across.ravel(), along.ravel()))
    inside = inside.reshape(across.shape)
    side = grid_x[1] - grid_x[0]
    steps = math.ceil(_reach(bandwidth, kernel) / side)
    offset = np.arange(-steps, steps + 1) * side
    squared = (offset[:, None] ** 2 + offset**2) / bandwidth**2
    shape = np.maximum(1 - squared, 0) ** 2 if kernel == "quartic" else np.exp(-squared / 2)
    part = fftconvolve(inside.astype(np.float64), shape / shape.sum(), mode="same")
    # A pixel in the area has at least itself of its kernel inside.
    return inside, np.clip(part, shape.max() / shape.sum(), 1.0)
