"""Chinese type for sheets."""

from functools import cache
from pathlib import Path

from matplotlib import font_manager
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font

FAMILY = "Noto Sans CJK SC"
_FILES = ("NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc")
_FOLDER = Path("/usr/share/fonts/opentype/noto")


@cache
def typeface(weight: str = "regular") -> FontProperties:
    """Return the type of sheets in ``regular`` or ``bold``.

    The collections hold one face per country under one file name; the family's name is what picks
    the Chinese forms. Raises FileNotFoundError where the font is not installed.
    """
    wanted = FontProperties(family=FAMILY, weight=weight)
    if not _known(wanted):
        # The manager's cached list may be older than the installation of the font.
        for file in _FILES:
            if (_FOLDER / file).exists():
                font_manager.fontManager.addfont(_FOLDER / file)
        if not _known(wanted):
            raise FileNotFoundError(
                f"The font {FAMILY} is missing: install Debian's package fonts-noto-cjk."
            )
    return wanted


def _known(wanted: FontProperties) -> bool:
    try:
        font_manager.findfont(wanted, fallback_to_default=False)
    except ValueError:
        return False
    return True


@cache
def _face() -> FT2Font:
    return font_manager.get_font(font_manager.findfont(typeface()))


def without_glyph(text: str) -> set[str]:
    """Return the characters that the font cannot draw.

    >>> without_glyph("网格 A1")
    set()
    """
    return {
        letter
        for letter in text
        if letter.isprintable() and not _face().get_char_index(ord(letter))
    }
