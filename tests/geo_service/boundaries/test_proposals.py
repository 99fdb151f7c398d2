"""Proposals and the notice over HTTP: asked for, done, reviewed, printed."""

import io

from docx import Document
from pypdf import PdfReader

from tests.geo_service.boundaries.office import EAST, WEST, Office


def test_a_proposal_is_done_and_printed(office: Office, street: str) -> None:
    asked = {"kind": "split", "code": WEST, "parts": 2}
    answer = office.ask("editor", "POST", f"{street}/suggestions", json=asked)
    assert answer.status_code == 200, answer.text
    found = answer.json()["suggestions"]
    first = found[0]
    assert [row["households"] for row in first["figures"]["grids"]] == [120, 120]
    assert "100% 沿道路" in first["summary"]["zh"]
    revision = 0
    for operation in first["operations"]:
        body = {"revision": revision, "operation": operation}
        done = office.ask("editor", "POST", f"{street}/operations", json=body)
        assert done.status_code == 200, done.text
        revision = done.json()["revision"]
        told = {row["code"]: row["households"] for row in done.json()["balance"]["grids"]}
    assert sorted(told.values())[-2:] == [120, 120]
    paper = office.ask("editor", "GET", f"{street}/notice.pdf")
    text = "".join("".join(page.extract_text().split())
                   for page in PdfReader(io.BytesIO(paper.content)).pages)  # fmt: skip
    for words in ("网格边界调整通知书", WEST, "240→120", "—→120", "草案"):
        assert words in text, words
    word = Document(io.BytesIO(office.ask("editor", "GET", f"{street}/notice.docx").content))
    cells = [cell.text for table in word.tables for row in table.rows for cell in row.cells]
    assert "240 → 120" in cells


def test_what_cannot_be_proposed_is_told(office: Office, street: str) -> None:
    asked = {"kind": "split", "code": EAST, "parts": 2}
    refused = office.ask("editor", "POST", f"{street}/suggestions", json=asked)
    assert refused.status_code == 422
    assert "没有带户数的建筑" in refused.text
    assert len(refused.json()["place"]) == 2
