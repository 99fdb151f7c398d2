"""Rows go into the database: all of a file or nothing. The only module here that knows it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, LiteralString, cast

import numpy as np
import psycopg
import shapely
from psycopg import Connection, Cursor
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Composable, Composed, Identifier
from sqlalchemy import Table

from layers.base import SRID
from layers.catalogue import Layer
from layers.intake import checks, coverage
from layers.intake.headers import PARENT_NAME
from layers.intake.readers import source
from layers.intake.refusals import sentence
from layers.intake.report import Problems, Refusal, Report, Words
from layers.intake.rows import Options, Rows, Rules

MAX_BYTES = 200_000_000
"""Files larger than this are refused, before or after unpacking."""


def intake(
    connection: Connection[Any],
    layer: Layer,
    path: str | Path,
    *,
    mapping: Mapping[str, str] | None = None,
    constants: Mapping[str, str] | None = None,
    crs: str = "EPSG:4326",
    timezone: str = "Asia/Shanghai",
    make_codes: bool = False,
    max_bytes: int = MAX_BYTES,
    dry_run: bool = False,
    progress: Callable[[int, int | None], None] | None = None,
) -> Report:
    """Load a file into a layer: every row, or none and a report of every bad row.

    Rows are known by their code: new ones are inserted, different ones updated, equal ones left
    alone, so that loading a file twice changes nothing. Columns about people are never written.

    Parameters
    ----------
    connection
        A psycopg connection without an open transaction; the load is one transaction of it.
    layer
        Where the rows go.
    path
        A file that ``readers.READERS`` knows by its suffix, ``.gz`` or not.
    mapping
        Column of the layer (or ``longitude``, ``latitude``, ``wkt``, ``parent_name``) to the header
        in the file. Other headers are guessed; what stays unknown is kept as an attribute.
    constants
        Column to a value for all rows, written as in a file. It goes before the file's own.
    crs
        The CRS of the coordinates, longitude or easting first. An EPSG ``crs`` member in a GeoJSON
        file counts where this is left alone.
    timezone
        The zone of times that name none.
    make_codes
        Make codes from what each row holds, where ``code`` is not mapped or its cell is blank.
    max_bytes
        The largest file taken, packed and unpacked.
    dry_run
        Do everything, the checks of the database included, and take it back.
    progress
        Called with the rows read, and the rows in all where known.

    Returns
    -------
    Report
        Bad files, bad rows and refusals of the database are in the report; none is raised.

    Example
    -------
    ::

        report = intake(connection, CATALOGUE["cameras"], "a.csv", mapping={"code": "国标编码"})
        print(report.text("zh"))
    """
    load = _Load(connection, layer, Path(path), dry_run=dry_run)
    options = Options(mapping or {}, constants or {}, crs, timezone, make_codes)
    try:
        with connection.transaction():
            load.run(options, max_bytes, progress)
            if load.problems.total or dry_run:
                raise psycopg.Rollback
    except Refusal as refusal:
        load.problems.add(refusal.words)
    except psycopg.Error as error:
        load.problems.add(sentence(error))
    return load.report()


class _Load:
    """One file on its way into one layer."""

    def __init__(
        self, connection: Connection[Any], layer: Layer, path: Path, *, dry_run: bool
    ) -> None:
        self.connection, self.layer, self.path, self.dry_run = connection, layer, path, dry_run
        self.started = time.perf_counter()
        self.problems = Problems()
        self.rules: Rules | None = None
        self.read = self.inserted = self.updated = 0
        self.areas_made: list[str] = []
        self.grids: list[tuple[str, str, str | None, int, int | None, Any]] = []

    def run(
        self, options: Options, max_bytes: int, progress: Callable[[int, int | None], None] | None
    ) -> None:
        file = source(self.path, self.problems, max_bytes=max_bytes)
        with self.connection.cursor(row_factory=tuple_row) as cursor:
            taken = self._made_codes(cursor) if options.make_codes else {}
            rules = self.rules = Rules(self.layer, file, options, self.problems, taken)
            columns = [*rules.columns, "attributes", "geom"]
            self._stage(cursor, columns)
            for chunk in file.chunks:
                rows = rules.rows(chunk)
                self.read += len(chunk.rows)
                if not self.problems.total:
                    self._copy(cursor, columns, rows)
                if self.layer.id == "grids":
                    self._remember(rows)
                if progress:
                    progress(self.read, file.total)
            for code, row, line, words in checks.duplicates(rules.codes):
                column = rules.headers.get("code")
                self.problems.add(words, row=row, line=line, column=column, value=code)
            if not self.read and not self.problems.total:
                raise Refusal("文件中没有数据行。", "The file has no rows.")
            if self.layer.id == "grids" and not self.problems.total:
                self._cover(cursor)
                self._add_parents(cursor)
            if not self.problems.total:
                self._write(cursor, columns)

    def _made_codes(self, cursor: Cursor[Any]) -> dict[str, str]:
        """Codes that were made for cameras before, with the digest of what each was made from."""
        if self.layer.id != "cameras":
            return {}
        cursor.execute(
            "SELECT code, coalesce(attributes->>'made_from', '') FROM cameras"
            " WHERE starts_with(code, '9900000000132')"
        )
        return dict(cursor.fetchall())

    def _stage(self, cursor: Cursor[Any], columns: Sequence[str]) -> None:
        """Make the temporary table, typed as the layer's columns are."""
        cursor.execute("DROP TABLE IF EXISTS pg_temp.intake_rows")
        cursor.execute(
            SQL(
                "CREATE TEMP TABLE intake_rows ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA"
            ).format(_list(columns), Identifier(self.layer.table))
        )

    def _copy(self, cursor: Cursor[Any], columns: Sequence[str], rows: Rows) -> None:
        shapes = shapely.to_wkb(shapely.set_srid(rows.geometry, SRID), hex=True, include_srid=True)
        values = [*(rows.columns[name] for name in columns[:-2]), rows.attributes, shapes]
        statement = SQL("COPY pg_temp.intake_rows ({}) FROM STDIN").format(_list(columns))
        with cursor.copy(statement) as copy:
            for record in zip(*values, strict=True):
                copy.write_row(record)

    def _write(self, cursor: Cursor[Any], columns: Sequence[str]) -> None:
        table = cast("Table", self.layer.model.__table__)
        names = [name for name in columns if name != "code"]
        in_force = SQL(" AND t.valid_to IS NULL" if self.layer.versioned else "")
        # A blank cell of a column that must hold something leaves what is there, as does a missing
        # outline of an area, which the database derives; attributes of other files are kept.
        new: dict[str, Composable] = {name: SQL("r.{}").format(Identifier(name)) for name in names}
        for name in names:
            keep = not table.c[name].nullable or name == "geom"
            if name == "attributes":
                new[name] = SQL("t.attributes || r.attributes")
            elif keep:
                new[name] = SQL("coalesce(r.{0}, t.{0})").format(Identifier(name))
        cursor.execute(
            SQL(
                "UPDATE {table} AS t SET {sets} FROM pg_temp.intake_rows AS r"
                " WHERE t.code = r.code{in_force} AND ROW({old}) IS DISTINCT FROM ROW({new})"
            ).format(
                table=Identifier(self.layer.table),
                sets=SQL(", ").join(
                    SQL("{} = {}").format(Identifier(name), new[name]) for name in names
                ),
                old=SQL(", ").join(Identifier("t", name) for name in names),
                new=SQL(", ").join(new[name] for name in names),
                in_force=in_force,
            )
        )
        self.updated = cursor.rowcount
        cursor.execute(
            SQL(
                "INSERT INTO {table} ({columns}) SELECT {values} FROM pg_temp.intake_rows AS r"
                " WHERE NOT EXISTS (SELECT FROM {table} AS t WHERE t.code = r.code{in_force})"
            ).format(
                table=Identifier(self.layer.table),
                columns=_list(columns),
                values=SQL(", ").join(_or_default(table, name) for name in columns),
                in_force=in_force,
            )
        )
        self.inserted = cursor.rowcount
        # Rules that the database keeps for the commit speak now, while the report can still say so.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def _remember(self, rows: Rows) -> None:
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

    def _cover(self, cursor: Cursor[Any]) -> None:
        """Check the coverage that the file and the grids in force would form together."""
        codes, parents, _, rows, lines, own = map(list, zip(*self.grids, strict=True))
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
        found = coverage.faults(
            [*codes, *(o[0] for o in others)], [*parents, *(o[1] for o in others)], shapes, areas
        )
        for fault in found:
            known = fault.first < len(own)
            self.problems.add(
                fault.words,
                row=rows[fault.first] if known else None,
                line=lines[fault.first] if known else None,
            )

    def _add_parents(self, cursor: Cursor[Any]) -> None:
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

    def report(self) -> Report:
        """Return what happened; the counts are of what stays."""
        rules, ok = self.rules, not self.problems.total
        inserted, updated = (self.inserted, self.updated) if ok else (0, 0)
        return Report(
            layer=self.layer.id,
            file=self.path.name,
            ok=ok,
            dry_run=self.dry_run,
            read=self.read,
            inserted=inserted,
            updated=updated,
            unchanged=self.read - inserted - updated if ok else 0,
            codes_made=rules.codes_made if rules else 0,
            masked=rules.masked if rules else 0,
            dropped=rules.dropped if rules else (),
            columns=rules.headers if rules else {},
            attributes=tuple(rules.attributes) if rules else (),
            notes=tuple(self._notes()),
            problems=tuple(self.problems.kept),
            problem_count=self.problems.total,
            bad_rows=len(self.problems.rows),
            seconds=time.perf_counter() - self.started,
        )

    def _notes(self) -> Iterator[Words]:
        if self.rules and self.rules.flattened:
            count = self.rules.flattened
            yield Words(
                f"{count} 个几何的高程（Z）未导入。",
                f"Heights (Z) of {count} geometries were left out.",
            )
        if self.rules and self.rules.codes_made:
            count = self.rules.codes_made
            yield Words(
                f"按内容生成了 {count} 个编码；内容改变的行再次导入时会成为新的一行。",
                f"{count} codes were made from content; a row that changes becomes a new one.",
            )
        if self.areas_made and not self.problems.total:
            listed = ", ".join(self.areas_made[:20]) + (" …" if len(self.areas_made) > 20 else "")
            yield Words(
                f"新增 {len(self.areas_made)} 个所属区域：{listed}。",
                f"{len(self.areas_made)} parent areas were added: {listed}.",
            )


def _list(names: Sequence[str]) -> Composed:
    return SQL(", ").join(map(Identifier, names))


def _or_default(table: Table, name: str) -> Composed:
    """Return the staged column, or the column's default where the cell is blank."""
    default = getattr(table.c[name].server_default, "arg", None)
    if default is None:
        return SQL("r.{}").format(Identifier(name))
    # The default is text of the model, never of a file.
    return SQL("coalesce(r.{}, {})").format(
        Identifier(name), SQL(cast("LiteralString", default.text))
    )
