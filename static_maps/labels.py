"""Names on the map: each where it fits, none on top of another, and a count of those left out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patheffects import Stroke
from matplotlib.text import Text

from static_maps.fonts import typeface


@dataclass(frozen=True, slots=True)
class Label:
    """A name at a place in map metres, turned by ``angle`` degrees; ``sizes`` in points to try.

    It is written only where it is no longer than ``room`` metres on the ground.
    """

    text: str
    x: float
    y: float
    sizes: Sequence[float]
    color: str
    angle: float = 0.0
    bold: bool = False
    room: float = math.inf


class Board:
    """The labels already on a map. Earlier labels have the better right to their place."""

    def __init__(self, axes: Axes, canvas: FigureCanvasAgg) -> None:
        self._axes = axes
        self._renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
        self._frame = axes.get_window_extent(self._renderer)
        self._metre = self._frame.width / (axes.get_xlim()[1] - axes.get_xlim()[0])
        self._taken: list[shapely.Geometry] = []

    def place(self, labels: Sequence[Label], order: float) -> int:
        """Write the labels that fit, at a drawing order, and return how many did not."""
        return sum(not self._place(label, order) for label in labels)

    def _place(self, label: Label, order: float) -> bool:
        for size in label.sizes:
            text = Text(
                label.x,
                label.y,
                label.text,
                fontproperties=typeface("bold" if label.bold else "regular"),
                fontsize=size,
                color=label.color,
                rotation=label.angle,
                rotation_mode="anchor",
                ha="center",
                va="center_baseline",
                parse_math=False,
                transform=self._axes.transData,
                zorder=order,
            )
            text.set_figure(self._axes.figure)
            box = self._box(text, label.angle)
            fits = shapely.box(*self._frame.extents).contains(box)
            fits = fits and _length(box) <= label.room * self._metre
            if fits and not shapely.intersects(self._taken, box).any():
                self._taken.append(box)
                self._write(text, size)
                return True
        return False

    def _box(self, text: Text, angle: float) -> shapely.Geometry:
        text.set_rotation(0)
        flat = shapely.box(*text.get_window_extent(self._renderer).padded(2).extents)
        text.set_rotation(angle)
        spot = shapely.Point(text.get_transform().transform(text.get_position()))
        return shapely.affinity.rotate(flat, angle, origin=spot)

    def _write(self, text: Text, size: float) -> None:
        # A text with a path effect becomes outlines in a PDF and can no longer be searched: so the
        # halo is one text, and the letters are another.
        halo = Text()
        halo.update_from(text)
        halo.set(text=text.get_text(), position=text.get_position(), parse_math=False)
        halo.set(zorder=text.get_zorder() - 0.5)
        halo.set(rotation_mode="anchor", transform=self._axes.transData, color="white", alpha=0.85)
        halo.set_path_effects([Stroke(linewidth=size * 0.28, foreground="white", alpha=0.85)])
        for artist in (halo, text):
            artist.set_clip_on(True)
            self._axes.add_artist(artist)


def _length(box: shapely.Geometry) -> float:
    corners = shapely.get_coordinates(box)
    return float(np.hypot(*np.diff(corners, axis=0).T).max())


def heart(shape: shapely.Geometry) -> tuple[float, float]:
    """Return the middle of the largest circle within a polygon: the best place for its name."""
    parts = shapely.get_parts(shape)
    largest = parts[np.argmax(shapely.area(parts))]
    circle = shapely.maximum_inscribed_circle(largest, tolerance=np.sqrt(largest.area) / 50)
    x, y = shapely.get_coordinates(circle)[0].tolist()
    return x, y


def stretch(line: shapely.Geometry) -> tuple[float, float, float, float]:
    """Return the middle (x, y), the angle in degrees and the length of a line's straightest piece.

    The angle reads from left to right, between -90 and 90.
    """
    simple = shapely.get_coordinates(shapely.simplify(line, 15))
    runs = np.diff(simple, axis=0)
    longest = int(np.argmax(np.hypot(*runs.T)))
    (x, y), (east, north) = (simple[longest] + simple[longest + 1]) / 2, runs[longest]
    angle = (np.degrees(np.arctan2(north, east)) + 90) % 180 - 90
    return float(x), float(y), float(angle), float(np.hypot(east, north))
