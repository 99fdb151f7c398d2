"""After any writes, from the API or psql, everyone gets what an uncached service gives."""

import time
from collections.abc import Iterator
from typing import Any

import mapbox_vector_tile
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo_service.app import create_app
from geo_service.ogc import kernels
from geo_service.ogc.matrix_sets import CGCS2000_QUAD
from geo_service.settings import Settings
from tests.geo_service.conftest import Town
from tests.geo_service.test_low_zooms import PLACES, STATUSES, WRITES, write
from tests.geo_service.test_tile_sets import path_of

_PATIENCE = 10.0  # seconds until the outbox must have reached the cache, on a busy machine
_PATHS = (
    path_of("disputes", 0),
    path_of("disputes", 11),
    path_of("disputes", 14),
    path_of("disputes", 14) + "?filter=status='closed'",
    path_of("disputes", 6) + "?datetime=2026-01-01T00:00:00Z/..",
    path_of("disputes", 9, CGCS2000_QUAD),
    path_of("disputes", 15, CGCS2000_QUAD),
    path_of("grids", 13),
    path_of("", 14),
    "/ogc/collections/disputes/items?limit=3",
    "/ogc/collections/grids/items",
    "/ogc/collections/grids/items?datetime=../..&limit=3",
)
_NAMES = st.sampled_from([f"API{number}" for number in range(4)])
_OPERATIONS = st.one_of(
    st.tuples(st.just("put"), _NAMES, PLACES, STATUSES),
    st.tuples(st.just("drop"), _NAMES),
    WRITES,
    WRITES,
    st.tuples(st.just("look")),  # so that something is in the cache when the next write comes
)


@pytest.fixture
def uncached(town: Town) -> Iterator[TestClient]:
    kernels.GEOJSON.wait()  # what it writes is kept
    service = create_app(Settings(database_url=town.database.url, pool_size=3, tile_cache_mb=0))
    with TestClient(service) as client:
        yield client


def _put(client: TestClient, town: Town, code: str, place: tuple[float, float], status: str) -> int:
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": list(place)},
        "properties": {
            "code": code, "category": "other", "status": status,
            "occurred_at": "2026-05-01T00:00:00Z",
        },
    }  # fmt: skip
    answer = client.post(
        "/ogc/collections/disputes/items", json=feature, headers=town.headers("editor")
    )
    return answer.status_code


def _drop(client: TestClient, town: Town, code: str) -> None:
    headers = town.headers("editor")
    found = client.get(f"/ogc/collections/disputes/items?code={code}", headers=headers).json()
    for feature in found["features"]:
        path = f"/ogc/collections/disputes/items/{feature['id']}"
        etag = client.get(path, headers=headers).headers["etag"]
        assert client.delete(path, headers=headers | {"If-Match": etag}).status_code == 204


def _differences(app: TestClient, uncached: TestClient, town: Town) -> list[tuple[str, str]]:
    return [
        (who, path)
        for who in ("all", "north", "grid")
        for path in _PATHS
        if _told(app, path, town.headers(who)) != _told(uncached, path, town.headers(who))
    ]


def _told(client: TestClient, path: str, headers: dict[str, str]) -> Any:
    """Return what an answer says; a tile's features in one order: PostgreSQL's is its plan's."""
    body = client.get(path, headers=headers).content
    if "/tiles/" not in path:
        return body
    layers = mapbox_vector_tile.decode(body) if body else {}
    return {
        name: (layer["extent"], sorted(layer["features"], key=repr))
        for name, layer in layers.items()
    }


def _run(
    app: TestClient, uncached: TestClient, town: Town, operations: list[tuple[object, ...]]
) -> None:
    with town.database.connect(autocommit=True) as connection:
        for kind, *rest in operations:
            if kind == "look":
                _differences(app, uncached, town)
            elif kind == "put":
                # Outside of the editor's area it is refused: that must change nothing either.
                assert _put(app, town, *rest) in {200, 201, 422}  # type: ignore[arg-type]
            elif kind == "drop":
                _drop(app, town, *rest)  # type: ignore[arg-type]
            else:
                with connection.transaction():
                    write(connection, str(kind), *rest)
    deadline = time.monotonic() + _PATIENCE
    while (left := _differences(app, uncached, town)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


_OFTEN = settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)


@_OFTEN
@given(st.lists(_OPERATIONS, min_size=2, max_size=8))
def test_everyone_sees_what_an_uncached_service_gives(
    app: TestClient, uncached: TestClient, town: Town, operations: list[tuple[object, ...]]
) -> None:
    """The town goes on from one example to the next, and so does the cache."""
    _run(app, uncached, town, operations)


@pytest.mark.slow
@settings(_OFTEN, max_examples=100, derandomize=False)
@given(st.lists(_OPERATIONS, min_size=3, max_size=20))
def test_everyone_sees_it_after_long_histories(
    app: TestClient, uncached: TestClient, town: Town, operations: list[tuple[object, ...]]
) -> None:
    _run(app, uncached, town, operations)


def test_each_way_to_write_is_seen(app: TestClient, uncached: TestClient, town: Town) -> None:
    inside, outside = (117.004, 31.014), (117.004, 31.004)
    _run(app, uncached, town, [
        ("look",), ("put", "API1", inside, "closed"), ("look",), ("put", "API2", outside, "closed"),
        ("put", "API1", (117.0041, 31.0141), "mediating"), ("look",), ("border", 0.012), ("look",),
        ("drop", "API1"), ("look",), ("status", 1, "closed"), ("look",), ("fold", 1000),
        ("look",), ("truncate",),
    ])  # fmt: skip


def test_the_check_finds_a_stale_tile(app: TestClient, uncached: TestClient, town: Town) -> None:
    """Without the outbox the cache goes stale: then the comparison must say so."""
    _differences(app, uncached, town)
    with town.database.connect() as connection:
        connection.execute("ALTER TABLE disputes DISABLE TRIGGER record_update")
        connection.execute("UPDATE disputes SET status = 'closed' WHERE code = 'JF1'")
    assert ("grid", path_of("disputes", 14)) in _differences(app, uncached, town)
