"""Vertices and edges that are dragged, put in and taken out."""

import math

import pytest
import shapely
from playwright.sync_api import Page, Response, expect

from tests.browser.edit.grids import (
    came,
    corners,
    grids_of,
    holders,
    is_coverage,
    long_edge,
    shapes_of,
    sides,
    three_way,
)
from tests.browser.edit.hand import drag, go, idle, loose, metres, pixel, posted, rests, show, tool
from tests.conftest import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_three_way_node_moves_in_all_three_grids(
    page: Page, service: Service, draft: str
) -> None:
    before = grids_of(page, service.url, draft)
    node, codes = three_way(before)
    go(page, node)
    tool(page, "d")
    loose(page)
    x, y = pixel(page, node)
    answer = posted(page, lambda: drag(page, (x, y), (x + 24, y + 16)))
    assert answer.ok, answer.text()
    after = grids_of(page, service.url, draft)
    (new,) = set.union(*(came(before, after, code) for code in codes))
    assert all(came(before, after, code) == {new} for code in codes)
    assert holders(after, node) == []
    assert math.dist(pixel(page, new), (x + 24, y + 16)) < 1.5
    assert is_coverage(after)
    # What the page shows is what the service has.
    expect(page.locator(f"tr[data-code='{codes[0]}']")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(page.locator("[data-tool='redo']")).to_be_enabled()
    assert grids_of(page, service.url, draft) == before


def test_the_middle_of_an_edge_beside_a_junction(page: Page, service: Service, draft: str) -> None:
    """A vertex is put into the edge on both sides; the third grid at the junction stays."""
    before = grids_of(page, service.url, draft)
    node, codes = three_way(before)
    edges = [edge for edge in sides(before) if node in edge]
    edge = max(edges, key=lambda pair: math.dist(*pair))
    a, b = edge
    middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
    beside = sorted(set(holders(before, a)) & set(holders(before, b)))
    go(page, middle, 18.5)
    tool(page, "d")
    loose(page)
    x, y = pixel(page, middle)
    across = math.atan2(*(p - q for p, q in zip(pixel(page, a), pixel(page, b), strict=True)))
    to = (x + 20 * math.cos(across), y - 20 * math.sin(across))
    answer = posted(page, lambda: drag(page, (x, y), to))
    assert answer.ok, answer.text()
    after = grids_of(page, service.url, draft)
    changed = sorted(code for code in after if after[code]["geometry"] != before[code]["geometry"])
    assert changed == beside
    assert set(codes) - set(beside)
    new = set.intersection(*(came(before, after, code) for code in beside))
    assert any(math.dist(pixel(page, place), to) < 1.5 for place in new)
    assert is_coverage(after)


def test_vertices_are_added_and_taken_away(page: Page, service: Service, draft: str) -> None:
    before = grids_of(page, service.url, draft)
    one, two, middle = long_edge(before)
    go(page, middle, 19)
    tool(page, "i")
    answer = posted(page, lambda: page.mouse.click(*pixel(page, middle)))
    assert answer.ok, answer.text()
    after = grids_of(page, service.url, draft)
    (new,) = set(corners(after[one])) - set(corners(before[one]))
    assert new in corners(after[two])
    page.wait_for_timeout(300)
    tool(page, "x")
    answer = posted(page, lambda: page.mouse.click(*pixel(page, new)))
    assert answer.ok, answer.text()
    assert holders(grids_of(page, service.url, draft), new) == []


def test_a_refusal_is_told_at_its_place_and_all_goes_back(
    page: Page, service: Service, draft: str
) -> None:
    """A node that is dragged right through a grid and out at its other side."""
    before = grids_of(page, service.url, draft)
    node, codes = three_way(before)
    shapes = shapes_of(before)
    go(page, node, 16)
    tool(page, "d")
    loose(page)
    x, y = pixel(page, node)
    away = max(shapely.get_coordinates(shapes[codes[0]]).tolist(), key=lambda c: math.dist(c, node))
    to = pixel(page, (node[0] + 1.6 * (away[0] - node[0]), node[1] + 1.6 * (away[1] - node[1])))
    answer = posted(page, lambda: drag(page, (x, y), to))
    assert answer.status == 422
    told = answer.json()
    bubble = page.locator(".bubble.at-place")
    expect(bubble).to_be_visible()
    expect(bubble).to_contain_text(told["detail_zh"])
    rests(page)
    page.wait_for_timeout(200)
    box = bubble.bounding_box()
    assert box is not None
    px, py = pixel(page, tuple(told["place"]))
    assert abs(box["x"] + box["width"] / 2 - px) < 3
    assert 0 < py - (box["y"] + box["height"]) < 30
    assert grids_of(page, service.url, draft) == before
    shown = page.evaluate(
        "code => geo.map.get('grids').getFeatureById(code).getGeometry().getExtent()",
        codes[0],
    )
    west, south, east, north = shapes[codes[0]].bounds
    assert shown == pytest.approx([*metres((west, south)), *metres((east, north))])


def test_fifty_steps_are_undone_one_by_one(page: Page, service: Service, draft: str) -> None:
    before = grids_of(page, service.url, draft)
    node, _ = three_way(before)
    lon, lat = node
    revision, old = 0, node
    for step in range(50):
        new = (round(lon + 2e-6 * (step + 1), 8), lat)
        answer = page.request.post(
            f"{service.url}/api/drafts/{draft}/operations",
            data={
                "revision": revision,
                "operation": {"operation": "move_vertex", "old": old, "new": new},
            },
        )
        assert answer.ok, answer.text()
        revision, old = answer.json()["revision"], new
    show(page, service.url, draft)
    page.locator(".edit-map").focus()
    done: list[int] = []

    def note(answer: Response) -> None:
        if answer.url.endswith("/undo"):
            done.append(answer.status)

    page.on("response", note)
    for _ in range(50):
        page.keyboard.press("Control+z")
    expect(page.locator("[data-tool='undo']")).to_be_disabled(timeout=60_000)
    idle(page)
    assert done == [200] * 50
    assert grids_of(page, service.url, draft) == before
