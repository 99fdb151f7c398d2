"""How all grids of a coverage stand: their figures, followed as it changes.

An operation changes a handful of grids, and the spread over the town is asked after each: what is
done for every grid of it is left to numpy.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np
import shapely

from geo_service.boundaries.grids import Grids
from geo_service.boundaries.lattice import Floats, Shape
from geo_service.boundaries.measures import MEASURES, Row, count_points, measured
from geo_service.boundaries.survey import Ground, holders


class Shapes(Protocol):
    """Grids by code: a mapping, or a :class:`~geo_service.boundaries.topology.Coverage`."""

    def __getitem__(self, code: str, /) -> Any:
        """Return the polygon of a grid (EPSG:4326)."""

    def __iter__(self) -> Any:
        """Iterate over the codes."""

    def __contains__(self, code: object, /) -> bool:
        """Tell whether there is such a code."""


class Known(Protocol):
    """What is told of a grid that is not on record, or not as there."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def kind(self) -> str:
        """``basic`` or ``special``."""

    @property
    def parent(self) -> str:
        """The code of the community."""


def standing(shapes: Shapes, ground: Ground, known: Mapping[str, Known] | None) -> "Standing":
    """Return how grids stand on their ground; a coverage that was seen before is followed."""
    town: Standing | None = ground.towns.get(shapes) if isinstance(shapes, Grids) else None
    if town is None or town.known is not known:
        town = Standing(ground, known)
        town.follow(shapes, list(shapes))
        if isinstance(shapes, Grids):
            ground.towns[shapes] = town
            town.seen = len(shapes.log)
    elif isinstance(shapes, Grids) and town.seen < len(shapes.log):
        town.follow(shapes, dict.fromkeys(shapes.log[town.seen :]))
        town.seen = len(shapes.log)
    return town


class Standing:
    """Figures of grids, a row for each: ``place`` has the row of a code, ``basic`` those counted.

    The kind of a grid is asked when its shape is new.
    """

    def __init__(self, ground: Ground, known: Mapping[str, Known] | None) -> None:
        self.ground, self.known = ground, known
        self.place: dict[str, int] = {}
        self.basic = np.zeros(0, dtype=bool)
        self.seen = 0
        self._rows: list[Row | None] = []
        self._table: Floats = np.zeros((0, len(MEASURES)))
        self._staff: Floats = np.zeros(0)
        self._edged: set[str] = set()
        self._gone = set(ground.staff)
        self._changed: set[str] = set()
        self._free: list[int] = []

    def about(self, code: str) -> Known | None:
        """Return what is known of a grid."""
        found = self.known.get(code) if self.known else None
        return found if found is not None else self.ground.grids.get(code)

    def follow(self, shapes: Shapes, codes: Iterable[str]) -> None:
        """Take over what became of some grids."""
        there = []
        for code in codes:
            if code in shapes:
                there.append(code)
            elif code in self.place:
                self._drop(code)
        self._room(sum(code not in self.place for code in there))
        rows = measured(there, [shapes[code] for code in there], self.ground)
        for code, row in zip(there, rows, strict=True):
            self._put(code, row)

    def counted(self) -> tuple[Floats, Floats]:
        """Return the figures by row, with points on edges, and the staff."""
        table = self._table.copy()
        seen: set[tuple[int, int]] = set()
        for code in sorted(self._edged):
            # A point on an edge belongs to the lowest code that has it.
            at = self.place[code]
            for k, point in self._row(code).edge:
                if (k, point) not in seen:
                    seen.add((k, point))
                    one = np.zeros(1, np.int64), np.array([point])
                    count_points(table[at : at + 1], k, *one, self.ground)
        return table, self._with_heirs() if self._gone else self._staff

    def _row(self, code: str) -> Row:
        row = self._rows[self.place[code]]
        assert row is not None  # noqa: S101 - a code has a row
        return row

    def _room(self, more: int) -> None:
        """Have free rows for so many codes more."""
        more = max(0, more - len(self._free))
        if not more:
            return
        size = len(self._rows)
        more = max(more, size // 8)
        self._rows += [None] * more
        self._table = np.concatenate([self._table, np.zeros((more, len(MEASURES)))])
        self._staff = np.concatenate([self._staff, np.zeros(more)])
        self.basic = np.concatenate([self.basic, np.zeros(more, dtype=bool)])
        self._free += range(size + more - 1, size - 1, -1)

    def _put(self, code: str, row: Row) -> None:
        if code not in self.place:
            self.place[code] = self._free.pop()
        at, record = self.place[code], self.ground.grids.get(code)
        self._rows[at], self._table[at] = row, row.figures
        self._staff[at] = self.ground.staff.get(code, 0.0)
        about = self.about(code)
        self.basic[at] = (about is None or about.kind == "basic") and (
            record is None or record.inside
        )
        self._gone.discard(code)
        (self._edged.add if row.edge else self._edged.discard)(code)
        same = record is not None and (
            record.shape is row.shape or shapely.equals_identical(record.shape, row.shape)
        )
        (self._changed.discard if same else self._changed.add)(code)

    def _drop(self, code: str) -> None:
        at = self.place.pop(code)
        self._rows[at], self.basic[at] = None, False
        self._free.append(at)
        self._edged.discard(code)
        self._changed.discard(code)
        if code in self.ground.staff:
            self._gone.add(code)

    def _with_heirs(self) -> Floats:
        """Return the staff, that of grids that are gone with who took most households."""
        ground, staff = self.ground, self._staff.copy()
        record = ground.grids
        gone = [code for code in ground.staff if code in self._gone]
        names = list(record)
        past = {names.index(code): code for code in gone}
        homes = np.flatnonzero(np.isin(ground.owners, list(past)))
        # Its own middle decides where it held nothing.
        middle = shapely.get_coordinates(
            shapely.point_on_surface([record[code].shape for code in gone])
        )
        points = np.r_[ground.points[homes], middle]
        weight = np.r_[ground.homes.households[homes], np.full(len(gone), 1e-6)]
        was = [past[int(i)] for i in ground.owners[homes]] + gone
        # What a grid that is gone held lies in grids that are not as they were.
        changed = sorted(self._changed)
        shapes: list[Shape] = [self._row(code).shape for code in changed]
        now = holders(changed, shapes, points)
        took: dict[str, dict[str, float]] = {}
        for code, taker, share in zip(was, now.tolist(), weight.tolist(), strict=True):
            if taker >= 0:
                shares = took.setdefault(code, {})
                shares[changed[taker]] = shares.get(changed[taker], 0.0) + share
        for code, shares in took.items():
            heir = max(sorted(shares), key=lambda name: shares[name])
            staff[self.place[heir]] += ground.staff[code]
        return staff
