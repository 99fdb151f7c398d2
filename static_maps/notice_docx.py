"""A notice as DOCX, to be edited and signed: the PDF's words and tables, its maps as a picture."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, BinaryIO

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.table import _Cell
from docx.text.paragraph import Paragraph
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from static_maps import notice_map
from static_maps.fonts import typeface
from static_maps.notice import (
    MEASURES,
    MOVED,
    SIGNED,
    WORDS,
    Notice,
    both,
    grid_rows,
    limits_note,
    moved_rows,
    state,
)

BODY, HEAD = "SimSun", "SimHei"
"""The fonts of official papers, which every office machine in China has."""

GREY = RGBColor(0x66, 0x72, 0x7D)
RED = RGBColor(0xC0, 0x36, 0x2C)
SHADE = {"below": "FBE7C6", "above": "F6CFC9"}
TEXT = 178.0
"""Width of the text in millimetres."""


def write_docx(notice: Notice, target: Path | str | BinaryIO) -> None:
    """Write a notice as DOCX; :func:`static_maps.notice.write` tells the rest."""
    paper = Document()
    section = paper.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(16)
    section.top_margin, section.bottom_margin = Mm(18), Mm(18)
    normal = paper.styles["Normal"]
    normal.font.size = Pt(10)
    normal.paragraph_format.space_after = Pt(0)
    _font(normal.element.get_or_add_rPr(), BODY)
    told = paper.core_properties
    told.title, told.subject = f"{WORDS['notice'][0]} {notice.title}", WORDS["notice"][1]
    told.author = told.last_modified_by = told.comments = ""
    told.language = "zh-CN"
    told.created = told.modified = datetime.combine(notice.made, time(), UTC)
    _top(paper, notice)
    _maps(paper, notice)
    _grids(paper, notice)
    _moved(paper, notice)
    _approval(paper)
    _foot(section.footer.paragraphs[0], notice)
    paper.save(target if not isinstance(target, Path) else str(target))


def _top(paper: Any, notice: Notice) -> None:
    line = _centred(paper)
    _write(line, f"{notice.area}{WORDS['notice'][0]}", 20, bold=True, font=HEAD)
    _write(_centred(paper), WORDS["notice"][1], 10, GREY)
    if not notice.approved:
        _write(_centred(paper), both("draft"), 9, RED)
    table = _table(paper, len(notice.facts), (38, TEXT - 38), grid=False)
    for (title, value), row in zip(notice.facts, table.rows, strict=True):
        _write(row.cells[0].paragraphs[0], title, 9, GREY)
        _write(row.cells[1].paragraphs[0], value, 10)


def _maps(paper: Any, notice: Notice) -> None:
    _heading(paper, "maps")
    paper.add_paragraph().add_run().add_picture(_picture(notice), width=Mm(TEXT))


def _picture(notice: Notice) -> io.BytesIO:
    wide, high = (TEXT - 4) / 2, 92.0
    figure = Figure((TEXT / 25.4, (high + 15) / 25.4), dpi=220, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, TEXT), ylim=(0, high + 15))
    axes.axis("off")
    for k in range(2):
        axes.text(
            k * (wide + 4), high + 10.5, notice_map.heading(bool(k)), fontsize=9,
            fontproperties=typeface("bold"),
        )  # fmt: skip
    boxes = ((0.2, 8.0, wide, high), (wide + 3.8, 8.0, wide, high))
    seen = notice_map.maps(figure, canvas, notice, boxes)
    notice_map.key(axes, seen, 0.5, TEXT - 0.5, 1.5)
    made = io.BytesIO()
    figure.savefig(made, format="png", dpi=220, metadata={"Software": None})
    made.seek(0)
    return made


def _grids(paper: Any, notice: Notice) -> None:
    _heading(paper, "grids")
    heads = [WORDS["grid"], ("编码", "Code"), *((zh, en) for _, zh, en in MEASURES)]
    widths = (34, 25, 18, 20.5, 15, 12.5, 15.5, 14.5, 23)
    table = _filled(paper, heads, grid_rows(notice), widths)
    for row, cells in zip(notice.table, table.rows[1:], strict=True):
        if shade := SHADE.get(state(notice, row)):
            _shade(cells.cells[2], shade)
    _write(paper.add_paragraph(), limits_note(notice), 7.5, GREY)


def _moved(paper: Any, notice: Notice) -> None:
    _heading(paper, "moved")
    rows = moved_rows(notice)
    if not rows:
        _write(paper.add_paragraph(), both("nothing"), 9)
        return
    heads = [WORDS["from"], WORDS["to"], *((zh, en) for _, zh, en in MOVED)]
    _filled(paper, heads, rows, (36, 36, 17, 17, 17, 20, 17, 18))


def _approval(paper: Any) -> None:
    _heading(paper, "sign")
    table = _table(paper, 1, (TEXT / 3,) * 3)
    row = table.rows[0]
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))  # noqa: SLF001 - no other way
    for cell, (zh, en) in zip(row.cells, SIGNED, strict=True):
        first = cell.paragraphs[0]
        _write(first, zh, 11, bold=True, font=HEAD)
        _write(first, f"  {en}", 8, GREY)
        for name, gap in (("post", 8), ("seal", 10), ("date", 26)):
            line = cell.add_paragraph()
            line.paragraph_format.space_before = Pt(gap)
            _write(line, WORDS[name][0], 10)
            _write(line, f" {WORDS[name][1]}", 7, GREY)
            _write(line, f"    {WORDS['day'][0]}" if name == "date" else "：", 10)
        cell.paragraphs[-1].paragraph_format.space_after = Pt(6)


def _foot(line: Paragraph, notice: Notice) -> None:
    line.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    if notice.footer:
        _write(line, f"{notice.footer}    ", 8, GREY)
    for words, name in (("第 ", "PAGE"), (" 页 共 ", "NUMPAGES"), (" 页", "")):
        _write(line, words, 8, GREY)
        if name:
            number = OxmlElement("w:fldSimple")
            number.set(qn("w:instr"), name)
            run = OxmlElement("w:r")
            text = OxmlElement("w:t")
            text.text = "1"
            run.append(text)
            number.append(run)
            line._p.append(number)  # noqa: SLF001 - python-docx has no fields


def _heading(paper: Any, key: str) -> None:
    line = paper.add_heading(level=2)
    line.paragraph_format.space_before, line.paragraph_format.space_after = Pt(12), Pt(3)
    line.paragraph_format.keep_with_next = True
    _write(line, WORDS[key][0], 12, RGBColor(0, 0, 0), bold=True, font=HEAD)
    _write(line, f"  {WORDS[key][1]}", 9, GREY)


def _filled(
    paper: Any,
    heads: Sequence[tuple[str, str]],
    rows: Sequence[Sequence[str]],
    widths: Sequence[float],
) -> Any:
    table = _table(paper, len(rows) + 1, widths)
    first = table.rows[0]
    first._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))  # noqa: SLF001 - on each page
    for cell, (zh, en) in zip(first.cells, heads, strict=True):
        _shade(cell, "EEF1F4")
        _write(cell.paragraphs[0], zh, 8, bold=True, font=HEAD)
        _write(cell.add_paragraph(), en, 6, GREY)
    for row, cells in zip(rows, table.rows[1:], strict=True):
        cells._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))  # noqa: SLF001
        for k, (words, cell) in enumerate(zip(row, cells.cells, strict=True)):
            line = cell.paragraphs[0]
            line.alignment = WD_ALIGN_PARAGRAPH.LEFT if k < 2 else WD_ALIGN_PARAGRAPH.CENTER
            _write(line, words, 8)
    return table


def _table(paper: Any, rows: int, widths: Sequence[float], *, grid: bool = True) -> Any:
    table = paper.add_table(rows=rows, cols=len(widths))
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    if grid:
        table.style = "Table Grid"
    for row in table.rows:
        for cell, wide in zip(row.cells, widths, strict=True):
            cell.width = Mm(wide)
    return table


def _centred(paper: Any) -> Paragraph:
    line: Paragraph = paper.add_paragraph()
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    return line


def _write(
    line: Paragraph,
    words: str,
    size: float,
    color: RGBColor | None = None,
    *,
    bold: bool = False,
    font: str = BODY,
) -> None:
    run = line.add_run(words)
    run.font.size, run.font.bold = Pt(size), bold
    if color is not None:
        run.font.color.rgb = color
    _font(run._element.get_or_add_rPr(), font)  # noqa: SLF001 - East Asian type has no property


def _font(properties: Any, name: str) -> None:
    fonts = properties.get_or_add_rFonts()
    fonts.set(qn("w:eastAsia"), name)
    for part in ("w:ascii", "w:hAnsi"):
        fonts.set(qn(part), "Arial" if name == HEAD else "Times New Roman")


def _shade(cell: _Cell, color: str) -> None:
    shade = OxmlElement("w:shd")
    for key, value in (("w:val", "clear"), ("w:color", "auto"), ("w:fill", color)):
        shade.set(qn(key), value)
    cell._element.get_or_add_tcPr().append(shade)  # noqa: SLF001 - python-docx has no shading
