"""The table of a Shapefile: its headers as bytes, and the encoding that nobody wrote down."""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

_CODE_PAGES = {0x4D: "gb18030", 0x4F: "cp950", 0x13: "cp932", 0x4E: "cp949"}
_PAGES = {"65001": "utf-8", "936": "gb18030", "54936": "gb18030"}
_PAGE = re.compile(r"(?:[a-z]*[ _-]?([0-9]{3,5})|(?:iso[ -]?)?8859[ -]?([0-9]{1,2}))")


@dataclass(frozen=True, slots=True)
class Table:
    """What the head of a DBF file says. ``encoding`` is None where only ASCII is in it."""

    headers: Sequence[str]
    encoding: str | None
    declared: bool


def table(content: bytes, cpg: bytes | None) -> Table | None:
    """Read the headers and find the encoding; None where the head makes no sense.

    The encoding is that of the .cpg file or of the language mark where everything can be read so;
    else UTF-8, else GB 18030, else Latin-1, in which anything can be read.
    """
    start, width = (int.from_bytes(content[i : i + 2], "little") for i in (8, 10))
    names: list[bytes] = []
    texts: list[tuple[int, int]] = []
    place = 1
    for at in range(32, min(start, len(content)) - 31, 32):
        if content[at] == 0x0D:
            break
        names.append(content[at : at + 11].split(b"\0")[0].strip())
        size = content[at + 16] + (
            content[at + 17] << 8 if content[at + 11 : at + 12] == b"C" else 0
        )
        if content[at + 11 : at + 12] == b"C":
            texts.append((place, size))
        place += size
    if not names or place != width:
        return None
    declared = list(_declared(content[29], cpg))
    samples = list(_samples(content, start, width, texts))
    everything = [*((name, 10) for name in names), *samples]
    encoding = None
    if any(not text.isascii() for text, _ in everything):
        for encoding in (*declared, "utf-8", "gb18030", "latin-1"):
            if all(_fits(text, size, encoding) for text, size in everything):
                break
    return Table(
        [decoded(name, encoding or "ascii") for name in names], encoding, encoding in declared
    )


def decoded(text: bytes, encoding: str) -> str:
    """Decode a text that may have been cut in the middle of a character.

    >>> decoded("所属社区".encode()[:10], "utf-8")
    '所属社'
    """
    reader = codecs.getincrementaldecoder(encoding)(errors="replace")
    return reader.decode(text)


def _fits(text: bytes, size: int, encoding: str) -> bool:
    """Tell whether ``text`` can be read; its end may be torn where it fills its column."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(text, final=len(text) < size)
    except UnicodeDecodeError:
        return False
    return True


def _declared(mark: int, cpg: bytes | None) -> Iterator[str]:
    """Yield the encoding that the file or its .cpg names, where Python knows it."""
    name = _CODE_PAGES.get(mark) if cpg is None else named(cpg)
    if name:
        yield name


def named(page: bytes) -> str | None:
    """Return the encoding of a code page, as .cpg files and drawings name it; None where unknown.

    >>> named(b"ANSI_936"), named(b"UTF-8"), named(b"GBK")
    ('gb18030', 'utf-8', 'gb18030')
    """
    word = page.decode("ascii", "ignore").strip().lower()
    found = _PAGE.fullmatch(word)
    # GB 2312 and GBK are parts of GB 18030, and files that claim them go beyond.
    if word.startswith("gb"):
        return "gb18030"
    if word in ("utf8", "utf-8", "big5"):
        return word
    if not found:
        return None
    name = f"iso8859-{found[2]}" if found[2] else _PAGES.get(found[1], f"cp{found[1]}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None


def _samples(
    content: bytes, start: int, width: int, texts: Sequence[tuple[int, int]]
) -> Iterator[tuple[bytes, int]]:
    """Yield every text beyond ASCII once, with the width of its column."""
    count = max(0, len(content) - start) // width
    if not count:
        return
    records = np.frombuffer(content, np.uint8, count * width, start).reshape(count, width)
    records = records[records[:, 0] != ord("*")]
    for place, size in texts:
        column = records[:, place : place + size]
        for row in column[(column > 127).any(axis=1)]:
            yield row.tobytes().rstrip(b" \0"), size
