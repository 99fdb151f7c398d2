"""schemathesis asks everything of drafts that are there: every answer is documented, none a 5xx."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.python import asgi

from geo_service.access.passwords import put_token
from geo_service.app import create_app
from geo_service.embedded import Cluster
from geo_service.settings import Settings
from tests.conftest import copy_of
from tests.geo_service.boundaries import drawn
from tests.geo_service.conftest import NORTH
from tests.geo_service.test_openapi import CHECKS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Do not use the `random` module"),
]

STREAM = "/api/drafts/{id}/live"
PATHS = [
    f"{method.upper()} {path}"
    for path, item in create_app(Settings(database_url="postgresql:///nowhere"))
    .openapi()["paths"]
    .items()
    for method in item
    if path.startswith("/api/drafts/") and path != STREAM
]


@pytest.fixture(scope="module")
def api(cluster: Cluster, town_template: tuple[str, dict[str, str]]) -> Iterator[Any]:
    for database in copy_of(cluster, town_template[0]):
        with database.connect() as connection:
            token = put_token(connection, "schemathesis", "admin", "*")

        async def begun(desk: Any) -> list[str]:
            return [str(await drawn.begin(desk, drawn.BOSS, NORTH)) for _ in range(8)]

        drafts = drawn.at_the_desk(database.url, begun)
        app = create_app(Settings(database_url=database.url, pool_size=4))
        document = app.openapi()
        paths = {p: item for p, item in document["paths"].items() if f"POST {p}" in PATHS or p in
                 {path.split(" ")[1] for path in PATHS}}  # fmt: skip
        for item in paths.values():
            for operation in item.values():
                for parameter in operation["parameters"]:
                    if parameter["name"] == "id":
                        parameter["schema"] = {"type": "string", "enum": drafts}
        schema = schemathesis.openapi.from_dict({**document, "paths": paths})
        schema.app, schema.location = app, "/openapi.json"
        schema.config.update(headers={"Authorization": f"Bearer {token}"})
        yield schema
        asgi.shutdown_lifespans()


@pytest.mark.parametrize("name", PATHS)
def test_answers_about_real_drafts(api: Any, name: str) -> None:
    method, path = name.split(" ")
    operation = api[path][method]

    @settings(
        deadline=None, suppress_health_check=list(HealthCheck), database=None, max_examples=25,
        derandomize=True, phases=[Phase.generate],
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        case.validate_response(case.call(), checks=CHECKS)

    check()
