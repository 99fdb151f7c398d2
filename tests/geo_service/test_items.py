"""Which features are given, and in which form: filters, times, properties, files, pages."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import geopandas
import psycopg
import pyarrow.parquet as pq
import pytest

from geo_service.ogc.filtering.functions import FUNCTIONS
from layers.catalogue import CATALOGUE
from tests.conftest import REPOSITORY
from tests.geo_service.conftest import NORTH
from tests.geo_service.features import ITEMS, Client, client, reader

__all__ = ["client", "reader"]

DISPUTES = ITEMS.format("disputes")


@pytest.fixture(scope="module")
def stocked(reader: Client) -> Client:
    reader.sql("""
        UPDATE disputes SET
            people = (ARRAY[1, 4, NULL, 9])[right(code, 1)::integer],
            accuracy = (ARRAY[1.5, 20, 0.25, NULL])[right(code, 1)::integer],
            status = (ARRAY['closed', 'closed', 'mediating', 'registered'])
                [right(code, 1)::integer],
            organisation = (ARRAY['司法所', 'Police', 'police', NULL])[right(code, 1)::integer],
            occurred_at = ('2026-03-0' || right(code, 1) || 'T12:00:00Z')::timestamptz,
            closed_at = CASE code WHEN 'JF1' THEN '2026-03-05T00:00:00Z'::timestamptz END,
            attributes = jsonb_build_object('标签', code)
        """)
    return reader


def _same(client: Client, filter_: str, where: str, language: str = "cql2-text") -> None:
    codes = [c for (c,) in client.sql(f"SELECT code FROM disputes WHERE {where} ORDER BY id")]
    found = client.codes("disputes", **{"filter": filter_, "filter-lang": language})
    assert found == codes, filter_


@pytest.mark.parametrize(
    ("filter_", "where"),
    [
        ("status = 'closed' AND people > 3", "status = 'closed' AND people > 3"),
        ("people IS NULL OR accuracy < 1", "people IS NULL OR accuracy < 1"),
        ("NOT people IN (1, 9)", "NOT people IN (1, 9)"),
        ("people BETWEEN 1 AND 4", "people BETWEEN 1 AND 4"),
        ("people * 2 + 1 = 9", "people * 2 + 1 = 9"),
        ("CASEI(organisation) = CASEI('POLICE')", "lower(organisation) = 'police'"),
        ("organisation LIKE '%所'", "organisation LIKE '%所'"),
        ("attributes.标签 = 'JF3'", "attributes ->> '标签' = 'JF3'"),
        ("T_AFTER(occurred_at, DATE('2026-03-02'))", "occurred_at >= '2026-03-03T00:00Z'"),
        (
            "T_DURING(occurred_at, INTERVAL('2026-03-02T00:00:00Z', '2026-03-03T23:00:00Z'))",
            "occurred_at > '2026-03-02T00:00Z' AND occurred_at < '2026-03-03T23:00Z'",
        ),
        ("closed_at < now()", "closed_at < now()"),
        (
            "S_INTERSECTS(geometry, POLYGON((117 31, 117.01 31, 117.01 31.02, 117 31.02, 117 31)))",
            "st_intersects(geom, st_makeenvelope(117, 31, 117.01, 31.02, 4326))",
        ),
        (
            "dwithin(geometry, POINT(117.005 31.015), 1000)",
            "st_dwithin(geom::geography, 'SRID=4326;POINT(117.005 31.015)'::geography, 1000)",
        ),
        ("id > 0 AND grid_now LIKE '990101101001%'", "grid_now LIKE '990101101001%'"),
    ],
)
def test_a_filter_gives_what_the_same_sql_gives(stocked: Client, filter_: str, where: str) -> None:
    _same(stocked, filter_, where)


@pytest.mark.parametrize(
    ("tree", "where"),
    [
        (
            {"op": "and", "args": [
                {"op": "=", "args": [{"property": "status"}, "closed"]},
                {"op": ">=", "args": [{"property": "people"}, 4]},
            ]},
            "status = 'closed' AND people >= 4",
        ),
        (
            {"op": "s_within", "args": [
                {"property": "geometry"}, {"bbox": [117.0, 31.0, 117.01, 31.01]},
            ]},
            "st_within(geom, st_makeenvelope(117, 31, 117.01, 31.01, 4326))",
        ),
        (
            {"op": "t_before", "args": [
                {"property": "occurred_at"}, {"timestamp": "2026-03-02T12:00:00Z"},
            ]},
            "occurred_at < '2026-03-02T12:00:00Z'",
        ),
        (
            {"op": "in", "args": [{"property": "status"}, ["closed", "registered"]]},
            "status IN ('closed', 'registered')",
        ),
    ],
)  # fmt: skip
def test_a_filter_in_json(stocked: Client, tree: dict[str, Any], where: str) -> None:
    _same(stocked, json.dumps(tree), where, "cql2-json")


def test_an_id_is_a_parameter_too(stocked: Client) -> None:
    first, *_ = stocked.page("disputes")["features"]
    assert stocked.codes("disputes", id=first["id"]) == [first["properties"]["code"]]


def test_conditions_hold_together(stocked: Client) -> None:
    query = {"bbox": "117,31,117.01,31.02", "datetime": "2026-03-01T00:00:00Z/.."}
    assert stocked.codes("disputes", **query) == ["JF1", "JF3"]
    assert stocked.codes("disputes", **query, filter="people = 1") == ["JF1"]
    assert stocked.codes("disputes", **query, filter="people = 1", status="mediating") == []


@pytest.mark.parametrize(
    ("name", "value", "codes"),
    [
        ("people", "4", ["JF2"]),
        ("people", "99999999999999999999", []),
        ("accuracy", "1.50", ["JF1"]),
        ("accuracy", "2e1", ["JF2"]),
        ("occurred_at", "2026-03-02T20:00:00+08:00", ["JF2"]),
        ("closed_at", "2026-03-05T00:00:00Z", ["JF1"]),
        ("organisation", "police", ["JF3"]),
        ("organisation", "", []),
    ],
)
def test_a_column_is_a_parameter_of_its_kind(
    stocked: Client, name: str, value: str, codes: list[str]
) -> None:
    assert stocked.codes("disputes", **{name: value}) == codes


@pytest.mark.parametrize(
    "query",
    [
        "people=many", "people=1.5", "people=", "accuracy=nan", "accuracy=inf", "accuracy=1,5",
        "occurred_at=yesterday", "occurred_at=2026-03-02T12:00:00", "code=%00", "status=a&status=b",
        "bbox=1,2,3,4&bbox=1,2,3,4", "filter=", "filter=status", "filter=1", "filter=colour%3D1",
        "filter=people%3D'x'", "filter=status%3D'a'&filter-lang=sql",
        "filter-lang=cql2-json&filter={", "filter=pg_sleep(1)%3D1", "filter=%00",
        "properties=colour", "sortby=colour", "f=gml",
        "crs=x", "limit=1.5", "datetime=..", "FILTER=true", "offset=5", "id=x",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told(stocked: Client, query: str) -> None:
    answer = stocked.get(f"{DISPUTES}?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.json()["detail"]) > 10
    assert len(answer.json()["detail_zh"]) > 4


@pytest.mark.parametrize(
    ("filter_", "said"),
    [
        ("people / 0 = 1", "division by zero"),
        ("1 / (people - people) > 0", "division by zero"),
        ("people * 9000000000000000 * 9000000000000000 > 0", "too large"),
        ("accuracy ^ 5000 > 1", "too large"),
        ("(0 - accuracy) ^ 0.5 > 1", "power"),
        ("people % 0 = 1", "division by zero"),
        ("people div 0 = 1", "division by zero"),
        ("area(buffer(geometry, 1e300)) > 1", ""),
    ],
)
def test_what_cannot_be_computed_is_told(stocked: Client, filter_: str, said: str) -> None:
    assert said in stocked.refused("disputes", filter=filter_)
    answer = stocked.get(DISPUTES, params={"filter": filter_, "f": "csv"})
    assert answer.status_code == 400, answer.text


def test_a_query_that_takes_too_long(stocked: Client) -> None:
    """The statement is stopped by PostgreSQL: a lock makes it wait, as a slow query would."""
    app = stocked.app
    pool = app.app.state.database._pool  # type: ignore[attr-defined]

    async def limit(text: str) -> None:
        for _ in range(8):
            async with pool.connection() as one:
                await one.execute("SELECT set_config('statement_timeout', %s, false)", [text])

    async def all_of_them(text: str) -> None:
        import asyncio

        await asyncio.gather(*(limit(text) for _ in range(4)))

    with psycopg.connect(stocked.town.database.url) as holder:
        holder.execute("LOCK TABLE hazards IN ACCESS EXCLUSIVE MODE")
        app.portal.call(all_of_them, "100ms")  # type: ignore[union-attr]
        try:
            answer = stocked.get(ITEMS.format("hazards"))
        finally:
            app.portal.call(all_of_them, "30s")  # type: ignore[union-attr]
    assert answer.status_code == 503, answer.text
    assert answer.headers["retry-after"]
    assert "too long" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("time", "codes"),
    [
        ("2026-03-02T12:00:00Z", ["JF2"]),
        ("2026-03-02T20:00:00+08:00", ["JF2"]),
        ("2026-03-02", ["JF2"]),
        ("2026-03-02T12:00:00Z/2026-03-03T12:00:00Z", ["JF2", "JF3"]),  # closed at both ends
        ("2026-03-02T12:00:01Z/2026-03-03T11:59:59Z", []),
        ("../2026-03-02T12:00:00Z", ["JF1", "JF2"]),
        ("/2026-03-02T12:00:00Z", ["JF1", "JF2"]),
        ("2026-03-03T00:00:00Z/..", ["JF3", "JF4"]),
        ("2026-03-03T00:00:00Z/", ["JF3", "JF4"]),
        ("2026-03-02/2026-03-03", ["JF2", "JF3"]),
        ("../..", ["JF1", "JF2", "JF3", "JF4"]),
    ],
)
def test_times(stocked: Client, time: str, codes: list[str]) -> None:
    assert stocked.codes("disputes", datetime=time) == codes


def test_a_layer_without_times_is_not_filtered(stocked: Client) -> None:
    assert len(stocked.codes("cameras", datetime="1990-01-01T00:00:00Z")) == 4


def test_grids_as_of_a_past_date(client: Client) -> None:
    """Two grids of the north are divided anew on 1 June: who asks for before sees them as then."""
    west, east = f"{NORTH}001", f"{NORTH}002"
    with client.town.database.connect() as connection:
        connection.execute(
            "UPDATE grids SET valid_from = '2020-01-01T00:00Z' WHERE code IN (%s, %s)", [west, east]
        )
        connection.commit()
        connection.execute(
            "UPDATE grids SET valid_to = '2025-06-01T00:00Z' WHERE code IN (%s, %s)", [west, east]
        )
        for code, box in ((west, (117.0, 31.01, 117.005, 31.02)),
                          (east, (117.005, 31.01, 117.02, 31.02))):  # fmt: skip
            connection.execute(
                "INSERT INTO grids (code, name, parent, version, valid_from, geom) VALUES"
                " (%s, '新', %s, 2, '2025-06-01T00:00Z',"
                " st_multi(st_makeenvelope(%s, %s, %s, %s, 4326)))",
                [code, NORTH, *box],
            )

    def versions(**query: str) -> list[tuple[str, int]]:
        found = client.page("grids", parent=NORTH, sortby="code,version", **query)
        return [(f["properties"]["code"], f["properties"]["version"]) for f in found["features"]]

    now, then = [(west, 2), (east, 2)], [(west, 1), (east, 1)]
    assert versions() == now
    assert versions(datetime="2025-05-31T23:59:59Z") == then
    assert versions(datetime="2025-06-01T00:00:00Z") == now  # a version ends before its valid_to
    assert versions(datetime="2019-12-31T00:00:00Z") == []
    assert versions(datetime="2026-01-01T00:00:00Z/..") == now
    assert versions(datetime="../2020-01-01T00:00:00Z") == then
    both = [(west, 1), (west, 2), (east, 1), (east, 2)]
    assert versions(datetime="2025-01-01T00:00:00Z/2025-12-31T00:00:00Z") == both
    assert versions(datetime="../..") == both
    boundary = {"bbox": "117.006,31.011,117.007,31.012"}
    assert versions(**boundary) == [(east, 2)]
    assert versions(**boundary, datetime="2025-01-01T00:00:00Z") == [(west, 1)]
    assert client.page("grids", parent=NORTH)["numberMatched"] == 2


def test_only_the_properties_that_are_asked_for(stocked: Client) -> None:
    page = stocked.page("disputes", properties="status,code")
    for feature in page["features"]:
        assert list(feature["properties"]) == ["code", "status"]
        assert feature["geometry"]
    assert stocked.page("disputes", properties="")["features"][0]["properties"] == {}
    path = f"{DISPUTES}/{page['features'][0]['id']}"
    one = stocked.get(path, params={"properties": "attributes"}).json()
    assert one["properties"] == {"attributes": {"标签": "JF1"}}


@pytest.mark.parametrize("layer", list(CATALOGUE))
def test_queryables_describe_every_feature(stocked: Client, layer: str) -> None:
    answer = stocked.get(f"/ogc/collections/{layer}/queryables")
    assert answer.headers["content-type"] == "application/schema+json"
    schema = answer.json()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].endswith(f"/ogc/collections/{layer}/queryables")
    names = {field.name for field in CATALOGUE[layer].fields}
    assert set(schema["properties"]) == names | {"id", "geometry"}
    for name in schema["properties"]:  # each of them may be named in a filter
        stocked.page(layer, filter=f"{name} IS NOT NULL")
    for feature in stocked.page(layer)["features"]:
        for name, value in feature["properties"].items():
            if value is not None and name != "attributes":
                said = schema["properties"][name]
                kinds: dict[str, Any] = {"string": str, "integer": int, "number": (int, float)}
                assert isinstance(value, kinds[said["type"]]), name
                assert value in said.get("enum", [value])


def test_functions_are_listed_and_work(stocked: Client) -> None:
    found = stocked.get("/ogc/functions").json()["functions"]
    assert [function["name"] for function in found] == list(FUNCTIONS)
    values = {"string": "'a'", "number": "5", "geometry": "POINT(117 31)", "boolean": "true"}
    for function in found:
        arguments = ", ".join(values[a["type"][0]] for a in function["arguments"])
        stocked.page("disputes", filter=f"{function['name']}({arguments}) IS NOT NULL")


def test_links_lead_to_what_they_say(stocked: Client) -> None:
    page = stocked.page("disputes", limit=2, status="closed", crs="EPSG:4490")
    rels = [link["rel"] for link in page["links"]]
    assert {"self", "alternate", "collection"} <= set(rels)
    for link in page["links"]:
        answer = stocked.get(link["href"].removeprefix("http://testserver"))
        if link["type"] == "application/x-ndjson":
            assert answer.status_code == 400  # GeoJSON by lines knows only CRS84
            continue
        assert answer.status_code == 200, link
        assert answer.headers["content-type"].split(";")[0] == link["type"].split(";")[0]


ACCEPT = {
    "json": "application/geo+json", "html": "text/html", "ndjson": "application/x-ndjson",
    "csv": "text/csv", "fgb": "application/flatgeobuf", "parquet": "application/vnd.apache.parquet",
}  # fmt: skip


@pytest.mark.parametrize("name", list(ACCEPT))
def test_a_form_by_f_and_by_accept(stocked: Client, name: str, tmp_path: Path) -> None:
    query = {"status": "closed"}
    by_f = stocked.get(DISPUTES, params=query | {"f": name})
    by_accept = stocked.get(DISPUTES, params=query, headers={"Accept": ACCEPT[name]})
    over = stocked.get(DISPUTES, params=query | {"f": name}, headers={"Accept": "text/html"})
    for answer in (by_f, by_accept, over):
        assert answer.status_code == 200
        assert answer.headers["content-type"].split(";")[0] == ACCEPT[name]
    assert len(by_f.content) == len(over.content)
    rows = _read(name, by_f.content, tmp_path)
    assert rows == ["JF1", "JF2"]


def _read(name: str, content: bytes, folder: Path) -> list[str]:
    match name:
        case "json":
            return [f["properties"]["code"] for f in json.loads(content)["features"]]
        case "html":
            return re.findall(r"<td>(JF\d)</td>", content.decode())
        case "ndjson":
            return [json.loads(line)["properties"]["code"] for line in content.splitlines()]
        case "csv":
            text = content.decode("utf-8-sig")
            return [row["code"] for row in csv.DictReader(io.StringIO(text))]
        case "parquet":
            assert b"geo" in (pq.read_schema(io.BytesIO(content)).metadata or {})
    path = folder / f"file.{name}"
    path.write_bytes(content)
    frame = geopandas.read_parquet(path) if name == "parquet" else geopandas.read_file(path)
    assert frame.crs.to_epsg() == 4326
    assert frame.geometry.iloc[0].x == pytest.approx(117.005, abs=0.02)
    return sorted(frame["code"])


def test_what_accept_prefers(stocked: Client) -> None:
    for accept, kind in (
        ("*/*", "application/geo+json"),
        ("", "application/geo+json"),
        ("application/json", "application/geo+json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("text/html;q=0.5, application/geo+json", "application/geo+json"),
        ("text/csv;q=0, application/geo+json;q=0.1", "application/geo+json"),
        ("image/png", "application/geo+json"),  # what is there is better than a refusal
        ("text/html;q=x, text/csv", "text/csv"),
    ):
        answer = stocked.get(DISPUTES, headers={"Accept": accept})
        assert answer.headers["content-type"].split(";")[0] == kind, accept


def test_a_file_holds_everything_or_the_first(client: Client) -> None:
    client.sql(
        "INSERT INTO disputes (code, category, occurred_at, geom) SELECT 'T' || n, 'other', now(),"
        " st_setsrid(st_makepoint(117.005, 31.015), 4326) FROM generate_series(1, 150) AS n"
    )
    whole = client.get(DISPUTES, params={"f": "ndjson"}).text.splitlines()
    assert len(whole) == 154
    part = client.get(DISPUTES, params={"f": "ndjson", "limit": 7}).text.splitlines()
    page = client.page("disputes", limit=7)["features"]
    assert {json.loads(line)["properties"]["code"] for line in part} == {
        feature["properties"]["code"] for feature in page
    }
    for query in ({"sortby": "code"}, {"after": "x"}, {"properties": "code"}):
        assert client.get(DISPUTES, params={"f": "csv"} | query).status_code == 400


@pytest.mark.parametrize(("who", "count"), [("all", 4), ("north", 2), ("grid", 1)])
def test_each_scope_has_its_own_in_every_form(
    stocked: Client, tmp_path: Path, who: str, count: int
) -> None:
    for name in ACCEPT:
        content = stocked.get(DISPUTES, who, params={"f": name}).content
        assert _read(name, content, tmp_path) == [f"JF{n}" for n in range(1, count + 1)]
    assert len(stocked.codes("disputes", who, filter="people > 0 OR people IS NULL")) == count
    box = stocked.get("/ogc/collections/disputes", who).json()["extent"]["spatial"]["bbox"][0]
    assert box[1] == pytest.approx(31.005 if who == "all" else 31.015)
    # What lies beyond is not counted, sorted or found by any filter.
    if who != "all":
        assert stocked.codes("disputes", who, code="JF4") == []
        assert stocked.codes("disputes", who, sortby="-code")[0] != "JF4"


@pytest.mark.parametrize(
    "path",
    ["", "/conformance", "/functions", "/collections", "/collections/grids",
     "/collections/grids/queryables", "/collections/grids/items", "/collections/grids/items/1"],
)  # fmt: skip
def test_every_document_is_a_page_too(stocked: Client, path: str) -> None:
    answer = stocked.get(f"/ogc{path}", params={"f": "html"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "<h1>" in answer.text
    for href in set(re.findall(r'href="(http[^"]+)"', answer.text)):
        assert href.startswith("http://testserver/"), href
    assert "<script" not in answer.text


def test_a_page_of_features_leads_to_each(stocked: Client) -> None:
    text = stocked.get(DISPUTES, params={"f": "html"}).text
    hrefs = re.findall(r'<th scope="row"><a href="([^"]+)"', text)
    assert len(hrefs) == 4
    for href in hrefs:
        answer = stocked.get(href)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")


def test_a_page_shows_markup_as_text(client: Client) -> None:
    attack = "<script>alert(1)</script>"
    client.sql(
        "UPDATE disputes SET organisation = %s, attributes = jsonb_build_object('href',"
        " 'javascript:alert(1)', %s::text, 'x') WHERE code = 'JF1'", attack, attack,
    )  # fmt: skip
    for path in (DISPUTES, client.seen("disputes", "JF1")[0]):
        text = client.get(path, params={"f": "html"}).text
        assert "<script" not in text
        assert "&lt;script&gt;" in text
        assert 'href="javascript:' not in text


def test_conformance_names_every_part(stocked: Client) -> None:
    found = stocked.get("/ogc/conformance").json()["conformsTo"]
    assert len(found) == len(set(found))
    for part in ("features-1", "features-2", "features-3", "features-4", "cql2", "tiles-1"):
        assert any(f"/{part}" in name or f"-{part}" in name for name in found), part


def test_the_filters_of_the_documentation_work(stocked: Client) -> None:
    text = (REPOSITORY / "docs" / "interfaces.md").read_text("utf-8")
    table = text.split("### Filters")[1].split("The functions are these")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    examples = [span for row in rows for span in re.findall("`([^`]+)`", row) if "'" in span
                or "(" in span or ">" in span or "<" in span]  # fmt: skip
    assert len(examples) > 10
    for example in examples:
        answers = [
            stocked.get(ITEMS.format(layer), params={"filter": example}) for layer in CATALOGUE
        ]
        assert any(answer.status_code == 200 for answer in answers), (example, answers[0].text)
