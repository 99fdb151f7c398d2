"""Bad input: each refused in a sentence with its place, and nothing changed."""

from collections.abc import Callable
from typing import Any

import pytest
import shapely

from geo_service.boundaries.topology import Coverage, Refused
from tests.geo_service.boundaries import coverages
from tests.geo_service.boundaries.moves import same, told
from tests.geo_service.boundaries.test_topology import at, box, quarters

SELF_CROSSING = [at(8, 20), at(12, 12), at(12, 18), at(8, 12)]
BAD: list[tuple[str, Callable[[Coverage], Any], str, tuple[float, float] | None]] = [
    ("self-crossing line", lambda t: t.reshape(SELF_CROSSING),
     "crosses itself", at(10 + 2 / 7, 15 + 3 / 7)),
    ("self-crossing area",
     lambda t: t.transfer([at(8, 12), at(12, 18), at(12, 12), at(8, 18)], ["b"], "a"),
     "crosses itself", at(10, 15)),
    ("self-crossing drag", lambda t: t.move_vertex(at(10, 10), at(25, 12)),
     "cross or touch", at(20, 14 + 2 / 3)),
    ("missing line", lambda t: t.split("a", [at(12, 2), at(18, 2)], "xy"),
     "does not run through", at(12, 2)),
    ("a line nowhere", lambda t: t.reshape([at(30, 30), at(31, 31)]), "does not run", at(30, 30)),
    ("a line on an edge", lambda t: t.reshape([at(10, 12), at(10, 18)]), "does not run",
     at(10, 12)),
    ("a line that stops inside", lambda t: t.split("a", [at(-1, 15), at(5, 15)], "xy"),
     "ends within", at(5, 15)),
    ("four crossings",
     lambda t: t.split("a", [at(-1, 12), at(11, 12), at(11, 17), at(-1, 17)], "xy"),
     "3 parts", at(5, 11)),
    ("three grids",
     lambda t: t.reshape([at(5, 21), at(5, 9), at(15, 9), at(15, 21)]), "two at a time",
     at(2.5, 15)),
    ("no neighbours", lambda t: t.merge(["a", "d"], "a"), "no edge", at(15, 5)),
    ("merge of one", lambda t: t.merge(["a", "a"], "a"), "two grids", None),
    ("cut in two", lambda t: t.transfer(box(9, 14, 21, 16), ["b"], "a"), "2 pieces", at(15, 18)),
    ("swallowed", lambda t: t.transfer(box(9, 9, 21, 21), ["b"], "a"), "swallowed", at(15, 15)),
    ("not beside", lambda t: t.transfer(box(14, 14, 16, 16), ["b"], "a"), "pieces", at(15, 15)),
    ("redraw swallows", lambda t: t.redraw("a", box(-1, 9, 21, 21)), "swallowed", at(15, 15)),
    ("redraw elsewhere", lambda t: t.redraw("a", box(12, 2, 14, 4)), "wholly outside", at(13, 3)),
    ("redraw in two", lambda t: t.redraw(
        "a", shapely.MultiPolygon([box(0, 10, 2, 20), box(4, 10, 10, 20)])), "pieces", at(1, 15)),
    ("onto a vertex", lambda t: t.move_vertex(at(10, 10), at(10, 20)), "already", at(10, 20)),
    ("no vertex", lambda t: t.move_vertex(at(5, 5), at(6, 6)), "no vertex", at(5, 5)),
    ("not moved", lambda t: t.move_vertex(at(10, 10), at(10, 10)), "not moved", at(10, 10)),
    ("outer vertex", lambda t: t.move_vertex(at(0, 10), at(1, 10)), "outer boundary", at(0, 10)),
    ("a node", lambda t: t.remove_vertex(at(10, 10)), "Three boundaries", at(10, 10)),
    ("no edge here", lambda t: t.insert_vertex(at(5, 5)), "No boundary", at(5, 5)),
    ("vertex here", lambda t: t.insert_vertex(at(10, 10)), "already", at(10, 10)),
    ("degenerate area", lambda t: t.redraw("a", [at(1, 1), at(2, 2), at(1, 1)]), "no size",
     at(1, 1)),
    ("two points", lambda t: t.redraw("a", [at(1, 1), at(2, 2)]), "three points", None),
    ("one point", lambda t: t.split("a", [at(1, 1)], "xy"), "two points", None),
    ("no length", lambda t: t.split("a", [at(1, 1), at(1, 1)], "xy"), "no length", at(1, 1)),
    ("not a number", lambda t: t.reshape([at(1, 1), (float("nan"), 1)]), "two points", None),
    ("far away", lambda t: t.reshape([(0, 0), (1, 1)]), "far outside", (0, 0)),
    ("unknown", lambda t: t.split("z", [at(0, 0), at(1, 1)], "xy"), "no grid z", None),
    ("unknown to merge", lambda t: t.merge(["a", "z"], "a"), "no grid z", None),
    ("unknown taker", lambda t: t.transfer(box(8, 8, 9, 9), ["a"], "z"), "no grid z", None),
    ("used code", lambda t: t.split("a", [at(5, 9), at(5, 21)], ["b", "y"]), "belongs", at(15, 15)),
    ("code twice", lambda t: t.split("a", [at(5, 9), at(5, 21)], ["y", "y"]), "twice", None),
    ("no code", lambda t: t.split("a", [at(5, 9), at(5, 21)], ["", "y"]), "empty", None),
    ("one code", lambda t: t.split("a", [at(5, 9), at(5, 21)], ["y"]), "two codes", None),
    ("tolerance", lambda t: t.clean(float("nan")), "tolerance", None),
    ("nothing to do", lambda t: t.redraw("a", quarters()["a"]), "changes no grid", None),
    ("a hole", lambda t: t.redraw("a", shapely.difference(box(0, 10, 10, 20), box(3, 13, 6, 16))),
     "No other grid lies beside", at(4.5, 14.5)),
    ("a lasso within", lambda t: t.transfer(box(3, 13, 6, 16), ["a"], "d"),
     "Grid d would fall into 2 pieces", at(4.5, 14.5)),
]  # fmt: skip


@pytest.mark.parametrize(("do", "words", "place"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_bad_input_is_refused_and_changes_nothing(
    do: Callable[[Coverage], Any], words: str, place: tuple[float, float] | None
) -> None:
    town = Coverage(quarters())
    before = town.polygons
    with pytest.raises(Refused, match=words) as caught:
        do(town)
    assert same(before, town.polygons)
    told(caught.value)
    assert (caught.value.place is None) == (place is None)
    if place is not None:
        assert caught.value.place == pytest.approx(place, abs=2e-8)


# The enclave is a square of 2 by 2 in "round", the lake one of 1 by 1 in "lake".
ENCLAVES: list[tuple[str, Callable[[Coverage], Any], str, tuple[float, float]]] = [
    ("an enclave swallowed", lambda t: t.transfer(box(1, 1, 5, 5), ["in"], "round"),
     "in would be swallowed", at(3, 3)),
    ("drawn over an enclave", lambda t: t.redraw("round", box(0, 0, 10, 10)),
     "in would be swallowed", at(3, 3)),
    ("an enclave from afar", lambda t: t.merge(["in", "middle"], "in"), "no edge with in",
     at(10, 15)),
    ("out of the enclave", lambda t: t.transfer(box(1, 2.5, 5, 3.7), ["in"], "middle"),
     "would fall into 2 pieces", at(3, 3.85)),
    ("a moat around a grid", lambda t: t.transfer(
        shapely.difference(box(1, 1, 5, 5), box(1.5, 1.5, 4.5, 4.5)), ["round"], "in"),
     "would fall into", at(3, 3)),
    ("an enclave over its brim", lambda t: t.move_vertex(at(2, 2), at(-1, 3)),
     "would cross or touch", at(0, 2.8)),
    ("over the lake", lambda t: t.move_vertex(at(12, 2), at(12.5, 2.5)), "outer boundary",
     at(12, 2)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("do", "words", "place"), [e[1:] for e in ENCLAVES], ids=[e[0] for e in ENCLAVES]
)
def test_what_would_break_holes_and_enclaves_is_refused(
    do: Callable[[Coverage], Any], words: str, place: tuple[float, float]
) -> None:
    town = Coverage(coverages.odd())
    before = town.polygons
    with pytest.raises(Refused, match=words) as caught:
        do(town)
    assert same(before, town.polygons)
    told(caught.value)
    assert caught.value.place == pytest.approx(place, abs=1e-6)


def test_a_triangle_keeps_its_corners() -> None:
    town = Coverage({"a": shapely.Polygon([at(0, 0), at(4, 0), at(2, 3)])})
    with pytest.raises(Refused, match="needs three vertices") as caught:
        town.remove_vertex(at(2, 3), outer=True)
    assert caught.value.place == at(2, 3)
