"""The history of imports: each is recorded in its own transaction, with what undoing needs."""

import hashlib
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString, cast
from uuid import UUID, uuid4

import psycopg
from psycopg import Connection, Cursor
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Composable, Identifier
from psycopg.types.json import Jsonb
from sqlalchemy import Table

from layers.catalogue import Layer
from layers.intake.personal import masked
from layers.intake.report import Refusal
from layers.intake.staged import SUFFIX, original

if TYPE_CHECKING:
    from layers.intake.report import Report

PART = 20_000
"""Codes in one row of ``import_rows``."""

PART_BYTES = 16_000_000
"""Bytes of earlier rows in one row of ``import_rows``: one JSON value may not pass 256 MB."""


class Recorder:
    """Records one import for ``intake``: who, what, and what undoing needs.

    Parameters
    ----------
    account, area
        Whose import it is: the name of an account or a token's label, and its area (``*``: all).
    import_id
        The row of ``imports`` where there is one already, made by the service. Otherwise one is
        made in the transaction of the load, or after a refusal.
    sha256
        The digest of the file, where it is known. Otherwise it is computed.

    The principal of the connection must see ``area``, for row-level security holds here too.
    """

    def __init__(
        self,
        account: str,
        area: str,
        import_id: UUID | str | None = None,
        sha256: str | None = None,
    ) -> None:
        self.account, self.area, self.sha256 = account, area, sha256
        self.existing = import_id is not None
        self.id = UUID(str(import_id)) if import_id is not None else uuid4()
        self._part = 0

    def begin(
        self, cursor: Cursor[Any], layer: Layer, path: Path, options: Mapping[str, Any]
    ) -> None:
        """Make the import's row, within the transaction of the load.

        Raises ``Refusal`` where the import was loaded before: another is needed to load it again.
        """
        self._part = 0
        if not self.existing:
            self._insert(cursor, layer, path, options)
            return
        cursor.execute("SELECT state FROM imports WHERE id = %s", [self.id])
        found = cursor.fetchone()
        if found is None:
            raise Refusal("没有这次导入的记录。", "There is no record of this import.")
        if found[0] in ("loaded", "undone"):
            raise Refusal(
                "这次导入已写入过，请重新上传文件。",
                "This import was written before: upload the file again.",
            )

    def _insert(
        self, cursor: Cursor[Any], layer: Layer, path: Path, options: Mapping[str, Any]
    ) -> None:
        name, size, digest = original(path) if path.suffix == SUFFIX else _measured(path)
        cursor.execute(
            "INSERT INTO imports"
            " (id, layer, file, bytes, sha256, account, area, options, state, started_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'running', now())",
            [
                self.id, layer.id, masked(name)[0], size, self.sha256 or digest,
                self.account, self.area, _json(options),
            ],
        )  # fmt: skip

    def keep_updated(self, cursor: Cursor[Any], layer: Layer, differs: Composable) -> None:
        """Keep and lock the rows of the layer, ``t``, that differ from the staged ones, ``r``.

        They are locked so that what is kept is what the update finds.
        """
        cursor.execute(
            SQL(_KEEP_UPDATED).format(
                columns=SQL(", ").join(
                    # As GeoJSON, which to_jsonb makes of a geometry, it would lose its SRID.
                    SQL("t.geom::text AS geom") if name == "geom" else Identifier("t", name)
                    for name in writable(layer)
                ),
                table=Identifier(layer.table),
                differs=differs,
            ),
            {"import": self.id, "from": self._part, "size": PART_BYTES},
        )
        self._part += cursor.rowcount

    def keep_inserted(self, cursor: Cursor[Any], new: Composable) -> None:
        """Keep the codes of the staged rows, ``r``, that are ``new``."""
        cursor.execute(
            SQL(_KEEP_INSERTED).format(new=new),
            {"import": self.id, "from": self._part, "size": PART},
        )
        self._part += cursor.rowcount

    def loaded(self, cursor: Cursor[Any], report: "Report") -> None:
        """Say within the transaction of the load that it was written, and what came of it."""
        cursor.execute(
            "UPDATE imports SET state = 'loaded', written_at = now(),"
            " finished_at = clock_timestamp(), report = %s, done = %s WHERE id = %s",
            [_json(report.as_dict()), report.read, self.id],
        )

    def ended(
        self,
        connection: Connection[Any],
        layer: Layer,
        path: Path,
        options: Mapping[str, Any],
        report: "Report",
    ) -> None:
        """Record what wrote nothing, in a short transaction of its own.

        A trial run without a row of its own leaves no trace. A history that cannot be written
        (no connection, no right) does not hide the report, which says as much.
        """
        if report.dry_run and not self.existing:
            return
        state = "checked" if report.ok else "refused"
        try:
            with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
                if not self.existing:
                    self._insert(cursor, layer, path, options)
                cursor.execute(
                    "UPDATE imports SET state = %s, finished_at = clock_timestamp(),"
                    " report = %s, done = %s"
                    " WHERE id = %s AND state NOT IN ('loaded', 'undone')",
                    [state, _json(report.as_dict()), report.read, self.id],
                )
        except (psycopg.Error, Refusal):
            return


def writable(layer: Layer) -> list[str]:
    """Return the columns of a layer that an import may write, ``code`` first among them."""
    known = {item.name for item in layer.fields if not item.derived} | {"attributes", "geom"}
    table = cast("Table", layer.model.__table__)
    return [column.name for column in table.columns if column.name in known]


def _measured(path: Path) -> tuple[str, int, str]:
    """Return the name and the size of a file, and the SHA-256 of its bytes."""
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return path.name, path.stat().st_size, digest
    except OSError as error:
        reason = error.strerror or "?"
        raise Refusal(
            f"文件无法读取（{reason}）。", f"The file cannot be read ({reason})."
        ) from None


_json = partial(Jsonb, dumps=partial(json.dumps, ensure_ascii=False, default=str))

_KEEP_UPDATED: LiteralString = """
WITH locked AS MATERIALIZED (
    SELECT {columns}, t.updated_at
    FROM {table} AS t
    CROSS JOIN pg_temp.intake_rows AS r
    WHERE {differs}
    FOR UPDATE OF t
),
kept AS (
    SELECT l.code, to_jsonb(l) AS before FROM locked AS l
),
parted AS (
    SELECT
        k.before,
        sum(octet_length(k.before::text)) OVER (ORDER BY k.code ROWS UNBOUNDED PRECEDING)
        / %(size)s AS part
    FROM kept AS k
)
INSERT INTO import_rows (import, part, updated)
SELECT %(import)s, %(from)s + dense_rank() OVER (ORDER BY trunc(p.part)) - 1, jsonb_agg(p.before)
FROM parted AS p
GROUP BY trunc(p.part)
"""

_KEEP_INSERTED: LiteralString = """
INSERT INTO import_rows (import, part, inserted)
SELECT %(import)s, %(from)s + n.part, array_agg(n.code)
FROM (
    SELECT r.code, (row_number() OVER () - 1) / %(size)s AS part
    FROM pg_temp.intake_rows AS r
    WHERE {new}
) AS n
GROUP BY n.part
"""
