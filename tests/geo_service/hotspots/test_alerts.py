"""Alerts: raised for what was planted, followed, acknowledged, closed, told, replayed."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient

from geo_service.access.passwords import put_token
from geo_service.analyses.work import working
from geo_service.app import create_app
from geo_service.database import SYSTEM
from geo_service.embedded import Cluster
from geo_service.hotspots import webhook
from geo_service.hotspots.alerts import look
from geo_service.hotspots.following import Followed, Found, follow
from geo_service.hotspots.replay import replay
from geo_service.settings import Settings
from tests.conftest import Service, TestDatabase, copy_of, serve


@pytest.fixture
def town(cluster: Cluster, demo_template: str) -> Iterator[TestDatabase]:
    """A copy of the demonstration town that may be written to."""
    yield from copy_of(cluster, demo_template)


def looked(database: TestDatabase, day: date, **settings: Any) -> dict[str, Any]:
    made = Settings(database_url=database.url, **settings)
    with working(database.url, SYSTEM, seconds=60, writes=True) as work:
        return look(work, made, day, "disputes")


def alerts(database: TestDatabase) -> list[tuple[Any, ...]]:
    with database.connect() as connection:
        return connection.execute(
            "SELECT code, kind, state, observed, recurrence_interval, attributes,"
            " st_asgeojson(geom)::json ->> 'type', area_now FROM alerts ORDER BY code"
        ).fetchall()


@pytest.mark.slow
def test_the_life_of_an_alert(town: TestDatabase, truth: dict[str, Any], until: date) -> None:
    planted = truth["emerging"]
    found = looked(town, until)
    assert [entry["category"] for entry in found["opened"]] == ["property"]
    [(code, kind, state, observed, interval, kept, shape, area)] = alerts(town)
    assert (state, shape) == ("open", "Polygon")
    assert "物业管理" in kind
    assert interval >= 365
    assert set(planted["grids"]) <= set(kept["grids"])
    assert observed >= 20
    assert area == kept["centre"][:12]

    # A second look changes nothing: the live pages hear of nothing.
    with town.connect() as connection:
        before = connection.execute("SELECT max(seq) FROM changes").fetchone()
    again = looked(town, until)
    assert not again["opened"]
    assert not again["continued"]
    with town.connect() as connection:
        assert connection.execute("SELECT max(seq) FROM changes").fetchone() == before

    # An officer acknowledges it through the features interface, and it is followed as such.
    with town.connect() as connection:
        token = put_token(connection, "duty", "officer", "*")
        viewer = put_token(connection, "guest", "viewer", "*")
        connection.commit()
    with TestClient(create_app(Settings(database_url=town.url))) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        listed = client.get("/ogc/collections/alerts/items").json()
        path = f"/ogc/collections/alerts/items/{listed['features'][0]['id']}"
        tag = client.get(path).headers["ETag"]
        patch = json.dumps({"properties": {"state": "acknowledged"}})
        headers = {"If-Match": tag, "Content-Type": "application/merge-patch+json"}
        refused = client.patch(
            path, content=patch, headers=headers | {"Authorization": f"Bearer {viewer}"}
        )
        assert refused.status_code == 403
        assert client.patch(path, content=patch, headers=headers).status_code == 204
        assert client.get("/api/wall").json()["alerts"][0]["state"] == "acknowledged"
    tomorrow = looked(town, until + timedelta(days=1))
    assert [entry["code"] for entry in tomorrow["continued"]] == [code]
    assert alerts(town)[0][2] == "acknowledged"

    # Weeks later nothing of it is left.
    gone = looked(town, until + timedelta(days=40))
    assert [entry["code"] for entry in gone["closed"]] == [code]
    assert alerts(town)[0][2] == "closed"
    assert alerts(town)[0][5]["closed"] == (until + timedelta(days=40)).isoformat()


@pytest.mark.slow
def test_a_day_of_many_alerts_numbers_on(town: TestDatabase, until: date) -> None:
    """Numbers go on after 99, whatever codes people gave to alerts of their own."""
    stem = f"YJ{until:%Y%m%d}-"
    with town.connect() as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO alerts (code, kind, statistic, p, recurrence_interval, window_start,"
            " window_end, observed, expected, state, attributes, geom)"
            " SELECT %s, 'earlier', 9, 0.01, 100, now(), now(), 9, 3, 'closed', '{}',"
            " st_geometryn(geom, 1) FROM grids LIMIT 1",
            [[stem + "99"], [stem + "of the mayor"]],
        )
        connection.commit()
    assert [entry["code"] for entry in looked(town, until)["opened"]] == [stem + "100"]


@pytest.mark.slow
def test_the_interval_is_a_setting(town: TestDatabase, until: date) -> None:
    assert not looked(town, until, alert_interval_days=10**60)["opened"]
    assert alerts(town) == []


def test_an_alert_is_followed_by_its_cells() -> None:
    day = date(2026, 5, 1)

    def cluster(cells: str, p: float) -> Found:
        return Found(frozenset(cells), cells[0], day, day, 9, 2.0, 8.0, p, 1 / p)

    first = follow([], [cluster("ab", 0.001), cluster("xy", 0.01)], day, 365)
    assert [found.cells for found in first.new] == [frozenset("ab")]
    held = Followed(1, first.new[0], day, day)
    # It splits: the larger part goes on, the other is no news. It is gone when p is above 0.05.
    split = follow([held], [cluster("a", 1e-4), cluster("bcd", 1e-4), cluster("z", 1e-4)], day, 365)
    assert [found.cells for found in split.new] == [frozenset("z")]
    assert len(split.on) == 1
    weak = follow([held], [cluster("ab", 0.2)], day, 365)
    assert weak.gone[0].closed == day
    # Two that meet are one.
    other = Followed(2, cluster("cd", 0.001), day, day)
    met = follow([held, other], [cluster("abc", 1e-4)], day, 365)
    assert [alert.id for alert in met.on] == [1]
    assert [alert.id for alert in met.gone] == [2]


@pytest.mark.slow
def test_replay_raises_the_planted_alert_early(
    ask: Any, truth: dict[str, Any], until: date
) -> None:
    planted = truth["emerging"]
    with working(ask.url, SYSTEM, seconds=60) as work:
        found = replay(
            work, until - timedelta(days=20), until, interval=365, layer="disputes",
            category="property",
        )  # fmt: skip
    hits = [alert for alert in found if alert.cells & set(planted["grids"])]
    assert len(hits) == 1
    assert date.fromisoformat(planted["start"]) < hits[0].opened <= until
    assert hits[0].delay < 14
    assert hits[0].after > 0
    assert len(found) == 1, "nothing else in these weeks"


@contextmanager
def receiver(refusals: int) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A server on this host that refuses some messages before it takes any."""
    got: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((dict(self.headers), body))
            self.send_response(503 if len(got) <= refusals else 204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_message_is_signed() -> None:
    with receiver(0) as (url, got):
        webhook.send(
            Settings(alert_webhook=url, alert_secret="s3cret"),  # type: ignore[arg-type]
            {"event": "alert.opened", "code": "YJ"},
        )
    [(headers, body)] = got
    mac = hmac.new(
        b"s3cret", headers["Geo-Service-Timestamp"].encode() + b"." + body, hashlib.sha256
    )
    assert headers["Geo-Service-Signature"] == f"sha256={mac.hexdigest()}"
    assert abs(time.time() - int(headers["Geo-Service-Timestamp"])) < 60
    with receiver(9) as (url, got), pytest.raises(webhook.RefusedError):
        webhook.send(Settings(alert_webhook=url), {"event": "alert.opened"})


@pytest.mark.slow
def test_an_alert_is_told_until_it_is_taken(town: TestDatabase, until: date, tmp_path: Any) -> None:
    """A process by an officer raises it; its message is refused once, tried again, and taken."""
    with town.connect() as connection:
        token = put_token(connection, "duty", "officer", "*")
        part = put_token(connection, "part", "officer", "990101101005")
        connection.commit()
    with receiver(1) as (url, got):
        made: Iterator[Service] = serve(
            town, GEO_SERVICE_HOME=str(tmp_path), GEO_SERVICE_ALERT_WEBHOOK=url,
            GEO_SERVICE_ALERT_SECRET="s3cret",
        )  # fmt: skip
        for service in made:
            answer = _ask(service, token, {"layer": "disputes", "to": until.isoformat()})
            assert answer["status"] == "successful", answer
            refused = _ask(service, part, {})
            assert refused["status"] == "failed"
            for _ in range(300):
                if len(got) >= 2:
                    break
                time.sleep(0.1)
    assert len(got) == 2, "refused once, then taken"
    assert got[0][1] == got[1][1]
    told = json.loads(got[1][1])
    assert told["event"] == "alert.opened"
    assert told["category"] == "property"
    assert set(told) == {
        "event", "id", "code", "state", "kind", "layer", "category", "from", "to", "observed",
        "expected", "p", "recurrence_days", "grids",
    }  # fmt: skip
    with psycopg.connect(town.url) as connection:
        rows = connection.execute(
            "SELECT args::text FROM jobs.procrastinate_jobs WHERE task_name = 'webhook'"
        ).fetchall()
    assert rows
    assert "s3cret" not in str(rows)


def _ask(service: Service, token: str, inputs: dict[str, Any]) -> dict[str, Any]:
    import httpx2

    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx2.post(
        f"{service.url}/ogc/processes/alerts/execution", json={"inputs": inputs}, headers=headers
    )
    assert answer.status_code == 201, answer.text
    for _ in range(600):
        found: dict[str, Any] = httpx2.get(answer.headers["Location"], headers=headers).json()
        if found["status"] in {"successful", "failed"}:
            return found
        time.sleep(0.1)
    raise AssertionError(f"it does not come to an end: {found}")
