"""A page of shapes: read, written and sent side by side, and kept for the next who asks.

The database writes text of shapes several times slower than it hands them out. While one piece is
read from it, the one before is written here, and those before that are on their way to the client.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow

from geo_service.database import Database, Principal, snapshot
from geo_service.ogc.fragments import Fragments, Kind, Version
from geo_service.ogc.representation import Shown, feature, parts
from layers.catalogue import Layer

_READ = 1 << 19  # bytes of shapes: about so many are read at a time
_FIRST, _MOST = 64, 2000  # features: so many at first, and at most
_LONG = 1 << 17  # bytes: more are written in a thread, lest the others wait


@dataclass(frozen=True, slots=True)
class Source:
    """Where features come from, how they are to be shown, and what writes their shapes."""

    database: Database
    asking: Principal
    layer: Layer
    how: Shown
    kept: Fragments
    writer: Any

    @property
    def kind(self) -> Kind | None:
        """What these are kept as; None where they are not, being only parts."""
        return (self.layer.id, self.how.reference.uri) if self.how.whole else None


class ShapePage:
    """Reads a page in the background, as fast as it comes: a slow client keeps no connection.

    First ``rows`` are there, then ``features``, all of one moment. ``end`` it, whatever happens.
    """

    def __init__(
        self, source: Source, query: sql.Composed, values: dict[str, Any], limit: int
    ) -> None:
        self._source, self._limit = source, limit
        self._rows: asyncio.Future[list[TupleRow]] = asyncio.get_running_loop().create_future()
        self._written: asyncio.Queue[dict[int, bytes] | Exception] = asyncio.Queue()
        self._ready: dict[int, bytes] = {}
        self._task = asyncio.create_task(self._run(query, values))

    async def rows(self) -> list[TupleRow]:
        """Return what the query finds; its second and third column are id and version."""
        return await self._rows

    async def features(self) -> AsyncIterator[bytes]:
        """Yield the features of the first ``limit`` rows, as GeoJSON."""
        for number, _ in _versions(await self._rows, self._limit):
            while number not in self._ready:
                found = await self._written.get()
                if isinstance(found, Exception):
                    raise found
                self._ready |= found
            yield self._ready.pop(number)

    def end(self) -> None:
        """Read no more, and cancel the query."""
        self._task.cancel()

    async def _run(self, query: sql.Composed, values: dict[str, Any]) -> None:
        source = self._source
        try:
            async with source.database.reading(source.asking) as connection, snapshot(connection):
                rows = await _all(connection, query, values)
                wanted = list(_versions(rows, self._limit))
                if source.kind:
                    self._ready = source.kept.find(source.kind, wanted)
                self._rows.set_result(rows)
                missing = [number for number, _ in wanted if number not in self._ready]
                await self._read(connection, missing)
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            if self._rows.done():
                self._written.put_nowait(error)
            else:
                self._rows.set_exception(error)

    async def _read(self, connection: AsyncConnection[TupleRow], missing: list[int]) -> None:
        """Read features piece by piece, and have each written while the next one is read."""
        columns = parts(self._source.how)
        read: list[TupleRow] = []
        many = _FIRST
        while missing:
            piece, missing = missing[:many], missing[many:]
            asked = self._ask(connection, columns, piece)
            read, _ = await asyncio.gather(asked, self._write(connection, read))
            size = sum(len(row[1]) for row in read if row[1])
            many = max(1, min(_MOST, _READ * len(read) // max(size, 1)))
        await self._write(connection, read)

    async def _ask(
        self, connection: AsyncConnection[TupleRow], columns: sql.Composed, piece: list[int]
    ) -> list[TupleRow]:
        table = sql.Identifier(self._source.layer.table)
        query = sql.SQL("SELECT {} FROM {} AS t WHERE id = ANY(%(ids)s)").format(columns, table)
        return await _all(connection, query, {"ids": piece})

    async def _write(self, connection: AsyncConnection[TupleRow], read: list[TupleRow]) -> None:
        if not read:
            return
        if sum(len(row[1]) for row in read if row[1]) < _LONG:
            texts = _text(self._source.writer, read)
        else:
            texts = await asyncio.to_thread(_text, self._source.writer, read)
        if texts is None:
            columns = sql.SQL("t.id, {}").format(feature(self._source.how))
            found: dict[int, str] = dict(
                await self._ask(connection, columns, [row[0] for row in read])
            )
            texts = [found[row[0]].encode() for row in read]
        if self._source.kind:
            for row, text in zip(read, texts, strict=True):
                self._source.kept.keep(self._source.kind, (row[0], row[3]), text)
        self._written.put_nowait({row[0]: text for row, text in zip(read, texts, strict=True)})


def _versions(rows: Sequence[TupleRow], limit: int) -> Iterator[Version]:
    return ((row[1], row[2]) for row in rows[:limit] if row[1] is not None)


def _text(writer: Any, read: list[TupleRow]) -> list[bytes] | None:
    """Return features as GeoJSON; None where the database has to write them."""
    shapes = writer.write([row[1] for row in read])
    if shapes is None:
        return None
    return [
        b'{"type":"Feature","id":%d,"geometry":%b,"properties":%b}'
        % (row[0], shape, row[2].encode())
        for row, shape in zip(read, shapes, strict=True)
    ]


async def _all(
    connection: AsyncConnection[TupleRow], query: sql.Composed, values: dict[str, Any]
) -> list[TupleRow]:
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()
