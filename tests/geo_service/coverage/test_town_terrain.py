"""Heights of the ground from a file: read as other programs write it, and told where it is bad."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from fastapi.testclient import TestClient
from pyproj import CRS, Transformer
from typer.testing import CliRunner

from geo_service.analysis.terrain import Terrain, hidden_ground
from geo_service.cli import app as command
from geo_service.coverage import keeping
from geo_service.coverage.esri_grid import TerrainError, read
from geo_service.coverage.terrain import relief
from tests.geo_service.conftest import Town
from tests.geo_service.coverage.conftest import ORIGIN, A, metres

PLANE = CRS.from_epsg(4548)
RIDGE = 12.0
"""Metres east of the first camera to a ridge 3 m high and 12 m wide."""


def ridge(x: Any, y: Any) -> Any:
    """Return heights at places in metres of the plane: 100 m, and the ridge on it."""
    east = x - ORIGIN[0]
    return 100 + np.clip(3 - np.abs(east - RIDGE) / 2, 0, 3) + 0 * y


def write(path: Path, epsg: int = 4548, step: float = 4.0, reach: float = 700.0) -> Path:
    """Write heights about the first camera as GDAL does, in a coordinate system."""
    there = Transformer.from_crs(PLANE, epsg, always_xy=True)
    west, south = there.transform(*(ORIGIN - reach))
    east, north = there.transform(*(ORIGIN + reach))
    side = step if CRS.from_epsg(epsg).is_projected else step / 111_000
    columns, rows = round((east - west) / side), round((north - south) / side)
    x, y = np.meshgrid(
        west + (np.arange(columns) + 0.5) * side, north - (np.arange(rows) + 0.5) * side
    )
    heights = ridge(*there.transform(x, y, direction="INVERSE"))
    head = (
        f"ncols {columns}\nnrows {rows}\nxllcorner {west}\nyllcorner {north - rows * side}\n"
        f"cellsize {side}\nNODATA_value -9999"
    )
    np.savetxt(path, heights, fmt="%.2f", header=head, comments="")
    path.with_suffix(".prj").write_text(CRS.from_epsg(epsg).to_wkt("WKT1_ESRI"))
    return path


def view(client: TestClient) -> Any:
    """Return what the first camera sees at the lowest level, in metres."""
    found = client.get(f"/api/coverage/cameras/{A}/view").json()["features"][0]
    return metres(shapely.from_geojson(json.dumps(found["geometry"])))


def asked(client: TestClient) -> dict[str, Any]:
    """Return the answer of the process "coverage"."""
    answer = client.post("/ogc/processes/coverage/execution", json={"inputs": {}})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_hills_are_taken_out_of_views_and_figures(
    everyone: TestClient, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, flat = view(everyone), asked(everyone)
    assert flat["evidence"]["terrain"]["used"] is False
    path = write(tmp_path / "heights.asc", step=2.0)
    monkeypatch.setenv("GEO_SERVICE_TERRAIN", str(path))
    with town.database.connect() as connection:  # loaded anew where a building is changed
        connection.execute("UPDATE buildings SET households = 9 WHERE code = 'S1'")
    seen, hilly = view(everyone), asked(everyone)
    told = hilly["evidence"]["terrain"]
    assert told["used"] is True
    assert told["file"] == "heights.asc"
    assert told["cameras_on_unknown_ground"] == 1  # the southern one, beyond the file
    assert told["step_m"] == pytest.approx(2, abs=0.1)
    assert 0.2 < told["share"] < 0.8  # of the four grids
    assert hilly["town"]["area_m2_seen"] < flat["town"]["area_m2_seen"] - 50
    # The same heights in the functions' hands.
    x, y = np.meshgrid(np.arange(-99, 200, 2), np.arange(99, -100, -2))
    terrain = Terrain(ridge(x + ORIGIN[0], y).astype(np.float32), -100, 100, 2)
    hidden, _ = hidden_ground(terrain, np.zeros((1, 2)), np.array([4.0]), np.zeros(1), [plain])
    wanted = plain - hidden[0]
    assert wanted.area < 0.95 * plain.area
    assert seen.symmetric_difference(wanted).area < 0.05 * plain.area  # the squares differ


@pytest.mark.parametrize("epsg", [4326, 32650])
def test_heights_in_any_coordinate_system_are_the_same(epsg: int, tmp_path: Path) -> None:
    area = shapely.box(*(ORIGIN - 400), *(ORIGIN + 400))
    own, other = (
        relief(write(tmp_path / f"{code}.asc", code), area, PLANE).terrain for code in (4548, epsg)
    )
    assert own is not None
    assert other is not None
    assert other.cell == pytest.approx(own.cell, rel=0.2)
    rng = np.random.default_rng(1)
    for x, y in rng.uniform(-400, 400, (200, 2)) + ORIGIN:
        assert own.height_at(x, y) == pytest.approx(other.height_at(x, y), abs=1.0)
        if abs(x - ORIGIN[0] - RIDGE) > 12:
            assert own.height_at(x, y) == pytest.approx(100, abs=1e-3)


def test_a_grid_is_read_as_gdal_writes_it(tmp_path: Path) -> None:
    path = write(tmp_path / "own.asc", 32650, 20)
    for source, form, made in (("own.asc", "GTiff", "own.tif"), ("own.tif", "AAIGrid", "its.asc")):
        subprocess.run(
            ["gdal_translate", "-q", "-ot", "Float32", "-of", form, source, made],
            cwd=tmp_path, check=True,
        )  # fmt: skip
    mine, theirs = read(path), read(tmp_path / "its.asc")
    np.testing.assert_allclose(mine.heights, theirs.heights)
    assert mine[1:5] == pytest.approx(theirs[1:5])
    assert theirs.crs.to_epsg(min_confidence=60) == 32650


def test_unknown_heights_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.asc"
    path.write_text("NCOLS 2\nNROWS 1\nXLLCENTER 5\nYLLCENTER 5\nCELLSIZE 10\n-9999 3\n")
    path.with_suffix(".prj").write_text("EPSG:4548")
    found = read(path)
    assert np.isnan(found.heights[0, 0])
    assert found.heights[0, 1] == 3
    assert (found.west, found.south) == (0, 0)


HEAD = "ncols 2\nnrows 2\nxllcorner 0\nyllcorner 0\ncellsize 10\n"


@pytest.mark.parametrize(
    ("text", "prj", "sentence"),
    [
        (None, "EPSG:4548", "cannot be read: No such file"),
        (HEAD + "1 2\n3 4\n", None, r"a\.prj is missing"),
        (HEAD + "1 2\n3 4\n", "somewhere", "no coordinate system that is known"),
        ("II*\0", "EPSG:4548", "lacks the head of an Esri ASCII grid"),
        ("\u9ad8", "EPSG:4548", "no Esri ASCII grid"),
        ("", "EPSG:4548", "lacks the head"),
        (HEAD.replace("10", "0") + "1 2\n3 4\n", "EPSG:4548", "lacks the head"),
        (HEAD + "1 2\n3\n", "EPSG:4548", "no Esri ASCII grid"),
        (HEAD + "1,5 2\n3 4\n", "EPSG:4548", "no Esri ASCII grid"),
        (HEAD + "1 2\n", "EPSG:4548", "1 rows of 2 heights, but its head says 2 of 2"),
        (HEAD + "1 2\n3 -32768\n", "EPSG:4548", "from -32768 to 3 m: check its NODATA_value"),
        (HEAD.replace("ncols 2", "ncols 99999999"), "EPSG:4548", "make it coarser"),
        (HEAD + "1 2\n3 4\n", "EPSG:4548", "has no height anywhere in the town"),
        (HEAD + "1 2\n3 4\n", "EPSG:4326", "has no height anywhere in the town"),
    ],
)
def test_a_file_that_is_no_terrain_is_told(
    text: str | None, prj: str | None, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.asc"
    if text is not None:
        path.write_text(text, "utf-8")
    if prj is not None:
        path.with_suffix(".prj").write_text(prj)
    area = shapely.box(*(ORIGIN - 400), *(ORIGIN + 400))
    with pytest.raises(TerrainError, match=sentence) as told:
        relief(path, area, PLANE)
    assert told.value.said.zh.endswith("。")


def test_a_bad_file_leaves_the_ground_flat_and_says_so(
    everyone: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEO_SERVICE_TERRAIN", str(tmp_path / "none.asc"))
    told = asked(everyone)["evidence"]["terrain"]
    assert told["used"] is False
    assert told["en"].startswith("Flat ground is assumed: ")
    assert told["zh"].startswith("地形不可用，按平地计算：")
    assert told["file"] == "none.asc"


def test_the_command_checks_the_file(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEO_SERVICE_DATABASE_URL", town.database.url)

    def run(lang: str) -> Any:
        keeping._towns.clear()  # a command is a process of its own
        return CliRunner().invoke(command, ["coverage", "--terrain", "--lang", lang])

    assert "No terrain is given" in run("en").output
    monkeypatch.setenv("GEO_SERVICE_TERRAIN", str(tmp_path / "a.asc"))
    bad = run("en")
    assert bad.exit_code == 1
    assert "cannot be read" in bad.output
    write(tmp_path / "a.asc", step=20)
    good = run("zh")
    assert good.exit_code == 0
    assert "扣除地形遮挡：a.asc" in good.output
