"""Text of a request never reaches SQL: payloads in every parameter and part of a path.

CVE-2023-25157 (GeoServer): text of a filter was pasted into SQL, through ``strStartsWith``,
``PropertyIsLike``, ``jsonArrayContains`` and the names of features. CVE-2024-36401: the names of
properties were evaluated as XPath, and so as code. Both came in by parameters.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from geo_service.logs import WatchedCursor
from tests.geo_service.features import ITEMS, Client, reader

__all__ = ["reader"]

MARK = "zqxj"
"""Stands in every payload, and in nothing else: where SQL holds it, text reached SQL."""

PAYLOADS = [
    # CVE-2023-25157: quotes that end a literal, in values, patterns, names and JSON pointers.
    f"{MARK}' OR '1'='1",
    f"{MARK}') = true OR ((SELECT pg_sleep(5)) IS NULL) --",
    f"strStartsWith({MARK}, 'x'' ) = true and 1=(SELECT CAST ((SELECT version()) AS integer)) --')",
    f"jsonArrayContains(attributes, '/{MARK}', 'a'') = ''1'' OR 1=1 --')",
    f"code LIKE '{MARK}%'' UNION SELECT password_hash FROM accounts --'",
    f'{MARK}"; DROP TABLE disputes; --',
    f"{MARK}`$$;COPY (SELECT 1) TO PROGRAM 'id';$$",
    # CVE-2024-36401: names that are evaluated.
    f"exec(java.lang.Runtime.getRuntime(),'touch /tmp/{MARK}')",
    f"{MARK}/text()[starts-with(.,'a')]",
    f"{{{{{MARK}.__class__.__mro__}}}}",
    # What means something to psycopg, str.format and PostgreSQL.
    f"%s %({MARK})s %%",
    f"{{0}} {{{MARK}}}",
    f"${MARK} $1 :{MARK} \\x27",
]  # fmt: skip


def _quick(count: int) -> list[Any]:
    """Return the payloads, those after the first ``count`` left out of the quick set."""
    return [
        pytest.param(payload, marks=[pytest.mark.slow] if at >= count else [])
        for at, payload in enumerate(PAYLOADS)
    ]


HARMLESS = {200, 204, 400, 401, 403, 404, 405, 406, 412, 413, 415, 422, 428}
SKIPPED = {"/api/live", "/api/account/session"}
"""A stream without an end, and what counts failed sign-ins; both are tried below."""


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The text of every statement that goes to the database, as psycopg is given it."""
    seen: list[str] = []

    def note(query: Any, connection: Any) -> None:
        text = query if isinstance(query, str | bytes) else query.as_bytes(connection)
        seen.append(text.decode() if isinstance(text, bytes) else text)

    for kind in (psycopg.AsyncCursor, psycopg.Cursor, psycopg.ServerCursor, WatchedCursor):
        original: Any = kind.__dict__.get("execute")
        if original is None:
            continue

        def spy(self: Any, query: Any, *rest: Any, original: Any = original, **more: Any) -> Any:
            note(query, self.connection)
            return original(self, query, *rest, **more)

        monkeypatch.setattr(kind, "execute", spy)
    yield seen
    assert seen, "nothing was watched: the test proves nothing"
    reached = [text for text in seen if MARK in text]
    assert not reached, reached[:3]


def _operations(client: Client) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    document = client.get("/openapi.json").json()
    for path, item in document["paths"].items():
        if path not in SKIPPED:
            for method, operation in item.items():
                yield method.upper(), path, operation.get("parameters", [])


def _good(path: str) -> str:
    values = {
        "collection": "disputes", "feature": "1", "z": "0", "row": "0", "col": "0",
        "tms": "WebMercatorQuad", "id": "00000000-0000-0000-0000-000000000000",
        "style": "disputes", "process": "hotspots", "job": "1",
    }  # fmt: skip
    for name in {part.split("}")[0] for part in path.split("{")[1:]}:
        path = path.replace(f"{{{name}}}", values.get(name, "1"))
    return path


def _ask(client: Client, method: str, path: str, **values: Any) -> None:
    if method in {"POST", "PUT", "PATCH"}:
        values.setdefault("json", {})
    if method in {"PUT", "PATCH", "DELETE"}:
        values["headers"] = {"If-Match": '"0."'} | values.get("headers", {})
    answer = client.ask(method, path, "head", **values)
    assert answer.status_code in HARMLESS, (method, path, values, answer.text)
    assert "$argon2" not in answer.text  # a hash, and with it a table that nobody may read


@pytest.mark.parametrize("payload", _quick(1))
def test_payloads_in_every_parameter(reader: Client, statements: list[str], payload: str) -> None:
    before = reader.page("disputes")
    tried = 0
    for method, path, parameters in _operations(reader):
        for parameter in parameters:
            name, place = parameter["name"], parameter["in"]
            if place == "path":
                attacked = _good(path.replace(f"{{{name}}}", quote(payload, safe="")))
                _ask(reader, method, attacked)
            elif place == "query":
                _ask(reader, method, _good(path), params={name: payload})
                _ask(reader, method, _good(path), params={payload: payload})
            elif place == "header":
                _ask(reader, method, _good(path), headers={name: payload})
            tried += 1
    assert tried > 80
    assert reader.page("disputes") == before


@pytest.mark.parametrize("payload", _quick(4))
def test_payloads_where_text_means_something(
    reader: Client, statements: list[str], payload: str
) -> None:
    """Values that a filter, an order, a token and a body carry, each in its right place."""
    text = payload.replace("'", "''")
    before = reader.page("disputes")
    path = ITEMS.format("disputes")
    for query in (
        {"filter": f"code = '{text}'"},
        {"filter": f"code LIKE '{text}%'"},
        {"filter": f"CASEI(code) IN (CASEI('{text}'), 'a')"},
        {"filter": f"\"{payload.replace(chr(34), '')}\" = 1"},
        {"filter": f"attributes.{payload} = '1'"},
        {"filter": json.dumps({"op": "=", "args": [{"property": payload}, payload]}),
         "filter-lang": "cql2-json"},
        {"filter": json.dumps({"op": "=", "args": [{"property": f"attributes.{payload}"},
                                                   payload]}), "filter-lang": "cql2-json"},
        {"filter": json.dumps({"op": payload, "args": [1, payload]}), "filter-lang": "cql2-json"},
        {"filter": json.dumps({"op": "like", "args": [{"property": "code"}, payload]}),
         "filter-lang": "cql2-json"},
        {"filter": json.dumps({"op": "a_contains", "args": [{"property": f"attributes.{payload}"},
                                                            [payload]]}),
         "filter-lang": "cql2-json"},
        {"code": payload},
        {"organisation": payload},
        {"sortby": f"-{payload}"},
        {"properties": f"code,{payload}"},
        {"sortby": "code", "after": "W10"},
    ):  # fmt: skip
        for form in ("json", "csv", "html"):
            answer = reader.get(path, "head", params=query | {"f": form})
            assert answer.status_code in {200, 400}, (query, answer.text)
            if answer.status_code == 200 and form == "json":
                assert answer.json()["features"] == [], query
    _, tag = reader.seen("disputes", "JF1")
    body = {"properties": {"organisation": payload, "category": payload, payload: payload}}
    _ask(reader, "PATCH", f"{path}/1", json=body, headers={"If-Match": tag})
    assert reader.get("/api/search", params={"q": payload}).json() == {"results": []}
    answer = reader.app.post(
        "/api/account/session", json={"username": payload, "password": payload}
    )
    assert answer.status_code in {400, 401}  # too long for a name, or nobody's
    assert reader.app.get(path, auth=(payload, payload)).status_code == 401
    headers = {"Authorization": f"Bearer {payload}".encode("latin-1").decode("latin-1")}
    assert reader.app.get(path, headers=headers).status_code == 401
    live = reader.get("/api/live", params={"layers": payload})
    assert live.status_code == 404
    assert reader.page("disputes") == before


def test_the_watch_would_see_text_in_sql(reader: Client, statements: list[str]) -> None:
    """What the fixture looks at is what goes to the database: a filter's names and no value."""
    reader.page("disputes", filter="code = 'looked-for'", sortby="-people")
    pages = [text for text in statements if "ORDER BY" in text and "people" in text]
    assert pages
    assert "looked-for" not in "".join(statements)
    assert all("%(cql0)s" in text for text in pages)
