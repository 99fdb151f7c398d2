"""Ground that no camera may look at: dwellings, dormitories, changing rooms. Places, not people."""

from sqlalchemy import Text
from sqlalchemy.orm import Mapped

from layers import codes
from layers.base import Feature, field


class PrivacyZone(Feature):
    """A place that may not be filmed, as the ground before its windows or its own outline."""

    __tablename__ = "privacy_zones"
    __geometry_type__ = "POLYGON"

    name: Mapped[str | None] = field(Text, "名称", "Name")
    kind: Mapped[str] = field(Text, "类型", "Kind", codes=codes.PRIVACY_KIND, nullable=False)
