"""The short way to a tile that is ready: before routing, without a database."""

import asyncio
import gzip
import time
from collections.abc import Sequence
from functools import lru_cache

from starlette.datastructures import State
from starlette.types import ASGIApp, Receive, Scope, Send

from geo_service.access.principals import Access
from geo_service.logs import request_name
from geo_service.metrics import Metrics
from geo_service.ogc.tile_cache import Address, Tile, TileCache
from geo_service.ogc.tiles import LEAST_PACKED, answer

_PREFIX, _PART = "/ogc/collections/", "/tiles/"
_WORTH = 0.9  # of its size at most must a tile have in gzip
_LONG = 32_768  # bytes: more are packed in a thread, lest the others wait


class ReadyTiles:
    """Answers a tile from memory where the asker is known; all else goes the long way.

    Routing, parsing and looking up take several times longer than sending a tile does. What is
    kept was made on the long way, for the same path, query and area, and is dropped on a change.
    A tile that is taken a second time is packed, for clients that read gzip, and kept so too.

    It stands before all other middleware, and does for these tiles what they do: ``headers`` are
    those of every answer, the request is named, and its time goes into the metrics. Around the
    whole application, ``state`` is that application's.
    """

    def __init__(
        self,
        app: ASGIApp,
        headers: Sequence[tuple[bytes, bytes]] = (),
        state: State | None = None,
    ) -> None:
        self._app = app
        self._headers = list(headers)
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if (
            scope["type"] != "http"
            or scope["method"] != "GET"
            or not scope["path"].startswith(_PREFIX)
            or _PART not in scope["path"]
        ):
            return await self._app(scope, receive, send)
        began = time.perf_counter()
        authorization = cookie = if_none_match = accept_encoding = name_given = b""
        for name, value in scope["headers"]:
            if name == b"cookie":
                cookie = value
            elif name == b"authorization":
                authorization = value
            elif name == b"if-none-match":
                if_none_match = value
            elif name == b"accept-encoding":
                accept_encoding = value
            elif name == b"x-request-id":
                name_given = value
        state = self._state or scope["app"].state
        access: Access = state.access
        tiles: TileCache = state.tiles
        principal = access.known(authorization, cookie)
        if principal is None:
            return await self._app(scope, receive, send)
        address = (scope["path"], scope["query_string"], principal.area)
        tile = tiles.ready(address)
        if tile is None:
            return await self._app(scope, receive, send)
        packed = bool(accept_encoding) and reads_gzip(accept_encoding)
        if packed and tile.packed is None and len(tile.body) >= LEAST_PACKED:
            await _pack(tiles, address, tile)
        status, raw, body = self._ready(tile, if_none_match, packed, principal.open)
        head = [*raw, (b"x-request-id", request_name(name_given))]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body})
        metrics: Metrics = state.metrics
        metrics.requests.labels("GET", "ready tile", str(status)).observe(
            time.perf_counter() - began
        )
        return None

    def _ready(
        self, tile: Tile, if_none_match: bytes, packed: bool, for_all: bool
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        packed = packed and bool(tile.packed)
        kind = (packed, for_all)
        if not if_none_match and kind in tile.heads:
            return 200, tile.heads[kind], (tile.packed or b"") if packed else tile.body
        status, headers, body = answer(
            tile, if_none_match.decode("latin-1"), packed=packed, for_all=for_all
        )
        raw = [(name.encode(), value.encode()) for name, value in headers.items()] + self._headers
        if status == 200:
            raw.append((b"content-length", b"%d" % len(body)))
            tile.heads[kind] = raw
        return status, raw, body


@lru_cache(maxsize=256)
def reads_gzip(accept_encoding: bytes) -> bool:
    """Tell whether a client takes gzip (RFC 9110, 12.5.3).

    >>> reads_gzip(b"gzip, br"), reads_gzip(b"gzip;q=0"), reads_gzip(b"*"), reads_gzip(b"br")
    (True, False, True, False)
    """
    weights = {}
    for part in accept_encoding.decode("latin-1").lower().split(","):
        coding, _, parameter = part.partition(";")
        try:
            weights[coding.strip()] = float(parameter.partition("=")[2] or 1)
        except ValueError:
            weights[coding.strip()] = 0
    return weights.get("gzip", weights.get("*", 0)) > 0


async def _pack(tiles: TileCache, address: Address, tile: Tile) -> None:
    tile.packed = b""  # by one alone: whoever comes meanwhile gets it as it is
    if len(tile.body) < _LONG:
        packed = gzip.compress(tile.body, 6, mtime=0)
    else:
        packed = await asyncio.to_thread(gzip.compress, tile.body, 6, mtime=0)
    if len(packed) < _WORTH * len(tile.body):
        tiles.pack(address, tile, packed)
