"""The demonstration town, its planted truth, and clients that ask about it."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from geo_service.analyses.asking import asked
from geo_service.analyses.catalogue import PROCESSES
from geo_service.analyses.work import working
from geo_service.app import create_app
from geo_service.database import SYSTEM
from geo_service.demo import last_day
from geo_service.settings import Settings
from layers.town import build
from tests.conftest import TestDatabase


@pytest.fixture(scope="session")
def truth() -> dict[str, Any]:
    """What was planted in the demonstration town."""
    return json.loads(json.dumps(build(until=last_day()).truth))  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def until() -> date:
    """The last day of the town's events."""
    return last_day()


class Asked:
    """Asks the demonstration town as somebody, without HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, process: str, principal: Any = SYSTEM, **inputs: Any) -> dict[str, Any]:
        chosen = PROCESSES[process]
        with working(self.url, principal, seconds=60, writes=chosen.writes) as work:
            return chosen.answer(work, asked(chosen.inputs, {"layer": "disputes"} | inputs))


@pytest.fixture(scope="session")
def ask(demo_database: TestDatabase) -> Asked:
    return Asked(demo_database.url)


@pytest.fixture
def demo(demo_database: TestDatabase, tmp_path: Path) -> Iterator[TestClient]:
    """The application over the demonstration town, open to its viewer."""
    settings = Settings(database_url=demo_database.url, open_to="demo", home=tmp_path, pool_size=3)
    with TestClient(create_app(settings), follow_redirects=False) as client:
        yield client
