"""Codes for rows that come without: the same row has the same code again."""

import hashlib
from collections import Counter
from collections.abc import Mapping


class Codes:
    """Makes codes from the content of rows; equal rows are told apart by their occurrence.

    A camera's is a GB/T 28181 id under the unassigned centre 99000000. ``taken`` are camera codes
    in use with the digest each was made from.

    >>> Codes("places", {}).code("a school")[0]
    'X4a71e29b49cf'
    """

    def __init__(self, layer_id: str, taken: Mapping[str, str]) -> None:
        self.made = 0
        self._layer = layer_id
        self._seen: Counter[str] = Counter()
        self._taken = dict(taken)
        self._known = {digest: code for code, digest in taken.items()}

    def code(self, content: str) -> tuple[str, str]:
        """Return a code and the digest it was made from."""
        self.made += 1
        whole = hashlib.sha256(content.encode()).hexdigest()
        self._seen[whole] += 1
        digest = hashlib.sha256(f"{whole}{self._seen[whole]}".encode()).hexdigest()[:12]
        if self._layer != "cameras":
            return f"X{digest}", digest
        if digest in self._known:
            return self._known[digest], digest
        serial = int(digest, 16) % 10_000_000
        # Seven digits are few: where a serial is taken, the next free one is.
        while (code := f"9900000000132{serial:07d}") in self._taken:
            serial = (serial + 1) % 10_000_000
        self._taken[code], self._known[digest] = digest, code
        return code, digest
