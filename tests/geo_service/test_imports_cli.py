"""``geo-service import`` keeps a record, and ``geo-service imports`` shows it and takes it back."""

import re
from pathlib import Path

import pytest

from tests.conftest import TestDatabase
from tests.geo_service.office import PERSON, disputes
from tests.geo_service.test_cli import count, run


@pytest.mark.slow
def test_a_load_is_recorded_shown_and_undone(database: TestDatabase, tmp_path: Path) -> None:
    file = tmp_path / "台账.csv"
    file.write_text(disputes(4), "gb18030")
    assert run(database, "import", "disputes", file, "--dry-run").returncode == 0
    assert run(database, "imports", "list").stdout == ""  # a trial leaves no trace
    assert run(database, "import", "disputes", file).returncode == 0

    listed = run(database, "imports", "list", "--layer", "disputes").stdout
    assert re.search(r"loaded +disputes +command line +台账.csv", listed)
    assert run(database, "imports", "list", "--layer", "grids").stdout == ""
    id_ = listed.split()[0]
    shown = run(database, "imports", "show", id_, "--lang", "en").stdout
    assert "inserted 4" in shown
    assert PERSON not in shown

    undone = run(database, "imports", "undo", id_, "--lang", "en")
    assert undone.returncode == 0, undone.stderr
    assert undone.stdout == "Undone: 4 rows deleted, 0 restored.\n"
    assert count(database, "disputes") == 0
    again = run(database, "imports", "undo", id_)
    assert again.returncode == 1
    assert "已经撤销" in again.stderr
    assert "undone" in run(database, "imports", "list").stdout


@pytest.mark.slow
def test_bad_rows_are_left_out_when_asked(database: TestDatabase, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(disputes(3).replace("2026-03-03", "2026-13-03"))
    assert run(database, "import", "disputes", file).returncode == 1
    refused = run(database, "imports", "list").stdout
    assert "refused" in refused
    assert "第 2 行" in run(database, "imports", "show", refused.split()[0]).stdout
    done = run(database, "import", "disputes", file, "--skip-bad")
    assert done.returncode == 0, done.stdout
    assert count(database, "disputes") == 2


@pytest.mark.slow
def test_what_is_not_there_is_said(database: TestDatabase) -> None:
    unknown = "0f8fad5b-d9cb-469f-a165-70867728950e"
    for command in ("show", "undo"):
        done = run(database, "imports", command, unknown)
        assert done.returncode == 1
        assert "✗" in done.stderr
        assert run(database, "imports", command, "x").returncode == 2
