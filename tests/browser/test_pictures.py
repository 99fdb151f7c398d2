"""The pictures of the README and the docs, as the pages are now: ``make pictures`` renews them."""

import os
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.conftest import REPOSITORY, Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PICTURES = {
    "map": "/",
    "wall": "/wall",
}


@pytest.mark.parametrize("name", list(PICTURES))
def test_picture(page: Page, demo_service: Service, tmp_path: Path, name: str) -> None:
    folder = REPOSITORY / "docs" / "pictures" if "GEO_SERVICE_PICTURES" in os.environ else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    page.set_viewport_size({"width": 1440, "height": 810})
    page.goto(demo_service.url + PICTURES[name])
    page.evaluate("geo.ready")
    page.wait_for_timeout(2000)
    file = folder / f"{name}.png"
    page.screenshot(path=file)
    # A page that draws nothing is one flat colour, and packs to a few kilobytes.
    assert file.stat().st_size > 100_000
    with Image.open(file) as picture:
        picture.quantize(128).save(file, optimize=True)
