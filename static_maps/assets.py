"""Leaflet as text, ready to be put inside a page."""

import base64
import re
from importlib.resources import files

_DIST = files("static_maps") / "dist"


def script() -> str:
    """Return leaflet.js without its link to leafletjs.com and its source map's address."""
    code = _read("leaflet.js").decode()
    code = re.sub(r"(?m)^//# sourceMappingURL=.*$", "", code)
    return code.replace('href="https://leafletjs.com"', "")


def style() -> str:
    """Return leaflet.css with its images in it as data addresses, without its comments' links."""
    rules = re.sub(r"(?s)/\*.*?\*/", "", _read("leaflet.css").decode())
    return re.sub(r"url\((images/[\w.-]+)\)", _data_address, rules)


def _data_address(match: re.Match[str]) -> str:
    return f"url(data:image/png;base64,{base64.b64encode(_read(match[1])).decode()})"


def _read(name: str) -> bytes:
    try:
        return (_DIST / name).read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"static_maps/dist/{name} is missing: run `make setup` to fetch Leaflet."
        ) from None
