"""OGC API Processes: descriptions, execution, refusals, jobs, dismissal."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from geo_service.access.passwords import put_token
from geo_service.analyses.catalogue import PROCESSES
from geo_service.embedded import Cluster
from geo_service.hotspots import events as hotspot_events
from geo_service.problems import Problem
from tests.conftest import Service, copy_of, serve
from tests.geo_service.hotspots.conftest import Asked

CONFORMANCE = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"


def test_processes_are_listed_and_described(demo: TestClient) -> None:
    classes = demo.get("/ogc/conformance").json()["conformsTo"]
    assert {f"{CONFORMANCE}{name}" for name in ("core", "json", "job-list", "dismiss")} <= set(
        classes
    )
    rels = {link["rel"] for link in demo.get("/ogc").json()["links"]}
    assert "http://www.opengis.net/def/rel/ogc/1.0/processes" in rels
    listed = demo.get("/ogc/processes").json()["processes"]
    assert [entry["id"] for entry in listed] == list(PROCESSES)
    for entry in listed:
        told = demo.get(f"/ogc/processes/{entry['id']}").json()
        assert told["inputs"]
        for part in told["inputs"].values():
            assert part["schema"]
        assert list(told["outputs"]) == ["answer"]
        assert demo.get(f"/ogc/processes/{entry['id']}?f=html").status_code == 200
    none = demo.get("/ogc/processes/nothing")
    assert none.status_code == 404
    assert none.json()["type"].endswith("/no-such-process")


def execute(client: TestClient, process: str = "hot-spots", **body: Any) -> Any:
    return client.post(f"/ogc/processes/{process}/execution", json=body)


def test_raw_and_document(demo: TestClient) -> None:
    inputs = {"layer": "disputes", "filter": {"op": "=", "args": [{"property": "category"},
                                                                  "neighbour"]}}  # fmt: skip
    raw = execute(demo, inputs=inputs)
    assert raw.status_code == 200
    assert raw.json()["cells"]["type"] == "FeatureCollection"
    document = execute(demo, inputs={"layer": {"value": "disputes"}}, response="document").json()
    assert set(document) == {"answer"}
    assert document["answer"]["value"]["evidence"]["n"] > raw.json()["evidence"]["n"] > 0


@pytest.mark.parametrize(
    ("inputs", "status", "word"),
    [
        ({}, 400, "layer"),
        ({"layer": "grids"}, 400, "layer"),
        ({"layer": "disputes", "colour": 1}, 400, "colour"),
        ({"layer": "disputes", "from": "31.10.2026"}, 400, "from"),
        ({"layer": "disputes", "from": "2026-10-31", "to": "2026-10-01"}, 422, "ends"),
        ({"layer": "disputes", "filter": "category = "}, 400, "CQL2"),
        ({"layer": "disputes", "filter": "colour = 'red'"}, 400, "colour"),
        ({"layer": "disputes", "area": "110000"}, 422, "110000"),
        ({"layer": "disputes", "cells": "triangles"}, 400, "cells"),
        ({"layer": "disputes", "cells": "squares", "size": 0}, 400, "size"),
        ({"layer": "disputes", "cells": "squares", "size": float("1e300")}, 400, "size"),
        ({"layer": "disputes", "alpha": 1}, 400, "alpha"),
        ({"layer": "disputes", "area": "x' OR true --"}, 400, "area"),
        ({"layer": "disputes", "area": "a\0b"}, 400, "area"),
        ("disputes", 400, "inputs"),
    ],
)
def test_wrong_inputs_get_a_sentence(demo: TestClient, inputs: Any, status: int, word: str) -> None:
    answer = execute(demo, inputs=inputs)
    assert answer.status_code == status, answer.text
    assert word in answer.json()["detail"]
    assert answer.json()["detail_zh"]


def test_wrong_requests(demo: TestClient) -> None:
    path = "/ogc/processes/hot-spots/execution"
    assert (
        demo.post(path, content=b"{", headers={"Content-Type": "application/json"}).status_code
        == 400
    )
    assert demo.post(path, content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
    inputs = {"layer": "disputes"}
    assert execute(demo, inputs=inputs, outputs={"map": {}}).status_code == 400
    assert execute(demo, inputs=inputs, response="pdf").status_code == 400
    other = demo.post(path, json={"inputs": inputs}, headers={"Sec-Fetch-Site": "cross-site"})
    assert other.status_code == 403
    long = execute(demo, "scan", inputs=inputs | {"prospective": False})
    assert long.status_code == 422
    assert "respond-async" in long.json()["detail"]
    assert execute(demo, "alerts", inputs={}).status_code == 403, "a viewer raises no alerts"


def test_more_events_than_fit_are_for_a_job_or_refused(
    demo: TestClient, ask: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    squares = {"layer": "disputes", "cells": "squares", "size": 500}
    events = execute(demo, inputs=squares).json()["evidence"]["n"]
    monkeypatch.setattr(hotspot_events, "AT_ONCE", events - 1)
    refused = execute(demo, inputs=squares)
    assert refused.status_code == 422
    assert "respond-async" in refused.json()["detail"]
    assert ask("hot-spots", **squares)["evidence"]["n"] == events, "a job may"
    monkeypatch.setattr(hotspot_events, "MOST_EVENTS", events - 1)
    with pytest.raises(Problem, match=f"more than {events - 1:,} events"):
        ask("hot-spots", **squares)


def test_jobs_of_nobody(demo: TestClient) -> None:
    for path in ("/ogc/jobs/x", "/ogc/jobs/00000000-0000-0000-0000-000000000000/results"):
        answer = demo.get(path)
        assert answer.status_code == 404
        assert answer.json()["type"].endswith("/no-such-job")


class Desk:
    """A running service over a copy of the demonstration town, and its officers."""

    def __init__(self, service: Service, tokens: dict[str, str]) -> None:
        self.service, self.tokens = service, tokens

    def request(self, method: str, path: str, who: str = "officer", **values: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.tokens[who]}", **values.pop("headers", {})}
        return httpx2.request(
            method, f"{self.service.url}{path}", headers=headers, timeout=60, **values
        )

    def job(self, process: str, inputs: dict[str, Any], who: str = "officer") -> str:
        answer = self.request(
            "POST", f"/ogc/processes/{process}/execution", who, json={"inputs": inputs},
            headers={"Prefer": "respond-async"},
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
        told = answer.json()
        assert told["status"] == "accepted"
        assert answer.headers["Location"].endswith(f"/ogc/jobs/{told['jobID']}")
        return str(told["jobID"])

    def until(self, id_: str, *states: str) -> dict[str, Any]:
        for _ in range(600):
            found: dict[str, Any] = self.request("GET", f"/ogc/jobs/{id_}").json()
            if found["status"] in states:
                return found
            time.sleep(0.1)
        raise AssertionError(f"it does not come to an end: {found}")


@pytest.fixture(scope="module")
def desk(
    cluster: Cluster, demo_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    home: Path = tmp_path_factory.mktemp("desk")
    for database in copy_of(cluster, demo_template):
        tokens = {}
        with database.connect() as connection:
            for who, area in (("officer", "*"), ("other", "*"), ("part", "990101101005")):
                tokens[who] = put_token(connection, who, "officer", area)
        for service in serve(database, GEO_SERVICE_HOME=str(home)):
            yield Desk(service, tokens)


@pytest.mark.slow
def test_a_job_runs_and_its_result_is_that_of_asking_at_once(desk: Desk) -> None:
    inputs = {"layer": "disputes", "filter": "category = 'family'"}
    id_ = desk.job("hot-spots", inputs)
    early = desk.request("GET", f"/ogc/jobs/{id_}/results")
    assert early.status_code in {200, 404}
    told = desk.until(id_, "successful", "failed")
    assert told["status"] == "successful", told
    assert told["progress"] == 100
    result = desk.request("GET", f"/ogc/jobs/{id_}/results").json()
    at_once = desk.request("POST", "/ogc/processes/hot-spots/execution", json={"inputs": inputs})
    assert result["ranked"] == at_once.json()["ranked"]
    assert id_ in [job["jobID"] for job in desk.request("GET", "/ogc/jobs").json()["jobs"]]
    # Another account does not see it, nor does one of a smaller area.
    for who in ("other", "part"):
        assert desk.request("GET", f"/ogc/jobs/{id_}", who).status_code == 404
        assert desk.request("DELETE", f"/ogc/jobs/{id_}", who).status_code == 404
    assert desk.request("DELETE", f"/ogc/jobs/{id_}").json()["status"] == "dismissed"
    assert desk.request("GET", f"/ogc/jobs/{id_}").status_code == 404


@pytest.mark.slow
def test_a_job_that_cannot_be_done_says_why(desk: Desk) -> None:
    id_ = desk.job("hot-spots", {"layer": "disputes", "area": "110000"})
    assert desk.until(id_, "failed")["message_zh"]
    result = desk.request("GET", f"/ogc/jobs/{id_}/results")
    assert result.status_code == 422
    assert "110000" in result.json()["detail"]


@pytest.mark.slow
def test_a_dismissed_job_ends_at_once(desk: Desk) -> None:
    """Minutes of computing, ended within seconds; the next job is done."""
    id_ = desk.job(
        "scan",
        {"layer": "disputes", "from": "2023-12-01", "prospective": False, "simulations": 9999,
         "max_radius": 5000, "max_days": 366},
    )  # fmt: skip
    desk.until(id_, "running")
    assert desk.request("DELETE", f"/ogc/jobs/{id_}").json()["status"] == "dismissed"
    assert desk.request("GET", f"/ogc/jobs/{id_}/results").status_code == 410
    following = desk.job("hot-spots", {"layer": "hazards"})
    assert desk.until(following, "successful", "failed")["status"] == "successful"
    assert desk.request("GET", f"/ogc/jobs/{id_}").json()["status"] == "dismissed"
