"""What a reader makes of a file, whatever its format: a source of chunks of rows."""

import codecs
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from layers.intake.coordinates import Shape
from layers.intake.personal import masked
from layers.intake.report import Refusal, Words

CHUNK = 20_000
"""Rows handled at a time."""


@dataclass(frozen=True, slots=True)
class File:
    """What a reader is given: the bytes, unpacked where it was ``.gz``.

    ``path`` is for formats of several files side by side. No archive may unpack to more than
    ``max_bytes``.
    """

    content: bytes
    path: Path
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows as they stand in the file.

    ``rows`` counts data rows from 1; ``lines`` are their lines in a text file. ``cells`` holds one
    list per header. ``geometry`` is None where the format has no geometry of its own.
    """

    rows: Sequence[int]
    lines: Sequence[int | None]
    cells: Mapping[str, Sequence[Any]]
    geometry: Sequence[Shape] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """An opened file: its headers, its declared CRS, its rows where they are known beforehand.

    ``geometry`` tells whether chunks bring geometries. Iterating ``chunks`` may raise ``Refusal``.
    ``notes`` say what the reader had to choose; they are complete when the chunks are.
    """

    headers: Sequence[str]
    chunks: Iterator[Chunk]
    crs: str | None = None
    total: int | None = None
    geometry: bool = False
    notes: Sequence[Words] = field(default_factory=tuple)


def cell(value: Any) -> Any:
    """Return a typed value as a cell: whole floats are integers, dates are text.

    A float of 16 digits or more that lost its last ones is given as what it is, a rounded number,
    so that no column of codes takes it.

    >>> cell(116.0), cell(110101199003070000.0), cell(date(2024, 3, 5))
    (116, '1.10101199003070e+17', '2024-03-05')
    """
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if not value.is_integer():
            return value
        ruined = abs(value) > 2**53 or (abs(value) >= 1e15 and value % 10 == 0)
        value = f"{value:.14e}" if ruined else int(value)
    if isinstance(value, date):  # times too
        return value.isoformat()
    if value is None or isinstance(value, str | int | list | dict):
        return value
    return None if isinstance(value, bytes) else str(value)


def distinct(headers: Sequence[str]) -> list[str]:
    """Return headers that can be told apart, without what cannot be printed or is personal."""
    seen: dict[str, int] = {}
    names = []
    for position, header in enumerate(headers, start=1):
        name = masked("".join(c for c in header if c.isprintable()))[0] or f"column {position}"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names


def encoding_of(content: bytes) -> str:
    """Return the encoding: UTF-8, then GB 18030; UTF-16 only with its mark, as Excel writes.

    Raises ``Refusal`` for what is no text.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates: tuple[str, ...] = ("utf-16",)
    elif b"\0" in content:
        candidates = ()
    else:
        candidates = ("utf-8-sig", "gb18030")
    for encoding in candidates:
        try:
            # In blocks: a second copy of the whole text is not needed.
            blocks = (content[i : i + 1_000_000] for i in range(0, len(content), 1_000_000))
            for _ in codecs.iterdecode(blocks, encoding):
                pass
        except UnicodeError:
            continue
        return encoding
    raise Refusal(
        "文件不是文本，或编码不是 UTF-8、GB 18030。",
        "The file is not text, or its encoding is neither UTF-8 nor GB 18030.",
    )
