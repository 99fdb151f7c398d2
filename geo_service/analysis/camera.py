"""What a camera sees of flat ground: its field of view, and the pixels a metre it sees it with.

A pinhole camera ``height`` metres above the ground looks down by ``tilt``. A point of the target
plane at ground range y along the azimuth, and any distance to the side, lies at the depth
Z = y·cos(tilt) + (height - target_height)·sin(tilt) along the optical axis, and is seen with
focal_length · pixels_across / (sensor_width · Z) pixels a metre. Depth is constant on a straight
line across the axis, so the footprint is a trapezoid and so is the part of it above any density.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from geo_service.analysis.density_levels import Level

MAX_RANGE = 1000.0
"""Metres along the axis at which a footprint ends that would reach the horizon, unless told."""


@dataclass(frozen=True)
class View:
    """The optics of one camera and how they are mounted.

    ``height`` and ``target_height`` are metres above flat ground, ``tilt`` degrees down from the
    horizontal, ``focal_length``, ``sensor_width`` and ``sensor_height`` millimetres,
    ``pixels_across`` the pixels of an image row. The target plane is what is looked at: 0 the
    ground, 1.5 faces.

    Raises ValueError, with a sentence, for anything a camera cannot be.

    Source: perspective projection; EN 62676-4 for pixels a metre at the target.

    >>> view = View(4, 20, 4, 5.37, 3.02, 1920)
    >>> round(view.horizontal_field, 1), round(view.near, 2), view.far
    (67.7, 4.65, inf)
    >>> round(view.range_at(125), 2), view.range_at(5000)
    (10.72, None)
    """

    height: float
    tilt: float
    focal_length: float
    sensor_width: float
    sensor_height: float
    pixels_across: float
    target_height: float = 0.0

    def __post_init__(self) -> None:
        for name, unit in _POSITIVE.items():
            value = _number(getattr(self, name), name)
            if not value > 0:
                raise ValueError(
                    f"The {name.replace('_', ' ')} must be above 0 {unit}, not {value:g}."
                )
        target = _number(self.target_height, "target_height")
        tilt = _number(self.tilt, "tilt")
        if not -90 <= tilt <= 90:
            raise ValueError(
                f"The tilt must be between -90 (up) and 90 (straight down) degrees, not {tilt:g}."
            )
        if target < 0:
            raise ValueError(f"The target height must not be below the ground, as {target:g} m is.")
        if self.height <= target:
            raise ValueError(
                f"The camera must hang above what it looks at: {self.height:g} m is not above "
                f"{target:g} m."
            )

    @property
    def above(self) -> float:
        """Metres from the target plane up to the camera."""
        return self.height - self.target_height

    @cached_property
    def horizontal_field(self) -> float:
        """Degrees from the left edge of the image to the right: 2·atan(width / 2f)."""
        return math.degrees(2 * math.atan(self.sensor_width / (2 * self.focal_length)))

    @cached_property
    def vertical_field(self) -> float:
        """Degrees from the lower edge of the image to the upper: 2·atan(height / 2f)."""
        return math.degrees(2 * math.atan(self.sensor_height / (2 * self.focal_length)))

    @cached_property
    def near(self) -> float:
        """Metres along the azimuth to where the lower ray meets the target plane.

        Negative where it points back beneath the camera, ``inf`` where it never meets the plane.
        """
        return self._meets(self.tilt + self.vertical_field / 2)

    @cached_property
    def far(self) -> float:
        """Metres along the azimuth to where the upper ray meets the target plane, or ``inf``."""
        return self._meets(self.tilt - self.vertical_field / 2)

    def depth(self, ground_range: float) -> float:
        """Return metres along the optical axis to a point at a ground range along the azimuth."""
        tilt = math.radians(self.tilt)
        return ground_range * math.cos(tilt) + self.above * math.sin(tilt)

    def density(self, ground_range: float) -> float:
        """Return pixels a metre at a ground range along the azimuth (and all points beside it).

        Raises ValueError for a point that is not before the camera.
        """
        depth = self.depth(ground_range)
        if depth <= 0:
            raise ValueError(f"{ground_range:g} m along the azimuth is not before the camera.")
        return self.focal_length * self.pixels_across / (self.sensor_width * depth)

    def range_at(self, pixels_per_metre: float | Level) -> float | None:
        """Return the ground range up to which the axis has at least this density, in metres.

        It is ``far`` where even the far edge has more, and ``None`` where not even the near edge
        has as much. Raises ValueError unless the density is above 0.
        """
        tilt = math.radians(self.tilt)
        depth = (
            self.focal_length
            * self.pixels_across
            / (self.sensor_width * _density(pixels_per_metre))
        )
        if math.isinf(self.near):
            return None
        # Straight down, all of the plane lies at one depth.
        if math.cos(tilt) < 1e-12:
            return self.far if depth >= self.above else None
        reach = (depth - self.above * math.sin(tilt)) / math.cos(tilt)
        return min(reach, self.far) if reach >= self.near else None

    def footprint(self, azimuth: float, max_range: float = MAX_RANGE) -> Any:
        """Return the part of the target plane in the image, as a polygon about the camera.

        Metres, x east and y north, camera at (0, 0). ``azimuth`` is in degrees clockwise from
        north. A trapezoid; one that would reach further than ``max_range`` along the azimuth (to
        the horizon where ``far`` is ``inf``) ends there. Empty where all of it lies beyond.

        Raises ValueError for no azimuth, and for a ``max_range`` that is not positive.

        >>> straight_down = View(10, 90, 4, 4, 3, 1000)
        >>> [round(metres, 6) for metres in straight_down.footprint(0).bounds]
        [-5.0, -3.75, 5.0, 3.75]
        """
        return self._trapezoid(azimuth, min(self.far, checked_range(max_range)))

    def region(self, level: float | Level, azimuth: float, max_range: float = MAX_RANGE) -> Any:
        """Return the part of :meth:`footprint` with at least a density, possibly empty.

        Exact: the line of one density is straight and across the azimuth.
        """
        reach = self.range_at(level)
        limit = min(-math.inf if reach is None else reach, checked_range(max_range))
        return self._trapezoid(azimuth, limit)

    def image(self, ground: Any, azimuth: float) -> Any:
        """Return a shape of the target plane, about the camera, in the image.

        From (0, 0), the upper left corner of the image, to (1, 1), the lower right one; what lies
        outside of the footprint is cut off.
        """
        seen = shapely.intersection(ground, self.footprint(azimuth))
        sine, cosine = math.sin(math.radians(azimuth)), math.cos(math.radians(azimuth))
        tilt = math.radians(self.tilt)
        wide = self.sensor_width / self.focal_length
        tall = self.sensor_height / self.focal_length

        def projected(xy: Any) -> Any:
            ahead = xy[:, 0] * sine + xy[:, 1] * cosine
            right = xy[:, 0] * cosine - xy[:, 1] * sine
            depth = ahead * math.cos(tilt) + self.above * math.sin(tilt)
            up = ahead * math.sin(tilt) - self.above * math.cos(tilt)
            return np.column_stack((0.5 + right / (depth * wide), 0.5 - up / (depth * tall)))

        return shapely.transform(seen, projected)

    def _meets(self, down: float) -> float:
        """Return where a ray ``down`` degrees below the horizontal meets the target plane."""
        if down <= 1e-9:
            return math.inf
        return self.above / math.tan(math.radians(down))

    def _trapezoid(self, azimuth: float, far: float) -> Any:
        turn = math.radians(checked_azimuth(azimuth))
        if not far > self.near:
            return shapely.Polygon()
        spread = self.sensor_width / (2 * self.focal_length)
        near_side, far_side = self.depth(self.near) * spread, self.depth(far) * spread
        ahead = np.array([self.near, self.near, far, far])
        right = np.array([-near_side, near_side, far_side, -far_side])
        east = ahead * math.sin(turn) + right * math.cos(turn)
        north = ahead * math.cos(turn) - right * math.sin(turn)
        return shapely.Polygon(np.column_stack((east, north)))


_POSITIVE = {
    "height": "metres",
    "focal_length": "millimetres",
    "sensor_width": "millimetres",
    "sensor_height": "millimetres",
    "pixels_across": "pixels",
}


def checked_azimuth(azimuth: float | None) -> float:
    """Return an azimuth in degrees, or raise ValueError where there is none.

    >>> checked_azimuth(None)
    Traceback (most recent call last):
    ValueError: The azimuth is missing: without one it is not known where the camera looks.
    """
    if azimuth is None or math.isnan(float(azimuth)):
        raise ValueError(
            "The azimuth is missing: without one it is not known where the camera looks."
        )
    turn = _number(azimuth, "azimuth")
    if not -360 <= turn <= 360:
        raise ValueError(f"The azimuth must be between 0 and 360 degrees, not {turn:g}.")
    return turn


def checked_range(metres: float) -> float:
    """Return a range in metres, or raise ValueError unless it is positive and finite."""
    value = _number(metres, "range")
    if value <= 0:
        raise ValueError(f"The range must be above 0 metres, not {value:g}.")
    return value


def _density(level: float | Level) -> float:
    value = level.pixels_per_metre if isinstance(level, Level) else _number(level, "density")
    if not value > 0:
        raise ValueError(f"The density must be above 0 pixels a metre, not {value:g}.")
    return value


def _number(value: Any, name: str) -> float:
    what = name.replace("_", " ")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"The {what} must be a number, not {value!r}.") from None
    if not math.isfinite(number):
        raise ValueError(f"The {what} must be a finite number, not {number}.")
    return number
