"""Bodies of requests: too large a one is refused, whoever sends it and however."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from geo_service.app import create_app
from geo_service.bodies import MOST_BYTES
from geo_service.imports import routes
from geo_service.ogc import bulk
from geo_service.settings import Settings
from tests.geo_service.features import Client, reader

__all__ = ["reader"]

_MOST = max(MOST_BYTES, bulk.MOST_BYTES)
_LARGEST_FILE = 1 << 40


@pytest.fixture
def app(reader: Client) -> TestClient:
    return reader.app


def _taking_bodies() -> list[str]:
    document = create_app(Settings(database_url="postgresql:///nowhere")).openapi()
    return [
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if "requestBody" in operation
    ]


def _ask(reader: Client, operation: str, body: bytes | Iterator[bytes], **more: str) -> None:
    """Send a body that is too large; the answer must be a problem document of 413."""
    method, path = operation.split(" ")
    path = path.replace("{collection}", "disputes").replace("{process}", "hot-spots")
    path = re.sub("{(draft|import|id|made)[^}]*}", "00000000-0000-0000-0000-000000000000", path)
    path = re.sub("{[^}]*}", "1", path)
    path += "?filename=a.csv" if path == "/api/imports" else ""
    kind = "application/octet-stream" if path.startswith("/api/imports?") else "application/json"
    if "/items/" in path:
        kind = "application/geo+json"
    headers = {"Content-Type": kind, "If-Match": "*", **more}
    answer = reader.ask(method, path, "head", content=body, headers=headers)
    assert answer.status_code == 413, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 413
    assert answer.json()["detail_zh"]


@pytest.mark.parametrize("operation", _taking_bodies())
def test_a_body_that_says_it_is_too_large(reader: Client, operation: str) -> None:
    said = _LARGEST_FILE if operation == "POST /api/imports" else _MOST + 1
    # What is announced is enough: whoever waits for the rest of it waits for long.
    _ask(reader, operation, b"{}" if said == _LARGEST_FILE else b" " * said,
         **({"Content-Length": str(said)} if said == _LARGEST_FILE else {}))  # fmt: skip


@pytest.mark.parametrize("operation", _taking_bodies())
def test_a_body_that_does_not_say_its_size(
    reader: Client, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "most", lambda _: _MOST)

    def parts() -> Iterator[bytes]:
        part = b" " * (1 << 20)
        for _ in range(_MOST // len(part) + 1):
            yield part

    _ask(reader, operation, parts())


def test_nobody_needs_to_sign_in_to_be_refused(app: TestClient) -> None:
    answer = app.post("/api/drafts", content=b" " * (MOST_BYTES + 1))
    assert answer.status_code == 413
    assert app.post("/api/drafts", json={}).status_code == 401


def test_what_fits_is_read(app: TestClient) -> None:
    """As large as may be, it is refused for what is in it."""
    body = b'{"username": "nobody", "password": "%s"}'
    body %= b"x" * (MOST_BYTES - len(body) + 2)
    assert len(body) == MOST_BYTES
    kind = {"Content-Type": "application/json"}
    answer = app.post("/api/account/session", content=body, headers=kind)
    assert answer.status_code in {400, 401, 422}
    assert app.post("/api/account/session", content=body + b" ", headers=kind).status_code == 413
