"""Extents of layers: kept, exact, and of what one sees alone."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import sql

from geo_service.app import create_app
from geo_service.ogc import extents as module
from geo_service.ogc.extents import Extents
from geo_service.ogc.matrix_sets import HALF_WORLD, northing
from geo_service.settings import Settings
from layers.catalogue import Layer
from tests.geo_service.conftest import Town
from tests.geo_service.features import Client, client

__all__ = ["client"]

WHO = ("all", "north", "grid")
_PATIENCE = 10.0  # seconds until the outbox must have been heard, on a busy machine


def _extents(app: TestClient, client: Client, who: str) -> dict[str, Any]:
    answer = app.get("/ogc/collections", headers=client.headers(who))
    assert answer.status_code == 200
    return {one["id"]: one["extent"] for one in answer.json()["collections"]}


@pytest.fixture
def plain(town: Town) -> Iterator[TestClient]:
    """The same service with nothing kept."""
    service = create_app(Settings(database_url=town.database.url, pool_size=3, tile_cache_mb=0))
    with TestClient(service) as opened:
        yield opened


def _agree(client: Client, plain: TestClient) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        left = [w for w in WHO if _extents(client.app, client, w) != _extents(plain, client, w)]
        if not left:
            return
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def _listening(client: Client) -> Extents:
    """Return what is kept, once changes are heard of."""
    extents = client.app.app.state.kept.extents  # type: ignore[attr-defined]
    assert isinstance(extents, Extents)
    deadline = time.monotonic() + _PATIENCE
    while not extents.listening:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return extents


# Inside of all that is there, at its edges, and beyond, where grids are.
_LON = st.sampled_from([117.0001, 117.005, 117.008, 117.015, 117.0199])
_LAT = st.sampled_from([31.0001, 31.005, 31.01, 31.015, 31.0199])
_CODE = st.sampled_from([f"JF{number}" for number in range(1, 7)])
_DAY = st.integers(-3, 3)
_WRITE = st.one_of(
    st.tuples(st.just("put"), _CODE, _LON, _LAT, _DAY),
    st.tuples(st.just("drop"), _CODE),
    st.tuples(st.just("look")),
    st.tuples(st.just("camera"), _LON, _LAT),
)


def _write(client: Client, kind: str, *rest: Any) -> None:
    if kind == "put":
        code, lon, lat, day = rest
        values = (code, day, lon, lat)
        client.sql("DELETE FROM disputes WHERE code = %s", code)
        client.sql(
            "INSERT INTO disputes (code, category, occurred_at, geom) VALUES"
            " (%s, 'other', '2026-06-01Z'::timestamptz + %s * interval '1 day',"
            " st_setsrid(st_makepoint(%s, %s), 4326))", *values,
        )  # fmt: skip
    elif kind == "drop":
        client.sql("DELETE FROM disputes WHERE code = %s", *rest)
    elif kind == "camera":
        client.sql(
            "UPDATE cameras SET geom = st_setsrid(st_makepoint(%s, %s), 4326)"
            " WHERE code LIKE '%%1'", *rest,
        )  # fmt: skip


@settings(
    max_examples=5, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(st.lists(_WRITE, min_size=3, max_size=6))
@example([("put", "JF5", 117.005, 31.005, 0), ("look",), ("drop", "JF1"), ("look",),
          ("camera", 117.0199, 31.0199), ("look",), ("camera", 117.005, 31.01)])  # fmt: skip
def test_they_are_those_of_a_service_that_keeps_none(
    client: Client, plain: TestClient, writes: list[tuple[Any, ...]]
) -> None:
    for kind, *rest in writes:
        if kind == "look":
            _agree(client, plain)
        else:
            _write(client, kind, *rest)
    _agree(client, plain)


def test_what_one_sees_tells_nothing_of_the_rest(client: Client) -> None:
    boxes = {who: _extents(client.app, client, who)["disputes"]["spatial"]["bbox"][0]
             for who in ("all", "north", "grid", "all")}  # fmt: skip
    assert boxes == {
        "all": [117.005, 31.005, 117.015, 31.015],
        "north": [117.005, 31.015, 117.015, 31.015],
        "grid": [117.005, 31.015, 117.005, 31.015],
    }


def test_they_are_kept_until_a_change_may_have_moved_them(client: Client) -> None:
    extents = _listening(client)
    _extents(client.app, client, "all")
    _extents(client.app, client, "north")
    assert ("disputes", "*") in extents._kept
    x, y = 117.01 / 180 * HALF_WORLD, northing(31.01)
    inside, edge = (x, y, x, y), (0.0, 0.0, x, y)
    extents.invalidate("disputes", inside)
    extents.invalidate("cameras", inside)
    kept = {layer for layer, area in extents._kept if area == "*"}
    assert {"disputes", "cameras"} <= kept
    # Of times nobody knows, but who sees all of them.
    assert ("disputes", "990101101001") not in extents._kept
    extents.invalidate("disputes", edge)
    extents.invalidate("cameras", None)
    assert not {"disputes", "cameras"} & {layer for layer, _ in extents._kept}
    extents.clear()
    assert not extents._kept


def test_a_change_while_they_are_read_counts(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    extents = _listening(client)
    original = module._wholes

    def changed(layers: tuple[Layer, ...]) -> sql.Composed:
        extents.invalidate("grids", (0.0, 0.0, 1.0, 1.0))
        return original(layers)

    monkeypatch.setattr(module, "_wholes", changed)
    _extents(client.app, client, "all")
    assert ("grids", "*") not in extents._kept
    assert ("cameras", "*") in extents._kept
