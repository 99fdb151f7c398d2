"""How many households a basic grid of an area should have, and who set it when."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Identity, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from layers.base import Base


class HouseholdLimits(Base):
    """The limits of an area; the last row counts, and one without limits gives them up.

    ``account`` is a post or a token's label.
    """

    __tablename__ = "household_limits"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    area: Mapped[str] = mapped_column(Text, nullable=False)
    low: Mapped[int | None] = mapped_column(Integer)
    high: Mapped[int | None] = mapped_column(Integer)
    account: Mapped[str] = mapped_column(Text, nullable=False)
    at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), nullable=False, server_default=text("now()")
    )
