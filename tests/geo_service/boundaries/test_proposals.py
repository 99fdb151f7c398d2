"""Proposals and the notice over HTTP: asked for, done, reviewed, printed."""

import io
import itertools

import pytest
from docx import Document
from pypdf import PdfReader

from tests.geo_service.boundaries.office import WEST, Office


@pytest.fixture
def draft(office: Office) -> str:
    """A draft over grids of which the western one has a road down its middle and nine houses."""
    with office.town.database.connect() as connection:
        for k, (x, y) in enumerate(
            itertools.product((0.0015, 0.0035, 0.0075), (0.002, 0.005, 0.008))
        ):
            connection.execute(
                "INSERT INTO buildings (code, households, floors, geom) VALUES"
                " (%s, %s, 6, st_makeenvelope(%s, %s, %s, %s, 4326))",
                [f"B{k}", 40 if x > 0.005 else 20, 117 + x, 31.01 + y, 117.0003 + x, 31.0102 + y],
            )
        connection.execute(
            "INSERT INTO roads (code, name, road_class, geom) VALUES ('R1', '中路', 'local',"
            " st_geomfromtext(%s, 4326))",
            ["LINESTRING(117.0055 31.009, 117.0057 31.015, 117.0055 31.021)"],
        )
        connection.commit()
    return office.draft()


def test_a_proposal_is_done_and_printed(office: Office, draft: str) -> None:
    asked = {"kind": "split", "code": WEST, "parts": 2}
    answer = office.ask("editor", "POST", f"{draft}/suggestions", json=asked)
    assert answer.status_code == 200, answer.text
    found = answer.json()["suggestions"]
    first = found[0]
    assert [row["households"] for row in first["figures"]["grids"]] == [120, 120]
    assert "100% 沿道路" in first["summary"]["zh"]
    revision = 0
    for operation in first["operations"]:
        body = {"revision": revision, "operation": operation}
        done = office.ask("editor", "POST", f"{draft}/operations", json=body)
        assert done.status_code == 200, done.text
        revision = done.json()["revision"]
        told = {row["code"]: row["households"] for row in done.json()["balance"]["grids"]}
    assert sorted(told.values())[-2:] == [120, 120]
    paper = office.ask("editor", "GET", f"{draft}/notice.pdf")
    text = "".join("".join(page.extract_text().split())
                   for page in PdfReader(io.BytesIO(paper.content)).pages)  # fmt: skip
    for words in ("网格边界调整通知书", WEST, "240→120", "—→120", "草案"):
        assert words in text, words
    word = Document(io.BytesIO(office.ask("editor", "GET", f"{draft}/notice.docx").content))
    cells = [cell.text for table in word.tables for row in table.rows for cell in row.cells]
    assert "240 → 120" in cells


def test_what_cannot_be_proposed_is_told(office: Office, draft: str) -> None:
    codes = [grid["id"] for grid in office.ask("editor", "GET", f"{draft}/grids").json()["features"]
             if grid["properties"]["editable"] and grid["id"] != WEST]  # fmt: skip
    asked = {"kind": "split", "code": codes[0], "parts": 2}
    refused = office.ask("editor", "POST", f"{draft}/suggestions", json=asked)
    assert refused.status_code == 422
    assert "没有带户数的建筑" in refused.text
    assert len(refused.json()["place"]) == 2
