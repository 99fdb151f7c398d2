"""The outer boundary follows a line where that is asked, and stays to the bit where it is not."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_service.boundaries import operations as ops
from geo_service.boundaries.topology import Change, Coverage, Refused
from tests.geo_service.boundaries import coverages
from tests.geo_service.boundaries.moves import exact, same
from tests.geo_service.boundaries.test_topology import at, box, quarters, square_metres, steps


def sound(town: Coverage, change: Change, before: dict[str, Any]) -> None:
    """Assert what holds after the outline has changed, by means of GEOS and of nothing of ours."""
    was, now = (
        np.array([steps(shape) for shape in group.values()], dtype=object)
        for group in (before, town.polygons)
    )
    assert shapely.is_valid(now).all()
    assert shapely.coverage_is_valid(now)
    old, new = shapely.union_all(was, grid_size=1), shapely.union_all(now, grid_size=1)
    holes = [shapely.get_num_interior_rings(shapely.get_parts(each)).sum() for each in (old, new)]
    assert holes[1] <= holes[0], "a gap"
    for told, one, two in ((change.gained_area, new, old), (change.lost_area, old, new)):
        beyond = shapely.difference(one, two)
        metres = shapely.transform(beyond, lambda xy: xy / 1e8 + (117, 31))
        assert told == pytest.approx(square_metres(metres), abs=0.02)
    assert change.moved_area >= max(change.gained_area, change.lost_area) - 0.02
    for code, shape in town.polygons.items():
        if code not in change.after:
            assert shape is before[code]
    town.revert(change)
    assert same(before, town.polygons)
    town.apply(change)


def test_the_outline_takes_and_leaves_along_a_line() -> None:
    town = Coverage(quarters())
    before = town.polygons
    line = [at(0, 18), at(-2, 16), at(2, 14), at(0, 12)]
    change = town.reshape(line, outer=True)
    sound(town, change, before)
    assert change.codes == ("a",)
    taken = shapely.Polygon([at(0, 18), at(-2, 16), at(0, 15)])
    assert change.gained_area == pytest.approx(square_metres(taken), rel=1e-6)
    assert change.lost_area == pytest.approx(change.gained_area * 0.5 * 2, rel=0.6)
    assert change.moved_area == pytest.approx(change.gained_area + change.lost_area)
    shared = shapely.intersection(steps(town["a"]).boundary, steps(shapely.LineString(line)))
    assert shared.length > 0.99 * steps(shapely.LineString(line)).length
    assert same(before, Coverage(quarters()).polygons)


def test_ends_beyond_the_outline_are_no_part_of_it() -> None:
    town = Coverage(quarters())
    before = town.polygons
    change = town.reshape([at(1, 18), at(-2, 17), at(-2, 13), at(1, 12)], outer=True)
    sound(town, change, before)
    assert change.lost_area == 0
    assert change.gained_area > 0
    change = town.reshape([at(10, 21), at(9, 15), at(10, 10)], outer=True)
    assert change.codes == ("a", "b"), "an edge between two grids is reshaped as ever"


def test_what_is_cut_off_is_left_to_the_outside() -> None:
    town = Coverage(quarters())
    before = town.polygons
    change = town.reshape([at(0, 12), at(2, 12), at(2, 21)], outer=True)
    sound(town, change, before)
    assert (change.codes, change.gained_area) == (("a",), 0)
    assert change.lost_area == pytest.approx(square_metres(box(0, 12, 2, 20)), rel=1e-6)


def test_the_outline_of_two_grids_follows_one_line() -> None:
    town = Coverage(quarters())
    before = town.polygons
    # Inside of both, then outside of both, through the point where they meet.
    change = town.reshape([at(0, 13), at(1, 12), at(1, 9), at(0, 8)], outer=True)
    sound(town, change, before)
    assert change.codes == ("a", "c")
    assert change.gained_area == 0
    town.revert(change)
    change = town.reshape([at(0, 13), at(-1, 12), at(0, 10), at(-1, 9), at(0, 8)], outer=True)
    sound(town, change, before)
    assert change.codes == ("a", "c")
    assert change.lost_area == 0
    assert shapely.contains_xy(town["c"], *at(-0.5, 9))


def test_an_inner_edge_from_outline_to_outline_stays_an_inner_edge() -> None:
    town = Coverage({"w": box(0, 0, 10, 10), "e": box(10, 0, 20, 10)})
    before = town.polygons
    change = town.reshape([at(10, 10), at(8, 7), at(12, 3), at(10, 0)], outer=True)
    exact(town, change, before)
    assert (change.gained_area, change.lost_area) == (0, 0)


def test_a_lake_is_divided_and_its_larger_part_stays() -> None:
    town = Coverage(coverages.odd())
    before = town.polygons
    lake = [(117.0119, 31.0022), (117.0131, 31.0022)]
    change = town.reshape(lake, outer=True)
    sound(town, change, before)
    assert change.codes == ("lake",)
    assert change.gained_area == pytest.approx(
        square_metres(shapely.box(117.012, 31.002, 117.013, 31.0022)), rel=1e-3
    )
    assert not shapely.contains_xy(town["lake"], 117.0125, 31.0025)


@pytest.mark.parametrize(
    ("line", "words", "place"),
    [
        ([at(-1, 12), at(-1, 8)], "does not run", None),
        ([at(0, 12), at(-2, 11), at(-2, 9), at(0, 8)], "beside grids a, c", None),
        ([at(-3, 15), at(5, 15)], "does not begin and end", at(5, 15)),
        ([at(0, 12), at(-2, 14), at(2, 14), at(-2, 12.5)], "crosses itself", None),
    ],
)
def test_refused_with_the_outline_free(line: Any, words: str, place: Any) -> None:
    town = Coverage(quarters())
    before = town.polygons
    with pytest.raises(Refused, match=words) as caught:
        town.reshape(line, outer=True)
    assert same(before, town.polygons)
    assert caught.value.place is not None
    if place:
        assert caught.value.place == pytest.approx(place, abs=2e-8)


def test_what_lies_outside_beyond_another_grid_is_not_taken() -> None:
    far = quarters() | {"e": box(-4, 13, -2, 15)}
    town = Coverage(far)
    with pytest.raises(Refused) as caught:
        town.reshape([at(0, 18), at(-6, 16), at(-6, 12), at(0, 11)], outer=True)
    assert "overlap" in caught.value.reason.en
    assert same(far, town.polygons)


KINDS = ("reshape", "move", "redraw")


def drawn(rng: np.random.Generator, town: Coverage, kind: str) -> ops.Operation:
    """Something drawn along a stretch of the outline, of a hole in it as well."""
    rings = shapely.get_rings(shapely.coverage_union_all(list(town.polygons.values())))
    ring = rings[int(rng.integers(len(rings)))]
    width = float(np.sqrt(next(iter(town.polygons.values())).area))
    if kind == "redraw":
        code = sorted(town)[int(rng.integers(len(town)))]
        shape = town[code].buffer(rng.choice([-0.05, 0.1]) * width, join_style="mitre")
        return ops.Redraw(code, shape, outer=True)
    if kind == "move":
        xy = shapely.get_coordinates(ring)
        old = xy[int(rng.integers(len(xy)))]
        return ops.MoveVertex(tuple(old), tuple(old + rng.normal(0, 0.15 * width, 2)), outer=True)
    start, long = rng.random(2) * ring.length
    along = (start + np.array([0, 0.3, 0.6, 1]) * min(long, width)) % ring.length
    xy = shapely.get_coordinates(shapely.line_interpolate_point(ring, along))
    xy[1:3] += rng.normal(0, 0.15 * width, (2, 2))
    return ops.Reshape(tuple(tuple(place) for place in xy.tolist()), outer=True)


@pytest.mark.parametrize("made", ["voronoi", "odd"])
def test_random_outlines(made: str) -> None:
    polygons = coverages.voronoi(16, 1) if made == "voronoi" else coverages.odd()
    done: Counter[str] = Counter()

    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(KINDS))
    def check(seed: int, kind: str) -> None:
        town = Coverage(polygons)
        step = drawn(np.random.default_rng(seed), town, kind)
        before = town.polygons
        try:
            change = ops.operation(step.json()).do(town)
        except Refused:
            done["refused"] += 1
            assert same(before, town.polygons)
            return
        done[kind] += 1
        sound(town, change, before)

    check()
    assert set(done) >= set(KINDS), "nothing of a kind was ever accepted"
    assert done["refused"] < done.total() / 2, done


def test_without_asking_the_outline_stays() -> None:
    town = Coverage(quarters())
    before = town.polygons
    with pytest.raises(Refused, match="outer boundary stays"):
        town.reshape([at(0, 12), at(2, 12), at(2, 18), at(0, 18)])
    change = town.redraw("a", box(-5, 10, 9, 25))
    exact(town, change, before)
    assert (change.gained_area, change.lost_area) == (0, 0)
