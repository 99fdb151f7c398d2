"""Building footprints with heights and households."""

from sqlalchemy import Double, Integer, Text
from sqlalchemy.orm import Mapped

from layers import codes
from layers.base import Feature, field


class Building(Feature):
    """A building footprint. Households are a count of the whole building."""

    __tablename__ = "buildings"
    __geometry_type__ = "POLYGON"

    height: Mapped[float | None] = field(Double, "高度", "Height", unit="m")
    floors: Mapped[int | None] = field(Integer, "层数", "Floors")
    households: Mapped[int | None] = field(Integer, "户数", "Households")
    use: Mapped[str | None] = field(Text, "用途", "Use", codes=codes.BUILDING_USE)
