"""Damaged files never raise: the report is fine or says what is wrong."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from layers.catalogue import CATALOGUE
from layers.intake import intake
from tests.conftest import TestDatabase

TABLE = (
    "编号,经度,纬度,类别,发生时间,备注\n"
    'D1,116.5,39.9,其他,2024-03-05,"a,b"\n'
    "D2,116.6,39.8,邻里纠纷,2024年3月5日 8时30分,13800138000\n"
).encode()
FEATURES = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"code": f"R{i}", "name": "路", "width": 3.5, "n": [1, None]},
                "geometry": {
                    "type": "LineString",
                    "coordinates": [[116.5, 39.9], [116.6, 39.8 + i]],
                },
            }
            for i in range(3)
        ],
    }
).encode()
PIECES = [
    *(b"", b"\x00", b"\xff", b'"', b"\\u0000", b"\\ud800", b"[", b"]", b"{", b"}", b",", b"\n"),
    *(b"e999", b"NaN", b"-", b"null", b"\xef\xbb\xbf", b"type", b"9" * 30, b"1E400", b"'; --"),
]


@pytest.fixture
def connection(database: TestDatabase) -> Iterator[psycopg.Connection[TupleRow]]:
    with database.connect(autocommit=True) as opened:
        yield opened


damage = st.lists(
    st.tuples(st.integers(0, 1000), st.integers(0, 12), st.sampled_from(PIECES)),
    min_size=1,
    max_size=4,
)


@settings(
    max_examples=60, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(damage=damage, table=st.booleans())
def test_damaged_files_never_raise(
    connection: psycopg.Connection[TupleRow],
    tmp_path: Path,
    damage: list[tuple[int, int, bytes]],
    table: bool,
) -> None:
    content = TABLE if table else FEATURES
    for at, length, piece in damage:
        place = at % len(content) if content else 0
        content = content[:place] + piece + content[place + length :]
    path = tmp_path / ("a.csv" if table else "a.geojson")
    path.write_bytes(content)
    layer = CATALOGUE["disputes" if table else "roads"]
    report = intake(connection, layer, path, dry_run=True)
    assert report.ok == (report.problem_count == 0)
    (report.text("zh") + report.text("en")).encode()
    json.dumps(report.as_dict(), allow_nan=False).encode()
    assert "13800138000" not in report.text("en")
