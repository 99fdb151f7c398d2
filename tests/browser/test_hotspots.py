"""Hot spots on the officer's map in Chromium: asked, drawn, clicked, played, compared, saved."""

import csv
import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.test_map import CENTRE, get, settle, show, until
from tests.conftest import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture
def base(demo_service: Service, page: Page) -> str:
    """Return the address of the map."""
    page.set_default_timeout(30_000)
    expect.set_options(timeout=15_000)
    return demo_service.url.rstrip("/")


@pytest.fixture(scope="module")
def spots(
    demo_service: Service, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """What the made-up town says of its planted clusters, by category."""
    assert demo_service.url  # so the town is there
    (file,) = tmp_path_factory.getbasetemp().glob("demo[0-9]*/planted-truth.json")
    return {spot["category"]: spot for spot in json.loads(file.read_text())["hot_spots"]}


@pytest.fixture(scope="module")
def planted(spots: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Disputes of neighbours, all three years long."""
    return spots["neighbour"]


@pytest.fixture(scope="module")
def recent(spots: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Disputes about work, of one year."""
    return spots["labour"]


def question(planted: dict[str, Any], view: str = "hot") -> str:
    """Return the fragment of an address that asks about a planted cluster."""
    days = f"{planted['start']}/{planted['end']}"
    return (
        f"#time=month&hot={view};layer=disputes;kinds={planted['category']};days={days};cells=grids"
    )


def execute(page: Page, base: str, process: str, **inputs: Any) -> Any:
    """Ask the process itself."""
    answer = page.request.post(f"{base}/ogc/processes/{process}/execution", data={"inputs": inputs})
    assert answer.ok, answer.text()
    return answer.json()


def inputs_of(planted: dict[str, Any]) -> dict[str, Any]:
    return {
        "layer": "disputes",
        "from": planted["start"],
        "to": planted["end"],
        "filter": f"category IN ('{planted['category']}')",
        "cells": "grids",
    }


def cells_in_list(page: Page) -> list[str]:
    found: list[str] = page.locator(".card-list [data-cell]").evaluate_all(
        "rows => rows.map(row => row.dataset.cell)"
    )
    return found


def row(page: Page, cell: str) -> Locator:
    return page.locator(f".card-list [data-cell='{cell}']")


def tab(page: Page, name: str) -> Locator:
    return page.locator("#hot-spots").get_by_role("tab", name=name, exact=True)


def test_a_planted_hot_spot_is_listed_zoomed_to_and_opened(
    base: str, page: Page, planted: dict[str, Any]
) -> None:
    show(page, f"{base}/")
    page.get_by_role("tab", name="热点分析").click()
    page.get_by_label("事件", exact=True).select_option("disputes")
    page.get_by_role("button", name="邻里纠纷").click()
    page.get_by_label("起始日").fill(planted["start"])
    page.get_by_label("截止日").fill(planted["end"])
    page.get_by_role("button", name="开始分析").click()
    expect(page.locator(".card-list li").first).to_be_visible()
    listed = cells_in_list(page)
    assert listed[0] in planted["grids"]

    answer = execute(page, base, "hot-spots", **inputs_of(planted))
    assert listed == [line["cell"] for line in answer["ranked"]][: len(listed)]
    expect(page.locator(".summary")).to_have_text(answer["summary"]["zh"])
    kinds = [cell["properties"]["kind"] for cell in answer["cells"]["features"]]
    numbers = page.locator("#hot-legend b").all_inner_texts()
    assert sum(int(number.replace(",", "")) for number in numbers) == len(kinds)
    assert int(numbers[3].replace(",", "")) == kinds.count("none")

    row(page, listed[0]).click()
    settle(page)
    until(page, "!geo.map.getView().getAnimating() && geo.map.getView().getZoom() > 15")
    first = answer["ranked"][0]
    expect(page.locator(".hs-cell h3")).to_have_text(first["place"]["zh"])
    expect(page.locator(".hs-events h3")).to_have_text(f"事件 {first['count']} 起")
    lon, lat = page.evaluate(CENTRE)
    feature = next(cell for cell in answer["cells"]["features"] if cell["id"] == listed[0])
    corners = [corner for ring in rings(feature["geometry"]) for corner in ring]
    assert min(x for x, _ in corners) - 0.01 < lon < max(x for x, _ in corners) + 0.01
    assert min(y for _, y in corners) - 0.01 < lat < max(y for _, y in corners) + 0.01

    page.locator("[data-event]").first.click()
    expect(page.get_by_role("region", name="详情")).to_contain_text("邻里纠纷")


def rings(geometry: dict[str, Any]) -> list[list[list[float]]]:
    parts = geometry["coordinates"]
    return parts if geometry["type"] == "Polygon" else [ring for part in parts for ring in part]


def test_a_cell_of_a_lattice_lists_the_events_it_counts(base: str, page: Page) -> None:
    day = date.fromisoformat(get(page, f"{base}/api/catalogue")["server_time"][:10])
    days = f"{(day - timedelta(days=365)).isoformat()}/{day.isoformat()}"
    show(page, f"{base}/#hot=hot;layer=disputes;kinds=labour;days={days};cells=hexagons")
    page.locator(".card-list [data-cell]").first.click()
    counted = page.locator(".facts dd").first.inner_text()
    expect(page.locator(".hs-events h3")).to_have_text(f"事件 {counted} 起")
    # The size that was proposed is part of the question now: a link means the same cells.
    assert re.search(r";size=\d+", page.evaluate("location.hash"))
    expect(page.locator(".row .note", has_text="建议六边形对边距")).to_be_visible()


def test_a_link_reproduces_everything(base: str, page: Page, planted: dict[str, Any]) -> None:
    show(page, f"{base}/{question(planted)}")
    page.locator(".card-list [data-cell]").first.click()
    until(page, "!geo.map.getView().getAnimating() && geo.map.getView().getZoom() > 15")
    settle(page)
    tab(page, "变化").click()
    page.get_by_role("slider", name="时间").focus()
    page.keyboard.press("Home")
    expect(page.get_by_role("slider", name="时间")).to_have_value("0")
    until(page, "location.hash.includes('step=0')")
    page.evaluate("navigator.clipboard.writeText = async text => { window.copied = text; }")
    page.get_by_role("button", name="复制链接").click()
    link = page.evaluate("window.copied")
    seen = [
        page.locator(".summary").inner_text(),
        page.locator(".hs-step").inner_text(),
        page.locator("#hot-legend").inner_text(),
        page.evaluate(CENTRE),
    ]
    show(page, link)
    expect(page.locator(".hs-step")).to_have_text(seen[1])
    assert seen[:3] == [
        page.locator(".summary").inner_text(),
        page.locator(".hs-step").inner_text(),
        page.locator("#hot-legend").inner_text(),
    ]
    assert page.evaluate(CENTRE) == pytest.approx(seen[3], abs=1e-4)
    expect(tab(page, "变化")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("button", name="邻里纠纷")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("起始日")).to_have_value(planted["start"])


def test_the_time_bar_changes_the_cells(base: str, page: Page, recent: dict[str, Any]) -> None:
    show(page, f"{base}/{question(recent, 'change')}")
    answer = execute(page, base, "emerging", **inputs_of(recent), step="month")
    cells = [cell["properties"]["steps"] for cell in answer["cells"]["features"]]
    bar = page.get_by_role("slider", name="时间")
    expect(page.get_by_role("button", name="总评")).to_have_attribute("aria-pressed", "true")
    hot = [sum(cell["kind"][at] == "hot" for cell in cells) for at in range(len(answer["steps"]))]
    busiest = hot.index(max(hot))
    assert max(hot) > min(hot), "the steps must differ for this test to tell anything"
    bar.focus()
    page.keyboard.press("Home")
    for _ in range(busiest):
        page.keyboard.press("ArrowRight")
    step = answer["steps"][busiest]
    events = sum(cell["count"][busiest] for cell in cells)
    expect(page.locator(".hs-step")).to_contain_text(f"{step['from']} 至 {step['to']}，{events} 起")
    numbers = page.locator("#hot-legend b").all_inner_texts()
    assert sum(map(int, numbers[:3])) == hot[busiest]
    before = picture(page)
    page.keyboard.press("End" if hot[-1] != hot[busiest] else "Home")
    assert picture(page) != before
    # Playing goes through the steps by itself.
    page.keyboard.press("Home")
    page.get_by_role("button", name="播放").click()
    until(page, "Number(document.querySelector('.hs-track input').value) >= 2")
    page.get_by_role("button", name="暂停").click()
    page.get_by_role("button", name="总评").click()
    expect(page.locator("#hot-legend h2")).to_contain_text("变化类型")


def picture(page: Page) -> str:
    """Return what the canvas of the cells shows, as a data address."""
    settle(page)
    found: str = page.evaluate(
        "[...document.querySelectorAll('.hs-canvas')].map(c => c.toDataURL()).join()"
    )
    return found


def test_two_periods_are_compared(base: str, page: Page, planted: dict[str, Any]) -> None:
    end = date.fromisoformat(planted["end"])
    start = end - timedelta(days=181)
    show(page, f"{base}/#hot=compare;layer=disputes;days={start}/{end};cells=grids")
    answer = execute(
        page, base, "compare", layer="disputes", **{"from": str(start), "to": str(end)}
    )
    expect(page.locator(".summary")).to_have_text(answer["summary"]["zh"])
    cell = max(answer["cells"]["features"], key=lambda cell: cell["properties"]["after"])
    settle(page)
    inner = page.evaluate(
        """([lon, lat]) => {
            const x = lon / 180 * 20037508.342789244;
            const y = Math.log(Math.tan((90 + lat) * Math.PI / 360)) * 6378137;
            geo.map.getView().setCenter([x, y]);
            geo.map.getView().setZoom(16);
            geo.map.renderSync();
            return geo.map.getPixelFromCoordinate([x, y]);
        }""",
        inside(page, base, cell["id"]),
    )
    page.mouse.click(*inner)
    facts = page.locator(".facts")
    expect(facts).to_contain_text("倍数")
    found = cell["properties"]
    expect(facts).to_contain_text(f"{found['low']:.2f} – {found['high']:.2f}")
    expect(page.locator(".hs-cell h3")).to_have_text(found["name"])

    page.get_by_role("button", name="返回列表").click()
    page.get_by_text("卷帘对照").click()
    curtain = page.get_by_role("slider", name="卷帘位置")
    expect(page.locator(".hs-left")).to_have_text(
        f"{answer['evidence']['before']['from']} 至 {answer['evidence']['before']['to']}"
    )
    before = picture(page)
    curtain.focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    assert picture(page) != before
    assert "swipe=1" in page.evaluate("location.hash")


def inside(page: Page, base: str, code: str) -> list[float]:
    """Return a place within a grid, of an event that lies there."""
    found = get(page, f"{base}/ogc/collections/disputes/items?limit=1&filter=grid_now='{code}'")
    place: list[float] = found["features"][0]["geometry"]["coordinates"]
    return place


def test_nothing_is_computed_twice(base: str, page: Page, planted: dict[str, Any]) -> None:
    asked: list[str] = []
    page.on(
        "request",
        lambda request: asked.append(request.url) if "/execution" in request.url else None,
    )
    show(page, f"{base}/{question(planted)}")
    expect(page.locator(".card-list li").first).to_be_visible()
    for name in ("变化", "热点", "变化", "热点"):
        tab(page, name).click()
        expect(page.locator(".summary")).to_be_visible()
    page.get_by_role("tab", name="图层与时间").click()
    expect(page.locator("#hot-spots")).to_be_hidden()
    page.get_by_role("tab", name="热点分析").click()
    expect(page.locator(".card-list li").first).to_be_visible()
    assert [url.split("/")[-2] for url in asked] == ["hot-spots", "emerging"]


def test_keyboard_alone(base: str, page: Page, planted: dict[str, Any]) -> None:
    show(page, f"{base}/")
    page.get_by_role("tab", name="图层与时间").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="热点分析")).to_be_focused()
    chip = page.get_by_role("button", name="邻里纠纷")
    chip.focus()
    page.keyboard.press("Space")
    expect(chip).to_have_attribute("aria-pressed", "true")
    page.get_by_role("radio", name="近一年").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("radio", name="近半年")).to_be_checked()
    page.get_by_label("起始日").fill(planted["start"])
    page.get_by_role("button", name="开始分析").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#hot-spots [role=status]")).to_contain_text("起事件")
    first = page.locator(".card-list [data-cell]").first
    first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="返回列表")).to_be_focused()
    page.keyboard.press("Escape")
    expect(first).to_be_focused()
    tab(page, "热点").focus()
    page.keyboard.press("ArrowRight")
    expect(tab(page, "变化")).to_be_focused()
    expect(tab(page, "变化")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("slider", name="时间")).to_have_attribute(
        "aria-valuetext", re.compile("总评")
    )
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, a, [role=tab]')]
            .filter(item => item.offsetParent !== null)
            .filter(item => !(item.getAttribute('aria-label') || item.textContent.trim()
                              || item.labels?.[0]?.textContent.trim()))
            .map(item => item.outerHTML)"""
    )
    assert unnamed == []


def test_what_cannot_be_answered_gets_a_sentence(base: str, page: Page) -> None:
    show(
        page, f"{base}/#hot=hot;layer=disputes;kinds=medical;days=2026-01-01/2026-01-02;cells=grids"
    )
    expect(page.locator(".little")).to_contain_text("数据太少")
    expect(page.locator("#hot-legend")).to_be_hidden()
    tab(page, "变化").click()
    expect(page.get_by_role("alert").filter(has_text="时间窗口太短")).to_be_visible()
    expect(page.locator(".hs-time")).to_be_hidden()
    page.get_by_label("起始日").fill("2026-05-01")
    page.get_by_label("截止日").fill("2026-04-01")
    page.get_by_role("button", name="开始分析").click()
    expect(page.get_by_role("alert").filter(has_text="起始日不晚于截止日")).to_be_visible()
    expect(page.get_by_label("起始日")).to_be_focused()


def test_waiting_can_be_cancelled(base: str, page: Page, planted: dict[str, Any]) -> None:
    held: list[Route] = []
    page.route("**/execution", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks it
    show(page, f"{base}/{question(planted)}")
    expect(page.locator(".busy")).to_contain_text("正在计算")
    page.locator("#hot-spots").get_by_role("button", name="取消").click()
    expect(page.get_by_role("alert").filter(has_text="已取消")).to_be_visible()
    page.unroute("**/execution")
    page.get_by_role("button", name="重试").click()
    expect(page.locator(".card-list li").first).to_be_visible()


def test_map_table_and_data_are_saved(
    base: str, page: Page, planted: dict[str, Any], tmp_path: Path
) -> None:
    show(page, f"{base}/{question(planted)}")
    expect(page.locator(".card-list li").first).to_be_visible()
    settle(page)
    files = {}
    for name in ("地图", "表格", "数据"):
        with page.expect_download() as saved:
            page.locator(".card-actions").get_by_role("button", name=name).click()
        files[name] = tmp_path / saved.value.suggested_filename
        saved.value.save_as(files[name])
    with Image.open(files["地图"]) as image:
        assert image.size == (1920, 1080)
        colours = image.convert("RGB").getcolors(1 << 24) or []
        assert len(colours) > 200
        # The legend stands at the bottom left, in white.
        assert image.convert("RGB").crop((18, 1058, 22, 1062)).getextrema() == ((255, 255),) * 3
    rows = list(csv.reader(files["表格"].read_text("utf-8-sig").splitlines()))
    answer = execute(page, base, "hot-spots", **inputs_of(planted))
    found = {line[0]: line for line in rows[1 : rows.index([])]}
    assert set(found) == {cell["id"] for cell in answer["cells"]["features"]}
    best = answer["ranked"][0]
    assert [int(found[best["cell"]][2]), found[best["cell"]][-1]] == [best["count"], "热点"]
    data = json.loads(files["数据"].read_text())
    assert data["type"] == "FeatureCollection"
    assert len(data["features"]) == len(answer["cells"]["features"])
    assert data["evidence"]["n"] == answer["evidence"]["n"]


@pytest.mark.parametrize("view", ["hot", "change", "compare"])
def test_the_page_opens_without_a_network(
    base: str, page: Page, recent: dict[str, Any], tmp_path: Path, view: str
) -> None:
    show(page, f"{base}/{question(recent, view)}")
    expect(page.locator(".card-list li").first).to_be_visible()
    summary = page.locator(".summary").inner_text()
    places = page.locator(".card-list [data-cell] b").all_inner_texts()
    with page.expect_download() as saved:
        page.locator(".card-actions").get_by_role("button", name="网页").click()
    assert saved.value.suggested_filename.endswith(".html")
    file = tmp_path / "page.html"
    saved.value.save_as(file)

    browser = page.context.browser
    assert browser is not None
    alone = browser.new_context(offline=True, viewport={"width": 1440, "height": 900})
    try:
        mailed = alone.new_page()
        asked: list[str] = []
        wrong: list[str] = []
        mailed.on("request", lambda request: asked.append(request.url))
        mailed.on(
            "console",
            lambda message: wrong.append(message.text) if message.type == "error" else None,
        )
        mailed.on("pageerror", lambda error: wrong.append(str(error)))
        mailed.goto(file.as_uri())
        expect(mailed.locator(".sheet-title")).to_contain_text(summary)
        expect(mailed.locator(".sheet-legend")).to_contain_text("数据截至")
        expect(mailed.locator(".sheet-list")).to_be_visible()
        listed = mailed.locator(".sheet-list tbody tr")
        assert set(places) <= set(listed.locator("button").all_inner_texts())
        row = mailed.locator(".sheet-list tbody tr").first
        colour = row.locator("i").evaluate("swatch => getComputedStyle(swatch).backgroundColor")
        shown = pixels(mailed, colour)
        assert shown > 100, "the map shows the first cell in the colour of its row"
        row.get_by_role("button").click()
        assert pixels(mailed, colour) > 2 * shown, "the map goes to the chosen cell"
        assert asked == [file.as_uri()]
        assert wrong == []
    finally:
        alone.close()


def pixels(page: Page, colour: str) -> int:
    """Return how many pixels of the drawn map are about of a CSS colour, over the map's paper."""
    number: int = page.evaluate(
        """async colour => {
            for (const _ of [1, 2]) await new Promise(requestAnimationFrame);
            const [r, g, b] = colour.match(/\\d+/g).map(Number);
            const canvas = document.querySelector("canvas");
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            let found = 0;
            for (let at = 0; at < data.length; at += 4)
                if (data[at + 3] > 200 && Math.abs(data[at] - r) < 45
                    && Math.abs(data[at + 1] - g) < 45 && Math.abs(data[at + 2] - b) < 45) found++;
            return found;
        }""",
        colour,
    )
    return number


def test_in_english(base: str, page: Page, planted: dict[str, Any]) -> None:
    show(page, f"{base}/?lang=en{question(planted)}")
    expect(page.locator(".card-list li").first).to_be_visible()
    page.get_by_text("How do you know?").click()
    for part in (
        ".hs-form",
        ".card-head",
        ".tabs",
        "#hot-legend",
        ".card-actions",
        ".evidence dt",
    ):
        for text in page.locator(part).all_inner_texts():
            said = re.sub(r"\s+[\u4e00-\u9fff（）]+", "", text) if part == ".hs-form" else text
            assert not CHINESE.search(said), text
    evidence = page.locator(".evidence")
    for told in ("Benjamini", "Getis", "exact, two-sided", "EPSG:45"):
        expect(evidence).to_contain_text(told)
