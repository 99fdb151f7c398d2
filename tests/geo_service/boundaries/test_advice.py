"""A line while it is drawn, and blocks to click, over HTTP."""

from typing import Any

import pytest
import shapely
from shapely.geometry import shape

from tests.geo_service.boundaries.office import EAST, SOUTH_WEST, WEST, Office

ACROSS = [[117.0, 31.0151], [117.01, 31.0152]]
"""Through the three houses in the middle row of the western grid."""


def put(office: Office, draft: str, who: str = "editor", **body: Any) -> Any:
    return office.ask(who, "POST", f"{draft}/lines", json=body)


def test_a_line_is_marked_where_it_runs_through_buildings(office: Office, street: str) -> None:
    found = put(office, street, line=ACROSS).json()
    assert found["line"] == ACROSS
    assert [each["code"] for each in found["crossed"]] == ["B1", "B4", "B7"]
    assert [each["households"] for each in found["crossed"]] == [20, 20, 40]
    for each in found["crossed"]:
        assert shape(each["outline"]).contains(shapely.Point(each["place"]))
    # It is not yet an operation: the draft is as it was.
    assert office.ask("editor", "GET", street).json()["revision"] == 0


@pytest.mark.parametrize("way", ["natural", "off_buildings"])
def test_a_line_is_put_where_it_cuts_no_building(office: Office, street: str, way: str) -> None:
    found = put(office, street, line=ACROSS, put=way).json()
    assert found["crossed"] == []
    assert (found["line"][0], found["line"][-1]) == (ACROSS[0], ACROSS[-1])
    cut = {"operation": "split", "code": WEST, "line": found["line"], "new_codes": [WEST, "A1"]}
    told = office.done(street, cut)["balance"]["grids"]
    assert {row["cut_buildings"] for row in told} == {0}


def test_a_line_follows_the_road(office: Office, street: str) -> None:
    drawn = [[117.0055, 31.01], [117.0054, 31.015], [117.0055, 31.02]]
    found = put(office, street, line=drawn, put="natural", tolerance=40).json()
    road = shapely.from_wkt("LINESTRING(117.0055 31.009, 117.0057 31.015, 117.0055 31.021)")
    along = shapely.LineString(found["line"]).intersection(shapely.buffer(road, 1e-6))
    assert along.length > 0.9 * 0.01


def test_what_cannot_be_put_says_where(office: Office, street: str) -> None:
    inside = put(office, street, line=[[117.0016, 31.0151], [117.01, 31.015]], put="off_buildings")
    assert inside.status_code == 422
    assert "端点在建筑内" in inside.json()["detail_zh"]
    assert inside.json()["place"] == pytest.approx([117.0016, 31.0151])
    loop = [[117.0, 31.011], [117.002, 31.011], [117.001, 31.0105], [117.001, 31.0115]]
    assert "自己相交" in put(office, street, line=loop).json()["detail_zh"]
    for bad in ({"line": [[117, 31]]}, {"line": [[117, 31], [999, 31]]},
                {"line": ACROSS, "tolerance": 0}, {"line": ACROSS, "put": "there"}):  # fmt: skip
        assert put(office, street, **bad).status_code == 400
    assert put(office, street, "north", line=ACROSS).status_code == 403
    assert put(office, street, "south", line=ACROSS).status_code == 404


def blocks(office: Office, draft: str, *codes: str, by: str = "block") -> Any:
    path = f"{draft}/blocks?by={by}&" + "&".join(f"code={code}" for code in codes)
    return office.ask("north", "GET", path)


def test_blocks_lie_between_roads_and_fill_the_grids(office: Office, street: str) -> None:
    found = blocks(office, street, WEST, EAST).json()
    assert found["revision"] == 0
    west, middle, east = sorted(found["features"], key=lambda f: shape(f["geometry"]).bounds)
    assert [f["properties"]["codes"] for f in (west, middle, east)] == [[WEST], [WEST], [EAST]]
    assert west["properties"]["households"] == middle["properties"]["households"] == 120
    assert west["properties"]["building_codes"] == [f"B{k}" for k in range(6)]
    grids = office.shapes(street)
    for code, own in ((WEST, (west, middle)), (EAST, (east,))):
        whole = shapely.coverage_union_all([shape(f["geometry"]) for f in own])
        assert shapely.symmetric_difference(whole, shape(grids[code])).area == 0


def test_blocks_that_were_clicked_are_transferred(office: Office, street: str) -> None:
    cells = blocks(office, street, WEST, by="building").json()["features"]
    held = [cell["properties"]["building_codes"] for cell in cells]
    assert sorted(codes for codes in held if codes) == [[f"B{k}"] for k in range(9)]
    chosen = [c for c in cells if {*c["properties"]["building_codes"]} & {"B6", "B7"}]
    polygons = [part for c in chosen for part in shapely.get_parts(shape(c["geometry"]))]
    moved = {
        "operation": "transfer",
        "polygon": {"type": "MultiPolygon",
                    "coordinates": [p.__geo_interface__["coordinates"] for p in polygons]},
        "from_codes": [WEST],
        "to_code": EAST,
    }  # fmt: skip
    before = {
        row["code"]: row for row in office.ask("editor", "GET", f"{street}/balance").json()["grids"]
    }
    told = {row["code"]: row for row in office.done(street, moved)["balance"]["grids"]}
    assert told[WEST]["buildings"] == before[WEST]["buildings"] - 2 == 7
    assert told[WEST]["households"] == before[WEST]["households"] - 80
    assert [told[code]["cut_buildings"] for code in (WEST, EAST)] == [0, 0]


def test_blocks_are_of_the_drafts_grids(office: Office, street: str) -> None:
    assert "没有网格" in blocks(office, street, SOUTH_WEST).json()["detail_zh"]
    assert blocks(office, street, *[WEST] * 9).status_code == 400
    assert blocks(office, street, WEST, by="street").status_code == 400
