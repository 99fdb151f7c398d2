"""The boundary editor in Chromium, against a running service with a town of its own."""

import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import shapely
from playwright.sync_api import Browser, Locator, Page, Request, Response, expect
from shapely.geometry import shape

from geo_service.demo import OPEN_ACCOUNT, PASSWORD
from geo_service.embedded import Cluster
from tests.browser.conftest import serious, visit
from tests.conftest import Service, copy_of, serve

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AREA = "990101101005"
EARTH = 6378137.0
Place = tuple[float, float]
Grids = dict[str, Any]


@pytest.fixture(scope="module")
def service(cluster: Cluster, demo_template: str) -> Iterator[Service]:
    """A service with a town of its own: these tests publish."""
    for database in copy_of(cluster, demo_template):
        yield from serve(database, GEO_SERVICE_OPEN_TO=OPEN_ACCOUNT)


@pytest.fixture
def page(browser: Browser, service: Service) -> Iterator[Page]:
    """A page of an editor of the whole town."""
    for page in visit(browser, service.url):
        page.set_default_timeout(15_000)
        sign_in(page, service.url, "editor")
        yield page


@pytest.fixture
def other(browser: Browser, service: Service) -> Iterator[Page]:
    """A page of somebody else, who may approve."""
    for page in visit(browser, service.url):
        page.set_default_timeout(15_000)
        sign_in(page, service.url, "admin")
        yield page


@pytest.fixture
def draft(page: Page, service: Service) -> Iterator[str]:
    """A draft that is open on the page, and abandoned afterwards."""
    made = begin(page, service.url)
    show(page, service.url, made)
    yield made
    page.request.delete(f"{service.url}/api/drafts/{made}", headers={"Origin": service.url})


def sign_in(page: Page, url: str, name: str) -> None:
    answer = page.request.post(
        f"{url}/api/account/session", data={"username": name, "password": PASSWORD}
    )
    assert answer.ok, answer.text()


def begin(page: Page, url: str, area: str = AREA) -> str:
    answer = page.request.post(
        f"{url}/api/drafts", data={"name": "调整", "reason": "户数不均", "area": area}
    )
    assert answer.ok, answer.text()
    made: str = answer.json()["id"]
    return made


def show(page: Page, url: str, draft: str) -> None:
    page.goto(f"{url}/edit?draft={draft}")
    page.evaluate("geo.ready")
    page.wait_for_function("geo.map && geo.map.getView().getCenter()")
    page.wait_for_function("!geo.map.getView().getAnimating()")


def ask(page: Page, url: str, draft: str, part: str) -> Any:
    answer = page.request.get(f"{url}/api/drafts/{draft}{part}")
    assert answer.ok, answer.text()
    return answer.json()


def grids_of(page: Page, url: str, draft: str) -> Grids:
    """The grids by code, with what may be edited."""
    found = ask(page, url, draft, "/grids")["features"]
    return {each["properties"]["code"]: each for each in found}


def shapes_of(grids: Grids) -> dict[str, Any]:
    return {code: shape(each["geometry"]) for code, each in grids.items()}


def corners(each: Any) -> list[Place]:
    return [(x, y) for x, y in shapely.get_coordinates(shape(each["geometry"])).tolist()]


def sides(grids: Grids) -> Counter[frozenset[Place]]:
    """How many grids each edge belongs to."""
    found: Counter[frozenset[Place]] = Counter()
    for each in grids.values():
        for ring in shapely.get_rings(shape(each["geometry"])):
            xy = [tuple(corner) for corner in shapely.get_coordinates(ring).tolist()]
            found.update(frozenset(pair) for pair in itertools.pairwise(xy))
    return found


def editable(grids: Grids) -> Grids:
    return {code: each for code, each in grids.items() if each["properties"]["editable"]}


def holders(grids: Grids, place: Place) -> list[str]:
    return sorted(code for code, each in grids.items() if place in corners(each))


def three_way(grids: Grids) -> tuple[Place, list[str]]:
    """A vertex within the town where three grids that may be edited meet, and no other."""
    own = editable(grids)
    edges = sides(grids)
    for place in sorted({corner for each in own.values() for corner in corners(each)}):
        codes = holders(grids, place)
        inner = all(count == 2 for edge, count in edges.items() if place in edge)
        apart = min(
            math.dist(place, corner)
            for code in codes
            for corner in corners(grids[code])
            if corner != place
        )
        if len(codes) == 3 and set(codes) <= set(own) and inner and apart > 2e-4:
            return place, codes
    raise AssertionError("the town has no such node")


def metres(place: Place) -> tuple[float, float]:
    """Web Mercator."""
    lon, lat = place
    return (
        EARTH * math.radians(lon),
        EARTH * math.log(math.tan(math.pi / 4 + math.radians(lat) / 2)),
    )


def go(page: Page, place: Place, zoom: float = 18) -> None:
    """Bring a place into the middle of the map."""
    x, y = metres(place)
    page.evaluate(
        "([x, y, zoom]) => { const view = geo.map.getView(); view.setCenter([x, y]);"
        " view.setZoom(zoom); geo.map.renderSync(); }",
        [x, y, zoom],
    )
    page.wait_for_timeout(150)


def pixel(page: Page, place: Place) -> tuple[float, float]:
    """Where on the page a place is."""
    x, y = page.evaluate("at => geo.map.getPixelFromCoordinate(at)", list(metres(place)))
    box = page.locator(".edit-map").bounding_box()
    assert box is not None
    return box["x"] + x, box["y"] + y


def place_at(page: Page, x: float, y: float) -> Place:
    box = page.locator(".edit-map").bounding_box()
    assert box is not None
    a, b = page.evaluate("at => geo.map.getCoordinateFromPixel(at)", [x - box["x"], y - box["y"]])
    return (
        math.degrees(a / EARTH),
        math.degrees(2 * math.atan(math.exp(b / EARTH)) - math.pi / 2),
    )


def posted(page: Page, act: Callable[[], None], part: str = "operations") -> Any:
    """Do something that posts, and return the answer."""
    with page.expect_response(lambda answer: answer.url.endswith(f"/{part}")) as info:
        act()
    idle(page)
    return info.value


def idle(page: Page) -> None:
    expect(page.locator(".saving")).to_have_text(re.compile("已保存|Saved|^$"))


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.move(start[0] + 1, start[1])
    page.mouse.move(*start)
    page.mouse.down()
    for step in range(1, 9):
        share = step / 8
        page.mouse.move(
            start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
        )
    page.wait_for_timeout(60)
    page.mouse.up()


def tool(page: Page, key: str) -> None:
    page.locator(".edit-map").focus()
    page.keyboard.press(key)


def loose(page: Page) -> None:
    """Let the pointer go where it is moved, without snapping."""
    box = page.get_by_label("吸附")
    if box.is_visible() and box.is_checked():
        box.uncheck()


def came(before: Grids, after: Grids, code: str) -> set[Place]:
    """The vertices that a grid has got."""
    return set(corners(after[code])) - set(corners(before[code]))


def is_coverage(grids: Grids) -> bool:
    return bool(shapely.coverage_is_valid(list(shapes_of(grids).values())))


def test_the_list_opens_a_new_draft(page: Page, service: Service) -> None:
    page.goto(f"{service.url}/edit")
    page.get_by_role("button", name="新建并打开").click()
    assert not re.search("draft=", page.url)  # it has no name yet
    page.get_by_label("名称").fill("老街社区网格调整")
    page.get_by_label("理由").fill("户数不均")
    page.get_by_label("调整范围").select_option(AREA)
    page.get_by_role("button", name="新建并打开").click()
    page.wait_for_url("**/edit?draft=*")
    expect(page.locator(".draft-name")).to_have_text("老街社区网格调整")
    expect(page.locator(".balance tbody tr")).to_have_count(
        sum(code.startswith(AREA) for code in grids_of(page, service.url, page.url[-36:]))
    )
    page.get_by_role("link", name="全部草稿").click()
    row = page.locator(".draft-table tbody tr").first
    expect(row).to_contain_text("老街社区网格调整")
    expect(row).to_contain_text("编辑中")


def test_viewers_may_not_see_drafts(browser: Browser, service: Service) -> None:
    for page in visit(browser, service.url):
        page.goto(f"{service.url}/edit")
        expect(page.locator(".read-only")).to_be_visible()
        expect(page.get_by_role("button", name="新建并打开")).to_have_count(0)
        expect(page.get_by_role("alert")).to_contain_text("权限")


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


def crossing(grids: Grids) -> tuple[str, Place, Place]:
    """A grid, and two places outside it: a line between them cuts it in two."""
    for code, each in sorted(editable(grids).items()):
        body = shape(each["geometry"])
        west, _, east, _ = body.bounds
        middle = shapely.point_on_surface(body).y
        line = shapely.LineString([(west - 1e-3, middle), (east + 1e-3, middle)])
        cut = line.intersection(body)
        if cut.geom_type == "LineString" and cut.length > 1e-3:
            (a, _), (b, _) = cut.coords
            return code, (min(a, b) - 4e-5, middle), (max(a, b) + 4e-5, middle)
    raise AssertionError("no grid is cut in two by a level line")


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


def long_edge(grids: Grids) -> tuple[str, str, Place]:
    """Two grids that may be edited, and the middle of the longest straight edge between them."""
    own = editable(grids)
    best: tuple[float, str, str, Place] | None = None
    for edge, count in sides(own).items():
        if count != 2:
            continue
        a, b = edge
        codes = sorted(set(holders(own, a)) & set(holders(own, b)))
        length = math.dist(a, b)
        if len(codes) == 2 and (best is None or length > best[0]):
            best = (length, codes[0], codes[1], ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2))
    assert best is not None
    return best[1:]


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
    page.wait_for_function("!geo.map.getView().getAnimating()")
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


def tab_to(page: Page, wanted: Locator) -> None:
    """Go to a field by the Tab key alone."""
    for _ in range(80):
        if wanted.evaluate("field => field === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("the Tab key does not lead there")


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


def test_a_finger_drags(browser: Browser, service: Service) -> None:
    context = browser.new_context(
        viewport={"width": 1180, "height": 820}, has_touch=True, locale="zh-CN"
    )
    page = context.new_page()
    sign_in(page, service.url, "editor")
    draft = begin(page, service.url)
    show(page, service.url, draft)
    before = grids_of(page, service.url, draft)
    node, codes = three_way(before)
    small = page.locator(".rail button, .tabs button").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect())"
        ".filter(box => box.width < 44 || box.height < 44).length"
    )
    assert small == 0
    page.get_by_role("button", name="拖界").tap()
    go(page, node)
    loose(page)
    x, y = pixel(page, node)
    session = context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        session.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": a, "y": b} for a, b in points]},
        )

    def finger() -> None:
        touch("touchStart", (x, y))
        for step in range(1, 9):
            touch("touchMove", (x + 3 * step, y + 2 * step))
        touch("touchEnd")

    answer = posted(page, finger)
    assert answer.ok, answer.text()
    after = grids_of(page, service.url, draft)
    assert all(node not in corners(after[code]) for code in codes)
    context.close()


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


def test_axe_finds_nothing_serious(page: Page, service: Service, draft: str) -> None:
    found: list[str] = []
    for language in ("zh", "en"):
        page.goto(f"{service.url}/edit?lang={language}")
        page.locator(".draft-table tbody tr").first.wait_for()
        found += serious(page)
        page.goto(f"{service.url}/edit?lang={language}&draft={draft}")
        page.evaluate("geo.ready")
        for tab in ("balance", "table", "suggest", "history", "comments"):
            page.locator(f"#tab-{tab}").click()
            page.wait_for_timeout(100)
            found += serious(page)
    assert found == []


def test_nothing_is_cut_off(page: Page, service: Service, draft: str) -> None:
    for width, height in ((1920, 1080), (1366, 768)):
        page.set_viewport_size({"width": width, "height": height})
        for language in ("zh", "en"):
            page.goto(f"{service.url}/edit?lang={language}&draft={draft}")
            page.evaluate("geo.ready")
            cut = page.locator(".rail span, .tabs button, .workflow button").evaluate_all(
                "all => all.filter(one => one.clientWidth > 0"
                " && one.scrollWidth > one.clientWidth + 1).map(one => one.textContent)"
            )
            assert cut == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_map_leads_here_for_who_may_edit(page: Page, service: Service) -> None:
    page.goto(service.url)
    page.evaluate("geo.ready")
    page.get_by_role("button", name="账户").click()
    page.get_by_role("link", name="网格边界编辑").click()
    page.wait_for_url("**/edit*")


def test_addresses_asked(page: Page, service: Service, draft: str) -> None:
    """Opening a draft asks for no more than it needs: no endpoint twice."""
    asked: list[str] = []

    def note(request: Request) -> None:
        path = request.url.removeprefix(service.url)
        if path.startswith("/api/drafts"):
            asked.append(path)

    page.on("request", note)
    show(page, service.url, draft)
    page.wait_for_timeout(500)
    assert Counter(asked).most_common(1)[0][1] == 1
