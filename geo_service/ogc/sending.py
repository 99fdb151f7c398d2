"""A page as an answer: whole where it is short, else piece by piece as it is made."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from geo_service.ogc.page_rows import Page


class Streamed(StreamingResponse):
    """Sends what is still being made, and ends the making whatever happens.

    An answer that breaks off breaks the connection too, so that no client takes a part for the
    whole.
    """

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        headers: Mapping[str, str],
        media_type: str,
        end: Callable[[], object],
    ) -> None:
        super().__init__(pieces, headers=headers, media_type=media_type)
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        try:
            await super().__call__(scope, receive, send)
        except ClientDisconnect:
            pass  # nobody is there to be told
        finally:
            self._end()


async def sent(
    begin: bytes, found: Page, end: bytes, headers: Mapping[str, str], media_type: str
) -> Response:
    """Return the answer of a page, between ``begin`` and ``end``.

    Raises what goes wrong in making its first pieces: a client can still be told.
    """
    pieces = found.pieces()
    first = begin + await anext(pieces, b"")
    second = await anext(pieces, None)
    if second is None:
        return Response(first + end, headers=headers, media_type=media_type)

    async def all_() -> AsyncIterator[bytes]:
        yield first
        yield second
        async for piece in pieces:
            # Packing a piece and sending it may wait for nothing: the others get their turn here.
            await asyncio.sleep(0)
            yield piece
        yield end

    return Streamed(all_(), headers, media_type, found.end)
