"""Chunks of checked rows flow into the database in a thread, while the next are read and checked.

The database takes longer to place a row than Python to check it, so the two work side by side.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, NamedTuple, Self

import psycopg
from psycopg import Cursor, errors

from layers.intake import vicinity
from layers.intake.rows import Rows
from layers.intake.writing import Writer, Written


class Astray(NamedTuple):
    """Rows written that lie in no grid in force: how many, and the codes of the first."""

    number: int
    codes: list[str]


class Flow:
    """Stages and writes chunks, in the order in which they are put, within one transaction.

    ``each`` writes chunk by chunk; otherwise all chunks are staged, and ``finish`` writes them at
    once. ``skip`` leaves rows out that lie outside the area of the account; otherwise they stop the
    writing, and go on being found. A refusal of the database stops it too: it is in ``error``,
    and the transaction can still be read in. Between ``wait`` and ``put`` the cursor is free.
    """

    def __init__(self, cursor: Cursor[Any], writer: Writer, *, each: bool, skip: bool) -> None:
        self.each = each
        self.written = Written(0, 0)
        self.outside: list[str] = []
        self.astray = Astray(0, [])
        self.error: psycopg.Error | None = None
        self._cursor, self._writer, self._skip = cursor, writer, skip
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="intake")
        self._going: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # The transaction ends next: nobody may be at work in it.
        self._pool.shutdown(wait=True, cancel_futures=True)

    def put(self, rows: Rows) -> None:
        """Hand over a chunk; wait for the one before."""
        block = self._writer.block(rows)
        self.wait()
        if block and self.error is None:
            self._going = self._pool.submit(self._guarded, block)

    def wait(self) -> None:
        """Wait until all that was put is in the database."""
        if self._going:
            self._going.result()
            self._going = None

    def finish(self) -> None:
        """Write what is staged still."""
        self.wait()
        if not self.each and self.error is None:
            self._guarded(b"")

    def _guarded(self, block: bytes) -> None:
        try:
            # A savepoint: what is asked of the database after an error is still answered.
            with self._cursor.connection.transaction():
                self._writer.copy(block)
                if self.each or not block:
                    self._write()
            if self.each:
                self._writer.clear()
        except psycopg.Error as error:
            self.error = error

    def _write(self) -> None:
        if self.outside and not self._skip:
            self.outside += self._writer.outside()
            return
        try:
            with self._cursor.connection.transaction():
                written = self._writer.write()
        except errors.InsufficientPrivilege:
            outside = self._writer.outside()
            if not outside:
                raise
            self.outside += outside
            if not self._skip:
                return
            self._writer.remove(outside)
            written = self._writer.write()
        self.written = Written(*map(sum, zip(self.written, written, strict=True)))
        count, codes = vicinity.astray(self._cursor, self._writer.layer)
        codes = [*self.astray.codes, *codes][: vicinity.SHOWN]
        self.astray = Astray(self.astray.number + count, codes)
