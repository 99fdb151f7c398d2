"""Pages of shapes: of one moment, in pieces, kept by version, and told apart by their ETag."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from geo_service.app import create_app
from geo_service.ogc import kernels, page_rows, shape_pages
from geo_service.ogc.fragments import Fragments
from geo_service.ogc.shape_pages import ShapePage
from geo_service.settings import Settings
from tests.geo_service.conftest import Town
from tests.geo_service.features import ITEMS, Client, client

__all__ = ["client"]

GRIDS, BUILDINGS = ITEMS.format("grids"), ITEMS.format("buildings")
COUNT = 12


@pytest.fixture
def built(client: Client) -> Client:
    """A client of a town with a row of buildings, half of them in the north."""
    assert kernels.GEOJSON.wait() is not None
    client.sql(
        "INSERT INTO buildings (code, height, geom) SELECT 'H' || n, n, st_makeenvelope("
        "117.001 + n * 1e-4, 31.001 + n % 2 * 1e-2, 117.00105 + n * 1e-4, 31.0011 + n % 2 * 1e-2,"
        " 4326) FROM generate_series(1, 12) AS n"
    )
    return client


@pytest.fixture
def plain(town: Town) -> Iterator[TestClient]:
    """The same service with nothing kept."""
    service = create_app(Settings(database_url=town.database.url, pool_size=3, tile_cache_mb=0))
    with TestClient(service) as opened:
        yield opened


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read, write and send by the single feature."""
    monkeypatch.setattr(shape_pages, "_READ", 1)
    monkeypatch.setattr(shape_pages, "_FIRST", 1)
    monkeypatch.setattr(shape_pages, "_LONG", 1)
    monkeypatch.setattr(page_rows, "_PIECE", 1)


def _kept(client: Client) -> Fragments:
    kept = client.app.app.state.kept.features  # type: ignore[attr-defined]
    assert isinstance(kept, Fragments)
    return kept


_ASKED = (
    "limit=5", "", "limit=1", "crs=http://www.opengis.net/def/crs/EPSG/0/4490", "properties=code",
    "sortby=-code", "code=none", "bbox=117.001,31,117.0015,31.1",
)  # fmt: skip


@pytest.mark.parametrize("how", ["whole", "small"])
def test_pages_are_those_of_a_service_that_keeps_nothing(
    built: Client, plain: TestClient, how: str, request: pytest.FixtureRequest
) -> None:
    if how == "small":
        request.getfixturevalue("small")
    for _ in range(2):
        for who in ("all", "north", "grid"):
            for path in (f"{layer}?{query}" for layer in (GRIDS, BUILDINGS) for query in _ASKED):
                expected = plain.get(path, headers=built.headers(who)).content
                assert built.get(path, who).content == expected, (who, path)
    assert _kept(built)
    built.sql("UPDATE buildings SET height = 99 WHERE code = 'H2'")
    built.sql("DELETE FROM buildings WHERE code = 'H3'")
    for who in ("all", "north"):
        expected = plain.get(BUILDINGS, headers=built.headers(who)).content
        assert built.get(BUILDINGS, who).content == expected


def test_what_is_kept_is_not_read_again(built: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    original = ShapePage._ask

    async def noted(self: Any, connection: Any, columns: Any, piece: list[int]) -> Any:
        asked.extend(piece)
        return await original(self, connection, columns, piece)

    monkeypatch.setattr(ShapePage, "_ask", noted)
    built.page("buildings")
    assert len(asked) == COUNT
    built.page("buildings", who="north")  # whoever sees a row sees the same of it
    built.page("buildings", limit=3)
    assert len(asked) == COUNT
    built.page("buildings", properties="code")
    assert len(asked) == 2 * COUNT
    changed = built.feature("buildings", "H5")["id"]
    built.sql("UPDATE buildings SET height = 7 WHERE code = 'H5'")
    assert built.feature("buildings", "H5")["properties"]["height"] == 7
    assert asked[2 * COUNT :] == [changed]


@pytest.mark.usefixtures("small")
def test_a_page_is_of_one_moment(built: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    original = ShapePage._ask

    async def late(self: Any, connection: Any, columns: Any, piece: list[int]) -> Any:
        built.sql("UPDATE buildings SET height = 50")
        built.sql("DELETE FROM buildings WHERE code = 'H7'")
        return await original(self, connection, columns, piece)

    monkeypatch.setattr(ShapePage, "_ask", late)
    found = built.page("buildings")
    assert [feature["properties"]["height"] for feature in found["features"]] == [
        float(n) for n in range(1, 13)
    ]
    after = built.page("buildings")
    assert found["numberMatched"] == COUNT
    assert {feature["properties"]["height"] for feature in after["features"]} == {50.0}
    assert after["numberMatched"] == COUNT - 1


@pytest.mark.usefixtures("small")
def test_what_the_kernel_cannot_write_the_database_writes(
    built: Client, plain: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = plain.get(BUILDINGS, headers=built.headers("all")).content
    kernel = kernels.GEOJSON.wait()
    write, turns = kernel.write, iter([True, False] * COUNT)
    monkeypatch.setattr(kernel, "write", lambda shapes: write(shapes) if next(turns) else None)
    assert built.get(BUILDINGS).content == expected


@pytest.mark.usefixtures("small")
def test_an_error_is_told_or_breaks_the_answer(
    built: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, left = ShapePage._ask, 0

    async def lost(self: Any, connection: Any, columns: Any, piece: list[int]) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise psycopg.OperationalError("the connection is lost")
        return await original(self, connection, columns, piece)

    monkeypatch.setattr(ShapePage, "_ask", lost)
    answer = built.get(f"{BUILDINGS}?sortby=code")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    left = 6
    with pytest.raises(RuntimeError, match="already started"):  # the connection breaks
        built.get(f"{BUILDINGS}?sortby=code")
    left = COUNT
    assert len(built.page("buildings")["features"]) == COUNT


def test_an_unchanged_page_is_not_sent_again(built: Client) -> None:
    for path in (GRIDS, f"{BUILDINGS}?limit=3", ITEMS.format("disputes")):
        first = built.get(path)
        etag = {"If-None-Match": first.headers["etag"]}
        again = built.get(path, headers=etag)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["cache-control"] == "private, no-cache"
        # Another who sees less, another address, another form: another page.
        assert built.get(path, "grid", headers=etag).status_code == 200
        assert built.get(path, params={"limit": 2}, headers=etag).status_code == 200
        assert built.get(path, params={"f": "html"}, headers=etag).status_code == 200
        packed = built.get(path, headers=etag | {"Accept-Encoding": "gzip"})
        assert packed.status_code == 304
    path = f"{BUILDINGS}?limit=3"
    etag = {"If-None-Match": built.get(path).headers["etag"]}
    for change in (
        "UPDATE buildings SET height = 8 WHERE code = 'H2'",
        "DELETE FROM buildings WHERE code = 'H1'",
        "DELETE FROM buildings WHERE code = 'H12'",  # on another page: so many match
        "UPDATE disputes SET status = 'closed'",
    ):
        built.sql(change)
        answer = built.get(path, headers=etag)
        assert answer.status_code == (304 if "disputes" in change else 200)
        etag = {"If-None-Match": answer.headers["etag"]}


@given(
    st.lists(st.tuples(st.integers(0, 5), st.binary(min_size=1, max_size=1), st.integers(0, 900)))
)
def test_what_is_kept_is_bounded_and_of_its_version(
    asked: list[tuple[int, bytes, int]],
) -> None:
    kept = Fragments(3000)
    last: dict[int, tuple[bytes, bytes]] = {}
    kind = ("grids", "here")
    for number, version, size in asked:
        text = bytes([number]) * size
        kept.keep(kind, (number, version), text)
        last[number] = (version, text)
        assert kept.size <= 3000
        assert kept.find(kind, [(number, version)]) == {number: text}
        assert kept.find(("grids", "there"), [(number, version)]) == {}
        for other, (state, written) in last.items():
            assert kept.find(kind, [(other, state + b"x")]) == {}
            assert kept.find(kind, [(other, state)]) in ({}, {other: written})
    kept.clear()
    assert (kept.size, len(kept)) == (0, 0)


def test_the_least_recently_used_goes_first() -> None:
    kept, kind = Fragments(1499), ("grids", "here")
    kept.keep(kind, (1, b"v"), b"x" * 100)
    kept.keep(kind, (2, b"v"), b"x" * 100)
    kept.find(kind, [(1, b"v")])
    kept.keep(kind, (3, b"v"), b"x" * 100)
    found = kept.find(kind, [(number, b"v") for number in (1, 2, 3)])
    assert sorted(found) == [1, 3]
    kept.keep(kind, (4, b"v"), b"x" * 2000)  # larger than all of it: it takes no other's place
    assert len(kept) == 2


def test_what_is_kept_goes_with_the_tiles(built: Client) -> None:
    built.page("grids")
    assert len(_kept(built)) == 4
    built.app.app.state.kept.clear()  # type: ignore[attr-defined]
    assert len(_kept(built)) == 0
    assert json.loads(built.get(GRIDS).content)["numberReturned"] == 4
