"""Excel workbooks, written row by row."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import xlsxwriter
from xlsxwriter.exceptions import XlsxFileError
from xlsxwriter.worksheet import Worksheet

from layers.export.table import Batch, ExportError, Table, iso
from layers.export.text import place_headers, places

MAX_ROWS = 1_048_576
MAX_TEXT = 32_767
"""What a sheet and a cell of Excel hold."""


def workbook(path: Path, table: Table, rows: Iterator[Batch]) -> Mapping[str, str]:
    """Write a sheet with a frozen header. Codes, dates and times are text, which Excel leaves."""
    # The temporary files of its sheets are closed by closing it, half written or not.
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": str(path.parent)})
    try:
        try:
            _fill(book, table, rows)
        finally:
            book.close()
    except XlsxFileError as error:
        raise ExportError(
            f"The workbook cannot be written: {error}", f"工作簿无法写出：{error}"
        ) from error
    return table.headers


def _fill(book: xlsxwriter.Workbook, table: Table, rows: Iterator[Batch]) -> None:
    sheet = book.add_worksheet(table.layer.id)
    bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
    headers = [*(column.header for column in table.columns), *place_headers(table)]
    for position, column in enumerate(table.columns):
        plain = column.kind in ("integer", "number")
        sheet.set_column(position, position, 14 if plain else 22, None if plain else text)
    sheet.set_column(len(table.columns), len(headers) - 1, 16)
    for position, header in enumerate(headers):
        sheet.write_string(0, position, header, bold)
    sheet.freeze_panes(1, 0)
    number = 0
    for batch in rows:
        values = [list(map(iso, column)) for column in batch.values]
        for row in zip(*values, *places(table, batch), strict=True):
            number += 1
            if number >= MAX_ROWS:
                raise ExportError(
                    f"A sheet of Excel holds {MAX_ROWS:,} rows: filter, or choose another format.",
                    f"Excel 工作表最多 {MAX_ROWS:,} 行：请筛选，或选其他格式。",
                )
            _write(sheet, number, row, headers, text)


def _write(
    sheet: Worksheet, number: int, row: tuple[object, ...], headers: list[str], text: object
) -> None:
    for position, value in enumerate(row):
        if isinstance(value, str):
            if len(value) > MAX_TEXT:
                raise ExportError(
                    f"{headers[position]} of {row[0]} has {len(value):,} characters and a cell of "
                    f"Excel holds {MAX_TEXT:,}: choose another format, such as GeoPackage.",
                    f"{row[0]} 的“{headers[position]}”有 {len(value):,} 个字符，Excel 单元格"
                    f"最多 {MAX_TEXT:,} 个：请选其他格式，如 GeoPackage。",
                )
            sheet.write_string(number, position, value, text)
        elif isinstance(value, int | float):
            sheet.write_number(number, position, value)
