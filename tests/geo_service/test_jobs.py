"""Jobs outlive the process that does them: killed in the middle, none is lost or half done."""

import importlib.metadata
import json
import os
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import psycopg
import pytest

from geo_service import jobs
from geo_service.database import SYSTEM, acting
from geo_service.embedded import Cluster
from geo_service.imports import store, uploads
from tests.conftest import TestDatabase, serve
from tests.geo_service.office import Office, alive, disputes, gone, kill, open_office

FOUR = ["JF1", "JF2", "JF3", "JF4"]


@pytest.fixture
def office(
    cluster: Cluster, town_template: tuple[str, dict[str, str]], tmp_path: Path
) -> Iterator[Office]:
    yield from open_office(cluster, town_template, tmp_path)


def hold(office: Office) -> psycopg.Connection[Any]:
    """Hold the layer, so that a load comes to a stand in the middle of its transaction."""
    connection = office.database.connect()
    connection.execute("LOCK TABLE disputes IN SHARE MODE")
    return connection


def until_it_writes(office: Office, other: int = 0) -> int:
    """Wait until a load stands before the table that is held; return its session on the server.

    ``other`` is the session of a load that was killed, which the server lets go a moment later.
    """
    for _ in range(1200):
        if found := office.rows(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"
            " AND application_name = 'geo-service work' AND wait_event_type = 'Lock'",
            other,
        ):
            return int(found[0][0])
        time.sleep(0.05)
    raise AssertionError("the load does not come to the table")


@pytest.mark.slow
def test_a_killed_job_is_done_again_once(office: Office) -> None:
    first = office.wait_for_worker()
    id_ = office.hand_in(disputes(200))
    blocker = hold(office)
    office.ask("load", id_)
    session = until_it_writes(office)
    assert office.get(id_)["state"] == "running"
    kill(first)
    assert gone(first)

    def told(found: dict[str, Any]) -> bool:
        return bool(found["report"])

    cut = office.until(id_, "chief", told)
    assert cut["state"] in {"queued", "running"}
    assert "服务中断" in cut["report"]["notes"][0]["zh"]
    assert "自动" in cut["report"]["notes"][0]["zh"]
    until_it_writes(office, session)
    assert office.worker() != first
    assert office.codes() == FOUR  # as it was: nothing half done
    blocker.close()
    found = office.ended(id_)
    assert found["state"] == "loaded", found
    assert found["report"]["inserted"] == 200
    assert "重新处理" in found["report"]["notes"][0]["zh"]
    assert len(office.codes()) == 204
    assert office.request("POST", f"/{id_}/undo").json()["state"] == "undone"
    assert office.codes() == FOUR


@pytest.mark.slow
def test_a_job_killed_twice_stays_interrupted(office: Office) -> None:
    office.wait_for_worker()
    id_ = office.hand_in(disputes(20))
    blocker = hold(office)
    office.ask("load", id_)
    session = 0
    for _ in range(2):
        session = until_it_writes(office, session)
        number = office.worker()
        kill(number)
        assert gone(number)
    office.until(id_, "chief", lambda found: found["state"] == "interrupted")
    blocker.close()
    found = office.ended(id_)
    assert found["state"] == "interrupted"
    assert "原样" in found["report"]["notes"][0]["zh"]
    assert office.codes() == FOUR
    assert office.rows("SELECT status::text FROM jobs.procrastinate_jobs WHERE task_name = 'import'"
                       ) == [("failed",)]  # fmt: skip
    assert office.load(id_)["state"] == "loaded"  # whoever wants it starts it again
    assert len(office.codes()) == 24


@pytest.mark.slow
def test_a_large_load_killed_while_it_reads(office: Office) -> None:
    number = office.wait_for_worker()
    id_ = office.hand_in(disputes(25_000))
    office.ask("load", id_)
    office.until(id_, "chief", lambda found: found["state"] == "running" and found["done"])
    kill(number)
    assert office.codes() == FOUR
    found = office.ended(id_)
    assert found["state"] == "loaded", found
    assert found["report"]["inserted"] == 25_000
    assert len(office.codes()) == 25_004


@pytest.mark.slow
def test_a_killed_service_takes_its_job_with_it_and_goes_on(
    office: Office,
) -> None:
    number = office.wait_for_worker()
    id_ = office.hand_in(disputes(50))
    blocker = hold(office)
    office.ask("load", id_)
    until_it_writes(office)
    office.service.process.send_signal(signal.SIGKILL)
    office.service.process.wait(10)
    assert gone(number), "the process of the jobs outlived the service"
    blocker.close()
    assert office.codes() == FOUR
    for service in serve(office.database, GEO_SERVICE_HOME=str(office.home)):
        again = Office(service, office.home, office.tokens)
        found = again.ended(id_)
        assert found["state"] == "loaded", found
        assert "重新处理" in found["report"]["notes"][0]["zh"]
        assert len(again.codes()) == 54


def test_every_task_has_a_worker() -> None:
    queues = {task.queue for task in jobs.app.tasks.values() if task.queue != "builtin"}
    assert queues == {queue for together in jobs.TOGETHER for queue in together}


@pytest.mark.slow
def test_an_analysis_does_not_wait_for_an_import(office: Office) -> None:
    office.wait_for_worker()
    id_ = office.hand_in(disputes(30))
    blocker = hold(office)
    office.ask("load", id_)
    until_it_writes(office)
    headers = {"Authorization": f"Bearer {office.tokens['chief']}"}
    asked = httpx2.post(
        f"{office.service.url}/ogc/processes/hot-spots/execution",
        json={"inputs": {"layer": "disputes", "from": "2026-01-01", "to": "2026-03-31"}},
        headers=headers | {"Prefer": "respond-async"},
        timeout=60,
    )
    assert asked.status_code == 201, asked.text
    for _ in range(600):
        found = httpx2.get(asked.headers["location"], headers=headers, timeout=60).json()
        if found["status"] not in {"accepted", "running"}:
            break
        time.sleep(0.1)
    assert found["status"] == "successful", found
    assert office.get(id_)["state"] == "running"
    blocker.close()
    assert office.ended(id_)["state"] == "loaded"


def test_the_process_ends_with_the_service(office: Office) -> None:
    number = office.wait_for_worker()
    office.service.process.send_signal(signal.SIGTERM)
    office.service.process.wait(30)
    assert not alive(number)
    with acting(office.database.url, SYSTEM) as connection:
        assert connection.execute("SELECT count(*) FROM jobs.procrastinate_workers").fetchone() == (
            0,
        )


def doing(database: TestDatabase, task: str, attempts: int = 0, **arguments: object) -> int:
    """Put down a job that some process fetched."""
    with database.connect() as connection:
        row = connection.execute(
            "INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, args, status, attempts)"
            " VALUES ('q', %s, %s, 'doing', %s) RETURNING id",
            [task, json.dumps(arguments), attempts],
        ).fetchone()
    assert row
    return int(row[0])


def status(database: TestDatabase, job: int) -> str:
    with database.connect() as connection:
        row = connection.execute(
            "SELECT status::text FROM jobs.procrastinate_jobs WHERE id = %s", [job]
        ).fetchone()
    assert row
    return str(row[0])


def test_a_job_that_somebody_does_is_left_alone(database: TestDatabase) -> None:
    held, left = doing(database, "tidy"), doing(database, "tidy")
    with acting(database.url, SYSTEM) as worker:
        worker.execute("SELECT pg_advisory_lock(%s, %s::integer)", [jobs._HELD, held])
        doubtful = jobs.recover(database.url, own=[], doubtful=set())
        assert doubtful == {left}
        assert status(database, left) == "doing"  # a second look decides
        assert jobs.recover(database.url, own=[], doubtful=doubtful | {held}) == set()
        assert (status(database, held), status(database, left)) == ("doing", "todo")
    assert jobs.recover(database.url, own=[], doubtful={held}) == set()
    assert status(database, held) == "todo"


def test_a_second_interruption_is_the_last(database: TestDatabase) -> None:
    job = doing(database, "tidy", attempts=1)
    jobs.recover(database.url, own=[], doubtful={job})
    assert status(database, job) == "failed"


def test_a_load_that_was_committed_at_the_last_moment_stays(database: TestDatabase) -> None:
    id_ = "0f8fad5b-d9cb-469f-a165-70867728950e"
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO imports (id, layer, file, bytes, sha256, account, area, state, report)"
            " VALUES (%s, 'disputes', 'a', 1, '', 'a', '*', 'loaded', '{}')",
            [id_],
        )
    job = doing(database, "import", attempts=1, import_id=id_)
    jobs.recover(database.url, own=[], doubtful={job})
    with database.connect() as connection:
        assert connection.execute("SELECT state, report FROM imports").fetchall() == [
            ("loaded", {})
        ]
    assert status(database, job) == "failed"


def test_old_uploads_are_removed(database: TestDatabase, tmp_path: Path) -> None:
    folder = uploads.folder(tmp_path)
    old, new = folder / "a.staged", folder / "b.staged"
    for path, days in ((old, 7.1), (new, 6.9)):
        path.touch()
        at = time.time() - days * 24 * 3600
        os.utime(path, (at, at))
    uploads.forget_old(tmp_path)
    assert list(folder.iterdir()) == [new]
    with database.connect(autocommit=True) as connection:
        for days, state in ((8, "ready"), (6, "ready"), (8, "refused")):
            connection.execute(
                "INSERT INTO imports (layer, file, bytes, sha256, account, area, state, created_at)"
                " VALUES ('', %s, 1, '', 'a', '*', %s, now() - %s)",
                [f"{days}{state}", state, timedelta(days=days)],
            )
    with acting(database.url, SYSTEM) as connection:
        store.forget_untouched(connection, uploads.KEEP)
        rows = connection.execute("SELECT file FROM imports ORDER BY file").fetchall()
    assert rows == [("6ready",), ("8refused",)]


def test_an_upload_on_its_way_is_not_cleared(tmp_path: Path) -> None:
    with uploads.on_the_way(tmp_path, uuid4()) as place:
        uploads.clear(tmp_path)
        assert place.exists()
    assert not place.exists()


def test_the_schema_is_that_of_the_package() -> None:
    """A newer procrastinate needs a revision that brings its migrations; then this number too."""
    assert importlib.metadata.version("procrastinate") == "3.10.0"
