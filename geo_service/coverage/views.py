"""What one camera sees: drawn level by level, as it is or as it might be."""

from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from pydantic import ValidationError

from geo_service.analysis.density_levels import LADDERS
from geo_service.analysis.metric import project
from geo_service.analysis.privacy import REASON
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.views import Camera, Views, views
from geo_service.coverage import figures
from geo_service.coverage.covers import Look
from geo_service.coverage.drawing import both, by_level, collection, levels
from geo_service.coverage.optics import WrongCameraError, fitted, view_at
from geo_service.coverage.town import Town
from geo_service.coverage.trial import Fitted
from geo_service.problems import Problem

NEW = "new"
"""The code of a camera that is not there and has none."""


def refused(error: WrongCameraError) -> Problem:
    """Return the problem of a camera that cannot be."""
    return Problem(422, error.said.zh, error.said.en)


def row_of(town: Town, code: str) -> Mapping[str, Any]:
    """Return a camera's row. Raises Problem 404 where none is in sight."""
    for row in town.cameras.values():
        if row["code"] == code:
            return row
    raise Problem(
        404,
        f"没有编码为“{code[:40]}”的摄像机，或不在您的范围内。",
        f"There is no camera {code[:40]} that you may see.",
    )


def camera_of(town: Town, code: str) -> Camera:
    """Return a camera. Raises Problem 404 where none is in sight, 422 where it cannot be told."""
    row_of(town, code)
    if code in town.refused:
        why = town.refused[code]
        raise Problem(422, f"摄像机 {code}：{why.zh}", f"Camera {code}: {why.en}")
    return town.fitted[code]


def presets_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the presets that a camera's row knows, for a camera as it might be."""
    given, now = row["presets"], row["preset"]
    if not isinstance(given, list):
        return {}
    try:
        made = Fitted(lon=0, lat=0, presets=given, preset=now if isinstance(now, int) else None)
    except ValidationError:  # the row's own view is refused with a sentence; this one has none
        return {}
    return {"presets": made.presets, "preset": made.preset}


def imagined(town: Town, given: Fitted, code: str) -> tuple[Camera, tuple[Sentence, ...]]:
    """Return a camera as it might be. Raises Problem 422 with the reason where it cannot be."""
    try:
        (x,), (y,) = project([given.lon], [given.lat], 4326, town.standing.crs)
    except ValueError:
        raise Problem(
            422,
            "摄像机的坐标远在本镇的平面坐标带之外，请检查经纬度。",
            "The camera's coordinates lie far outside of the town's plane zone: check them.",
        ) from None
    try:
        return fitted(code, (float(x), float(y)), given.values())
    except WrongCameraError as error:
        raise refused(error) from None


def drawn(town: Town, camera: Camera, look: Look) -> dict[str, Any]:
    """Return what a camera sees as features, a level each; reach and present view told apart."""
    ladder = LADDERS[look.edition]
    made = _views(town, camera, look)
    features = by_level(made.shapes[0], ladder, town.standing.crs, code=camera.code, extent="reach")
    now, unknown = _now(town, camera, look, town.covers.known)
    notes = [*made.notes[0], *unknown]
    if made.intruding:
        notes.append(_intrudes())
    return collection(
        features + now, **levels(ladder), moves=_moves(camera), intrudes=bool(made.intruding),
        notes=[both(note) for note in notes],
    )  # fmt: skip


def _moves(camera: Camera) -> bool:
    return camera.sight.now != camera.sight.reach


def _now(
    town: Town, camera: Camera, look: Look, known: MutableMapping[str, Any] | None = None
) -> tuple[list[dict[str, Any]], tuple[Sentence, ...]]:
    """Return what a turning camera sees now, a feature a level, or the sentence why not."""
    if not _moves(camera):
        return [], ()
    if not camera.sight.now:
        unknown = Sentence(
            "云台当前朝向未知：只画出可达范围。",
            "It is not known which way the camera looks now: what it can reach is drawn.",
        )
        return [], (unknown,)
    made = views([camera], town.covers.scene(replace(look, moment=True)), known)
    shapes, ladder = made.shapes[0], LADDERS[look.edition]
    return by_level(shapes, ladder, town.standing.crs, code=camera.code, extent="now"), ()


def view(town: Town, code: str, look: Look, preset: int | None = None) -> dict[str, Any]:
    """Return what a camera of the town sees; ``preset`` is the heading that it looks at now."""
    row, camera = row_of(town, code), camera_of(town, code)
    if preset is not None:
        try:
            camera = replace(camera, sight=view_at(camera.sight, preset))
        except WrongCameraError as error:
            raise refused(error) from None
    made = drawn(town, camera, look)
    made["notes"] = [*made["notes"], *map(both, town.said.get(code, ()))]
    described = {name: row[name] for name in row if name not in {"id", "presets", "preset"}}
    headings = [round(one.azimuth, 1) for one in camera.sight.reach]
    return made | {"camera": described | {"presets": headings if made["moves"] else []}}


def tried(
    town: Town, given: Fitted, look: Look, level: str, *, replaces: str | None
) -> dict[str, Any]:
    """Return what a camera would see, and what the town's figures would be with it.

    ``replaces`` is the camera that is moved or turned. Raises Problem as ``imagined`` does.
    """
    if replaces is not None:
        row_of(town, replaces)
    code = replaces or given.code or NEW
    if replaces is None and any(row["code"] == code for row in town.cameras.values()):
        raise Problem(
            422,
            f"编码 {code} 已有摄像机；要移动它，请写在 replaces 中。",
            f"There is a camera {code} already: name it in replaces to move it.",
        )
    if replaces is not None and given.presets is None and given.form == "ptz":
        given = given.model_copy(update=presets_of(row_of(town, replaces)))
    camera, said = imagined(town, given, code)
    before = town.cover(look, level)
    there = code in before.number
    if there:  # trying an offline camera elsewhere does not repair it
        camera = replace(camera, online=before.cameras[before.number[code]].online)
    after = before.replace(camera) if there else before.add(camera)
    shapes = after.shapes[after.number[code]]
    ladder = LADDERS[look.edition]
    now, unknown = _now(town, camera, look)
    notes = [*said, *after.notes_of(code), *unknown]
    if code in after.intruding:
        notes.append(_intrudes())
    old, new = figures.table(town, before, level), figures.table(town, after, level)
    unit = figures.whole(town.standing)
    earlier, later = figures.told(old, unit), figures.told(new, unit)
    differs = np.any([np.abs(new[name] - old[name]) > 1e-6 for name in new], axis=0)
    codes, names = town.standing.grids.column(0), town.standing.grids.column(1)
    touched = [figures.Unit(codes[n], names[n], np.array([n])) for n in np.flatnonzero(differs)]
    units = [figures.told(new, one) for one in touched]
    return {
        "views": collection(
            by_level(shapes, ladder, town.standing.crs, code=code, extent="reach") + now,
            **levels(ladder),
            moves=_moves(camera),
        ),
        "level": level,
        "town": later,
        "before": earlier,
        "difference": figures.difference([later], [earlier])[0],
        "units": units,
        "unit_differences": figures.difference(units, [figures.told(old, one) for one in touched]),
        "intrudes": code in after.intruding,
        "notes": [both(note) for note in notes],
    }


def _views(town: Town, camera: Camera, look: Look) -> Views:
    made = views([camera], town.covers.scene(look), town.covers.known)
    if shapely.intersects(made.shapes[0, 0], town.standing.area) or made.shapes[0, 0].is_empty:
        return made
    far = Sentence(
        f"摄像机 {camera.code} 看不到辖区内的任何地面。",
        f"Camera {camera.code} sees no ground of the area.",
    )
    return made._replace(notes=[(*made.notes[0], far)])


def _intrudes() -> Sentence:
    return Sentence(
        f"视野进入隐私区域，该部分已扣除。{REASON.zh}",
        f"The view falls into a privacy zone: that part is taken out. {REASON.en}",
    )
