"""Drafts over HTTP: who may, what is kept, what is refused and where, and undo byte by byte."""

import json
from typing import Any

import psycopg
import pytest

from geo_service.database import Principal, acting
from tests.geo_service.boundaries.office import BEND, CUT, EAST, SOUTH_WEST, TOWN, WEST, Office
from tests.geo_service.conftest import NORTH, SOUTH


def test_a_draft_is_begun_in_ones_area(office: Office) -> None:
    draft = office.draft(name=" 小区 13800138000 ")
    found = office.ask("north", "GET", draft)  # an officer reads
    assert found.json()["name"] == "小区 ***"
    assert found.json()["state"] == "draft"
    assert found.headers["ETag"]
    assert office.ask("all", "GET", "?state=draft").json()["drafts"][0]["id"] == draft[1:]
    assert office.ask("all", "GET", "?state=published").json()["drafts"] == []
    refused = office.ask("editor", "POST", json={"name": "a", "area": TOWN})
    assert refused.status_code == 403
    refused = office.ask("boss", "POST", json={"name": "a", "area": "110101"})
    assert refused.status_code == 422


def test_who_may_not_see_it_does_not(office: Office) -> None:
    draft = office.draft()
    assert office.ask("south", "GET", draft).status_code == 404
    assert office.ask("south", "GET", "").json()["drafts"] == []
    assert office.ask("south", "GET", f"{draft}/grids").status_code == 404
    assert office.ask("viewer", "GET", draft).status_code == 403
    assert office.do(draft, BEND, who="all").status_code == 403  # an officer only reads
    assert office.ask("north", "POST", f"{draft}/submit").status_code == 403


def test_the_database_says_so_too(office: Office) -> None:
    draft = office.draft()
    office.done(draft, BEND)
    url = office.town.database.url
    for who, role, area, count in (
        ("viewer", "viewer", "*", 0), ("south", "editor", SOUTH, 0),
        ("north", "officer", NORTH, 1), ("editor", "editor", NORTH, 1),
    ):  # fmt: skip
        with acting(url, Principal(who, role, area)) as connection:
            for table in ("drafts", "draft_operations"):
                row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
                assert row == (count,), (who, table)
    write = "SELECT geo.write_grids(%s, now(), %s, ARRAY[NULL::bytea], '[]')"
    office.ask("editor", "POST", f"{draft}/submit")
    office.ask("boss", "POST", f"{draft}/approve")
    for role, area, code in (
        ("officer", NORTH, WEST),
        ("editor", SOUTH, WEST),
        ("editor", NORTH, SOUTH_WEST),  # a grid that is not of the draft's area
    ):
        with (
            acting(url, Principal("x", role, area)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(write, [draft[1:], [code]])
    with acting(url, Principal("x", "editor", NORTH)) as connection:
        changed = connection.execute("UPDATE grids SET geom = geom WHERE code = %s", [WEST])
        assert changed.rowcount == 0


def test_neighbours_beyond_ones_area_are_not_shown(office: Office) -> None:
    draft = office.draft()
    assert set(office.grids(draft)) == {WEST, EAST}
    every = office.grids(draft, "boss")
    assert {code: f["properties"]["editable"] for code, f in every.items()} == {
        WEST: True, EAST: True, SOUTH_WEST: False, f"{SOUTH}002": False,
    }  # fmt: skip


def test_an_operation_answers_with_what_changed(office: Office) -> None:
    draft = office.draft()
    seen = office.do(draft, BEND, kind="preview").json()
    assert seen["revision"] == 0
    assert office.ask("editor", "GET", draft).json()["revision"] == 0
    kept = office.done(draft, BEND)
    assert kept["revision"] == 1
    assert kept["moved_area"] == pytest.approx(105_869, abs=1)
    assert kept["changed"] == seen["changed"]
    assert [f["id"] for f in kept["changed"]["features"]] == [WEST, EAST]
    assert [row["code"] for row in kept["balance"]["grids"]] == [WEST, EAST]
    assert office.ask("editor", "GET", draft).json()["touched"] == [WEST, EAST]
    cut = office.done(draft, CUT)
    made = next(f for f in cut["changed"]["features"] if f["id"] == f"{NORTH}003")
    assert made["properties"]["parent"] == NORTH
    assert made["properties"]["name"] == "第1网格（003）"


@pytest.mark.parametrize("cold", [False, True])
def test_undo_and_redo_are_equal_to_the_byte(office: Office, cold: bool) -> None:
    draft = office.draft()
    seen = [office.shapes(draft)]
    for operation in (BEND, CUT, {"operation": "merge", "codes": [WEST, EAST], "into": EAST}):
        office.done(draft, operation)
        seen.append(office.shapes(draft))
    for past in (2, 1, 0):
        if cold:
            office.forget()
        assert office.turn(draft, "undo").status_code == 200
        assert office.shapes(draft) == seen[past]
    assert office.turn(draft, "undo").status_code == 409
    assert office.ask("editor", "GET", draft).json()["touched"] == []
    for then in (1, 2, 3):
        if cold:
            office.forget()
        assert office.turn(draft, "redo").status_code == 200
        assert office.shapes(draft) == seen[then]
    assert office.turn(draft, "redo").status_code == 409
    # Another operation instead of what was undone: that is history now.
    office.turn(draft, "undo")
    office.done(draft, {"operation": "merge", "codes": [WEST, EAST], "into": WEST})
    assert office.turn(draft, "redo").status_code == 409
    told = office.ask("north", "GET", f"{draft}/operations").json()["operations"]
    assert [(row["seq"], row["dropped"]) for row in told] == [
        (4, False), (3, True), (2, False), (1, False),
    ]  # fmt: skip


def test_two_people_never_write_over_each_other(office: Office) -> None:
    draft = office.draft()
    office.done(draft, BEND)
    late = office.ask(
        "second", "POST", f"{draft}/operations", json={"revision": 0, "operation": CUT}
    )
    assert late.status_code == 409
    assert late.json()["revision"] == 1
    assert {f["id"] for f in late.json()["changed"]["features"]} == {WEST, EAST}
    assert office.do(draft, CUT, who="second").status_code == 200
    authors = office.ask("north", "GET", f"{draft}/operations").json()["operations"]
    assert [row["author"] for row in authors] == ["second", "editor"]


@pytest.mark.parametrize(
    "operation",
    [
        {"operation": "reshape", "line": [[117.05, 31.0], [117.06, 31.0]]},
        {"operation": "merge", "codes": [WEST, "nowhere"], "into": WEST},
        {"operation": "split", "code": WEST, "line": [[117, 31.014], [117.01, 31.014]],
         "new_codes": [WEST, "编码"]},
        {"operation": "split", "code": WEST, "line": [[117, 31.014], [117.01, 31.014]],
         "new_codes": [WEST, "\ud800"]},
        {"operation": "fly"},
        {"operation": "\ud800"},
        {"operation": "move_vertex", "old": [1e308, -1e308], "new": [117, 31]},
        {"operation": "move_vertex", "old": [117.01, 31.01], "new": [float("nan"), 31]},
        {"operation": "redraw", "code": WEST, "polygon": {"type": "Polygon", "coordinates":
         [[[0, 0], [1e300, 0], [1e300, 1e300], [0, 0]]]}},
        {"operation": "redraw", "code": WEST, "polygon": {"type": "Polygon", "coordinates": [[]]}},
        {"operation": "redraw", "code": WEST, "polygon": {"type": "Polygon", "coordinates": 3}},
        {"operation": "merge", "codes": [], "into": WEST},
        {"operation": "merge", "codes": [WEST, SOUTH_WEST], "into": WEST},
        {"operation": "clean", "tolerance": 1e9},
        {},
    ],
)  # fmt: skip
def test_what_is_refused_changes_nothing(office: Office, operation: Any) -> None:
    draft = office.draft()
    before = office.ask("editor", "GET", f"{draft}/grids").text
    text = json.dumps({"revision": 0, "operation": operation})
    refused = office.app.post(
        f"/api/drafts{draft}/operations",
        content=text,
        headers={**office.town.headers("editor"), "content-type": "application/json"},
    )
    assert refused.status_code == 422, refused.text
    assert refused.json()["detail_zh"]
    assert office.ask("editor", "GET", f"{draft}/grids").text == before


def test_a_refusal_says_where(office: Office) -> None:
    draft = office.draft()
    onto = {"operation": "move_vertex", "old": [117.01, 31.01], "new": [117.012, 31.012]}
    refused = office.do(draft, onto)
    assert refused.status_code == 422
    assert "outside the draft's area" in refused.json()["detail"]
    assert refused.json()["place"] == pytest.approx([117.01, 31.005], abs=0.01)
    # The same is right in a draft of the town: the vertex of four grids moves all four.
    wide = office.draft("town", TOWN)
    moved = office.done(wide, onto, "town")
    assert len(moved["changed"]["features"]) == 4


def test_grids_under_review_are_locked(office: Office) -> None:
    first, second = office.draft(name="甲"), office.draft("second", name="乙")
    office.done(first, BEND)
    office.done(second, CUT, "second")
    assert office.ask("editor", "POST", f"{first}/submit").status_code == 200
    across = [[117.0, 31.017], [117.01, 31.0171]]
    locked = office.do(second, CUT | {"line": across, "new_codes": [WEST, "x"]}, "second")
    assert locked.status_code == 423
    assert "甲" in locked.json()["detail_zh"]
    assert locked.json()["codes"] == [WEST]
    assert office.ask("second", "POST", f"{second}/submit").status_code == 423
    assert office.grids(second, "second")[EAST]["properties"]["locked"] == "甲"
    assert office.do(first, CUT).status_code == 409  # it is handed in
    assert office.ask("editor", "POST", f"{first}/withdraw").status_code == 200
    assert office.ask("second", "POST", f"{second}/submit").status_code == 200


def test_the_author_is_not_the_approver(office: Office) -> None:
    draft = office.draft()
    assert office.ask("editor", "POST", f"{draft}/submit").status_code == 409  # nothing changed
    office.done(draft, BEND)
    office.done(draft, CUT, "second")
    assert office.ask("boss", "POST", f"{draft}/approve").status_code == 409
    assert office.ask("editor", "POST", f"{draft}/submit").status_code == 200
    for who in ("editor", "second"):  # one who drew in it is no reviewer either
        assert office.ask(who, "POST", f"{draft}/approve").status_code == 403
    assert office.ask("town", "POST", f"{draft}/withdraw").status_code == 403
    assert office.ask("editor", "POST", f"{draft}/publish").status_code == 409
    back = office.ask("town", "POST", f"{draft}/return").json()
    assert (back["state"], back["submitted_at"]) == ("draft", None)
    office.approved(draft)
    found = office.ask("editor", "GET", draft).json()
    assert (found["state"], found["reviewer"]) == ("approved", "boss")
    assert office.ask("editor", "DELETE", draft).status_code == 204
    assert office.ask("editor", "GET", draft).json()["state"] == "abandoned"
    assert office.ask("editor", "POST", f"{draft}/submit").status_code == 409


def test_comments_name_nobodys_number(office: Office) -> None:
    draft = office.draft()
    body = {"place": [117.01, 31.01], "text": "请找 13800138000"}
    made = office.ask("boss", "POST", f"{draft}/comments", json=body)
    assert made.status_code == 201
    found = office.ask("north", "GET", f"{draft}/comments").json()["comments"]
    assert found == [made.json()]
    assert (found[0]["text"], found[0]["place"], found[0]["author"]) == (
        "请找 ***", [117.01, 31.01], "boss",
    )  # fmt: skip
    assert (
        office.ask("boss", "POST", f"{draft}/comments", json={**body, "text": ""}).status_code
        == 400
    )
    beyond = office.ask("boss", "POST", f"{draft}/comments", json={**body, "place": [300, 0]})
    assert beyond.status_code == 400


def test_a_patch_is_of_what_was_seen(office: Office) -> None:
    draft = office.draft()
    tag = office.ask("editor", "GET", draft).headers["ETag"]
    headers = {**office.town.headers("editor"), "If-Match": tag}
    path = f"/api/drafts{draft}"
    first = office.app.patch(path, json={"valid_from": "2026-01-01"}, headers=headers)
    assert first.json()["valid_from"] == "2026-01-01"
    assert office.app.patch(path, json={"name": "x"}, headers=headers).status_code == 412
    assert office.ask("editor", "PATCH", draft, json={"name": "x"}).json()["name"] == "x"


def test_a_review_leaves_out_who_only_took_a_vertex(office: Office) -> None:
    draft = office.draft()
    told = office.done(draft, CUT)
    assert {f["id"] for f in told["changed"]["features"]} == {WEST, f"{NORTH}003", EAST}
    found = office.ask("north", "GET", f"{draft}/review").json()
    assert found["noded"] == [EAST]
    assert [row["code"] for row in found["table"]] == [WEST, f"{NORTH}003"]
    assert [f["properties"]["code"] for f in found["before"]["features"]] == [WEST]
    # It is published with the others, and locked like them: its row is written.
    assert EAST in office.ask("editor", "GET", draft).json()["touched"]


def test_a_review_tells_what_moves(office: Office) -> None:
    draft = office.draft()
    with office.town.database.connect() as connection:
        connection.execute(
            "INSERT INTO buildings (code, households, use, geom) VALUES ('B1', 30, 'residential',"
            " st_makeenvelope(117.0092, 31.0148, 117.0095, 31.0151, 4326))"
        )
    office.done(draft, BEND)
    found = office.ask("north", "GET", f"{draft}/review").json()
    (gain,), (loss,) = found["gains"]["features"], found["losses"]["features"]
    assert gain["properties"] == {
        "code": EAST, "from": WEST, "to": EAST, "area_m2": pytest.approx(105_869, abs=1),
        "households": 30, "population": gain["properties"]["population"], "buildings": 1,
        "events": 0, "cameras": 0,
    }  # fmt: skip
    assert loss["properties"]["code"] == WEST
    assert gain["geometry"] == loss["geometry"]
    assert [f["properties"]["code"] for f in found["before"]["features"]] == [WEST, EAST]
    assert found["table"][0]["before"]["buildings"] - found["table"][0]["after"]["buildings"] == 1
    assert found["table"][1]["gained_m2"] == pytest.approx(105_869, abs=1)
