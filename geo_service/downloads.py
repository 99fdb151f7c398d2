"""Layers as files over HTTP: text as it is made, other formats from a private temporary file."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, get_args
from urllib.parse import quote

from anyio import CancelScope, to_thread
from fastapi import APIRouter, Query, Request
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from geo_service.access.principals import Asking
from geo_service.database import Principal, acting
from geo_service.exports import TOWN_TIME
from geo_service.ogc.parameters import Layered, refuse_unknown
from geo_service.ogc.selection import SELECTING
from geo_service.ogc.selection import Selection as Selected
from geo_service.problems import MEDIA_TYPE, Problem
from layers.base import SRID
from layers.catalogue import Layer
from layers.export import FORMATS, ExportError, Language, Selection, export, stream
from layers.export.exporting import form_of
from layers.export.projection import Projection, projection

MOST = 2
"""Exports at a time in a process: each has a thread, a connection and, of a layer, a snapshot."""
STALLED = 60.0
"""Seconds for which a client may take nothing before it is given up."""
_BLOCK = 256 * 1024

router = APIRouter(prefix="/api", tags=["Export"])


class Slots:
    """Counts what runs at a time. ``take`` raises Problem 503 beyond; nobody waits."""

    def __init__(self, most: int = MOST) -> None:
        self._free = most

    def take(self) -> None:
        """Take a slot."""
        if not self._free:
            raise Problem(
                503,
                "正在进行的导出太多，请稍后再试。",
                "Too many exports are running; try again soon.",
                {"Retry-After": "5"},
            )
        self._free -= 1

    def give_back(self) -> None:
        """Give a slot back."""
        self._free += 1


class Download(StreamingResponse):
    """Sends ``pieces``, made in threads, and closes them however it ends.

    An answer that breaks off breaks the connection too, so that no client takes a part for the
    whole.
    """

    def __init__(
        self,
        first: bytes,
        pieces: Iterator[bytes],
        slots: Slots,
        headers: Mapping[str, str],
        media_type: str,
    ) -> None:
        self._first, self._pieces, self._slots = first, pieces, slots
        super().__init__(self._body(), headers=headers, media_type=media_type)

    async def _body(self) -> AsyncIterator[bytes]:
        yield self._first
        while (piece := await to_thread.run_sync(next, self._pieces, None)) is not None:
            if piece:
                yield piece

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""

        async def patient(message: Message) -> None:
            # A client that takes nothing would keep the snapshot, and with it dead rows, for good.
            async with asyncio.timeout(STALLED):
                await send(message)

        try:
            await super().__call__(scope, receive, patient)
        except (ClientDisconnect, TimeoutError):
            pass  # nobody is there to be told
        finally:
            with CancelScope(shield=True):
                await _end(self._pieces, self._slots)


async def _end(pieces: Iterator[bytes], slots: Slots) -> None:
    try:
        await to_thread.run_sync(pieces.close)  # type: ignore[attr-defined]  # a generator
    finally:
        slots.give_back()


@router.get(
    "/export/{collection}",
    summary="A layer as a file",
    responses={
        200: {
            "description": "The file, with its name in Content-Disposition",
            "content": {form.media_type.split(";")[0]: {} for form in FORMATS.values()},
        },
        400: {"description": "A parameter is wrong or unknown", "content": {MEDIA_TYPE: {}}},
        503: {"description": "Too many exports are running", "content": {MEDIA_TYPE: {}}},
    },
)
async def download(  # noqa: PLR0917
    request: Request,
    asking: Asking,
    layer: Layered,
    selected: Selected,
    form: Annotated[
        str,
        Query(
            alias="format",
            description="Format of the file",
            json_schema_extra={"enum": [suffix[1:] for suffix in FORMATS]},
        ),
    ] = "csv",
    crs: Annotated[
        str,
        Query(description="EPSG:n, GCJ-02 or BD-09; GeoJSON and KML hold degrees only"),
    ] = "EPSG:4326",
    lang: Annotated[
        str,
        Query(
            description="Columns and coded values: as in the database, or titles for people",
            json_schema_extra={"enum": list(get_args(Language))},
        ),
    ] = "codes",
) -> Download:
    """Send the features that the principal may see; any field of the layer may filter by equality.

    ``bbox``, ``datetime``, ``filter`` and fields choose as they do for the items of the layer.
    """
    names = {"id", *(field.name for field in layer.fields)}
    refuse_unknown(request, names | SELECTING | {"format", "crs", "lang"})
    language = next((one for one in get_args(Language) if one == lang), None)
    if language is None:
        raise Problem(
            400, f"没有语言“{lang}”，可用：codes、zh、en。",
            f"There is no language {lang}; there are codes, zh and en.",
        )  # fmt: skip
    try:
        form_of(f".{form}")
        place = projection(crs)
    except ExportError as error:
        raise Problem(400, error.zh, str(error)) from None
    selection = Selection(selected.where, selected.values)
    return await send(request, asking, Asked(layer, f".{form.lower()}", selection, place, language))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a file is to hold: its layer and rows, its format by suffix, its CRS and words."""

    layer: Layer
    suffix: str
    selection: Selection
    place: Projection
    lang: Language = "codes"
    media_type: str | None = None


async def send(request: Request, asking: Principal, asked: Asked) -> Download:
    """Return a file as an answer: what ``asking`` may see of what is ``asked``.

    Raises Problem 503 where too many are made already, and 400 for what cannot be written.
    """
    slots: Slots = request.app.state.exports
    slots.take()
    pieces = _pieces(request.app.state.database.url, asking, asked)
    try:
        first = await to_thread.run_sync(_begin, pieces)
    except BaseException as error:
        with CancelScope(shield=True):
            await _end(pieces, slots)
        if isinstance(error, ExportError):
            raise Problem(400, error.zh, str(error)) from None
        raise
    headers = {"Content-Disposition": disposition(asked), "Cache-Control": "no-store"}
    media_type = asked.media_type or FORMATS[asked.suffix].media_type
    return Download(first, pieces, slots, headers, media_type)


def _begin(pieces: Iterator[bytes]) -> bytes:
    """Take the head and the first rows: most of what can go wrong does so by then."""
    return next(pieces, b"") + next(pieces, b"")


def _pieces(url: str, asking: Principal, asked: Asked) -> Iterator[bytes]:
    layer, selection, crs, lang = asked.layer, asked.selection, asked.place.name, asked.lang
    if FORMATS[asked.suffix].pieces:
        with acting(url, asking) as connection:
            yield from stream(connection, layer, asked.suffix, selection, crs=crs, lang=lang)
        return
    folder = Path(tempfile.mkdtemp(prefix="geo-export-"))  # for this user alone
    try:
        path = folder / f"{layer.id}{asked.suffix}"
        with acting(url, asking) as connection:
            export(connection, layer, path, selection=selection, crs=crs, lang=lang)
        file = path.open("rb")
    finally:
        # Opened, it needs no name any more: whatever happens now, nothing is left.
        shutil.rmtree(folder, ignore_errors=True)
    with file:
        while block := file.read(_BLOCK):
            yield block


def disposition(asked: Asked) -> str:
    """Return Content-Disposition with the file's name (RFC 6266, RFC 8187).

    The name tells the layer, the CRS unless it is EPSG:4326, and the day; a plain one is there for
    old clients.
    """
    crs = "" if asked.place.epsg == SRID else f"_{asked.place.name.replace(':', '')}"
    day = datetime.now(TOWN_TIME).date().isoformat()
    title = asked.layer.title.en if asked.lang == "en" else asked.layer.title.zh
    plain, named = (f"{name}{crs}_{day}{asked.suffix}" for name in (asked.layer.id, title))
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(named, safe='')}"
