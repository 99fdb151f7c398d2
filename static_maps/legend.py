"""Which features share a colour, and how many they are."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap, to_hex
from numpy.typing import NDArray

from static_maps.theme import ThemeLayer, placed
from static_maps.words import Lang, words

MISSING = "#c3c8cd"
PALETTE = (
    "#9fc3dd", "#f3cf9b", "#b7d6a3", "#e3b1b5", "#c7b9dd", "#a5d5cd",
    "#ecdc92", "#d9bfa3", "#b9c8a0", "#e6b8d2", "#a9b8d9", "#cfcfc4",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a legend. ``rows`` marks its features among the placed rows of the layer."""

    title: str
    color: str
    rows: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """How many features the line stands for."""
        return int(self.rows.sum())


def entries(layer: ThemeLayer, lang: Lang) -> tuple[Entry, ...]:
    """Return the legend of a theme layer. Every placed feature is in exactly one entry.

    Classes that the caller gave stay in even at a count of zero.
    """
    frame = placed(layer)
    if layer.by is None:
        return (Entry(layer.title, layer.color, np.ones(len(frame), bool)),)
    column = frame[layer.by]
    if not layer.classes and pd.api.types.is_numeric_dtype(column):
        return ranges(column.to_numpy(float, na_value=np.nan), layer.color, words(lang)["no_value"])
    codes = column.astype("string").to_numpy(str, na_value="")
    listed = [(item.code, item.title, item.color) for item in layer.classes] or [
        (code, code, PALETTE[index % len(PALETTE)])
        for index, code in enumerate(sorted(set(codes) - {""}))
    ]
    found = [Entry(title, color, codes == code) for code, title, color in listed]
    rest = ~np.isin(codes, [code for code, *_ in listed])
    if rest.any():
        found.append(Entry(words(lang)["unstated"], MISSING, rest))
    return tuple(found)


def ranges(values: NDArray[np.float64], color: str, missing: str) -> tuple[Entry, ...]:
    """Put numbers in up to five ranges of about equal count, light to dark.

    Bounds are values that occur, so that what a range says is what it holds.

    >>> [(e.title, e.count) for e in ranges(np.array([1.0, 2, 3, 4, 9]), "#225588", "-")][::2]
    [('1', 1), ('3', 1), ('9', 1)]
    """
    known = np.isfinite(values)
    found: list[Entry] = []
    if known.any():
        tops = np.unique(np.quantile(values[known], np.arange(1, 6) / 5, method="inverted_cdf"))
        ramp = shades(color, len(tops))
        for low, top, shade in zip([-np.inf, *tops[:-1]], tops, ramp, strict=True):
            rows = known & (values > low) & (values <= top)
            first = values[rows].min()
            title = f"{first:,.6g}" if first == top else f"{first:,.6g} – {top:,.6g}"
            found.append(Entry(title, shade, rows))
    if not known.all():
        found.append(Entry(missing, MISSING, ~known))
    return tuple(found)


def shades(color: str, number: int) -> list[str]:
    """Return ``number`` shades of a colour from pale to deep."""
    ramp = LinearSegmentedColormap.from_list("shades", ["#ffffff", color, "#18222d"])
    places = [0.4] if number == 1 else np.linspace(0.12, 0.58, number)
    return [to_hex(ramp(place)) for place in places]
