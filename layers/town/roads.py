"""Roads: the plan's streets as rows."""

import geopandas as gpd
import numpy as np

from layers.town.blocks import Plan
from layers.town.coordinates import project, table


def roads(plan: Plan) -> gpd.GeoDataFrame:
    """Return the centre lines, which meet in shared vertices and are not cut by the river."""
    streets = plan.streets
    return table(
        {
            "code": [f"R{n:05d}" for n in range(1, len(streets) + 1)],
            "name": [s.name for s in streets],
            "road_class": [s.road_class for s in streets],
            "width": [s.width for s in streets],
        },
        project(np.array([s.line for s in streets], dtype=object)),
    )
