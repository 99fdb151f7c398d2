"""A service of its own with its jobs, over the small town, for the tests that hand files in."""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psycopg

from geo_service.access.passwords import put_token
from geo_service.embedded import Cluster
from tests.conftest import Service, TestDatabase, copy_of, serve
from tests.geo_service.conftest import NORTH

BINARY = {"Content-Type": "application/octet-stream"}
HEADERS = "编号,纠纷类型,经度,纬度,发生时间,状态,当事人,联系电话"
PERSON, TELEPHONE = "欧阳某某", "13912345678"


def disputes(count: int, first: int = 1, east: float = 117.005, north: float = 31.015) -> str:
    """Return a register of disputes as a town keeps it, people and all."""
    rows = [
        f"DR{number},邻里纠纷,{east + number * 7919 % 1000 * 4e-6:.6f},"
        f"{north + number * 104_729 % 997 * 4e-6:.6f},"
        f"2026-03-{number % 28 + 1:02} 08:30,调解中,{PERSON},{TELEPHONE}"
        for number in range(first, first + count)
    ]
    return "\n".join([HEADERS, *rows]) + "\n"


@dataclass
class Office:
    """A running service, its data folder, and the tokens of its principals."""

    service: Service
    home: Path
    tokens: dict[str, str]

    @property
    def database(self) -> TestDatabase:
        return self.service.database

    def request(self, method: str, path: str, who: str = "chief", **values: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.tokens[who]}", **values.pop("headers", {})}
        return httpx2.request(
            method, f"{self.service.url}/api/imports{path}", headers=headers, timeout=60, **values
        )

    def hand_in(self, content: bytes | str, name: str = "a.csv", who: str = "chief") -> str:
        content = content.encode() if isinstance(content, str) else content
        answer = self.request(
            "POST", "", who, params={"filename": name}, content=content, headers=BINARY
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def ask(self, what: str, id_: str, who: str = "chief", **options: Any) -> httpx2.Response:
        return self.request("POST", f"/{id_}/{what}", who, json={"layer": "disputes"} | options)

    def load(self, id_: str, who: str = "chief", **options: Any) -> dict[str, Any]:
        answer = self.ask("load", id_, who, **options)
        assert answer.status_code == 202, answer.text
        return self.ended(id_, who)

    def get(self, id_: str, who: str = "chief") -> dict[str, Any]:
        answer = self.request("GET", f"/{id_}", who)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def ended(self, id_: str, who: str = "chief") -> dict[str, Any]:
        return self.until(id_, who, lambda found: found["state"] not in {"queued", "running"})

    def until(self, id_: str, who: str, done: Any) -> dict[str, Any]:
        for _ in range(1200):
            if done(found := self.get(id_, who)):
                return found
            time.sleep(0.05)
        raise AssertionError(f"it does not come to an end: {found}")

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self.database.connect() as connection:
            return connection.execute(statement.encode(), values or None).fetchall()

    def codes(self) -> list[str]:
        return [code for (code,) in self.rows("SELECT code FROM disputes ORDER BY code")]

    def worker(self) -> int:
        """Return the number of the process that does the jobs, when it is there."""
        for _ in range(300):
            if found := children(self.service.process.pid):
                return found[0]
            time.sleep(0.1)
        raise AssertionError("no process does the jobs")

    def wait_for_worker(self) -> int:
        """Return the same when it is ready to work."""
        number = self.worker()
        for _ in range(300):
            if self.rows("SELECT FROM pg_stat_activity WHERE application_name = 'geo-service jobs'"
                         " AND datname = current_database()"):  # fmt: skip
                return number
            time.sleep(0.1)
        raise AssertionError("the process of the jobs does not reach the database")


def children(parent: int) -> list[int]:
    """Return the processes of jobs below a process."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            above = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if above == parent and b"geo_service.jobs" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def alive(number: int) -> bool:
    """Tell whether a process works, a zombie not counted."""
    with contextlib.suppress(OSError):
        return "Z" not in Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    return False


def gone(number: int) -> bool:
    """Wait until a process has ended."""
    for _ in range(100):
        if not alive(number):
            return True
        time.sleep(0.1)
    return False


def open_office(
    cluster: Cluster, template: tuple[str, dict[str, str]], home: Path
) -> Iterator[Office]:
    """Run a service over a new copy of the small town."""
    name, tokens = template
    for database in copy_of(cluster, name):
        extra = dict(tokens)
        with psycopg.connect(database.url) as connection:
            for who, role, area in (
                ("chief", "editor", "*"),
                ("head", "admin", "*"),
                ("viewer", "viewer", "*"),
                ("wall", "wall", "*"),
                ("south", "editor", f"{NORTH[:-1]}2"),
            ):
                extra[who] = put_token(connection, who, role, area)
        for service in serve(database, GEO_SERVICE_HOME=str(home)):
            yield Office(service, home, extra)


def kill(number: int) -> None:
    """End a process as the kernel does when memory is short."""
    os.kill(number, 9)
