"""What lies in one camera's view, against geometry done by hand."""

import pytest
import shapely
from fastapi.testclient import TestClient

from tests.geo_service.conftest import Town
from tests.geo_service.coverage.conftest import ROADS, A, B, metres


def detect(app: TestClient, code: str) -> shapely.Geometry:
    """Return a camera's view at the level "detect", in metres."""
    features = app.get(f"/api/coverage/cameras/{code}/view").json()["features"]
    found = next(one for one in features if one["properties"]["level"] == "detect")
    return metres(shapely.geometry.shape(found["geometry"]))


def test_roads_and_what_nobody_else_sees(everyone: TestClient) -> None:
    told = everyone.get(f"/api/coverage/cameras/{A}/sees").json()
    view = detect(everyone, A)
    assert told["area_m2"] == pytest.approx(view.area, rel=1e-3)
    road = sum(line.intersection(view).length for _, line in ROADS)
    assert told["road_m"] == pytest.approx(road, rel=1e-3)
    assert told["events"] >= 1, "the event in the open, 10 m before it"
    # All others taken away from its view is what its loss costs.
    items = everyone.get("/ogc/collections/cameras/items?limit=50").json()["features"]
    codes = [one["properties"]["code"] for one in items]
    others = [
        detect(everyone, code)
        for code in codes
        if code != A and everyone.get(f"/api/coverage/cameras/{code}/view").status_code == 200
    ]
    alone = view.difference(shapely.union_all(others))
    assert told["alone_m2"] == pytest.approx(alone.area, rel=2e-3)
    assert told["alone_m2"] < told["area_m2"]


def test_what_is_assumed_is_told_with_its_value(everyone: TestClient) -> None:
    bare = everyone.get(f"/api/coverage/cameras/{A}/sees").json()["assumed"]
    assert bare["focal_length"] == 4
    assert bare["pixels_across"] == 1920
    assert not {"tilt", "mount_height"} & bare.keys()
    assert everyone.get(f"/api/coverage/cameras/{B}/sees").json()["assumed"] == {}


def test_only_what_one_may_see(app: TestClient, town: Town) -> None:
    north = {"Authorization": f"Bearer {town.tokens['north']}"}
    assert app.get(f"/api/coverage/cameras/{A}/sees", headers=north).status_code == 200
    refused = app.get("/api/coverage/cameras/99/sees", headers=north)
    assert refused.status_code == 404
    assert "没有编码为" in refused.json()["detail_zh"]
