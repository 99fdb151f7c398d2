"""Bodies of requests: none is taken into memory beyond a limit, whoever sends it."""

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geo_service.problems import TOO_LARGE, document

MOST_BYTES = 4 * 2**20
"""Of a body that the web framework reads: JSON, such as a line drawn across a county."""

_FILES, _OGC = "/api/imports", "/ogc/"  # read as it comes, up to limits of their own


class BodyLimit:
    """Answers 413 to a body of more than ``MOST_BYTES``, as soon as that is known.

    Before anything else: FastAPI reads a body first and asks who sends it afterwards. Its own
    limit, and starlette's, would answer in plain text.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["path"] == _FILES or scope["path"].startswith(_OGC):
            return await self._app(scope, receive, send)
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > MOST_BYTES:
            return await document(413, *TOO_LARGE)(scope, receive, send)
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MOST_BYTES:
                raise HTTPException(413)
            return message

        return await self._app(scope, counted, send)
