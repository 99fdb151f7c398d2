"""From what is known of a camera to what it sees, or to a sentence why that cannot be told."""

import math
from collections.abc import Mapping
from typing import Any

from geo_service.analysis.sentence import Sentence
from geo_service.analysis.sight import DEFAULTS, Heading, Sight, sight
from geo_service.analysis.views import Camera

FORM = "bullet"
"""What a camera of unknown form is taken for: the commonest form, and it sees one way only."""

FIELDS = {
    "mount_height": "height",
    "tilt": "tilt",
    "focal_length": "focal_length",
    "sensor_width": "sensor_width",
    "sensor_height": "sensor_height",
    "pixels_across": "pixels_across",
    "night_range": "night_range",
}
"""Columns of a camera, and what the analysis calls them."""

PRESET = ("azimuth", "tilt", "focal_length")
"""What a preset may differ in: a camera turns and zooms, and stays where it hangs."""

_BOUNDS: Mapping[str, tuple[float, float, bool, str, str, str]] = {
    # Lowest, highest, whether the lowest is allowed itself, names, unit.
    "mount_height": (0, 500, False, "安装高度", "mount height", "m"),
    "tilt": (-90, 90, True, "俯角", "tilt", "°"),
    "focal_length": (0, 2000, False, "焦距", "focal length", "mm"),
    "sensor_width": (0, 100, False, "靶面宽度", "sensor width", "mm"),
    "sensor_height": (0, 100, False, "靶面高度", "sensor height", "mm"),
    "pixels_across": (0, 100_000, False, "水平像素", "pixels across", ""),
    "night_range": (0, 5000, True, "夜视距离", "night range", "m"),
    "azimuth": (0, 360, True, "方位角", "azimuth", "°"),
}


class WrongCameraError(ValueError):
    """Something that no camera can be; ``said`` is the sentence that tells it."""

    def __init__(self, said: Sentence) -> None:
        super().__init__(said.en)
        self.said = said


def fitted(
    code: str, xy: tuple[float, float], values: Mapping[str, Any], *, online: bool = True
) -> tuple[Camera, tuple[Sentence, ...]]:
    """Return a camera from the columns of its row, with what is to be told about it.

    ``xy`` are metres. ``values`` are columns of the layer, None or left out where not known;
    ``presets`` may be a list of headings of a turning camera and ``preset`` the one it looks at.
    Raises WrongCameraError for no azimuth of a camera that needs one, and for values out of bounds.

    >>> camera, said = fitted("a", (0, 0), {"form": "dome", "azimuth": 90, "tilt": 120})
    Traceback (most recent call last):
    geo_service.coverage.optics.WrongCameraError: The tilt must be from -90 to 90 °, not 120.
    """
    form = values.get("form") or FORM
    if form not in DEFAULTS:
        names = ", ".join(DEFAULTS)
        raise WrongCameraError(
            Sentence(
                f"没有“{str(form)[:20]}”这种摄像机形态：应为 {names}。",
                f"There is no form of camera {str(form)[:20]}: it is one of {names}.",
            )
        )
    for name in _BOUNDS:
        _check(name, values.get(name))
    azimuth = values.get("azimuth")
    if azimuth is None and form in {"bullet", "dome"}:
        raise WrongCameraError(
            Sentence(
                "没有方位角：不知道摄像机朝向哪里，无法计算其视野。",
                "The azimuth is missing: without one it is not known where the camera looks.",
            )
        )
    known = {name: values.get(column) for column, name in FIELDS.items()}
    presets, now = _presets(values, form) if form == "ptz" else ((), None)
    try:
        looks = sight(form, azimuth, presets=presets, now=now, **known)  # type: ignore[arg-type]
    except ValueError as error:  # what only the whole of the values makes impossible
        raise WrongCameraError(Sentence(f"摄像机参数不成立（{error}）", str(error))) from None
    said: tuple[Sentence, ...] = ()
    if not values.get("form"):
        said = (
            Sentence("形态未知，按枪机计算。", "Its form is not known: taken for a bullet camera."),
        )
    return Camera(code, *xy, looks, online), said


def view_at(looks: Sight, preset: int) -> Sight:
    """Return a turning camera that looks at one of its headings; raise WrongCameraError for none.

    >>> ball, _ = fitted("a", (0, 0), {"form": "ptz", "azimuth": 40.0})
    >>> [round(one.azimuth) for one in view_at(ball.sight, 1).now]
    [85]
    """
    if not 0 <= preset < len(looks.reach):
        last = len(looks.reach) - 1
        raise WrongCameraError(
            Sentence(
                f"没有预置位 {preset}：编号为 0 至 {last}。",
                f"There is no preset {preset}: they are numbered 0 to {last}.",
            )
        )
    return Sight(looks.reach, (looks.reach[preset],), looks.night_range, looks.assumed)


def _check(name: str, value: Any) -> None:
    if value is None:
        return
    low, high, least, zh, en, unit = _BOUNDS[name]
    number = float(value)
    good = math.isfinite(number) and number <= high and (number >= low if least else number > low)
    if not good:
        zh_from = f"{low:g} 至 {high:g}" if least else f"大于 {low:g} 且不超过 {high:g}"
        en_from = f"from {low:g} to {high:g}" if least else f"above {low:g} and up to {high:g}"
        raise WrongCameraError(
            Sentence(
                f"{zh}应为 {zh_from}{unit and ' ' + unit}，而不是 {number:g}。",
                f"The {en} must be {en_from}{unit and ' ' + unit}, not {number:g}.",
            )
        )


def _presets(values: Mapping[str, Any], form: str) -> tuple[tuple[Heading, ...], int | None]:
    """Return the presets of a turning camera that its row knows, and the one it looks at."""
    given = values.get("presets")
    if not isinstance(given, list) or not given:
        return (), None
    made = []
    for one in given:
        if not isinstance(one, dict) or one.get("azimuth") is None:
            raise WrongCameraError(Sentence("预置位没有方位角。", "A preset has no azimuth."))
        own = {**values, **{name: one[name] for name in PRESET if name in one}}
        for name in _BOUNDS:
            if not isinstance(own.get(name), int | float | None):
                raise WrongCameraError(
                    Sentence(f"预置位的 {name} 不是数字。", f"A preset's {name} is no number.")
                )
            _check(name, own.get(name))
        optics = {column: own.get(column) for column in FIELDS}
        known: dict[str, Any] = {
            name: DEFAULTS[form][name] if optics[column] is None else optics[column]
            for column, name in FIELDS.items()
        }
        made.append(sight("bullet", own["azimuth"], **known).now[0])
    now = values.get("preset")
    return tuple(made), now if isinstance(now, int) and 0 <= now < len(made) else None
