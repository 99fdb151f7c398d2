import numpy as np
import pytest
import shapely
from shapely import box

from layers.intake.coverage import faults


def grids(*shapes: shapely.Polygon) -> np.ndarray:
    return np.array(shapes, dtype=object)


A, B = box(116, 40, 116.01, 40.01), box(116.01, 40, 116.02, 40.01)


def test_neighbours_are_fine() -> None:
    assert faults(["a", "b"], ["p", "p"], grids(A, B)) == []
    assert faults([], [], grids()) == []


def test_a_t_junction_is_fine() -> None:
    half = [box(116.01, 40, 116.02, 40.005), box(116.01, 40.005, 116.02, 40.01)]
    assert faults(["a", "b", "c"], ["p"] * 3, grids(A, *half)) == []


@pytest.mark.parametrize("parents", [["p", "p"], ["p", "q"]])
def test_an_overlap_has_its_pair_place_and_size(parents: list[str]) -> None:
    [fault] = faults(["a", "b"], parents, grids(A, box(116.009, 40, 116.02, 40.01)))
    assert fault.codes == ("a", "b")
    assert 116.009 < fault.longitude < 116.01
    assert 40 < fault.latitude < 40.01
    # 0.001° by 0.01° at 40° N: 85.4 m by 1110 m.
    assert fault.area == pytest.approx(85.4 * 1110.4, rel=0.002)
    assert "a and b overlap by 94," in fault.words.en


def frame() -> list[shapely.Polygon]:
    left, right = box(116, 40, 116.01, 40.03), box(116.02, 40, 116.03, 40.03)
    return [left, right, box(116.01, 40, 116.02, 40.01), box(116.01, 40.02, 116.02, 40.03)]


def test_a_gap_has_its_grids_place_and_size() -> None:
    codes = ["w", "e", "s", "n"]
    [fault] = faults(codes, ["p"] * 4, grids(*frame()))
    assert set(fault.codes) <= set(codes)
    assert len(fault.codes) == 2
    assert 116.01 < fault.longitude < 116.02
    assert fault.area == pytest.approx(0.9482e6, rel=0.01)
    assert "gap" in fault.words.en


def test_a_hole_that_another_parent_fills_is_no_gap() -> None:
    assert (
        faults(list("wesnx"), [*"pppp", "q"], grids(*frame(), box(116.01, 40.01, 116.02, 40.02)))
        == []
    )


def test_a_hole_in_one_grid_is_a_gap() -> None:
    holed = A.difference(box(116.004, 40.004, 116.005, 40.005))
    [fault] = faults(["a"], ["p"], grids(holed))
    assert "inside grid a" in fault.words.en
