"""Each operation against brute force, and each bad input refused in a sentence with its place."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import shapely
from shapely import ops as shapely_ops

from geo_service.boundaries import operations as ops
from geo_service.boundaries.figures import figures, metric
from geo_service.boundaries.topology import Change, Coverage, Refused
from tests.geo_service.boundaries import coverages
from tests.geo_service.boundaries.moves import exact, same, twice_the_area


def at(x: float, y: float) -> tuple[float, float]:
    return round(117 + x / 1000, 8), round(31 + y / 1000, 8)


def box(a: float, b: float, c: float, d: float) -> Any:
    return shapely.Polygon([at(a, b), at(c, b), at(c, d), at(a, d)])


def quarters() -> dict[str, Any]:
    """Four squares of 10 by 10 around (10, 10): a b over c d, every corner shared."""
    return {
        "a": box(0, 10, 10, 20), "b": box(10, 10, 20, 20),
        "c": box(0, 0, 10, 10), "d": box(10, 0, 20, 10),
    }  # fmt: skip


def steps(shape: Any) -> Any:
    return shapely.transform(shape, lambda xy: np.rint((xy - (117, 31)) * 1e8))


def square_metres(shape: Any) -> float:
    return float(shapely.area(metric(shape, 117.01)))


def test_a_vertex_moves_in_every_grid_that_has_it() -> None:
    town = Coverage(quarters())
    before = town.polygons
    change = town.move_vertex(at(10, 10), at(11, 12))
    assert change.codes == ("a", "b", "c", "d")
    exact(town, change, before)
    for code in "abcd":
        assert at(11, 12) in town[code].exterior.coords
        assert at(10, 10) not in town[code].exterior.coords
    moved = sum(square_metres(shapely.difference(town[code], before[code])) for code in "abcd")
    assert change.moved_area == pytest.approx(moved, rel=1e-9)
    assert change.moved_area > 100


def test_the_edge_between_two_grids_follows_a_line() -> None:
    town = Coverage(quarters())
    before = town.polygons
    line = [at(10, 20), at(8, 18.5), at(12, 12), at(10, 10)]
    change = town.reshape(line)
    exact(town, change, before)
    assert change.codes == ("a", "b")
    shared = shapely.line_merge(shapely.intersection(steps(town["a"]), steps(town["b"])))
    assert shapely.hausdorff_distance(shared, steps(shapely.LineString(line))) < 1


def test_a_line_that_crosses_the_edge_four_times_makes_four_bays() -> None:
    town = Coverage(quarters())
    before = town.polygons
    line = [at(9, 19), at(11, 18), at(9, 16), at(11, 14), at(9, 12)]
    change = town.reshape(line)
    exact(town, change, before)
    for x, y in ((10.4, 18), (10.4, 14)):
        assert shapely.contains_xy(town["a"], *at(x, y))
    assert shapely.contains_xy(town["b"], *at(9.6, 16))
    # Ends beyond the first and last crossing are no part of the edge.
    assert shapely.contains_xy(town["a"], *at(9.4, 19.4))


def test_reshape_slides_a_node_along_the_third_grid() -> None:
    town = Coverage({"a": box(0, 10, 10, 20), "b": box(10, 10, 20, 20), "c": box(0, 0, 20, 10)})
    town.clean(0)
    before = town.polygons
    change = town.reshape([at(10, 18), at(13, 9.999)])
    exact(town, change, before)
    assert change.codes == ("a", "b", "c")
    node = [xy for xy in town["c"].exterior.coords if 12.9 < (xy[0] - 117) * 1000 < 13.1]
    assert len(node) == 1
    assert node[0] in town["a"].exterior.coords
    assert node[0] in town["b"].exterior.coords


@pytest.mark.parametrize("seed", range(12))
def test_split_agrees_with_shapely(seed: int) -> None:
    rng = np.random.default_rng(seed)
    polygons = coverages.voronoi(25, seed)
    town = Coverage(polygons)
    code = sorted(polygons)[int(rng.integers(25))]
    shape = polygons[code]
    middle = np.array(shape.representative_point().coords[0])
    way = rng.normal(size=2)
    way *= 0.01 / np.hypot(*way)
    line = shapely.LineString([middle - way, middle + way])
    expected = list(shapely_ops.split(shape, line).geoms)
    names = [f"n{k}" for k in range(len(expected))]
    before = town.polygons
    change = town.split(code, line, names)
    exact(town, change, before)
    assert code not in town
    found = sorted(square_metres(town[name]) for name in names)
    # The cut may lie a millimetre beside the line.
    wide = 2e-3 * sum(square_metres_length(part) for part in expected)
    assert found == pytest.approx(sorted(square_metres(part) for part in expected), abs=wide)
    lon = [town[name].centroid.x for name in names]
    assert lon == sorted(lon), "codes run from west to east"


def square_metres_length(shape: Any) -> float:
    return float(shapely.length(metric(shape, 117.01)))


def test_the_largest_part_keeps_the_code_of_the_grid() -> None:
    town = Coverage(quarters())
    town.split("a", [at(2, 9), at(2, 21)], ["a", "new"])
    assert town["a"].area > town["new"].area
    town.split("b", [at(12, 9), at(12, 21)], ["newer", "b"])
    assert town["b"].area > town["newer"].area


def test_a_split_up_to_the_outer_boundary_keeps_its_area_exactly() -> None:
    slanted = shapely.Polygon([at(0, 0), at(20.0000123, 0.0000457), at(17, 10), at(0, 10)])
    town = Coverage({"a": slanted})
    change = town.split("a", [at(7.1234567, -1), at(8.7654321, 11)], ["w", "e"])
    assert twice_the_area(change.after.values()) == twice_the_area([slanted])
    outline = shapely.coverage_union_all([steps(s) for s in town.polygons.values()])
    assert shapely.hausdorff_distance(outline, steps(slanted)) < 1, "not a step off"


def test_a_ring_drawn_inside_makes_an_enclave() -> None:
    town = Coverage(quarters())
    before = town.polygons
    ring = [at(3, 13), at(6, 13), at(6, 16), at(3, 16), at(3, 13)]
    change = town.split("a", ring, ["a", "in"])
    exact(town, change, before)
    assert len(town["a"].interiors) == 1
    town.merge(["in", "a"], "a")
    assert same({"a": shapely.normalize(town["a"])}, {"a": shapely.normalize(before["a"])})


def test_a_grid_with_an_enclave_and_one_with_a_lake_are_divided() -> None:
    town = Coverage(coverages.odd())
    before = town.polygons
    exact(town, town.split("round", [(117.003, 30.99), (117.003, 31.02)], ["w", "e"]), before)
    assert town.neighbours("in") == ["e", "w"]
    before = town.polygons
    exact(town, town.split("lake", [(117.0125, 30.99), (117.0125, 31.02)], ["l1", "l2"]), before)
    before = town.polygons
    exact(town, town.split("two", [(117.0, 31.015), (117.01, 31.015)], ["two", "t"]), before)
    assert shapely.get_num_geometries(town["two"]) <= 2


def test_merge_is_the_union() -> None:
    polygons = coverages.voronoi(25, 2)
    town = Coverage(polygons)
    code = sorted(polygons)[12]
    group = [code, *town.neighbours(code)]
    before = town.polygons
    change = town.merge(group, "whole")
    exact(town, change, before)
    assert steps(town["whole"]).equals(
        shapely.union_all([steps(polygons[c]) for c in group], grid_size=1)
    )
    rest = sum(square_metres(polygons[c]) for c in group)
    assert change.moved_area == pytest.approx(rest, rel=1e-6)


def test_transfer_moves_what_lies_in_the_polygon() -> None:
    town = Coverage(quarters())
    before = town.polygons
    lasso = shapely.Polygon([at(8, 12), at(13, 12), at(13, 17), at(8, 16)])
    change = town.transfer(lasso, ["b"], "a")
    exact(town, change, before)
    taken = shapely.intersection(lasso, before["b"])
    assert change.moved_area == pytest.approx(square_metres(taken), abs=0.1)
    assert change.codes == ("a", "b")


def test_areas_chosen_one_by_one_are_transferred_as_one() -> None:
    town = Coverage(quarters())
    before = town.polygons
    chosen = [box(10, 11, 12, 13), box(10, 13, 13, 15), box(11, 14, 14, 16), box(10, 17, 11, 18)]
    change = town.transfer(shapely.MultiPolygon(chosen), ["b"], "a")
    exact(town, change, before)
    assert change.moved_area == pytest.approx(square_metres(shapely.union_all(chosen)), rel=1e-6)
    new = set(town["b"].exterior.coords) - set(before["b"].exterior.coords)
    assert len(new) == 14, "no vertex where nothing was drawn"


def test_redraw_takes_from_and_gives_to_the_neighbours() -> None:
    town = Coverage(quarters())
    before = town.polygons
    change = town.redraw("a", shapely.Polygon([at(-5, 8), at(12, 8), at(9, 25), at(-5, 25)]))
    exact(town, change, before)
    assert shapely.contains_xy(town["a"], *at(5, 9))
    assert shapely.contains_xy(town["b"], *at(9.98, 19.95))
    assert shapely.contains_xy(town["a"], *at(11.2, 11))


def test_the_outer_boundary_changes_when_asked() -> None:
    town = Coverage(quarters())
    change = town.move_vertex(at(0, 0), at(-1, -1), outer=True)
    assert change.codes == ("c",)
    assert change.moved_area == pytest.approx(
        square_metres(town["c"]) - square_metres(quarters()["c"]), rel=1e-6
    )
    change = town.redraw("d", box(10, 0, 22, 10), outer=True)
    assert town["d"].bounds[2] == at(22, 0)[0]
    with pytest.raises(Refused, match="cross or touch"):
        town.move_vertex(at(0, 20), at(15, 15), outer=True)


def test_vertices_are_inserted_and_removed_on_both_sides() -> None:
    town = Coverage(quarters())
    change = town.insert_vertex(at(10, 15.1234567))
    assert change.codes == ("a", "b")
    assert change.moved_area == 0
    back = town.remove_vertex(at(10, 15.1234567))
    assert shapely.equals_exact(back.after["a"], quarters()["a"], normalize=True)
    change = town.insert_vertex(at(3, 0))
    assert change.codes == ("c",)
    town.remove_vertex(at(3, 0))
    with pytest.raises(Refused, match="outer boundary"):
        town.remove_vertex(at(0, 0))


def test_enclaves_grow_shrink_and_go() -> None:
    town = Coverage(coverages.odd())
    steps_: list[Callable[[], Change]] = [
        lambda: town.reshape([at(2, 3.5), at(1, 3), at(2, 2.5)]),
        lambda: town.redraw("in", box(1.5, 1.5, 3.5, 6)),
        lambda: town.transfer(box(3, 5, 5, 6.5), ["round"], "in"),
        lambda: town.split("in", [at(0, 3), at(9, 3)], ["in", "inner"]),
        lambda: town.merge(["inner", "in", "round"], "round"),
    ]
    for step in steps_:
        before = town.polygons
        exact(town, step(), before)
    assert not town["round"].interiors


def test_undo_of_what_changed_since_is_refused() -> None:
    town = Coverage(quarters())
    first = town.move_vertex(at(10, 10), at(11, 11))
    second = town.move_vertex(at(11, 11), at(9, 9))
    with pytest.raises(Refused, match="changed since"):
        town.revert(first)
    town.revert(second)
    town.revert(first)
    assert same(town.polygons, quarters())
    town.apply(first)
    assert same(dict(first.after), town.polygons)


def test_operations_survive_json_and_replay_to_the_same_bytes() -> None:
    lasso = shapely.Polygon([at(8, 2), at(13, 2), at(13, 7), at(8, 6)])
    steps_ = [
        ops.MoveVertex(at(10, 10), at(11, 11)), ops.Split("a", (at(5, 9), at(5, 21)), ("a", "e")),
        ops.InsertVertex(at(20, 5)), ops.RemoveVertex(at(20, 5)),
        ops.Transfer(lasso, ("d",), "c"), ops.Merge(("a", "e"), "e"),
        ops.Reshape((at(11, 11), at(12, 15), at(10, 20))), ops.Redraw("b", box(10, 9, 20, 20)),
    ]  # fmt: skip
    stored = json.dumps([step.json() for step in steps_])
    one, two = Coverage(quarters()), Coverage(quarters())
    ops.replay(one, steps_)
    changes = ops.replay(two, [ops.operation(data) for data in json.loads(stored)])
    assert same(one.polygons, two.polygons)
    for change in reversed(changes):
        two.revert(change)
    assert same(two.polygons, quarters())
    with pytest.raises(Refused, match="no grid z") as caught:
        ops.replay(two, [*steps_[:3], ops.Merge(("a", "z"), "a")])
    assert caught.value.step == 3
    assert same(two.polygons, quarters())


@pytest.mark.parametrize(
    "data",
    [
        None, [], {}, {"operation": "melt"}, {"operation": "merge"},
        {"operation": "merge", "codes": "ab", "into": "a"},
        {"operation": "merge", "codes": ["a", 1], "into": "a"},
        {"operation": "move_vertex", "old": [1, 2], "new": ["x", 2]},
        {"operation": "move_vertex", "old": [1, 2], "new": [1, 2], "more": 1},
        {"operation": "insert_vertex", "place": [1, 2], "outer": "yes"},
        {"operation": "redraw", "code": "a", "polygon": {"type": "Point", "coordinates": [1, 2]}},
        {"operation": "redraw", "code": "a", "polygon": {"type": "Polygon", "coordinates": [[1]]}},
    ],
)  # fmt: skip
def test_malformed_operations_are_refused(data: Any) -> None:
    with pytest.raises(Refused):
        ops.operation(data)


def test_figures_agree_with_their_definitions() -> None:
    shapes = [box(0, 0, 10, 10), shapely.MultiPolygon([box(0, 0, 1, 1), box(3, 3, 4, 4)])]
    found = figures(shapes, 117.0)
    plan = metric(np.array(shapes, dtype=object), 117.0)
    for k, shape in enumerate(plan):
        # A square's circle has its diagonal for a diameter; for others GEOS' drawn circle will do.
        circle = shapely.minimum_bounding_circle(shape).area
        assert found.area[k] == pytest.approx(shape.area)
        assert found.polsby_popper[k] == pytest.approx(4 * np.pi * shape.area / shape.length**2)
        assert found.reock[k] == pytest.approx(shape.area / circle, rel=0.03)
    assert found.parts.tolist() == [1, 2]


def test_a_coverage_refuses_what_is_no_polygon() -> None:
    for shape in (shapely.Point(1, 1), shapely.Polygon(), shapely.LineString([(0, 0), (1, 1)])):
        with pytest.raises(ValueError, match="not a polygon"):
            Coverage({"a": shape})
    with pytest.raises(ValueError, match="at least one"):
        Coverage({})
    with pytest.raises(ValueError, match="20 degrees"):
        Coverage({"a": shapely.box(0, 0, 30, 1)})
