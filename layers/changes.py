"""The outbox: one row per committed change of a feature, written by triggers in the database.

Sequence numbers are drawn before commit, so a higher ``seq`` can become visible before a lower
one. Readers therefore never remember a number. They remember a snapshot: the changes they have not
seen are those whose transaction was not visible in it (``pg_visible_in_snapshot``).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Double, Identity, Text, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from layers.base import Base

CHANNEL = "geo_changes"
"""NOTIFY channel that says that the outbox grew. It carries no payload: read the outbox."""


class Xid8(UserDefinedType[str]):
    """PostgreSQL's ``xid8``: a 64-bit transaction id that never wraps."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Return the type's name in DDL."""
        return "xid8"


class Change(Base):
    """One change of one feature.

    ``op`` is I (insert), U (update), D (delete) or T (the whole layer was truncated; ``feature`` is
    then null). ``min_x`` to ``max_y`` bound the old and the new geometry, in EPSG:3857 metres. The
    areas before and after decide who may read the row.
    """

    __tablename__ = "changes"

    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    xid: Mapped[str] = mapped_column(
        Xid8, nullable=False, index=True, server_default=text("pg_current_xact_id()")
    )
    at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), nullable=False, server_default=text("now()")
    )
    layer: Mapped[str] = mapped_column(Text, nullable=False)
    op: Mapped[str] = mapped_column(Text, nullable=False)
    feature: Mapped[int | None] = mapped_column(BigInteger)
    code: Mapped[str | None] = mapped_column(Text)
    grid_now: Mapped[str | None] = mapped_column(Text)
    area_now: Mapped[str | None] = mapped_column(Text)
    grid_before: Mapped[str | None] = mapped_column(Text)
    area_before: Mapped[str | None] = mapped_column(Text)
    min_x: Mapped[float | None] = mapped_column(Double)
    min_y: Mapped[float | None] = mapped_column(Double)
    max_x: Mapped[float | None] = mapped_column(Double)
    max_y: Mapped[float | None] = mapped_column(Double)


class Pruned(Base):
    """The highest transaction id whose changes were removed for age. One row."""

    __tablename__ = "changes_pruned"

    only: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    xid: Mapped[str] = mapped_column(Xid8, nullable=False)
