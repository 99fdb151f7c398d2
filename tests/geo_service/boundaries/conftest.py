"""The office of the small town, and a street in it."""

import itertools

import pytest
from fastapi.testclient import TestClient

from tests.geo_service.boundaries.office import Office
from tests.geo_service.conftest import Town


@pytest.fixture
def office(app: TestClient, town: Town) -> Office:
    return Office(app, town)


@pytest.fixture
def street(office: Office) -> str:
    """A draft over grids of which the western one has a road down its middle and nine houses."""
    with office.town.database.connect() as connection:
        for k, (x, y) in enumerate(
            itertools.product((0.0015, 0.0035, 0.0075), (0.002, 0.005, 0.008))
        ):
            connection.execute(
                "INSERT INTO buildings (code, households, floors, geom) VALUES"
                " (%s, %s, 6, st_makeenvelope(%s, %s, %s, %s, 4326))",
                [f"B{k}", 40 if x > 0.005 else 20, 117 + x, 31.01 + y, 117.0003 + x, 31.0102 + y],
            )
        connection.execute(
            "INSERT INTO roads (code, name, road_class, geom) VALUES ('R1', '中路', 'local',"
            " st_geomfromtext(%s, 4326))",
            ["LINESTRING(117.0055 31.009, 117.0057 31.015, 117.0055 31.021)"],
        )
        connection.commit()
    return office.draft()
