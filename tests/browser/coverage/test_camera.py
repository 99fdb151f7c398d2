"""One camera on the map in Chromium: its view, dragged, turned, refused, saved; who sees where."""

from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.coverage.steps import (
    ASKED,
    VIEW,
    drawn,
    ground,
    handle,
    shown,
    sign_in,
    take,
    tried,
)
from tests.browser.test_map import PIXEL_OF, get, settle, show
from tests.conftest import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


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
    expect(page.locator("#coverage h3", has_text="谁能看到这里")).to_be_visible()
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


def test_reach_and_view_of_a_turning_camera_are_told_apart(base: str, page: Page) -> None:
    wanted = quote("form = 'ptz' AND status = 'online'")
    turning = get(page, f"{base}/ogc/collections/cameras/items?limit=1&filter={wanted}")
    camera = turning["features"][0]
    take(page, base, camera)
    address = f"{base}/api/coverage/cameras/{camera['properties']['code']}/view?edition=2015"
    known = get(page, address)

    def areas(answer: Any, extent: str) -> list[str]:
        told = [one["properties"] for one in answer["features"]]
        return [
            ground(one["area_m2"]) for one in told if one["extent"] == extent and one["area_m2"] > 0
        ]

    seen = page.locator(".cv-levels tbody td:last-child")
    expect(seen).to_have_text(areas(known, "reach"))
    page.get_by_text("此刻视野", exact=True).click()
    expect(seen).to_have_text(areas(known, "now"))
    preset = page.get_by_label("预置位", exact=True)
    headings = known["camera"]["presets"]
    expect(preset.locator("option")).to_have_count(len(headings))
    preset.select_option("1")
    other = get(page, f"{address}&preset=1")
    expect(seen).to_have_text(areas(other, "now"))
    page.get_by_text("可达范围", exact=False).first.click()
    expect(preset).to_be_hidden()
    expect(seen).to_have_text(areas(other, "reach"))
