"""Contours of a density: the places that hold a given part of it, and the events inside."""

import math
from itertools import pairwise
from typing import Any, NamedTuple

import contourpy
import numpy as np
import shapely
from numpy.typing import ArrayLike

from geo_service.analysis.density import SQUARE_KILOMETRE, Surface
from geo_service.analysis.metric import metres


class Contour(NamedTuple):
    """Where the density is at least ``level`` (events per km²), and what lies inside."""

    level: float
    polygon: Any
    area_km2: float
    events: int
    share: float


def volume_level(surface: Surface, share: float) -> float:
    """Return the density above which the densest places hold ``share`` of the whole density.

    >>> flat = Surface(np.array([[1.0, 2.0, 5.0]]), np.arange(3.0), np.zeros(1), 1, "quartic", 8)
    >>> volume_level(flat, 0.5), volume_level(flat, 0.8)
    (5.0, 2.0)
    """
    if not 0 < share <= 1:
        raise ValueError(f"The share must lie between 0 and 1, not {share}.")
    ordered = np.sort(surface.values, axis=None)[::-1]
    volume = np.cumsum(ordered)
    if not volume[-1] > 0:
        raise ValueError("The density is zero everywhere.")
    return float(ordered[np.searchsorted(volume, share * volume[-1] * (1 - 1e-12))])


def contours(
    surface: Surface,
    x: ArrayLike,
    y: ArrayLike,
    *,
    levels: ArrayLike | None = None,
    volumes: tuple[float, ...] = (0.5, 0.75, 0.95),
    area: Any = None,
) -> list[Contour]:
    """Return where the density exceeds each level, as polygons, and how many events lie inside.

    ``x`` and ``y`` are the events to count, in metres, usually those of the surface. The levels are
    ``levels`` in events per km², or else those above which the given parts of the density lie. The
    share is counted, not assumed. ``area`` clips the polygons. Highest level first; a level that
    nothing reaches has an empty polygon.

    >>> from geo_service.analysis.density import kde
    >>> rng = np.random.default_rng(1)
    >>> x, y = rng.normal(0, 300, (2, 500))
    >>> half, most = contours(
    ...     kde(x, y, bandwidth=200, pixel=20), x, y, volumes=(0.5, 0.9))
    >>> half.area_km2 < most.area_km2, round(half.share, 2), round(most.share, 2)
    (True, 0.52, 0.92)
    """
    east, north = metres(x, y)
    if levels is None:
        heights = [volume_level(surface, share) for share in volumes]
    else:
        heights = [float(level) for level in np.asarray(levels, dtype=np.float64).ravel()]
    if any(not (math.isfinite(height) and height > 0) for height in heights):
        raise ValueError("The level of a contour must be positive.")
    # A rim of zeros closes the contours that reach the edge of the grid.
    side = surface.pixel
    generator = contourpy.contour_generator(
        np.concatenate([[surface.x[0] - side], surface.x, [surface.x[-1] + side]]),
        np.concatenate([[surface.y[0] - side], surface.y, [surface.y[-1] + side]]),
        np.pad(surface.values, 1),
        fill_type=contourpy.FillType.OuterOffset,
    )
    found = []
    for height in sorted(heights, reverse=True):
        polygon = _polygon(generator.filled(height, np.inf))
        if area is not None:
            polygon = shapely.intersection(polygon, area)
        shapely.prepare(polygon)
        inside = int(shapely.intersects_xy(polygon, east, north).sum())
        size = float(shapely.area(polygon)) / SQUARE_KILOMETRE
        found.append(Contour(height, polygon, size, inside, inside / max(east.size, 1)))
    return found


def _polygon(filled: Any) -> Any:
    parts = []
    for points, offsets in zip(*filled, strict=True):
        rings = [points[a:b] for a, b in pairwise(offsets) if b - a > 3]
        if rings:
            parts.append(shapely.Polygon(rings[0], rings[1:]))
    merged = shapely.union_all(shapely.make_valid(np.array(parts, dtype=object)))
    return merged if parts else shapely.MultiPolygon()
