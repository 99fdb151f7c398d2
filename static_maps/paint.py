"""Geometries as marks on a map. Coordinates are metres of the map's CRS."""

import numpy as np
import shapely
from geopandas import GeoSeries
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.path import Path
from numpy.typing import NDArray


def polygons(
    axes: Axes,
    shapes: GeoSeries,
    *,
    face: str = "none",
    edge: str = "none",
    width: float = 0,
    order: float,
) -> None:
    """Fill polygons, holes left open, and draw their edges ``width`` points wide."""
    paths = [_path(shape) for shape in shapes]
    axes.add_collection(
        PathCollection(
            paths,
            facecolors=face,
            edgecolors=edge,
            linewidths=width,
            joinstyle="round",
            zorder=order,
        ),
        autolim=False,
    )


def _path(shape: shapely.Geometry) -> Path:
    rings = shapely.get_rings(shapely.get_parts(shape))
    return Path.make_compound_path(*(Path(shapely.get_coordinates(r), closed=True) for r in rings))


def lines(
    axes: Axes, shapes: GeoSeries, *, color: str, widths: NDArray[np.float64], order: float
) -> None:
    """Draw lines, ``widths`` in points, one each."""
    parts, owner = shapely.get_parts(shapes.to_numpy(), return_index=True)
    axes.add_collection(
        LineCollection(
            [shapely.get_coordinates(part) for part in parts],
            colors=color,
            linewidths=widths[owner],
            capstyle="round",
            joinstyle="round",
            zorder=order,
        ),
        autolim=False,
    )


def wedges(places: NDArray[np.float64], azimuths: NDArray[np.float64], radius: float) -> GeoSeries:
    """Return sectors 60 degrees wide around azimuths in degrees clockwise from north.

    They tell which way a camera looks, not how far or how wide it sees.
    """
    turn = np.radians(azimuths[:, None] + np.linspace(-30, 30, 9))
    arc = np.stack([np.sin(turn), np.cos(turn)], axis=-1) * radius
    fan = np.concatenate([np.zeros((len(places), 1, 2)), arc], axis=1) + places[:, None, :]
    return GeoSeries(shapely.polygons(fan))
