"""Another service as the source: OGC API Features or WFS, fetched page by page into a file.

GDAL would follow redirects and whatever addresses an answer names. So the fetching is done here,
from one host only, and GDAL sees nothing but the GML that came.
"""

import json
import re
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit
from xml.etree.ElementTree import Element, ParseError, fromstring

import numpy as np
import pyogrio

from layers.intake import features
from layers.intake.coordinates import Broken, on_lattice, transformer
from layers.intake.personal import masked
from layers.intake.report import Refusal
from layers.intake.vector import quiet

MAX_ROWS, MAX_BYTES = 200_000, 200_000_000
"""A service that has more is refused: what came in part would look like everything."""

PAGE = 1_000
"""Rows asked for at a time."""

TIMEOUT, DEADLINE = 30.0, 600.0
"""Seconds for an answer to begin or go on, and for everything."""

_SHOWN = 20


def is_address(text: str) -> bool:
    """Tell whether a source is meant as an address and not as a file.

    >>> is_address("https://host/ogc"), is_address("a.csv"), is_address("/vsicurl/http://host")
    (True, False, False)
    """
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text) is not None


@contextmanager
def fetched(address: str, layer: str, *, max_rows: int = MAX_ROWS) -> Iterator[Path]:
    """Yield a file of the features at an address; it is removed afterwards.

    Parameters
    ----------
    address
        ``http`` or ``https``: an OGC API Features service, one of its collections or its items
        (``https://host/ogc/collections/disputes``), or a WFS (``https://host/wfs?typeNames=grids``,
        known by ``service=WFS`` or by ``wfs`` in its path). Further parameters are kept.
    layer
        The collection or type of this name is taken where the address names none.
    max_rows
        The most rows taken.

    Raises
    ------
    Refusal
        For an address of another kind, a redirect, an answer from elsewhere, too late, too large or
        not understood, and where it is not clear which collection is meant.

    Example
    -------
    ::

        with fetched("https://example.org/ogc", "cameras") as path:
            report = intake(connection, CATALOGUE["cameras"], path)
    """
    session = _Session(address)
    with tempfile.TemporaryDirectory(prefix="geo-fetch-") as folder:
        path = Path(folder) / f"{layer}.geojsonl"
        rows = 0
        with path.open("w", encoding="utf-8") as stream:
            pages = _wfs(session, layer) if session.is_wfs else _ogc(session, layer)
            for page in pages:
                rows += len(page)
                if rows > max_rows:
                    raise Refusal(
                        f"该服务的数据超过 {max_rows} 行的上限，请在地址中加条件缩小范围。",
                        f"The service has more than the {max_rows} rows that are taken: narrow the "
                        "address down.",
                    )
                stream.writelines(f"{json.dumps(item, ensure_ascii=True)}\n" for item in page)
        if not rows:
            raise Refusal("该服务没有返回任何要素。", "The service gave no features.")
        yield path


@dataclass(slots=True)
class _Session:
    """Requests to one host, within the limits."""

    address: str
    left: int = MAX_BYTES
    until: float = field(default_factory=lambda: time.monotonic() + DEADLINE)
    origin: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.address)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or parts.scheme not in ("http", "https") or not self.address.isprintable():
            raise Refusal(
                "地址应以 http:// 或 https:// 开头。",
                "The address must begin with http:// or https://.",
            )
        if parts.username or parts.password:
            raise Refusal(
                "地址中不能带用户名和密码。", "The address must hold no user name or password."
            )
        self.origin = (parts.scheme, parts.netloc)

    @property
    def is_wfs(self) -> bool:
        parts = urlsplit(self.address)
        said = {k.lower(): v.lower() for k, v in parse_qsl(parts.query)}
        return said.get("service") == "wfs" or "wfs" in parts.path.lower().split("/")

    def get(self, url: str, accept: str) -> bytes:
        """Return the body of an answer. Nothing is followed anywhere else."""
        parts = urlsplit(url)
        if (parts.scheme, parts.netloc) != self.origin:
            raise Refusal(
                "该服务指向了另一个主机，未读取。",
                "The service points to another host, which is not followed.",
            )
        request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
            urlunsplit(parts._replace(fragment="")),
            headers={"Accept": accept, "User-Agent": "geo-service"},
        )
        try:
            with _opener().open(request, timeout=TIMEOUT) as answer:
                return self._body(answer)
        except urllib.error.HTTPError as error:
            with error:
                if 300 <= error.code < 400:
                    raise Refusal(
                        "该服务要求转到另一个地址，未跟随。请直接填写最终地址。",
                        "The service redirects, which is not followed: give the final address.",
                    ) from None
                raise Refusal(
                    f"该服务回答 HTTP {error.code}。", f"The service answered HTTP {error.code}."
                ) from None
        except (OSError, HTTPException, ValueError):
            raise Refusal(
                "连不上该服务，或它没有按时回答。",
                "The service cannot be reached, or did not answer in time.",
            ) from None

    def _body(self, answer: Any) -> bytes:
        blocks = []
        while block := answer.read1(1 << 16):
            blocks.append(block)
            self.left -= len(block)
            if self.left < 0:
                raise Refusal(
                    f"该服务返回的数据超过 {MAX_BYTES / 1e6:g} MB 的上限。",
                    f"The service gave more than the limit of {MAX_BYTES / 1e6:g} MB.",
                )
            if time.monotonic() > self.until:
                raise Refusal("该服务太慢，已停止。", "The service is too slow: stopped.")
        return b"".join(blocks)


def _opener() -> urllib.request.OpenerDirector:
    """Return what opens http and https alone, and follows nothing."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _asking(address: str, **parameters: object) -> str:
    """Return an address with parameters, in place of those of the same name in any case."""
    parts = urlsplit(address)
    names = {name.lower() for name in parameters}
    kept = [(k, v) for k, v in parse_qsl(parts.query, True) if k.lower() not in names]
    query = urlencode([*kept, *((k, str(v)) for k, v in parameters.items())])
    return urlunsplit(parts._replace(query=query))


# OGC API Features


def _ogc(session: _Session, layer: str) -> Iterator[list[Any]]:
    url: str | None = _asking(_items(session, layer), limit=PAGE, f="json")
    seen: set[str] = set()
    while url and url not in seen:
        seen.add(url)
        page = _json(session.get(url, "application/geo+json, application/json"))
        found = page.get("features")
        if not isinstance(found, list):
            raise Refusal(
                "该地址不是 OGC API Features 的要素。",
                "What the address gives are no features of OGC API Features.",
            )
        yield found
        url = _next(page, url)


def _items(session: _Session, layer: str) -> str:
    """Return the address of the items that are meant."""
    parts = urlsplit(session.address)
    path = parts.path.rstrip("/")
    if re.search(r"/collections/[^/]+/items$", path):
        return urlunsplit(parts._replace(path=path))
    if re.search(r"/collections/[^/]+$", path):
        return urlunsplit(parts._replace(path=f"{path}/items"))
    base = path.removesuffix("/collections")
    known = _json(
        session.get(_asking(urlunsplit(parts._replace(path=f"{base}/collections")), f="json"),
                    "application/json")
    ).get("collections")  # fmt: skip
    names = [item.get("id") for item in known or () if isinstance(item, dict)]
    name = _chosen([name for name in names if isinstance(name, str)], layer)
    return urlunsplit(parts._replace(path=f"{base}/collections/{quote(name, safe='')}/items"))


def _chosen(names: list[str], layer: str) -> str:
    found = names if len(names) == 1 else [n for n in names if n.rsplit(":", 1)[-1] == layer]
    if len(found) != 1:
        listed = masked(", ".join(names[:_SHOWN]))[0] or "-"
        raise Refusal(
            f"请在地址中指明数据集，该服务有：{listed}。",
            f"Say in the address which collection is meant; the service has: {listed}.",
        )
    return found[0]


def _next(page: Mapping[str, Any], url: str) -> str | None:
    links = page.get("links")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("rel") == "next":
            href = link.get("href")
            return urljoin(url, href) if isinstance(href, str) else None
    return None


def _json(content: bytes) -> dict[str, Any]:
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise Refusal("该服务的回答不是 JSON。", "The answer of the service is not JSON.")
    return told


# Web Feature Service 2.0


def _wfs(session: _Session, layer: str) -> Iterator[list[Any]]:
    base = _asking(session.address, service="WFS", version="2.0.0")
    told = {k.lower(): v for k, v in parse_qsl(urlsplit(base).query)}
    name = told.get("typenames") or told.get("typename")
    if name is None:
        root = _xml(session.get(_asking(base, request="GetCapabilities"), "text/xml"))
        names = [item.findtext("{*}Name") for item in root.iter() if _local(item) == "FeatureType"]
        name = _chosen([name for name in names if name], layer)
    start, before = 0, None
    while True:
        url = _asking(base, request="GetFeature", typeNames=name, count=PAGE, startIndex=start)
        content = session.get(url, "application/gml+xml, text/xml")
        matched = _xml(content).get("numberMatched", "")
        page = _gml(content)
        if page and page == before:  # it would never end
            raise Refusal("该服务不支持分页。", "The service does not know paging.")
        yield page
        start, before = start + len(page), page
        # A service may give fewer at a time than were asked for: that is no sign of the end.
        if start >= int(matched) if matched.isdecimal() else not page:
            return
        if not page:
            raise Refusal(
                f"该服务称有 {matched} 个要素，只返回了 {start} 个。",
                f"The service says it has {matched} features, and gave {start}.",
            )


def _xml(content: bytes) -> Element:
    """Parse an answer. Raises ``Refusal``, with the words of the service where it has any."""
    root = None
    # Without a document type there are no entities, which may grow or fetch without end.
    if b"<!DOCTYPE" not in content and b"\0" not in content:
        with suppress(ParseError, ValueError, LookupError):
            root = fromstring(content)  # noqa: S314
    if isinstance(root, Element) and _local(root) == "ExceptionReport":
        said = " ".join(" ".join(root.itertext()).split())[:200]
        shown = masked("".join(c for c in said if c.isprintable()))[0]
        raise Refusal(f"该服务报错：{shown}", f"The service refused: {shown}")
    if not isinstance(root, Element) or _local(root) not in (
        "WFS_Capabilities",
        "FeatureCollection",
    ):
        raise Refusal("该地址的回答不是 WFS。", "The answer is none of a WFS.")
    return root


def _local(element: Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]


def _gml(content: bytes) -> list[Any]:
    """Return the features of GML as GeoJSON in EPSG:4326."""
    if not re.search(rb"<(?:\w+:)?(?:member|featureMembers?)\b", content):
        return []

    def damaged() -> Refusal:
        return Refusal("该服务的 GML 无法读取。", "The GML of the service cannot be read.")

    with quiet(damaged):
        # Without the last, GDAL leaves a file of its own in memory for each answer.
        options = {"DOWNLOAD_SCHEMA": "NO", "SKIP_RESOLVE_ELEMS": "ALL", "WRITE_GFS": "NO"}
        about = pyogrio.read_info(content, **options)
        if about["driver"] != "GML":
            raise damaged()
        meta, table = pyogrio.raw.read_arrow(content, datetime_as_string=True, **options)
        fields = [str(name) for name in about["fields"]]
        columns = {
            name: list(map(features.finite, table.column(name).to_pylist())) for name in fields
        }
        placed = meta["geometry_type"] is not None and table.num_columns > len(fields)
        found = features.shapes(table.column(table.num_columns - 1).to_pylist()) if placed else []
        if any(isinstance(shape, Broken) for shape in found):
            raise damaged()
    shapes = np.full(table.num_rows, None, dtype=object)
    shapes[: len(found)] = found
    if meta["crs"]:
        shapes = on_lattice(shapes, transformer(meta["crs"]))
    return [
        {
            "type": "Feature",
            "geometry": None if shape is None else shape.__geo_interface__,
            "properties": {name: columns[name][at] for name in fields},
        }
        for at, shape in enumerate(shapes)
    ]
