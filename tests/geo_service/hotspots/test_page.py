"""The page of an answer: whole in one file, with its words and its evidence, and nothing beside."""

import html
import json
import re

import pytest
from fastapi.testclient import TestClient

WINDOW = {"layer": "disputes", "from": "2026-01-01", "to": "2026-06-30"}


@pytest.mark.parametrize("process", ["hot-spots", "emerging", "compare"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_page_holds_the_answer_and_its_evidence(
    demo: TestClient, process: str, lang: str
) -> None:
    asked = {"inputs": WINDOW}
    found = demo.post(f"/ogc/processes/{process}/execution", json=asked).json()
    answer = demo.post(f"/api/hotspots/{process}/page", params={"lang": lang}, json=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{process}.html"'
    page = answer.text
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    # What the script draws is in it as JSON, with what HTML would read escaped.
    text = html.unescape(re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), page))
    told = text.replace('\\"', '"')
    assert found["summary"][lang] in told
    assert found["evidence"]["method"][lang] in told
    assert found["evidence"]["source"] in told
    for line in found["ranked"]:
        place, sentence = line["place"][lang], line["sentence"][lang]
        assert sentence.removeprefix(place).lstrip("：: ") in told
    assert (
        json.dumps(found["cells"]["features"][0]["properties"]["name"], ensure_ascii=False)[1:-1]
        in told
        or lang == "en"
    )


def test_too_little_data_gets_its_sentence(demo: TestClient) -> None:
    inputs = WINDOW | {"from": "2026-06-30", "filter": "category = 'land'"}
    answer = demo.post("/api/hotspots/hot-spots/page", json={"inputs": inputs})
    assert answer.status_code == 422
    assert "Too little data" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("process", "inputs", "status"),
    [
        ("density", WINDOW, 404),
        ("hot-spots", {"layer": "roads"}, 400),
        ("hot-spots", WINDOW | {"area": "000"}, 422),
    ],
)
def test_wrong_requests(
    demo: TestClient, process: str, inputs: dict[str, str], status: int
) -> None:
    answer = demo.post(f"/api/hotspots/{process}/page", json={"inputs": inputs})
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]
