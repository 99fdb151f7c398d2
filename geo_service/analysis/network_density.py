"""Kernel density along roads: events spread along the streets, not through the blocks."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.ops import substring

from geo_service.analysis.compiled import compiled
from geo_service.analysis.metric import checked_length, metres, refuse_degrees
from geo_service.analysis.weights import Floats, Ints

MOST_PATHS = 2_000_000
"""Most stretches of road one event may reach: beyond, the bandwidth is far above the blocks."""


@dataclass(frozen=True)
class Network:
    """Roads in metres, cut where they meet: each edge runs between two of the nodes."""

    edges: NDArray[np.object_]
    start: Ints
    end: Ints
    length: Floats

    @property
    def nodes(self) -> int:
        """How many junctions and dead ends there are."""
        return int(max(self.start.max(), self.end.max())) + 1


@dataclass(frozen=True)
class NetworkDensity:
    """Events per km of road, a value a lixel: an edge cut into pieces of equal length.

    ``edge`` is the edge of each lixel, ``start`` and ``end`` metres along it. ``events`` were
    spread; ``left_out`` lie too far from any road.
    """

    network: Network
    values: Floats
    edge: Ints
    start: Floats
    end: Floats
    events: int
    left_out: int

    def lines(self) -> NDArray[np.object_]:
        """Return the lixels as lines."""
        pieces = zip(self.edge, self.start, self.end, strict=True)
        return np.array([substring(self.network.edges[e], a, b) for e, a, b in pieces])


def network(lines: Any) -> Network:
    """Return roads as a network, cut at every crossing.

    ``lines`` are linestrings in metres. Roads that cross on the map are taken to meet, so a bridge
    joins the road below it. Ends within a millimetre are one node. Raises ValueError where there is
    no road, and for degrees.

    >>> ends = [[(-9, 0), (9, 0)], [(0, -9), (0, 9)]]
    >>> cross = network([shapely.LineString(pair) for pair in ends])
    >>> len(cross.edges), cross.nodes
    (4, 5)
    """
    roads = np.asarray(lines, dtype=object)
    if not len(roads) or (shapely.get_dimensions(roads) != 1).any():
        raise ValueError("The roads must be lines, one at least.")
    xy = shapely.get_coordinates(roads)
    refuse_degrees(xy[:, 0], xy[:, 1])
    edges = shapely.get_parts(shapely.line_merge(shapely.union_all(roads)))
    edges = edges[shapely.length(edges) > 0]
    first = shapely.get_coordinates(shapely.get_point(edges, 0))
    last = shapely.get_coordinates(shapely.get_point(edges, -1))
    _, node = np.unique(np.round(np.concatenate([first, last]), 3), axis=0, return_inverse=True)
    node = node.ravel().astype(np.int64)
    return Network(edges, node[: len(edges)], node[len(edges) :], shapely.length(edges))


def network_density(
    roads: Network,
    x: ArrayLike,
    y: ArrayLike,
    *,
    bandwidth: float,
    lixel: float = 10.0,
    continuous: bool = True,
    off_road: float = 100.0,
) -> NetworkDensity:
    """Return the equal-split kernel density of events along roads, in events per km.

    ``x`` and ``y`` are metres; each event is moved to the nearest road, or left out (and counted)
    where that is farther than ``off_road``. The quartic kernel reaches ``bandwidth`` metres along
    the roads, every path counted. At a junction of n edges it is split: ``continuous`` sends 2/n
    into each edge and (2 − n)/n back, so that the density has no step and a dead end turns the
    kernel round; otherwise 1/(n − 1) goes into each other edge, and beyond a dead end it is lost.
    Both keep the number of events where there is no dead end, which a plain kernel does not.

    Raises ValueError for degrees, lengths that are not positive, and a bandwidth so wide that one
    event reaches more than two million stretches of road.

    Source: A. Okabe, T. Satoh and K. Sugihara, International Journal of Geographical Information
    Science 23 (2009) 7-32; A. Okabe and K. Sugihara, "Spatial Analysis along Networks" (2012),
    chapter 9.

    >>> road = network([shapely.LineString([(0, 0), (1000, 0)])])
    >>> found = network_density(road, [500.0], [3.0], bandwidth=100, lixel=10)
    >>> round(float((found.values * (found.end - found.start)).sum() / 1000), 3)
    1.0
    """
    east, north = metres(x, y)
    reach, step = checked_length(bandwidth, "bandwidth"), checked_length(lixel, "length of a lixel")
    points = shapely.points(east, north)
    nearest = shapely.STRtree(roads.edges).nearest(points).astype(np.int64)
    beside = shapely.distance(points, roads.edges[nearest]) <= checked_length(off_road, "distance")
    edge = nearest[beside]
    along = shapely.line_locate_point(roads.edges[edge], points[beside])
    pieces = np.maximum(np.ceil(roads.length / step - 1e-9), 1).astype(np.int64)
    offset = np.concatenate([[0], np.cumsum(pieces)])
    ends = np.concatenate([roads.start, roads.end])
    # A half edge is an edge seen from one end: 2e from its start, 2e + 1 from its end.
    order = np.argsort(ends, kind="stable")
    half = np.where(order < len(roads.edges), 2 * order, 2 * (order - len(roads.edges)) + 1)
    first = np.searchsorted(ends[order], np.arange(roads.nodes + 1))
    values, complete = _spread(
        edge,
        along,
        roads.length,
        np.column_stack([roads.start, roads.end]),
        first,
        half,
        offset,
        reach,
        continuous,
    )
    if not complete:
        raise ValueError(
            f"Within {reach:g} m an event reaches more than {MOST_PATHS:,} stretches of road: "
            "take a smaller bandwidth."
        )
    owner = np.repeat(np.arange(len(pieces)), pieces)
    piece = roads.length[owner] / pieces[owner]
    place = np.arange(len(owner)) - offset[owner]
    return NetworkDensity(
        network=roads,
        values=values * 1000,
        edge=owner,
        start=place * piece,
        end=(place + 1) * piece,
        events=int(beside.sum()),
        left_out=int((~beside).sum()),
    )


@compiled
def _kernel(distance: float, reach: float) -> float:
    if distance >= reach:
        return 0.0
    u = distance / reach
    return 15.0 / (16.0 * reach) * (1.0 - u * u) ** 2


@compiled
def _spread(  # noqa: PLR0917 - compiled functions take arguments by place
    event_edge: Ints,
    event_along: Floats,
    length: Floats,
    node: Ints,
    first: Ints,
    half: Ints,
    offset: Ints,
    reach: float,
    continuous: bool,
) -> tuple[Floats, bool]:
    """Add the kernel of each event to the lixels it reaches; False where there are too many paths.

    A path waits as the half edge at whose node it arrives, how far it came, and what is left of it.
    """
    total = np.zeros(offset[-1])
    arriving = np.empty(MOST_PATHS + 64, np.int64)
    come = np.empty(MOST_PATHS + 64)
    left = np.empty(MOST_PATHS + 64)
    for i in range(event_edge.size):
        e, a = event_edge[i], event_along[i]
        piece = length[e] / (offset[e + 1] - offset[e])
        for k in range(offset[e], offset[e + 1]):
            total[k] += _kernel(abs((k - offset[e] + 0.5) * piece - a), reach)
        arriving[0], come[0], left[0] = 2 * e, a, 1.0
        arriving[1], come[1], left[1] = 2 * e + 1, length[e] - a, 1.0
        waiting, steps = 2, 0
        while waiting > 0:
            waiting -= 1
            at, d, w = arriving[waiting], come[waiting], left[waiting]
            if d >= reach:
                continue
            v = node[at // 2, at % 2]
            degree = first[v + 1] - first[v]
            for slot in range(first[v], first[v + 1]):
                out = half[slot]
                if continuous:
                    part = (2.0 - degree) / degree if out == at else 2.0 / degree
                else:
                    part = 0.0 if out == at else 1.0 / (degree - 1)
                if part == 0.0:
                    continue
                f = out // 2
                count = offset[f + 1] - offset[f]
                piece = length[f] / count
                for k in range(count):
                    away = d + (k + 0.5) * piece
                    if away >= reach:
                        break
                    lixel = offset[f] + k if out % 2 == 0 else offset[f + 1] - 1 - k
                    total[lixel] += w * part * _kernel(away, reach)
                if d + length[f] < reach:
                    steps += 1
                    if steps > MOST_PATHS or waiting >= MOST_PATHS:
                        return total, False
                    arriving[waiting] = 2 * f + 1 - out % 2
                    come[waiting], left[waiting] = d + length[f], w * part
                    waiting += 1
    return total, True
