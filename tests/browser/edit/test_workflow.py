"""A draft on its way: kept, seen by two, reviewed, published, rolled back."""

import json
import math
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import shapely
from playwright.sync_api import Page, expect
from shapely.geometry import shape

from tests.browser.edit.grids import (
    ask,
    came,
    grids_of,
    holders,
    long_edge,
    shapes_of,
    three_way,
)
from tests.browser.edit.hand import (
    begin,
    drag,
    go,
    loose,
    metres,
    pixel,
    posted,
    show,
    step,
    take,
    tool,
)
from tests.conftest import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_what_did_not_arrive_is_kept_on_the_pc(page: Page, service: Service, draft: str) -> None:
    before = grids_of(page, service.url, draft)
    node, _ = three_way(before)
    page.route("**/operations", lambda route: route.abort())
    go(page, node)
    tool(page, "d")
    loose(page)
    x, y = pixel(page, node)
    drag(page, (x, y), (x + 20, y + 10))
    expect(page.get_by_role("alert").first).to_contain_text("还没有保存")
    page.unroute("**/operations")
    show(page, service.url, draft)
    expect(page.locator("#notice")).to_contain_text("移动顶点")
    answer = posted(page, lambda: page.get_by_role("button", name="现在保存").click())
    assert answer.ok, answer.text()
    assert holders(grids_of(page, service.url, draft), node) == []
    show(page, service.url, draft)
    expect(page.locator("#notice")).to_be_hidden()


def test_two_editors_see_each_other(page: Page, other: Page, service: Service, draft: str) -> None:
    before = grids_of(page, service.url, draft)
    node, codes = three_way(before)
    show(other, service.url, draft)
    go(page, node)
    tool(page, "d")
    loose(page)
    x, y = pixel(page, node)
    assert posted(page, lambda: drag(page, (x, y), (x + 20, y + 10))).ok
    expect(other.locator(".toast")).to_contain_text("editor")
    (place,) = came(before, grids_of(page, service.url, draft), codes[0])
    new = metres(place)
    for each in (page, other):
        found = each.evaluate(
            "code => geo.map.get('grids').getFeatureById(code).getGeometry().getFlatCoordinates()",
            codes[0],
        )
        pairs = zip(found[::2], found[1::2], strict=True)
        assert min(math.dist(pair, new) for pair in pairs) < 1e-6


def test_review_publish_and_roll_back(page: Page, other: Page, service: Service) -> None:
    draft = begin(page, service.url)
    show(page, service.url, draft)
    before = grids_of(page, service.url, draft)
    to, giver, middle = long_edge(before)
    area = shapely.Point(middle).buffer(4e-4, quad_segs=4)
    answer = page.request.post(
        f"{service.url}/api/drafts/{draft}/operations",
        data={
            "revision": 0,
            "operation": {
                "operation": "transfer",
                "polygon": json.loads(shapely.to_geojson(area)),
                "from_codes": [giver],
                "to_code": to,
            },
        },
    )
    assert answer.ok, answer.text()
    posted(page, lambda: page.get_by_role("button", name="提交审核").click(), "submit")
    expect(page.locator(".workflow .state")).to_have_text("待审核")
    expect(page.get_by_role("button", name="批准")).to_be_disabled()
    expect(page.locator(".why")).to_contain_text("起草人不能审核")
    expect(page.locator("[data-tool='split']")).to_be_disabled()

    show(other, service.url, draft)
    other.get_by_role("button", name="审阅变更").click()
    row = other.locator(".review-panel .balance tbody tr")
    expect(row).to_have_count(1)
    moved = ask(other, service.url, draft, "/review")["gains"]["features"][0]["properties"]
    assert row.locator("td").first.inner_text() == f"{round(moved['households']):,}"
    curtain = other.locator(".stage .hs-curtain")
    box, stage = curtain.bounding_box(), other.locator(".stage").bounding_box()
    assert box is not None
    assert stage is not None
    x, y = box["x"] + box["width"] / 2, stage["y"] + 300
    other.mouse.move(x, y)
    other.mouse.down()
    other.mouse.move(stage["x"] + stage["width"] / 4, y)
    other.mouse.up()
    box = curtain.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] / 2 == pytest.approx(stage["x"] + stage["width"] / 4, abs=2)

    other.get_by_role("tab", name="意见").click()
    other.get_by_role("textbox", name="意见").fill("这里以河为界更好")
    other.get_by_role("button", name="钉在地图上").click()
    go(other, middle, 18)
    other.mouse.click(*pixel(other, middle))
    expect(other.locator(".pinned-at")).to_contain_text("已钉在")
    posted(other, lambda: other.get_by_role("button", name="提出").click(), "comments")
    expect(page.locator(".comments .pin")).to_have_count(1)  # live, though its tab is closed

    posted(other, lambda: other.get_by_role("button", name="批准").click(), "approve")
    expect(page.locator(".workflow .state")).to_have_text("已批准")
    other.get_by_role("button", name="发布").click()
    answer = posted(other, lambda: other.get_by_role("button", name="确定").click(), "publish")
    assert answer.ok, answer.text()
    expect(other.locator(".workflow .state")).to_have_text("已发布")

    def published(code: str) -> Any:
        found = page.request.get(f"{service.url}/ogc/collections/grids/items?code={code}").json()[
            "features"
        ]
        assert len(found) == 1
        return shape(found[0]["geometry"])

    after = shapes_of(grids_of(page, service.url, draft))
    assert published(to).equals(after[to])
    other.get_by_role("button", name="回滚").click()
    answer = posted(other, lambda: other.get_by_role("button", name="确定").click(), "rollback")
    assert answer.ok, answer.text()
    assert published(to).equals(shapes_of(before)[to])


def test_name_and_reason_are_said_anew(page: Page, service: Service, draft: str) -> None:
    page.get_by_role("button", name="修改名称和理由").click()
    page.get_by_label("名称").fill("老街社区第 2 稿")
    page.get_by_label("理由").fill("新小区入住，户数超标")
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".draft-name")).to_have_text("老街社区第 2 稿")
    expect(page.locator(".reason")).to_have_text("新小区入住，户数超标")
    record = ask(page, service.url, draft, "")
    assert (record["name"], record["reason"]) == ("老街社区第 2 稿", "新小区入住，户数超标")


def test_a_draft_takes_effect_on_a_day_to_come(
    page: Page, other: Page, service: Service, draft: str
) -> None:
    grids = grids_of(page, service.url, draft)
    _, _, middle = long_edge(grids)
    step(page, service.url, draft, {"operation": "insert_vertex", "place": middle})
    take(page, service.url, draft, "submit")
    take(other, service.url, draft, "approve")
    expect(page.locator(".workflow .state")).to_have_text("已批准")
    day = (datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(days=9)).date().isoformat()
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        page.get_by_label("生效日期").fill(day)
    page.get_by_role("button", name="发布").click()
    expect(page.locator(".confirm")).to_contain_text(f"到 {day} 自动发布")
    answer = posted(page, page.get_by_role("button", name="确定").click, "publish")
    assert answer.ok, answer.text()
    expect(page.locator(".why")).to_contain_text(f"已定于 {day} 生效")
    expect(page.locator(".workflow .state")).to_have_text("已批准")
    page.get_by_role("button", name="取消预定").click()
    expect(page.get_by_role("button", name="发布")).to_be_visible()
    expect(page.get_by_label("生效日期")).to_have_value("")
    assert ask(page, service.url, draft, "")["scheduled_by"] is None
