"""The coverage mode by keyboard, in contrast and in English."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.coverage.steps import ASKED, face, take
from tests.browser.test_map import show

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHINESE = re.compile(r"[\u4e00-\u9fff]")


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
    return [...document.querySelectorAll('#coverage *, .form *, .cv-how *, #cover-legend *')]
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
        parts = ".form, .cv-how, .tabs, #cover-legend, .card label, .card .note, thead, dt"
        for text in page.locator(parts).all_inner_texts():
            assert not CHINESE.search(text), text
