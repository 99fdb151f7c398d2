"""The editor by keyboard alone."""

import json
import math

import pytest
from playwright.sync_api import Page, expect

from tests.browser.edit.grids import crossing, grids_of
from tests.browser.edit.hand import go, pixel, posted, tab_to
from tests.conftest import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_keyboard_alone_splits_by_typing(page: Page, service: Service, draft: str) -> None:
    before = grids_of(page, service.url, draft)
    code, start, end = crossing(before)
    tab_to(page, page.get_by_role("tab", name="平衡"))
    page.keyboard.press("ArrowRight")
    field = page.get_by_label("网格", exact=True)
    tab_to(page, field)
    for _ in range(40):
        if field.input_value() == code:
            break
        page.keyboard.press("ArrowDown")
    add = page.get_by_role("button", name="加一点")
    for lon, lat in (start, end):
        tab_to(page, add)
        page.keyboard.press("Enter")
        page.keyboard.type(f"{lon:.8f}")
        page.keyboard.press("Tab")
        page.keyboard.type(f"{lat:.8f}")
    tab_to(page, page.locator(".table-form .primary"))
    answer = posted(page, lambda: page.keyboard.press("Enter"))
    assert answer.ok, answer.text()
    assert len(grids_of(page, service.url, draft)) == len(before) + 1
    expect(page.locator("#said")).to_contain_text("切分完成")


def test_keyboard_alone_splits_on_the_map(page: Page, service: Service, draft: str) -> None:
    before = grids_of(page, service.url, draft)
    code, start, end = crossing(before)
    go(page, ((start[0] + end[0]) / 2, start[1]), 16)
    tab_to(page, page.locator(".edit-map"))
    page.keyboard.press("s")
    width = pixel(page, end)[0] - pixel(page, start)[0]
    steps = math.ceil(width / 2 / 12) + 1
    for _ in range(steps):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    for _ in range(2 * steps):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    answer = posted(page, lambda: page.keyboard.press("Enter"))
    assert answer.ok, answer.text()
    assert json.loads(answer.request.post_data or "{}")["operation"]["code"] == code
    assert len(grids_of(page, service.url, draft)) == len(before) + 1
