"""Geometries for the map of a preview: GeoJSON that is no larger than a screen can show."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

MOST = 20_000
"""Vertices beyond which outlines are simplified."""

_SCREEN = 2_000
"""Parts of the whole extent that can be told apart."""

Box = tuple[float, float, float, float]


def drawing(
    shapes: Sequence[BaseGeometry | None], rows: Sequence[int], bad: Sequence[bool]
) -> tuple[dict[str, Any], Box | None]:
    """Return a GeoJSON FeatureCollection and its bounds (west, south, east, north).

    ``shapes`` are in EPSG:4326; missing ones are left out. Each feature has its row as id and
    tells in ``bad`` whether the row has problems. Bounds are None where there is nothing.

    >>> found, box = drawing([shapely.Point(116.5, 39.9), None], [1, 2], [False, True])
    >>> [(feature["id"], feature["properties"]) for feature in found["features"]], box
    ([(1, {'bad': False})], (116.5, 39.9, 116.5, 39.9))
    """
    found = np.array([None, *shapes], dtype=object)[1:]
    kept = np.flatnonzero(~shapely.is_missing(found) & ~shapely.is_empty(found))
    if not len(kept):
        return {"type": "FeatureCollection", "features": []}, None
    drawn = shapely.force_2d(found[kept])
    west, south, east, north = shapely.total_bounds(drawn).tolist()
    if shapely.get_num_coordinates(drawn).sum() > MOST:
        # Each by itself: gaps of half a pixel do not show.
        drawn = shapely.simplify(drawn, max(east - west, north - south) / _SCREEN)
    drawn = shapely.transform(drawn, lambda xy: np.round(xy, 7))
    features = [
        {
            "type": "Feature",
            "id": rows[at],
            "properties": {"bad": bool(bad[at])},
            "geometry": json.loads(text),
        }
        for at, text in zip(kept.tolist(), shapely.to_geojson(drawn), strict=True)
    ]
    return {"type": "FeatureCollection", "features": features}, (west, south, east, north)
