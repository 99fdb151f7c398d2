"""What each camera sees of the ground, by level, behind buildings and outside privacy zones."""

import hashlib
import math
from collections.abc import MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import shapely

from geo_service.analysis.buildings import Buildings
from geo_service.analysis.camera import MAX_RANGE
from geo_service.analysis.density_levels import EN_2015, Level
from geo_service.analysis.mounting import mount_cameras
from geo_service.analysis.overlap import on_grid
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.sight import Heading, Sight
from geo_service.analysis.terrain import Terrain, hidden_ground
from geo_service.analysis.visibility import visible_regions
from geo_service.analysis.weights import Floats

_CHUNK = 256
_THREADS = 2
_FEWEST = 64
"""Fewer cameras than these are not worth a second thread."""

_FEW_ARCS = 64
"""Edges a quadrant of the circle that infrared light reaches."""

FLAT = Sentence(
    "摄像机所在处没有地形高程，按平地计算。",
    "The height of the ground where it stands is not known: flat ground is assumed.",
)


@dataclass(frozen=True)
class Camera:
    """A camera at a place in metres: ``code`` tells it from the others."""

    code: str
    x: float
    y: float
    sight: Sight
    online: bool = True


@dataclass(frozen=True, eq=False)
class Scene:
    """What cameras look at and how: the same for all of them.

    ``night``: only as far as infrared light reaches. ``moment``: only what is in view now, not all
    that turning cameras could reach. ``private``: polygons that may not be seen. ``terrain``: what
    hills hide is not seen either; the ground counts as flat else, as it does for pixel densities.
    """

    buildings: Buildings
    levels: tuple[Level, ...] = EN_2015.levels
    private: Any = ()
    night: bool = False
    moment: bool = False
    max_range: float = MAX_RANGE
    terrain: Terrain | None = None

    def __post_init__(self) -> None:
        steps = [level.pixels_per_metre for level in self.levels]
        if not steps or steps != sorted(steps):
            raise ValueError("Levels must be given from the lowest density to the highest.")
        zones = np.array(self.private, dtype=object).reshape(-1)
        if len(zones) and not (np.isin(shapely.get_type_id(zones), (3, 6)).all()):
            raise ValueError("Privacy zones must be polygons.")
        object.__setattr__(self, "private", np.array([_valid(zone) for zone in zones], object))
        object.__setattr__(self, "_zones", shapely.STRtree(self.private))


class Views(NamedTuple):
    """``shapes[c, l]``: what camera c sees at level l, corners on the 10 µm grid, perhaps empty.

    ``notes[c]`` says what was assumed, moved or wrong; ``intruding`` are cameras whose view at the
    lowest level falls into a privacy zone (that part is already taken out).
    """

    shapes: Any
    xy: Floats
    notes: list[tuple[Sentence, ...]]
    intruding: list[int]


def views(
    cameras: Sequence[Camera], scene: Scene, known: MutableMapping[str, Any] | None = None
) -> Views:
    """Return what every camera sees at every level of a scene.

    ``known`` keeps results by :func:`input_hash`: what is in it is not computed again.

    >>> from geo_service.analysis.sight import sight
    >>> gate = Camera("gate", 0, 0, sight("bullet", 90, height=4, tilt=20))
    >>> wall = Buildings.read([shapely.box(10, -50, 11, 50)])
    >>> seen = views([gate], Scene(wall)).shapes[0, :4]
    >>> [round(shape.bounds[2], 2) for shape in seen]
    [10.0, 10.0, 10.0, 10.0]
    """
    if known is None:
        return _in_chunks(cameras, scene)
    keys = [input_hash(camera, scene) for camera in cameras]
    # Held here, too: what is known may be forgotten meanwhile.
    rows: list[Any] = [known.get(key) for key in keys]
    missing = [k for k, row in enumerate(rows) if row is None]
    made = _in_chunks([cameras[k] for k in missing], scene)
    intruding = set(made.intruding)
    for at, k in enumerate(missing):
        rows[k] = known[keys[k]] = (
            made.shapes[at], made.xy[at], made.notes[at], at in intruding
        )  # fmt: skip
    return Views(
        np.array([row[0] for row in rows], object).reshape(-1, len(scene.levels)),
        np.array([row[1] for row in rows]).reshape(-1, 2),
        [row[2] for row in rows],
        [k for k, row in enumerate(rows) if row[3]],
    )


def input_hash(camera: Camera, scene: Scene) -> str:
    """Return a digest of all that a camera's views depend on, whether or not it is online.

    Buildings, privacy zones and heights count as far as the camera could reach, not elsewhere.
    """
    reach = _reach(_region(camera, scene, scene.levels[0])) + 2 * _MARGIN
    extent = camera.x - reach, camera.y - reach, camera.x + reach, camera.y + reach
    around = shapely.box(*extent)
    near = np.sort(scene.buildings.tree.query(around))
    zones = np.sort(scene._zones.query(around))  # type: ignore[attr-defined]  # noqa: SLF001
    fixed = (camera.x, camera.y, camera.sight, scene.levels, scene.night, scene.moment)
    made = hashlib.blake2b(repr((*fixed, scene.max_range)).encode(), digest_size=16)
    made.update(scene.buildings.digests[near].tobytes())
    for zone in scene.private[zones]:
        made.update(shapely.to_wkb(zone))
    if scene.terrain is not None:
        ground = scene.terrain.around(*extent)
        made.update(repr((ground.west, ground.north, ground.cell, ground.heights.shape)).encode())
        made.update(ground.heights.tobytes())
    return made.hexdigest()


_MARGIN = 5.0
"""Metres by which a camera may move to its wall, and some more."""


def _in_chunks(cameras: Sequence[Camera], scene: Scene) -> Views:
    if len(cameras) < _FEWEST:
        return _some(cameras, scene)
    size = min(_CHUNK, math.ceil(len(cameras) / _THREADS))
    lots = [cameras[k : k + size] for k in range(0, len(cameras), size)]
    # Made before the threads start, which would else make them twice.
    _ = scene.buildings.tree, scene.buildings.walls, scene.buildings.solid
    with ThreadPoolExecutor(_THREADS) as pool:
        made = list(pool.map(lambda lot: _some(lot, scene), lots))
    return Views(
        np.concatenate([one.shapes for one in made]),
        np.concatenate([one.xy for one in made]),
        [note for one in made for note in one.notes],
        [k * size + c for k, one in enumerate(made) for c in one.intruding],
    )


def _some(cameras: Sequence[Camera], scene: Scene) -> Views:
    """Return the views of a few hundred cameras."""
    n = len(cameras)
    looks = [_headings(camera, scene) for camera in cameras]
    eyes = np.array([look[0].view.height if look else 1.0 for look in looks])
    targets = np.array([look[0].view.target_height if look else 0.0 for look in looks])
    places = np.array([(camera.x, camera.y) for camera in cameras], dtype=np.float64)
    mounted = mount_cameras(places, scene.buildings, eyes)
    wanted = np.array(
        [_region(camera, scene, level) for camera in cameras for level in scene.levels], object
    ).reshape(n, len(scene.levels))
    reach = np.array([_reach(row[0]) for row in wanted])
    moved = wanted.reshape(-1)
    xy, of = shapely.get_coordinates(moved, return_index=True)
    moved = shapely.set_coordinates(moved, xy + mounted.xy[of // len(scene.levels)])
    moved = moved.reshape(n, len(scene.levels))
    base = visible_regions(
        mounted,
        scene.buildings,
        reach,
        heights=eyes,
        target_height=targets,
        within=moved[:, 0],
    )
    known = np.ones(n, dtype=bool)
    if scene.terrain is not None:
        hidden, known = hidden_ground(scene.terrain, mounted.xy, eyes, targets, base)
        behind = np.flatnonzero(~shapely.is_empty(hidden))
        base[behind] = shapely.difference(base[behind], hidden[behind])
    free, intruding = _without_private(base, scene)
    shapes = np.column_stack((free, shapely.intersection(free[:, None], moved[:, 1:])))
    shapes = _areal(on_grid(shapes))
    notes = []
    for c, camera in enumerate(cameras):
        flat = None if known[c] else FLAT
        said = (mounted.notes[c], camera.sight.note(), flat, _why_nothing(looks[c], shapes[c, 0]))
        notes.append(tuple(note for note in said if note is not None))
    return Views(shapes, mounted.xy, notes, intruding)


def _headings(camera: Camera, scene: Scene) -> tuple[Heading, ...]:
    return camera.sight.now if scene.moment else camera.sight.reach


def _region(camera: Camera, scene: Scene, level: Level) -> Any:
    """Return the ground of a level about a camera, as if nothing stood on it."""
    looks = _headings(camera, scene)
    parts = [look.view.region(level, look.azimuth, scene.max_range) for look in looks]
    whole = parts[0] if len(parts) == 1 else shapely.union_all(parts)
    if scene.night and looks:
        slant, above = camera.sight.night_range, looks[0].view.above
        lit = math.sqrt(max(slant**2 - above**2, 0.0))
        whole &= shapely.Point(0, 0).buffer(lit, quad_segs=_FEW_ARCS)
    return whole


def _reach(region: Any) -> float:
    """Return how far a region about the camera reaches, in metres, and a little further."""
    xy = shapely.get_coordinates(region)
    return 1.0 + float(np.hypot(xy[:, 0], xy[:, 1]).max()) if len(xy) else 1.0


def _without_private(shapes: Any, scene: Scene) -> tuple[Any, list[int]]:
    """Return shapes without the privacy zones, and which of them had looked into one."""
    free = shapes.copy()
    if not len(scene.private):
        return free, []
    camera, zone = scene._zones.query(shapes, "intersects")  # type: ignore[attr-defined]  # noqa: SLF001
    looked = shapely.area(shapely.intersection(shapes[camera], scene.private[zone])) > 1e-6
    intruding = np.unique(camera[looked])
    for c in intruding:
        zones = shapely.union_all(scene.private[zone[camera == c]])
        free[c] = shapely.difference(shapes[c], zones)
    return free, [int(c) for c in intruding]


def _areal(shapes: Any) -> Any:
    """Return shapes without the lines and points that an intersection may leave."""
    mixed = shapely.get_type_id(shapes) == 7
    for at in zip(*np.nonzero(mixed), strict=True):
        parts = shapely.get_parts(shapes[at])
        shapes[at] = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    shapes[shapely.get_dimensions(shapes) != 2] = shapely.Polygon()
    return shapes


def _valid(zone: Any) -> Any:
    return zone if zone.is_valid else shapely.make_valid(zone)


def _why_nothing(looks: tuple[Heading, ...], seen: Any) -> Sentence | None:
    """Return why a camera sees nothing, where it sees nothing."""
    if not seen.is_empty:
        return None
    if not looks:
        return Sentence(
            "云台当前朝向未知，此刻的视野无法计算。",
            "It is not known which way the camera looks now.",
        )
    return Sentence(
        "在任何密度等级下都看不到地面：请检查安装高度、俯角和遮挡。",
        "It sees no ground at any level: check its height, its tilt and what stands before it.",
    )
