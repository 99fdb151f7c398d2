"""Lines and outlines that are drawn: splits, new edges, new outlines."""

import json
import math
from typing import Any

import pytest
import shapely
import shapely.ops
from playwright.sync_api import Page, expect
from shapely.geometry import shape

from tests.browser.edit.grids import (
    AREA,
    Grids,
    Place,
    corners,
    crossing,
    editable,
    grids_of,
    is_coverage,
    long_edge,
    shapes_of,
    three_way,
)
from tests.browser.edit.hand import clicked, ended, fit, go, loose, pixel, posted, show, tool
from tests.conftest import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_line_splits_a_grid(page: Page, service: Service, draft: str) -> None:
    before = grids_of(page, service.url, draft)
    code, start, end = crossing(before)
    go(page, ((start[0] + end[0]) / 2, start[1]), 16.5)
    tool(page, "s")
    loose(page)
    page.mouse.click(*pixel(page, start))
    answer = posted(page, lambda: page.mouse.dblclick(*pixel(page, end)))
    assert answer.ok, answer.text()
    after = grids_of(page, service.url, draft)
    (new,) = set(after) - set(before)
    assert new.startswith(AREA)
    whole, parts = shapes_of(before)[code], [shapes_of(after)[each] for each in (code, new)]
    assert whole.symmetric_difference(shapely.union_all(parts)).area < 1e-10  # 1 m²
    assert is_coverage(after)
    for each in (code, new):
        expect(page.locator(f"tr[data-code='{each}']")).to_have_class("selected")


def near(page: Page, service: Service, layer: str, at: Place, reach: float = 2e-3) -> list[Any]:
    """The shapes of a layer around a place."""
    lon, lat = at
    bbox = f"{lon - reach},{lat - reach},{lon + reach},{lat + reach}"
    found = page.request.get(f"{service.url}/ogc/collections/{layer}/items?limit=500&bbox={bbox}")
    return [shape(each["geometry"]) for each in found.json()["features"]]


def kept(page: Page, draft: str) -> list[Place]:
    """The line that is being drawn, as the browser keeps it."""
    text = page.evaluate("id => localStorage.getItem(`geo-service.edit.${id}`)", draft)
    return [(lon, lat) for lon, lat in json.loads(text)["sketch"]["line"]]


def test_points_snap_to_nodes_edges_roads_and_buildings(
    page: Page, service: Service, draft: str
) -> None:
    grids = grids_of(page, service.url, draft)
    node, _ = three_way(grids)
    outlines = shapely.union_all([each.boundary for each in shapes_of(grids).values()])
    buildings = near(page, service, "buildings", node)
    roads = [each for each in near(page, service, "roads", node) if each.distance(outlines) > 1e-4]
    _, _, edge = long_edge(grids)
    wall = min(buildings, key=lambda each: each.distance(shapely.Point(node)))
    corner = min(
        wall.exterior.coords[:-1],
        key=lambda c: -outlines.distance(shapely.Point(c)),
    )
    road = min(roads, key=lambda each: each.distance(shapely.Point(node)))
    middle = shapely.line_interpolate_point(shapely.get_parts(road)[0], 0.4, normalized=True)
    targets = (node, edge, (middle.x, middle.y), corner)
    tool(page, "s")
    for place in targets:
        go(page, place, 19.5)
        page.wait_for_timeout(500)  # roads and buildings in view are fetched
        x, y = pixel(page, place)
        page.mouse.move(x + 30, y + 5)
        page.mouse.move(x + 4, y + 3)
        page.mouse.click(x + 4, y + 3)
        page.wait_for_timeout(280)
    on_node, on_edge, on_road, on_wall = kept(page, draft)
    assert on_node == node
    assert outlines.distance(shapely.Point(on_edge)) < 2e-8
    assert road.distance(shapely.Point(on_road)) < 2e-8
    assert math.dist(on_wall, corner) < 2e-8


def bent(page: Page, service: Service, grids: Grids) -> Any:
    """A road with bends within a grid, without its ends, where others meet it."""
    shapes = shapes_of(editable(grids)).values()
    ground = shapely.union_all(list(shapes))
    roads = near(page, service, "roads", (ground.centroid.x, ground.centroid.y), 6e-3)
    lines = [
        shapely.ops.substring(line, 0.1, 0.9, normalized=True)
        for road in roads
        for line in shapely.get_parts(road)
    ]
    inner = [line for line in lines if any(each.buffer(-1e-4).contains(line) for each in shapes)]
    return max(inner, key=lambda line: len(line.coords))


def test_a_line_is_traced_along_a_road(page: Page, service: Service, draft: str) -> None:
    road = bent(page, service, grids_of(page, service.url, draft))
    assert len(road.coords) > 3
    fit(page, road.bounds)
    tool(page, "s")
    page.wait_for_timeout(600)  # roads and buildings in view are fetched
    page.get_by_label("描线").check()
    page.locator(".edit-map").focus()
    clicked(page, road.coords[0])
    for share in (0.2, 0.4, 0.6, 0.8):
        at = shapely.line_interpolate_point(road, share, normalized=True)
        page.mouse.move(*pixel(page, (at.x, at.y)))
    clicked(page, road.coords[-1])
    line = shapely.LineString(kept(page, draft))
    assert line.hausdorff_distance(road) < 1e-6
    assert len(line.coords) >= len(road.coords)


def test_a_grid_gets_a_new_outline(page: Page, service: Service, draft: str) -> None:
    """A corner of it, where three grids meet, goes to the others."""
    before = grids_of(page, service.url, draft)
    node, codes = three_way(before)
    code = min(codes, key=lambda each: len(corners(before[each])))
    body = shape(before[code]["geometry"])
    inner = shapely.point_on_surface(body).coords[0]
    fit(page, body.bounds)
    ring = corners(before[code])[:-1]
    at = ring.index(node)
    new = shapely.line_interpolate_point(shapely.LineString([node, inner]), 0.3, normalized=True)
    tool(page, "r")
    loose(page)
    page.mouse.click(*pixel(page, inner))
    page.wait_for_timeout(300)
    page.get_by_label("吸附").check()
    page.wait_for_timeout(300)
    clicked(page, *ring[at + 1 :], *ring[:at])
    page.get_by_label("吸附").uncheck()
    clicked(page, (new.x, new.y))
    sent, answer = ended(page)
    assert answer.ok, answer.text()
    assert (sent["operation"], sent["code"]) == ("redraw", code)
    after = grids_of(page, service.url, draft)
    assert shape(after[code]["geometry"]).area < body.area
    assert is_coverage(after)


def test_an_edge_follows_a_line(page: Page, service: Service, draft: str) -> None:
    before = grids_of(page, service.url, draft)
    one, two, middle = long_edge(before)
    shapes = shapes_of(before)
    edge = shapes[one].intersection(shapes[two])
    a, b = (
        shapely.line_interpolate_point(shapely.line_merge(edge), share, normalized=True)
        for share in (0.3, 0.7)
    )
    inner = shapely.point_on_surface(shapes[one])
    away = (
        middle[0] + 0.25 * (inner.x - middle[0]),
        middle[1] + 0.25 * (inner.y - middle[1]),
    )
    fit(page, shapely.MultiPoint([(a.x, a.y), (b.x, b.y), away]).bounds)
    tool(page, "e")
    clicked(page, (a.x, a.y), away, (b.x, b.y))
    sent, answer = ended(page)
    assert answer.ok, answer.text()
    assert sent["operation"] == "reshape"
    after = grids_of(page, service.url, draft)
    assert shape(after[one]["geometry"]).area < shapes[one].area
    assert shape(after[two]["geometry"]).area > shapes[two].area
    assert is_coverage(after)


def test_what_is_half_drawn_outlives_its_tab_and_a_refusal(
    page: Page, service: Service, draft: str
) -> None:
    before = grids_of(page, service.url, draft)
    code, start, end = crossing(before)
    lon, lat = ((start[0] + end[0]) / 2, start[1])
    go(page, (lon, lat), 16.5)
    tool(page, "s")
    loose(page)
    clicked(page, start, (lon, lat))
    page.goto("about:blank")
    show(page, service.url, draft)
    expect(page.locator(".toast")).to_contain_text("已恢复上次画到一半的线")
    # It ends within the grid: refused, and there to be drawn on.
    _, answer = ended(page)
    assert answer.status == 422, answer.text()
    expect(page.locator(".bubble")).to_be_visible()
    go(page, (lon, lat), 16.5)
    loose(page)
    clicked(page, end)
    sent, answer = ended(page)
    assert answer.ok, answer.text()
    assert sent["code"] == code
    assert len(sent["line"]) == 3
    assert len(grids_of(page, service.url, draft)) == len(before) + 1
    show(page, service.url, draft)
    expect(page.locator("[data-act='end']")).to_have_count(0)


def test_a_line_is_put_off_buildings_and_along_roads(
    page: Page, service: Service, draft: str
) -> None:
    before = grids_of(page, service.url, draft)
    code, start, end = crossing(before)
    body = shapes_of(before)[code]
    hit = next(
        each
        for each in near(page, service, "buildings", (body.centroid.x, body.centroid.y), 6e-3)
        if body.buffer(-2e-4).contains(each)
    )
    through = shapely.point_on_surface(hit)
    fit(page, body.bounds)
    tool(page, "s")
    loose(page)
    clicked(page, start, (through.x, through.y), end)
    expect(page.locator(".crossed")).to_contain_text("穿过")
    drawn = shapely.LineString(kept(page, draft))
    assert drawn.intersection(hit).length > 1e-6
    page.get_by_role("button", name="避开建筑").click()
    expect(page.locator(".crossed")).to_be_hidden()
    expect(page.get_by_role("button", name="避开建筑")).to_be_disabled()
    off = shapely.LineString(kept(page, draft))
    assert off.intersection(hit).length < 1e-6
    assert (off.coords[0], off.coords[-1]) == (drawn.coords[0], drawn.coords[-1])
    page.get_by_role("button", name="贴合道路").click()
    expect(page.locator(".crossed")).to_be_hidden()
    page.wait_for_timeout(400)
    roads = shapely.union_all(near(page, service, "roads", (through.x, through.y), 6e-3))

    def along(line: Any) -> float:
        """How much of a line within the grid lies on a road."""
        inner = line.intersection(body)
        return float(inner.intersection(roads.buffer(5e-6)).length / inner.length)

    assert along(shapely.LineString(kept(page, draft))) > along(off) + 0.2
    sent, answer = ended(page)
    assert answer.ok, answer.text()
    assert len(sent["line"]) > 3
    cut = answer.json()["balance"]["grids"]
    assert all(row["cut_buildings"] == 0 for row in cut if row["code"] in sent["new_codes"])
