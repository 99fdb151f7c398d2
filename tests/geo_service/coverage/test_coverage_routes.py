"""Views, trials, points and sets over HTTP: what is told, to whom, and what is refused."""

from typing import Any

import pytest
import shapely
from fastapi.testclient import TestClient

from geo_service.access.passwords import put_token
from tests.geo_service.conftest import NORTH, Town
from tests.geo_service.coverage.conftest import A, B, C, D, degrees, metres, put

OPTICS = {
    "form": "bullet", "azimuth": 90, "tilt": 15, "mount_height": 4, "focal_length": 4,
    "sensor_width": 5.37, "sensor_height": 3.02, "pixels_across": 1920,
}  # fmt: skip


def place(x: float, y: float) -> dict[str, float]:
    point = degrees(shapely.Point(x, y))
    return {"lon": point.x, "lat": point.y}


def drawn(feature: dict[str, Any]) -> Any:
    return metres(shapely.geometry.shape(feature["geometry"]))


def test_a_view_is_drawn_level_by_level(everyone: TestClient) -> None:
    answer = everyone.get(f"/api/coverage/cameras/{A}/view")
    assert answer.headers["content-type"] == "application/geo+json"
    told = answer.json()
    assert [one["id"] for one in told["levels"]] == [
        "monitor", "detect", "observe", "recognise", "identify"
    ]  # fmt: skip
    assert [one["properties"]["extent"] for one in told["features"]] == ["reach"] * 5
    assert "assumed" not in told["camera"]
    assert told["camera"]["code"] == A
    assert any("focal length" in note["en"] for note in told["notes"])
    big, small = (drawn(one) for one in told["features"][:2])
    assert small.within(big.buffer(0.01))
    assert big.area == pytest.approx(told["features"][0]["properties"]["area_m2"], rel=1e-3)
    # The building 20 m to the east stands in the way.
    assert big.bounds[2] == pytest.approx(20, abs=0.05) or not big.intersects(
        shapely.box(30.1, -3, 60, 3)
    )
    newer = everyone.get(f"/api/coverage/cameras/{A}/view?edition=2025").json()
    assert newer["levels"][0] == {
        "id": "overview", "zh": "概览", "en": "overview", "pixels_per_metre": 20
    }  # fmt: skip
    private = everyone.get(f"/api/coverage/cameras/{C}/view").json()
    assert private["intrudes"]
    assert any("799" in note["zh"] for note in private["notes"])


def test_a_turning_camera_tells_reach_from_now(everyone: TestClient, town: Town) -> None:
    code = A.replace("001001", "001077")
    with town.database.connect(autocommit=True) as connection:
        put(connection, "cameras", shapely.Point(100, 100), code=code, form="ptz", azimuth=30,
            mount_height=6, tilt=20)  # fmt: skip
    told = everyone.get(f"/api/coverage/cameras/{code}/view").json()
    by_extent = {
        extent: sum(
            one["properties"]["area_m2"]
            for one in told["features"]
            if one["properties"]["extent"] == extent
        )
        for extent in ("reach", "now")
    }
    assert told["moves"]
    assert by_extent["reach"] > 3 * by_extent["now"] > 0
    # Its presets, once they are known, are its reach; one can be looked at.
    with town.database.connect(autocommit=True) as connection:
        connection.execute(
            "UPDATE cameras SET attributes = %s WHERE code = %s",
            ['{"presets": [{"azimuth": 0}, {"azimuth": 180, "tilt": 40}], "preset": 1}', code],
        )
    told = everyone.get(f"/api/coverage/cameras/{code}/view").json()
    assert told["camera"]["presets"] == [0, 180]
    assert _now(told).centroid.y < 100
    first = everyone.get(f"/api/coverage/cameras/{code}/view?preset=0").json()
    assert _now(first).centroid.y > 100
    none = everyone.get(f"/api/coverage/cameras/{code}/view?preset=9")
    assert none.status_code == 422
    assert "0 to 1" in none.json()["detail"]
    # Tried as it is, both are drawn as they are.
    camera = {name: told["camera"][name] for name in ("lon", "lat", *OPTICS, "form")}
    tried = everyone.post("/api/coverage/view", json={"camera": camera, "replaces": code}).json()
    assert tried["views"]["moves"]
    for one, two in zip(told["features"], tried["views"]["features"], strict=True):
        assert one["properties"] == two["properties"]
        assert drawn(one).symmetric_difference(drawn(two)).area < 0.1
    # Without presets and azimuth nobody knows where it looks.
    camera |= {"presets": [], "azimuth": None}
    lost = everyone.post("/api/coverage/view", json={"camera": camera, "replaces": code}).json()
    assert {one["properties"]["extent"] for one in lost["views"]["features"]} == {"reach"}
    assert any("not known which way" in note["en"] for note in lost["notes"])


def _now(told: dict[str, Any]) -> Any:
    return drawn(next(f for f in told["features"] if f["properties"]["extent"] == "now"))


def test_trying_says_what_saving_would_bring(everyone: TestClient, town: Town) -> None:
    trial = {"camera": {**OPTICS, **place(-100, -100)}, "level": "detect"}
    told = everyone.post("/api/coverage/view", json=trial).json()
    assert told["difference"]["area_m2_seen"] > 100
    assert [unit["code"] for unit in told["units"]] == [f"{NORTH}001"]
    code = A.replace("001001", "001055")
    with town.database.connect(autocommit=True) as connection:
        put(connection, "cameras", shapely.Point(-100, -100), code=code, **OPTICS)
    saved = everyone.post(
        "/ogc/processes/coverage/execution", json={"inputs": {"by": "town"}}
    ).json()["town"]
    for name in ("area_m2_seen", "road_m_seen", "events_seen", "households_seen"):
        assert saved[name] == pytest.approx(told["town"][name], abs=0.02)
    # Turned, it is compared with itself; nothing was written.
    moved = {"camera": {**OPTICS, **place(-100, -100), "azimuth": 270}, "replaces": code}
    turned = everyone.post("/api/coverage/view", json=moved).json()
    assert turned["before"]["area_m2_seen"] == pytest.approx(saved["area_m2_seen"], abs=0.01)
    assert abs(turned["difference"]["area_m2_seen"]) < 1
    view = everyone.get(f"/api/coverage/cameras/{code}/view").json()
    assert drawn(view["features"][1]).centroid.x > -100
    assert drawn(turned["views"]["features"][1]).centroid.x < -100


BAD = {
    "tilt": ({"tilt": 120}, "tilt must be from -90 to 90 °, not 120"),
    "focal length": ({"focal_length": 0}, "focal length must be above 0"),
    "no azimuth": ({"azimuth": None}, "azimuth is missing"),
    "azimuth": ({"azimuth": 400}, "azimuth must be from 0 to 360"),
    "form": ({"form": "eye"}, "no form of camera eye"),
    "height": ({"mount_height": -3}, "mount height must be above 0"),
    "pixels": ({"pixels_across": 0}, "pixels across must be above 0"),
    "night": ({"night_range": -1}, "night range must be from 0"),
}


@pytest.mark.parametrize(("change", "sentence"), BAD.values(), ids=list(BAD))
def test_a_camera_that_cannot_be_is_refused(
    everyone: TestClient, change: dict[str, Any], sentence: str
) -> None:
    trial = {"camera": {**OPTICS, **place(-100, -100), **change}}
    answer = everyone.post("/api/coverage/view", json=trial)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert sentence in answer.json()["detail"]
    assert any("一" <= letter <= "鿿" for letter in answer.json()["detail_zh"])
    kept = everyone.post("/api/coverage/sets", json={"name": "x", "cameras": [trial["camera"]]})
    assert kept.status_code == 422
    assert everyone.get("/api/coverage/sets").json() == {"sets": []}


NOTED = {
    "inside a building": ((0.0, 34.0), "inside"),
    "40 km out": ((40_000.0, 0.0), "km"),
    "on one pole": ((0.0, 0.0), "pole"),
}


@pytest.mark.parametrize(("where", "word"), NOTED.values(), ids=list(NOTED))
def test_a_camera_in_an_odd_place_is_told(
    everyone: TestClient, town: Town, where: tuple[float, float], word: str
) -> None:
    if word == "inside":  # deep inside, not on its wall
        with town.database.connect(autocommit=True) as connection:
            put(connection, "buildings", shapely.box(-20, 60, 20, 100), code="T8", height=9)
        where = (0.0, 80.0)
    told = everyone.post("/api/coverage/view", json={"camera": {**OPTICS, **place(*where)}})
    assert told.status_code == 200
    notes = " ".join(note["en"] for note in told.json()["notes"])
    assert word in notes
    empty = [one["geometry"] is None for one in told.json()["views"]["features"]]
    assert all(empty) == (word != "pole")
    # Nothing is seen, or, by the same camera on one pole with A, nothing new.
    assert told.json()["difference"]["area_m2_seen"] == 0


def test_other_mistakes(everyone: TestClient) -> None:
    for path, status in (
        ("/api/coverage/cameras/nobody/view", 404),
        ("/api/coverage/cover?level=clear", 422),
        ("/api/coverage/now?level=outline", 422),
        ("/api/coverage/now?edition=1999", 400),
        ("/api/coverage/point?lon=181&lat=0", 400),
        ("/api/coverage/blind-spots?area=123", 422),
        ("/api/coverage/sets/compare?ids=x", 422),
        ("/api/coverage/cameras/99010100001320000001/view", 422),  # it has no azimuth
    ):
        answer = everyone.get(path)
        assert answer.status_code == status, path
        assert answer.json()["detail"].endswith(".")
    taken = {"camera": {**OPTICS, **place(0, 0), "code": A}}
    assert everyone.post("/api/coverage/view", json=taken).status_code == 422
    gone = {"camera": {**OPTICS, **place(0, 0)}, "replaces": "x"}
    assert everyone.post("/api/coverage/view", json=gone).status_code == 404
    foreign = everyone.post(
        "/api/coverage/view", json=taken, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert foreign.status_code == 403


def test_who_sees_a_point(everyone: TestClient) -> None:
    spot = place(12, 0)
    told = everyone.get("/api/coverage/point", params=spot).json()
    assert {one["code"] for one in told["seen_by"]} == {A, B, C}
    assert not told["in_building"]
    assert told["grid"] == f"{NORTH}001"
    levels = ["monitor", "detect", "observe", "recognise", "identify"]
    best = [levels.index(one["level"]) for one in told["seen_by"]]
    assert best == sorted(best, reverse=True)
    distance = {one["code"]: one["distance_m"] for one in told["seen_by"]}
    assert distance[A] == pytest.approx(12, abs=0.06)
    inside = everyone.get("/api/coverage/point", params=place(25, 0)).json()
    assert inside["in_building"]
    assert inside["building"] == "T1"
    assert inside["seen_by"] == []
    zone = everyone.get("/api/coverage/point", params=place(9, -26)).json()
    assert zone["privacy_zone"] == "PZ1"
    assert zone["seen_by"] == []


def test_cover_for_the_map_and_qgis(everyone: TestClient) -> None:
    one = everyone.get("/api/coverage/cover?level=detect").json()
    assert len(one["features"]) == 1
    views = [
        drawn(everyone.get(f"/api/coverage/cameras/{code}/view").json()["features"][1])
        for code in (A, B, C, D)
    ]
    assert drawn(one["features"][0]).area == pytest.approx(shapely.union_all(views).area, rel=1e-3)
    all_of_them = everyone.get("/api/coverage/cover.geojson").json()
    assert [f["properties"]["level"] for f in all_of_them["features"]][:2] == ["monitor", "detect"]


def test_blind_spots_hold_what_nobody_sees(everyone: TestClient) -> None:
    told = everyone.get(f"/api/coverage/blind-spots?area={NORTH}001&min_area=1").json()
    cover = drawn(everyone.get("/api/coverage/cover?level=detect").json()["features"][0])
    spots = [drawn(one) for one in told["features"]]
    assert told["numberReturned"] == len(spots) == min(100, told["numberMatched"])
    assert all(spot.intersection(cover).area < 0.5 for spot in spots)
    scores = [one["properties"]["score"] for one in told["features"]]
    assert scores == sorted(scores, reverse=True)
    whole = everyone.get(f"/api/coverage/blind-spots?area={NORTH}001&min_area=1&limit=2000").json()
    grid = everyone.post(
        "/ogc/processes/coverage/execution", json={"inputs": {"area": f"{NORTH}001"}}
    ).json()["town"]
    built = 20 * 20 / 2 + 20 * 20 + 30 * 8
    assert whole["unseen_m2"] == pytest.approx(
        grid["area_m2"] - grid["area_m2_seen"] - built, rel=1e-4
    )


def test_nobody_sees_beyond_their_area(app: TestClient, town: Town) -> None:
    north = town.headers("north")
    assert app.get(f"/api/coverage/cameras/{D}/view", headers=north).status_code == 404
    assert app.get(f"/api/coverage/cameras/{A}/view", headers=north).status_code == 200
    units = app.get("/api/coverage/now", headers=north).json()["units"]
    assert {unit["code"][:12] for unit in units} == {NORTH}
    beyond = app.get("/api/coverage/blind-spots?area=990101101002", headers=north)
    assert beyond.status_code == 422
    removed = {"name": "x", "removed": [D]}
    assert app.post("/api/coverage/sets", json=removed, headers=north).status_code == 422
    whole = app.get("/api/coverage/cover?level=monitor", headers=town.headers("all")).json()
    part = app.get("/api/coverage/cover?level=monitor", headers=north).json()
    assert drawn(part["features"][0]).area < drawn(whole["features"][0]).area
    assert app.get("/api/coverage/now").status_code == 401


def test_sets_are_kept_changed_compared_and_forgotten(app: TestClient, town: Town) -> None:
    everyone, north = town.headers("all"), town.headers("north")
    adding = {"name": "加一台", "cameras": [{**OPTICS, **place(-100, -100)}]}
    made = app.post("/api/coverage/sets", json=adding, headers=everyone)
    assert made.status_code == 201
    id_ = made.json()["id"]
    assert made.json()["cameras"][0]["azimuth"] == 90
    less = app.post(
        "/api/coverage/sets", json={"name": "少一台", "removed": [A]}, headers=everyone
    ).json()["id"]
    own = app.post(
        "/api/coverage/sets",
        json={"name": "北", "moved": {A: {"azimuth": 10}}}, headers=north,
    ).json()["id"]  # fmt: skip
    listed = app.get("/api/coverage/sets", headers=everyone).json()["sets"]
    assert {one["id"] for one in listed} == {id_, less, own}
    # What was made for the whole town may name its cameras: the north does not see it.
    assert [one["id"] for one in app.get("/api/coverage/sets", headers=north).json()["sets"]] == [
        own
    ]
    assert app.get(f"/api/coverage/sets/{id_}", headers=north).status_code == 404
    assert app.delete(f"/api/coverage/sets/{id_}", headers=north).status_code == 404
    told = app.get(f"/api/coverage/sets/compare?ids={id_},{less},{own}", headers=everyone).json()
    more, fewer, turned = (one["difference"]["area_m2_seen"] for one in told["sets"])
    assert more > 100
    assert fewer < 0
    assert turned != 0
    alone = app.post(
        "/ogc/processes/what-if/execution", json={"inputs": {"set": less}}, headers=everyone
    ).json()
    assert alone["town"]["difference"]["area_m2_seen"] == pytest.approx(fewer, abs=0.001)
    losses = app.post(
        "/ogc/processes/coverage/execution", json={"inputs": {}}, headers=everyone
    ).json()["losses"]
    lost = next(one["lost_m2"] for one in losses if one["code"] == A)
    assert -fewer == pytest.approx(lost, abs=0.001)
    changed = app.put(
        f"/api/coverage/sets/{less}", json={"name": "少一台", "removed": [A, B]}, headers=everyone
    )
    assert changed.json()["removed"] == [A, B]
    assert (
        app.put(f"/api/coverage/sets/{own}", json={"name": "x"}, headers=everyone).status_code
        == 404
    )  # seen, but another's
    assert app.delete(f"/api/coverage/sets/{less}", headers=everyone).status_code == 204
    assert app.get(f"/api/coverage/sets/{less}", headers=everyone).status_code == 404
    with town.database.connect(autocommit=True) as connection:
        connection.execute("DELETE FROM cameras WHERE code = %s", [A])
    told = app.get(f"/api/coverage/sets/compare?ids={id_},{own}", headers=everyone).json()["sets"]
    assert told[0]["difference"]["area_m2_seen"] > 100
    assert A in told[1]["problem"]["en"]  # its camera is gone: told, the others still compared


def test_walls_and_viewers_look_and_keep_nothing(app: TestClient, town: Town) -> None:
    with town.database.connect() as connection:
        tokens = {role: put_token(connection, role, role, "*") for role in ("wall", "viewer")}
    for token in tokens.values():
        headers = {"Authorization": f"Bearer {token}"}
        assert app.get("/api/coverage/now", headers=headers).status_code == 200
        assert app.get(f"/api/coverage/cameras/{A}/view", headers=headers).status_code == 200
        for method, path, body in (
            ("GET", "/api/coverage/sets", None),
            ("POST", "/api/coverage/sets", {"name": "x"}),
            ("GET", "/api/coverage/sets/compare?ids=x", None),
            ("POST", "/ogc/processes/what-if/execution", {"inputs": {}}),
        ):
            refused = app.request(method, path, json=body, headers=headers)
            assert refused.status_code == 403, path
            assert refused.json()["detail_zh"]


def test_the_database_itself_keeps_sets_to_their_area(town: Town) -> None:
    with town.database.connect() as connection:
        connection.execute("SET ROLE geo_service")

        def act(role: str, area: str) -> None:
            connection.execute(
                "SELECT set_config('geo.role', %s, false), set_config('geo.area', %s, false)",
                [role, area],
            )

        def count() -> int:
            row = connection.execute("SELECT count(*) FROM what_if_sets").fetchone()
            return row[0] if row else 0

        put_down = (
            "INSERT INTO what_if_sets (name, account, area, content) VALUES ('a', 'a', %s, '{}')"
        )
        act("officer", "*")
        connection.execute(put_down, ["*"])
        assert count() == 1
        connection.commit()
        for role, area in (("officer", NORTH), ("viewer", "*"), ("wall", "*")):
            act(role, area)
            assert count() == (1 if area == "*" else 0)
            with pytest.raises(Exception, match="row-level security"):
                connection.execute(put_down, ["*"])
            connection.rollback()
            connection.execute("SET ROLE geo_service")
            act(role, area)
            assert connection.execute("DELETE FROM what_if_sets").rowcount == 0
        act("", "")
        assert count() == 0
