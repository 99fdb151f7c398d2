"""The figures of the service are those of the functions called directly, and of counting points."""

from typing import Any

import numpy as np
import pytest
import shapely
from fastapi.testclient import TestClient
from shapely import affinity

from geo_service.analysis.buildings import Buildings
from geo_service.analysis.cover import cover
from geo_service.analysis.ground import Ground
from geo_service.analysis.sight import sight
from geo_service.analysis.views import Camera, Scene
from tests.geo_service.conftest import NORTH, SOUTH, Town
from tests.geo_service.coverage.conftest import CAMERAS, A, B, C, D, metres

OPTICS = ("tilt", "focal_length", "sensor_width", "sensor_height", "pixels_across", "night_range")


def ask(client: TestClient, process: str = "coverage", **inputs: Any) -> dict[str, Any]:
    answer = client.post(f"/ogc/processes/{process}/execution", json={"inputs": inputs})
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def shapes(town: Town, table: str, where: str = "true") -> Any:
    """Return a layer's shapes as the database holds them, in metres from the origin."""
    with town.database.connect() as connection:
        rows = connection.execute(
            f"SELECT st_asbinary(geom) FROM {table} WHERE {where} ORDER BY code".encode()
        ).fetchall()
    return metres(np.array(shapely.from_wkb([row[0] for row in rows]), dtype=object))


def cameras(town: Town) -> list[Camera]:
    places = {code: (x, y) for code, x, y, _ in CAMERAS}
    rows = shapes(town, "cameras", "azimuth IS NOT NULL")
    made = []
    for place, (code, x, y, known) in zip(rows, sorted(CAMERAS), strict=True):
        assert np.hypot(place.x - x, place.y - y) < 0.002
        assert places[code] == (x, y)
        optics: dict[str, Any] = {name: known.get(name) for name in OPTICS}
        look = sight(known["form"], known["azimuth"], height=known["mount_height"], **optics)
        made.append(Camera(code, place.x, place.y, look))
    return made


def scene(town: Town, **options: Any) -> Scene:
    heights = [9.0, 12.0, 3.0, np.nan]  # in order of codes; of T3 it is not known
    return Scene(
        Buildings.read(shapes(town, "buildings"), heights),
        private=shapes(town, "privacy_zones"), **options,
    )  # fmt: skip


def test_figures_are_those_of_the_functions(everyone: TestClient, town: Town) -> None:
    grids, roads = shapes(town, "grids"), shapes(town, "roads")
    made = cover(cameras(town), scene(town), Ground({"grid": grids}, roads))
    for level in ("monitor", "detect", "recognise"):
        for k in (1, 2):
            told = ask(everyone, level=level, k=k, by="grid")
            seen, road = made.seen(level, "grid"), made.road(level, "grid")
            for n, unit in enumerate(told["units"]):
                want = seen[n, k - 1] if k <= seen.shape[1] else 0.0
                assert unit["area_m2_seen"] == pytest.approx(want, rel=1e-5, abs=1e-3)
                assert unit["area_m2"] == pytest.approx(grids[n].area, rel=1e-8)
                assert unit["road_m_seen"] == pytest.approx(road[n, k - 1], rel=1e-5, abs=1e-3)
            assert told["town"]["area_m2_seen"] == pytest.approx(
                sum(unit["area_m2_seen"] for unit in told["units"]), abs=0.01
            )
    assert sum(made.seen("detect", "grid")[:, 0]) > 500
    losses = {one["code"]: one["lost_m2"] for one in ask(everyone, level="detect")["losses"]}
    for loss in made.losses("detect"):
        assert losses.get(loss.code, 0) == pytest.approx(loss.area, rel=1e-5, abs=1e-3)
    assert losses[D] > losses[A]


def test_night_and_communities(everyone: TestClient, town: Town) -> None:
    grids = shapes(town, "grids")
    made = cover(cameras(town), scene(town, night=True), Ground({"grid": grids}))
    told = ask(everyone, when="night", by="community")
    assert [unit["code"] for unit in told["units"]] == [NORTH, SOUTH]
    seen = made.seen("detect", "grid")[:, 0]
    for n, unit in enumerate(told["units"]):
        want = seen[2 * n] + seen[2 * n + 1]
        assert unit["area_m2_seen"] == pytest.approx(want, rel=1e-5, abs=1e-3)
    day = ask(everyone, by="community")
    assert told["town"]["area_m2_seen"] < day["town"]["area_m2_seen"]


def test_households_and_events_count_by_the_outline_that_is_seen(
    everyone: TestClient, town: Town
) -> None:
    made = cover(cameras(town), scene(town))
    union = made.union("monitor")

    def share(building: Any) -> float:
        ring = shapely.buffer(building, 0.5, join_style="mitre").exterior
        points = [ring.interpolate(k / 8, normalized=True) for k in range(8)]
        return float(np.mean([union.intersects(point) for point in points]))

    south, tall, _, plain = shapes(town, "buildings")
    told = ask(everyone, level="monitor")["town"]
    assert told["households"] == 60
    want = 8 * share(south) + 40 * share(tall) + 12 * share(plain)
    assert told["households_seen"] == pytest.approx(want)
    assert 0 < want < 60
    # Ten events: E1 in the open is seen; E2 stands for the outline of its building; one dispute and
    # one hazard lie in the middle of each grid, right beneath the cameras there.
    middle = shapes(town, "disputes", "code LIKE 'JF%'")
    beneath = 2 * sum(union.intersects(point) for point in middle)
    assert told["events"] == 10
    assert told["events_seen"] == pytest.approx(1 + share(tall) + beneath)


def test_a_brute_force_of_points_agrees(everyone: TestClient, town: Town) -> None:
    """Each point of a half-metre grid is asked of every camera, by rays and by depth alone."""
    x, y = (part.ravel() for part in np.meshgrid(np.arange(-80, 120, 0.5), np.arange(-80, 80, 0.5)))
    tall = list(shapes(town, "buildings", "code IN ('T1', 'T3')"))
    low = shapes(town, "buildings", "code = 'T2'")[0]
    zone = shapes(town, "privacy_zones")[0]
    ground = ~np.any([shapely.contains_xy(b, x, y) for b in (*tall, low, zone)], axis=0)
    count = np.zeros(len(x))
    for camera in cameras(town):
        if camera.code == D:
            continue
        azimuth, view = camera.sight.now[0]
        turn, tilt = np.radians(azimuth), np.radians(view.tilt)
        east, north = x - camera.x, y - camera.y
        ahead = east * np.sin(turn) + north * np.cos(turn)
        right = east * np.cos(turn) - north * np.sin(turn)
        depth = ahead * np.cos(tilt) + view.height * np.sin(tilt)
        up = ahead * np.sin(tilt) - view.height * np.cos(tilt)
        with np.errstate(divide="ignore", invalid="ignore"):
            seen = (depth > 0) & (
                view.focal_length * view.pixels_across / (view.sensor_width * depth) >= 25
            )
            seen &= np.abs(right / depth) <= view.sensor_width / view.focal_length / 2
            seen &= np.abs(up / depth) <= view.sensor_height / view.focal_length / 2
        at = np.flatnonzero(seen & ground)
        rays = shapely.linestrings(
            np.stack([np.tile([camera.x, camera.y], (len(at), 1)), np.c_[x[at], y[at]]], axis=1)
        )
        clear = ~np.any([shapely.intersects(rays, b) for b in tall], axis=0)
        # The low building stands behind all of these cameras: it hides nothing of what they see.
        assert not shapely.intersects(rays, affinity.scale(low, 0.9, 0.9)).any()
        count[at[clear]] += 1
    inside = shapely.contains_xy(shapes(town, "grids")[0], x, y)
    for k in (1, 2):
        want = float((count[inside] >= k).sum()) * 0.25
        unit = ask(everyone, by="grid", k=k)["units"][0]
        assert want > 100
        # Half a metre of raster along an outline of some hundred metres.
        assert unit["area_m2_seen"] == pytest.approx(want, abs=0.02 * want + 4)


def test_inclusion_and_exclusion(everyone: TestClient) -> None:
    """Areas seen by at least 1, 2 and 3 sum to the sum of the views, level by level."""
    for level in ("monitor", "detect", "observe"):
        deep = sum(ask(everyone, level=level, k=k)["town"]["area_m2_seen"] for k in (1, 2, 3))
        views = 0.0
        for code in (A, B, C, D):
            features = everyone.get(f"/api/coverage/cameras/{code}/view").json()["features"]
            views += sum(
                one["properties"]["area_m2"]
                for one in features
                if one["properties"]["level"] == level
            )
        assert deep == pytest.approx(views, abs=0.03)  # areas of views are told to 0.01 m²


def test_evidence_names_what_is_assumed(everyone: TestClient) -> None:
    told = ask(everyone)
    evidence = told["evidence"]
    assert evidence["edition"] == "EN 62676-4:2015"
    assert evidence["level"]["pixels_per_metre"] == 25
    assert evidence["n"] == 4
    assert evidence["assumed"]["fields"]["focal_length"]["codes"] == [A, D]
    assert "俯角" not in evidence["assumed"]["zh"]
    # Of the bare town's cameras nobody knows where they look: told, never a full circle.
    assert len(evidence["refused"]) == 4
    assert "azimuth" in evidence["refused"][0]["en"]
    assert evidence["heights_unknown"] == 1
    assert evidence["events_in_buildings"] == 1
    assert evidence["data_at"]
    assert told["town"]["not_counted"] == 4
    assert "%" in told["summary"]["zh"]
    assert told["places"][0]["name"] == "小学"
