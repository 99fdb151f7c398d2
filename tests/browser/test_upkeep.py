"""A wall stays up for months: what it does by the clock, with the clock moved."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def wall(page: Page, demo_service: Service) -> Page:
    """The wall, drawn and connected, at three in the morning."""
    page.clock.install(time=datetime(2026, 11, 23, 3, 0, tzinfo=ZoneInfo("Asia/Shanghai")))
    page.goto(f"{demo_service.url}/wall")
    page.evaluate("geo.ready")
    expect(page.locator(".connection")).to_have_attribute("data-live", "up")
    return page


def test_it_reloads_at_night(wall: Page) -> None:
    wall.evaluate("window.before = true")
    with wall.expect_event("load", timeout=60_000):
        wall.clock.fast_forward("01:10:00")
    assert wall.evaluate("window.before") is None
    wall.evaluate("geo.ready")
    expect(wall.locator(".connection")).to_have_attribute("data-live", "up")


def test_it_does_not_reload_by_day(wall: Page) -> None:
    wall.evaluate("window.before = true")
    wall.clock.fast_forward("00:30:00")
    wall.wait_for_timeout(1_000)
    assert wall.evaluate("window.before") is True


def test_a_connection_that_fell_silent_is_opened_anew(wall: Page) -> None:
    with wall.expect_request("**/api/live**", timeout=60_000):
        wall.clock.fast_forward(41_000)
    expect(wall.locator(".connection")).to_have_attribute("data-live", "up", timeout=20_000)
