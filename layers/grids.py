"""Governance grids: the parts that every community is divided into."""

from datetime import datetime

from sqlalchemy import DateTime, Integer, Text, text
from sqlalchemy.orm import Mapped

from layers import codes
from layers.base import Feature, field


class Grid(Feature):
    """One version of a governance grid.

    The grids in force (``valid_to`` is null) of one parent form a coverage: they never overlap and
    leave no gap; the database refuses a commit that would break this. ``valid_from`` is null where
    the start lies before the record began.
    """

    __tablename__ = "grids"
    __geometry_type__ = "MULTIPOLYGON"

    name: Mapped[str] = field(Text, "名称", "Name", nullable=False)
    kind: Mapped[str] = field(
        Text, "类型", "Kind", codes=codes.GRID_KIND, nullable=False, server_default=text("'basic'")
    )
    parent: Mapped[str] = field(Text, "所属社区", "Parent code", nullable=False)
    households: Mapped[int | None] = field(Integer, "户数", "Households")
    population: Mapped[int | None] = field(Integer, "人口", "Population")
    staff: Mapped[int | None] = field(Integer, "网格员数", "Grid staff")
    version: Mapped[int] = field(
        Integer, "版本", "Version", nullable=False, derived=True, server_default=text("1")
    )
    valid_from: Mapped[datetime | None] = field(DateTime(timezone=True), "生效时间", "Valid from")
    valid_to: Mapped[datetime | None] = field(
        DateTime(timezone=True), "失效时间", "Valid to", derived=True
    )
