"""geo-service export, as it is typed."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from geo_service.cli import app
from tests.geo_service.conftest import Town


def run(town: Town, *arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(
        app, ["export", *map(str, arguments)], env={"GEO_SERVICE_DATABASE_URL": town.database.url}
    )
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, " ".join(done.output.split())


def test_a_layer_becomes_a_file(town: Town, tmp_path: Path) -> None:
    code, said = run(
        town, "disputes", "-o", tmp_path / "a.geojson", "--where", "category=family",
        "--where", "status=registered", "--bbox", "117,31.01,117.02,31.02",
    )  # fmt: skip
    assert (code, said.endswith("a.geojson: 2 rows")) == (0, True), said
    found = json.loads((tmp_path / "a.geojson").read_text())
    assert [f["properties"]["code"] for f in found["features"]] == ["JF1", "JF2"]


def test_days_are_those_of_the_town(town: Town, tmp_path: Path) -> None:
    with town.database.connect(autocommit=True) as connection:
        connection.execute(
            "UPDATE disputes SET occurred_at = '2026-03-01 23:30+08' WHERE code = 'JF1';"
            "UPDATE disputes SET occurred_at = '2026-03-02 00:00+08' WHERE code = 'JF2'"
        )
    code, said = run(
        town, "disputes", "-o", tmp_path / "a.csv", "--since", "2026-03-01",
        "--until", "2026-03-01", "--crs", "EPSG:4548", "--lang", "zh",
    )  # fmt: skip
    assert code == 0, said
    [row] = csv.DictReader((tmp_path / "a.csv").read_text("utf-8-sig").splitlines())
    assert (row["编码"], row["类别"]) == ("JF1", "婚姻家庭")
    assert row["发生时间"] == "2026-03-01T23:30:00+08:00"
    assert float(row["东坐标"]) == pytest.approx(500477, abs=2)


def test_short_names_are_told(town: Town, tmp_path: Path) -> None:
    code, said = run(town, "cameras", "-o", tmp_path / "a.zip")
    assert code == 0
    assert "mount_height is called" in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["unicorns", "-o", "a.csv"], "There is no layer unicorns"),
        (["roads", "-o", "a.doc"], "There is no format"),
        (["roads", "-o", "a.csv", "--lang", "fr"], "There is no language fr"),
        (["roads", "-o", "a.csv", "--bbox", "1,2,3"], "west,south,east,north"),
        (["roads", "-o", "a.csv", "--where", "code"], "write it as column=value"),
        (["roads", "-o", "a.csv", "--where", "colour=red"], "no column"),
        (["roads", "-o", "a.csv", "--since", "May"], "May is no day"),
        (["roads", "-o", "a.csv", "--since", "2026-01-01"], "has no time"),
        (["roads", "-o", "a.geojson", "--crs", "EPSG:4548"], "EPSG:4326"),
    ],
)
def test_mistakes_get_a_sentence(
    town: Town,
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, said = run(town, *arguments)
    assert (code, sentence in said) == (1, True), said
    assert not list(tmp_path.iterdir())
