"""How much of a town its cameras see, exactly, and what changes when one of them does.

Everything is in metres and exact in vectors: no raster, no sampling. Figures are kept as running
totals, so that another view of one camera costs what lies around it and not the town.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as changed
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import shapely

from geo_service.analysis.density_levels import Level
from geo_service.analysis.ground import Ground, Points, far_out
from geo_service.analysis.overlap import middle
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.tally import AreaTally, LengthTally, PointTally
from geo_service.analysis.views import Camera, Scene, views
from geo_service.analysis.weights import Floats
from geo_service.analysis.zones import Zones

EVERYWHERE = "everywhere"
"""The zone that is always there: the whole plane."""


class Loss(NamedTuple):
    """What nobody would see any more without one camera."""

    code: str
    area: float
    points: dict[str, float]


@dataclass(frozen=True, eq=False)
class Cover:
    """The views of a town's cameras and all figures on them, level by level.

    Made by :func:`cover`; ``replace``, ``add`` and ``remove`` return another one. Columns of all
    figures are "at least 1, 2, … cameras".
    """

    scene: Scene
    ground: Ground
    cameras: tuple[Camera, ...]
    shapes: Any
    camera_notes: tuple[tuple[Sentence, ...], ...]
    intruding: frozenset[str]
    areas: Mapping[tuple[int, str], AreaTally]
    lengths: Mapping[tuple[int, str], LengthTally]
    points: Mapping[tuple[int, str, str], PointTally]
    online_only: bool = False

    @cached_property
    def number(self) -> dict[str, int]:
        """The row of each camera by its code."""
        return {camera.code: k for k, camera in enumerate(self.cameras)}

    @property
    def counted(self) -> Any:
        """Views that count: all of them, or those of cameras online now."""
        shown = self.shapes.copy()
        if self.online_only:
            shown[[not camera.online for camera in self.cameras]] = shapely.Polygon()
        return shown

    def seen(self, level: Level | str, zones: str = EVERYWHERE) -> Floats:
        """Return square metres seen at a level: a row a zone, column k - 1 for k cameras."""
        return self.areas[self.row(level), self._kind(zones)].at_least()

    def share(self, level: Level | str, zones: str) -> Floats:
        """Return the share of each zone's area seen at a level, columns as :meth:`seen`."""
        size = shapely.area(self.areas[self.row(level), self._kind(zones)].zones.shapes)
        shares: Floats = self.seen(level, zones) / size[:, None]
        return shares

    def road(self, level: Level | str, zones: str = EVERYWHERE) -> Floats:
        """Return metres of the lines seen at a level: a row a zone, column k - 1 for k cameras."""
        return self.lengths[self.row(level), self._kind(zones)].at_least()

    def road_share(self, level: Level | str, zones: str = EVERYWHERE) -> Floats:
        """Return the share of the lines' length seen, not a number where a zone has no line."""
        tally = self.lengths[self.row(level), self._kind(zones)]
        return _shares(tally.at_least(), tally.whole())

    def weight(self, level: Level | str, points: str, zones: str = EVERYWHERE) -> Floats:
        """Return the weight of the points seen at a level: a row a zone, column k - 1 for k."""
        return self.points[self.row(level), self._kind(zones), points].at_least()

    def point_share(self, level: Level | str, points: str, zones: str = EVERYWHERE) -> Floats:
        """Return the share of the points' weight seen, not a number where a zone has none."""
        tally = self.points[self.row(level), self._kind(zones), points]
        return _shares(tally.at_least(), tally.whole())

    def union(self, level: Level | str) -> Any:
        """Return what at least one camera sees at a level, as one shape."""
        return shapely.disjoint_subset_union_all(self.counted[:, self.row(level)])

    def losses(self, level: Level | str) -> list[Loss]:
        """Return what each camera alone sees, the camera whose loss costs most area first."""
        row, n = self.row(level), len(self.cameras)
        lost = self.areas[row, EVERYWHERE].losses(n)
        names = sorted(self.ground.points or {})
        by_name = {name: self.points[row, EVERYWHERE, name].losses(n) for name in names}
        order = sorted(range(n), key=lambda k: (-lost[k], self.cameras[k].code))
        return [
            Loss(
                self.cameras[k].code,
                max(float(lost[k]), 0.0),
                {name: float(by_name[name][k]) for name in names},
            )
            for k in order
        ]

    def seen_by(self, x: float, y: float) -> dict[str, str]:
        """Return who sees a point: camera codes, each with the highest level it sees it at."""
        names = [level.name for level in self.scene.levels]
        hit = shapely.intersects_xy(self.counted, x, y)
        told = {}
        for k in np.flatnonzero(hit.any(axis=1)):
            told[self.cameras[k].code] = names[int(np.flatnonzero(hit[k])[-1])]
        return told

    def at(self, level: Level | str) -> "Cover":
        """Return the cover with the figures of a level, where it does not have them yet."""
        row = self.row(level)
        if any(have == row for have, _ in self.areas):
            return self
        seen = self.counted[:, row]
        origin = middle(self.shapes.reshape(-1))
        kinds = {EVERYWHERE: Zones.read(None)} if self.ground.everywhere else {}
        kinds.update({kind: Zones.read(polygons) for kind, polygons in self.ground.zones.items()})
        lines = np.array(self.ground.lines, dtype=object).reshape(-1)
        areas, lengths, points = dict(self.areas), dict(self.lengths), dict(self.points)
        for kind, zones in kinds.items():
            areas[row, kind] = AreaTally.of(seen, zones, origin)
            lengths[row, kind] = LengthTally.of(seen, lines, zones, origin)
            for name, held in (self.ground.points or {}).items():
                points[row, kind, name] = PointTally.of(seen, *held, zones)
        return changed(self, areas=areas, lengths=lengths, points=points)

    def counting(self, *, online_only: bool) -> "Cover":
        """Return the cover of the same views, counting all cameras or those online; no figures."""
        return changed(self, online_only=online_only, areas={}, lengths={}, points={})

    def with_points(self, points: Mapping[str, Points]) -> "Cover":
        """Return the cover with other points on the ground, such as the events of another day."""
        made: dict[tuple[int, str, str], PointTally] = {}
        for (row, kind), tally in self.areas.items():
            for name, held in points.items():
                made[row, kind, name] = PointTally.of(self.counted[:, row], *held, tally.zones)
        return changed(self, ground=changed(self.ground, points=points), points=made)

    def notes(self) -> dict[str, tuple[Sentence, ...]]:
        """Return what is to be told about each camera that something is to be told about."""
        told = {
            camera.code: said
            for camera, said in zip(self.cameras, self.camera_notes, strict=True)
            if said
        }
        at: dict[tuple[float, float], list[str]] = {}
        for camera in self.cameras:
            at.setdefault(_place(camera), []).append(camera.code)
        for codes in at.values():
            for code in codes if len(codes) > 1 else ():
                others = [one for one in codes if one != code]
                told[code] = (*told.get(code, ()), _on_one_pole(others))
        return told

    def notes_of(self, code: str) -> tuple[Sentence, ...]:
        """Return what is to be told about one camera; raises ValueError where there is none."""
        if code not in self.number:
            raise ValueError(f"There is no camera {code}.")
        k = self.number[code]
        here = _place(self.cameras[k])
        others = [one.code for one in self.cameras if one.code != code and _place(one) == here]
        return (*self.camera_notes[k], *((_on_one_pole(others),) if others else ()))

    def replace(self, camera: Camera) -> "Cover":
        """Return the cover with another state of a camera: moved, turned, online or not.

        Only its own view is computed again, and none where only ``online`` differs. Raises
        ValueError for a code that no camera has.
        """
        if camera.code not in self.number:
            raise ValueError(f"There is no camera {camera.code}.")
        k = self.number[camera.code]
        before = self.cameras[k]
        row, said = self.shapes[k], self.camera_notes[k]
        intruding = self.intruding
        if changed(before, online=camera.online) != camera:
            made = views([camera], self.scene)
            row, said = made.shapes[0], made.notes[0]
            far = far_out(camera, row, self.ground)
            if far is not None:
                row, said = np.full(len(row), shapely.Polygon(), dtype=object), (*said, far)
            intruding = intruding - {camera.code} | ({camera.code} if made.intruding else set())
        shapes = self.shapes.copy()
        shapes[k] = row
        cameras = (*self.cameras[:k], camera, *self.cameras[k + 1 :])
        notes = (*self.camera_notes[:k], said, *self.camera_notes[k + 1 :])
        made_cover = changed(
            self, cameras=cameras, shapes=shapes, camera_notes=notes, intruding=intruding
        )
        return made_cover._updated(k, self.counted[k])  # noqa: SLF001 - one of its own kind

    def add(self, camera: Camera) -> "Cover":
        """Return the cover with one more camera; raises ValueError where its code is taken."""
        if camera.code in self.number:
            raise ValueError(f"There is a camera {camera.code} already.")
        nothing = np.full((1, len(self.scene.levels)), shapely.Polygon(), dtype=object)
        wider = changed(
            self,
            cameras=(*self.cameras, changed(camera, x=math.nan)),
            shapes=np.concatenate((self.shapes, nothing)),
            camera_notes=(*self.camera_notes, ()),
        )
        return wider.replace(camera)

    def without(self, code: str) -> "Cover":
        """Return the cover as it is while one camera sees nothing."""
        if code not in self.number:
            raise ValueError(f"There is no camera {code}.")
        k = self.number[code]
        shapes = self.shapes.copy()
        shapes[k] = np.full(len(self.scene.levels), shapely.Polygon(), dtype=object)
        return changed(self, shapes=shapes)._updated(  # noqa: SLF001 - one of its own kind
            k, self.counted[k]
        )

    def _updated(self, k: int, old: Any) -> "Cover":
        """Return the cover with totals brought up to date for camera k, whose views were old."""
        new = self.counted
        same = [a is b or a.equals_exact(b) for a, b in zip(old, new[k], strict=True)]
        areas = {
            (row, kind): tally if same[row] else tally.replaced(k, new[k, row])
            for (row, kind), tally in self.areas.items()
        }
        lengths = {
            (row, kind): tally if same[row] else tally.replaced(new[:, row], old[row], new[k, row])
            for (row, kind), tally in self.lengths.items()
        }
        points = {
            (row, kind, name): tally if same[row] else tally.replaced(k, old[row], new[k, row])
            for (row, kind, name), tally in self.points.items()
        }
        return changed(self, areas=areas, lengths=lengths, points=points)

    def row(self, level: Level | str) -> int:
        """Return the number of a level; raise ValueError for none such."""
        name = level if isinstance(level, str) else level.name
        names = [one.name for one in self.scene.levels]
        if name not in names:
            raise ValueError(f"There is no level {name!r}: it is one of {', '.join(names)}.")
        return names.index(name)

    def _kind(self, zones: str) -> str:
        if zones != EVERYWHERE and zones not in self.ground.zones:
            raise ValueError(f"There are no zones {zones!r}.")
        return zones


def cover(
    cameras: Sequence[Camera],
    scene: Scene,
    ground: Ground | None = None,
    *,
    online_only: bool = False,
    known: Any = None,
    levels: Sequence[Level | str] | None = None,
) -> Cover:
    """Return what cameras see of the ground, with all figures.

    ``known`` keeps views by their input hash (see ``views``). ``levels`` are those that figures are
    wanted for at once, all unless told; ``Cover.at`` adds another one. With ``online_only`` cameras
    that are not online count for nothing; their views are kept for when they come back. By night or
    day, and what is in reach or in view now, is for the ``scene`` to say.

    Raises ValueError for two cameras of one code, and for zones that are not valid polygons.

    >>> from geo_service.analysis.buildings import Buildings
    >>> from geo_service.analysis.sight import sight
    >>> east = Camera("east", 0, 0, sight("bullet", 90, height=4, tilt=30))
    >>> same = Camera("same", 0, 0, sight("bullet", 90, height=4, tilt=30))
    >>> made = cover([east, same], Scene(Buildings.read([])))
    >>> once, twice = made.seen("identify")[0]
    >>> bool(once == twice), made.notes()["same"][-1].en
    (True, 'On one pole with east: they stand in the same place.')
    """
    wanted = ground or Ground({})
    codes = [camera.code for camera in cameras]
    if len(set(codes)) < len(codes):
        twice = next(code for code in codes if codes.count(code) > 1)
        raise ValueError(f"Two cameras have the code {twice}.")
    made = views(cameras, scene, known)
    notes = list(made.notes)
    shapes = made.shapes
    for k, camera in enumerate(cameras):
        far = far_out(camera, shapes[k], wanted)
        if far is not None:
            shapes[k] = np.full(len(scene.levels), shapely.Polygon(), dtype=object)
            notes[k] = (*notes[k], far)
    empty = Cover(
        scene,
        wanted,
        tuple(cameras),
        shapes,
        tuple(notes),
        frozenset(codes[k] for k in made.intruding),
        {},
        {},
        {},
        online_only,
    )
    for level in scene.levels if levels is None else levels:
        empty = empty.at(level)
    return empty


def _place(camera: Camera) -> tuple[float, float]:
    """Return where a camera stands, to the centimetre."""
    return round(camera.x, 2), round(camera.y, 2)


def _on_one_pole(others: Sequence[str]) -> Sentence:
    return Sentence(
        f"与摄像机 {'、'.join(others)} 同杆（位置相同）。",
        f"On one pole with {', '.join(others)}: they stand in the same place.",
    )


def _shares(part: Floats, whole: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return part / whole[:, None]
