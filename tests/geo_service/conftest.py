"""The application in-process over a small town of four grids, and clients that act as somebody."""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from fastapi.testclient import TestClient

from geo_service.access.passwords import put_account, put_token
from geo_service.app import create_app
from geo_service.embedded import Cluster
from geo_service.settings import Settings
from tests.conftest import TestDatabase, copy_of, create

PASSWORD = "correct-horse"
NORTH, SOUTH = "990101101001", "990101101002"
"""Two communities of two grids each, side by side; west grids end in 001, east ones in 002."""


@dataclass(frozen=True)
class Town:
    """The small town: its database, and the tokens of its principals."""

    database: TestDatabase
    tokens: dict[str, str]

    def headers(self, who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[who]}"}


@pytest.fixture(scope="session")
def town_template(cluster: Cluster, template: str) -> tuple[str, dict[str, str]]:
    """A template database that holds the small town, and the tokens in it."""
    name = "geo_town"
    create(cluster, name, template)
    tokens = {}
    with psycopg.connect(cluster.url(name)) as connection:
        fill(connection)
        for who, role, area in (
            ("all", "officer", "*"),
            ("north", "officer", NORTH),
            ("grid", "officer", f"{NORTH}001"),
            ("editor", "editor", NORTH),
        ):
            tokens[who] = put_token(connection, who, role, area)
            put_account(connection, who, PASSWORD, role, area)
    return name, tokens


@pytest.fixture
def town(cluster: Cluster, town_template: tuple[str, dict[str, str]]) -> Iterator[Town]:
    name, tokens = town_template
    for database in copy_of(cluster, name):
        yield Town(database, tokens)


def fill(connection: psycopg.Connection) -> None:
    """Lay out the grids, and a dispute, a hazard and a camera in the middle of each."""
    connection.execute(
        "INSERT INTO areas (code, name, level, parent) VALUES"
        " ('990101101', '小镇', 'town', NULL),"
        " (%s, '北社区', 'community', '990101101'), (%s, '南社区', 'community', '990101101')",
        [NORTH, SOUTH],
    )
    number = 0
    for community, south in ((NORTH, 31.01), (SOUTH, 31.00)):
        for column, west in enumerate((117.00, 117.01), start=1):
            number += 1
            connection.execute(
                "INSERT INTO grids (code, name, parent, households, population, staff, geom)"
                " VALUES (%s, %s, %s, 400, 1000, 1,"
                " st_multi(st_makeenvelope(%s, %s, %s, %s, 4326)))",
                [f"{community}{column:03}", f"第{number}网格", community,
                 west, south, west + 0.01, south + 0.01],
            )  # fmt: skip
    connection.commit()
    for number, (lon, lat) in enumerate(
        [(117.005, 31.015), (117.015, 31.015), (117.005, 31.005), (117.015, 31.005)], start=1
    ):
        point = "st_setsrid(st_makepoint(%s, %s), 4326)"
        connection.execute(
            "INSERT INTO disputes (code, category, occurred_at, geom)"
            f" VALUES (%s, 'family', now() - %s * interval '1 day', {point})",
            [f"JF{number}", number - 1, lon, lat],
        )
        connection.execute(
            "INSERT INTO hazards (code, category, found_at, geom)"
            f" VALUES (%s, 'fire', now(), {point})",
            [f"YH{number}", lon, lat],
        )
        connection.execute(
            f"INSERT INTO cameras (code, geom) VALUES (%s, {point})",
            [f"9901010000132{number:07}", lon, lat],
        )
    connection.commit()


@pytest.fixture
def settings(town: Town) -> Settings:
    return Settings(database_url=town.database.url, pool_size=4)


@pytest.fixture
def app(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), follow_redirects=False) as client:
        yield client


@pytest.fixture
def everyone(app: TestClient, town: Town) -> TestClient:
    """A client that sees the whole town."""
    app.headers.update(town.headers("all"))
    return app
