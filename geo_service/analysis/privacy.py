"""Cameras that look into places nobody may film, and the tilt or the mask that mends it.

The reason: State Council Order 799 (Regulation on the administration of public security video and
image information systems, in force since 2025-04-01) forbids cameras in places such as hotel rooms,
dormitories, changing rooms and toilets. Views in ``cover`` have such zones taken out already.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from geo_service.analysis.camera import View
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.sight import Heading, Sight
from geo_service.analysis.views import Camera, Scene, views

REASON = Sentence(
    "依据《公共安全视频图像信息系统管理条例》（国务院令第799号），该区域不得拍摄。",
    "State Council Order 799 of 2025 forbids cameras to look into this place.",
)

STEP = 0.5
"""Degrees between the tilts tried."""

MARGIN = 0.01
"""Share of the image by which a mask is made wider on every side."""


@dataclass(frozen=True, eq=False)
class Intrusion:
    """A camera that sees into privacy zones, and what mends it.

    ``zones`` are the numbers of the zones, ``area`` the square metres seen of them. ``tilt`` is the
    least greater tilt at which none of it is in view, and ``kept`` the share of the view at the
    lowest level that is left with it; None where no tilt helps, or the camera turns. ``masks`` are
    polygons in the image for each heading, from (0, 0) upper left to (1, 1) lower right.
    """

    code: str
    zones: tuple[int, ...]
    area: float
    tilt: float | None
    kept: float
    masks: tuple[tuple[Heading, Any], ...]

    def note(self) -> Sentence:
        """Return what to tell the people who maintain the camera."""
        zones = ", ".join(str(zone) for zone in self.zones)
        if self.tilt is None:
            zh, en = "请设置隐私遮挡", "mask that part of the image"
        else:
            zh = f"请将俯角调至 {self.tilt:.1f}°（保留视野 {self.kept:.0%}），或设置隐私遮挡"
            en = f"tilt it to {self.tilt:.1f}° ({self.kept:.0%} of the view stays), or mask it"
        return Sentence(
            f"摄像机 {self.code} 拍到隐私区域 {zones}（{self.area:.1f} 平方米）：{zh}。{REASON.zh}",
            f"Camera {self.code} sees {self.area:.1f} m² of privacy zones {zones}: {en}. "
            f"{REASON.en}",
        )


def intrusions(cameras: Any, scene: Scene) -> list[Intrusion]:
    """Return the cameras that see into privacy zones of a scene, with what mends each.

    What is in reach counts by day, at the lowest level of the scene, behind buildings, whatever the
    scene's hour: a turning camera is listed for a preset it does not look at now.

    >>> from geo_service.analysis.buildings import Buildings
    >>> from geo_service.analysis.sight import sight
    >>> camera = Camera("a", 0, 0, sight("bullet", 90, height=4, tilt=20, focal_length=6))
    >>> ward = shapely.box(30, -5, 40, 5)
    >>> found = intrusions([camera], Scene(Buildings.read([]), private=[ward]))[0]
    >>> found.zones, round(found.area), found.tilt
    ((0,), 89, 22.0)
    """
    ground = replace(scene, private=(), night=False, moment=False)
    made = views(cameras, ground)
    tree = shapely.STRtree(scene.private)
    found = []
    for k, camera in enumerate(cameras):
        seen = made.shapes[k, 0]
        near = np.sort(tree.query(seen, "intersects"))
        areas = shapely.area(shapely.intersection(seen, scene.private[near]))
        zones = near[areas > 1e-6]
        if not zones.size:
            continue
        forbidden = shapely.union_all(scene.private[zones])
        inside = seen & forbidden
        tilt, kept = _mending_tilt(camera, ground, scene.private, seen)
        found.append(
            Intrusion(
                camera.code,
                tuple(int(zone) for zone in zones),
                float(inside.area),
                tilt,
                kept,
                _masks(camera, made.xy[k], inside),
            )
        )
    return found


def _mending_tilt(
    camera: Camera, scene: Scene, private: Any, seen: Any
) -> tuple[float | None, float]:
    """Return the least greater tilt with no zone in view, and the share of the view it keeps."""
    if len(camera.sight.reach) != 1:
        return None, 0.0
    heading = camera.sight.reach[0]
    zones = shapely.union_all(private)
    steps = math.floor((90 - heading.view.tilt) / STEP)
    tilts = [heading.view.tilt + STEP * k for k in range(1, steps + 1)]
    tried = [_tilted(camera, heading, tilt) for tilt in tilts]
    if not tried:
        return None, 0.0
    shapes = views(tried, scene).shapes[:, 0]
    clear = shapely.area(shapely.intersection(shapes, zones)) <= 1e-6
    clear &= ~shapely.is_empty(shapes)
    if not clear.any():
        return None, 0.0
    first = int(np.argmax(clear))
    return tilts[first], float((shapes[first] & seen).area / seen.area)


def _tilted(camera: Camera, heading: Heading, tilt: float) -> Camera:
    view = replace(heading.view, tilt=tilt)
    turned = (Heading(heading.azimuth, view),)
    return replace(camera, sight=Sight(turned, turned, camera.sight.night_range))


def _masks(camera: Camera, place: Any, inside: Any) -> tuple[tuple[Heading, Any], ...]:
    """Return for each heading the part of the image that shows what may not be seen."""
    about = shapely.transform(inside, lambda xy: xy - place)
    masks = []
    for heading in camera.sight.reach:
        shown = _shown(heading.view, heading.azimuth, about)
        if not shown.is_empty:
            masks.append((heading, shown))
    return tuple(masks)


def _shown(view: View, azimuth: float, ground: Any) -> Any:
    """Return a rectangle of the image around a shape of the ground, with a margin."""
    shown = view.image(ground, azimuth)
    if shown.is_empty or shown.area == 0:
        return shapely.Polygon()
    left, top, right, bottom = shown.bounds
    return shapely.box(
        max(left - MARGIN, 0), max(top - MARGIN, 0), min(right + MARGIN, 1), min(bottom + MARGIN, 1)
    )
