"""The history of imports: who loaded which file, how it was read, what came of it.

No cell of a file is kept here. ``ImportRows`` holds what undoing an import needs.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Integer, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from layers.base import Base


class Import(Base):
    """One file on its way into one layer.

    ``account`` is a post or a token's label, ``area`` its scope. ``options`` is how the file was
    understood: mapping, constants, CRS and so on. ``state`` is one of ``ready`` (read, waiting to
    be loaded), ``queued``, ``running``, ``checked`` (a dry run that found nothing wrong),
    ``loaded``, ``refused`` (nothing was written: see ``report``), ``interrupted`` and ``undone``.
    ``written_at`` is the time of the transaction that wrote: a row whose ``updated_at`` differs has
    changed since.
    """

    __tablename__ = "imports"

    id: Mapped[UUID] = mapped_column(
        Uuid, primary_key=True, server_default=text("gen_random_uuid()")
    )
    layer: Mapped[str] = mapped_column(Text, nullable=False)
    file: Mapped[str] = mapped_column(Text, nullable=False)
    bytes: Mapped[int] = mapped_column(BigInteger, nullable=False)
    sha256: Mapped[str] = mapped_column(Text, nullable=False)
    account: Mapped[str] = mapped_column(Text, nullable=False)
    area: Mapped[str] = mapped_column(Text, nullable=False)
    options: Mapped[dict[str, Any]] = mapped_column(
        JSONB, nullable=False, server_default=text("'{}'::jsonb")
    )
    state: Mapped[str] = mapped_column(Text, nullable=False, server_default=text("'ready'"))
    done: Mapped[int] = mapped_column(BigInteger, nullable=False, server_default=text("0"))
    total: Mapped[int | None] = mapped_column(BigInteger)
    report: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), nullable=False, server_default=text("now()")
    )
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    written_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ImportRows(Base):
    """A chunk of what an import wrote: inserted codes, and updated rows as they were before.

    ``updated`` holds ``to_jsonb`` of rows, the geometry as hexadecimal EWKB.
    """

    __tablename__ = "import_rows"

    import_: Mapped[UUID] = mapped_column(
        "import", ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True
    )
    part: Mapped[int] = mapped_column(Integer, primary_key=True)
    inserted: Mapped[list[str]] = mapped_column(
        ARRAY(Text), nullable=False, server_default=text("'{}'")
    )
    updated: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, nullable=False, server_default=text("'[]'::jsonb")
    )
