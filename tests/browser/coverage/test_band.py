"""The band of coverage on the wall in Chromium."""

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.test_map import get
from tests.conftest import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


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


def test_the_band_has_its_room_while_the_cover_is_computed(base: str, page: Page) -> None:
    held: list[Route] = []
    page.route("**/api/coverage/now*", lambda route: held.append(route))  # noqa: PLW0108
    page.goto(f"{base}/wall")
    page.evaluate("geo.ready")
    band = page.locator(".card.cover")
    expect(band).to_contain_text("正在计算")
    tall = "document.querySelector('.map-card').clientHeight"
    before: float = page.evaluate(tall)
    held[0].continue_()
    expect(band.locator("[data-figure=cover-now]")).to_contain_text("%")
    expect(band).not_to_contain_text("正在计算")
    assert page.evaluate(tall) == before, "nothing jumps"
