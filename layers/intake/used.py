"""The codes of a file, kept small: a million of them take some forty megabytes."""

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

NO_LINE = -1


class Used:
    """Codes in the order of the file, with the row and the line of each.

    >>> used = Used()
    >>> used.add(["a", "b", None, "a"], [1, 2, 3, 4], [2, 3, 4, 5])
    >>> list(used.repeated())
    [('a', 1, 2), ('a', 4, 5)]
    """

    def __init__(self) -> None:
        # Codes hold no NUL: values.plain refuses it.
        self._texts: list[str] = []
        self._hashes: list[NDArray[np.int64]] = []
        self._places: list[NDArray[np.int64]] = []
        self._sorted: NDArray[np.int64] = np.array([], dtype=np.int64)
        self._compared = 0
        self._doubled = False

    def add(
        self, codes: Sequence[str | None], rows: Sequence[int], lines: Sequence[int | None]
    ) -> None:
        """Add the codes of a chunk; where there is none, there is nothing to keep."""
        size = len(codes)
        own = np.fromiter(rows, np.int64, size)
        at = np.fromiter((NO_LINE if n is None else n for n in lines), np.int64, size)
        known = [code for code in codes if code is not None]
        if len(known) < size:
            there = np.fromiter((code is not None for code in codes), bool, size)
            own, at = own[there], at[there]
        if known:
            self._texts.append("\0".join(known))
            self._hashes.append(np.fromiter(map(hash, known), np.int64, len(known)))
            self._places.append(np.column_stack([own, at]))

    def __iter__(self) -> Iterator[tuple[str, int, int | None]]:
        for position in range(len(self._texts)):
            yield from self._part(position)

    def repeated(self) -> Iterator[tuple[str, int, int | None]]:
        """Yield codes that may be there twice; those of equal hash, so look again."""
        if self.doubled():
            same = self._sorted[1:] == self._sorted[:-1]
            yield from self._with(np.unique(self._sorted[1:][same]))

    def doubled(self) -> bool:
        """Tell whether a code may be there twice so far: whether hashes are equal."""
        new = self._hashes[self._compared :]
        if new:
            self._compared = len(self._hashes)
            self._sorted = np.sort(np.concatenate([self._sorted, *new]), kind="stable")
            self._doubled = bool((self._sorted[1:] == self._sorted[:-1]).any())
        return self._doubled

    def among(self, codes: Sequence[str]) -> NDArray[np.bool_]:
        """Tell which of some codes the file has, by their hashes: of shape (codes,)."""
        self.doubled()
        own = np.fromiter(map(hash, codes), np.int64, len(codes))
        if not len(self._sorted):
            return np.zeros(len(codes), dtype=bool)
        at = np.minimum(np.searchsorted(self._sorted, own), len(self._sorted) - 1)
        return np.asarray(self._sorted[at] == own)

    def at(self, rows: Collection[int]) -> dict[int, str]:
        """Return the codes of some rows."""
        wanted = np.fromiter(rows, np.int64, len(rows))
        found: dict[int, str] = {}
        for position, places in enumerate(self._places):
            hits = np.flatnonzero(np.isin(places[:, 0], wanted)).tolist()
            if hits:
                texts = self._texts[position].split("\0")
                found |= {int(places[hit, 0]): texts[hit] for hit in hits}
        return found

    def of(self, codes: Collection[str]) -> Iterator[tuple[str, int, int | None]]:
        """Yield the places of some codes, in the order of the file."""
        wanted = codes if isinstance(codes, set) else set(codes)
        hashes = np.fromiter(map(hash, wanted), np.int64, len(wanted))
        for found in self._with(hashes):
            if found[0] in wanted:
                yield found

    def _with(self, hashes: NDArray[np.int64]) -> Iterator[tuple[str, int, int | None]]:
        if not len(hashes):
            return
        for position, own in enumerate(self._hashes):
            hits = np.flatnonzero(np.isin(own, hashes)).tolist()
            if hits:
                part = list(self._part(position))
                yield from (part[hit] for hit in hits)

    def _part(self, position: int) -> Iterator[tuple[str, int, int | None]]:
        texts = self._texts[position].split("\0")
        for text, (row, line) in zip(texts, self._places[position].tolist(), strict=True):
            yield text, row, None if line == NO_LINE else line
