"""Places to add cameras at, and plans, in Chromium: found, adopted, compared, dropped."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.coverage.steps import ASKED, Heard, face, shown, take
from tests.browser.test_map import get, show

pytestmark = [pytest.mark.browser, pytest.mark.slow]


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


@pytest.mark.usefixtures("no_plans")
def test_places_that_are_nearest_become_cameras_that_see_all_around(base: str, page: Page) -> None:
    heard = Heard(page)
    show(page, f"{base}/#cover=sites;{ASKED}")
    page.get_by_text("就近", exact=True).click()
    expect(page.locator(".cv-ask .note")).to_contain_text("p-中位")
    page.get_by_label("台数").fill("3")
    page.get_by_label("为了看到").select_option("events")
    page.get_by_role("button", name="找出位置").click()
    sites = page.locator("[data-site]")
    expect(sites).to_have_count(3)
    answer = heard.of("placement", question="p-median", budget=3, demand="events")
    headline = page.locator(".cv-headline")
    expect(headline).to_contain_text(f"{answer['mean_m']:.1f} 米")
    expect(headline).to_contain_text(f"{answer['mean_m_before']:.1f} 米")
    assert answer["mean_m"] < answer["mean_m_before"]
    weights = [one["properties"]["serves"] for one in answer["features"]]
    for weight, text in zip(weights, sites.all_inner_texts(), strict=True):
        assert f"就近服务 {round(weight, 1):g} 起事件" in text
    page.get_by_role("button", name="采纳到方案").click()
    expect(page.locator(".cv-sets [data-set]")).to_contain_text("加装 3")
    (kept,) = get(page, f"{base}/api/coverage/sets")["sets"]
    assert {one["form"] for one in kept["cameras"]} == {"panoramic"}
    page.locator(".cv-sets input").check()
    page.get_by_role("button", name="比较所选").click()
    expect(page.locator("#coverage .cv-tight tbody tr")).to_have_count(2)
