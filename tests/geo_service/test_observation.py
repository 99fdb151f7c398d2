"""What the service tells about itself: figures, logs, slow queries; and what it must not tell."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import psycopg
import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from geo_service import logs
from geo_service.database import SYSTEM, Database
from tests.geo_service.conftest import Town


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the service logs, one JSON object a line."""
    stream = io.StringIO()
    before = logging.getLogger().handlers[:]
    logs.configure(stream)
    yield stream
    logging.getLogger().handlers[:] = before


def _logged(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_metrics_count_requests_by_route(everyone: TestClient) -> None:
    for feature in (1, 2, 999_999):
        everyone.get(f"/ogc/collections/disputes/items/{feature}")
    everyone.get("/nothing/here")
    text = everyone.get("/metrics").text
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    route = ("route", "/ogc/collections/{collection}/items/{feature}")
    name = "geo_service_request_seconds_count"
    assert samples[name, (("method", "GET"), route, ("status", "200"))] == 2
    assert samples[name, (("method", "GET"), route, ("status", "404"))] == 1
    assert samples[name, (("method", "GET"), ("route", "none"), ("status", "404"))] == 1
    for figure in ("database_pool_size", "tile_cache_bytes", "live_lag_seconds", "live_streams"):
        assert (f"geo_service_{figure}", ()) in samples


def test_a_request_has_a_name_and_writes_are_logged(
    everyone: TestClient, lines: io.StringIO
) -> None:
    answer = everyone.post(
        "/api/account/session?q=张三", json={"username": "李四", "password": "geheim"},
        headers={"x-request-id": "abc-123"},
    )  # fmt: skip
    assert answer.headers["x-request-id"] == "abc-123"
    (entry,) = [entry for entry in _logged(lines) if entry["event"] == "request"]
    assert entry["request"] == "abc-123"
    assert (entry["method"], entry["path"], entry["status"]) == (
        "POST", "/api/account/session", 401,
    )  # fmt: skip
    assert not any(word in lines.getvalue() for word in ("张三", "李四", "geheim"))
    odd = everyone.get("/healthz", headers={"x-request-id": "a\tb; {}"})
    assert odd.headers["x-request-id"] not in {"a\tb; {}", ""}


def test_a_failure_names_its_request(
    everyone: TestClient, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr(Database, "ready", broken)
    answer = everyone.get("/readyz")
    assert answer.status_code == 503
    name = answer.headers["x-request-id"]
    assert answer.json()["instance"] == f"urn:request:{name}"
    assert [entry["request"] for entry in _logged(lines) if entry["event"] == "request"] == [name]


def test_a_slow_query_is_logged_with_its_plan_and_no_value(
    town: Town, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs.WatchedCursor, "slow", 0.05)

    async def ask() -> None:
        database = Database(town.database.url, 2)
        await database.open()
        try:
            async with database.reading(SYSTEM) as connection:
                await connection.execute(
                    "SELECT pg_sleep(0.1) FROM disputes WHERE code <> %s LIMIT 1", ["王五"]
                )
                await connection.execute("SELECT 1")
                await connection.execute("SET statement_timeout = '100ms'")
                with pytest.raises(psycopg.errors.QueryCanceled):
                    await connection.execute("SELECT pg_sleep(5), 'secret'")
        finally:
            await database.close()

    asyncio.run(ask())
    slow, cancelled = [entry for entry in _logged(lines) if entry["event"] == "slow query"]
    assert "pg_sleep" in str(slow["query"])
    assert "disputes" in str(slow["plan"])
    assert int(str(slow["ms"])) >= 100
    assert cancelled["plan"] == "not finished"
    assert "王五" not in lines.getvalue()
    assert "secret" not in lines.getvalue()


def test_answers_are_compressed_by_size(everyone: TestClient) -> None:
    path = "/ogc/collections/grids/items"
    for encoding in ("gzip", "br"):
        large = everyone.get(path, headers={"accept-encoding": encoding})
        assert large.headers["content-encoding"] == encoding
        assert large.json()["numberMatched"] == 4
    assert (
        "content-encoding"
        not in everyone.get("/healthz", headers={"accept-encoding": "gzip"}).headers
    )
    assert (
        "content-encoding"
        not in everyone.get(path, headers={"accept-encoding": "identity"}).headers
    )
