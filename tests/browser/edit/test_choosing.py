"""Grids and ground that are chosen: neighbours, merging, what is given to another grid."""

import math
import re
from typing import Any

import pytest
import shapely
from playwright.sync_api import Page, expect
from shapely.geometry import shape

from tests.browser.edit.grids import (
    editable,
    grids_of,
    is_coverage,
    long_edge,
    shapes_of,
    three_way,
)
from tests.browser.edit.hand import go, pixel, posted, tool
from tests.conftest import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_chosen_grid_tints_its_neighbours(page: Page, service: Service, draft: str) -> None:
    grids = grids_of(page, service.url, draft)
    place, codes = three_way(grids)
    go(page, place, 17)
    inner = shapely.point_on_surface(shapes_of(grids)[codes[0]])
    go(page, (inner.x, inner.y), 17)
    page.mouse.click(*pixel(page, (inner.x, inner.y)))
    expect(page.locator(f"tr[data-code='{codes[0]}']")).to_have_class("selected")
    page.get_by_role("tab", name="坐标").click()
    expect(page.get_by_label("网格", exact=True)).to_have_value(codes[0])
    page.get_by_label("操作").select_option("merge")
    offered = page.locator(".join input").evaluate_all("boxes => boxes.map(box => box.value)")
    shapes = shapes_of(editable(grids))
    mine = shapes.pop(codes[0])
    beside = [code for code, each in shapes.items() if mine.intersection(each).length > 1e-9]
    assert sorted(offered) == sorted(beside)


def test_neighbours_are_merged_and_strangers_refused(
    page: Page, service: Service, draft: str
) -> None:
    before = grids_of(page, service.url, draft)
    shapes = shapes_of(editable(before))
    into, joined, _ = long_edge(before)
    far = next(
        code
        for code, each in sorted(shapes.items())
        if code not in {into, joined}
        and each.distance(shapes[into]) > 0
        and each.distance(shapes[joined]) > 0
    )
    page.get_by_role("button", name="合并").click()
    for code in (into, far):
        inner = shapely.point_on_surface(shapes[code])
        go(page, (inner.x, inner.y), 17)
        page.mouse.click(*pixel(page, (inner.x, inner.y)))
        page.wait_for_timeout(300)  # else two clicks are a double one
    expect(page.locator(".bubble")).to_contain_text("不相邻")
    page.keyboard.press("Escape")
    inner = shapely.point_on_surface(shapes[joined])
    go(page, (inner.x, inner.y), 17)
    page.mouse.click(*pixel(page, (inner.x, inner.y)))
    answer = posted(page, lambda: page.keyboard.press("Enter"))
    assert answer.ok, answer.text()
    after = grids_of(page, service.url, draft)
    assert joined not in after
    assert shape(after[into]["geometry"]).area == pytest.approx(
        shapes[into].area + shapes[joined].area
    )


def test_a_lasso_transfers(page: Page, service: Service, draft: str) -> None:
    before = grids_of(page, service.url, draft)
    to, giver, middle = long_edge(before)
    inner = shapely.point_on_surface(shapes_of(before)[to])
    go(page, (inner.x, inner.y), 17)
    tool(page, "t")
    page.mouse.click(*pixel(page, (inner.x, inner.y)))
    go(page, middle, 19)
    x, y = pixel(page, middle)

    def circle() -> None:
        page.mouse.move(x + 60, y)
        page.mouse.down()
        for step in range(1, 25):
            angle = step / 24 * 2 * math.pi
            page.mouse.move(x + 60 * math.cos(angle), y + 60 * math.sin(angle))
        page.mouse.up()

    answer = posted(page, circle)
    assert answer.ok, answer.text()
    after = grids_of(page, service.url, draft)
    was, now = shapes_of(before), shapes_of(after)
    assert now[to].area > was[to].area
    assert now[giver].area < was[giver].area
    assert now[to].union(now[giver]).symmetric_difference(was[to].union(was[giver])).area < 1e-12
    assert is_coverage(after)


def given(page: Page, service: Service, draft: str, by: str) -> tuple[str, str, Any]:
    """A grid, one beside it, and a piece of that which may go over: the rest stays whole."""
    own = shapes_of(editable(grids_of(page, service.url, draft)))
    for giver, body in sorted(own.items()):
        asked = f"{service.url}/api/drafts/{draft}/blocks?code={giver}&by={by}"
        for each in page.request.get(asked).json()["features"]:
            piece = shape(each["geometry"])
            left = body.difference(piece.buffer(1e-7))
            if left.geom_type != "Polygon" or left.area < piece.area:
                continue
            for to, other in own.items():
                if to != giver and piece.buffer(1e-6).intersection(other).area > 1e-10:
                    return to, giver, piece
    raise AssertionError("no piece can be given away")


@pytest.mark.parametrize(("way", "by"), [("点街坊", "block"), ("点建筑", "building")])
def test_what_is_clicked_is_transferred(
    page: Page, service: Service, draft: str, way: str, by: str
) -> None:
    shapes = shapes_of(grids_of(page, service.url, draft))
    to, giver, piece = given(page, service, draft, by)
    inner = shapely.point_on_surface(shapes[to])
    go(page, (inner.x, inner.y), 17)
    tool(page, "t")
    page.mouse.click(*pixel(page, (inner.x, inner.y)))
    with page.expect_response(re.compile(r"/blocks\?")):
        page.get_by_role("button", name=way).click()
    at = shapely.point_on_surface(piece)
    go(page, (at.x, at.y), 18)
    page.wait_for_timeout(300)
    page.mouse.click(*pixel(page, (at.x, at.y)))
    expect(page.locator(".hint-text")).to_contain_text("已选 1 块")
    page.locator(".edit-map").focus()
    answer = posted(page, lambda: page.keyboard.press("Enter"))
    assert answer.ok, answer.text()
    after = shapes_of(grids_of(page, service.url, draft))
    gained = after[to].difference(shapes[to])
    assert gained.symmetric_difference(piece.intersection(shapes[giver])).area < 1e-10
