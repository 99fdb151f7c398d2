"""Clusters of events by density: DBSCAN, HDBSCAN, ST-DBSCAN, and what to say of each."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from sklearn.cluster import DBSCAN, HDBSCAN

from geo_service.analysis.metric import checked_length, metres
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.weights import Floats, Ints

NOISE = -1

MOST_PAIRS = 100_000_000
"""More pairs of events in reach of each other than this do not fit into memory."""

HOLLOW = 0.3
"""How far a hull may follow the events inwards: 1 is the convex hull, 0 the most jagged."""


@dataclass(frozen=True)
class Cluster:
    """A cluster of events, in metres of the CRS of its events.

    ``hull`` is a concave hull that holds every event: a polygon, or a line or point where the
    events lie on one. ``radius`` is that of the least circle around them. ``start`` and ``end`` are
    the first and the last time, where times were given.
    """

    label: int
    count: int
    hull: Any
    area_km2: float
    centre: tuple[float, float]
    radius: float
    start: np.datetime64 | None
    end: np.datetime64 | None
    summary: Sentence


def dbscan(x: ArrayLike, y: ArrayLike, *, distance: float, least: int) -> Ints:
    """Return the DBSCAN cluster of each event, −1 for noise.

    ``x``, ``y`` and ``distance`` are metres. An event with ``least`` events within ``distance``,
    itself among them, is the core of a cluster. Raises ValueError for degrees, for numbers that are
    not positive, and where too many events are in reach of each other.

    Source: M. Ester, H.-P. Kriegel, J. Sander and X. Xu, KDD 1996, 226-231; scikit-learn.

    >>> dbscan([0, 10, 20, 500], [0, 0, 0, 0], distance=15, least=2).tolist()
    [0, 0, 0, -1]
    """
    points = np.column_stack(metres(x, y))
    reach = checked_length(distance, "distance")
    _check_least(least)
    if not len(points):
        return np.empty(0, dtype=np.int64)
    _check_pairs(points, reach)
    return np.asarray(DBSCAN(eps=reach, min_samples=least).fit_predict(points), dtype=np.int64)


def hdbscan(x: ArrayLike, y: ArrayLike, *, smallest: int, least: int | None = None) -> Ints:
    """Return the HDBSCAN cluster of each event, −1 for noise; no distance need be chosen.

    ``x`` and ``y`` are metres, ``smallest`` the fewest events that make a cluster, ``least`` the
    events by which density is measured (by default ``smallest``). Raises ValueError for degrees,
    and for fewer events than ``smallest``.

    Source: R. J. G. B. Campello, D. Moulavi and J. Sander, PAKDD 2013, 160-172; scikit-learn.

    >>> hdbscan([0, 1, 2, 500, 501, 502], [0.0] * 6, smallest=3).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    points = np.column_stack(metres(x, y))
    if smallest < 2:
        raise ValueError(f"A cluster has two events at least, not {smallest}.")
    samples = smallest if least is None else least
    _check_least(samples)
    if len(points) < max(smallest, samples):
        raise ValueError(f"{len(points)} events are too few for clusters of {smallest}.")
    model = HDBSCAN(min_cluster_size=smallest, min_samples=samples, copy=True)
    return np.asarray(model.fit_predict(points), dtype=np.int64)


def st_dbscan(
    x: ArrayLike, y: ArrayLike, t: ArrayLike, *, distance: float, days: float, least: int
) -> Ints:
    """Return the cluster of each event in space and time together, −1 for noise.

    ``x``, ``y`` and ``distance`` are metres, ``t`` and ``days`` days. Events are in reach of each
    other within ``distance`` and within ``days``, bounds included; otherwise as :func:`dbscan`.
    Clusters are numbered by their first event. An event at the edge of several clusters goes to
    that of the lowest number. Of Birant and Kut's three thresholds, the third, on a measured value
    such as temperature, has no meaning for events and is left out.

    Source: D. Birant and A. Kut, "ST-DBSCAN", Data & Knowledge Engineering 60 (2007) 208-221.

    >>> x, y, t = [0, 1, 2, 0, 1], [0.0] * 5, [1, 1, 2, 90, 91]
    >>> st_dbscan(x, y, t, distance=5, days=3, least=2).tolist()
    [0, 0, 0, 1, 1]
    """
    points = np.column_stack(metres(x, y))
    day = np.asarray(t, dtype=np.float64)
    n = len(points)
    reach = checked_length(distance, "distance")
    if day.shape != (n,) or not np.isfinite(day).all():
        raise ValueError("Every event needs a time, as a number of days.")
    if not (math.isfinite(days) and days > 0):
        raise ValueError(f"The reach in time must be a positive number of days, not {days}.")
    _check_least(least)
    if not n:
        return np.empty(0, dtype=np.int64)
    _check_pairs(points, reach)
    pair = cKDTree(points).query_pairs(reach, output_type="ndarray")
    pair = pair[np.abs(day[pair[:, 0]] - day[pair[:, 1]]) <= days]
    first, second = np.concatenate([pair, pair[:, ::-1]]).T
    core = 1 + np.bincount(first, minlength=n) >= least
    both = core[first] & core[second]
    links = sparse.csr_array((np.ones(int(both.sum())), (first[both], second[both])), shape=(n, n))
    _, component = connected_components(links, directed=False)
    none = n
    label = np.where(core, component, none).astype(np.int64)
    reached = core[first] & ~core[second]
    # Components are numbered by their first core; an edge event may come before it.
    np.minimum.at(label, second[reached], component[first[reached]].astype(np.int64))
    member = np.flatnonzero(label < none)
    found, at = np.unique(label[member], return_index=True)
    rank = np.empty(n + 1, dtype=np.int64)
    rank[none] = NOISE
    rank[found[np.argsort(at)]] = np.arange(len(found))
    return rank[label]


def describe(
    x: ArrayLike,
    y: ArrayLike,
    labels: ArrayLike,
    *,
    times: NDArray[np.datetime64] | None = None,
) -> list[Cluster]:
    """Return each cluster with its hull, its figures and a sentence, the largest first.

    ``x`` and ``y`` are metres, ``labels`` as the functions above return them, ``times`` the local
    time of each event. Raises ValueError where they do not fit each other.

    >>> found = describe([0, 100, 100, 0, 900], [0, 0, 100, 100, 0], [0, 0, 0, 0, -1])
    >>> found[0].summary.en, found[0].summary.zh
    ('4 events in 0.010 km², within 71 m of their middle', '4 起，范围 0.010 平方公里，半径 71 米')
    """
    east, north = metres(x, y)
    label = np.asarray(labels)
    if label.shape != east.shape or not np.issubdtype(label.dtype, np.integer):
        raise ValueError(f"There are {east.size} events, but labels of shape {label.shape}.")
    if times is not None and (times.shape != east.shape or np.isnat(times).any()):
        raise ValueError("Every event needs a time, or none.")
    found = []
    for number in np.unique(label[label >= 0]):
        mine = label == number
        hull = _hull(east[mine], north[mine])
        radius = float(shapely.minimum_bounding_radius(hull))
        middle = shapely.centroid(shapely.minimum_bounding_circle(hull) if radius else hull)
        area = float(hull.area) / 1e6
        start = None if times is None else times[mine].min()
        end = None if times is None else times[mine].max()
        found.append(
            Cluster(
                label=int(number),
                count=int(mine.sum()),
                hull=hull,
                area_km2=area,
                centre=(float(middle.x), float(middle.y)),
                radius=radius,
                start=start,
                end=end,
                summary=_summary(int(mine.sum()), hull, radius, start, end),
            )
        )
    return sorted(found, key=lambda cluster: (-cluster.count, cluster.label))


def _hull(x: Floats, y: Floats) -> Any:
    points = shapely.MultiPoint(np.unique(np.column_stack([x, y]), axis=0))
    convex = shapely.convex_hull(points)
    if convex.geom_type != "Polygon":
        return convex
    concave = shapely.concave_hull(points, ratio=HOLLOW)
    # Rounding may leave an event a hair outside, or make no polygon of nearly straight events.
    sound = concave.geom_type == "Polygon" and concave.is_valid
    if sound and shapely.distance(concave, shapely.get_parts(points)).max() < 1e-6:
        return concave
    return convex


def _summary(
    count: int,
    hull: Any,
    radius: float,
    start: np.datetime64 | None,
    end: np.datetime64 | None,
) -> Sentence:
    area = float(hull.area) / 1e6
    if radius == 0:
        zh, en = f"{count} 起，在同一地点", f"{count} events in one place"
    elif area == 0:
        zh = f"{count} 起，沿一条线，长 {hull.length:.0f} 米"
        en = f"{count} events along a line of {hull.length:.0f} m"
    else:
        zh = f"{count} 起，范围 {area:.3f} 平方公里，半径 {radius:.0f} 米"
        en = f"{count} events in {area:.3f} km², within {radius:.0f} m of their middle"
    if start is not None and end is not None:
        first, last = (np.datetime_as_string(moment, unit="D") for moment in (start, end))
        if first == last:
            return Sentence(f"{zh}，{first}", f"{en}, on {first}")
        return Sentence(f"{zh}，{first} 至 {last}", f"{en}, from {first} to {last}")
    return Sentence(zh, en)


def _check_least(least: int) -> None:
    if least < 1:
        raise ValueError(f"The fewest events around a core must be positive, not {least}.")


def _check_pairs(points: Floats, reach: float) -> None:
    tree = cKDTree(points)
    pairs = int(tree.count_neighbors(tree, reach))
    if pairs > MOST_PAIRS:
        raise ValueError(
            f"Within {reach:g} m there are {pairs:,} pairs of events, too many to hold: "
            "take a shorter distance or a shorter window."
        )
