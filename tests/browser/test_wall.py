"""The command-centre wall in Chromium, against a running service with the demonstration town."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

INSERT = (
    "INSERT INTO disputes (code, category, occurred_at, geom)"
    " SELECT %s, 'family', now(), ST_PointOnSurface(geom) FROM grids"
    " WHERE valid_to IS NULL ORDER BY code LIMIT 1"
)
DELETE = "DELETE FROM disputes WHERE code LIKE 'TEST-WALL-%%'"
OPEN = "[data-figure=disputes-open]"


@pytest.fixture
def wall(demo_service: Service, page: Page) -> Iterator[Page]:
    """Yield the wall, drawn and connected."""
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(f"{str(demo_service.url).rstrip('/')}/wall")
    page.evaluate("geo.ready")
    expect(page.locator(".connection")).to_have_attribute("data-live", "up")
    yield page
    demo_service.sql(DELETE.replace("%%", "%"))


def figure(wall: Page, name: str) -> int:
    return int(wall.locator(f"[data-figure={name}]").inner_text().replace(",", ""))


def test_figures_are_those_of_the_service(wall: Page) -> None:
    state = wall.request.get(wall.url.replace("/wall", "/api/wall")).json()
    for layer in ("disputes", "hazards"):
        for name in ("open", "today", "week", "overdue", "closed"):
            assert figure(wall, f"{layer}-{name}") == state[layer][name], f"{layer} {name}"
    for name in ("online", "offline", "fault", "total"):
        assert figure(wall, f"cameras-{name}") == state["cameras"][name], name


def test_key_figures_are_legible_from_afar(wall: Page) -> None:
    sizes = wall.locator(".figure.main strong, .figure.second strong, .figure.third strong")
    pixels = sizes.evaluate_all("all => all.map(one => parseFloat(getComputedStyle(one).fontSize))")
    assert len(pixels) == 12
    assert min(pixels) >= 56
    overflowing = wall.evaluate(
        "document.documentElement.scrollHeight > innerHeight"
        " || document.documentElement.scrollWidth > innerWidth"
    )
    assert not overflowing


def test_a_change_shows_within_two_seconds(wall: Page, demo_service: Service) -> None:
    before = figure(wall, "disputes-open")
    taken: list[float] = []
    # The promise is of the page, not of the machine: of three tries one must not be held up.
    for number in range(1, 4):
        began = time.monotonic()
        demo_service.sql(INSERT, f"TEST-WALL-{number}")
        expect(wall.locator(OPEN)).to_have_text(f"{before + number:,}", timeout=20_000)
        taken.append(time.monotonic() - began)
        if taken[-1] < 2:
            break
    assert min(taken) < 2, taken
    expect(wall.locator(".ticker .fresh")).not_to_have_count(0)
    expect(wall.locator(".ripple.disputes")).not_to_have_count(0)


def test_a_burst_of_changes_ends_right(wall: Page, demo_service: Service) -> None:
    before = figure(wall, "disputes-open")
    for number in range(30):
        demo_service.sql(INSERT, f"TEST-WALL-{number}")
    expect(wall.locator(OPEN)).to_have_text(f"{before + 30:,}", timeout=20_000)
    assert wall.locator(".ripple").count() <= 8
    assert wall.locator(".ticker li").count() <= 8


def test_it_says_so_when_the_connection_is_lost_and_recovers(
    wall: Page, demo_service: Service
) -> None:
    before = figure(wall, "disputes-open")
    wall.context.set_offline(True)
    connection = wall.locator(".connection")
    expect(connection).to_have_attribute("data-live", "down", timeout=20_000)
    expect(connection).to_contain_text("连接中断，数据截至")
    assert figure(wall, "disputes-open") == before
    demo_service.sql(INSERT, "TEST-WALL-LOST")
    wall.context.set_offline(False)
    expect(connection).to_have_attribute("data-live", "up", timeout=20_000)
    expect(wall.locator(OPEN)).to_have_text(f"{before + 1:,}", timeout=20_000)


def test_english(demo_service: Service, page: Page) -> None:
    page.goto(f"{str(demo_service.url).rstrip('/')}/wall?lang=en")
    expect(page.locator(".card.disputes h2").first).to_have_text("Disputes")
    expect(page.locator(".badge")).to_have_text("Demo data (made up)")
