"""Camera coverage on the officer's map in Chromium: views, drags, blind spots, placement, plans."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

import pytest
from playwright.sync_api import Locator, Page, Response, expect

from geo_service.analysis.density_levels import LADDERS
from geo_service.demo import PASSWORD
from tests.browser.test_map import CENTRE, PIXEL_OF, get, settle, show, until
from tests.conftest import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ASKED = "edition=2015;level=detect;when=day;state=online"
LEVELS = {"edition": "2015", "level": "detect", "when": "day", "state": "online"}


@pytest.fixture
def base(demo_service: Service, page: Page) -> str:
    """Return the address of the map."""
    page.set_default_timeout(40_000)
    expect.set_options(timeout=40_000)
    return demo_service.url.rstrip("/")


@pytest.fixture
def camera(base: str, page: Page) -> dict[str, Any]:
    """Return a camera that looks one way, is online, and of which everything is known."""
    wanted = quote("form = 'bullet' AND status = 'online' AND azimuth < 300 AND tilt < 30")
    found = get(page, f"{base}/ogc/collections/cameras/items?limit=20&filter={wanted}")["features"]
    whole: dict[str, Any] = next(
        one for one in found if all(value is not None for value in one["properties"].values())
    )
    return whole


@pytest.fixture
def no_plans(base: str, page: Page) -> Iterator[None]:
    """Begin as an officer without plans, and leave none behind."""
    sign_in(page, base, "officer")
    forget(page, base)
    yield
    forget(page, base)


def sign_in(page: Page, base: str, name: str) -> None:
    account = {"username": name, "password": PASSWORD}
    assert page.request.post(f"{base}/api/account/session", data=account).ok


def forget(page: Page, base: str) -> None:
    for one in get(page, f"{base}/api/coverage/sets")["sets"]:
        assert page.request.delete(f"{base}/api/coverage/sets/{one['id']}").ok


def take(page: Page, base: str, camera: dict[str, Any], more: str = "") -> None:
    """Open the map with a camera in hand."""
    lon, lat = camera["geometry"]["coordinates"]
    code = camera["properties"]["code"]
    show(page, f"{base}/#map=18/{lon}/{lat}&cover=camera;{ASKED};camera={code}{more}")
    expect(page.locator(".cv-name")).to_have_text(camera["properties"]["name"])
    expect(page.locator(".cv-levels")).to_be_visible()


def handle(page: Page, name: str) -> tuple[float, float]:
    """Return the middle of a handle on the map."""
    box = page.locator(f".cv-{name}").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def shown(page: Page) -> dict[str, str]:
    """Return what the address says of the coverage mode."""
    text = parse_qs(page.evaluate("location.hash.slice(1)"))["cover"][0]
    return dict(part.split("=", 1) for part in text.split(";") if "=" in part)


def tried(page: Page, base: str, camera: dict[str, Any]) -> Any:
    """Ask the service itself about the camera as the address has it."""
    names = ("lon", "lat", "azimuth", "tilt", "mount_height", "focal_length")
    draft = dict(zip(names, map(float, shown(page)["draft"].split(",")), strict=True))
    known = (
        "form", "sensor_width", "sensor_height", "pixels_across", "night_range",
    )  # fmt: skip
    given = {name: camera["properties"][name] for name in known} | draft
    answer = page.request.post(
        f"{base}/api/coverage/view",
        data={"camera": given, "replaces": camera["properties"]["code"], **LEVELS},
    )
    assert answer.ok, answer.text()
    return answer.json()


class Heard:
    """What the processes answered to the page."""

    def __init__(self, page: Page) -> None:
        self.answers: list[Response] = []
        page.on("response", self._note)

    def _note(self, response: Response) -> None:
        if response.url.endswith("/execution"):
            self.answers.append(response)

    def of(self, process: str, **inputs: Any) -> Any:
        """Return the last answer of a process that was asked with these inputs."""
        for response in reversed(self.answers):
            asked = json.loads(response.request.post_data or "{}")["inputs"]
            if f"/{process}/" in response.url and asked.items() >= inputs.items():
                return response.json()
        raise AssertionError(f"{process} was not asked with {inputs}")


def ground(area: float) -> str:
    """Write square metres as the page does."""
    if area >= 1e6:
        return f"{area / 1e6:.2f} km²"
    return f"{area / 1e4:.2f} 万m²" if area >= 1e4 else f"{round(area):,} m²"


def face(page: Page, name: str) -> Locator:
    return page.locator("#coverage").get_by_role("tab", name=name, exact=True)


def drawn(page: Page, z_index: int) -> int:
    """Return how many features one of the mode's layers holds."""
    number: int = page.evaluate(
        "z => geo.map.getAllLayers().find(layer => layer.getZIndex() === z)"
        ".getSource().getFeatures().length",
        z_index,
    )
    return number


VIEW = 32
"""The order of the layer that holds one camera's view."""


def test_a_click_on_a_camera_draws_its_view_by_level(
    base: str, page: Page, camera: dict[str, Any]
) -> None:
    lon, lat = camera["geometry"]["coordinates"]
    code = camera["properties"]["code"]
    show(page, f"{base}/#map=19/{lon}/{lat}")
    page.get_by_role("tab", name="摄像覆盖").click()
    settle(page)
    page.mouse.click(*page.evaluate(PIXEL_OF, [lon, lat]))
    expect(page.locator(".cv-code")).to_have_text(code)
    answer = get(page, f"{base}/api/coverage/cameras/{code}/view?edition=2015&when=day")
    seen = {
        one["properties"]["title"]["zh"]: ground(one["properties"]["area_m2"])
        for one in answer["features"]
        if one["properties"]["area_m2"] > 0
    }
    table = page.locator(".cv-levels")
    expect(table.locator("tbody tr")).to_have_count(len(seen))
    rows = table.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [row.cells[0].innerText.trim(), row.cells[2].innerText])"
    )
    assert dict(rows) == seen
    assert drawn(page, VIEW) == len(answer["features"])
    assert shown(page)["camera"] == code

    # At night the view ends where infrared light does.
    page.get_by_text("夜间", exact=True).click()
    night = get(page, f"{base}/api/coverage/cameras/{code}/view?edition=2015&when=night")
    first = night["features"][0]["properties"]
    expect(table.locator("tbody tr").first).to_contain_text(ground(first["area_m2"]))


def test_dragging_a_camera_tells_the_difference_before_saving(
    base: str, page: Page, camera: dict[str, Any]
) -> None:
    take(page, base, camera)
    x, y = handle(page, "pole")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 20, steps=5)
    page.mouse.move(x + 60, y + 40, steps=5)
    expect(page.locator("[data-figure=difference]")).to_be_visible()  # while it is dragged
    page.mouse.up()
    page.wait_for_timeout(600)
    answer = tried(page, base, camera)
    row = page.locator(".cv-difference tbody tr").first
    expect(row).to_contain_text(f"{answer['before']['area_share']:.2%}")
    expect(row).to_contain_text(f"{answer['town']['area_share']:.2%}")
    change = answer["difference"]["area_m2_seen"]
    figure = page.locator("[data-figure=difference]")
    expect(figure).to_have_text(
        ("+" if change > 0 else "−") + ground(abs(change)) if abs(change) >= 0.5 else "±0 m²"
    )
    now = get(page, f"{base}/ogc/collections/cameras/items/{camera['id']}")
    assert now["geometry"] == camera["geometry"], "nothing is saved by dragging"
    assert page.get_by_role("button", name="保存到台账").count() == 0, "who only looks saves none"
    page.get_by_role("button", name="还原").click()
    expect(figure).to_have_count(0)
    assert "draft" not in shown(page)


def test_turning_by_handle_keyboard_and_field(
    base: str, page: Page, camera: dict[str, Any]
) -> None:
    take(page, base, camera)
    azimuth = page.get_by_label("方位角", exact=True)
    slider = page.locator(".cv-turn")
    x, y = handle(page, "turn")
    x0, y0 = handle(page, "pole")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x0 + 90, y0 + 1, steps=6)
    page.mouse.move(x0 + 90, y0, steps=2)
    page.mouse.up()
    expect(azimuth).to_have_value("90")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(azimuth).to_have_value("101")
    expect(slider).to_have_attribute("aria-valuenow", "101")
    page.keyboard.press("ArrowLeft")
    expect(azimuth).to_have_value("100")
    azimuth.fill("45")
    expect(slider).to_have_attribute("aria-valuenow", "45")
    page.locator(".cv-pole").focus()
    page.keyboard.press("ArrowUp")
    lat = float(shown(page)["draft"].split(",")[1])
    assert lat - camera["geometry"]["coordinates"][1] == pytest.approx(1 / 111_319.5, rel=0.02)
    page.wait_for_timeout(600)
    answer = tried(page, base, camera)
    area = next(
        one["properties"]["area_m2"]
        for one in answer["views"]["features"]
        if one["properties"]["level"] == "detect"
    )
    expect(page.locator(".cv-levels")).to_contain_text(ground(area))


def test_what_no_camera_can_be_gets_a_sentence_and_no_view(
    base: str, page: Page, camera: dict[str, Any]
) -> None:
    take(page, base, camera)
    assert drawn(page, VIEW) > 0
    alert = page.locator("#coverage").get_by_role("alert")
    for label, value, said in (
        ("俯角", "120", "俯角应为"),
        ("焦距", "0", "焦距应为 大于 0"),
        ("方位角", "", "没有方位角"),
    ):
        field = page.get_by_label(label, exact=True)
        before = field.input_value()
        field.fill(value)
        expect(alert).to_contain_text(said)
        assert drawn(page, VIEW) == 0
        field.fill(before)
        expect(alert).to_be_hidden()
        expect(page.locator(".cv-levels")).to_be_visible()
    # Far outside of the town: what it sees is told, and that its coordinates are probably wrong.
    code = camera["properties"]["code"]
    show(page, f"{base}/#cover=camera;{ASKED};camera={code};draft=117.8,31.86,90,20,4,4")
    expect(page.locator(".cv-notes")).to_contain_text("公里，坐标可能有误，未计入")
    expect(page.locator("#coverage")).to_contain_text("什么也看不到")
    show(page, f"{base}/#cover=camera;{ASKED};camera=99990000001310000001")
    expect(alert).to_contain_text("没有编码为")


def test_the_ladders_are_those_of_the_service(base: str, page: Page) -> None:
    show(page, f"{base}/#cover=sets;{ASKED}")
    level = page.get_by_label("等级", exact=True)
    for year in (2015, 2025):
        page.get_by_text(f"{year} 版").click()
        expect(level.locator("option")).to_have_count(len(LADDERS[year].levels))
        assert level.locator("option").all_inner_texts() == [
            f"{one.zh}　≥ {one.pixels_per_metre:g} px/m" for one in LADDERS[year].levels
        ]
        values = level.locator("option").evaluate_all("all => all.map(one => one.value)")
        assert values == [one.name for one in LADDERS[year].levels]
    assert shown(page)["level"] == "overview", "20 px/m is nearest to the 25 of the other edition"


def test_who_sees_a_point(base: str, page: Page, camera: dict[str, Any]) -> None:
    code = camera["properties"]["code"]
    view = get(page, f"{base}/api/coverage/cameras/{code}/view?edition=2015&when=day")
    ring = view["features"][1]["geometry"]["coordinates"]
    while isinstance(ring[0][0], list):
        ring = ring[0]
    corners = ring[:-1]
    lon, lat = (sum(corner[k] for corner in corners) / len(corners) for k in (0, 1))
    show(page, f"{base}/#map=19/{lon}/{lat}&cover=cover;{ASKED}")
    settle(page)
    pixel = page.evaluate(PIXEL_OF, [lon, lat])
    page.mouse.click(pixel[0] + 14, pixel[1] + 3)
    expect(page.locator("#coverage h2", has_text="谁能看到这里")).to_be_visible()
    lon, lat = map(float, shown(page)["point"].split(","))
    where = f"lon={lon}&lat={lat}&edition=2015&when=day"
    answer = get(page, f"{base}/api/coverage/point?{where}")
    card = page.locator("#coverage")
    if answer["seen_by"]:
        expect(card).to_contain_text(f"{len(answer['seen_by'])} 台摄像机能看到这里")
    listed = card.locator("[data-camera]").evaluate_all("all => all.map(one => one.dataset.camera)")
    assert listed == [one["code"] for one in answer["seen_by"]]
    card.get_by_role("button", name="在这里试装一台").click()
    expect(card.locator(".cv-name")).to_have_text("试装的摄像机")
    expect(page.locator("[data-figure=difference]")).to_be_visible()
    expect(card).to_contain_text("假定")  # nothing is known of a camera that is not there


def test_cover_by_grid_with_its_losses(base: str, page: Page) -> None:
    heard = Heard(page)
    show(page, f"{base}/#cover=cover;{ASKED}")
    table = page.locator(".cv-units")
    expect(table).to_be_visible()
    now = heard.of("coverage", **LEVELS, by="grid")
    designed = heard.of("coverage", **LEVELS | {"state": "designed"}, by="grid")
    expect(page.locator(".cv-summary")).to_have_text(now["summary"]["zh"])
    whole = {unit["code"]: unit["area_share"] for unit in designed["units"]}
    left = {unit["code"]: unit["area_share"] for unit in now["units"]}
    worst = max(whole, key=lambda code: whole[code] - left[code])
    row = table.locator("tbody tr").first
    expect(row.locator("[data-unit]")).to_have_attribute("data-unit", worst)
    expect(row).to_contain_text(f"{whole[worst]:.1%}")
    expect(row).to_contain_text(f"{left[worst]:.1%}")
    losses = page.locator("#coverage [data-camera]")
    assert losses.evaluate_all("all => all.map(one => one.dataset.camera)") == [
        one["code"] for one in now["losses"]
    ]
    with page.expect_download() as saved:
        page.locator("#coverage [data-save=table]").click()
    lines = Path(saved.value.path()).read_text("utf-8-sig").splitlines()
    assert len(lines) == len(whole) + 1
    with page.expect_download() as saved:
        page.locator("#coverage [data-save=geojson]").click()
    file = json.loads(Path(saved.value.path()).read_text())
    assert [one["properties"]["level"] for one in file["features"]] == [
        one.name for one in LADDERS[2015].levels
    ]
    losses.first.click()
    expect(page.locator(".cv-code")).to_have_text(now["losses"][0]["code"])
    # What it alone sees is what its loss costs.
    alone = page.locator("#coverage dl div", has_text="只有它看到").locator("dd")
    expect(alone).to_have_text(ground(now["losses"][0]["lost_m2"]))
    until(page, "geo.map.getView().getZoom() > 16")


def test_blind_spots_are_ranked_and_zoomed_to(base: str, page: Page) -> None:
    heard = Heard(page)
    show(page, f"{base}/#cover=spots;{ASKED}")
    rows = page.locator("[data-spot]")
    expect(rows.first).to_be_visible()
    answer = heard.of("blind-spots", **LEVELS, min_area=200)
    assert rows.count() == len(answer["features"])
    second = answer["features"][1]["properties"]
    expect(rows.nth(1)).to_contain_text(second["sentence"]["zh"])
    rows.nth(1).click()
    until(page, "!geo.map.getView().getAnimating()")
    ring = answer["features"][1]["geometry"]["coordinates"]
    while isinstance(ring[0][0], list):
        ring = ring[0]
    lon, lat = page.evaluate(CENTRE)
    wide = max(x for x, _ in ring) - min(x for x, _ in ring)
    assert min(x for x, _ in ring) - wide < lon < max(x for x, _ in ring) + wide
    assert min(y for _, y in ring) - wide < lat < max(y for _, y in ring) + wide
    expect(rows.nth(1)).to_have_attribute("aria-current", "")


def test_cameras_that_see_into_private_places_are_mended(base: str, page: Page) -> None:
    heard = Heard(page)
    show(page, f"{base}/#cover=privacy;{ASKED}")
    card = page.locator("#coverage")
    expect(card.locator(".cv-reason")).to_contain_text("国务院令第799号")
    answer = heard.of("privacy-intrusions")
    assert answer["features"], "the made-up town has cameras that see too much"
    listed = card.locator("[data-camera]").evaluate_all("all => all.map(one => one.dataset.camera)")
    assert listed == [one["properties"]["code"] for one in answer["features"]]
    mended = next(one["properties"] for one in answer["features"] if one["properties"]["tilt"])
    line = card.locator("li", has=page.locator(f"[data-camera='{mended['code']}']"))
    line.get_by_role("button", name="试这个俯角").click()
    expect(page.get_by_label("俯角", exact=True)).to_have_value(f"{mended['tilt']:g}")
    expect(page.locator("[data-figure=difference]")).to_be_visible()
    expect(card.locator(".cv-notes", has_text="隐私区域")).to_have_count(0)


@pytest.mark.usefixtures("no_plans")
def test_places_to_add_become_a_plan_that_is_compared(base: str, page: Page) -> None:
    heard = Heard(page)
    show(page, f"{base}/#cover=sites;{ASKED}")
    budget = page.get_by_label("台数")
    budget.fill("99")
    page.get_by_role("button", name="找出位置").click()
    expect(page.locator("#coverage").get_by_role("alert")).to_contain_text("1 到 50")
    budget.fill("4")
    page.get_by_label("为了看到").select_option("events")
    page.get_by_role("button", name="找出位置").click()
    sites = page.locator("[data-site]")
    expect(sites).to_have_count(4)
    answer = heard.of("placement", question="add", budget=4, demand="events")
    found = [one["properties"] for one in answer["features"] if one["properties"]["kind"] == "site"]
    for one, text in zip(found, sites.all_inner_texts(), strict=True):
        assert one["sentence"]["zh"] in text
    proof = page.locator(".cv-proof")
    expect(proof).to_contain_text("已证明" if answer["optimal"] else f"{answer['gap']:.2%}")
    page.get_by_role("button", name="采纳到方案").click()
    expect(page.locator(".cv-sets [data-set]")).to_contain_text("加装 4，移动 0，拆除 0")
    (kept,) = get(page, f"{base}/api/coverage/sets")["sets"]
    assert [one["lon"] for one in kept["cameras"]] == pytest.approx(
        [
            one["geometry"]["coordinates"][0]
            for one in answer["features"]
            if one["properties"]["kind"] == "site"
        ],
        abs=1e-6,
    )
    page.locator(".cv-sets input").check()
    page.get_by_role("button", name="比较所选").click()
    compared = get(
        page,
        f"{base}/api/coverage/sets/compare?ids={kept['id']}&edition=2015&level=detect&when=day"
        "&state=online",
    )
    rows = page.locator("#coverage .cv-tight tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text(f"{compared['before']['area_share']:.2%}")
    expect(rows.nth(1)).to_contain_text(f"{compared['sets'][0]['town']['area_share']:.2%}")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator(".cv-sets").get_by_role("button", name="删除方案").click()
    expect(page.locator(".cv-sets")).to_contain_text("还没有方案")
    assert get(page, f"{base}/api/coverage/sets")["sets"] == []


@pytest.mark.usefixtures("no_plans")
def test_a_moved_camera_is_kept_in_a_plan(base: str, page: Page, camera: dict[str, Any]) -> None:
    take(page, base, camera)
    page.get_by_label("方位角", exact=True).fill("77")
    page.get_by_role("button", name="存入方案").click()
    expect(page.locator("#toasts")).to_contain_text("已存入方案")
    (kept,) = get(page, f"{base}/api/coverage/sets")["sets"]
    moved = kept["moved"][camera["properties"]["code"]]
    assert {name: value for name, value in moved.items() if value is not None} == {"azimuth": 77}
    assert shown(page)["set"] == kept["id"]
    face(page, "方案").click()
    expect(page.locator(".cv-parts")).to_contain_text(camera["properties"]["code"])


def test_an_editor_saves_and_is_told_of_conflicts(
    base: str, page: Page, camera: dict[str, Any], demo_service: Service
) -> None:
    before = camera["properties"]["azimuth"]
    sign_in(page, base, "admin")
    try:
        take(page, base, camera)
        page.get_by_label("方位角", exact=True).fill("33")
        # Somebody else is quicker.
        demo_service.sql("UPDATE cameras SET azimuth = 34 WHERE id = %s", camera["id"])
        page.get_by_role("button", name="保存到台账").click()
        expect(page.locator("#coverage").get_by_role("alert")).to_contain_text("刚被别人改过")
        address = f"{base}/ogc/collections/cameras/items/{camera['id']}"
        assert get(page, address)["properties"]["azimuth"] == 34
        page.get_by_role("button", name="保存到台账").click()
        expect(page.locator("#toasts")).to_contain_text("已保存")
        now = get(page, address)
        assert now["properties"]["azimuth"] == 33
        assert now["properties"]["tilt"] == camera["properties"]["tilt"]
        assert now["geometry"] == camera["geometry"]
        assert "draft" not in shown(page)
    finally:
        demo_service.sql("UPDATE cameras SET azimuth = %s WHERE id = %s", before, camera["id"])


def test_a_link_reproduces_what_was_tried(base: str, page: Page, camera: dict[str, Any]) -> None:
    take(page, base, camera)
    page.get_by_label("俯角", exact=True).fill("35")
    page.get_by_label("高度", exact=True).fill("7.5")
    figure = page.locator("[data-figure=difference]")
    expect(figure).to_be_visible()
    page.wait_for_timeout(800)
    seen = page.locator(".cv-difference").inner_text()
    page.evaluate("navigator.clipboard.writeText = async text => { window.copied = text; }")
    page.locator("#coverage [data-save=link]").click()
    show(page, page.evaluate("window.copied"))
    expect(figure).to_be_visible()
    assert page.locator(".cv-difference").inner_text() == seen
    expect(page.get_by_label("俯角", exact=True)).to_have_value("35")
    expect(page.get_by_label("高度", exact=True)).to_have_value("7.5")
    # Leaving the mode takes everything away; coming back brings it again.
    page.get_by_role("tab", name="图层与时间").click()
    expect(page.locator("#coverage")).to_be_hidden()
    expect(page.locator(".cv-turn")).to_be_hidden()
    assert drawn(page, VIEW) == 0
    page.get_by_role("tab", name="热点分析").click()
    expect(page.locator("#coverage")).to_be_hidden()
    page.get_by_role("tab", name="摄像覆盖").click()
    expect(page.get_by_label("俯角", exact=True)).to_have_value("35")


def test_keyboard_names_and_contrast(base: str, page: Page, camera: dict[str, Any]) -> None:
    show(page, f"{base}/")
    page.get_by_role("tab", name="图层与时间").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tab", name="摄像覆盖")).to_be_focused()
    expect(page.locator(".cv-units")).to_be_visible()
    face(page, "覆盖").focus()
    page.keyboard.press("ArrowRight")
    expect(face(page, "盲区")).to_have_attribute("aria-selected", "true")
    take(page, base, camera)
    for name in ("摄像机", "覆盖", "加装", "方案"):
        face(page, name).click()
        expect(page.locator("#coverage [aria-busy=true]")).to_have_count(0)
        assert page.evaluate(UNNAMED) == [], name
        assert page.evaluate(FAINT) == [], name


UNNAMED = """() => [
        ...document.querySelectorAll('button, input, select, a, [role=tab], [role=slider]')
    ]
    .filter(item => item.offsetParent !== null)
    .filter(item => !(item.getAttribute('aria-label') || item.textContent.trim()
                      || item.labels?.[0]?.textContent.trim()))
    .map(item => item.outerHTML)"""

FAINT = """() => {
    const light = text => {
        const [r, g, b] = text.match(/[\\d.]+/g).map(Number)
            .map(value => value / 255)
            .map(value => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = item => {
        for (let up = item; up; up = up.parentElement) {
            const { backgroundColor: color } = getComputedStyle(up);
            if (!/, 0\\)$/.test(color) && color !== 'transparent') return color;
        }
        return 'rgb(255, 255, 255)';
    };
    return [...document.querySelectorAll('#coverage *, .cv-form *, .cv-how *, .cv-legend *')]
        .filter(item => item.offsetParent !== null && !item.disabled)
        .filter(item => [...item.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
        .filter(item => {
            const [a, b] = [light(getComputedStyle(item).color), light(behind(item))];
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
        })
        .map(item => item.outerHTML);
}"""


def test_in_english(base: str, page: Page, camera: dict[str, Any]) -> None:
    code = camera["properties"]["code"]
    show(page, f"{base}/?lang=en#cover=camera;{ASKED};camera={code}")
    expect(page.locator(".cv-levels")).to_be_visible()
    for name in ("Camera", "Cover", "Add", "Plans"):
        face(page, name).click()
        expect(page.locator("#coverage [aria-busy=true]")).to_have_count(0)
        parts = ".cv-form, .cv-how, .cv-tabs, .cv-legend, .cv-card label, .cv-card .note, thead, dt"
        for text in page.locator(parts).all_inner_texts():
            assert not CHINESE.search(text), text


def test_the_wall_tells_cover_now_against_designed(
    base: str, page: Page, demo_service: Service, camera: dict[str, Any]
) -> None:
    page.goto(f"{base}/wall")
    page.evaluate("geo.ready")
    band = page.locator(".card.cover")
    expect(band).to_be_visible()
    now = band.locator("[data-figure=cover-now]")
    answer = get(page, f"{base}/api/coverage/now?by=grid")
    expect(now).to_have_text(f"{answer['town']['now']:.1%}")
    expect(band.locator("[data-figure=cover-designed]")).to_have_text(
        f"{answer['town']['designed']:.1%}"
    )
    sizes = band.locator("strong").evaluate_all(
        "all => all.map(one => parseFloat(getComputedStyle(one).fontSize))"
    )
    assert min(sizes) >= 56, "legible from 8 m"
    overflowing = page.evaluate(
        "document.documentElement.scrollHeight > innerHeight"
        " || document.documentElement.scrollWidth > innerWidth"
    )
    assert not overflowing
    down = f"{answer['town']['offline']:,} 台不在线"
    expect(band).to_contain_text(down)
    switch = "UPDATE cameras SET status = %s WHERE id = %s"
    try:
        demo_service.sql(switch, "fault", camera["id"])
        expect(band).to_contain_text(f"{answer['town']['offline'] + 1:,} 台不在线")
        fewer = get(page, f"{base}/api/coverage/now?by=grid")["town"]
        assert fewer["lost_m2"] >= answer["town"]["lost_m2"]
        expect(now).to_have_text(f"{fewer['now']:.1%}")
    finally:
        demo_service.sql(switch, "online", camera["id"])
    expect(band).to_contain_text(down)


def test_the_wall_does_without_where_nothing_is_known(base: str, page: Page) -> None:
    page.route("**/api/coverage/now*", lambda route: route.fulfill(status=404, json={}))
    page.goto(f"{base}/wall")
    page.evaluate("geo.ready")
    expect(page.locator("[data-figure=cameras-online]")).not_to_have_text("—")
    expect(page.locator(".card.cover")).to_be_hidden()
    tall: float = page.evaluate("document.querySelector('.map-card').clientHeight")
    assert tall > 600
