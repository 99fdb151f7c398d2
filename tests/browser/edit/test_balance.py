"""The figures, the limits, and fair divisions that are suggested."""

import re

import pytest
import shapely
from playwright.sync_api import Page, expect
from shapely.geometry import shape

from tests.browser.edit.grids import AREA, ask, grids_of, long_edge
from tests.browser.edit.hand import go, loose, pixel, posted, show, tool
from tests.conftest import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_suggestion_is_taken(page: Page, service: Service, draft: str) -> None:
    before = grids_of(page, service.url, draft)
    rows = ask(page, service.url, draft, "/balance")["grids"]
    most = max(
        (row for row in rows if before[row["code"]]["properties"]["editable"]),
        key=lambda row: row["households"],
    )
    page.locator(f"tr[data-code='{most['code']}'] button").click()
    page.get_by_role("tab", name="建议").click()
    with page.expect_response(lambda answer: answer.url.endswith("/suggestions"), timeout=40_000):
        page.get_by_role("button", name="出方案").click()
    first = page.locator(".suggestion").first
    expect(first).to_have_class(re.compile("shown"))
    told = [int(re.sub(r"\D", "", text)) for text in first.locator("td b").all_inner_texts()]
    assert sum(told) == pytest.approx(most["households"], abs=1)
    answer = posted(page, lambda: first.get_by_role("button", name="采用").click())
    assert answer.ok, answer.text()
    expect(page.locator(".suggestion")).to_have_count(0)
    after = grids_of(page, service.url, draft)
    (new,) = set(after) - set(before)
    rows = ask(page, service.url, draft, "/balance")["grids"]
    now = {row["code"]: row["households"] for row in rows}
    assert sorted((now[most["code"]], now[new])) == sorted(told)
    expect(page.locator("[data-tool='undo']")).to_be_enabled()


def test_an_administrator_sets_the_limits_of_the_town(
    page: Page, other: Page, service: Service, draft: str
) -> None:
    """What the colours mean follows the town's setting, everywhere on the page."""
    expect(page.locator(".limits")).to_contain_text("标准 300–500 户")
    expect(page.locator(".limits button")).to_be_hidden()  # editors do not set it
    show(other, service.url, draft)
    other.locator(".limits button").click()
    low, high = other.get_by_label("最少户数"), other.get_by_label("最多户数")
    low.fill("900")
    other.get_by_role("button", name="保存").click()
    assert "上限" in high.evaluate("field => field.validationMessage")
    rows = ask(other, service.url, draft, "/balance")["grids"]
    basic = sorted(row["households"] for row in rows if row["kind"] == "basic")
    low.fill(str(round(basic[3])))
    high.fill(str(round(basic[-3])))
    try:
        with other.expect_response("**/api/household-limits/*") as saved:
            other.get_by_role("button", name="保存").click()
        assert saved.value.ok, saved.value.text()
        words = f"{round(basic[3])}–{round(basic[-3])} 户"
        expect(other.locator(".limits")).to_contain_text(words)
        expect(other.locator(".edit-legend:not(.both-sides)")).to_contain_text(words)
        now = ask(other, service.url, draft, "/balance")["grids"]
        for row in now:
            line = other.locator(f"tr[data-code='{row['code']}']")
            if line.count():
                expect(line).to_have_attribute("data-state", row["state"])
        assert {"above", "below", "within"} == {row["state"] for row in now}
    finally:
        gone = other.request.delete(
            f"{service.url}/api/household-limits/{AREA[:9]}", headers={"Origin": service.url}
        )
        assert gone.ok, gone.text()


def test_buildings_that_a_dragged_edge_runs_through_are_marked(
    page: Page, service: Service, draft: str
) -> None:
    grids = grids_of(page, service.url, draft)
    _, _, middle = long_edge(grids)
    bbox = ",".join(str(v) for v in (*(c - 2e-3 for c in middle), *(c + 2e-3 for c in middle)))
    items = page.request.get(f"{service.url}/ogc/collections/buildings/items?limit=500&bbox={bbox}")
    houses = [shape(each["geometry"]) for each in items.json()["features"]]
    house = min(houses, key=lambda each: each.distance(shapely.Point(middle)))
    inner = shapely.point_on_surface(house)
    go(page, middle, 18)
    tool(page, "d")
    loose(page)
    x, y = pixel(page, middle)
    page.mouse.move(x + 1, y)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(*pixel(page, (inner.x, inner.y)), steps=6)
    marked = (
        "geo.map.getLayers().getArray().filter(layer => layer.getZIndex() === 525)"
        ".flatMap(layer => layer.getSource().getFeatures()).length"
    )
    for _ in range(40):
        if page.evaluate(marked):
            break
        page.wait_for_timeout(100)
    assert page.evaluate(marked) >= 1
    page.keyboard.press("Escape")
    page.mouse.move(x, y, steps=4)
    page.mouse.up()
    page.wait_for_timeout(300)
    assert page.evaluate(marked) == 0
