"""Ready tiles in memory: within a number of bytes, dropped one by one when something changes."""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

HALF_WORLD = 20037508.342789244  # metres; EPSG:3857's edge
EXTENT = 4096
POINT_BUFFER = 256  # tile units: a symbol of up to 16 px radius is whole at the seam

Box = tuple[float, float, float, float]
Address = tuple[str, bytes, str]
"""Path, query and area scope: what a ready tile is asked by."""


class Key(NamedTuple):
    """What a tile depends on, beside the data."""

    layer: str
    z: int
    x: int
    y: int
    area: str
    start: str
    end: str
    filter: str = ""


class Tile(NamedTuple):
    """A ready tile: its strong ETag and its bytes, empty where nothing lies in it."""

    etag: str
    body: bytes


@dataclass(eq=False)
class Flight:
    """A tile that is being made, for everyone who waits for it.

    ``stale`` means that something changed in it since its query began: whoever waits already gets
    it, for they asked before; it is not kept, and whoever asks now starts anew.
    """

    key: Key
    task: "asyncio.Task[bytes]"
    waiting: int = 0
    stale: bool = False


def bounds(z: int, x: int, y: int) -> Box:
    """Return a tile's edges in EPSG:3857 metres: west, south, east, north.

    >>> bounds(0, 0, 0)[0] == -HALF_WORLD
    True
    """
    size = 2 * HALF_WORLD / float(2**z)
    west, north = x * size - HALF_WORLD, HALF_WORLD - y * size
    return west, north - size, west + size, north


@dataclass
class TileCache:
    """Ready tiles, within ``limit`` bytes, least recently used first to go.

    Whoever knows of changes sets ``listening``; while it is false nothing is kept. A tile being
    made is made once, and its query is cancelled when everyone who waits for it has left.
    """

    limit: int
    listening: bool = False
    size: int = 0
    hits: int = 0
    misses: int = 0
    _tiles: OrderedDict[Key, Tile] = field(default_factory=OrderedDict)
    _places: dict[str, dict[int, dict[tuple[int, int], set[Key]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    _addresses: dict[Address, Key] = field(default_factory=dict)
    _address_of: dict[Key, Address] = field(default_factory=dict)
    _flights: dict[Key, Flight] = field(default_factory=dict)
    _OVERHEAD = 800

    def __len__(self) -> int:
        return len(self._tiles)

    def get(self, key: Key) -> Tile | None:
        """Return the tile, or None."""
        tile = self._tiles.get(key)
        if tile is not None:
            self._tiles.move_to_end(key)
        return tile

    def ready(self, address: Address) -> Tile | None:
        """Return the tile that was last kept for an address, or None: the shortest way to it."""
        key = self._addresses.get(address)
        if key is None:
            return None
        self.hits += 1
        return self.get(key)

    async def tile(self, key: Key, address: Address, make: Callable[[], Awaitable[bytes]]) -> Tile:
        """Return the tile, made by ``make`` unless it is ready or being made."""
        found = self.get(key)
        if found is not None:
            self.hits += 1
            self._name(key, address)
            return found
        self.misses += 1
        flight = self._flights.get(key)
        if flight is None or flight.stale:
            flight = Flight(key, asyncio.ensure_future(_awaited(make)))
            self._flights[key] = flight
        flight.waiting += 1
        try:
            # Shielded: one who leaves must not take the tile from the others.
            body = await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                flight.task.cancel()
                if self._flights.get(key) is flight:
                    del self._flights[key]
        tile = Tile(f'"{blake2b(body, digest_size=16).hexdigest()}"', body)
        if self.listening and not flight.stale:
            self.put(key, tile)
            self._name(key, address)
        return tile

    def put(self, key: Key, tile: Tile) -> None:
        """Keep a tile."""
        if not self.listening:
            return
        self._drop(key)
        self._tiles[key] = tile
        self._places[key.layer][key.z].setdefault((key.x, key.y), set()).add(key)
        self.size += len(tile.body) + self._OVERHEAD
        while self.size > self.limit and self._tiles:
            self._drop(next(iter(self._tiles)))

    def invalidate(self, layer: str, box: Box | None) -> None:
        """Drop the layer's tiles that may show a change within ``box`` (EPSG:3857; None: all)."""
        for flight in self._flights.values():
            if flight.key.layer == layer and (box is None or _touches(flight.key, box)):
                flight.stale = True
        for z, places in self._places[layer].items():
            if not places:
                continue
            for place in list(places) if box is None else _within(z, box, places):
                for key in list(places.get(place, ())):
                    self._drop(key)

    def clear(self) -> None:
        """Drop everything."""
        for flight in self._flights.values():
            flight.stale = True
        self._tiles.clear()
        self._places.clear()
        self._addresses.clear()
        self._address_of.clear()
        self.size = 0

    def _name(self, key: Key, address: Address) -> None:
        if key not in self._tiles or self._addresses.get(address) == key:
            return
        self._forget(key)
        self._addresses[address] = key
        self._address_of[key] = address

    def _forget(self, key: Key) -> None:
        address = self._address_of.pop(key, None)
        if address is not None:
            self._addresses.pop(address, None)

    def _drop(self, key: Key) -> None:
        tile = self._tiles.pop(key, None)
        if tile is None:
            return
        self.size -= len(tile.body) + self._OVERHEAD
        self._forget(key)
        places = self._places[key.layer][key.z]
        places[key.x, key.y].discard(key)
        if not places[key.x, key.y]:
            del places[key.x, key.y]


async def _awaited(make: Callable[[], Awaitable[bytes]]) -> bytes:
    return await make()


def _margin(z: int) -> float:
    west, _, east, _ = bounds(z, 0, 0)
    return (east - west) * POINT_BUFFER / EXTENT


def _touches(key: Key, box: Box) -> bool:
    west, south, east, north = bounds(key.z, key.x, key.y)
    margin = _margin(key.z)
    return (
        box[0] <= east + margin
        and box[2] >= west - margin
        and box[1] <= north + margin
        and box[3] >= south - margin
    )


def _within(z: int, box: Box, places: dict[tuple[int, int], set[Key]]) -> list[tuple[int, int]]:
    """Return the kept tiles of a zoom whose buffered box touches ``box``, the shorter way."""
    size, margin = 2 * HALF_WORLD / 2**z, _margin(z)
    west, east = ((edge + HALF_WORLD) / size for edge in (box[0] - margin, box[2] + margin))
    north, south = ((HALF_WORLD - edge) / size for edge in (box[3] + margin, box[1] - margin))
    # A tile's own edges belong to it on both sides, hence one more on either.
    x0, x1, y0, y1 = int(west) - 1, int(east) + 1, int(north) - 1, int(south) + 1
    if (x1 - x0 + 1) * (y1 - y0 + 1) <= len(places):
        return [(x, y) for x in range(x0, x1 + 1) for y in range(y0, y1 + 1) if (x, y) in places]
    return [(x, y) for x, y in places if x0 <= x <= x1 and y0 <= y <= y1]
