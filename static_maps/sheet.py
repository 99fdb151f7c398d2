"""A printed sheet: one map with title, legend, scale, north and imprint, as PNG, PDF or SVG."""

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import geopandas as gpd
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from static_maps import marks
from static_maps.fonts import without_glyph
from static_maps.frame import INK, Frame, frame, graticule
from static_maps.labels import Board
from static_maps.metric import crs_name
from static_maps.panel import POINT, Panel, broken
from static_maps.theme import Theme, placed
from static_maps.words import Lang, period, words

FORMATS = (".png", ".pdf", ".svg")


def draw(
    theme: Theme,
    path: Path | str,
    *,
    lang: Lang = "zh",
    paper: str = "A3",
    dpi: int = 200,
    date: dt.date | None = None,
    footer: str | None = None,
) -> tuple[str, ...]:
    """Draw a sheet and return the sentences on it that say what the map leaves out.

    The suffix of ``path`` chooses PNG, PDF or SVG; ``paper`` is A0 to A4, upright or lengthways as
    the town fits better; ``dpi`` is for PNG. ``date`` is the date of the map, today in China unless
    given; ``footer`` a source or disclaimer. The map is in the local metric CRS (see
    :func:`static_maps.metric.local_crs`) at a round scale that is exact on paper.

    Raises ValueError for another suffix, paper or language, and FileNotFoundError where the Chinese
    font is not installed.
    """
    path, word = Path(path), words(lang)
    if path.suffix.lower() not in FORMATS:
        raise ValueError(
            f"A sheet is written as {', '.join(FORMATS)}, not as {path.suffix or path}."
        )
    page = frame(paper, _extent(theme))
    figure = Figure((page.width / 25.4, page.height / 25.4), dpi=dpi, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    around = figure.add_axes((0, 0, 1, 1))
    around.set(xlim=(0, page.width), ylim=(0, page.height))
    around.axis("off")
    left, low, wide, high = page.box
    axes = figure.add_axes(
        (left / page.width, low / page.height, wide / page.width, high / page.height)
    )
    west, south, east, north = page.extent
    axes.set(xlim=(west, east), ylim=(south, north), xticks=[], yticks=[], facecolor="#eceff1")
    for side in axes.spines.values():
        side.set(color=INK, linewidth=1.1 * page.unit)

    panel = Panel(around, page)
    subject, window = theme.subject, period(theme, lang)
    panel.title(
        theme.title,
        "    ".join(filter(None, [theme.subtitle, window])),
        subject.color if subject else INK,
    )
    graticule(axes, page)
    panel.heading(word["legend"])
    desk = marks.Desk(axes, page, panel, Board(axes, canvas), lang, window)
    notes = marks.placeless(theme, word)
    base = marks.ground(desk, theme)
    if subject is not None:
        notes += marks.subject(desk, subject)
        panel.y -= 5 * page.unit
        panel.heading(word["base"])
    for row in base:
        panel.row(row)
    notes += marks.names(desk, theme)
    panel.scale(word["scale"], word["metre"], word["north"])
    made = date or dt.datetime.now(ZoneInfo("Asia/Shanghai")).date()
    panel.imprint(
        [
            f"{word['date']}{word['colon']}{made:%Y-%m-%d}",
            f"{word['crs']}{word['colon']}{crs_name(page.crs, page.longitude, lang)}",
            word["footer"] if footer is None else footer,
        ]
    )
    texts = (text.get_text() for text in figure.findobj(Text))
    if strange := without_glyph("".join(texts)):
        notes.append(word["glyphs"].format(" ".join(sorted(strange))))
    _margin(panel, page, notes)
    figure.savefig(path, dpi=dpi, metadata={"Title": theme.title})
    return tuple(notes)


# On type in PDFs: matplotlib's default, outlines as Type 3 fonts with their Unicode, is kept. Its
# other way (pdf.fonttype 42) puts Noto's CFF outlines where readers expect TrueType ones, which
# Acrobat refuses: https://github.com/matplotlib/matplotlib/issues/20870


def _extent(theme: Theme) -> gpd.GeoSeries:
    """The outline of the town if there is one, else all layers: stray events do not shrink it."""
    layers = [layer for layer in theme.layers if not placed(layer).empty]
    outlines = [layer for layer in layers if layer.role == "outline"]
    return pd.concat([placed(layer).geometry.to_crs(4326) for layer in outlines or layers])


def _margin(panel: Panel, page: Frame, notes: list[str]) -> None:
    """Write below the map what it leaves out."""
    left, low, wide, _ = page.box
    size = 7.6
    y = low - 9 * page.unit
    for line in broken(" ".join(notes), wide / (POINT * page.unit * size)):
        panel.write(left, y, line, size, "#66727d")
        y -= 3.8 * page.unit
