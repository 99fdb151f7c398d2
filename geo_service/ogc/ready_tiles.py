"""The short way to a tile that is ready: before routing, without a database."""

from starlette.types import ASGIApp, Receive, Scope, Send

from geo_service.access.principals import Access
from geo_service.ogc.tile_cache import TileCache
from geo_service.ogc.tiles import answer

_PREFIX, _PART = "/ogc/collections/", "/tiles/"


class ReadyTiles:
    """Answers a tile from memory where the asker is known; all else goes the long way.

    Routing, parsing and looking up take several times longer than sending a tile does. What is
    kept was made on the long way, for the same path, query and area, and is dropped on a change.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if (
            scope["type"] != "http"
            or scope["method"] != "GET"
            or not scope["path"].startswith(_PREFIX)
            or _PART not in scope["path"]
        ):
            return await self._app(scope, receive, send)
        authorization = cookie = if_none_match = b""
        for name, value in scope["headers"]:
            if name == b"cookie":
                cookie = value
            elif name == b"authorization":
                authorization = value
            elif name == b"if-none-match":
                if_none_match = value
        state = scope["app"].state
        access: Access = state.access
        tiles: TileCache = state.tiles
        principal = access.known(authorization, cookie)
        if principal is None:
            return await self._app(scope, receive, send)
        tile = tiles.ready((scope["path"], scope["query_string"], principal.area))
        if tile is None:
            return await self._app(scope, receive, send)
        scope["ready_tile"] = True
        status, headers, body = answer(tile, if_none_match.decode("latin-1"))
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        if status == 200:
            raw.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})
        return None
