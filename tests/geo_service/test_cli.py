"""The command line as it is used: real processes, real files, exit codes that mean something."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from geo_service.cli import app
from tests.conftest import REPOSITORY, Service, TestDatabase


def run(
    database: TestDatabase | None, *arguments: object, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run ``geo-service`` against a database."""
    environment = {**os.environ, **settings}
    if database:
        environment["GEO_SERVICE_DATABASE_URL"] = database.url
    done = subprocess.run(
        [sys.executable, "-m", "geo_service.cli", *map(str, arguments)],
        env=environment, cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr
    return done


def count(database: TestDatabase, table: str) -> int:
    with database.connect() as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row
    return int(row[0])


SQUARES = """{"type": "FeatureCollection", "features": [
{"type": "Feature", "properties": {"编码": "990101101001001", "网格名称": "一", "所属社区编码": "990101101001"},
 "geometry": {"type": "Polygon", "coordinates": [[[117,31],[117.01,31],[117.01,31.01],[117,31.01],[117,31]]]}},
{"type": "Feature", "properties": {"编码": "990101101001002", "网格名称": "二", "所属社区编码": "990101101001"},
 "geometry": {"type": "Polygon", "coordinates": [[[117.01,31],[117.02,31],[117.02,31.01],[117.01,31.01],[117.01,31]]]}}
]}"""  # noqa: E501

DISPUTES = """编号,纠纷类型,经度,纬度,发生时间,状态,当事人,联系电话
JF1,邻里纠纷,117.005,31.005,2024年3月5日,已结案,某甲,13900000000
JF2,家庭,117.015,31.005,2024-03-06 08:30,调解中,某乙,13900000001
"""


@pytest.mark.slow
def test_grids_and_disputes_go_in(database: TestDatabase, tmp_path: Path) -> None:
    (tmp_path / "grids.geojson").write_text(SQUARES)
    (tmp_path / "disputes.csv").write_text(DISPUTES.replace("家庭", "婚姻家庭"), "gb18030")
    done = run(database, "import", "grids", tmp_path / "grids.geojson", "--lang", "en")
    assert done.returncode == 0, done.stdout
    assert "2 inserted" in done.stdout
    done = run(database, "import", "disputes", tmp_path / "disputes.csv")
    assert done.returncode == 0, done.stdout
    assert "当事人" in done.stdout
    assert "联系电话" in done.stdout
    with database.connect() as connection:
        rows = connection.execute(
            "SELECT code, category, status, grid_now, attributes FROM disputes ORDER BY code"
        ).fetchall()
    assert rows == [
        ("JF1", "neighbour", "closed", "990101101001001", {}),
        ("JF2", "family", "mediating", "990101101001002", {}),
    ]
    again = run(database, "import", "disputes", tmp_path / "disputes.csv", "--lang", "en")
    assert "0 inserted, 0 updated, 2 unchanged" in again.stdout


@pytest.mark.slow
def test_one_bad_row_keeps_all_out(database: TestDatabase, tmp_path: Path) -> None:
    file = tmp_path / "disputes.csv"
    file.write_text(DISPUTES.replace("2024-03-06 08:30", "2024-13-45"))
    done = run(database, "import", "disputes", file)
    assert done.returncode == 1
    assert "第 2 行" in done.stdout
    assert "2024-13-45" in done.stdout
    assert "发生时间" in done.stdout
    assert count(database, "disputes") == 0


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["import", "unicorns", "pyproject.toml"], 1, "There is no layer unicorns"),
        (["import", "grids", "nowhere.csv"], 2, "does not exist"),
        (["import", "grids", "pyproject.toml", "--map", "code"], 1, "write it as column=value"),
        (["import", "grids", "pyproject.toml"], 1, "pyproject.toml"),
        (["sheet", "--theme", "grids", "-o", "x.pdf"], 1, "There are no grids yet"),
        (["sheet", "--theme", "moods", "-o", "x.pdf"], 1, "There is no theme moods"),
        (["sheet", "--theme", "grids", "-o", "x.pdf", "--since", "May"], 1, "May is no day"),
        (["sheet", "--theme", "grids", "-o", "x.pdf", "--lang", "fr"], 1, "no language fr"),
        (["user", "remove", "nobody"], 1, "There is no account nobody"),
        (["user", "add", "a", "--role", "king", "--password", "long-enough"], 1, "A role is one"),
        (["user", "add", "a b", "--password", "long-enough"], 1, "A name is made of"),
        (["user", "add", "a", "--password", "short"], 1, "at least 8 characters"),
        (["user", "add", "a", "--area", "x%", "--password", "long-enough"], 1, "An area is a code"),
        (["token", "remove", "nothing"], 1, "There is no token nothing"),
        (["fly"], 2, "No such command"),
    ],
)
def test_mistakes_get_a_sentence(
    database: TestDatabase, arguments: list[str], code: int, sentence: str
) -> None:
    # In this process: a new one for each would take most of the time.
    done = CliRunner().invoke(app, arguments, env={"GEO_SERVICE_DATABASE_URL": database.url})
    assert done.exit_code == code
    assert done.exception is None or isinstance(done.exception, SystemExit)
    said = re.sub(r"\s+", " ", re.sub("[│╭╮╰╯─]", "", done.output))
    assert sentence in said


def test_settings_that_make_no_sense(database: TestDatabase) -> None:
    done = run(database, "serve", GEO_SERVICE_PORT="many")
    assert done.returncode == 2
    assert "GEO_SERVICE_PORT=many" in done.stderr


def test_a_port_in_use(demo_service: Service) -> None:
    port = demo_service.url.rpartition(":")[2]
    done = run(demo_service.database, "serve", GEO_SERVICE_PORT=port)
    assert done.returncode == 1
    assert "Cannot listen on" in done.stderr


def test_a_database_that_does_not_answer() -> None:
    done = run(TestDatabase("postgresql://x@127.0.0.1:1/x"), "db", "check")
    assert done.returncode == 1
    assert "does not answer" in done.stderr


def test_accounts_and_tokens(database: TestDatabase) -> None:
    def said(*arguments: str) -> str:
        environment = {"GEO_SERVICE_DATABASE_URL": database.url}
        done = CliRunner().invoke(app, arguments, env=environment)
        assert done.exit_code == 0, done.output
        return done.output.strip()

    said("user", "add", "hall", "--role", "officer", "--password", "long-enough")
    assert said("user", "list").split() == ["hall", "officer", "*"]
    token = said("token", "add", "hall-wall", "--days", "30")
    assert len(token) > 40
    listed = said("token", "list")
    assert listed.startswith("hall-wall")
    assert "until 20" in listed
    assert token not in listed
    said("token", "remove", "hall-wall")
    said("user", "remove", "hall")
    assert count(database, "tokens") == count(database, "accounts") == 0


def test_the_database_is_checked(database: TestDatabase) -> None:
    done = run(database, "db", "check")
    assert done.returncode == 0, done.stdout
    assert re.search(r"PostgreSQL 1\d.*PostGIS 3\.\d.*schema 0", done.stdout)


@pytest.mark.slow
def test_the_demonstration_keeps_off_a_real_town(database: TestDatabase) -> None:
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO areas (code, name, level) VALUES ('340103001', '真镇', 'town')"
        )
    done = run(database, "demo", GEO_SERVICE_PORT="0")
    assert done.returncode == 2
    done = run(database, "demo", GEO_SERVICE_PORT="18999")
    assert done.returncode == 1
    assert "holds a real town" in done.stderr


def test_a_change_in_psql_reaches_an_open_stream(demo_service: Service) -> None:
    stream = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, urllib.request as u\n"
            "for line in u.urlopen(sys.argv[1]): print(line.decode(), end='', flush=True)",
            f"{demo_service.url}/api/live?layers=disputes",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert stream.stdout
    try:
        while not stream.stdout.readline().startswith("event: beat"):
            pass
        demo_service.sql(
            "INSERT INTO disputes (code, category, occurred_at, geom) SELECT 'PSQL', 'other',"
            " now(), st_pointonsurface(geom) FROM grids WHERE valid_to IS NULL LIMIT 1"
        )
        while '"PSQL"' not in stream.stdout.readline():
            pass
        demo_service.sql("DELETE FROM disputes WHERE code = 'PSQL'")
    finally:
        stream.kill()
        stream.wait()
        stream.stdout.close()


THEMES = ("grids", "disputes", "hazards", "cameras")


@pytest.mark.slow
@pytest.mark.parametrize("theme", THEMES)
def test_sheets_of_the_town(demo_service: Service, tmp_path: Path, theme: str) -> None:
    for suffix, magic in ((".pdf", b"%PDF-"), (".png", b"\x89PNG"), (".html", b"<!DOCTYPE html>")):
        file = tmp_path / f"{theme}{suffix}"
        done = run(demo_service.database, "sheet", "--theme", theme, "-o", file)
        assert done.returncode == 0, done.stderr
        assert file.read_bytes().lstrip().startswith(magic)
    assert "演示数据" in _text_of(tmp_path / f"{theme}.pdf")


def _text_of(file: Path) -> str:
    from pypdf import PdfReader

    return "".join(page.extract_text() for page in PdfReader(file).pages)
