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

ROOM, MORE_ROOM = 2, 128
"""Bytes of text at most: so many for each byte of WKB, and so many more for each shape."""

_OPEN, _CLOSE, _COMMA, _END = 91, 93, 44, 125  # [ ] , }
_ZERO, _DOT, _MINUS, _E = 48, 46, 45, 101  # 0 . - e
_SCALE = 1e8
_OFF_LATTICE = 1e-3  # of a step of the lattice: doubles of it err by a hundredth of that
_LARGEST = 1e3  # degrees have three digits at most before the point

_STEPS, _MYRIAD, _HUNDRED, _TEN, _ONE = (np.uint64(10**n) for n in (8, 4, 2, 1, 0))
_DIGIT_0, _DIGITS_0 = np.uint64(_ZERO), np.uint64(0x3030303030303030)
# Two numbers below 100 in a word, then four digits: multiplied and moved, they are divided.
_PAIRS, _BY_HUNDRED, _MOVED_20 = np.uint64(0x0000007F0000007F), np.uint64(10486), np.uint64(20)
_FOURS, _BY_TEN, _MOVED_10 = np.uint64(0x000F000F000F000F), np.uint64(103), np.uint64(10)
_BYTE, _BYTES_2, _BYTES_4, _BYTES_7 = (np.uint64(8 * n) for n in (1, 2, 4, 7))


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
        return at + 16, _pairs(pair, text, to)
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
    end = at + 16 * count
    text[to] = _OPEN
    to += 1
    if count:
        to = _pairs(wkb[at:end].view(np.float64), text, to)
        if to < 0:
            return end, to
    text[to] = _CLOSE
    return end, to + 1


def _pairs(values: NDArray[np.float64], text: NDArray[np.uint8], to: Any) -> Any:
    """Write one pair or more; return where that ends, -1 if they cannot be written.

    All in one, for a call of a function costs as much as a number. What may be there or not, a
    sign or the first digits, is written, and written over if not.
    """
    at = np.uint64(to)  # an index that is never taken from the end: nobody need look at its sign
    for place in range(len(values)):
        value = values[place]
        scaled = value * _SCALE
        whole_steps = np.rint(scaled)
        if not (abs(value) < _LARGEST and abs(scaled - whole_steps) <= _OFF_LATTICE):
            return np.int64(-1)
        text[at] = _COMMA if place & 1 else _OPEN
        at += _ONE
        text[at] = _MINUS
        at += np.uint64(whole_steps < 0)
        steps = np.uint64(np.int64(abs(whole_steps)))
        if steps == _ONE:  # as PostGIS writes it
            text[at], text[at + _ONE] = _ZERO + 1, _E
            at += _ONE + _ONE
            text[at], text[at + _ONE] = _MINUS, _ZERO + 8
            at += _ONE + _ONE
        else:
            whole = steps // _STEPS
            rest = steps - whole * _STEPS
            hundreds, tens = whole // _HUNDRED, whole // _TEN
            text[at] = _DIGIT_0 + hundreds
            at += np.uint64(whole >= _HUNDRED)
            text[at] = _DIGIT_0 + tens - hundreds * _TEN
            at += np.uint64(whole >= _TEN)
            text[at] = _DIGIT_0 + whole - tens * _TEN
            at += _ONE
            if rest:
                at = _decimals(rest, text, at)
        if place & 1:
            text[at], text[at + _ONE] = _CLOSE, _COMMA
            at += _ONE + _ONE
    return np.int64(at) - 1  # without the last comma


def _decimals(number: Any, text: NDArray[np.uint8], at: Any) -> Any:
    """Write a point and eight decimals, without the zeros at their end; return where it ends."""
    high = number // _MYRIAD
    fours = high | (number - high * _MYRIAD) << _BYTES_4
    pairs = fours * _BY_HUNDRED >> _MOVED_20 & _PAIRS
    pairs |= fours - pairs * _HUNDRED << _BYTES_2
    digits = pairs * _BY_TEN >> _MOVED_10 & _FOURS
    digits |= pairs - digits * _TEN << _BYTE
    text[at] = _DOT
    at += _ONE
    characters = digits | _DIGITS_0
    for place in range(8):  # one store of a word, once compiled
        text[at + np.uint64(place)] = characters >> np.uint64(8 * place)
    at += _BYTE
    while not digits >> _BYTES_7:
        digits <<= _BYTE
        at -= _ONE
    return at


# From the bottom: numba compiles what a function calls before it.
_u32, _decimals = compiled(_u32), compiled(_decimals)
_kind, _pairs = compiled(_kind), compiled(_pairs)
_line = compiled(_line)
_simple = compiled(_simple)
_write = compiled(_write)


def warm() -> None:
    """Compile, or take what was compiled from the cache."""
    write([bytes.fromhex("010300000000000000")])
