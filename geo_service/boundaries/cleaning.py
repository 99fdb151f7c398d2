"""Mending a whole coverage: noded on the lattice, overlaps shared out, narrow gaps closed."""

from collections.abc import Mapping

import numpy as np
import shapely

from geo_service.analysis.sentence import Sentence
from geo_service.boundaries.lattice import Frame, Shape, edges, width
from geo_service.boundaries.refusal import Refused

METRE = 1e8 / 111_320
"""Lattice steps in a metre of latitude; a metre of longitude has more, by 1 / cos latitude."""


def cleaned(polygons: Mapping[str, Shape], frame: Frame, tolerance: float) -> dict[str, Shape]:
    """Return the grids (EPSG:4326) that had to change for all to form a coverage.

    GEOS' CoverageCleaner shares out overlaps and closes gaps narrower than ``tolerance`` metres;
    its result is then noded anew on the lattice, since rounding its vertices would tear it. Raises
    :class:`Refused` where a grid would vanish.
    """
    codes = list(polygons)
    given = frame.plan(np.array([polygons[code] for code in codes], dtype=object))
    shapes = np.array(
        [_area_only(shape) if not shape.is_valid else shape for shape in given], dtype=object
    )
    if not shapely.coverage_is_valid(shapes) or tolerance > 0:
        latitude = np.radians(frame.place(frame_middle(shapes))[1])
        stretch = np.array([np.cos(latitude), 1.0])
        even = shapely.transform(shapes, lambda xy: xy * stretch)
        even = shapely.coverage_clean(even, gap_width=tolerance * METRE)
        shapes = _on_lattice(shapely.transform(even, lambda xy: np.rint(xy / stretch)))
    after: dict[str, Shape] = {}
    for i in np.flatnonzero(~_same(given, shapes)):
        code, shape = codes[i], shapes[i]
        if shape.is_empty:
            raise Refused(
                Sentence(
                    f"网格 {code} 完全被别的网格盖住，清理后会消失，请先删去或改正它。",
                    f"Grid {code} lies wholly under others and would vanish: mend it first.",
                ),
                frame.place(shapely.get_coordinates(given[i])[0]),
            )
        multi = given[i].geom_type == "MultiPolygon" and shape.geom_type == "Polygon"
        after[code] = frame.lonlat(shapely.multipolygons([shape]) if multi else shape)
    return after


def frame_middle(shapes: Shape) -> tuple[float, float]:
    """Return the middle of plan shapes."""
    west, south, east, north = shapely.total_bounds(shapes)
    return (west + east) / 2, (south + north) / 2


def _same(one: Shape, two: Shape) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    same = shapely.equals_identical(one, two)
    for i in np.flatnonzero(~same):
        # The same rings drawn from another corner or the other way round are no change, nor is a
        # multipolygon of one polygon.
        same[i] = shapely.equals_identical(*(_plain(shape) for shape in (one[i], two[i])))
    return np.asarray(same)


def _plain(shape: Shape) -> Shape:
    return shapely.normalize(shapely.multipolygons(shapely.get_parts(shape)))


def _area_only(shape: Shape) -> Shape:
    mended = shapely.make_valid(shape, method="structure")
    parts = [part for part in shapely.get_parts(mended) if part.geom_type == "Polygon"]
    return shapely.multipolygons(parts) if len(parts) > 1 else parts[0] if parts else mended


def _on_lattice(shapes: Shape) -> Shape:
    """Node rounded polygons again where rounding tore them, and give each face its grid."""
    for _ in range(4):
        good = bool(shapely.is_valid(shapes).all()) and shapely.coverage_is_valid(shapes)
        if good:
            return shapes
        shapes = _renoded(shapes)
    raise Refused(
        Sentence(
            "边界彼此太近，无法在格网上清理，请改用较大的容差。",
            "Boundaries are too close to be cleaned on the lattice: use a larger tolerance.",
        )
    )


def _renoded(shapes: Shape) -> Shape:
    noded = shapely.unary_union(shapely.boundary(shapes), grid_size=1)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    points = shapely.point_on_surface(faces)
    valid = np.array([_area_only(s) if not s.is_valid else s for s in shapes], dtype=object)
    face, owner = shapely.STRtree(valid).query(points, predicate="intersects")
    label = np.full(len(faces), -1)
    order = np.argsort(-owner, kind="stable")
    label[face[order]] = owner[order]
    _fill(faces, label)
    made = shapes.copy()
    for i in range(len(shapes)):
        own = faces[label == i]
        made[i] = (
            shapely.orient_polygons(shapely.normalize(shapely.coverage_union_all(own)))
            if len(own)
            else shapely.Polygon()
        )
    return made


def _fill(faces: Shape, label: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    """Give faces without a grid that are a few steps wide to the grid along most of their edge."""
    tail, head, face = edges(faces)
    pairs = list(zip(tail.tolist(), head.tolist(), strict=True))
    beside = dict(zip(pairs, face.tolist(), strict=True))
    for i in np.flatnonzero((label < 0) & (width(faces) < 4)):
        own, back, _ = edges(faces[i : i + 1])
        shared: dict[int, int] = {}
        for a, b in zip(own.tolist(), back.tolist(), strict=True):
            other = beside.get((b, a))
            if other is not None and label[other] >= 0:
                shared[int(label[other])] = shared.get(int(label[other]), 0) + 1
        if shared:
            label[i] = max(sorted(shared), key=lambda k: shared[k])
