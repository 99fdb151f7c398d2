"""The side table: coordinates that are typed."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.edit.grids import corners, grids_of, holders, is_coverage, three_way
from tests.browser.edit.hand import posted
from tests.conftest import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_coordinate_that_is_typed_moves_the_vertex_in_all_grids(
    page: Page, service: Service, draft: str
) -> None:
    before = grids_of(page, service.url, draft)
    node, codes = three_way(before)
    page.get_by_role("tab", name="坐标").click()
    page.get_by_label("网格", exact=True).select_option(codes[0])
    page.get_by_label("操作").select_option("vertices")
    number = corners(before[codes[0]]).index(node) + 1
    more = page.get_by_role("button", name="再显示")
    while number > page.locator(".vertex-table tbody tr").count():
        more.click()
    row = page.locator(".vertex-table tbody tr").nth(number - 1)
    expect(row).to_contain_text("3 格共有")
    lon, lat = row.locator("input").nth(0), row.locator("input").nth(1)
    assert (float(lon.input_value()), float(lat.input_value())) == node
    lon.fill("一百一十七")
    lon.press("Enter")
    expect(page.locator(".bubble")).to_contain_text("不是坐标")
    new = (round(node[0] + 3e-5, 8), round(node[1] - 2e-5, 8))
    lon.fill(str(new[0]))
    lat.fill(str(new[1]))
    answer = posted(page, lambda: lat.press("Enter"))
    assert answer.ok, answer.text()
    after = grids_of(page, service.url, draft)
    assert holders(after, new) == codes
    assert holders(after, node) == []
    assert is_coverage(after)
    # The row stays, with what is now: the next coordinate can be typed at once.
    expect(row.locator("input").nth(0)).to_have_value(f"{new[0]:.8f}")


def test_a_pasted_line_fills_the_rows(page: Page, service: Service, draft: str) -> None:
    """Two columns, as from a spreadsheet; one that is no coordinate is told with its row."""
    page.get_by_role("tab", name="坐标").click()
    page.get_by_role("button", name="加一点").click()
    page.locator(".rows input").first.evaluate(
        "(field, text) => { const data = new DataTransfer(); data.setData('text', text);"
        " field.dispatchEvent(new ClipboardEvent('paste',"
        " { clipboardData: data, bubbles: true })); }",
        "117.21\t31.85\n117.22\t131.85\n",
    )
    values = page.locator(".rows input").evaluate_all("all => all.map(one => one.value)")
    assert values == ["117.21", "31.85", "117.22", "131.85"]
    page.get_by_label("网格", exact=True).select_option(index=1)
    page.locator(".table-form .primary").click()
    expect(page.locator(".bubble")).to_contain_text("第 2 行不是坐标")
