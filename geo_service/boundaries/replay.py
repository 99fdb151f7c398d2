"""Drafts in memory: operations replayed on their base, and what is kept of that in the process.

Nothing is true here that the database does not say: a session is brought to the operations that the
database names before it answers, and thrown away where it cannot be.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import shapely

from geo_service.analysis.sentence import Sentence
from geo_service.boundaries.base import Base, Row, inherit
from geo_service.boundaries.gate import inner_point
from geo_service.boundaries.lattice import Shape
from geo_service.boundaries.operations import Operation, operation
from geo_service.boundaries.refusal import Refused
from geo_service.boundaries.topology import Change

MOST_OPERATIONS = 10_000
"""Operations in force that a draft may hold."""

_REMEMBERED = 1_000
"""Changes that a session keeps, to undo them without a replay."""

_HAIR = 2.5e-8
"""Degrees that a vertex put into the edge of a grid may move it by."""

_CODE = re.compile(r"[0-9A-Za-z-]{1,32}")

Step = tuple[int, Mapping[str, Any]]
"""The number of an operation in its draft, and its JSON."""


class Session:
    """A draft's coverage, brought to some of its operations.

    ``checkpoint`` gives the number of the last operation that ``shapes`` already hold (by code;
    None for a grid that is gone), and ``steps`` all operations up to there.
    """

    def __init__(
        self,
        base: Base,
        rebases: int,
        steps: Sequence[Step] = (),
        shapes: Mapping[str, Shape | None] | None = None,
    ) -> None:
        self.base = base
        self.rebases = rebases
        self.coverage = base.coverage()
        self.start = self.coverage.polygons
        self.rows: dict[str, Row] = dict(base.rows)
        self.held: list[int] = [seq for seq, _ in steps]
        self.changes: list[Change] = []
        """Of the last operations held; those before them are in the coverage without a trace."""
        self.touched: set[str] = set()
        self.revision = -1
        for _, data in steps:
            inherit(self.rows, operation(data))
        if shapes:
            now, then = self.coverage.polygons, dict(shapes)
            self.coverage.apply(
                Change(
                    {code: now[code] for code in then if code in now},
                    {code: shape for code, shape in then.items() if shape is not None},
                    0.0,
                )
            )
            self._note(then)

    @property
    def operations(self) -> int:
        """How many operations are in force."""
        return len(self.held)

    def reaches(self, seqs: Sequence[int]) -> bool:
        """Tell whether the session can be brought to these operations without a new one."""
        return self._common(seqs) >= len(self.held) - len(self.changes)

    def bring(self, steps: Sequence[Step]) -> list[str]:
        """Undo and do until exactly these operations are in force; return the codes that changed.

        Raises :class:`Refused` with ``step`` (a position) where one is refused; the session then
        holds those before it.
        """
        common = self._common([seq for seq, _ in steps])
        codes: set[str] = set()
        while len(self.held) > common:
            codes |= set(self.undo().codes)
        for position, (seq, data) in enumerate(steps[common:], common):
            try:
                codes |= set(self.do(seq, operation(data)).codes)
            except Refused as refusal:
                refusal.step = position
                raise
        return sorted(codes)

    def do(self, seq: int, step: Operation) -> Change:
        """Do an operation that the draft may do. Raises :class:`Refused`; then nothing changed."""
        if len(self.held) >= MOST_OPERATIONS:
            raise Refused(
                Sentence(
                    f"一个草稿最多 {MOST_OPERATIONS} 步操作。请先提交发布，再新建草稿。",
                    f"A draft holds {MOST_OPERATIONS} operations: publish it, then start another.",
                )
            )
        for code in (*getattr(step, "new_codes", ()), getattr(step, "into", "0")):
            if not _CODE.fullmatch(code):
                raise Refused(
                    Sentence(
                        "网格编码只能用字母、数字和短横线，最多 32 个字符。",
                        "A grid's code is of letters, digits and hyphens, 32 at most.",
                    )
                )
        change = step.do(self.coverage)
        try:
            self._may(change)
        except Refused:
            self.coverage.revert(change)
            raise
        inherit(self.rows, step)
        self.held.append(seq)
        self.changes.append(change)
        self._note(change.codes)
        if len(self.changes) > _REMEMBERED:
            del self.changes[: _REMEMBERED // 2]
        return change

    def undo(self) -> Change:
        """Take the last operation back."""
        change = self.changes.pop()
        self.coverage.revert(change)
        self.held.pop()
        self._note(change.codes)
        return change

    def current(self, codes: Iterable[str]) -> tuple[list[str], list[str]]:
        """Return those of some codes that are there, and those that are gone, in order."""
        wanted = sorted(set(codes))
        return (
            [code for code in wanted if code in self.coverage],
            [code for code in wanted if code not in self.coverage],
        )

    def difference(self) -> dict[str, Shape | None]:
        """Return what is not as in the base, by code; None where a grid is gone."""
        return {code: self.shape(code) for code in sorted(self.touched)}

    def shape(self, code: str) -> Shape | None:
        """Return a grid as it is now, or None where it is gone."""
        shapes = self.coverage
        return shapes[code] if code in shapes else None  # noqa: SIM401 - a coverage has no get

    def _common(self, seqs: Sequence[int]) -> int:
        for position, (mine, theirs) in enumerate(zip(self.held, seqs, strict=False)):
            if mine != theirs:
                return position
        return min(len(self.held), len(seqs))

    def _note(self, codes: Iterable[str]) -> None:
        for code in codes:
            old = self.start.get(code)
            new = self.shape(code)
            same = old is new or (
                old is not None and new is not None and shapely.equals_identical(old, new)
            )
            (self.touched.discard if same else self.touched.add)(code)

    def _may(self, change: Change) -> None:
        """Refuse what changes a grid beyond the area by more than a vertex in its edge."""
        for code in change.codes:
            row = self.rows.get(code)
            if row is None or row.own:
                continue
            old, new = change.before.get(code), change.after.get(code)
            if old is not None and new is not None:
                edges = shapely.boundary(old), shapely.boundary(new)
                if shapely.hausdorff_distance(*edges) < _HAIR:
                    continue
            shape = old if old is not None else new
            place = inner_point(shape)
            if old is not None and new is not None:
                parts = shapely.symmetric_difference(old, new)
                place = inner_point(parts) if not parts.is_empty else place
            raise Refused(
                Sentence(
                    "这会改动本草稿范围以外的网格。请由上一级建立草稿。",
                    "This would change a grid outside the draft's area: it takes a draft of the"
                    " area above.",
                ),
                place,
            )


class Seat:
    """The place of one draft in the process: its session, and who may use it at the moment."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0
        self.session: Session | None = None


class Sessions:
    """The sessions of a process, least recently used first; at most ``most`` polygons in all."""

    def __init__(self, most: int = 60_000) -> None:
        self._most = most
        self._seats: OrderedDict[UUID, Seat] = OrderedDict()

    @contextmanager
    def seat(self, draft: UUID) -> Iterator[Seat]:
        """Yield the seat of a draft; take its lock before the session is touched."""
        seat = self._seats.setdefault(draft, Seat())
        self._seats.move_to_end(draft)
        seat.users += 1
        try:
            yield seat
        finally:
            seat.users -= 1
            self._shrink()

    def _shrink(self) -> None:
        held = sum(
            len(seat.session.coverage) if seat.session else 1 for seat in self._seats.values()
        )
        for draft, seat in list(self._seats.items())[:-1]:
            if held <= self._most:
                return
            if not seat.users:
                held -= len(seat.session.coverage) if seat.session else 1
                del self._seats[draft]
