"""What the service keeps of the database in memory, for as long as it holds."""

from dataclasses import dataclass

from geo_service.ogc.extents import Extents
from geo_service.ogc.fragments import Fragments
from geo_service.ogc.matrix_sets import Box
from geo_service.ogc.tile_cache import TileCache

_FEATURES = 4  # of the memory, this part is for features


@dataclass(frozen=True)
class Kept:
    """Ready tiles, written features and extents: true as long as somebody tells of changes."""

    tiles: TileCache
    features: Fragments
    extents: Extents

    @classmethod
    def within(cls, memory: int) -> "Kept":
        """Return an empty one that takes so many bytes; with none, nothing is kept."""
        part = memory // _FEATURES
        return cls(TileCache(memory - part), Fragments(part), Extents(keep=memory > 0))

    def listen(self, listening: bool) -> None:
        """Begin or end to be told of changes. What happened meanwhile is unknown: forget all."""
        self.tiles.listening = self.extents.listening = listening
        self.clear()

    def invalidate(self, layer: str, box: Box | None) -> None:
        """Forget what a change of a layer within ``box`` (EPSG:3857; None: anywhere) may touch."""
        self.tiles.invalidate(layer, box)
        self.extents.invalidate(layer, box)

    def clear(self) -> None:
        """Forget everything."""
        self.tiles.clear()
        self.features.clear()
        self.extents.clear()
