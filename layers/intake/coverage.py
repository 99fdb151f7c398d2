"""Do grids form a coverage? Overlaps and gaps with the codes, the place and the size."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod

from layers.intake.coordinates import Geometries
from layers.intake.report import Words

WIDTH = 2.0
"""Metres below which an overlap, a gap or a polygon is called thin."""

_ELLIPSOID = Geod(ellps="WGS84")


class Fault(NamedTuple):
    """An overlap of two grids, or a gap between them. ``first`` is a position, ``area`` in m².

    ``width`` is in metres: twice the area over the perimeter, which is that of a long strip.
    """

    first: int
    codes: tuple[str, ...]
    longitude: float
    latitude: float
    area: float
    width: float
    words: Words


def faults(
    codes: Sequence[str],
    parents: Sequence[str],
    grids: Geometries,
    areas: Mapping[str, shapely.Geometry] | None = None,
) -> list[Fault]:
    """Return overlaps among valid polygons in EPSG:4326, and gaps among those of one parent.

    A gap is a hole in the union of a parent's grids that neither grids of other parents nor an
    enclave fill, which is what the database refuses as well. An enclave is one of the ``areas``, by
    code, that neither holds the parent nor lies in it. T-junctions are no fault: nothing overlaps.

    >>> square = shapely.box(116, 40, 116.01, 40.01)
    >>> [f.codes for f in faults(["a", "b"], ["p", "p"], np.array([square, square]))]
    [('a', 'b')]
    """
    if len(grids) == 0:
        return []
    return [*_overlaps(codes, grids), *_gaps(codes, np.asarray(parents), grids, areas or {})]


def _overlaps(codes: Sequence[str], grids: Geometries) -> Iterator[Fault]:
    # Every pair that touches: coverage_invalid_edges may mark only one polygon of an overlap.
    left, right = shapely.STRtree(grids).query(grids, predicate="intersects")
    left, right = left[left < right], right[left < right]
    inside = shapely.relate_pattern(grids[left], grids[right], "T********")
    for a, b in sorted(zip(left[inside].tolist(), right[inside].tolist(), strict=True)):
        shared = shapely.intersection(grids[a], grids[b])
        x, y, area, width = _place(shared)
        thin = _thin(width)
        yield Fault(
            a, (codes[a], codes[b]), x, y, area, width,
            Words(
                f"网格 {codes[a]} 与 {codes[b]} 重叠 {_size(area)} 平方米{thin.zh}，"
                f"位置 {_at(x, y)}。",
                f"Grids {codes[a]} and {codes[b]} overlap by {_size(area)} m²{thin.en}, "
                f"at {_at(x, y)}.",
            ),
        )  # fmt: skip


def _gaps(
    codes: Sequence[str],
    parents: NDArray[Any],
    grids: Geometries,
    areas: Mapping[str, shapely.Geometry],
) -> Iterator[Fault]:
    for parent in sorted(set(parents.tolist())):
        own = np.flatnonzero(parents == parent)
        enclaves = [
            shape
            for code, shape in areas.items()
            if not code.startswith(parent) and not parent.startswith(code)
        ]
        others = np.array([*grids[parents != parent], *enclaves], dtype=object)
        valid = shapely.coverage_is_valid(grids[own])
        whole = (shapely.coverage_union_all if valid else shapely.union_all)(grids[own])
        holes = [
            shapely.Polygon(ring) for part in shapely.get_parts(whole) for ring in part.interiors
        ]
        tree, neighbours = shapely.STRtree(grids[own]), shapely.STRtree(others)
        for hole in holes:
            if shapely.union_all(others[neighbours.query(hole)]).covers(hole):
                continue
            around = own[tree.query(hole, predicate="intersects")]
            edge = shapely.length(shapely.intersection(grids[around], hole.exterior))
            around = around[np.argsort(-edge, kind="stable")]
            names = tuple(codes[i] for i in around[:2])
            x, y, area, width = _place(hole)
            thin = _thin(width)
            zh = f"网格 {' 与 '.join(names)} 之间" if len(names) > 1 else f"网格 {names[0]} 之内"
            en = (
                f"between grids {' and '.join(names)}"
                if len(names) > 1
                else f"inside grid {names[0]}"
            )
            yield Fault(
                int(around[0]), names, x, y, area, width,
                Words(
                    f"{zh}有 {_size(area)} 平方米的空隙{thin.zh}，位置 {_at(x, y)}。"
                    "若是飞地，请先导入该区域。",
                    f"There is a gap of {_size(area)} m² {en}{thin.en}, at {_at(x, y)}. "
                    "If it is an enclave, load that area first.",
                ),
            )  # fmt: skip


def _place(shape: Any) -> tuple[float, float, float, float]:
    """Return a point of the shape, in degrees, its area on the ellipsoid in m², its width in m."""
    point = shapely.point_on_surface(shape)
    measures = [
        _ELLIPSOID.geometry_area_perimeter(part)
        for part in shapely.get_parts(shape)
        if part.geom_type == "Polygon"
    ]
    area, around = sum(abs(a) for a, _ in measures), sum(p for _, p in measures)
    return float(point.x), float(point.y), float(area), 2 * area / around if around else 0.0


def _thin(width: float) -> Words:
    """Say how wide something is where it is thin, for then it was most likely not meant."""
    if width >= WIDTH:
        return Words("", "")
    wide = f"{width:.2f}" if width >= 0.01 else "<0.01"
    return Words(f"（狭长，宽约 {wide} 米）", f" (thin, about {wide} m wide)")


def _at(x: float, y: float) -> str:
    return f"({x:.6f}, {y:.6f})"


def _size(area: float) -> str:
    return "<0.01" if area < 0.01 else f"{area:,.2f}" if area < 100 else f"{area:,.0f}"
