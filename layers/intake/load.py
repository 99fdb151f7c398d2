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
from layers.intake import checks
from layers.intake.division import Division
from layers.intake.readers import source
from layers.intake.reference import suspicion
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
    clean: float | None = None,
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
        The CRS of the coordinates, longitude or easting first. One that the file itself declares
        counts where this is left alone.
    timezone
        The zone of times that name none.
    make_codes
        Make codes from what each row holds, where ``code`` is not mapped or its cell is blank.
    clean
        For grids: close gaps and share out overlaps up to this width in metres. The report tells
        what moved; where something would move farther, nothing is loaded.
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
    load = _Load(connection, layer, Path(path), dry_run=dry_run, clean=clean)
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
        self,
        connection: Connection[Any],
        layer: Layer,
        path: Path,
        *,
        dry_run: bool,
        clean: float | None,
    ) -> None:
        self.connection, self.layer, self.path, self.dry_run = connection, layer, path, dry_run
        self.started = time.perf_counter()
        self.problems = Problems()
        self.rules: Rules | None = None
        self.file_notes: Sequence[Words] = ()
        self.read = self.inserted = self.updated = 0
        self.division = Division(self.problems, clean) if layer.id == "grids" else None
        self.suspicion: Words | None = None

    def run(
        self, options: Options, max_bytes: int, progress: Callable[[int, int | None], None] | None
    ) -> None:
        file = source(self.path, self.problems, max_bytes=max_bytes)
        self.file_notes = file.notes
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
                if self.division:
                    self.division.remember(rows)
                if progress:
                    progress(self.read, file.total)
            self.suspicion = self._suspicion(cursor, rules)
            for code, row, line, words in checks.duplicates(rules.codes):
                column = rules.headers.get("code")
                self.problems.add(words, row=row, line=line, column=column, value=code)
            if not self.read and not self.problems.total:
                raise Refusal("文件中没有数据行。", "The file has no rows.")
            if self.division and not self.problems.total:
                self.division.judge(cursor)
                self.division.add_parents(cursor)
            if not self.problems.total:
                self._write(cursor, columns)

    def _suspicion(self, cursor: Cursor[Any], rules: Rules) -> Words | None:
        """Propose another CRS, where most of the file lies outside the town as the grids have it.

        Bad rows are looked at too: metres that were read as degrees are where it helps most.
        """
        if not sum(map(len, rules.middles)):
            return None
        cursor.execute("SELECT ST_AsBinary(geom) FROM grids WHERE valid_to IS NULL")
        shapes = shapely.from_wkb([bytes(shape) for (shape,) in cursor])
        if not len(shapes):
            return None
        xy = np.concatenate(rules.middles)
        return suspicion(rules.reference.crs, xy[:, 0], xy[:, 1], shapely.union_all(shapes))

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
        if self.rules:
            yield from self.rules.reference.notes()
        if self.suspicion:
            yield self.suspicion
        yield from self.file_notes
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
        if self.division and not self.problems.total:
            yield from self.division.notes()


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
