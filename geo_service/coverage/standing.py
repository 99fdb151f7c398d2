"""What stands in a town and is looked at, in metres: grids, buildings, roads, places, ground."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace as changed
from typing import Any

import numpy as np
import psycopg
import shapely
from psycopg.rows import TupleRow
from pyproj import CRS

from geo_service.analysis.buildings import Buildings
from geo_service.analysis.ground import Points
from geo_service.analysis.metric import project_shapes
from geo_service.analysis.weights import Floats
from geo_service.coverage import rows
from geo_service.coverage.rows import Table
from geo_service.coverage.terrain import Relief, relief_of

ALONG = 8
"""Points along the outline of a building that stand for what is in it."""

BEFORE = 0.5
"""Metres that these points lie before the wall, so that they are on open ground."""


@dataclass(frozen=True, eq=False)
class Standing:
    """What stands in a town, and what is asked of it; in metres of ``crs``.

    ``fronts`` are points along the outlines of buildings, ``ALONG`` of each in turn.
    """

    crs: CRS
    grids: Table
    names: Mapping[str, str]
    buildings: Buildings
    codes: tuple[str, ...]
    households: Floats
    fronts: Floats
    heights_by_floors: int
    heights_unknown: int
    roads: Any
    widths: Floats
    places: Table
    zones: Table
    area: Any
    relief: Relief

    @property
    def grid_codes(self) -> tuple[str, ...]:
        """Codes of the grids in force, in order."""
        return self.grids.column(0)


def standing_of(connection: psycopg.Connection[TupleRow], grids: Table, crs: CRS) -> Standing:
    """Return what stands in a town with some grids, in metres of ``crs``."""
    found = rows.buildings(connection)
    shapes = _shapes(found.shapes, crs)
    heights = np.array([np.nan if h is None else h for h in found.column(1)], dtype=np.float64)
    areas = _areal(_shapes(grids.shapes, crs))
    places, zones, roads = rows.places(connection), rows.zones(connection), rows.roads(connection)
    area = shapely.union_all(areas)
    shapely.prepare(area)
    buildings = Buildings.read(shapes, heights)
    return Standing(
        crs=crs,
        grids=changed(grids, shapes=areas),
        names=rows.names(connection),
        buildings=buildings,
        codes=found.column(0),
        households=np.array(found.column(2), dtype=np.float64),
        fronts=_fronts(buildings.shapes),
        heights_by_floors=sum(found.column(3)),
        heights_unknown=sum(found.column(4)),
        roads=_shapes(roads.shapes, crs),
        widths=np.array(roads.column(0), dtype=np.float64),
        places=changed(places, shapes=_shapes(places.shapes, crs)),
        zones=changed(zones, shapes=_shapes(zones.shapes, crs)),
        area=area,
        relief=relief_of(area, crs),
    )


def points_of(standing: Standing, xy: Floats, count: Floats) -> tuple[dict[str, Points], int]:
    """Return households and events as points, and how many events were in buildings.

    What is in a building stands along its outline: inside, no camera sees anything.
    """
    event, building = standing.buildings.tree.query(shapely.points(xy), "within")
    event, first = np.unique(event, return_index=True)  # in one building only
    held = np.zeros(len(standing.codes))
    np.add.at(held, building[first], count[event])
    outside = np.ones(len(xy), dtype=bool)
    outside[event] = False
    lived, busy = np.flatnonzero(standing.households > 0), np.flatnonzero(held > 0)
    fronts = standing.fronts.reshape(-1, ALONG, 2)
    return {
        "households": Points.read(
            fronts[lived].reshape(-1, 2), np.repeat(standing.households[lived] / ALONG, ALONG)
        ),
        "events": Points.read(
            np.concatenate((xy[outside], fronts[busy].reshape(-1, 2))),
            np.concatenate((count[outside], np.repeat(held[busy] / ALONG, ALONG))),
        ),
    }, round(float(held.sum()))


def metres_of(xy: Floats, crs: CRS) -> Floats:
    """Return places in degrees (n, 2) in metres of ``crs``."""
    points = shapely.points(xy)
    made: Floats = shapely.get_coordinates(_shapes(points, crs)).reshape(-1, 2)
    return made


def _shapes(shapes: Any, crs: CRS) -> Any:
    return project_shapes(shapes, 4326, crs) if len(shapes) else shapes


def _areal(shapes: Any) -> Any:
    """Return polygons valid again where projecting has bent one, which next to never happens."""
    wrong = ~shapely.is_valid(shapes)
    if wrong.any():
        shapes = shapes.copy()
        shapes[wrong] = shapely.buffer(shapes[wrong], 0)
    return shapes


def _fronts(buildings: Any) -> Floats:
    """Return points all along each building's outline, a little before the wall."""
    if not len(buildings):
        return np.zeros((0, 2))
    around = shapely.buffer(buildings, BEFORE, join_style="mitre")
    several = shapely.get_type_id(around) != 3
    around[several] = shapely.convex_hull(around[several])
    rings = shapely.get_exterior_ring(around)
    at = np.arange(ALONG) / ALONG
    made: Floats = shapely.get_coordinates(
        shapely.line_interpolate_point(rings[:, None], at, normalized=True)
    )
    return made
