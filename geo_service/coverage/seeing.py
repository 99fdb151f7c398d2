"""What lies in the view of one camera, and what of it no other camera sees."""

from typing import Any

import numpy as np
import shapely

from geo_service.coverage.covers import Look
from geo_service.coverage.figures import GRID
from geo_service.coverage.optics import FIELDS
from geo_service.coverage.town import Town
from geo_service.coverage.views import camera_of


def sees(town: Town, code: str, look: Look, level: str) -> dict[str, Any]:
    """Return the roads, households and events in a camera's view at a level.

    ``alone_m2`` is the ground of the town that nobody else sees: what its loss would cost.
    ``assumed`` are columns of the layer with the values taken for what is not known. Raises
    Problem 404 for a camera that is not in sight, 422 for one whose view cannot be told.
    """
    camera = camera_of(town, code)
    made = town.cover(look, level)
    k, row = made.number[code], made.row(level)
    shape = made.shapes[k, row]
    shapely.prepare(shape)
    roads = np.asarray(town.standing.roads, dtype=object)
    near = roads[shapely.intersects(roads, shape)] if len(roads) else roads
    held = {
        name: round(float(points.weight[shapely.intersects_xy(shape, points.xy)].sum()), 3)
        for name, points in town.points.items()
    }
    grids = np.arange(len(town.standing.grids.shapes))
    alone = made.areas[row, GRID].losses(len(made.cameras), grids)[k]
    view, night = camera.sight.reach[0].view, camera.sight.night_range
    return {
        "code": code,
        "level": level,
        "area_m2": round(float(shape.area), 2),
        "alone_m2": round(max(float(alone), 0.0), 2),
        "road_m": round(float(shapely.length(shapely.intersection(near, shape)).sum()), 2),
        **held,
        "assumed": {
            column: getattr(view, name, night)
            for column, name in FIELDS.items()
            if name in camera.sight.assumed
        },
    }
