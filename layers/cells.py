"""Counts of point layers by cell: what a tile of a low zoom shows, kept by triggers as rows change.

Cells are those of EPSG:3857's square cut in ``2**level`` parts along each edge. Writers append to
``cell_deltas``; ``geo.fold_cells`` takes them into ``cells``. What is true is the sum of both.
"""

from sqlalchemy import BigInteger, Identity, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from layers.base import Base
from layers.catalogue import Layer

FINEST = 16
"""Level of the cells that deltas are kept by."""

LEVELS = (4, 7, 10, 13, FINEST)
"""Levels that are kept, by area and grid. All but the finest are kept for the whole cell too."""


class Cell(Base):
    """Features of a layer in a cell, by area, grid and up to two coded columns.

    ``whole`` rows count everything in the cell, whatever its area and grid (both empty then).
    ``sum_x`` and ``sum_y`` are sums of EPSG:3857 coordinates in centimetres: whole numbers, so that
    they are exact in whatever order features come and go. What is null in the layer is empty here.
    """

    __tablename__ = "cells"

    layer: Mapped[str] = mapped_column(Text, primary_key=True)
    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    whole: Mapped[bool] = mapped_column(primary_key=True)
    x: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    y: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    area_now: Mapped[str] = mapped_column(Text, primary_key=True)
    grid_now: Mapped[str] = mapped_column(Text, primary_key=True)
    kind_1: Mapped[str] = mapped_column(Text, primary_key=True)
    kind_2: Mapped[str] = mapped_column(Text, primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger, nullable=False)
    sum_x: Mapped[int] = mapped_column(BigInteger, nullable=False)
    sum_y: Mapped[int] = mapped_column(BigInteger, nullable=False)


class CellDelta(Base):
    """What a statement added to a cell of the finest level, or took from it."""

    __tablename__ = "cell_deltas"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    layer: Mapped[str] = mapped_column(Text, nullable=False)
    x: Mapped[int] = mapped_column(nullable=False)
    y: Mapped[int] = mapped_column(nullable=False)
    area_now: Mapped[str] = mapped_column(Text, nullable=False)
    grid_now: Mapped[str] = mapped_column(Text, nullable=False)
    kind_1: Mapped[str] = mapped_column(Text, nullable=False)
    kind_2: Mapped[str] = mapped_column(Text, nullable=False)
    n: Mapped[int] = mapped_column(BigInteger, nullable=False)
    sum_x: Mapped[int] = mapped_column(BigInteger, nullable=False)
    sum_y: Mapped[int] = mapped_column(BigInteger, nullable=False)


def counted(layer: Layer) -> tuple[str, ...]:
    """Return the coded columns that a point layer is counted by: those it is drawn by, two at most.

    >>> from layers.catalogue import CATALOGUE
    >>> counted(CATALOGUE["disputes"])
    ('status', 'category')
    """
    names = [name for name in (layer.style.by, *layer.style.needs) if name]
    return tuple(name for name in names if layer.field(name).codes)[:2]
