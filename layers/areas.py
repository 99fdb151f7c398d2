"""Administrative areas: county, town and community."""

from sqlalchemy import Integer, Text
from sqlalchemy.orm import Mapped

from layers import codes
from layers.base import Feature, field


class Area(Feature):
    """An administrative area, coded with 6, 9 or 12 digits (GB/T 2260 and statistical practice).

    The outline of an area that has grids is the union of its grids, kept by the database.
    """

    __tablename__ = "areas"
    __geometry_type__ = "MULTIPOLYGON"
    __geometry_nullable__ = True

    name: Mapped[str] = field(Text, "名称", "Name", nullable=False)
    level: Mapped[str] = field(Text, "级别", "Level", codes=codes.AREA_LEVEL, nullable=False)
    parent: Mapped[str | None] = field(Text, "上级编码", "Parent code")
    population: Mapped[int | None] = field(Integer, "人口", "Population")
