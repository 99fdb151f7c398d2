"""What a number of pixels a metre is good for: two editions of the standard's ladder."""

from typing import NamedTuple


class Level(NamedTuple):
    """A level of detail: the least pixels a metre, at the target, that it asks for."""

    name: str
    zh: str
    pixels_per_metre: float


class Ladder(NamedTuple):
    """Levels from the lowest density to the highest, and where they are taken from."""

    edition: str
    source: str
    levels: tuple[Level, ...]

    def level(self, name: str) -> Level:
        """Return a level by its name, or raise ValueError where the ladder has none such.

        >>> EN_2015.level("recognise").pixels_per_metre
        125.0
        """
        for one in self.levels:
            if one.name == name:
                return one
        names = ", ".join(one.name for one in self.levels)
        raise ValueError(f"{self.edition} has no level {name!r}: it has {names}.")


EN_2015 = Ladder(
    "EN 62676-4:2015",
    "EN 62676-4:2015 (IEC 62676-4:2014), the levels for planning; its inspection level "
    "(1000 px/m) is left out",
    (
        Level("monitor", "监视", 12.5),
        Level("detect", "探测", 25.0),
        Level("observe", "观察", 62.5),
        Level("recognise", "识别", 125.0),
        Level("identify", "辨认", 250.0),
    ),
)

IEC_2025 = Ladder(
    "IEC 62676-4:2025",
    "IEC 62676-4:2025 as vendors report it; the text itself was not at hand",
    (
        Level("overview", "概览", 20.0),
        Level("outline", "轮廓", 40.0),
        Level("discern", "分辨", 80.0),
        Level("perceive", "察觉", 125.0),
        Level("characterise", "特征描述", 250.0),
        Level("validate", "核实", 500.0),
        Level("scrutinise", "细查", 1500.0),
    ),
)

LADDERS = {2015: EN_2015, 2025: IEC_2025}
"""Both ladders by year."""
