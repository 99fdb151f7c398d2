"""Features as GeoJSON text, kept by the version of their row: what is kept is never stale."""

from collections import OrderedDict
from collections.abc import Sequence

Kind = tuple[str, str]
"""A layer, and the CRS that its features are written in, with all their properties."""

Version = tuple[int, bytes]
"""A row's id, and the transaction that wrote it."""

_OVERHEAD = 400  # bytes that Python takes to keep one


class Fragments:
    """Features, within ``limit`` bytes, least recently used first to go.

    PostgreSQL never changes a row: it writes another, which tells of another transaction. So what
    was written of a row once is right as long as that version is the one that a query finds,
    whoever asked the query; nothing has to be told of changes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[Kind, int], tuple[bytes, bytes]] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, kind: Kind, versions: Sequence[Version]) -> dict[int, bytes]:
        """Return what is kept of so many rows, by id."""
        found = {}
        for number, version in versions:
            kept = self._kept.get((kind, number))
            if kept is not None and kept[0] == version:
                found[number] = kept[1]
                self._kept.move_to_end((kind, number))
        return found

    def keep(self, kind: Kind, version: Version, text: bytes) -> None:
        """Keep a feature instead of another version of it."""
        key = (kind, version[0])
        self._drop(key)
        if len(text) + _OVERHEAD > self._limit:
            return
        self._kept[key] = (version[1], text)
        self.size += len(text) + _OVERHEAD
        while self.size > self._limit:
            self._drop(next(iter(self._kept)))

    def clear(self) -> None:
        """Drop everything: another database may number its transactions alike."""
        self._kept.clear()
        self.size = 0

    def _drop(self, key: tuple[Kind, int]) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.size -= len(kept[1]) + _OVERHEAD
