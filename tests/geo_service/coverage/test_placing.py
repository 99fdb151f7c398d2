"""Placement, intrusions and what-if as processes: what they propose is what then comes out."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import shapely
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from geo_service.analyses.running import do
from geo_service.cli import app as command
from tests.geo_service.conftest import NORTH, Town
from tests.geo_service.coverage.conftest import BUILDINGS, A, B, C, D, metres, put


def ask(client: TestClient, process: str, **inputs: Any) -> dict[str, Any]:
    answer = client.post(f"/ogc/processes/{process}/execution", json={"inputs": inputs})
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def point(feature: dict[str, Any]) -> Any:
    return metres(shapely.geometry.shape(feature["geometry"]))


def sites(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in told["features"] if one["properties"]["kind"] == "site"]


def test_what_is_placed_adds_what_it_says(everyone: TestClient) -> None:
    told = ask(everyone, "placement", budget=3, spacing=50, seconds=5)
    assert 0 <= told["gap"] <= 1
    assert told["optimal"] == (told["gap"] == 0)
    chosen = sites(told)
    assert len(chosen) == 3
    assert "枪机" in told["evidence"]["optics"]["zh"]
    assert told["evidence"]["demand_step_m"] > 0
    cameras = [
        {
            "lon": one["geometry"]["coordinates"][0],
            "lat": one["geometry"]["coordinates"][1],
            "form": "bullet",
            "azimuth": one["properties"]["azimuth"],
            **one["properties"]["optics"],
        }
        for one in chosen
    ]
    after = ask(everyone, "what-if", cameras=cameras, by="town")
    promised = sum(one["properties"]["adds_m2"] for one in chosen)
    # Places are told to a centimetre.
    assert after["town"]["difference"]["area_m2_seen"] == pytest.approx(promised, rel=1e-3)
    assert promised > 1000
    assert after["intruding"] == []


def test_events_on_walls_and_seen_twice(everyone: TestClient) -> None:
    before = ask(everyone, "coverage", by="town")["town"]
    told = ask(everyone, "placement", demand="events", candidates="walls", spacing=20, budget=2)
    walls = shapely.union_all([building for _, building, *_ in BUILDINGS])
    for one in sites(told):
        assert point(one).distance(walls) < 0.05
    gain = sum(one["properties"]["adds"] for one in sites(told))
    assert 0 <= gain <= before["events"] - before["events_seen"] + 1e-6
    twice = ask(everyone, "placement", question="backup", demand="events", budget=2, spacing=20)
    assert sum(one["properties"]["adds"] for one in sites(twice)) > 0


def test_cameras_that_are_not_needed(everyone: TestClient, town: Town) -> None:
    none = ask(everyone, "placement", question="set-cover", demand="area")
    assert none["features"] == []
    double = A.replace("001001", "001066")
    with town.database.connect(autocommit=True) as connection:
        put(connection, "cameras", shapely.Point(0, 0), code=double, form="bullet", azimuth=90,
            mount_height=4, tilt=15)  # fmt: skip
    told = ask(everyone, "placement", question="set-cover", demand="area", area=f"{NORTH}001")
    assert len(told["features"]) == 1
    assert told["features"][0]["id"] in {A, double}
    assert told["optimal"]


def test_the_nearest_camera(everyone: TestClient) -> None:
    told = ask(everyone, "placement", question="p-median", demand="households", budget=1)
    assert told["mean_m"] < told["mean_m_before"]
    assert len(told["features"]) == 1


def test_where_there_is_nothing_to_see(everyone: TestClient, town: Town) -> None:
    with town.database.connect(autocommit=True) as connection:
        connection.execute("DELETE FROM roads")
    told = ask(everyone, "placement", budget=2)
    assert sites(told) == []
    with town.database.connect(autocommit=True) as connection:
        connection.execute("DELETE FROM buildings")
        connection.execute("DELETE FROM cameras")
    told = ask(everyone, "placement", demand="households")
    assert told["features"] == []
    assert told["optimal"] is False
    bare = ask(everyone, "coverage", by="town")
    assert bare["town"]["area_share"] == 0
    assert bare["town"]["households_share"] is None
    assert "没有摄像机" in bare["summary"]["zh"]
    assert bare["evidence"]["enough"] is False


def test_intrusions_and_what_mends_them(everyone: TestClient, town: Town) -> None:
    told = ask(everyone, "privacy-intrusions")
    assert [one["id"] for one in told["features"]] == [C]
    found = told["features"][0]["properties"]
    assert found["zones"] == [{"code": "PZ1", "name": "宿舍", "kind": "dormitory"}]
    assert "799" in told["reason"]["zh"]
    assert found["masks"]
    assert all(0 <= mask["left"] < mask["right"] <= 1 for mask in found["masks"])
    assert found["tilt"] > 25
    with town.database.connect(autocommit=True) as connection:
        connection.execute("UPDATE cameras SET tilt = %s WHERE code = %s", [found["tilt"], C])
    mended = ask(everyone, "privacy-intrusions")
    assert mended["features"] == []
    assert "没有摄像机拍到" in mended["summary"]["zh"]


def test_what_if_without_a_camera_is_its_loss(everyone: TestClient) -> None:
    losses = {one["code"]: one["lost_m2"] for one in ask(everyone, "coverage")["losses"]}
    told = ask(everyone, "what-if", removed=[B, D], by="community")
    north, south = (unit["area_m2_seen"] for unit in told["difference"])
    assert north == pytest.approx(-losses.get(B, 0), abs=0.002)
    assert south == pytest.approx(-losses[D], abs=0.002)
    same = ask(everyone, "what-if", moved={A: {}}, by="town")
    assert same["town"]["difference"]["area_m2_seen"] == pytest.approx(0, abs=0.01)
    for inputs, status in (
        ({"removed": ["x"]}, 422),
        ({"moved": {A: {"tilt": 120}}}, 422),
        ({"moved": {A: {"azimuth": 1}}, "removed": [A]}, 422),
        ({"set": "00000000-0000-0000-0000-000000000000"}, 422),
        ({"cameras": [{"lon": 117}]}, 400),
        ({"set": "00000000-0000-0000-0000-000000000000", "removed": [A]}, 422),
    ):
        refused = everyone.post("/ogc/processes/what-if/execution", json={"inputs": inputs})
        assert refused.status_code == status, inputs
        assert refused.json()["detail_zh"]


def test_as_a_job(everyone: TestClient, town: Town) -> None:
    asked = everyone.post(
        "/ogc/processes/coverage/execution",
        json={"inputs": {"by": "town"}}, headers={"Prefer": "respond-async"},
    )  # fmt: skip
    assert asked.status_code == 201
    id_ = asked.json()["jobID"]
    do(town.database.url, UUID(id_))
    result = everyone.get(f"/ogc/jobs/{id_}/results").json()
    now = ask(everyone, "coverage", by="town")
    assert result["town"] == now["town"]


def test_the_command_line(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEO_SERVICE_DATABASE_URL", town.database.url)
    run = CliRunner()
    plain = run.invoke(command, ["coverage", "--lang", "en"])
    assert plain.exit_code == 0, plain.output
    assert f"{NORTH} 北社区" in plain.output
    assert "Without" in plain.output
    assert "Assumed, not known" in plain.output
    assert "azimuth is missing" in plain.output
    table = tmp_path / "cover.csv"
    assert run.invoke(command, ["coverage", "--by", "grid", "-o", str(table)]).exit_code == 0
    assert table.read_text("utf-8-sig").count("\n") == 5
    file = tmp_path / "blind.geojson"
    blind = run.invoke(command, ["coverage", "--blind-spots", "--limit", "3", "-o", str(file)])
    assert blind.exit_code == 0
    assert file.read_text().startswith('{\n "type": "FeatureCollection"')
    assert C in run.invoke(command, ["coverage", "--intrusions"]).output
    more = run.invoke(command, ["coverage", "--more", "2", "--lang", "en"])
    assert "2 more cameras" in more.output
    for arguments in (
        ["--level", "clear"], ["--by", "street"], ["--more", "1", "--intrusions"],
        ["-o", "a.pdf"], ["--limit", "0"], ["-o", "a.geojson"], ["--area", "123"],
    ):  # fmt: skip
        assert run.invoke(command, ["coverage", *arguments]).exit_code == 1, arguments
