"""A service like this one as the source of an import: what it serves comes in as it is."""

from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from geo_service.cli import app
from tests.conftest import Service, TestDatabase

COLUMNS = "code, name, road_class, width, ST_AsBinary(ST_Normalize(geom))"


@pytest.fixture
def empty(database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> TestDatabase:
    monkeypatch.setenv("GEO_SERVICE_DATABASE_URL", database.url)
    return database


def rows(database: TestDatabase, layer: str, columns: str) -> list[tuple[object, ...]]:
    with database.connect() as connection:
        statement = f"SELECT {columns} FROM {layer} ORDER BY code"
        return connection.execute(statement.encode()).fetchall()


def test_roads_of_our_own_service(demo_service: Service, empty: TestDatabase) -> None:
    done = CliRunner().invoke(
        app, ["import", "roads", f"{demo_service.url}/ogc/collections/roads", "--lang", "en"]
    )
    assert done.exit_code == 0, done.output
    expected = rows(demo_service.database, "roads", COLUMNS)
    assert len(expected) > 10
    assert rows(empty, "roads", COLUMNS) == expected
    again = CliRunner().invoke(app, ["import", "roads", f"{demo_service.url}/ogc", "--lang", "en"])
    assert f"{len(expected)} unchanged" in again.output


def test_what_the_database_keeps_is_said_to_be_left_out(
    demo_service: Service, empty: TestDatabase
) -> None:
    done = CliRunner().invoke(app, ["import", "hazards", f"{demo_service.url}/ogc", "--lang", "en"])
    assert done.exit_code == 0, done.output
    assert "kept by itself" not in done.output
    assert "Columns that the system keeps by itself were left out" in done.output
    kept = rows(empty, "hazards", "attributes ? 'grid_now' OR attributes ? 'grid_at_event'")
    assert not any(held for (held,) in kept)


def test_addresses_that_are_refused(empty: TestDatabase) -> None:
    for address in ("file:///etc/passwd", "http://127.0.0.1:9/ogc"):
        done = CliRunner().invoke(app, ["import", "roads", address])
        assert done.exit_code == 1, done.output
        assert not isinstance(done.exception, psycopg.Error | OSError)
    missing = CliRunner().invoke(app, ["import", "roads", "/nowhere/a.csv"])
    assert missing.exit_code == 2


def test_a_mapping_file(empty: TestDatabase, tmp_path: Path) -> None:
    table, told = tmp_path / "案件.csv", tmp_path / "列名映射.csv"
    table.write_text(
        "流水,东,北,案由,登记日\nD1,117.5,31.5,其他,2024年3月5日 下午3时\n", encoding="utf-8"
    )
    told.write_text(
        "列名,字段\n编码,流水\n经度,东\n纬度,北\n类别,案由\n发生时间,登记日\n", encoding="gb18030"
    )
    done = CliRunner().invoke(app, ["import", "disputes", str(table), "--mapping", str(told)])
    assert done.exit_code == 0, done.output
    assert rows(empty, "disputes", "code, occurred_at AT TIME ZONE 'Asia/Shanghai'") != []
    told.write_text("列名,字段\n无此列,流水\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["import", "disputes", str(table), "--mapping", str(told)])
    assert done.exit_code == 1
