"""Drafts of grid boundaries: what was done, by which post, and how far it is on its way.

A draft keeps operations; its polygons are those of its base, replayed. Nobody is named: ``author``
and ``reviewer`` are posts or labels of tokens.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from layers.base import Base

_NOW = text("now()")


class Draft(Base):
    """A draft. ``base`` and ``published`` hold the version of each grid by code.

    ``touched`` are the codes of the grids that are not as in the base: they are locked for other
    drafts while this one is submitted or approved.
    """

    __tablename__ = "drafts"

    id: Mapped[UUID] = mapped_column(
        Uuid, primary_key=True, server_default=text("gen_random_uuid()")
    )
    name: Mapped[str] = mapped_column(Text, nullable=False)
    reason: Mapped[str] = mapped_column(Text, nullable=False)
    area: Mapped[str] = mapped_column(Text, nullable=False)
    state: Mapped[str] = mapped_column(Text, nullable=False, server_default=text("'draft'"))
    author: Mapped[str] = mapped_column(Text, nullable=False)
    reviewer: Mapped[str | None] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(Integer, nullable=False, server_default=text("0"))
    event: Mapped[int] = mapped_column(Integer, nullable=False, server_default=text("0"))
    rebases: Mapped[int] = mapped_column(Integer, nullable=False, server_default=text("0"))
    base: Mapped[dict[str, int]] = mapped_column(
        JSONB, nullable=False, server_default=text("'{}'::jsonb")
    )
    touched: Mapped[list[str]] = mapped_column(
        ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")
    )
    published: Mapped[dict[str, int | None] | None] = mapped_column(JSONB)
    valid_from: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), nullable=False, server_default=_NOW
    )
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), nullable=False, server_default=_NOW
    )
    submitted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    approved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    rolled_back_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    scheduled_by: Mapped[str | None] = mapped_column(Text)


class DraftOperation(Base):
    """One operation, in force unless ``undone``; ``dropped`` ones cannot be done again.

    ``areas`` are the m² that it moved, gained from outside and left to it, where it is in force.
    """

    __tablename__ = "draft_operations"

    draft: Mapped[UUID] = mapped_column(
        ForeignKey("drafts.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    operation: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)
    author: Mapped[str] = mapped_column(Text, nullable=False)
    at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), nullable=False, server_default=_NOW
    )
    undone: Mapped[bool] = mapped_column(nullable=False, server_default=text("false"))
    dropped: Mapped[bool] = mapped_column(nullable=False, server_default=text("false"))
    areas: Mapped[list[float] | None] = mapped_column(ARRAY(Double))


class DraftShape(Base):
    """A grid as an operation in force left it, as WKB; null where it is gone."""

    __tablename__ = "draft_shapes"

    draft: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    shape: Mapped[bytes | None] = mapped_column(LargeBinary)


class DraftComment(Base):
    """A remark on a place, without numbers of people."""

    __tablename__ = "draft_comments"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    draft: Mapped[UUID] = mapped_column(ForeignKey("drafts.id", ondelete="CASCADE"), nullable=False)
    author: Mapped[str] = mapped_column(Text, nullable=False)
    at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), nullable=False, server_default=_NOW
    )
    longitude: Mapped[float] = mapped_column(Double, nullable=False)
    latitude: Mapped[float] = mapped_column(Double, nullable=False)
    comment: Mapped[str] = mapped_column(Text, nullable=False)


class DraftEvent(Base):
    """Something that happened to a draft; ``codes`` are the grids that it changed."""

    __tablename__ = "draft_events"

    draft: Mapped[UUID] = mapped_column(
        ForeignKey("drafts.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(Text, nullable=False)
    author: Mapped[str] = mapped_column(Text, nullable=False)
    at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), nullable=False, server_default=_NOW
    )
    revision: Mapped[int] = mapped_column(Integer, nullable=False)
    codes: Mapped[list[str]] = mapped_column(
        ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")
    )
