import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from static_maps import assets, interactive
from static_maps.theme import Theme, ThemeLayer

CHROMIUM = Path("/usr/bin/chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
OUTSIDE = re.compile(
    r"""(?:src|href)\s*=\s*["']?\s*(?:https?:)?//|url\(\s*["']?\s*(?:https?:)?//"""
    r"""|(?:@import|import\(|fetch\(|importScripts\()\s*["']""",
    re.IGNORECASE,
)

# Where on the page the map's canvas has a spot of one colour; null where it has none.
SPOT = """(color) => {
  const canvas = document.querySelector("canvas"), { width, height } = canvas;
  const box = canvas.getBoundingClientRect();
  const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  const same = (x, y) => color.every((part, at) => pixels[(y * width + x) * 4 + at] === part);
  for (let y = 300; y < height - 300; y++) for (let x = 300; x < width - 300; x++)
    if (same(x, y) && same(x + 4, y + 4) && same(x + 4, y - 4))
      return [box.left + (x + 4) * box.width / width, box.top + y * box.height / height];
  return null;
}"""
RED = [192, 54, 44]


def test_nothing_outside_is_named(tmp_path: Path, theme: Callable[[int], Theme]) -> None:
    path = tmp_path / "map.html"
    interactive.write(theme(30), path)
    page = path.read_text("utf-8")
    assert OUTSIDE.search(page) is None
    # What is left are names of XML languages, which nobody fetches, and Leaflet's own notice.
    assert set(re.findall(r"https?://[\w.-]+", page)) <= {
        "http://www.w3.org",
        "https://leafletjs.com",
    }
    assert "示范镇分布图" in page
    assert "不可外传" not in page


def test_values_stay_text(tmp_path: Path, theme: Callable[[int], Theme]) -> None:
    town = theme(3)
    assert town.subject is not None
    bad = '</script><img src="http://evil.example/x">'
    frame = town.subject.frame.assign(code=bad)
    layer = dataclasses.replace(town.subject, frame=frame, title=bad)
    town = dataclasses.replace(town, title=bad, layers=(*town.layers[:-1], layer))
    interactive.write(town, path := tmp_path / "map.html")
    assert "<img" not in path.read_text("utf-8")


def test_ten_thousand_points_stay_below_5_mb(tmp_path: Path, theme: Callable[[int], Theme]) -> None:
    path = tmp_path / "map.html"
    (note,) = interactive.write(theme(10_000), path)
    assert note.startswith("点数超过 5,000，缩小时按六边形（对边距 ")
    assert path.stat().st_size < 5_000_000


def test_bad_requests_are_refused_in_a_sentence(
    tmp_path: Path, theme: Callable[[int], Theme], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match=r"written as \.html, not as \.pdf"):
        interactive.write(theme(3), tmp_path / "map.pdf")
    monkeypatch.setattr(assets, "_DIST", tmp_path)
    with pytest.raises(FileNotFoundError, match="make setup"):
        interactive.write(theme(3), tmp_path / "map.html")


@pytest.mark.slow
@pytest.mark.browser
def test_a_browser_without_network_shows_it(
    tmp_path: Path, theme: Callable[[int], Theme], households: ThemeLayer
) -> None:
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed")
    points, many, areas = (tmp_path / f"{name}.html" for name in ("points", "many", "areas"))
    interactive.write(theme(30), points)
    interactive.write(theme(6000), many)
    town = theme(3)
    interactive.write(dataclasses.replace(town, layers=(*town.layers[:-1], households)), areas)
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        context = browser.new_context(offline=True, viewport={"width": 1200, "height": 800})
        context.route(re.compile("^(?!file:|data:)"), lambda route: route.abort())
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url))

        page.goto(points.as_uri())
        assert page.title() == "示范镇分布图"
        legend = page.locator(".sheet-legend").inner_text().split()
        assert legend[:3] == ["矛盾纠纷", "已登记", "10"]
        assert legend[-2:] == ["合计", "30"]
        spot = page.evaluate(SPOT, RED)
        assert spot, "no point in the colour of 已登记"
        page.mouse.move(spot[0] + 30, spot[1])
        page.wait_for_timeout(60)  # Leaflet looks at the pointer only so often
        page.mouse.move(*spot)
        assert "编号JF" in page.locator(".leaflet-tooltip:not(.sheet-name)").inner_text()
        page.get_by_label("矛盾纠纷").uncheck()
        page.wait_for_function(f"() => ({SPOT})({RED}) === null")

        page.goto(many.as_uri())
        assert page.locator(".sheet-legend .point").first.is_hidden()
        page.goto(areas.as_uri())
        assert page.locator(".sheet-name.theme").count() == 9
        browser.close()
    assert complaints == []
