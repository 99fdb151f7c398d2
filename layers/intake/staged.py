"""The file between reading and loading: what a reader found, without anything personal.

It is Parquet: one row group a chunk, cells as JSON text, geometries as well-known binary, and what
is told of the file as a whole in its metadata. ``staging`` decides what may be written.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from layers.intake.chunks import Chunk, Personal, Source
from layers.intake.coordinates import Broken, Shape
from layers.intake.report import Problem, Problems, Refusal, Words

SUFFIX = ".staged"
"""What the name of a staged file ends with. No file of this name is taken from outside."""

_ABOUT = b"geo_service.staged"
_FORM = 1
_BEFORE = 5
"""Columns before the cells: row, line, geometry, why it is broken, problems."""

_dump = json.JSONEncoder(ensure_ascii=True, default=str).encode
_string = json.encoder.encode_basestring

Told = list[Any]
"""A problem as JSON: the values of ``Problem`` in order."""


class Writer:
    """Writes the chunks of one file; ``close`` writes what is known only at the end."""

    def __init__(self, stream: IO[bytes], headers: Sequence[str]) -> None:
        self.headers = headers
        text = pa.string()
        self._schema = pa.schema(
            [("row", pa.int64()), ("line", pa.int64()), ("geometry", pa.binary())]
            + [("broken", text), ("problems", text)]
            + [(f"cell {at}", text) for at in range(len(headers))]
        )
        self._out = pq.ParquetWriter(stream, self._schema, compression="zstd")
        self._loose: list[tuple[int, Told]] = []
        self._groups = 0
        self.rows = 0

    def write(self, chunk: Chunk, problems: Sequence[Problem]) -> None:
        """Write a chunk with the problems that its reader named."""
        size = len(chunk.rows)
        own: dict[int, list[Told]] = {}
        at = {row: position for position, row in enumerate(chunk.rows)}
        for problem in problems:
            if problem.row in at:
                own.setdefault(at[problem.row], []).append(_told(problem))
            else:
                self._loose.append((self._groups, _told(problem)))
        shapes: Sequence[Shape] = chunk.geometry if chunk.geometry is not None else [None] * size
        broken = [_dump(s.words) if isinstance(s, Broken) else None for s in shapes]
        columns = [
            pa.array(chunk.rows, pa.int64()),
            pa.array(chunk.lines, pa.int64()),
            pa.array(_binary(shapes), pa.binary()),
            pa.array(broken, pa.string()),
            pa.array([_dump(own[i]) if i in own else None for i in range(size)], pa.string()),
            *(_column(chunk.cells[header]) for header in self.headers),
        ]
        self._out.write_table(
            pa.Table.from_arrays(columns, schema=self._schema), row_group_size=max(size, 1)
        )
        self._groups += 1
        self.rows += size

    def close(self, about: Mapping[str, Any], problems: Sequence[Problem]) -> None:
        """Write what is known of the whole file, and the problems after its last chunk."""
        loose = [*self._loose, *((self._groups, _told(problem)) for problem in problems)]
        whole = {"form": _FORM, "headers": list(self.headers), "problems": loose, **about}
        self._out.add_key_value_metadata({_ABOUT: _dump(whole)})
        self._out.close()

    def abandon(self) -> None:
        """Let go of the stream; what was written is no staged file."""
        self._out.close()


def staged(path: Path, problems: Problems, *, first: int | None = None) -> Source:
    """Open a staged file as the source it was made from; its reader's problems are told again.

    ``first`` reads only so many rows, as one chunk. Raises ``Refusal`` for what is no staged file.
    """
    about, opened = _opened(path)
    return Source(
        about["headers"],
        _chunks(opened, about, problems, first),
        crs=about["crs"],
        total=opened.metadata.num_rows,
        geometry=about["geometry"],
        notes=[Words(*note) for note in about["notes"]],
        aliases=about["aliases"],
        name=about["name"],
        personal={header: Personal(*why) for header, why in about["personal"].items()},
    )


def original(path: Path) -> tuple[str, int, str]:
    """Return the name, the size in bytes and the SHA-256 of the file that was staged."""
    about, opened = _opened(path)
    opened.close()
    return about["name"], about["bytes"], about["sha256"]


def _opened(path: Path) -> tuple[dict[str, Any], pq.ParquetFile]:
    try:
        opened = pq.ParquetFile(path)
        about = json.loads((opened.metadata.metadata or {})[_ABOUT])
    except (pa.ArrowException, OSError, ValueError, LookupError):
        raise _damaged() from None
    if about.get("form") != _FORM:
        raise _damaged()
    return about, opened


def _chunks(
    opened: pq.ParquetFile, about: Mapping[str, Any], problems: Problems, first: int | None
) -> Iterator[Chunk]:
    def loose(group: int) -> None:
        for at, told in about["problems"]:
            if at == group:
                _add(problems, told)

    with opened:
        for group in range(opened.num_row_groups):
            loose(group)
            try:
                if first is None:
                    table = opened.read_row_group(group)
                else:
                    table = next(opened.iter_batches(max(first, 1), row_groups=[group]))
                chunk, own = _chunk(table, about["headers"], geometry=about["geometry"])
            except (pa.ArrowException, OSError, ValueError, LookupError, StopIteration):
                raise _damaged() from None
            for told in own:
                _add(problems, told)
            yield chunk
            if first is not None:
                return
        loose(opened.num_row_groups)


def _chunk(table: Any, headers: Sequence[str], *, geometry: bool) -> tuple[Chunk, list[Told]]:
    rows, lines, shapes, broken, problems = (table.column(at).to_pylist() for at in range(_BEFORE))
    cells = {
        header: _cells(table.column(at).to_pylist())
        for at, header in enumerate(headers, start=_BEFORE)
    }
    found: list[Shape] | None = None
    if geometry:
        found = list(shapely.from_wkb(np.array(shapes, dtype=object)))
        for at, words in enumerate(broken):
            if words is not None:
                found[at] = Broken(Words(*json.loads(words)))
    told = [item for text in problems if text is not None for item in json.loads(text)]
    return Chunk(rows, lines, cells, found), told


def _told(problem: Problem) -> Told:
    return [problem.row, problem.line, problem.column, problem.value, problem.zh, problem.en]


def _add(problems: Problems, told: Told) -> None:
    row, line, column, value, zh, en = told
    problems.add(Words(zh, en), row=row, line=line, column=column, value=value)


def _binary(shapes: Sequence[Shape]) -> list[bytes | None]:
    """Return well-known binary, heights too: the report counts what it leaves out."""
    found = np.full(len(shapes), None, dtype=object)
    for at, shape in enumerate(shapes):
        found[at] = None if isinstance(shape, Broken) else shape
    return list(shapely.to_wkb(found))


def _column(cells: Sequence[Any]) -> Any:
    """Return cells as JSON text, None where there is nothing."""
    try:
        return pa.array([_text(cell) for cell in cells], pa.string())
    except UnicodeEncodeError:  # half a character of UTF-16, from a JSON escape
        return pa.array([None if cell is None else _dump(cell) for cell in cells], pa.string())


def _text(cell: Any) -> str | None:
    if cell is None:
        return None
    return _string(cell) if type(cell) is str else _dump(cell)


def _cells(texts: Sequence[str | None]) -> list[Any]:
    """Read a column of JSON texts, at once: it takes a tenth of the time."""
    found: list[Any] = json.loads(f"[{','.join('null' if t is None else t for t in texts)}]")
    if len(found) != len(texts):
        raise ValueError("not one value a cell")
    return found


def _damaged() -> Refusal:
    return Refusal(
        "暂存文件已损坏或不存在，请重新上传。",
        "The staged file is damaged or not there: upload the file again.",
    )
