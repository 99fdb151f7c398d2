"""What is odd about a coverage: each has its place and size, and sound grids have none of it."""

import math
from collections import Counter
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from shapely import box

from layers.intake.coverage import faults
from layers.intake.slivers import oddities, thickness, told

METRE = 1 / 95_438.0  # of longitude, at 31 north, WGS 84


def grids(*shapes: shapely.Geometry) -> np.ndarray:
    return np.array(shapes, dtype=object)


def test_sound_grids_have_nothing_odd() -> None:
    rows = [box(117 + i / 100, 31 + j / 100, 117.01 + i / 100, 31.01 + j / 100)
            for i in range(4) for j in range(4)]  # fmt: skip
    rows = [shapely.set_precision(shape, 1e-8) for shape in rows]
    assert oddities([str(i) for i in range(16)], grids(*rows)) == []
    assert oddities([], grids()) == []


def test_a_thin_polygon_has_its_width() -> None:
    strip = box(117.01, 31, 117.01 + 1.5 * METRE, 31.01)
    [odd] = oddities(["a", "b"], grids(box(117, 31, 117.01, 31.01), strip))
    assert (odd.kind, odd.codes) == ("polygon", ("b",))
    assert odd.width == pytest.approx(1.5, rel=0.01)
    assert odd.area == pytest.approx(1.5 * 1108.6, rel=0.01)
    assert "about 1.50 m wide" in odd.words.en
    assert oddities(["b"], grids(strip), width=1.0) == []


def test_a_thin_gap_open_to_the_outside() -> None:
    east = box(117.01 + 0.5 * METRE, 31, 117.02, 31.01)
    [odd] = oddities(["w", "e"], grids(box(117, 31, 117.01, 31.01), east))
    assert odd.kind == "gap"
    assert set(odd.codes) == {"w", "e"}
    assert odd.width == pytest.approx(0.5, rel=0.02)
    assert odd.area == pytest.approx(0.5 * 1108.6, rel=0.02)
    assert odd.longitude == pytest.approx(117.01, abs=1e-5)
    assert odd.latitude == pytest.approx(31.005, abs=0.005)


def test_a_wide_gap_and_a_notch_of_one_grid_are_none() -> None:
    far = box(117.01 + 5 * METRE, 31, 117.02, 31.01)
    assert oddities(["w", "e"], grids(box(117, 31, 117.01, 31.01), far)) == []
    notched = box(117, 31, 117.01, 31.01) - box(117.005, 31.005, 117.005 + METRE, 31.02)
    assert oddities(["a"], grids(notched)) == []


def test_a_t_junction_has_its_place() -> None:
    half = [box(117.01, 31, 117.02, 31.005), box(117.01, 31.005, 117.02, 31.01)]
    found = oddities(["a", "b", "c"], grids(box(117, 31, 117.01, 31.01), *half))
    assert [(o.kind, o.codes) for o in found] == [
        ("junction", ("b", "a")),
        ("junction", ("c", "a")),
    ]
    assert {(round(o.longitude, 8), round(o.latitude, 8)) for o in found} == {(117.01, 31.005)}
    with_vertex = shapely.Polygon(
        [(117, 31), (117.01, 31), (117.01, 31.005), (117.01, 31.01), (117, 31.01)]
    )
    assert oddities(["a", "b", "c"], grids(with_vertex, *half)) == []


def test_the_parts_of_a_grid_have_their_sizes() -> None:
    parts = shapely.MultiPolygon([box(117, 31, 117.01, 31.01), box(117.05, 31, 117.055, 31.01)])
    [odd] = oddities(["m"], grids(parts))
    assert odd.kind == "multipart"
    assert odd.area == pytest.approx(0.005 * 95_438 * 1108.6, rel=0.01)
    assert 117.05 < odd.longitude < 117.055
    assert "has 2 parts of 1,05" in odd.words.en


def test_thin_overlaps_and_gaps_are_said_to_be() -> None:
    west, east = box(117, 31, 117.01 + METRE, 31.01), box(117.01, 31, 117.02, 31.01)
    [fault] = faults(["w", "e"], ["p"] * 2, grids(west, east))
    assert fault.width == pytest.approx(1.0, rel=0.01)
    assert "(thin, about 1.00 m wide)" in fault.words.en
    [wide] = faults(["w", "e"], ["p"] * 2, grids(box(117, 31, 117.012, 31.01), east))
    assert "thin" not in wide.words.en


def test_notes_are_bounded() -> None:
    strips = [box(117 + i / 100, 31, 117 + i / 100 + METRE, 31.01) for i in range(30)]
    words = list(told(oddities([str(i) for i in range(30)], grids(*strips)), most=5))
    assert len(words) == 6
    assert words[0].en == "30 thin polygons, the first 5 of them:"
    assert words[0].zh


def test_thickness_is_the_width_of_a_strip() -> None:
    assert thickness(box(0, 0, 1000, 1)) == pytest.approx(1, rel=0.002)
    assert thickness(shapely.Point(0, 0).buffer(1, quad_segs=64)) == pytest.approx(1, rel=0.001)
    assert not math.isnan(thickness(shapely.Polygon()))


@pytest.mark.slow
def test_the_subdistricts_of_beijing(shared_data: Path) -> None:
    frame = geopandas.read_file(
        shared_data / "cn_beijing_subdistricts" / "beijing_subdistricts_merged.geojson"
    )
    shapes = shapely.transform(frame.geometry.to_numpy(), lambda places: np.round(places, 8))
    codes = frame["code"].astype(str).tolist()
    found = oddities(codes, shapes)
    counts = Counter(odd.kind for odd in found)
    assert counts["multipart"] == int((shapely.get_num_geometries(shapes) > 1).sum()) == 38
    # A vertex that is none of the neighbour's, within 2 mm of its outline: by GEOS, pair by pair.
    near = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=1e-7)
    wanted = set()
    for a, b in near.T.tolist():
        if a == b:
            continue
        own = {*map(tuple, shapely.get_coordinates(shapes[a]).tolist())}
        theirs = {*map(tuple, shapely.get_coordinates(shapes[b]).tolist())}
        dots = sorted(own - theirs)
        edge = shapely.boundary(shapes[b])
        shapely.prepare(edge)
        close = shapely.dwithin(edge, shapely.points(dots), 1e-8) if dots else []
        wanted |= {(codes[a], codes[b], dot) for dot, on in zip(dots, close, strict=True) if on}
    junctions = {
        (*odd.codes, (round(odd.longitude, 8), round(odd.latitude, 8)))
        for odd in found
        if odd.kind == "junction"
    }
    assert len(junctions) == counts["junction"] > 0
    assert wanted <= junctions
