"""Coverages for tests: made up, with holes and enclaves, and real ones."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely

STEP = 1e-8


def lattice(shapes: Any) -> Any:
    return shapely.transform(shapes, lambda xy: np.rint(xy * 1e8) / 1e8)


@lru_cache(maxsize=8)
def voronoi(count: int, seed: int = 0, corners: float = 0.25) -> dict[str, Any]:
    """Cells of about 300 m with wiggled edges around 117.2° E, 31.8° N; codes of fifteen digits."""
    rng = np.random.default_rng(seed)
    side = max(2, round(count**0.5))
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    points = grid + rng.uniform(0.15, 0.85, grid.shape)
    box = shapely.box(0, 0, side, side)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points), extend_to=box))
    cells = shapely.segmentize(shapely.intersection(cells, box), corners)
    xy, index = np.unique(
        np.rint(shapely.get_coordinates(cells) * 300_000), axis=0, return_inverse=True
    )
    inner = (xy > 0).all(axis=1) & (xy < side * 300_000).all(axis=1)
    index = index.ravel()
    near = np.full(len(xy), 40_000.0)
    length = np.hypot(*(xy[index][1:] - xy[index][:-1]).T)
    length[length == 0] = np.inf
    np.minimum.at(near, index[1:], length)
    np.minimum.at(near, index[:-1], length)
    moved = np.rint(rng.uniform(-0.25, 0.25, xy.shape) * near[:, None])
    xy[inner] += moved[inner]
    # Turned, so that no lattice point but the corners lies on the outline, as in a real town.
    turn = np.array([[0.96, 0.28], [-0.28, 0.96]])
    xy = np.rint(xy @ turn)
    places = (xy + np.array([11_720_000_000, 3_180_000_000])) / 1e8
    cells = shapely.set_coordinates(cells.copy(), places[index])
    kept = shapely.is_valid(cells)
    assert kept.all()
    return {f"34010400100{i:04d}": cell for i, cell in enumerate(cells)}


def odd() -> dict[str, Any]:
    """A coverage with an enclave, a lake, a grid in two parts and a hole in two grids."""

    def box(a: float, b: float, c: float, d: float) -> Any:
        return shapely.box(117 + a / 1e3, 31 + b / 1e3, 117 + c / 1e3, 31 + d / 1e3)

    enclave = box(2, 2, 4, 4)
    lake = box(12, 2, 13, 3)
    around = shapely.difference(box(0, 0, 10, 10), shapely.union_all([enclave]))
    east = shapely.difference(box(10, 0, 20, 10), lake)
    two = shapely.multipolygons([box(0, 10, 5, 20), box(15, 10, 20, 20)])
    middle = box(5, 10, 15, 20)
    shapes = np.array([enclave, around, east, two, middle], dtype=object)
    # Every vertex that touches an edge is put into it.
    noded = shapely.coverage_clean(lattice(shapes))
    return dict(zip(["in", "round", "lake", "two", "middle"], lattice(noded), strict=True))


def real(shared: Path, name: str) -> dict[str, Any]:
    """Polygons of a real coverage by code, as they come."""
    if name == "tw_villages":
        return _taiwan(shared / name / "villages-10t.json")
    file = {
        "us_chicago_boundaries": "chicago_beats.geojson",
        "cn_beijing_subdistricts": "beijing_subdistricts_merged.geojson",
    }[name]
    data = json.loads((shared / name / file).read_text(encoding="utf-8"))
    made = {}
    for i, feature in enumerate(data["features"]):
        shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        made[f"g{i:04d}"] = shape
    return made


def _taiwan(path: Path) -> dict[str, Any]:
    data = json.loads(path.read_text(encoding="utf-8"))
    scale, shift = (np.array(data["transform"][k]) for k in ("scale", "translate"))
    arcs = [np.cumsum(np.array(arc), axis=0) * scale + shift for arc in data["arcs"]]

    def ring(numbers: list[int]) -> Any:
        parts = [arcs[k] if k >= 0 else arcs[~k][::-1] for k in numbers]
        return np.concatenate([parts[0], *[part[1:] for part in parts[1:]]])

    made = {}
    for i, each in enumerate(data["objects"]["villages"]["geometries"]):
        if each["type"] == "Polygon":
            polygons = [each["arcs"]]
        elif each["type"] == "MultiPolygon":
            polygons = each["arcs"]
        else:
            continue
        parts = []
        for polygon in polygons:
            rings = [ring(numbers) for numbers in polygon]
            rings = [r for r in rings if len(r) > 3]
            if rings:
                parts.append(shapely.Polygon(rings[0], rings[1:]))
        made[f"v{i:04d}"] = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    return made
