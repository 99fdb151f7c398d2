"""Files handed in over HTTP: from the upload to the undoing, by a real service with its jobs."""

import io
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from python_calamine import CalamineWorkbook

from geo_service.app import create_app
from geo_service.embedded import Cluster
from geo_service.settings import Settings
from layers.intake import readers
from tests.geo_service.conftest import Town
from tests.geo_service.office import (
    BINARY,
    HEADERS,
    PERSON,
    TELEPHONE,
    Office,
    disputes,
    open_office,
)

FOUR = ["JF1", "JF2", "JF3", "JF4"]


@pytest.fixture(scope="module")
def office(
    cluster: Cluster,
    town_template: tuple[str, dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Office]:
    yield from open_office(cluster, town_template, tmp_path_factory.mktemp("home"))


@pytest.fixture(autouse=True)
def clean(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave the town as it was."""
    yield
    if "office" in request.fixturenames:
        office: Office = request.getfixturevalue("office")
        office.service.sql("DELETE FROM disputes WHERE code LIKE 'DR%'")
        office.service.sql("DELETE FROM imports")


def test_a_register_goes_in_and_comes_out_again(office: Office) -> None:
    """GBK with Chinese headers: preview, check, load, progress, history, undo."""
    id_ = office.hand_in(disputes(30).encode("gbk"), f"纠纷台账 {TELEPHONE}.csv")
    first = office.get(id_)
    assert (first["state"], first["layer"], first["report"]) == ("ready", None, None)
    assert first["file"] == "纠纷台账 ***.csv"
    assert first["account"] == "chief"
    assert first["bytes"] == len(disputes(30).encode("gbk"))

    looked = office.request("POST", f"/{id_}/preview", json={}).json()
    assert looked["layer"] == "disputes"
    assert looked["total"] == 30
    assert looked["headers"] == HEADERS.split(",")[:-2]
    assert {item["column"] for item in looked["dropped"]} == {"当事人", "联系电话"}
    assert len(looked["geometry"]["features"]) == 30
    assert looked["problem_count"] == 0

    assert office.ask("check", id_).status_code == 202
    checked = office.ended(id_)
    assert checked["state"] == "checked", checked["report"]
    assert checked["report"]["dry_run"] is True
    assert office.codes() == FOUR

    loaded = office.load(id_)
    assert loaded["state"] == "loaded", loaded["report"]
    assert (loaded["done"], loaded["report"]["inserted"]) == (30, 30)
    assert loaded["report"]["file"] == "纠纷台账 ***.csv"
    assert loaded["undoable"] is True
    assert loaded["options"]["timezone"] == "Asia/Shanghai"
    assert loaded["started_at"] <= loaded["finished_at"]
    assert len(office.codes()) == 34
    assert office.rows("SELECT DISTINCT category, status FROM disputes WHERE code LIKE 'DR%%'") == [
        ("neighbour", "mediating")
    ]

    again = office.ask("load", id_)
    assert again.status_code == 409
    assert "重新上传" in again.json()["detail_zh"]

    page = office.request("GET", "", params={"layer": "disputes"}).json()["imports"]
    assert [(item["id"], item["state"]) for item in page] == [(id_, "loaded")]
    assert office.request("GET", "", params={"layer": "grids"}).json()["imports"] == []

    answer = office.request("POST", f"/{id_}/undo")
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "undone"
    assert office.codes() == FOUR
    assert office.request("POST", f"/{id_}/undo").status_code == 409


def test_nothing_personal_stays(office: Office) -> None:
    id_ = office.hand_in(disputes(50), "台账.csv")
    office.load(id_)
    staged = office.home / "uploads" / f"{id_}.staged"
    assert [path.name for path in (office.home / "uploads").iterdir() if id_ in path.name] == [
        staged.name
    ]
    assert stat.S_IMODE(staged.stat().st_mode) == 0o600
    assert stat.S_IMODE(staged.parent.stat().st_mode) == 0o700
    secrets = [text.encode(code) for text in (PERSON, TELEPHONE) for code in ("utf-8", "gbk")]
    for path in office.home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(secret in content for secret in secrets), path
    with office.database.connect() as connection:
        row = connection.execute(
            "SELECT string_agg(i::text, ''),"
            " (SELECT string_agg(r::text, '') FROM import_rows AS r),"
            " (SELECT string_agg(j::text, '') FROM jobs.procrastinate_jobs AS j) FROM imports AS i"
        ).fetchone()
    assert row
    kept = "".join(row)
    assert PERSON not in kept
    assert TELEPHONE not in kept


def test_what_was_edited_since_is_not_undone(office: Office) -> None:
    id_ = office.hand_in(disputes(3))
    assert office.load(id_)["state"] == "loaded"
    office.service.sql("UPDATE disputes SET status = 'closed' WHERE code = 'DR2'")
    answer = office.request("POST", f"/{id_}/undo")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert "DR2" in answer.json()["detail_zh"]
    assert office.codes() == ["DR1", "DR2", "DR3", *FOUR]


def test_a_later_import_stands_in_the_way(office: Office) -> None:
    first = office.hand_in(disputes(2))
    office.load(first)
    second = office.hand_in(disputes(2, first=5), "b.csv")
    office.load(second)
    assert office.get(first)["undoable"] is False
    assert office.get(second)["undoable"] is True
    refused = office.request("POST", f"/{first}/undo")
    assert refused.status_code == 409
    assert "b.csv" in refused.json()["detail"]
    for id_ in (second, first):
        assert office.request("POST", f"/{id_}/undo").json()["state"] == "undone"
    assert office.codes() == FOUR


def test_an_editor_loads_no_row_outside_the_area(office: Office) -> None:
    inside, outside = disputes(2), disputes(1, first=9, north=31.005).splitlines()[1]
    id_ = office.hand_in(f"{inside}{outside}\n", who="editor")
    found = office.load(id_, "editor")
    assert found["state"] == "refused"
    assert {problem["row"] for problem in found["report"]["problems"]} == {3}
    assert office.codes() == FOUR
    assert office.load(id_, "editor", skip_bad=True)["state"] == "loaded"
    assert office.codes() == ["DR1", "DR2", *FOUR]


def test_each_sees_the_imports_of_their_area(office: Office) -> None:
    id_ = office.hand_in(disputes(1), who="editor")
    for who, seen in (("editor", True), ("chief", True), ("south", False), ("grid", False)):
        status = office.request("GET", f"/{id_}", who).status_code
        assert status == (200 if seen else 404), who
        page = office.request("GET", "", who).json()["imports"]
        assert [item["id"] for item in page] == ([id_] if seen else []), who
    for method, path in (("POST", "/undo"), ("DELETE", "")):
        assert office.request(method, f"/{id_}{path}", "south").status_code == 404
    assert office.ask("load", id_, "south").status_code == 404


@pytest.mark.parametrize("who", ["viewer", "wall"])
def test_who_writes_nothing_is_refused(office: Office, who: str) -> None:
    id_ = office.hand_in(disputes(1))
    upload = {"params": {"filename": "a.csv"}, "content": b"a", "headers": BINARY}
    assert office.request("POST", "", who, **upload).status_code == 403
    for method, path in (("GET", ""), ("GET", f"/{id_}"), ("POST", f"/{id_}/undo"),
                         ("GET", f"/{id_}/problems.xlsx"), ("DELETE", f"/{id_}")):  # fmt: skip
        answer = office.request(method, path, who)
        assert answer.status_code == 403, path
        assert answer.json()["detail_zh"] == "您没有导入数据的权限。"
    assert office.ask("load", id_, who).status_code == 403


def test_the_role_must_fit_the_layer(office: Office) -> None:
    id_ = office.hand_in(disputes(1))
    for who, layer, status in (("all", "disputes", 403), ("chief", "grids", 403)):
        for what in ("preview", "check", "load"):
            assert office.ask(what, id_, who, layer=layer).status_code == status
    assert office.ask("load", id_, layer="streets").status_code == 404
    assert office.get(id_)["state"] == "ready"


def test_other_sites_cannot_send(office: Office) -> None:
    id_ = office.hand_in(disputes(1))
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/json", ""):
        answer = office.request(
            "POST", "", params={"filename": "a.csv"}, content=b"a,b\n1,2\n",
            headers={"Content-Type": kind},
        )  # fmt: skip
        assert answer.status_code == 415, kind
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        for what in ("preview", "check", "load", "undo"):
            answer = office.request(
                "POST", f"/{id_}/{what}", content=b'{"layer": "disputes"}',
                headers={"Content-Type": kind},
            )  # fmt: skip
            assert answer.status_code == 415, (kind, what)
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert office.request("POST", f"/{id_}/undo", headers=elsewhere).status_code == 403
    assert office.request("DELETE", f"/{id_}", headers=elsewhere).status_code == 403
    assert office.get(id_)["state"] == "ready"


def test_bad_rows_come_back_as_a_workbook(office: Office) -> None:
    content = (
        "编号,纠纷类型,经度,纬度,发生时间,备注,当事人\n"
        f"00012345678901234567,邻里纠纷,117.005,31.015,2026-13-45,=1+1,{PERSON}\n"
        f"DR2,邻里纠纷,117.005,31.015,2026-03-05,好,{PERSON}\n"
        f"DR3,没有这种,117.005,31.015,2026-03-05,+86,{PERSON}\n"
    )
    id_ = office.hand_in(content)
    found = office.load(id_)
    assert found["state"] == "refused"
    assert office.codes() == FOUR
    for lang, reason in (("zh", "原因"), ("en", "Reason")):
        answer = office.request("GET", f"/{id_}/problems.xlsx", params={"lang": lang})
        assert answer.status_code == 200
        book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
        rows = book.get_sheet_by_index(0).to_python()
        assert rows[0][1:] == ["编号", "纠纷类型", "经度", "纬度", "发生时间", "备注", reason]
        assert [row[0] for row in rows[1:]] == ["1", "3"]
        assert rows[1][1] == "00012345678901234567"
        assert (rows[1][6], rows[2][6]) == ("=1+1", "+86")
        assert "发生时间" in str(rows[1][7])
        assert "纠纷类型" in str(rows[2][7])
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book_:
        assert b"<f>" not in book_.read("xl/worksheets/sheet1.xml")
        assert not any(PERSON.encode() in book_.read(name) for name in book_.namelist())
    assert not list((office.home / "uploads").glob("*.xlsx"))
    good = office.hand_in(disputes(1))
    assert office.request("GET", f"/{good}/problems.xlsx").status_code == 409


def test_a_file_can_be_forgotten(office: Office) -> None:
    id_ = office.hand_in(disputes(1))
    staged = office.home / "uploads" / f"{id_}.staged"
    assert staged.exists()
    assert office.request("DELETE", f"/{id_}").status_code == 204
    assert not staged.exists()
    assert office.request("GET", f"/{id_}").status_code == 404
    loaded = office.hand_in(disputes(1))
    office.load(loaded)
    assert office.request("DELETE", f"/{loaded}").status_code == 409


def test_a_file_that_is_gone_is_asked_for_again(office: Office) -> None:
    id_ = office.hand_in(disputes(1))
    (office.home / "uploads" / f"{id_}.staged").unlink()
    for what in ("preview", "check", "load"):
        answer = office.ask(what, id_)
        assert answer.status_code == 409
        assert "重新上传" in answer.json()["detail_zh"]


@pytest.mark.parametrize(
    ("name", "content"), [("a.pdf", b"%PDF-1.7"), ("a.xlsx", b"no workbook"), ("a.csv", b"")]
)
def test_what_cannot_be_read_leaves_nothing(office: Office, name: str, content: bytes) -> None:
    before = sorted((office.home / "uploads").iterdir())
    answer = office.request("POST", "", params={"filename": name}, content=content, headers=BINARY)
    assert answer.status_code == 422
    assert answer.json()["detail_zh"]
    assert sorted((office.home / "uploads").iterdir()) == before
    assert office.request("GET", "").json()["imports"] == []


@pytest.fixture
def inside(town: Town, tmp_path: Path) -> Iterator[TestClient]:
    """The application in this process, its limit of size brought down."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readers, "MAX_STREAMED", 1000)
        settings = Settings(database_url=town.database.url, pool_size=2, home=tmp_path)
        with TestClient(create_app(settings)) as client:
            client.headers.update(town.headers("editor"))
            yield client


def test_a_file_too_large_is_refused(inside: TestClient, tmp_path: Path) -> None:
    def body() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    for content in (b"x" * 1001, body()):
        answer = inside.post("/api/imports?filename=a.csv", content=content, headers=BINARY)
        assert answer.status_code == 413
        assert "拆分" in answer.json()["detail_zh"]
        assert list((tmp_path / "uploads").iterdir()) == []


def test_a_killed_upload_leaves_nothing_at_the_next_start(town: Town, tmp_path: Path) -> None:
    left = tmp_path / "uploads" / "0.upload"
    left.mkdir(parents=True)
    (left / "original").write_text(disputes(1))
    settings = Settings(database_url=town.database.url, pool_size=2, home=tmp_path)
    with TestClient(create_app(settings)):
        assert not left.exists()


def test_the_interface_is_described(inside: TestClient) -> None:
    document = inside.get("/openapi.json").json()
    paths = {path: item for path, item in document["paths"].items() if "/imports" in path}
    assert len(paths) == 7
    assert {"Import", "Imports", "Reading"} <= set(document["components"]["schemas"])
    load = paths["/api/imports/{id}/load"]["post"]
    assert {"202", "401", "403", "404", "409"} <= set(load["responses"])
    assert "413" in paths["/api/imports"]["post"]["responses"]
