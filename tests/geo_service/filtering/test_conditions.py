"""Filters on our own layers: what they find, what they refuse, and that no text reaches SQL."""

from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow
from pyproj import Geod, Transformer

from geo_service.ogc.filtering import FilterError, columns_of, condition, parse
from geo_service.ogc.filtering.parsing import Language
from layers.catalogue import CATALOGUE
from tests.conftest import TestDatabase

Find = Callable[..., list[str]]


@pytest.fixture
def find(demo_database: TestDatabase) -> Find:
    """Return the codes that a filter finds in a layer."""

    def codes(layer: str, text: str, language: Language = "cql2-text") -> list[str]:
        where, values = condition(parse(text, language), columns_of(CATALOGUE[layer]))
        query = sql.SQL("SELECT code FROM {} WHERE {} ORDER BY code").format(
            sql.Identifier(CATALOGUE[layer].table), where
        )
        with demo_database.connect() as connection:
            return [code for (code,) in connection.execute(query, values)]

    return codes


def _asked(connection: psycopg.Connection[TupleRow], query: str) -> list[str]:
    return [code for (code,) in connection.execute(query.encode())]


@pytest.mark.parametrize(
    ("layer", "text", "query"),
    [
        ("disputes", "status = 'closed' AND people > 3", "status = 'closed' AND people > 3"),
        ("disputes", "status IN ('closed', 'resolved')", "status IN ('closed', 'resolved')"),
        (
            "disputes",
            "NOT (scale = '01' OR people BETWEEN 2 AND 4)",
            "NOT (scale = '01' OR people BETWEEN 2 AND 4)",
        ),
        (
            "disputes",
            "occurred_at >= DATE('2026-03-01') AND occurred_at <= DATE('2026-03-31')",
            "occurred_at >= '2026-03-01T00:00Z' AND occurred_at < '2026-04-01T00:00Z'",
        ),
        (
            "disputes",
            "T_DURING(occurred_at, INTERVAL('2026-03-01T00:00:00Z', '..'))",
            "occurred_at > '2026-03-01T00:00Z'",
        ),
        ("disputes", "closed_at IS NULL", "closed_at IS NULL"),
        ("cameras", "CASEI(name) LIKE CASEI('%球机%')", "name ILIKE '%球机%'"),
        (
            "cameras",
            "azimuth / 2 < 45 AND azimuth % 7 < 3",
            "azimuth < 90 AND azimuth::numeric % 7 < 3",
        ),
        ("grids", "households > 300 AND valid_to IS NULL", "households > 300 AND valid_to IS NULL"),
        ("grids", "area(geometry) > 100000", "st_area(geom::geography) > 100000"),
    ],
)  # fmt: skip
def test_a_filter_finds_what_the_same_sql_finds(
    demo_database: TestDatabase, find: Find, layer: str, text: str, query: str
) -> None:
    with demo_database.connect() as connection:
        expected = _asked(
            connection,
            f"SELECT code FROM {CATALOGUE[layer].table} WHERE {query} ORDER BY code",
        )
    assert find(layer, text) == expected


def test_metres_are_metres(demo_database: TestDatabase, find: Find) -> None:
    with demo_database.connect() as connection:
        row = connection.execute(
            "SELECT st_x(geom), st_y(geom) FROM places WHERE kind = 'school'"
            " AND geometrytype(geom) = 'POINT' ORDER BY code LIMIT 1"
        ).fetchone()
        if row is None:
            row = connection.execute(
                "SELECT st_x(c), st_y(c) FROM (SELECT st_pointonsurface(geom) AS c FROM places"
                " WHERE kind = 'school' ORDER BY code LIMIT 1) AS s"
            ).fetchone()
        assert row
        places = connection.execute("SELECT code, st_x(geom), st_y(geom) FROM disputes").fetchall()
    x, y = row
    ellipsoid = Geod(ellps="WGS84")
    near = sorted(c for c, px, py in places if ellipsoid.inv(x, y, px, py)[2] <= 400)
    assert near, "no dispute lies near: the test proves nothing"
    assert len(near) < len(places)
    point = f"POINT({x!r} {y!r})"
    assert find("disputes", f"dwithin(geometry, {point}, 400)") == near
    assert find("disputes", f"distance(geometry, {point}) <= 400") == near
    assert find("disputes", f"S_INTERSECTS(geometry, buffer({point}, 400, 'm'))")


def test_shapes_come_in_the_filters_crs(demo_database: TestDatabase) -> None:
    columns = columns_of(CATALOGUE["grids"])
    to_wgs84 = Transformer.from_crs(3857, 4326, always_xy=True)
    with demo_database.connect() as connection:
        row = connection.execute(
            "SELECT code, st_x(p), st_y(p) FROM (SELECT code, st_transform(st_pointonsurface(geom),"
            " 3857) AS p FROM grids WHERE valid_to IS NULL ORDER BY code LIMIT 1) AS g"
        ).fetchone()
        assert row
        tree = parse(f"S_CONTAINS(geometry, POINT({row[1]} {row[2]}))")
        where, values = condition(tree, columns, to_wgs84)
        found = connection.execute(
            sql.SQL("SELECT code FROM grids WHERE valid_to IS NULL AND {}").format(where), values
        ).fetchall()
    assert found == [(row[0],)]


def test_attributes_that_an_import_kept(demo_database: TestDatabase, find: Find) -> None:
    with demo_database.connect(autocommit=True) as connection:
        connection.execute(
            'UPDATE cameras SET attributes = \'{"标签": ["东", "新"], "箱": "A-7"}\''
            " WHERE code = (SELECT min(code) FROM cameras)"
        )
        try:
            (first,) = connection.execute("SELECT min(code) FROM cameras").fetchone() or ("",)
            assert find("cameras", "attributes.箱 = 'A-7'") == [first]
            assert find("cameras", "A_CONTAINS(attributes.标签, ('新'))") == [first]
            assert find("cameras", "A_OVERLAPS(attributes.标签, ('旧', '东'))") == [first]
            assert find("cameras", "A_CONTAINEDBY(attributes.标签, ('东', '新', '西'))") == [first]
            assert find("cameras", "A_EQUALS(attributes.标签, ('新', '东'))") == [first]
            assert find("cameras", "A_CONTAINS(attributes.标签, ('新', '西'))") == []
        finally:
            connection.execute("UPDATE cameras SET attributes = '{}'")


_PAYLOADS = (
    "'; DROP TABLE disputes; --",
    "x') OR 1=1 --",
    "1' UNION SELECT password_hash FROM accounts --",
    "\\'; SELECT pg_sleep(9); --",
    "%(cql0)s {} {0} %s %%",
    "$$; SELECT 1; $$",
    "exec(java.lang.Runtime.getRuntime().exec('id'))",
    "strStartsWith(name,'x'') = true) or 1=1 -- ",
)


@pytest.mark.parametrize("payload", _PAYLOADS)
def test_no_text_reaches_sql(payload: str) -> None:
    """CVE-2023-25157 and CVE-2024-36401 in kind: as value, name, function, attribute, geometry."""
    columns = columns_of(CATALOGUE["disputes"])
    quoted, named = payload.replace("'", "''"), payload.replace('"', "")
    for text in (
        f"status = '{quoted}'",
        f"status LIKE '{quoted}%'",
        f"status IN ('{quoted}', 'closed')",
        f"CASEI(status) = CASEI('{quoted}')",
        f"\"attributes.{named}\" = 'x'",
        f"A_CONTAINS(\"attributes.{named}\", ('{quoted}'))",
    ):
        where, values = condition(parse(text), columns)
        assert payload not in where.as_string(None), text
        assert any(payload in str(getattr(v, "obj", v)) for v in values.values()), text
    for text in (
        f'"{named}" = 1',
        f"T_AFTER(occurred_at, '{quoted}')",
        f"occurred_at > DATE('{quoted}')",
        f"occurred_at > TIMESTAMP('{quoted}')",
        f"T_DURING(occurred_at, INTERVAL('{quoted}', '..'))",
        payload,
    ):
        with pytest.raises(FilterError):
            condition(parse(text), columns)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("status = ", "not valid CQL2"),
        ("password = 'x'", "no property"),
        ("status = 3", "do not fit"),
        ("people", "not a condition"),
        ("sleep(3) = 1", "no function"),
        ("geometry = geometry", "S_EQUALS"),
        ("occurred_at > DATE('2026-02-30')", "no time"),
        ("occurred_at > TIMESTAMP('2026-02-03T25:00:00Z')", "no time"),
        ("people > 1e999", "too large"),
        ("S_INTERSECTS(geometry, BBOX(1,2,3,1))", "south"),
        ("S_INTERSECTS(geometry, POLYGON((0 0,1 1,1 0,0 1,0 0)))", "invalid"),
        ("S_INTERSECTS(geometry, status)", "do not fit"),
        ("status LIKE 'a\\'", "escape"),
        ("(" * 5000 + "people=1" + ")" * 5000, "too complex"),
        ("NOT " * 5000 + "people=1", "too complex"),
        ("people=" + "+".join("1" * 5000), "too complex"),
        ("people=" + "-" * 5000 + "people", "too complex"),
        ("people = 1 AND " * 20_000 + "people = 1", "too long"),
        ("people = 1\0", "NUL"),
        ("", "not valid"),
    ],
)
def test_what_cannot_be_asked_gets_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(FilterError, match=sentence) as caught:
        condition(parse(text), columns_of(CATALOGUE["disputes"]))
    assert caught.value.zh
    assert caught.value.zh != caught.value.en


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "3",
        "null",
        "{",
        '{"op": "and"}',
        '{"op": "=", "args": [1]}',
        '{"op": 3, "args": []}',
        '{"op": "in", "args": [{"property": "status"}, []]}',
        '{"op": "in", "args": [{"property": "people"}, []]}',
        '{"args": [1, 2]}',
        '{"op": "not", "args": []}',
        '{"op": "and", "args": [true]}',
        '{"op": "=", "args": [{"property": ["a"]}, 1]}',
        '{"op": "s_intersects", "args": [{"property": "geometry"},'
        ' {"type": "Polygon", "coordinates": "x"}]}',
        "[" * 100_000,
        '{"op": "not", "args": [' * 400 + "true" + "]}" * 400,
    ],
)
def test_bad_json_gets_a_sentence(text: str) -> None:
    with pytest.raises(FilterError):
        condition(parse(text, "cql2-json"), columns_of(CATALOGUE["disputes"]))


def test_a_day_of_a_time_column_is_the_whole_day(find: Find, demo_database: TestDatabase) -> None:
    with demo_database.connect() as connection:
        row = connection.execute("SELECT code, occurred_at FROM disputes LIMIT 1").fetchone()
    assert row
    day = row[1].astimezone(UTC).date()
    assert row[0] in find("disputes", f"occurred_at = DATE('{day}')")
    assert row[0] in find("disputes", f"T_EQUALS(occurred_at, DATE('{day}'))")
    assert row[0] not in find("disputes", f"occurred_at <> DATE('{day}')")
    assert row[0] in find("disputes", f"code = '{row[0]}' AND occurred_at < now()")
    moment = datetime.isoformat(row[1].astimezone(UTC))
    assert row[0] in find("disputes", f"occurred_at = TIMESTAMP('{moment}')")
