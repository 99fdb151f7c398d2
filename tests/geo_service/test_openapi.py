"""schemathesis asks everything that the OpenAPI document offers, and compares the answers with it.

No answer is a 5xx, none has a status, a type, a header or a shape that the document does not name.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.python import asgi
from schemathesis.specs.openapi import checks as openapi

from geo_service.access.passwords import put_token
from geo_service.app import create_app
from geo_service.embedded import Cluster
from geo_service.settings import Settings
from tests.conftest import copy_of

# Its own strategies draw from the random module, which hypothesis warns of.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

CHECKS = (
    not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_headers_conformance,
    openapi.response_schema_conformance,
    openapi.unsupported_method,
)


@pytest.fixture(scope="module")
def api(
    cluster: Cluster,
    town_template: tuple[str, dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Any]:
    name, _ = town_template
    home = tmp_path_factory.mktemp("openapi")
    for database in copy_of(cluster, name):
        with database.connect() as connection:
            token = put_token(connection, "schemathesis", "admin", "*")
        app = create_app(Settings(database_url=database.url, pool_size=4, home=home))
        document = app.openapi()
        # A stream without an end; its own tests read it.
        paths = {path: item for path, item in document["paths"].items() if path != "/api/live"}
        schema = schemathesis.openapi.from_dict({**document, "paths": paths})
        schema.app, schema.location = app, "/openapi.json"
        schema.config.update(headers={"Authorization": f"Bearer {token}"})
        yield schema
        asgi.shutdown_lifespans()


def _operations() -> list[str]:
    document = create_app(Settings(database_url="postgresql:///nowhere")).openapi()
    return [
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method in item
        if path != "/api/live"
    ]


def _ask(api: Any, name: str, **options: Any) -> None:
    method, path = name.split(" ")
    operation = api[path][method]

    @settings(deadline=None, suppress_health_check=list(HealthCheck), database=None, **options)
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        case.validate_response(case.call(), checks=CHECKS)

    check()


@pytest.mark.parametrize("name", _operations())
def test_answers_are_as_documented(api: Any, name: str) -> None:
    _ask(api, name, max_examples=3, derandomize=True, phases=[Phase.generate])


@pytest.mark.slow
@pytest.mark.parametrize("name", _operations())
def test_answers_are_as_documented_at_length(api: Any, name: str) -> None:
    _ask(api, name, max_examples=60)
