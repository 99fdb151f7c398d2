"""The cover of the town in Chromium: levels, units, losses, blind spots, private places."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from geo_service.analysis.density_levels import LADDERS
from tests.browser.coverage.steps import ASKED, LEVELS, Heard, ground, shown
from tests.browser.test_map import CENTRE, show, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_ladders_are_those_of_the_service(base: str, page: Page) -> None:
    show(page, f"{base}/#cover=sets;{ASKED}")
    level = page.get_by_label("等级", exact=True)
    for year in (2015, 2025):
        page.get_by_text(f"{year} 版", exact=True).click()
        expect(level.locator("option")).to_have_count(len(LADDERS[year].levels))
        assert level.locator("option").all_inner_texts() == [
            f"{one.zh}　≥ {one.pixels_per_metre:g} px/m" for one in LADDERS[year].levels
        ]
        values = level.locator("option").evaluate_all("all => all.map(one => one.value)")
        assert values == [one.name for one in LADDERS[year].levels]
    assert shown(page)["level"] == "overview", "20 px/m is nearest to the 25 of the other edition"


def test_cover_by_grid_with_its_losses(base: str, page: Page) -> None:
    heard = Heard(page)
    show(page, f"{base}/#cover=cover;{ASKED}")
    table = page.locator(".cv-units")
    expect(table).to_be_visible()
    now = heard.of("coverage", **LEVELS, by="grid")
    designed = heard.of("coverage", **LEVELS | {"state": "designed"}, by="grid")
    expect(page.locator(".summary")).to_have_text(now["summary"]["zh"])
    whole = {unit["code"]: unit["area_share"] for unit in designed["units"]}
    left = {unit["code"]: unit["area_share"] for unit in now["units"]}
    worst = max(whole, key=lambda code: whole[code] - left[code])
    row = table.locator("tbody tr").first
    expect(row.locator("[data-unit]")).to_have_attribute("data-unit", worst)
    expect(row).to_contain_text(f"{whole[worst]:.1%}")
    expect(row).to_contain_text(f"{left[worst]:.1%}")
    losses = page.locator("#coverage [data-camera]")
    expect(losses).to_have_count(3)
    page.get_by_role("button", name=f"再列 {len(now['losses']) - 3} 台").click()
    assert losses.evaluate_all("all => all.map(one => one.dataset.camera)") == [
        one["code"] for one in now["losses"]
    ]
    with page.expect_download() as saved:
        page.locator("#coverage [data-save=table]").click()
    lines = Path(saved.value.path()).read_text("utf-8-sig").splitlines()
    assert len(lines) == len(whole) + 1
    with page.expect_download() as saved:
        page.locator("#coverage [data-save=geojson]").click()
    file = json.loads(Path(saved.value.path()).read_text())
    assert [one["properties"]["level"] for one in file["features"]] == [
        one.name for one in LADDERS[2015].levels
    ]
    page.get_by_text("怎么得出的？").click()
    expect(page.locator("#coverage .evidence")).to_contain_text(now["evidence"]["terrain"]["zh"])
    losses.first.click()
    expect(page.locator(".cv-code")).to_have_text(now["losses"][0]["code"])
    # What it alone sees is what its loss costs.
    alone = page.locator("#coverage dl div", has_text="只有它看到").locator("dd")
    expect(alone).to_have_text(ground(now["losses"][0]["lost_m2"]))
    until(page, "geo.map.getView().getZoom() > 16")


def test_blind_spots_are_ranked_and_zoomed_to(base: str, page: Page) -> None:
    heard = Heard(page)
    show(page, f"{base}/#cover=spots;{ASKED}")
    rows = page.locator("[data-spot]")
    expect(rows.first).to_be_visible()
    answer = heard.of("blind-spots", **LEVELS, min_area=200)
    assert rows.count() == len(answer["features"])
    second = answer["features"][1]["properties"]
    expect(rows.nth(1)).to_contain_text(second["sentence"]["zh"])
    rows.nth(1).click()
    until(page, "!geo.map.getView().getAnimating()")
    ring = answer["features"][1]["geometry"]["coordinates"]
    while isinstance(ring[0][0], list):
        ring = ring[0]
    lon, lat = page.evaluate(CENTRE)
    wide = max(x for x, _ in ring) - min(x for x, _ in ring)
    assert min(x for x, _ in ring) - wide < lon < max(x for x, _ in ring) + wide
    assert min(y for _, y in ring) - wide < lat < max(y for _, y in ring) + wide
    expect(rows.nth(1)).to_have_attribute("aria-current", "")


def test_cameras_that_see_into_private_places_are_mended(base: str, page: Page) -> None:
    heard = Heard(page)
    show(page, f"{base}/#cover=privacy;{ASKED}")
    card = page.locator("#coverage")
    expect(card.locator(".cv-reason")).to_contain_text("国务院令第799号")
    answer = heard.of("privacy-intrusions")
    assert answer["features"], "the made-up town has cameras that see too much"
    listed = card.locator("[data-camera]").evaluate_all("all => all.map(one => one.dataset.camera)")
    assert listed == [one["properties"]["code"] for one in answer["features"]]
    mended = next(one["properties"] for one in answer["features"] if one["properties"]["tilt"])
    line = card.locator("li", has=page.locator(f"[data-camera='{mended['code']}']"))
    line.get_by_role("button", name="试这个俯角").click()
    expect(page.get_by_label("俯角", exact=True)).to_have_value(f"{mended['tilt']:g}")
    expect(page.locator("[data-figure=difference]")).to_be_visible()
    expect(card.locator(".cv-notes", has_text="隐私区域")).to_have_count(0)
