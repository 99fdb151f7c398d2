"""Public places: schools, hospitals, markets, mediation centres."""

from sqlalchemy import Text
from sqlalchemy.orm import Mapped

from layers import codes
from layers.base import Feature, field


class Place(Feature):
    """A public place, drawn as a point or as its outline."""

    __tablename__ = "places"
    __geometry_type__ = "GEOMETRY"

    name: Mapped[str] = field(Text, "名称", "Name", nullable=False)
    kind: Mapped[str] = field(Text, "类型", "Kind", codes=codes.PLACE_KIND, nullable=False)
