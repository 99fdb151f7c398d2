"""The words around the map: title, legend, scale, north, imprint. Coordinates are millimetres."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import east_asian_width

from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle
from matplotlib.transforms import Affine2D
from matplotlib_scalebar.scalebar import ScaleBar

from static_maps.fonts import FAMILY, typeface
from static_maps.frame import GREY, HAIR, INK, Frame, convergence
from static_maps.metric import round_up

POINT = 25.4 / 72


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the legend. ``mark`` is area, point, line or wedge, or empty."""

    mark: str
    color: str
    title: str
    count: int | None = None
    width: float = 1.0


class Panel:
    """Writes the column beside the map from the top down; ``y`` is where the next line goes."""

    def __init__(self, axes: Axes, page: Frame) -> None:
        self._axes, self._page, self._unit = axes, page, page.unit
        self.left, self.right = page.panel
        self.y = page.box[1] + page.box[3]

    def write(
        self, x: float, y: float, words: str, size: float, color: str = INK, **more: Any
    ) -> None:
        """Write words at a place; ``size`` in points on A3, ``weight`` regular or bold."""
        face = typeface(more.pop("weight", "regular"))
        self._axes.text(
            x,
            y,
            words,
            fontproperties=face,
            fontsize=size * self._unit,
            color=color,
            parse_math=False,
            **{"va": "baseline", **more},
        )

    def title(self, title: str, subtitle: str, color: str) -> None:
        """Write the title block over the whole width of the page."""
        page, unit = self._page, self._unit
        left, top = page.box[0], page.height
        self._axes.add_patch(
            Rectangle((left, top - 27.6 * unit), 2.2 * unit, 15.6 * unit, color=color, lw=0)
        )
        size = 27.0
        room = (page.width - 2 * left - 8 * unit) / (POINT * unit)
        size = min(size, room / max(_ems(title), 1))
        self.write(left + 6 * unit, top - 19.3 * unit, title, size, weight="bold")
        self.write(left + 6.2 * unit, top - 27 * unit, subtitle, 11, GREY)

    def heading(self, words: str) -> None:
        """Write a heading with a rule below it."""
        unit = self._unit
        self.y -= 4.2 * unit
        self.write(self.left, self.y, words, 12, weight="bold")
        self.y -= 2.4 * unit
        self._axes.plot([self.left, self.right], [self.y, self.y], color=INK, lw=0.9 * unit)
        self.y -= 1.6 * unit

    def sentence(self, words: str, color: str = GREY, size: float = 8.2) -> None:
        """Write a sentence, broken into lines."""
        room = (self.right - self.left) / (POINT * self._unit * size)
        for line in broken(words, room):
            self.y -= 4.3 * self._unit
            self.write(self.left, self.y, line, size, color)

    def row(self, row: Row) -> None:
        """Write one line of the legend."""
        unit = self._unit
        self.y -= 6.6 * unit
        x, middle, wide = self.left, self.y + 1.15 * unit, 8 * unit
        if row.mark == "area":
            self._axes.add_patch(
                Rectangle((x, middle - 1.9 * unit), wide, 3.8 * unit, fc=row.color, lw=0)
            )
        elif row.mark == "line":
            self._axes.plot([x, x + wide], [middle, middle], color=row.color, lw=row.width)
        elif row.mark == "wedge":
            tip, out = (x + wide / 2 - 2 * unit, middle), 4 * unit
            fan = [
                tip,
                (tip[0] + out * 0.87, middle + out / 2),
                (tip[0] + out * 0.87, middle - out / 2),
            ]
            self._axes.add_patch(Polygon(fan, fc=row.color, alpha=0.35, lw=0))
        elif row.mark == "point":
            self._axes.plot(
                x + wide / 2, middle, "o", ms=6.4 * unit, mfc=row.color, mec="white", mew=0.6
            )
        start = x + wide + 3 * unit if row.mark else x
        self.write(start, self.y, row.title, 10)
        if row.count is not None:
            self.write(self.right, self.y, f"{row.count:,}", 10, ha="right")

    def room(self) -> int:
        """Return how many lines of the legend fit above the base map's and the scale."""
        return int((self.y - self._page.box[1] - 125 * self._unit) / (6.6 * self._unit))

    def total(self, words: str, count: int) -> None:
        """Write a sum below its rows."""
        unit = self._unit
        self.y -= 2.2 * unit
        self._axes.plot([self.left, self.right], [self.y, self.y], color=HAIR, lw=0.7 * unit)
        self.y -= 5 * unit
        self.write(self.left, self.y, words, 10, weight="bold")
        self.write(self.right, self.y, f"{count:,}", 10, weight="bold", ha="right")

    def scale(self, words: str, metre: str, north: str) -> None:
        """Draw the north arrow, the scale and the scale bar; the bar is exact on the paper."""
        page, unit = self._page, self._unit
        low = page.box[1] + 45 * unit
        self._north((self.left + 7 * unit, low + 1 * unit), north)
        x, wide = self.left + 18 * unit, self.right - self.left - 18 * unit
        self.write(
            x + wide / 2, low + 11 * unit, f"{words}  1 : {page.scale:,.0f}", 10, ha="center"
        )
        figure = self._axes.get_figure()
        ground = wide * page.scale / 1000
        bar = figure.add_axes(  # type: ignore[union-attr]
            (x / page.width, low / page.height, wide / page.width, 10 * unit / page.height)
        )
        bar.set(xlim=(0, ground), ylim=(0, 10 * unit * page.scale / 1000), aspect=1)
        bar.axis("off")
        length = round_up(ground * 0.55, (1, 2, 5))
        bar.add_artist(
            ScaleBar(
                1,
                fixed_value=length,
                fixed_units="m",
                location="center",
                frameon=False,
                color=INK,
                width_fraction=0.11,
                scale_formatter=lambda value, _unit: f"{value:,.0f} {metre}",
                font_properties={"family": FAMILY, "size": 9 * unit},
            )
        )

    def _north(self, foot: tuple[float, float], word: str) -> None:
        # The sheet's top is grid north; the arrow points to true north.
        unit, (x, y) = self._unit, foot
        turn = Affine2D().rotate_deg_around(x, y, -convergence(self._page)) + self._axes.transData
        for side, face in ((-1, INK), (1, "white")):
            half = [
                (x, y + 13 * unit),
                (x + side * 3.6 * unit, y - 1.5 * unit),
                (x, y + 1.6 * unit),
            ]
            self._axes.add_patch(
                Polygon(half, fc=face, ec=INK, lw=0.7 * unit, joinstyle="miter", transform=turn)
            )
        self.write(x, y + 14.2 * unit, word, 10, weight="bold", ha="center")

    def imprint(self, lines: Sequence[str]) -> None:
        """Write date, CRS and disclaimer at the foot of the column."""
        room = (self.right - self.left) / (POINT * self._unit * 7.6)
        text = [part for line in lines for part in broken(line, room)]
        y = self._page.box[1] + (len(text) - 1) * 4 * self._unit
        self._axes.plot(
            [self.left, self.right], [y + 5.4 * self._unit] * 2, color=HAIR, lw=0.7 * self._unit
        )
        for line in text:
            self.write(self.left, y, line, 7.6, GREY)
            y -= 4 * self._unit


def _ems(words: str) -> float:
    return sum(1.0 if east_asian_width(letter) in "WFA" else 0.56 for letter in words)


def broken(words: str, room: float) -> list[str]:
    """Break a sentence into lines at most ``room`` ems wide, between Chinese letters or words.

    >>> broken("网格网格 ab cd", 4.0)
    ['网格网格', 'ab cd']
    """
    lines, line = [], ""
    for piece in _pieces(words):
        if line and _ems(line + piece.rstrip()) > room:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()]


def _pieces(words: str) -> list[str]:
    """Split where a line may break; closing punctuation stays with what it closes."""
    found: list[str] = []
    for letter in words:
        wide = east_asian_width(letter) in "WF"
        closing = letter in "，。；：、）”》"
        fresh = not found or (wide and not closing) or found[-1][-1] == " "
        fresh = fresh or (east_asian_width(found[-1][-1]) in "WF" and not closing)
        if fresh:
            found.append(letter)
        else:
            found[-1] += letter
    return found
