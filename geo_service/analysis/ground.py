"""What figures of a cover are wanted for: zones, roads, events and households, and the town."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import ArrayLike

from geo_service.analysis.metric import metres
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.views import Camera
from geo_service.analysis.weights import Floats


class Points(NamedTuple):
    """Points in metres (n, 2) with what each counts, such as events or households."""

    xy: Floats
    weight: Floats

    @classmethod
    def read(cls, xy: ArrayLike, weight: ArrayLike | None = None) -> "Points":
        """Return points, each counting 1 unless told; raises ValueError for what is missing."""
        places = np.array(xy, dtype=np.float64).reshape(-1, 2)
        metres(places[:, 0], places[:, 1])
        counts = np.ones(len(places)) if weight is None else np.array(weight, dtype=np.float64)
        if counts.shape != (len(places),) or not np.isfinite(counts).all() or (counts < 0).any():
            raise ValueError("Every point needs a weight of 0 or more.")
        return cls(places, counts)


@dataclass(frozen=True, eq=False)
class Ground:
    """What figures are wanted for.

    ``zones``: polygons by kind, such as grids, communities, or the surroundings of places (see
    :func:`surroundings`); those of one kind may overlap. ``lines``: roads. ``points``: events or
    households, as :class:`Points`. ``area``: the town; cameras that cannot see any of it are left
    out and told. ``everywhere`` is whether figures of the whole plane are wanted beside those of
    the zones, which takes as long again.
    """

    zones: Mapping[str, Any]
    lines: Any = ()
    points: Mapping[str, Points] | None = None
    area: Any = None
    everywhere: bool = True


def surroundings(places: Any, distance: float) -> Any:
    """Return the ground within a distance in metres of places, with arcs of 64 edges a quadrant.

    >>> round(surroundings([shapely.Point(0, 0)], 10)[0].area / (100 * math.pi), 4)
    0.9999
    """
    if not (math.isfinite(distance) and distance > 0):
        raise ValueError(f"The distance must be above 0 metres, not {distance}.")
    return shapely.buffer(np.array(places, dtype=object).reshape(-1), distance, quad_segs=64)


def far_out(camera: Camera, row: Any, ground: Ground) -> Sentence | None:
    """Return that a camera can see nothing of the town, where that is so."""
    if ground.area is None or not (math.isfinite(camera.x) and math.isfinite(camera.y)):
        return None
    if shapely.intersects(row[0], ground.area):
        return None
    away = shapely.distance(shapely.Point(camera.x, camera.y), ground.area)
    if away == 0:
        return None
    return Sentence(
        f"摄像机 {camera.code} 在辖区外 {away / 1000:.1f} 公里，看不到辖区，未计入。",
        f"Camera {camera.code} stands {away / 1000:.1f} km outside of the area and sees none of "
        "it: it is left out.",
    )
