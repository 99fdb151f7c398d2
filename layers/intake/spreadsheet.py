"""XLSX, XLS and ODS workbooks: the first sheet with something in it, below its header row."""

import io
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import python_calamine as calamine

from layers.intake import archive
from layers.intake.chunks import CHUNK, Chunk, File, Source, cell, distinct
from layers.intake.headers import key
from layers.intake.personal import masked
from layers.intake.report import Problems, Refusal, Words

_LOOKED_AT = 50
"""Rows among which the header row is sought."""
_MOST_CELLS = 12_000_000
"""Cells of a sheet, empty ones between the filled included: they are held in memory."""

_DATE = re.compile("(日期|时间|日|期限|date|datetime|time|deadline)$")
_SERIALS = range(20_000, 73_415)  # 1954 to 2100
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a sheet knows no zones
_PLACE = re.compile(rb"""\br=["']([A-Z]{1,3})([0-9]{1,7})["']""")
_ODS = re.compile(rb"<table:(table|table-row|(?:covered-)?table-cell)(?=[\s/>])([^>]*)>")
_TIMES = re.compile(rb"""number-(?:columns|rows)-repeated=["']([0-9]{1,9})["']""")
_BREAKS = re.compile(rb">\s*\n\s*<")

Row = list[Any]
Merged = Sequence[tuple[tuple[int, int], tuple[int, int]]]


def spreadsheet(file: File, problems: Problems) -> Source:  # noqa: ARG001 - bad rows show later
    """Read the first sheet that is not empty. Raises ``Refusal`` for what is no workbook."""
    content = file.content
    if content.startswith(b"PK"):
        content = _looked_through(file)
    elif not content.startswith(b"\xd0\xcf\x11\xe0"):
        raise Refusal(
            "内容不是电子表格（可能是网页或文本改了扩展名），请在 Excel 中另存为 .xlsx。",
            "This is no workbook, perhaps a web page or text under its name: save it as .xlsx.",
        )
    name, others, sheet = _sheet(content)
    first = list(islice(_rows(sheet), _LOOKED_AT))
    at = _header(first)
    top = [_text(value) for value in first[at]]
    if any(masked(text)[1] for text in top):
        raise Refusal(
            "首行像是数据而不是表头，请补上表头行。",
            "The first line looks like data: add a line of headers.",
        )
    filled = [False] * len(top)
    for row in islice(_rows(sheet), at + 1, None):
        filled = [seen or value != "" for seen, value in zip(filled, row, strict=True)]
    columns = [i for i, text in enumerate(top) if text or filled[i]]
    headers = distinct([top[i] for i in columns])
    notes = []
    if others:
        notes.append(
            Words(
                f"读取的是工作表“{name}”，其余未读：{'、'.join(others)}。",
                f"The sheet read is “{name}”; not read: {', '.join(others)}.",
            )
        )
    chunks = _chunks(sheet, at, columns, headers, notes)
    return Source(headers, chunks, notes=notes)


def _sheet(content: bytes) -> tuple[str, list[str], calamine.CalamineSheet]:
    """Return the first sheet with cells, and the names of the others with cells."""
    try:
        book = calamine.load_workbook(io.BytesIO(content))
        names = [s.name for s in book.sheets_metadata if s.typ == calamine.SheetTypeEnum.WorkSheet]
        sheets = ((name, book.get_sheet_by_name(name)) for name in names)
        full = [(name, sheet) for name, sheet in sheets if sheet.start is not None]
    except calamine.PasswordError:
        raise Refusal("工作簿有密码。", "The workbook has a password.") from None
    except BaseException as error:
        # The library is written in Rust, whose panics are no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise Refusal(
            "电子表格已损坏或加了密码，无法读取。",
            "The workbook is damaged or has a password: it cannot be read.",
        ) from None
    if not full:
        raise Refusal("文件是空的。", "The file is empty.")
    return full[0][0], [masked(name)[0] for name, _ in full[1:]], full[0][1]


def _rows(sheet: calamine.CalamineSheet) -> Iterator[Row]:
    """Yield the rows from the first of the sheet on, merged cells filled downwards."""
    start = sheet.start or (0, 0)
    below: dict[int, list[tuple[int, int, int]]] = {}
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        if bottom > top and left == right:
            below.setdefault(top, []).append((top, bottom, left - start[1]))
    active: list[tuple[int, int, int]] = []
    values: dict[int, Any] = {}
    for number, row in enumerate(sheet.iter_rows()):
        for _, _, column in (started := below.get(number, [])):
            if 0 <= column < len(row):
                values[column] = row[column]
        active = [merged for merged in (*active, *started) if merged[1] >= number]
        blank = not any(str(value).strip() for value in row)
        for top, _, column in active:
            if number > top and 0 <= column < len(row) and row[column] == "" and not blank:
                row[column] = values[column]
        yield row


def _header(rows: Sequence[Row]) -> int:
    """Return which row holds the headers: the first that is filled with text for the most part."""
    widest = max((sum(value != "" for value in row) for row in rows), default=0)
    for at, row in enumerate(rows):
        texts = sum(isinstance(value, str) and bool(value.strip()) for value in row)
        if texts and texts * 2 > widest:
            return at
    raise Refusal("找不到表头行。", "There is no header line.")


def _text(value: Any) -> str:
    value = cell(value)
    return " ".join(str("" if value is None else value).split())


def _chunks(
    sheet: calamine.CalamineSheet,
    at: int,
    columns: Sequence[int],
    headers: Sequence[str],
    notes: list[Words],
) -> Iterator[Chunk]:
    wide = {a[0] for a, b in sheet.merged_cell_ranges or () if b[1] > a[1]}
    dated = [i for i, header in zip(columns, headers, strict=True) if _DATE.search(key(header))]
    skipped = serials = 0

    def rows() -> Iterator[tuple[int, Row]]:
        nonlocal skipped, serials
        for number, row in enumerate(islice(_rows(sheet), at + 1, None), start=at + 1):
            filled = sum(bool(str(value).strip()) for value in row)
            if filled == 1 and number in wide and len(columns) > 1:  # a title between the rows
                skipped += 1
            elif filled:
                for i in dated:
                    value = row[i]
                    if type(value) in (int, float) and int(value) in _SERIALS:
                        serials += 1
                        row[i] = _EPOCH + timedelta(seconds=round(value * 86_400))
                yield number + 1, [cell(row[i]) for i in columns]

    stream = rows()
    count = 0
    while part := list(islice(stream, CHUNK)):
        lines, cells = zip(*part, strict=True)
        numbers = range(count + 1, count + len(part) + 1)
        count += len(part)
        by_column = zip(*cells, strict=True)
        yield Chunk(numbers, lines, dict(zip(headers, by_column, strict=True)))
    if skipped:
        notes.append(
            Words(
                f"跳过了 {skipped} 个只有合并标题的行。",
                f"{skipped} rows that are merged titles were skipped.",
            )
        )
    if serials:
        notes.append(
            Words(
                f"{serials} 个日期序号已读作日期。",
                f"{serials} day numbers were read as dates.",
            )
        )


def _looked_through(file: File) -> bytes:
    """Return the archive as the library can take it.

    Refuses sheets whose few cells lie so far apart that what is between fills the memory. The
    library does not understand ODS with line breaks between the tags, as GDAL and QGIS write it.
    """
    archive.check(file.content, file.max_bytes)
    found = archive.members(
        file.content,
        file.max_bytes,
        lambda path: path.name == "content.xml" or "worksheets" in path.parts,
    )
    ods = False
    for path, content in found.items():
        ods = ods or path.name == "content.xml"
        cells = _repeated(content) if path.name == "content.xml" else _spread(content)
        if cells > _MOST_CELLS:
            raise Refusal(
                "工作表的范围过大（远处有零散单元格），请删除多余的行列后再导入。",
                "The sheet spreads too far: delete stray cells far from the table.",
            )
    if not ods:
        return file.content
    whole = archive.members(file.content, file.max_bytes, lambda _: True)
    return archive.stored(
        {
            str(path): _BREAKS.sub(b"><", content) if path.name == "content.xml" else content
            for path, content in whole.items()
        }
    )


def _spread(content: bytes) -> int:
    """Return how many cells the rectangle around all cells of an XLSX sheet has."""
    columns: set[bytes] = set()
    deepest = 0
    for match in _PLACE.finditer(content):
        columns.add(match[1])
        deepest = max(deepest, int(match[2]))
    return deepest * max(map(_number, columns), default=0)


def _repeated(content: bytes) -> int:
    """Return the same for the sheets of an ODS document, where cells and rows may be repeated."""
    rows = deepest = width = widest = most = 0
    for match in _ODS.finditer(content):
        kind, about = match.groups()
        times = int(found[1]) if (found := _TIMES.search(about)) else 1
        if kind == b"table":
            rows = deepest = widest = 0
        elif kind == b"table-row":
            rows, width = rows + times, 0
        else:
            width += times
            if b"value" in about or not about.endswith(b"/"):
                deepest, widest = rows, max(width, widest)
                most = max(most, deepest * widest)
    return most


def _number(letters: bytes) -> int:
    """Return the number of a column.

    >>> _number(b"AB")
    28
    """
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
