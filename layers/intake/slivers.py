"""What looks odd about a coverage though nothing is wrong: thin shapes, open gaps, T-junctions."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod

from layers.intake.cleaning import metres_a_degree
from layers.intake.coordinates import Geometries
from layers.intake.coverage import WIDTH
from layers.intake.report import Words

_ELLIPSOID = Geod(ellps="WGS84")
_ON_EDGE = 0.002
"""Metres within which a vertex lies on an edge: the lattice has about 1 mm."""
_LONG = 10
"""A thin gap is so many times longer than wide; the point of every notch would be one otherwise."""

Kind = Literal["polygon", "gap", "junction", "multipart"]


class Oddity(NamedTuple):
    """Something to look at. ``first`` is a position, ``codes`` the grids, the place in degrees.

    ``area`` is in m² (0 for a junction), ``width`` in metres where something is thin.
    """

    kind: Kind
    first: int
    codes: tuple[str, ...]
    longitude: float
    latitude: float
    area: float
    width: float | None
    words: Words


def oddities(codes: Sequence[str], grids: Geometries, *, width: float = WIDTH) -> list[Oddity]:
    """Return what is odd about valid polygons in EPSG:4326 that are to form a coverage.

    ``polygon``: a polygon, or a part of one, thinner than ``width`` metres. ``gap``: a gap between
    grids thinner than that and open to the outside, where ``coverage.faults`` sees none. Widths are
    twice the area over the perimeter, which is that of a long strip. ``junction``: a vertex on an
    edge of a neighbour that has none there. ``multipart``: a grid in several parts.

    >>> west, east = shapely.box(117, 31, 117.01, 31.01), shapely.box(117.01, 31, 117.02, 31.005)
    >>> [(o.kind, o.codes) for o in oddities(["w", "e"], np.array([west, east]))]
    [('junction', ('e', 'w'))]
    """
    if len(grids) == 0:
        return []
    west, south, east, north = shapely.total_bounds(grids)
    scale = metres_a_degree((west + east) / 2, (south + north) / 2)
    flat = shapely.transform(grids, lambda places: places * scale)
    return [
        *_polygons(codes, flat, scale, width),
        *_gaps(codes, flat, scale, width),
        *_junctions(codes, flat, scale),
        *_multiparts(codes, grids),
    ]


def thickness(shape: shapely.Geometry) -> float:
    """Return twice the area of a polygon over its perimeter: the width of a long strip.

    >>> round(thickness(shapely.box(0, 0, 100, 1)), 2)
    0.99
    """
    around = float(shapely.length(shape))
    return 2 * float(shapely.area(shape)) / around if around else 0.0


def _polygons(
    codes: Sequence[str], flat: Geometries, scale: NDArray[np.float64], width: float
) -> Iterator[Oddity]:
    parts, owners = shapely.get_parts(flat, return_index=True)
    wide = 2 * shapely.area(parts) / shapely.length(parts)
    for at in np.flatnonzero(wide < width).tolist():
        i, part = int(owners[at]), parts[at]
        x, y = _point(part, scale)
        area, metres = float(part.area), float(wide[at])
        yield Oddity(
            "polygon", i, (codes[i],), x, y, area, metres,
            Words(
                f"网格 {codes[i]} 有狭长的面：宽约 {metres:.2f} 米，{_size(area)} 平方米，"
                f"位置 {_at(x, y)}。",
                f"Grid {codes[i]} has a thin polygon, about {metres:.2f} m wide and {_size(area)} "
                f"m², at {_at(x, y)}.",
            ),
        )  # fmt: skip


def _gaps(
    codes: Sequence[str], flat: Geometries, scale: NDArray[np.float64], width: float
) -> Iterator[Oddity]:
    # Closing: what a disc of that width cannot enter from outside is filled.
    whole = shapely.polygons([part.exterior for part in shapely.get_parts(shapely.union_all(flat))])
    outline = shapely.union_all(whole)
    closed = outline.buffer(width / 2, join_style="mitre").buffer(-width / 2, join_style="mitre")
    pieces = shapely.get_parts(shapely.difference(closed, outline))
    tree = shapely.STRtree(flat)
    for piece in pieces:
        if piece.geom_type != "Polygon" or piece.area < _ON_EDGE * width:
            continue
        metres = thickness(piece)
        if metres <= 0 or piece.length / 2 < _LONG * metres:
            continue
        around = tree.query(piece, predicate="dwithin", distance=_ON_EDGE)
        if len(around) < 2:
            continue  # a notch of one grid
        near = shapely.buffer(piece, _ON_EDGE)
        edge = shapely.length(shapely.intersection(shapely.boundary(flat[around]), near))
        around = around[np.argsort(-edge, kind="stable")]
        first, second = int(around[0]), int(around[1])
        x, y = _point(piece, scale)
        area = float(piece.area)
        yield Oddity(
            "gap", first, (codes[first], codes[second]), x, y, area, metres,
            Words(
                f"网格 {codes[first]} 与 {codes[second]} 之间有狭缝：宽约 {metres:.2f} 米，"
                f"{_size(area)} 平方米，位置 {_at(x, y)}。",
                f"There is a thin gap between grids {codes[first]} and {codes[second]}, about "
                f"{metres:.2f} m wide and {_size(area)} m², at {_at(x, y)}.",
            ),
        )  # fmt: skip


def _junctions(
    codes: Sequence[str], flat: Geometries, scale: NDArray[np.float64]
) -> Iterator[Oddity]:
    edges, owners = _edges(flat)
    places, holders = shapely.get_coordinates(flat, return_index=True)
    places, at = np.unique(np.column_stack([places, holders]), axis=0, return_index=True)
    holders, places = holders[at], places[:, :2]
    dots = shapely.points(places)
    dot, edge = shapely.STRtree(edges).query(dots, predicate="dwithin", distance=_ON_EDGE)
    strange = holders[dot] != owners[edge]
    dot, edge = dot[strange], edge[strange]
    ends = shapely.get_coordinates(edges[edge]).reshape(-1, 2, 2)
    away = np.linalg.norm(ends - places[dot][:, None, :], axis=2).min(axis=1)
    dot, edge = dot[away > _ON_EDGE], edge[away > _ON_EDGE]
    # The neighbour may have its vertex there on another edge, where its outline is dented.
    pairs = np.unique(np.column_stack([dot, owners[edge]]), axis=0)
    for a, owner in pairs.tolist():
        i = int(holders[a])
        x, y = (places[a] / scale).tolist()
        yield Oddity(
            "junction", i, (codes[i], codes[owner]), x, y, 0.0, None,
            Words(
                f"网格 {codes[i]} 的顶点落在 {codes[owner]} 的边上，而后者在此没有顶点，"
                f"位置 {_at(x, y)}。",
                f"A vertex of grid {codes[i]} lies on an edge of {codes[owner]}, which has none "
                f"there, at {_at(x, y)}.",
            ),
        )  # fmt: skip


def _edges(flat: Geometries) -> tuple[Geometries, NDArray[np.int64]]:
    """Return every edge of polygons as a line, and whose it is."""
    parts, holders = shapely.get_parts(flat, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)  # of polygons, not of multipolygons
    places, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    starts, ends = places[:-1][same], places[1:][same]
    lines = shapely.linestrings(np.stack([starts, ends], axis=1))
    return lines, holders[part[ring[:-1][same]]]


def _multiparts(codes: Sequence[str], grids: Geometries) -> Iterator[Oddity]:
    for i in np.flatnonzero(shapely.get_num_geometries(grids) > 1).tolist():
        parts = shapely.get_parts(grids[i])
        sizes = sorted(((_area(part), part) for part in parts), key=lambda item: -item[0])
        listed = [_size(size) for size, _ in sizes]
        shown = listed[:5] + (["…"] if len(listed) > 5 else [])
        point = shapely.point_on_surface(sizes[1][1])
        x, y = float(point.x), float(point.y)
        yield Oddity(
            "multipart", i, (codes[i],), x, y, sum(size for size, _ in sizes[1:]), None,
            Words(
                f"网格 {codes[i]} 由 {len(parts)} 个部分组成：{'、'.join(shown)} 平方米，"
                f"第二大的位于 {_at(x, y)}。",
                f"Grid {codes[i]} has {len(parts)} parts of {', '.join(shown)} m²; the second is "
                f"at {_at(x, y)}.",
            ),
        )  # fmt: skip


def told(found: Sequence[Oddity], *, most: int = 20) -> Iterator[Words]:
    """Yield a count for each kind and the first ``most`` of it, in words."""
    titles: dict[Kind, Words] = {
        "polygon": Words("狭长的面", "thin polygons"),
        "gap": Words("敞口的狭缝", "thin gaps open to the outside"),
        "junction": Words("丁字接点（不影响导入）", "T-junctions, which do no harm"),
        "multipart": Words("多部分网格", "grids in several parts"),
    }
    for kind, title in titles.items():
        own = [oddity for oddity in found if oddity.kind == kind]
        if not own:
            continue
        more = len(own) - most
        yield Words(
            f"{title.zh}共 {len(own)} 处" + (f"，列出前 {most} 处。" if more > 0 else "。"),
            f"{len(own)} {title.en}" + (f", the first {most} of them:" if more > 0 else ":"),
        )
        yield from (oddity.words for oddity in own[:most])


def _point(shape: shapely.Geometry, scale: NDArray[np.float64]) -> tuple[float, float]:
    point = shapely.point_on_surface(shape)
    return float(point.x / scale[0]), float(point.y / scale[1])


def _area(part: shapely.Geometry) -> float:
    return abs(float(_ELLIPSOID.geometry_area_perimeter(part)[0]))


def _at(x: float, y: float) -> str:
    return f"({x:.6f}, {y:.6f})"


def _size(area: float) -> str:
    return "<0.01" if area < 0.01 else f"{area:,.2f}" if area < 100 else f"{area:,.0f}"
