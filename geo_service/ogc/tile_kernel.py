"""Rows of points, as the database sends them, become a vector tile: byte for byte ST_AsMVT's.

Compiled: imported where it is used (``kernels``), for importing takes a second. Rounding and
cutting are those of ST_AsMVTGeom: a place times a scale, moved, to the nearest even whole number,
and kept within the buffer, its edge included. Layout as of Mapbox Vector Tile 2.1; values are told
apart by kind and bytes, and numbered as they first come.
"""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo_service.analysis.compiled import compiled

TEXT, INTEGER, NUMBER = 0, 1, 2
"""What a column holds: text; a whole number of 2, 4 or 8 bytes; a double."""

_D, _E, _Z = 68, 69, 90  # DataRow, ErrorResponse, ReadyForQuery
_A_FEATURE, _A_TAG, _A_VALUE = 48, 10, 16
"""Bytes at most: of a feature without tags, of a tag, and of a value beside its own bytes."""

# Of a hash: times the golden ratio, with the upper half into the lower one before and after.
_BASIS, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x9E3779B97F4A7C15)
_HALF, _SHIFT = np.uint64(32), np.uint64(29)

Bytes = NDArray[np.uint8]


class UnfitError(ValueError):
    """Rows that are no points, or no rows at all."""


def ended(data: bytearray, size: int) -> int:
    r"""Return where ErrorResponse stands in ``data[:size]``, or ``size`` where there is none.

    -1 as long as they are not whole messages of the protocol, ReadyForQuery the last.

    >>> done = bytearray(b"2\0\0\0\4Z\0\0\0\5I")
    >>> ended(done, 11), ended(done, 7)
    (11, -1)
    """
    if data[size - 6 : size - 1] != b"Z\0\0\0\5":
        return -1
    return int(_walked(np.frombuffer(data, dtype=np.uint8), size))


def encode(  # noqa: PLR0917
    data: bytearray,
    size: int,
    name: str,
    columns: Sequence[tuple[str, int]],
    box: tuple[float, float, float, float],
    extent: int,
    buffer: int,
) -> bytes:
    """Return a tile of one layer, empty where no point lies in it.

    Parameters
    ----------
    data, size
        Messages of PostgreSQL's protocol; of their rows, in binary, the first column is a point in
        EWKB, the second a bigint, its id, and the others are ``columns``.
    name
        The layer's name.
    columns
        Names of properties, and what each is: ``TEXT``, ``INTEGER`` or ``NUMBER``.
    box
        West, south, east and north of the tile, in the points' CRS.
    extent, buffer
        Of the tile, and around it, in its units.

    Raises
    ------
    UnfitError
        For rows of another make.
    """
    kinds = np.array([kind for _, kind in columns], dtype=np.int64)
    messages = np.frombuffer(data, dtype=np.uint8)[:size]
    rows = _counted(messages)
    # Made here: to hand an array out of compiled code takes longer than to make it.
    features = np.empty(rows * (_A_FEATURE + _A_TAG * len(kinds)) + 1, dtype=np.uint8)
    values = np.empty(size + rows * len(kinds) * _A_VALUE + 1, dtype=np.uint8)
    feature_bytes, value_bytes = _encoded(
        messages, rows, kinds, np.array(box), extent, buffer, features, values
    )
    if feature_bytes < 0:
        raise UnfitError("the rows are not those of a layer of points")
    if not feature_bytes:
        return b""
    keys = [key.encode() for key, _ in columns]
    layer = b"".join((
        _told(0x0A, name.encode()),
        features[:feature_bytes].data,
        *(_told(0x1A, key) for key in keys),
        values[:value_bytes].data,
        b"\x28", _varint(extent), b"\x78\x02",
    ))  # fmt: skip
    return b"".join((b"\x1a", _varint(len(layer)), layer))


def _told(tag: Any, text: bytes) -> bytes:
    return struct.pack("B", tag) + _varint(len(text)) + text


def _varint(number: Any) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


def _walked(data: Bytes, size: Any) -> Any:
    at, error, last = np.int64(0), np.int64(size), np.int64(0)
    while at + 5 <= size:
        last = np.int64(data[_at(at)])
        if last == _E:
            error = at
        at += 1 + _u32(data, at + 1)
    return error if at == size and last == _Z else np.int64(-1)


def _at(place: Any) -> Any:
    """Return an index that is never taken from the end: numba need not look at its sign."""
    return np.uint64(place)


def _u32(data: Bytes, at: Any) -> Any:
    return (
        np.int64(data[_at(at)]) << 24
        | np.int64(data[_at(at + 1)]) << 16
        | np.int64(data[_at(at + 2)]) << 8
        | np.int64(data[_at(at + 3)])
    )


def _word(data: Bytes, at: Any) -> Any:
    """Return eight bytes, the first the lowest. A view of them would take many times longer."""
    return (
        np.uint64(data[_at(at)])
        | np.uint64(data[_at(at + 1)]) << np.uint64(8)
        | np.uint64(data[_at(at + 2)]) << np.uint64(16)
        | np.uint64(data[_at(at + 3)]) << np.uint64(24)
        | np.uint64(data[_at(at + 4)]) << np.uint64(32)
        | np.uint64(data[_at(at + 5)]) << np.uint64(40)
        | np.uint64(data[_at(at + 6)]) << np.uint64(48)
        | np.uint64(data[_at(at + 7)]) << np.uint64(56)
    )


def _same(data: Bytes, one: Any, other: Any, length: Any) -> bool:
    last = length - 8
    if last < 0:
        for place in range(length):  # noqa: SIM110 - numba compiles no generators
            if data[_at(one + place)] != data[_at(other + place)]:
                return False
        return True
    for place in range(0, last, 8):
        if _word(data, one + place) != _word(data, other + place):
            return False
    return bool(_word(data, one + last) == _word(data, other + last))


def _mixed(mixed: Any, word: Any) -> Any:
    mixed ^= word
    mixed = (mixed ^ mixed >> _HALF) * _PRIME
    return mixed ^ mixed >> _SHIFT


def _hashed(mixed: Any, data: Bytes, at: Any, length: Any) -> Any:
    last = at + length - 8
    if length < 8:
        for place in range(at, at + length):
            mixed = (mixed ^ np.uint64(data[_at(place)])) * _PRIME
        return mixed
    for place in range(at, last, 8):
        mixed = _mixed(mixed, _word(data, place))
    return _mixed(mixed, _word(data, last))


def _signed(data: Bytes, at: Any, size: Any) -> Any:
    number = np.int64(data[_at(at)])
    if number > 127:
        number -= 256
    for place in range(at + 1, at + size):
        number = number << 8 | np.int64(data[_at(place)])
    return number


def _put(number: Any, out: Bytes, to: Any) -> Any:
    """Write a varint; return where it ends."""
    while number > 127:
        out[_at(to)] = number & 127 | 128
        to += 1
        number >>= 7
    out[_at(to)] = number
    return to + 1


def _zigzag(number: Any) -> Any:
    return number << 1 if number >= 0 else (-number << 1) - 1


def _counted(data: Bytes) -> Any:
    """Return how many rows there are."""
    rows, at, size = np.int64(0), np.int64(0), len(data)
    while at < size:
        rows += data[_at(at)] == _D
        at += 1 + _u32(data, at + 1)
    return rows


def _encoded(  # noqa: PLR0912, PLR0915, PLR0917
    data: Bytes,
    rows: Any,
    kinds: NDArray[np.int64],
    box: NDArray[np.float64],
    extent: Any,
    buffer: Any,
    features: Bytes,
    values: Bytes,
) -> Any:
    """Write features and values; return how many bytes of each, of features -1 for other rows."""
    size, count = len(data), len(kinds)
    room = 16
    while room < 2 * rows * count:
        room *= 2
    # A table of values by hash: where each is in data, how long, of which kind.
    table = np.full(room, -1, dtype=np.int32)
    value_at = np.empty(rows * count, dtype=np.int64)
    value_size = np.empty(rows * count, dtype=np.int64)
    value_kind = np.empty(rows * count, dtype=np.int8)
    tags = np.empty(_A_TAG * count + 1, dtype=np.uint8)
    words = np.empty(2, dtype=np.uint64)
    pair = words.view(np.float64)
    known, to, value_to = 0, 0, 0
    scale_x, scale_y = extent / (box[2] - box[0]), -(extent / (box[3] - box[1]))
    move_x, move_y = -box[0] * scale_x, -box[3] * scale_y
    low, high = -float(buffer), float(extent + buffer)
    at = np.int64(0)
    while at < size:
        following = at + 1 + _u32(data, at + 1)
        if data[_at(at)] != _D:
            at = following
            continue
        at += 7
        # The point, in little-endian EWKB of a point with SRID: nothing else is in such a layer.
        shape = _u32(data, at)
        at += 4
        if shape == 0xFFFFFFFF:
            at = following
            continue
        if shape != 25 or data[_at(at)] != 1 or data[_at(at + 1)] != 1 or data[_at(at + 4)] != 0x20:
            return np.int64(-1), np.int64(0)
        words[0], words[1] = _word(data, at + 9), _word(data, at + 17)
        x, y = np.rint(scale_x * pair[0] + move_x), np.rint(scale_y * pair[1] + move_y)
        if not (low <= x <= high and low <= y <= high):
            at = following
            continue
        at += 25
        own = np.int64(-1)
        length = _u32(data, at)
        at += 4
        if length != 0xFFFFFFFF:
            own = _signed(data, at, length)
            at += length
        tagged = 0
        for key in range(count):
            length = _u32(data, at)
            at += 4
            if length == 0xFFFFFFFF:
                continue
            kind = kinds[key]
            mixed, number = _BASIS ^ np.uint64(kind), np.int64(0)
            if kind == INTEGER:  # the same number, whether of four bytes or of eight
                number = _signed(data, at, length)
                mixed = _mixed(mixed, np.uint64(number))
            else:
                mixed = _hashed(mixed, data, at, length)
            slot = np.int64((mixed ^ mixed >> _SHIFT) & np.uint64(room - 1))
            while True:
                value: Any = np.int64(table[_at(slot)])
                if value < 0:
                    table[_at(slot)] = value = known
                    known += 1
                    value_at[_at(value)], value_size[_at(value)] = at, length
                    value_kind[_at(value)] = kind
                    value_to = _value(data, at, length, kind, values, value_to)
                    break
                if value_kind[_at(value)] == kind:
                    there, size_there = value_at[_at(value)], value_size[_at(value)]
                    if kind == INTEGER:
                        same = _signed(data, there, size_there) == number
                    else:
                        same = size_there == length and _same(data, there, at, length)
                    if same:
                        break
                slot = slot + 1 & room - 1
            at += length
            tagged = _put(value, tags, _put(key, tags, tagged))
        # MoveTo once, by so far from the corner.
        dx, dy = _zigzag(np.int64(x)), _zigzag(np.int64(y))
        path = 1 + _size(dx) + _size(dy)
        length = 4 + path
        if own >= 0:
            length += 1 + _size(own)
        if tagged:
            length += 1 + _size(tagged) + tagged
        features[_at(to)] = 0x12
        to = _put(length, features, to + 1)
        if own >= 0:
            features[_at(to)] = 0x08
            to = _put(own, features, to + 1)
        if tagged:
            features[_at(to)] = 0x12
            to = _put(tagged, features, to + 1)
            for place in range(tagged):
                features[_at(to + place)] = tags[_at(place)]
            to += tagged
        features[_at(to)], features[_at(to + 1)], features[_at(to + 2)] = 0x18, 1, 0x22
        features[_at(to + 3)], features[_at(to + 4)] = path, 9
        to = _put(dy, features, _put(dx, features, to + 5))
        at = following
    return np.int64(to), np.int64(value_to)


def _size(number: Any) -> Any:
    """Return how many bytes a varint takes."""
    size = 1
    while number > 127:
        size += 1
        number >>= 7
    return size


def _value(data: Bytes, at: Any, length: Any, kind: Any, out: Bytes, to: Any) -> Any:  # noqa: PLR0917
    """Write a value with its tag in the layer; return where it ends."""
    out[_at(to)] = 0x22
    if kind == TEXT:
        to = _put(1 + _size(length) + length, out, to + 1)
        out[_at(to)] = 0x0A
        to = _put(length, out, to + 1)
        for place in range(length):
            out[_at(to + place)] = data[_at(at + place)]
        return to + length
    if kind == INTEGER:
        number, tag = _signed(data, at, length), 0x28
        if number < 0:
            number, tag = _zigzag(number), 0x30
            if number < 0:  # beyond 2**63: ten bytes, the last of one bit
                out[_at(to + 1)], out[_at(to + 2)] = 11, tag
                for place in range(9):
                    out[_at(to + 3 + place)] = (number >> 7 * place) & 127 | 128
                out[_at(to + 12)] = 1
                return to + 13
        to = _put(1 + _size(number), out, to + 1)
        out[_at(to)] = tag
        return _put(number, out, to + 1)
    out[_at(to + 1)], out[_at(to + 2)] = 9, 0x19
    for place in range(8):
        out[_at(to + 3 + place)] = data[_at(at + 7 - place)]
    return to + 11


# From the bottom: numba compiles what a function calls before it.
_at = compiled(_at)
_u32, _signed, _put = compiled(_u32), compiled(_signed), compiled(_put)
_zigzag, _size = compiled(_zigzag), compiled(_size)
_word, _mixed = compiled(_word), compiled(_mixed)
_same, _hashed = compiled(_same), compiled(_hashed)
_value, _walked, _counted = compiled(_value), compiled(_walked), compiled(_counted)
_encoded = compiled(_encoded)


def warm() -> None:
    """Compile, or take what was compiled from the cache."""
    done = bytearray(b"Z\0\0\0\5I")
    ended(done, len(done))
    encode(done, len(done), "", [("", TEXT)], (0, 0, 1, 1), 1, 0)
