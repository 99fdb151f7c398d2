"""What a map shows: layers from bottom to top, described by the caller."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Literal, get_args

from geopandas import GeoDataFrame

Role = Literal["building", "road", "grid", "outline", "theme"]


@dataclass(frozen=True, slots=True)
class LegendClass:
    """One value of a coded column: its name and its CSS colour."""

    code: str
    title: str
    color: str


@dataclass(frozen=True, slots=True)
class ThemeLayer:
    """One layer of a map.

    ``frame`` is in EPSG:4326 and holds the rows to draw, no others. ``role`` says how it is drawn:
    ``building`` (quiet blocks), ``road`` (quiet lines), ``grid`` (thin boundaries), ``outline``
    (the frame of the town, also the extent of the map), or ``theme``, the subject: points or
    polygons in the colours of the legend.

    ``by`` is the column that colours a theme. With ``classes``, a feature takes the colour of its
    code; without, numbers are put in up to five ranges and words get a palette. For a road ``by``
    is its width in metres, drawn to scale. ``label`` is the column written on the map. ``fields``
    are the columns that a page's tooltips show, with their titles, and never more than these;
    their values are shown as they are, so pass words, not codes (``by`` is put into words here).
    ``time`` is the column of event times; ``azimuth`` a direction in degrees clockwise from north.

    Raises ValueError where the frame lacks a column that is named, has no CRS, or is not in
    EPSG:4326 (or EPSG:4490, which agrees with it).

    >>> from shapely import Point
    >>> frame = GeoDataFrame({"status": ["open"]}, geometry=[Point(120, 30)], crs=4326)
    >>> ThemeLayer("sites", "点位", frame, "#c0362c", role="theme", by="state")
    Traceback (most recent call last):
    ValueError: Layer sites has no column state.
    """

    id: str
    title: str
    frame: GeoDataFrame
    color: str
    role: Role
    by: str | None = None
    classes: tuple[LegendClass, ...] = ()
    label: str | None = None
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    time: str | None = None
    azimuth: str | None = None

    def __post_init__(self) -> None:
        if self.role not in get_args(Role):
            raise ValueError(f"Layer {self.id} has the role {self.role}, which does not exist.")
        for column in (self.by, self.label, self.time, self.azimuth, *self.fields):
            if column is not None and column not in self.frame.columns:
                raise ValueError(f"Layer {self.id} has no column {column}.")
        if self.frame.crs is None or self.frame.crs.to_epsg() not in (4326, 4490):
            raise ValueError(f"Layer {self.id} must be in EPSG:4326, not {self.frame.crs}.")


@dataclass(frozen=True, slots=True)
class Theme:
    """One map: its words and its layers, bottom first, at most one of them in the role ``theme``.

    ``period`` is the time window, both days included, that the caller selected the events by. Where
    it is not given, maps state the first and last day found in the theme's ``time`` column.

    Raises ValueError where there is more than one theme layer or nothing with a place to draw.
    """

    id: str
    title: str
    subtitle: str
    layers: tuple[ThemeLayer, ...]
    period: tuple[date, date] | None = None

    def __post_init__(self) -> None:
        if sum(layer.role == "theme" for layer in self.layers) > 1:
            raise ValueError(f"Map {self.id} has more than one theme layer.")
        if all(placed(layer).empty for layer in self.layers):
            raise ValueError(f"Map {self.id} has nothing to draw: every layer is empty.")

    @property
    def subject(self) -> ThemeLayer | None:
        """The theme layer; None for a plain base map."""
        return next((layer for layer in self.layers if layer.role == "theme"), None)


def placed(layer: ThemeLayer) -> GeoDataFrame:
    """Return the rows that have a place: geometry neither null nor empty."""
    shape = layer.frame.geometry
    return layer.frame[~(shape.isna() | shape.is_empty)]
