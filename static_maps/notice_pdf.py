"""A notice as PDF: A4 pages that flow, Chinese first."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from static_maps import notice_map
from static_maps.fonts import typeface, without_glyph
from static_maps.frame import GREY, HAIR, INK
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
from static_maps.panel import POINT, broken

WIDE, HIGH, MARGIN, FOOT = 210.0, 297.0, 16.0, 18.0

SHADE = {"below": "#fbe7c6", "above": "#f6cfc9"}


class _Pages:
    """Pages written from the top down; ``y`` is where the next line goes, in millimetres."""

    def __init__(self, notice: Notice) -> None:
        self.notice = notice
        self.figures: list[Figure] = []
        self.turn()

    def turn(self) -> None:
        """Begin a page."""
        figure = Figure((WIDE / 25.4, HIGH / 25.4), dpi=200, facecolor="white")
        self.canvas = FigureCanvasAgg(figure)
        self.axes: Axes = figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, WIDE), ylim=(0, HIGH))
        self.axes.axis("off")
        self.figures.append(figure)
        self.y = HIGH - MARGIN

    def room(self, high: float) -> None:
        """Turn the page unless so many millimetres are left."""
        if self.y - high < FOOT:
            self.turn()

    def write(self, x: float, words: str, size: float, color: str = INK, **more: Any) -> None:
        """Write words on the current line."""
        face = typeface(more.pop("weight", "regular"))
        y = more.pop("y", self.y)
        self.axes.text(
            x, y, words, fontproperties=face, fontsize=size, color=color, parse_math=False, **more
        )

    def heading(self, key: str) -> None:
        """Write the heading of a section."""
        self.y -= 8
        zh, en = WORDS[key]
        self.write(MARGIN, zh, 11.5, weight="bold")
        self.write(WIDE - MARGIN, en, 8.5, GREY, ha="right")
        self.y -= 2
        self.axes.plot([MARGIN, WIDE - MARGIN], [self.y, self.y], color=INK, lw=0.8)

    def table(
        self,
        heads: Sequence[tuple[str, str]],
        rows: Sequence[Sequence[str]],
        widths: Sequence[float],
        shades: Sequence[str | None],
    ) -> None:
        """Write a table, its head again on each page; ``shades`` colour the third cell of a row."""
        self._head(heads, widths)
        for row, shade in zip(rows, shades, strict=True):
            cells = [broken(cell, wide / (POINT * 7.4) - 0.9)
                     for cell, wide in zip(row, widths, strict=True)]  # fmt: skip
            high = 3.4 * max(map(len, cells)) + 2.2
            if self.y - high < FOOT:
                self.turn()
                self._head(heads, widths)
            x = MARGIN
            for k, (lines, wide) in enumerate(zip(cells, widths, strict=True)):
                if k == 2 and shade:
                    self.axes.add_patch(Rectangle((x, self.y - high), wide, high, fc=shade, lw=0))
                for i, line in enumerate(lines):
                    left = k < 2
                    at = x + 1 if left else x + wide / 2
                    y = self.y - 3.6 - 3.4 * i - (high - 2.2 - 3.4 * len(lines)) / 2
                    self.write(at, line, 7.4, y=y, ha="left" if left else "center")
                x += wide
            self.y -= high
            self.axes.plot([MARGIN, WIDE - MARGIN], [self.y, self.y], color=HAIR, lw=0.5)

    def _head(self, heads: Sequence[tuple[str, str]], widths: Sequence[float]) -> None:
        high = 9.4
        self.axes.add_patch(
            Rectangle((MARGIN, self.y - high), WIDE - 2 * MARGIN, high, fc="#eef1f4", lw=0)
        )
        x = MARGIN
        for k, ((zh, en), wide) in enumerate(zip(heads, widths, strict=True)):
            at, how = (x + 1, "left") if k < 2 else (x + wide / 2, "center")
            self.write(at, zh, 7.6, y=self.y - 3.9, ha=how, weight="bold")
            self.write(at, en, 5.6, GREY, y=self.y - 7.6, ha=how)
            x += wide
        self.y -= high

    def finish(self) -> None:
        """Write the foot of every page."""
        for number, figure in enumerate(self.figures, start=1):
            axes = figure.axes[0]
            axes.plot([MARGIN, WIDE - MARGIN], [12.5, 12.5], color=HAIR, lw=0.6)
            total = len(self.figures)
            for x, words, how in (
                (MARGIN, self.notice.footer, "left"),
                (WIDE - MARGIN, f"第 {number} 页 共 {total} 页  {number} / {total}", "right"),
            ):
                axes.text(
                    x, 8.6, words, fontproperties=typeface(), fontsize=7.4, color=GREY, ha=how,
                    parse_math=False,
                )  # fmt: skip


def write_pdf(notice: Notice, target: Path | str | BinaryIO) -> None:
    """Write a notice as PDF; :func:`static_maps.notice.write` tells the rest."""
    pages = _Pages(notice)
    _top(pages)
    _maps(pages)
    _grids(pages)
    _moved(pages)
    _approval(pages)
    pages.finish()
    # Matplotlib would put its own address into the file.
    told = {"Title": f"{WORDS['notice'][0]} {notice.title}", "Creator": None, "Producer": None}
    with PdfPages(target, metadata=told) as file:
        for figure in pages.figures:
            file.savefig(figure)


def _top(pages: _Pages) -> None:
    notice = pages.notice
    middle = WIDE / 2
    pages.y -= 8
    pages.write(middle, f"{notice.area}{WORDS['notice'][0]}", 19, ha="center", weight="bold")
    pages.y -= 6.4
    pages.write(middle, WORDS["notice"][1], 10, GREY, ha="center")
    if not notice.approved:
        pages.y -= 6
        pages.write(middle, both("draft"), 9, notice_map.OLD, ha="center")
    pages.y -= 4
    pages.axes.plot([MARGIN, WIDE - MARGIN], [pages.y, pages.y], color=notice_map.OLD, lw=1.6)
    pages.y -= 1
    strange = without_glyph("".join(value for _, value in notice.facts))
    for title, value in notice.facts:
        words = "".join("□" if letter in strange else letter for letter in value)
        lines = broken(words, (WIDE - 2 * MARGIN - 42) / (POINT * 9.2))
        for i, line in enumerate(lines):
            pages.y -= 5.2
            pages.room(6)
            if i == 0:
                pages.write(MARGIN, title, 9.2, GREY)
            pages.write(MARGIN + 42, line, 9.2)


def _maps(pages: _Pages) -> None:
    wide, high = (WIDE - 2 * MARGIN - 4) / 2, 92.0
    pages.room(high + 28)
    pages.heading("maps")
    pages.y -= 5.4
    for k in range(2):
        pages.write(MARGIN + k * (wide + 4), notice_map.heading(bool(k)), 9, weight="bold")
    pages.y -= 2 + high
    boxes = ((MARGIN, pages.y, wide, high), (MARGIN + wide + 4, pages.y, wide, high))
    seen = notice_map.maps(pages.figures[-1], pages.canvas, pages.notice, boxes)
    pages.y -= 6
    notice_map.key(pages.axes, seen, MARGIN, WIDE - MARGIN, pages.y)


def _grids(pages: _Pages) -> None:
    notice = pages.notice
    pages.room(40)
    pages.heading("grids")
    heads = [WORDS["grid"], ("编码", "Code"), *((zh, en) for _, zh, en in MEASURES)]
    shades = [SHADE.get(state(notice, row)) for row in notice.table]
    widths = (34, 25, 18, 20.5, 15, 12.5, 15.5, 14.5, 23)
    pages.table(heads, grid_rows(notice), widths, shades)
    for line in broken(limits_note(notice), (WIDE - 2 * MARGIN) / (POINT * 7)):
        pages.y -= 4
        pages.write(MARGIN, line, 7, GREY)


def _moved(pages: _Pages) -> None:
    rows = moved_rows(pages.notice)
    pages.room(36)
    pages.heading("moved")
    if not rows:
        pages.y -= 6
        pages.write(MARGIN, both("nothing"), 9)
        return
    heads = [WORDS["from"], WORDS["to"], *((zh, en) for _, zh, en in MOVED)]
    pages.table(heads, rows, (36, 36, 17, 17, 17, 20, 17, 18), [None] * len(rows))


def _approval(pages: _Pages) -> None:
    high = 46.0
    pages.room(high + 16)
    pages.heading("sign")
    pages.y -= 3
    wide = (WIDE - 2 * MARGIN) / 3
    for k, (zh, en) in enumerate(SIGNED):
        x = MARGIN + k * wide
        pages.axes.add_patch(Rectangle((x, pages.y - high), wide, high, fc="none", ec=INK, lw=0.7))
        pages.write(x + 3, f"{zh}", 10, y=pages.y - 6, weight="bold")
        pages.write(x + wide - 3, en, 7.4, GREY, y=pages.y - 6, ha="right")
        for name, y in (("post", 14), ("seal", 24), ("date", high - 4)):
            pages.write(x + 3, WORDS[name][0], 9, y=pages.y - y)
            pages.write(x + 3, WORDS[name][1], 5.6, GREY, y=pages.y - y + 4.6)
        pages.axes.plot([x + 14, x + wide - 4], [pages.y - 15] * 2, color=HAIR, lw=0.6)
        pages.write(x + wide - 4, WORDS["day"][0], 9, y=pages.y - high + 4, ha="right")
    pages.y -= high
