"""Shapes in WKB become GeoJSON text, byte for byte as ST_AsGeoJSON with eight decimals writes it.

Compiled: imported where it is used (``kernels``), for importing takes a second.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo_service.analysis.compiled import compiled

_HEADS = [
    b"",
    *(
        b'{"type":"%s","coordinates":' % name
        for name in (
            b"Point", b"LineString", b"Polygon", b"MultiPoint", b"MultiLineString", b"MultiPolygon"
        )
    ),
]  # fmt: skip
_HEAD_BYTES = np.frombuffer(b"".join(_HEADS), dtype=np.uint8)
_HEAD_ENDS = np.cumsum([len(head) for head in _HEADS])

ROOM, MORE_ROOM = 3, 128
"""Bytes of text at most: so many for each byte of WKB, and so many more for each shape."""

_OPEN, _CLOSE, _COMMA, _END = 91, 93, 44, 125  # [ ] , }
_ZERO, _DOT, _MINUS, _E = 48, 46, 45, 101  # 0 . - e
_SCALE = 1e8
_ONE, _TEN, _HUNDRED, _THOUSAND = (np.uint64(10**n) for n in range(4))
_FOUR, _STEPS, _DIGIT_0 = np.uint64(10**4), np.uint64(10**8), np.uint64(48)
_FOURS = np.frombuffer("".join(f"{n:04}" for n in range(10**4)).encode(), dtype=np.uint8)
_OFF_LATTICE = 1e-3  # of a step of the lattice: doubles of it err by a hundredth of that
_LARGEST = 1e9


def write(shapes: Sequence[bytes | None]) -> list[bytes | memoryview] | None:
    """Return the GeoJSON geometry of each WKB or EWKB shape; ``null`` for None.

    Coordinates must lie on the lattice of 1e-8, as all in the database do. None where one does not,
    or a shape is of a kind that no layer has: whoever asked lets the database write them.

    >>> shapes = write([bytes.fromhex("0101000000cdcccccccc4c5d40000000000000f03f"), None])
    >>> [bytes(shape) for shape in shapes]
    [b'{"type":"Point","coordinates":[117.2,1]}', b'null']
    """
    there = [shape for shape in shapes if shape is not None]
    if not there:
        return [b"null"] * len(shapes)
    wkb = np.frombuffer(b"".join(there), dtype=np.uint8)
    starts = np.zeros(len(there) + 1, dtype=np.int64)
    np.cumsum([len(shape) for shape in there], out=starts[1:])
    text = np.empty(ROOM * len(wkb) + MORE_ROOM * len(there), dtype=np.uint8)
    ends = np.empty(len(there), dtype=np.int64)
    if not _write(wkb, starts, text, ends, _HEAD_BYTES, _HEAD_ENDS):
        return None
    whole, bounds = text.data, [0, *ends.tolist()]
    written = (whole[a:b] for a, b in pairwise(bounds))
    return [b"null" if shape is None else next(written) for shape in shapes]


def _write(  # noqa: PLR0917
    wkb: NDArray[np.uint8],
    starts: NDArray[np.int64],
    text: NDArray[np.uint8],
    ends: NDArray[np.int64],
    heads: NDArray[np.uint8],
    head_ends: NDArray[np.int64],
) -> bool:
    to = 0
    for number in range(len(starts) - 1):
        at = starts[number]
        # Little-endian, as the server writes it where it runs on such a machine; others fall back.
        if wkb[at] != 1:
            return False
        kind, at = _kind(wkb, at)
        if not 1 <= kind <= 6:
            return False
        for place in range(head_ends[kind - 1], head_ends[kind]):
            text[to] = heads[place]
            to += 1
        if kind <= 3:
            at, to = _simple(wkb, at, kind, text, to)
        else:
            count = _u32(wkb, at)
            at += 4
            text[to] = _OPEN
            to += 1
            for part in range(count):
                if part:
                    text[to] = _COMMA
                    to += 1
                part_kind, at = _kind(wkb, at)
                if part_kind != kind - 3:
                    return False
                at, to = _simple(wkb, at, part_kind, text, to)
                if to < 0:
                    return False
            text[to] = _CLOSE
            to += 1
        if to < 0 or at != starts[number + 1]:
            return False
        text[to] = _END
        to += 1
        ends[number] = to
    return True


def _u32(wkb: NDArray[np.uint8], at: Any) -> Any:
    return (
        np.int64(wkb[at])
        | np.int64(wkb[at + 1]) << 8
        | np.int64(wkb[at + 2]) << 16
        | np.int64(wkb[at + 3]) << 24
    )


def _kind(wkb: NDArray[np.uint8], at: Any) -> Any:
    """Return the kind of the shape at ``at`` and where what is in it begins; 0: with Z or M."""
    code = _u32(wkb, at + 1)
    at += 5
    if code & 0x20000000:  # EWKB: with an SRID
        code &= ~0x20000000
        at += 4
    return (code if code < 8 else np.int64(0)), at


def _simple(wkb: NDArray[np.uint8], at: Any, kind: Any, text: NDArray[np.uint8], to: Any) -> Any:
    """Write a point, a line or a polygon; return where both are then, ``to`` -1 if it cannot be."""
    if kind == 1:
        pair = wkb[at : at + 16].view(np.float64)
        if np.isnan(pair[0]):  # an empty point
            text[to], text[to + 1] = _OPEN, _CLOSE
            return at + 16, to + 2
        return at + 16, _pair(pair[0], pair[1], text, to)
    if kind == 2:
        return _line(wkb, at, text, to)
    rings = _u32(wkb, at)
    at += 4
    text[to] = _OPEN
    to += 1
    for ring in range(rings):
        if ring:
            text[to] = _COMMA
            to += 1
        at, to = _line(wkb, at, text, to)
        if to < 0:
            return at, to
    text[to] = _CLOSE
    return at, to + 1


def _line(wkb: NDArray[np.uint8], at: Any, text: NDArray[np.uint8], to: Any) -> Any:
    count = _u32(wkb, at)
    at += 4
    pairs = wkb[at : at + 16 * count].view(np.float64)
    text[to] = _OPEN
    to += 1
    for place in range(count):
        if place:
            text[to] = _COMMA
            to += 1
        to = _pair(pairs[2 * place], pairs[2 * place + 1], text, to)
        if to < 0:
            return at, to
    text[to] = _CLOSE
    return at + 16 * count, to + 1


def _pair(x: Any, y: Any, text: NDArray[np.uint8], to: Any) -> Any:
    text[to] = _OPEN
    to = _number(x, text, to + 1)
    if to < 0:
        return to
    text[to] = _COMMA
    to = _number(y, text, to + 1)
    if to < 0:
        return to
    text[to] = _CLOSE
    return to + 1


def _number(value: Any, text: NDArray[np.uint8], to: Any) -> Any:
    if not abs(value) < _LARGEST:
        return np.int64(-1)
    steps = np.rint(value * _SCALE)
    if abs(value * _SCALE - steps) > _OFF_LATTICE:
        return np.int64(-1)
    n = np.uint64(abs(steps))
    if steps < 0:
        text[to] = _MINUS
        to += 1
    if n == _ONE:  # as PostGIS writes it
        text[to], text[to + 1], text[to + 2], text[to + 3] = _ZERO + 1, _E, _MINUS, _ZERO + 8
        return to + 4
    whole, rest = n // _STEPS, n % _STEPS
    if whole < _THOUSAND:
        place = np.int64(whole) << 2
        if whole >= _HUNDRED:
            text[to] = _FOURS[place + 1]
            to += 1
        if whole >= _TEN:
            text[to] = _FOURS[place + 2]
            to += 1
        text[to] = _FOURS[place + 3]
        to += 1
    else:
        size, tens = 4, _THOUSAND * _TEN
        while whole >= tens:
            size += 1
            tens *= _TEN
        for digit in range(to + size - 1, to - 1, -1):
            text[digit] = _DIGIT_0 + whole % _TEN
            whole //= _TEN
        to += size
    if rest:
        # Four digits at a time, then back over the zeros at the end.
        text[to] = _DOT
        high, low = np.int64(rest // _FOUR) << 2, np.int64(rest % _FOUR) << 2
        text[to + 1] = _FOURS[high]
        text[to + 2] = _FOURS[high + 1]
        text[to + 3] = _FOURS[high + 2]
        text[to + 4] = _FOURS[high + 3]
        text[to + 5] = _FOURS[low]
        text[to + 6] = _FOURS[low + 1]
        text[to + 7] = _FOURS[low + 2]
        text[to + 8] = _FOURS[low + 3]
        to += 8
        while text[to] == _ZERO:
            to -= 1
        to += 1
    return to


# From the bottom: numba compiles what a function calls before it.
_u32, _number = compiled(_u32), compiled(_number)
_kind, _pair = compiled(_kind), compiled(_pair)
_line = compiled(_line)
_simple = compiled(_simple)
_write = compiled(_write)


def warm() -> None:
    """Compile, or take what was compiled from the cache."""
    write([bytes.fromhex("010300000000000000")])
