"""Mid-lines between buildings: where a boundary can run as far from every wall as possible."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo_service.boundaries.lattice import Shape

STEP = 3.0
"""Metres between the places on walls that mid-lines are measured from."""

JITTER = 0.005

SMOOTH = 3.0
"""Metres: bends of a mid-line that span less than this squared are straightened."""


def cells(outlines: NDArray[Any], within: Shape) -> NDArray[Any]:
    """Return for each of n outlines (metres) the part of ``within`` that is nearest to it.

    The cells fill ``within``, without overlap; their shared edges are the mid-lines between the
    outlines (a generalised Voronoi diagram, by points every 3 m along the walls), without small
    bends. A cell is empty where its outline is far outside, or drawn twice.

    >>> houses = shapely.box([0, 20], 0, [10, 30], 10)
    >>> [round(part.area) for part in cells(houses, shapely.box(-5, -5, 35, 15))]
    [400, 400]
    """
    points, owner = shapely.get_coordinates(
        shapely.segmentize(shapely.boundary(outlines), STEP), return_index=True
    )
    points, first = np.unique(np.round(points, 3), axis=0, return_index=True)
    owner = owner[first]
    # Houses in rows put many points on one circle, where cells degenerate: 5 mm aside they do not.
    points = points + np.random.default_rng(0).uniform(-JITTER, JITTER, points.shape)
    if len(outlines) < 2 or len(points) < 3:
        made = np.full(len(outlines), within, dtype=object)
        made[1:] = shapely.Polygon()
        return made
    room = shapely.box(*shapely.total_bounds([within, *outlines])).buffer(10)
    near = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(points), extend_to=room, ordered=True)
    )
    order = np.argsort(owner, kind="stable")
    bounds = np.searchsorted(owner[order], np.arange(len(outlines) + 1))
    joined = np.full(len(outlines), shapely.Polygon(), dtype=object)
    for i in np.flatnonzero(np.diff(bounds)):
        joined[i] = shapely.coverage_union_all(near[order[bounds[i] : bounds[i + 1]]])
    # The second of two buildings drawn in one place has no cell.
    held = ~shapely.is_empty(joined)
    joined[held] = shapely.coverage_simplify(joined[held], SMOOTH, simplify_boundary=False)
    return np.asarray(shapely.intersection(joined, within), dtype=object)


def mid_lines(outlines: NDArray[Any], within: Shape) -> Shape:
    """Return the mid-lines between outlines (metres) inside a polygon, as one multilinestring.

    >>> houses = shapely.box([0, 20], 0, [10, 30], 10)
    >>> line = mid_lines(houses, shapely.box(-5, -5, 35, 15))
    >>> [round(value) for value in line.bounds], round(line.length)
    ([15, -5, 15, 15], 20)
    """
    if len(outlines) < 2:
        return shapely.MultiLineString()
    made = cells(outlines, shapely.buffer(within, 5, join_style="mitre"))
    lines = shapely.union_all(shapely.boundary(made))
    return shapely.intersection(shapely.line_merge(lines), within)
