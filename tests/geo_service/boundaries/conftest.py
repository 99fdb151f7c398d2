"""The office of the small town."""

import pytest
from fastapi.testclient import TestClient

from tests.geo_service.boundaries.office import Office
from tests.geo_service.conftest import Town


@pytest.fixture
def office(app: TestClient, town: Town) -> Office:
    return Office(app, town)
