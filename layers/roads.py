"""Road centre lines."""

from sqlalchemy import Double, Text
from sqlalchemy.orm import Mapped

from layers import codes
from layers.base import Feature, field


class Road(Feature):
    """A stretch of road centre line."""

    __tablename__ = "roads"
    __geometry_type__ = "LINESTRING"

    name: Mapped[str | None] = field(Text, "名称", "Name")
    road_class: Mapped[str | None] = field(Text, "等级", "Class", codes=codes.ROAD_CLASS)
    width: Mapped[float | None] = field(Double, "宽度", "Width", unit="m")
