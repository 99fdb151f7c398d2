"""The bad rows of a file as a workbook, so that a clerk mends them where they are used to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import xlsxwriter

from layers.intake.report import Problems, Refusal
from layers.intake.staging import staged

_CELL = 32_767  # characters that a cell of Excel holds
_TITLES = {
    "zh": ("行", "原因", "整个文件", "另有 {} 个问题未列出。"),
    "en": ("Row", "Reason", "The whole file", "{} more problems are not listed."),
}


def workbook(
    source: Path, report: Mapping[str, Any], path: Path, lang: Literal["zh", "en"] = "zh"
) -> None:
    """Write the bad rows that ``report`` names, as they stand in the staged file ``source``.

    Every cell is text, so that codes keep their digits and nothing is taken for a formula. The last
    column holds the reasons. Columns about people are not there. Private: mode 0600.
    """
    row_title, reason_title, whole, more = _TITLES[lang]
    reasons = _reasons(report, lang)
    file = staged(source, Problems())
    personal = getattr(file, "personal", {})
    headers = [header for header in file.headers if header not in personal]
    path.touch(0o600)
    with xlsxwriter.Workbook(
        path, {"constant_memory": True, "tmpdir": str(path.parent), "in_memory": False}
    ) as book:
        sheet = book.add_worksheet(reason_title)
        text = book.add_format({"num_format": "@"})
        bold = book.add_format({"num_format": "@", "bold": True})
        marked = book.add_format({"num_format": "@", "font_color": "#b00020", "text_wrap": True})
        last = len(headers) + 1
        sheet.set_column(0, last - 1, 14, text)
        sheet.set_column(last, last, 60, text)
        sheet.freeze_panes(1, 1)
        line = 0

        def write(cells: list[str], reason: str, style: Any = None) -> None:
            nonlocal line
            for at, cell in enumerate(cells):
                if cell:
                    sheet.write_string(line, at, cell[:_CELL], style or text)
            sheet.write_string(line, last, reason[:_CELL], style or marked)
            line += 1

        write([row_title, *headers], reason_title, bold)
        for reason in reasons.pop(None, []):
            write([whole], reason)
        if reasons:
            try:
                for chunk in file.chunks:
                    columns = [chunk.cells[header] for header in headers]
                    for at, row in enumerate(chunk.rows):
                        if row in reasons:
                            cells = [_shown(column[at]) for column in columns]
                            write([str(row), *cells], "\n".join(reasons.pop(row)))
            except Refusal:  # the file breaks off: what is left is told without its cells
                pass
        for missing, left in reasons.items():
            write([str(missing)], "\n".join(left))
        if unlisted := int(report.get("problem_count", 0)) - len(report["problems"]):
            write([], more.format(unlisted))
        sheet.autofilter(0, 0, max(line - 1, 1), last)


def _reasons(report: Mapping[str, Any], lang: str) -> dict[int | None, list[str]]:
    """Return the sentences of each row; those under None are about the whole file."""
    found: dict[int | None, list[str]] = {}
    for problem in report["problems"]:
        column = problem.get("column")
        where = (f"“{column}”列：" if lang == "zh" else f"Column “{column}”: ") if column else ""
        found.setdefault(problem["row"], []).append(where + problem[lang])
    return found


def _shown(cell: Any) -> str:
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else str(cell)
