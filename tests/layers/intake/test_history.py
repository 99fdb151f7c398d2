"""Imports are recorded with what undoing needs, and undone without a trace in the layer."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import TupleRow

from layers.catalogue import CATALOGUE
from layers.intake import Report, intake
from layers.intake.recording import Recorder
from layers.intake.report import Refusal
from layers.intake.staging import stage
from layers.intake.undoing import Undone, undo
from tests.conftest import TestDatabase
from tests.layers.intake.test_load import Desk, Row, feature, grid, square

FIRST = """编号,经度,纬度,类别,发生时间,涉及人数,备注
D1,116.001,40.001,其他,2024-03-05,1,甲
D2,116.002,40.001,其他,2024-03-05 08:30:15.123456,,
"""
SECOND = """编号,经度,纬度,类别,发生时间,涉及人数,来文
D2,116.0021234567,40.001,劳动争议,2024-03-05 08:30:15.123456,7,x
D3,116.003,40.001,其他,2024-03-05,1,
"""
ALL = (
    "SELECT code, category, scale, status, occurred_at, reported_at, due_at, closed_at, people,"
    " organisation, accuracy, grid_at_event, grid_now, area_now, attributes, created_at,"
    " ST_AsEWKB(geom), ST_AsEWKB(geom_3857) FROM disputes ORDER BY code"
)


@pytest.fixture
def desk(database: TestDatabase, tmp_path: Path) -> Iterator[Desk]:
    with database.connect(autocommit=True) as connection:
        yield Desk(connection, tmp_path)


def load(desk: Desk, layer: str, content: Any, **options: Any) -> Report:
    return desk.load(layer, content, record=Recorder("clerk", "*"), **options)


def history(desk: Desk) -> list[Row]:
    return desk.ask("SELECT state, report->>'inserted' FROM imports ORDER BY created_at")


@contextmanager
def refused(words: str) -> Iterator[None]:
    with pytest.raises(Refusal) as caught:
        yield
    assert words in caught.value.words.en, caught.value.words.en
    assert caught.value.words.zh


@contextmanager
def acting(desk: Desk, role: str, area: str) -> Iterator[None]:
    desk.connection.execute("SET ROLE geo_service")
    settings = "SELECT set_config('geo.role', %s, false), set_config('geo.area', %s, false)"
    desk.connection.execute(settings, [role, area])
    yield
    desk.connection.execute("RESET ROLE")


def test_a_load_is_recorded(desk: Desk) -> None:
    report = load(desk, "disputes", FIRST, constants={"channel": "hotline"})
    assert report.ok, report.text("en")
    [row] = desk.ask(
        "SELECT id::text, layer, file, bytes, sha256 = encode(sha256(%s), 'hex'), account, area,"
        " state, options->'constants', report->>'inserted', done, finished_at IS NOT NULL"
        " FROM imports".replace("%s", f"'{_hex(FIRST)}'::bytea")
    )
    size = len(FIRST.encode())
    assert row == (
        report.import_id, "disputes", "a.csv", size, True, "clerk", "*", "loaded",
        {"channel": "hotline"}, "2", 2, True,
    )  # fmt: skip
    assert desk.ask(
        "SELECT bool_and(d.updated_at = i.written_at) FROM disputes AS d, imports AS i"
    ) == [(True,)]
    assert desk.ask("SELECT inserted, updated FROM import_rows") == [(["D1", "D2"], [])]


def _hex(text: str) -> str:
    return "\\x" + text.encode().hex()


def test_undoing_gives_back_every_column(desk: Desk) -> None:
    desk.load("grids", [grid("G1", 116)])
    load(desk, "disputes", FIRST)
    before = desk.ask(ALL)
    report = load(desk, "disputes", SECOND)
    assert (report.inserted, report.updated) == (1, 1)
    assert desk.ask(ALL) != before
    assert report.import_id
    assert undo(desk.connection, report.import_id) == Undone(1, 1)
    assert desk.ask(ALL) == before
    assert history(desk) == [("loaded", "2"), ("undone", "1")]
    with refused("undone already"):
        undo(desk.connection, report.import_id)


def test_imports_are_undone_from_the_last_to_the_first(desk: Desk) -> None:
    ids = []
    for content in (FIRST, SECOND, SECOND.replace(",7,x", ",8,x")):
        report = load(desk, "disputes", content)
        assert report.import_id
        ids.append(report.import_id)
    with refused("was loaded into the layer later"):
        undo(desk.connection, ids[0])
    assert undo(desk.connection, ids[2]) == Undone(0, 1)
    # The row that undoing gave back counts as what the second import wrote, and not as changed.
    assert undo(desk.connection, ids[1]) == Undone(1, 1)
    again = load(desk, "disputes", SECOND)
    assert again.import_id
    assert undo(desk.connection, again.import_id) == Undone(1, 1)
    assert undo(desk.connection, ids[0]) == Undone(2, 0)
    assert desk.ask("SELECT count(*) FROM disputes") == [(0,)]


def test_an_import_that_changed_nothing(desk: Desk) -> None:
    first = load(desk, "disputes", FIRST)
    second = load(desk, "disputes", FIRST)
    assert second.unchanged == 2
    assert history(desk) == [("loaded", "2"), ("loaded", "0")]
    assert first.import_id
    assert second.import_id
    # It stands in nobody's way, and is itself undone at no cost.
    assert undo(desk.connection, first.import_id) == Undone(2, 0)
    assert undo(desk.connection, second.import_id) == Undone(0, 0)


def test_rows_that_changed_since_are_named_and_nothing_is_undone(desk: Desk) -> None:
    load(desk, "disputes", FIRST)
    report = load(desk, "disputes", SECOND)
    assert report.import_id
    desk.connection.execute("UPDATE disputes SET people = 9 WHERE code = 'D3'")
    now = desk.ask(ALL)
    with refused("1 rows were changed or deleted since, so this cannot be undone: D3."):
        undo(desk.connection, report.import_id)
    assert desk.ask(ALL) == now
    desk.connection.execute("DELETE FROM disputes WHERE code IN ('D2', 'D3')")
    with refused("undone: D2."):
        undo(desk.connection, report.import_id)


def test_inserted_rows_that_are_gone_are_counted(desk: Desk) -> None:
    report = load(desk, "disputes", FIRST)
    desk.connection.execute("DELETE FROM disputes WHERE code = 'D1'")
    assert report.import_id
    assert undo(desk.connection, report.import_id) == Undone(1, 0, missing=1)


def test_being_located_anew_is_no_change(desk: Desk) -> None:
    desk.load("grids", [grid("G1", 116)])
    report = load(desk, "disputes", FIRST)
    desk.load("grids", [grid("G1", 116.5)])
    assert desk.ask("SELECT DISTINCT grid_now FROM disputes") == [(None,)]
    assert report.import_id
    assert undo(desk.connection, report.import_id) == Undone(2, 0)


def test_what_is_not_there_or_was_not_written(desk: Desk) -> None:
    with refused("no record"):
        undo(desk.connection, uuid4())
    with refused("no record"):
        undo(desk.connection, "nonsense")
    report = load(desk, "disputes", FIRST.replace("其他", "打架"))
    assert not report.ok
    assert report.import_id
    assert desk.ask("SELECT state, report->'ok', written_at FROM imports") == [
        ("refused", False, None)
    ]
    with refused("wrote nothing"):
        undo(desk.connection, report.import_id)


def test_a_trial_run_leaves_no_trace_of_its_own(desk: Desk) -> None:
    report = load(desk, "disputes", FIRST, dry_run=True)
    assert report.import_id is None
    assert history(desk) == []


def test_of_a_staged_file_the_original_is_recorded(desk: Desk) -> None:
    path = desk.folder / "纠纷.csv"
    path.write_text(FIRST, encoding="utf-8")
    put = stage(path, desk.folder / "1.staged")
    path.unlink()
    report = intake(desk.connection, CATALOGUE["disputes"], put.path, record=Recorder("clerk", "*"))
    assert report.ok, report.text("en")
    digest = hashlib.sha256(FIRST.encode()).hexdigest()
    assert desk.ask("SELECT file, bytes, sha256 FROM imports") == [
        ("纠纷.csv", len(FIRST.encode()), digest)
    ]


def test_the_row_of_the_service_is_used(desk: Desk) -> None:
    [(import_id,)] = desk.ask(
        "INSERT INTO imports (layer, file, bytes, sha256, account, area, state)"
        " VALUES ('disputes', 'cases.csv', 1, 'x', 'clerk', '110101', 'running') RETURNING id"
    )
    record = Recorder("clerk", "110101", import_id=import_id)
    bad = desk.load("disputes", FIRST.replace("其他", "打架"), record=record)
    assert bad.import_id == str(import_id)
    assert history(desk) == [("refused", "0")]
    assert desk.load("disputes", FIRST, record=record, dry_run=True).ok
    assert history(desk) == [("checked", "2")]
    assert desk.load("disputes", FIRST, record=record).ok
    assert history(desk) == [("loaded", "2")]
    assert desk.ask("SELECT file, bytes FROM imports") == [("cases.csv", 1)]
    again = desk.load("disputes", FIRST, record=record)
    assert "was written before" in again.text("en")
    assert history(desk) == [("loaded", "2")]
    unknown = desk.load("disputes", FIRST, record=Recorder("clerk", "*", import_id=uuid4()))
    assert "no record of this import" in unknown.text("en")


def test_within_an_area(desk: Desk) -> None:
    desk.load("grids", [grid("G1", 116), grid("G2", 116.01, parent="110101001002")])
    elsewhere = load(desk, "disputes", FIRST.replace("116.0", "117.0").replace("D", "E"))
    with acting(desk, "editor", "110101001001"):
        own = desk.load("disputes", FIRST, record=Recorder("clerk", "110101001001"))
        assert own.ok, own.text("en")
        assert len(history(desk)) == 1
        with refused("no record"):
            undo(desk.connection, elsewhere.import_id or "")
        # An area that is not its own cannot be recorded, and then nothing is loaded.
        other = desk.load("disputes", SECOND, record=Recorder("clerk", "110101001002"))
        assert "may not write here" in other.text("en")
        bad = desk.load(
            "disputes", SECOND.replace("其他", "打架"), record=Recorder("clerk", "110101001001")
        )
        assert not bad.ok
        assert [state for state, _ in history(desk)] == ["loaded", "refused"]
    with acting(desk, "editor", "110101001002"), refused("no record"):
        undo(desk.connection, own.import_id or "")
    with acting(desk, "viewer", "110101001001"), refused("changed or deleted since"):
        desk.connection.execute("RESET ROLE")
        desk.connection.execute("UPDATE disputes SET people = 5 WHERE code = 'D1'")
        desk.connection.execute("SET ROLE geo_service")
        undo(desk.connection, own.import_id or "")
    desk.connection.execute("RESET ROLE")
    desk.connection.execute(
        "ALTER TABLE disputes DISABLE TRIGGER locate;"
        "UPDATE disputes SET updated_at = (SELECT written_at FROM imports WHERE file = 'a.csv'"
        " AND area = '110101001001' AND state = 'loaded') WHERE code = 'D1';"
        "ALTER TABLE disputes ENABLE TRIGGER locate"
    )
    with acting(desk, "editor", "110101001001"):
        assert undo(desk.connection, own.import_id or "") == Undone(2, 0)
    assert desk.ask("SELECT code FROM disputes ORDER BY code") == [("E1",), ("E2",)]


def test_a_role_that_may_not_write_undoes_nothing(desk: Desk) -> None:
    desk.load("grids", [grid("G1", 116)])
    report = load(desk, "disputes", FIRST)
    with acting(desk, "viewer", "*"), pytest.raises(Refusal):
        undo(desk.connection, report.import_id or "")
    assert desk.ask("SELECT count(*) FROM disputes") == [(2,)]
    assert history(desk) == [("loaded", "2")]


def test_grids_become_new_versions(desk: Desk) -> None:
    load(desk, "grids", [grid("G1", 116), grid("G2", 116.01)])
    shapes = desk.ask("SELECT code, ST_AsEWKB(geom), households FROM grids ORDER BY code")
    second = load(
        desk,
        "grids",
        [
            feature(square(116, 40, 0.005), code="G1", name="G1", parent="110101001001"),
            grid("G3", 116.02, households=5),
        ],
    )
    assert second.ok, second.text("en")
    assert undo(desk.connection, second.import_id or "") == Undone(1, 1)
    in_force = "SELECT code, ST_AsEWKB(geom), households FROM grids WHERE valid_to IS NULL"
    assert desk.ask(f"{in_force} ORDER BY code") == shapes
    assert desk.ask("SELECT code, version, valid_to IS NULL FROM grids ORDER BY code, version") == [
        ("G1", 1, False),
        ("G1", 2, False),
        ("G1", 3, True),
        ("G2", 1, True),
        ("G3", 1, False),
    ]
    assert desk.ask(
        "SELECT ST_Equals(a.geom, (SELECT ST_Union(geom) FROM grids WHERE valid_to IS NULL))"
        " FROM areas AS a WHERE code = '110101001001'"
    ) == [(True,)]
    # Loaded again, the grid that was taken away goes on counting.
    again = load(desk, "grids", [grid("G3", 116.02)])
    assert again.ok, again.text("en")
    assert desk.ask("SELECT version FROM grids WHERE code = 'G3' AND valid_to IS NULL") == [(2,)]


def test_a_coverage_that_would_tear_is_not_undone(desk: Desk) -> None:
    """A ring of grids, its middle loaded later; then the ring grows around it by hand."""
    first = load(desk, "grids", [grid("G1", 116), grid("G2", 116.01)])
    assert first.ok
    # G2 moves onto where G3 stood, and G3 is drawn by hand where G2 was.
    second = load(desk, "grids", [grid("G2", 116.02)])
    assert second.ok, second.text("en")
    desk.connection.execute(
        "INSERT INTO grids (code, name, parent, geom) SELECT 'H1', 'H1', parent, geom FROM grids"
        " WHERE code = 'G2' AND valid_to IS NOT NULL"
    )
    now = desk.ask("SELECT code, version, valid_to, ST_AsEWKB(geom) FROM grids ORDER BY id")
    with refused("A grid overlaps a grid in force"):
        undo(desk.connection, second.import_id or "")
    with refused("nothing was undone"):
        undo(desk.connection, second.import_id or "")
    assert desk.ask("SELECT code, version, valid_to, ST_AsEWKB(geom) FROM grids ORDER BY id") == now


def test_an_area_in_use_is_not_taken_away(desk: Desk) -> None:
    areas = "编码,名称,上级编码\n110101001,街道,\n110101001001,社区,110101001\n"
    report = load(desk, "areas", areas)
    assert report.ok, report.text("en")
    desk.load("grids", [grid("G1", 116)])
    with refused("nothing was undone"):
        undo(desk.connection, report.import_id or "")
    empty = load(desk, "areas", "编码,名称\n220101,区\n")
    assert undo(desk.connection, empty.import_id or "") == Undone(1, 0)


def test_many_rows_are_kept_in_parts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layers.intake.recording.PART", 400)
    monkeypatch.setattr("layers.intake.recording.PART_BYTES", 50_000)
    header = "编号,经度,纬度,类别,发生时间,涉及人数\n"
    rows = [f"D{i},116.{i:04},40.001,其他,2024-03-05," for i in range(1000)]
    load(desk, "disputes", header + "\n".join(row + "1" for row in rows))
    assert desk.ask(
        "SELECT count(*), max(cardinality(inserted)), sum(cardinality(inserted)) FROM import_rows"
    ) == [(3, 400, 1000)]
    before = desk.ask(ALL)
    report = load(desk, "disputes", header + "\n".join(row + "2" for row in rows))
    [(parts, most, total)] = desk.ask(
        "SELECT count(*), max(octet_length(updated::text)), sum(jsonb_array_length(updated))"
        " FROM import_rows WHERE updated <> '[]'"
    )
    assert parts > 3
    assert most < 60_000
    assert total == 1000
    assert undo(desk.connection, report.import_id or "") == Undone(0, 1000)
    assert desk.ask(ALL) == before


def test_rows_left_out_are_not_in_the_history(desk: Desk) -> None:
    report = load(desk, "disputes", FIRST + "D9,116,40,打架,2024-03-05,1,\n", skip_bad=True)
    assert desk.ask("SELECT inserted FROM import_rows") == [(["D1", "D2"],)]
    assert desk.ask("SELECT report->>'skipped' FROM imports") == [("1",)]
    assert undo(desk.connection, report.import_id or "") == Undone(2, 0)


def test_a_history_that_cannot_be_written_stops_the_load(desk: Desk) -> None:
    desk.connection.execute("ALTER TABLE import_rows ADD CONSTRAINT ck_none CHECK (part < 0)")
    assert not load(desk, "disputes", FIRST).ok
    assert desk.ask("SELECT count(*) FROM disputes") == [(0,)]


def test_nothing_personal_is_in_the_history(desk: Desk, tmp_path: Path) -> None:
    text = FIRST.replace("备注", "联系电话").replace("甲", "13800138000")
    report = load(desk, "disputes", text)
    assert report.ok
    kept = str(desk.ask("SELECT * FROM imports")) + str(desk.ask("SELECT * FROM import_rows"))
    assert "13800138000" not in kept


def test_one_connection_at_a_time_writes(desk: Desk, database: TestDatabase) -> None:
    """What an undo found unchanged stays so until it is done: another writer waits."""
    report = load(desk, "disputes", FIRST)
    with database.connect() as other:
        _edit(other)
        desk.connection.execute("SET lock_timeout = '200ms'")
        with refused("nothing was undone"):
            undo(desk.connection, report.import_id or "")
        other.commit()
    desk.connection.execute("SET lock_timeout = 0")
    with refused("D1"):
        undo(desk.connection, report.import_id or "")


def _edit(connection: psycopg.Connection[TupleRow]) -> None:
    connection.execute("UPDATE disputes SET people = 3 WHERE code = 'D1'")


def test_cameras_that_report_can_still_be_undone(database: TestDatabase) -> None:
    """A heartbeat is no edit, and an import stays undoable; a real edit stands against it."""
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO cameras (code, geom) VALUES"
            " ('99010100001320000001', st_setsrid(st_makepoint(117, 31), 4326))"
        )
        connection.commit()
        (written,) = connection.execute("SELECT updated_at FROM cameras").fetchone() or (None,)
        connection.commit()
        connection.execute("UPDATE cameras SET status = 'offline', status_at = now()")
        connection.commit()
        assert connection.execute("SELECT updated_at FROM cameras").fetchone() == (written,)
        connection.commit()
        connection.execute("UPDATE cameras SET name = 'x', status = 'online'")
        connection.commit()
        assert connection.execute("SELECT updated_at FROM cameras").fetchone() != (written,)
