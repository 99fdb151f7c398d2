"""What the tests of the coverage mode do on the page, and what they know of it."""

import json
from typing import Any
from urllib.parse import parse_qs

from playwright.sync_api import Locator, Page, Response, expect

from geo_service.demo import PASSWORD
from tests.browser.test_map import get, show

ASKED = "edition=2015;level=detect;when=day;state=online"
LEVELS = {"edition": "2015", "level": "detect", "when": "day", "state": "online"}
VIEW = 32
"""The order of the layer that holds one camera's view."""


def sign_in(page: Page, base: str, name: str) -> None:
    account = {"username": name, "password": PASSWORD}
    assert page.request.post(f"{base}/api/account/session", data=account).ok


def forget(page: Page, base: str) -> None:
    for one in get(page, f"{base}/api/coverage/sets")["sets"]:
        assert page.request.delete(f"{base}/api/coverage/sets/{one['id']}").ok


def take(page: Page, base: str, camera: dict[str, Any], more: str = "") -> None:
    """Open the map with a camera in hand."""
    lon, lat = camera["geometry"]["coordinates"]
    code = camera["properties"]["code"]
    show(page, f"{base}/#map=18/{lon}/{lat}&cover=camera;{ASKED};camera={code}{more}")
    expect(page.locator(".cv-name")).to_have_text(camera["properties"]["name"])
    expect(page.locator(".cv-levels")).to_be_visible()


def handle(page: Page, name: str) -> tuple[float, float]:
    """Return the middle of a handle on the map."""
    box = page.locator(f".cv-{name}").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def shown(page: Page) -> dict[str, str]:
    """Return what the address says of the coverage mode."""
    text = parse_qs(page.evaluate("location.hash.slice(1)"))["cover"][0]
    return dict(part.split("=", 1) for part in text.split(";") if "=" in part)


def tried(page: Page, base: str, camera: dict[str, Any]) -> Any:
    """Ask the service itself about the camera as the address has it."""
    names = ("lon", "lat", "azimuth", "tilt", "mount_height", "focal_length")
    draft = dict(zip(names, map(float, shown(page)["draft"].split(",")), strict=True))
    known = (
        "form", "sensor_width", "sensor_height", "pixels_across", "night_range",
    )  # fmt: skip
    given = {name: camera["properties"][name] for name in known} | draft
    answer = page.request.post(
        f"{base}/api/coverage/view",
        data={"camera": given, "replaces": camera["properties"]["code"], **LEVELS},
    )
    assert answer.ok, answer.text()
    return answer.json()


class Heard:
    """What the processes answered to the page."""

    def __init__(self, page: Page) -> None:
        self.answers: list[Response] = []
        page.on("response", self._note)

    def _note(self, response: Response) -> None:
        if response.url.endswith("/execution"):
            self.answers.append(response)

    def of(self, process: str, **inputs: Any) -> Any:
        """Return the last answer of a process that was asked with these inputs."""
        for response in reversed(self.answers):
            asked = json.loads(response.request.post_data or "{}")["inputs"]
            if f"/{process}/" in response.url and asked.items() >= inputs.items():
                return response.json()
        raise AssertionError(f"{process} was not asked with {inputs}")


def ground(area: float) -> str:
    """Write square metres as the page does."""
    if area >= 1e6:
        return f"{area / 1e6:.2f} km²"
    return f"{area / 1e4:.2f} 万m²" if area >= 1e4 else f"{round(area):,} m²"


def face(page: Page, name: str) -> Locator:
    return page.locator("#coverage").get_by_role("tab", name=name, exact=True)


def drawn(page: Page, z_index: int) -> int:
    """Return how many features one of the mode's layers holds."""
    number: int = page.evaluate(
        "z => geo.map.getAllLayers().find(layer => layer.getZIndex() === z)"
        ".getSource().getFeatures().length",
        z_index,
    )
    return number
