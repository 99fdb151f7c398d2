"""Planted defects are found, each with its grids, place and size; cleaning mends them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from geo_service.boundaries.checks import Defect
from geo_service.boundaries.figures import metric
from geo_service.boundaries.topology import Coverage, Refused
from tests.geo_service.boundaries import coverages
from tests.geo_service.boundaries.moves import same
from tests.geo_service.boundaries.test_topology import at, box, quarters


def found(polygons: dict[str, Any]) -> list[Defect]:
    return Coverage(polygons).check()


def test_a_sound_coverage_has_no_defects() -> None:
    assert found(quarters()) == []
    assert found(coverages.voronoi(400, 1)) == []


def test_an_overlap_has_its_size() -> None:
    town = quarters() | {"b": box(9, 10, 20, 20)}
    (defect,) = [d for d in found(town) if d.kind == "overlap"]
    assert defect.codes == ("a", "b")
    overlap = metric(box(9, 10, 10, 20), 117.01)
    assert defect.size == pytest.approx(overlap.area, rel=1e-6)
    assert shapely.contains_xy(box(9, 10, 10, 20), *defect.place)
    assert "a" in defect.sentence.zh


def test_a_grid_inside_another_and_a_duplicate_overlap() -> None:
    town = quarters() | {"e": box(3, 13, 4, 14)}
    assert [(d.kind, d.codes) for d in found(town)] == [("overlap", ("a", "e"))]
    town = quarters() | {"e": box(0, 10, 10, 20)}
    assert ("overlap", ("a", "e")) in [(d.kind, d.codes) for d in found(town)]


def test_a_gap_has_its_size_and_grids() -> None:
    hole = box(9, 9, 11, 11)
    town = {code: shapely.difference(shape, hole) for code, shape in quarters().items()}
    (defect,) = found(town)
    assert (defect.kind, defect.codes) == ("gap", ("a", "b", "c", "d"))
    assert defect.size == pytest.approx(metric(hole, 117.01).area, rel=1e-6)


def test_a_narrow_opening_to_the_outside_is_a_sliver() -> None:
    town = {"a": box(0, 0, 10, 10), "b": box(10.002, 0, 20, 10)}
    kinds = [(d.kind, d.codes) for d in found(town)]
    assert kinds == [("sliver", ("a", "b"))]
    thin = quarters() | {"e": box(20, 0, 20.001, 10)}
    assert ("sliver", ("e",)) in [(d.kind, d.codes) for d in found(thin)]


def test_a_t_junction_is_found_on_and_off_the_edge() -> None:
    for off in (0.0, 1e-8):
        shape = box(0, 10, 10, 20)
        bent = shapely.Polygon(
            [at(0, 10), at(10, 10), (at(10, 15)[0] + off, at(10, 15)[1]), at(10, 20), at(0, 20)]
        )
        assert shape.area == pytest.approx(bent.area, rel=1e-3)
        town = quarters() | {"a": bent}
        (defect,) = found(town)
        assert (defect.kind, defect.codes) == ("t-junction", ("a", "b"))
        assert defect.place == pytest.approx((at(10, 15)[0] + off, at(10, 15)[1]), abs=1e-9)


def test_invalid_and_multipart_are_found() -> None:
    bow = shapely.Polygon([at(20, 0), at(30, 10), at(30, 0), at(20, 10)])
    parts = shapely.MultiPolygon([box(40, 0, 41, 1), box(42, 0, 43, 1)])
    kinds = {(d.kind, d.codes, d.size) for d in found(quarters() | {"e": bow, "f": parts})}
    assert {("invalid", ("e",), 0.0), ("multipart", ("f",), 2.0)} <= kinds


def test_clean_mends_and_leaves_the_rest() -> None:
    town = quarters() | {"b": box(10.001, 10, 20, 20), "d": box(9.999, 0, 20, 10)}
    town["far"] = box(50, 0, 60, 10)
    coverage = Coverage(town)
    assert found(town)
    change = coverage.clean(1.0)
    assert "far" not in change.after
    assert coverage["far"] is town["far"]
    kinds = {d.kind for d in coverage.check()}
    assert kinds <= {"sliver"}, "an opening to the outside is nobody's"
    coverage.revert(change)
    assert same(coverage.polygons, town)


def test_clean_nodes_t_junctions_and_keeps_wide_gaps() -> None:
    hole = box(9, 9, 11, 11)
    town = {code: shapely.difference(shape, hole) for code, shape in quarters().items()}
    town |= {"e": box(20, 0, 30, 20)}
    coverage = Coverage(town)
    assert {d.kind for d in coverage.check()} == {"gap", "t-junction"}
    coverage.clean(1.0)
    assert [d.kind for d in coverage.check()] == ["gap"]
    assert at(20, 10) in coverage["e"].exterior.coords


def test_clean_refuses_to_lose_a_grid() -> None:
    with pytest.raises(Refused, match="vanish"):
        Coverage(quarters() | {"e": quarters()["a"]}).clean(1.0)


@pytest.mark.slow
def test_the_overlaps_of_a_real_coverage_agree_with_brute_force(shared_data: Path) -> None:
    raw = coverages.real(shared_data, "cn_beijing_subdistricts")
    town = Coverage(raw)
    defects = town.check()
    codes, shapes = list(raw), np.array(list(town.polygons.values()), dtype=object)
    expected = {}
    for i, one in enumerate(shapes):
        for j in range(i + 1, len(shapes)):
            if one.intersects(shapes[j]):
                area = metric(shapely.intersection(one, shapes[j]), 116.4).area
                if area > 1:
                    expected[codes[i], codes[j]] = area
    told = {d.codes: d.size for d in defects if d.kind == "overlap" and d.size > 1}
    assert told.keys() == expected.keys()
    assert sum(told.values()) == pytest.approx(sum(expected.values()), rel=1e-4)
    union = shapely.union_all(shapes)
    holes = [shapely.Polygon(r) for p in shapely.get_parts(union) for r in p.interiors]
    wide = [hole for hole in holes if metric(hole, 116.4).area > 1]
    assert len([d for d in defects if d.kind == "gap" and d.size > 1]) == len(wide)
