"""The grids of a file, judged together: the coverage they form, mending it, and their areas."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import shapely
from psycopg import Cursor

from layers.base import SRID
from layers.intake import checks, coverage, slivers
from layers.intake.cleaning import Moved, clean
from layers.intake.headers import PARENT_NAME
from layers.intake.report import Problems, Words
from layers.intake.rows import Rows


class Division:
    """The grids of a file, before they are written. Faults go to ``problems``.

    ``tolerance``, in metres, is how far borders may move to mend the coverage; None: not at all.
    """

    def __init__(self, problems: Problems, tolerance: float | None) -> None:
        self.problems = problems
        self.tolerance = tolerance
        self.areas_made: list[str] = []
        self.odd: list[slivers.Oddity] = []
        self.moved: list[tuple[str, Moved]] = []
        self.grids: list[tuple[str, str, str | None, int, int | None, Any]] = []

    def remember(self, rows: Rows) -> None:
        """Keep the grids of the file: they are judged together."""
        size = len(rows.rows)
        nothing: Sequence[Any] = [None] * size
        names = rows.columns.get(PARENT_NAME, nothing)
        parents = rows.columns.get("parent", nothing)
        codes = cast("Sequence[str]", rows.columns["code"])
        self.grids += zip(
            codes, cast("Sequence[str]", parents), cast("Sequence[str | None]", names),
            rows.rows, rows.lines, rows.geometry, strict=True,
        )  # fmt: skip

    def judge(self, cursor: Cursor[Any]) -> None:
        """Check the coverage that the file and the grids in force would form together."""
        codes, parents, _, rows, lines, own = map(list, zip(*self.grids, strict=True))
        if self.tolerance is not None:
            own = self._clean(cursor, codes, rows, lines, own)
        cursor.execute(
            "SELECT code, parent, ST_AsBinary(geom) FROM grids"
            " WHERE valid_to IS NULL AND code <> ALL(%s)"
            " AND (parent = ANY(%s) OR geom && ST_MakeEnvelope(%s, %s, %s, %s, 4326))",
            [codes, parents, *shapely.total_bounds(own).tolist()],
        )
        others = cursor.fetchall()
        shapes = np.array([*own, *shapely.from_wkb([bytes(o[2]) for o in others])], dtype=object)
        cursor.execute("SELECT code, ST_AsBinary(geom) FROM areas WHERE geom IS NOT NULL")
        areas = {code: shapely.from_wkb(bytes(shape)) for code, shape in cursor.fetchall()}
        names = [*codes, *(o[0] for o in others)]
        own_codes = set(codes)
        self.odd = [
            oddity
            for oddity in slivers.oddities(names, shapes)
            if own_codes.intersection(oddity.codes)
        ]
        found = coverage.faults(names, [*parents, *(o[1] for o in others)], shapes, areas)
        for fault in found:
            known = fault.first < len(own)
            self.problems.add(
                fault.words,
                row=rows[fault.first] if known else None,
                line=lines[fault.first] if known else None,
            )

    def _clean(
        self,
        cursor: Cursor[Any],
        codes: list[str],
        rows: list[int],
        lines: list[int | None],
        grids: list[Any],
    ) -> list[Any]:
        """Mend the coverage of the file itself, in the staged rows too, and keep what moved."""
        tolerance = self.tolerance or 0.0
        mended, moved = clean(np.array(grids, dtype=object), tolerance)
        for grid in moved:
            if grid.distance > tolerance:
                i = grid.position
                self.problems.add(
                    Words(
                        f"修复会使网格 {codes[i]} 的边界移动 {grid.distance:,.1f} 米，"
                        f"超过允许的 {tolerance:g} 米。",
                        f"Cleaning would move the boundary of grid {codes[i]} by "
                        f"{grid.distance:,.1f} m, more than the {tolerance:g} m allowed.",
                    ),
                    row=rows[i],
                    line=lines[i],
                )
        self.moved = [(codes[grid.position], grid) for grid in moved]
        shapes = [shapely.MultiPolygon(shapely.get_parts(shape)) for shape in mended]
        cursor.executemany(
            "UPDATE pg_temp.intake_rows SET geom = %s::geometry WHERE code = %s",
            [
                (shapely.to_wkb(shapely.set_srid(shapes[i], SRID), hex=True, include_srid=True), c)
                for c, i in ((code, grid.position) for code, grid in self.moved)
            ],
        )
        return shapes

    def add_parents(self, cursor: Cursor[Any]) -> None:
        """Add the areas of the grids that are not there; the database derives outlines."""
        names = {parent: name for _, parent, name, *_ in self.grids}
        cursor.execute("SELECT code FROM areas WHERE code = ANY(%s)", [list(names)])
        for code in sorted(names.keys() - {found for (found,) in cursor.fetchall()}):
            cursor.execute(
                "INSERT INTO areas (code, name, level, parent) VALUES (%s, %s, %s, %s)",
                [
                    code,
                    names[code] or code,
                    checks.LEVELS[len(code)],
                    code[:-3] if len(code) > 6 else None,
                ],
            )
            self.areas_made.append(code)

    def remarks(self) -> Iterator[Words]:
        """Yield what is odd about the coverage, whether the file is taken or not."""
        yield from slivers.told(self.odd)

    def notes(self) -> Iterator[Words]:
        """Yield what was done beside loading rows."""
        if self.moved:
            area = sum(grid.area for _, grid in self.moved)
            widest, far = max(self.moved, key=lambda item: item[1].distance)
            yield Words(
                f"修复移动了 {len(self.moved)} 个网格的边界，面积合计 {area:,.1f} 平方米，"
                f"最多 {far.distance:,.2f} 米（网格 {widest}）。",
                f"Cleaning moved the boundaries of {len(self.moved)} grids, {area:,.1f} m² in all, "
                f"by at most {far.distance:,.2f} m (grid {widest}).",
            )
        if self.areas_made:
            listed = ", ".join(self.areas_made[:20]) + (" …" if len(self.areas_made) > 20 else "")
            yield Words(
                f"新增 {len(self.areas_made)} 个所属区域：{listed}。",
                f"{len(self.areas_made)} parent areas were added: {listed}.",
            )
