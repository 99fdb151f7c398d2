"""Whatever a filter says, the answer is features or a sentence, never an error of ours."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo_service.ogc.filtering.conditions import _ARITHMETIC, _ARRAYS, _COMPARISONS, _SPATIAL
from geo_service.ogc.filtering.functions import FUNCTIONS
from geo_service.ogc.filtering.temporal import OPERATORS
from layers.catalogue import CATALOGUE
from tests.geo_service.features import ITEMS, Client, reader

__all__ = ["reader"]

NAMES = [*(field.name for field in CATALOGUE["disputes"].fields), "id", "geometry", "attributes.x"]
GEOMETRIES: list[dict[str, Any]] = [
    {"type": "Point", "coordinates": [117.005, 31.015]},
    {"type": "Point", "coordinates": [0, 90]},
    {"type": "Point", "coordinates": [1e9, -1e9]},
    {"type": "MultiPoint", "coordinates": [[117, 31], [118, 32]]},
    {"type": "LineString", "coordinates": [[117, 31], [118, 32]]},
    {"type": "LineString", "coordinates": [[-180, 0], [180, 0]]},
    {"type": "Polygon", "coordinates": [[[117, 31], [118, 31], [118, 32], [117, 31]]]},
    {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 1], [1, 0], [0, 0]]]},
    {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [117, 31]}]},
    {"bbox": [117, 31, 118, 32]},
    {"bbox": [170, -10, -170, 10]},
    {"bbox": [-180, -90, 180, 90]},
]
NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, -1, 1, 0.5, 1e308, -1e308, 2**63, -(2**63)]),
)
TEXTS = st.one_of(
    st.text(max_size=8), st.sampled_from(["%", "_", "\\", "\\%", "'", "", "{}", "%s"])
)
TIMES = st.sampled_from([
    {"date": "2026-03-05"}, {"date": "0001-01-01"}, {"date": "9999-12-31"}, {"date": "x"},
    {"timestamp": "2026-03-05T08:00:00Z"}, {"timestamp": "9999-12-31T23:59:59.999999-14:00"},
    {"timestamp": "0001-01-01T00:00:00+14:00"},
    {"interval": ["2026-03-05", ".."]}, {"interval": ["..", ".."]},
    {"interval": [{"property": "occurred_at"}, {"property": "closed_at"}]},
])  # fmt: skip
LEAVES = st.one_of(
    st.sampled_from(NAMES).map(lambda name: {"property": name}),
    NUMBERS, TEXTS, TIMES, st.booleans(), st.sampled_from(GEOMETRIES), st.none(),
    st.lists(st.one_of(NUMBERS, TEXTS), max_size=3),
)  # fmt: skip
TWO = [*_COMPARISONS, *_ARITHMETIC, *_SPATIAL, *_ARRAYS, *OPERATORS, "and", "or", "like", "in"]


def _calls(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def call(operator: str, count: int) -> st.SearchStrategy[Any]:
        return st.lists(inner, min_size=count, max_size=count).map(
            lambda arguments: {"op": operator, "args": arguments}
        )

    return st.one_of(
        st.sampled_from(TWO).flatmap(lambda name: call(name, 2)),
        st.sampled_from(["not", "isNull", "-"]).flatmap(lambda name: call(name, 1)),
        call("between", 3),
        st.sampled_from(sorted(FUNCTIONS)).flatmap(
            lambda name: call(name, len(FUNCTIONS[name].arguments))
        ),
    )


KINDS: dict[str, st.SearchStrategy[Any]] = {
    "text": st.one_of(TEXTS, st.sampled_from(["code", "status", "attributes.x"]).map(
        lambda name: {"property": name})),
    "number": st.one_of(NUMBERS, st.sampled_from(["people", "accuracy", "id"]).map(
        lambda name: {"property": name})),
    "geometry": st.one_of(st.sampled_from(GEOMETRIES), st.just({"property": "geometry"})),
    "datetime": st.one_of(TIMES, st.sampled_from(["occurred_at", "closed_at"]).map(
        lambda name: {"property": name}), st.just({"op": "now", "args": []})),
}  # fmt: skip


@st.composite
def fitting(draw: st.DrawFn, kind: str = "boolean", depth: int = 3) -> Any:
    """Draw an expression whose kinds fit, which so reaches the database."""
    if kind != "boolean" and (depth == 0 or draw(st.booleans())):
        return draw(KINDS[kind])
    below = depth - 1
    match kind:
        case "number":
            if draw(st.booleans()):
                operator = draw(st.sampled_from(sorted(_ARITHMETIC)))
                sides = [draw(fitting("number", max(below, 0))) for _ in range(2)]
                return {"op": operator, "args": sides}
            names = ["distance", "area", "length"]
        case "text":
            names = ["casei", "accenti"]
        case "geometry":
            names = ["buffer"]
        case "datetime":
            return draw(KINDS[kind])
        case _:
            return draw(_condition(max(below, 0)))
    name = draw(st.sampled_from(names))
    arguments = [draw(fitting(one, max(below, 0))) for one in FUNCTIONS[name].arguments]
    return {"op": name, "args": arguments}


@st.composite
def _condition(draw: st.DrawFn, depth: int) -> Any:
    kind = draw(st.sampled_from(["text", "number", "geometry", "datetime", "both"]))
    if kind == "both":
        if depth == 0:
            return {"op": "isNull", "args": [draw(fitting("number", 0))]}
        sides = [draw(fitting("boolean", depth)) for _ in range(2)]
        return draw(st.sampled_from([{"op": "and", "args": sides}, {"op": "or", "args": sides},
                                     {"op": "not", "args": sides[:1]}]))  # fmt: skip
    operators = {
        "text": [*_COMPARISONS, "like"], "number": list(_COMPARISONS),
        "geometry": list(_SPATIAL), "datetime": [*_COMPARISONS, *sorted(OPERATORS)],
    }[kind]  # fmt: skip
    sides = [draw(fitting(kind, depth)) for _ in range(2)]
    return {"op": draw(st.sampled_from(operators)), "args": sides}


QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def _asked(reader: Client, tree: Any) -> int:
    query = {"filter": json.dumps(tree), "filter-lang": "cql2-json"}
    answer = reader.get(ITEMS.format("disputes"), params=query)
    assert answer.status_code in {200, 400}, (tree, answer.text)
    if answer.status_code == 400:
        assert answer.json()["detail_zh"]
    return int(answer.status_code)


@settings(max_examples=60, deadline=None, suppress_health_check=QUIET, derandomize=True)
@given(tree=_calls(st.recursive(LEAVES, _calls, max_leaves=6)))
def test_any_filter(reader: Client, tree: Any) -> None:
    _asked(reader, tree)


def test_filters_whose_kinds_fit(reader: Client) -> None:
    statuses: list[int] = []

    @settings(max_examples=60, deadline=None, suppress_health_check=QUIET, derandomize=True)
    @given(tree=fitting())
    def check(tree: Any) -> None:
        statuses.append(_asked(reader, tree))

    check()
    assert statuses.count(200) > 15, "hardly any was computed: the test proves nothing"


@pytest.mark.slow
@settings(max_examples=1500, deadline=None, suppress_health_check=QUIET)
@given(tree=st.one_of(fitting(), _calls(st.recursive(LEAVES, _calls, max_leaves=8))))
def test_many_filters(reader: Client, tree: Any) -> None:
    _asked(reader, tree)
