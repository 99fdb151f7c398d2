"""Two who change the same grids: the second builds on what the first published."""

import json
from typing import Any

import pytest
import shapely
from playwright.sync_api import Page, expect

from tests.browser.edit.grids import (
    Grids,
    corners,
    editable,
    grids_of,
    holders,
    is_coverage,
    long_edge,
    shapes_of,
    sides,
    three_way,
)
from tests.browser.edit.hand import begin, posted, show, step, take
from tests.conftest import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def corner_cut(grids: Grids) -> tuple[Any, str]:
    """An operation at a node of three grids, and one of these."""
    node, codes = three_way(grids)
    body = shapes_of(grids)[codes[0]]
    inner = shapely.point_on_surface(body)
    new = shapely.line_interpolate_point(
        shapely.LineString([node, (inner.x, inner.y)]), 0.02, normalized=True
    )
    move = {
        "operation": "move_vertex",
        "old": node,
        "new": [round(new.x, 8), round(new.y, 8)],
    }
    return move, codes[0]


def published(page: Page, other: Page, service: Service, draft: str) -> None:
    """Let one hand a draft in, and the other approve and publish it."""
    take(page, service.url, draft, "submit")
    take(other, service.url, draft, "approve", "publish")


def test_the_second_of_two_editors_replays_and_publishes(
    page: Page, other: Page, service: Service, draft: str
) -> None:
    """Both change grids at one node; the first to publish wins, the second builds on it."""
    before = grids_of(page, service.url, draft)
    move, code = corner_cut(before)
    to, giver, middle = long_edge(before)
    area = shapely.Point(middle).buffer(3e-4, quad_segs=4)
    step(page, service.url, draft, {
        "operation": "transfer", "polygon": json.loads(shapely.to_geojson(area)),
        "from_codes": [giver], "to_code": to,
    })  # fmt: skip
    insert = {"operation": "insert_vertex", "place": middle_of_an_edge(before, code)}
    step(page, service.url, draft, insert)
    first = begin(other, service.url)
    step(other, service.url, first, move)
    published(other, page, service, first)

    show(page, service.url, draft)
    again = page.locator("[data-step='rebase']")
    expect(page.locator(".why")).to_contain_text("在新边界上重做")
    expect(page.get_by_role("button", name="提交审核")).to_be_disabled()
    answer = posted(page, again.click, "rebase")
    assert answer.ok, answer.text()
    expect(again).to_have_count(0)
    now = grids_of(page, service.url, draft)
    assert tuple(move["new"]) in corners(now[code])  # what the first published
    assert is_coverage(now)
    answer = posted(page, page.get_by_role("button", name="提交审核").click, "submit")
    assert answer.ok, answer.text()
    take(other, service.url, draft, "approve")
    expect(page.locator(".workflow .state")).to_have_text("已批准")
    page.get_by_role("button", name="发布").click()
    answer = posted(page, page.get_by_role("button", name="确定").click, "publish")
    assert answer.ok, answer.text()


def middle_of_an_edge(grids: Grids, code: str) -> list[float]:
    """The middle of an edge of a grid that another grid within the area shares."""
    own = editable(grids)
    a, b = next(
        tuple(edge)
        for edge, count in sides(own).items()
        if count == 2 and all(code in holders(own, place) for place in edge)
    )
    return [round((a[0] + b[0]) / 2, 8), round((a[1] + b[1]) / 2, 8)]


def test_both_shapes_are_shown_where_the_base_moved(
    page: Page, other: Page, service: Service, draft: str
) -> None:
    """Grids under an approved draft are changed by somebody who knows no drafts: an import, say."""
    grids = grids_of(page, service.url, draft)
    move, _ = corner_cut(grids)
    step(page, service.url, draft, move)
    take(page, service.url, draft, "submit")
    take(other, service.url, draft, "approve")
    show(page, service.url, draft)
    codes = holders(grids, tuple(move["old"]))
    old, west = move["old"], [move["old"][0] - 2e-5, move["old"][1] - 1e-5]
    with service.database.connect() as connection:
        for code in codes:
            connection.execute(
                "UPDATE grids SET geom = ST_GeomFromGeoJSON(replace(ST_AsGeoJSON(geom, 9), %s, %s))"
                " WHERE code = %s AND valid_to IS NULL",
                ["{:.8f},{:.8f}".format(*old), "{:.8f},{:.8f}".format(*west), code],
            )
    page.get_by_role("button", name="发布").click()
    answer = posted(page, page.get_by_role("button", name="确定").click, "publish")
    assert answer.status == 409
    expect(page.locator(".bubble")).to_contain_text("已有新的发布")
    shown = page.evaluate(
        "geo.map.getLayers().getArray().flatMap(layer => layer.getSource()?.getFeatures?.() ?? [])"
        ".map(each => [each.get('side'), each.get('code')]).filter(([side]) => side)"
    )
    assert sorted(map(tuple, shown)) == sorted(
        (side, code) for side in ("theirs", "yours") for code in codes
    )
    expect(page.locator("[data-step='rebase']")).to_be_visible()
