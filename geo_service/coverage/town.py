"""A town as somebody sees it at one moment, in metres, with the covers computed so far.

A town never changes: what was changed in the database makes another town out of it, and of its
covers only what the touched cameras see is computed again.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as changed
from datetime import datetime
from typing import Any

import numpy as np
import psycopg
import shapely
from psycopg.rows import TupleRow
from pyproj import CRS

from geo_service.analysis.buildings import Buildings
from geo_service.analysis.cover import Cover, Ground, Points, cover
from geo_service.analysis.density_levels import LADDERS
from geo_service.analysis.metric import local_crs, project_shapes
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.views import Camera, Scene
from geo_service.analysis.weights import Floats
from geo_service.coverage import rows
from geo_service.coverage.optics import WrongCameraError, fitted
from geo_service.coverage.rows import Table
from geo_service.problems import Problem

MOST_COVERS = 6
"""Ways of looking at one town that are kept at a time; two of one with many cameras."""

MOST_CAMERAS = 12_000
"""Cameras in all of these together: 20,000 and their figures take half a gigabyte."""

MOST_VIEWS = 60_000
"""Views kept by input hash for one town; some five kilobytes each."""

MOST_ANSWERS = 32
"""Answers kept as they were sent."""

MANY = 64
"""With more cameras touched, all figures are summed anew: that is faster then."""

ALONG = 8
"""Points along the outline of a building that stand for what is in it."""

BEFORE = 0.5
"""Metres that these points lie before the wall, so that they are on open ground."""


@dataclass(frozen=True)
class Look:
    """How a town is looked at.

    The edition of the levels; by day or ``night``; all that turning cameras reach, or what they see
    at this ``moment``; all cameras, or those ``online`` now.
    """

    edition: int = 2015
    night: bool = False
    moment: bool = False
    online: bool = False


class Recent(OrderedDict[str, Any]):
    """A dictionary that forgets what was put down longest ago."""

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        while len(self) > MOST_VIEWS:
            self.popitem(last=False)


@dataclass(frozen=True, eq=False)
class Standing:
    """What stands in a town, and what is asked of it; in metres of ``crs``.

    ``fronts`` are points along the outlines of buildings, ``ALONG`` of each in turn.
    """

    crs: CRS
    grids: Table
    names: Mapping[str, str]
    buildings: Buildings
    codes: tuple[str, ...]
    households: Floats
    fronts: Floats
    heights_by_floors: int
    heights_unknown: int
    roads: Any
    widths: Floats
    places: Table
    zones: Table
    area: Any

    @property
    def grid_codes(self) -> tuple[str, ...]:
        """Codes of the grids in force, in order."""
        return self.grids.column(0)


@dataclass(frozen=True, eq=False)
class Town:
    """A town as a principal's area shows it, at the moment that ``cursor`` stands for.

    ``revision`` stands for what the cover depends on: it moves when that is changed. ``cameras``
    are rows by id. ``refused`` are cameras of which it cannot be told what they see,
    by code, with the reason; ``said`` what is to be told of the others.
    """

    cursor: str
    revision: str
    at: datetime
    events_at: datetime
    standing: Standing
    points: Mapping[str, Points]
    indoors: int
    cameras: Mapping[int, Mapping[str, Any]]
    fitted: Mapping[str, Camera]
    refused: Mapping[str, Sentence]
    said: Mapping[str, tuple[Sentence, ...]]
    _covers: OrderedDict[Look, Cover] = field(default_factory=OrderedDict)
    _before: dict[Look, tuple[Cover, frozenset[str]]] = field(default_factory=dict)
    _known: Recent = field(default_factory=Recent)
    _answers: OrderedDict[str, bytes] = field(default_factory=OrderedDict)
    _lock: Any = field(default_factory=threading.RLock)

    def answered(self, question: str, compute: Callable[[], bytes]) -> bytes:
        """Return an answer about this town, computed unless it was given before."""
        found = self._answers.get(question)
        if found is None:
            found = self._answers[question] = compute()
            while len(self._answers) > MOST_ANSWERS:
                self._answers.popitem(last=False)
        return found

    def scene(self, look: Look) -> Scene:
        """Return what all cameras look at."""
        return Scene(
            self.standing.buildings,
            LADDERS[look.edition].levels,
            self.standing.zones.shapes,
            look.night,
            look.moment,
        )

    def cover(self, look: Look, level: str) -> Cover:
        """Return the cover with the figures of a level; computed where it is not known yet."""
        with self._lock:
            made = self._covers.get(look)
            if made is None:
                made = self._followed(look) or self._anew(look, level)
            made = made.at(level)
            self._covers[look] = made
            self._covers.move_to_end(look)
            most = min(MOST_COVERS, MOST_CAMERAS // max(len(made.cameras), 1))
            while len(self._covers) > max(most, 2):
                self._covers.popitem(last=False)
            return made

    def with_cameras(
        self, cursor: str, at: datetime, ids: Iterable[int], found: Iterable[Mapping[str, Any]]
    ) -> "Town":
        """Return the town after some cameras were changed, by their ids, into those ``found``."""
        cameras, touched = dict(self.cameras), set[str]()
        for id_ in ids:
            gone = cameras.pop(id_, None)
            if gone is not None:
                touched.add(gone["code"])
        fresh = {row["id"]: row for row in found}
        cameras.update(fresh)
        touched |= {row["code"] for row in fresh.values()}
        kept = {code: camera for code, camera in self.fitted.items() if code not in touched}
        refused = {code: why for code, why in self.refused.items() if code not in touched}
        said = {code: told for code, told in self.said.items() if code not in touched}
        more = _fitted(fresh.values(), self.standing.crs)
        return changed(
            self,
            cursor=cursor,
            revision=_revision(cursor),
            at=at,
            cameras=cameras,
            fitted={**kept, **more[0]},
            refused={**refused, **more[1]},
            said={**said, **more[2]},
            **self._carried(frozenset(touched)),
        )

    def with_events(self, cursor: str, at: datetime, xy: Floats, count: Floats) -> "Town":
        """Return the town after events were changed; all of the last year's are given."""
        points, indoors = _points(self.standing, xy, count)
        return changed(
            self,
            cursor=cursor,
            revision=_revision(cursor),
            at=at,
            events_at=at,
            points=points,
            indoors=indoors,
            **self._carried(frozenset()),
        )

    def with_cursor(self, cursor: str, at: datetime) -> "Town":
        """Return the town after changes of what does not matter here."""
        return changed(self, cursor=cursor, at=at)

    def views_known(self) -> Recent:
        """Return what cameras see, by input hash, for a town that is loaded anew."""
        return self._known

    def _carried(self, touched: frozenset[str]) -> dict[str, Any]:
        with self._lock:
            held = {look: (made, frozenset[str]()) for look, made in self._covers.items()}
            before = {
                look: (made, codes | touched)
                for look, (made, codes) in (self._before | held).items()
                if len(codes | touched) <= MANY
            }
        return {
            "_covers": OrderedDict(),
            "_before": before,
            "_answers": OrderedDict(),
            "_lock": threading.RLock(),
        }

    def _followed(self, look: Look) -> Cover | None:
        """Return the cover of the town before, brought up to date, where there is one."""
        made, touched = self._before.pop(look, (None, frozenset[str]()))
        if made is None or len(touched) > MANY:
            return None
        if any(code in made.number and code not in self.fitted for code in touched):
            return None
        for code in sorted(touched & set(self.fitted)):
            camera = self.fitted[code]
            made = made.replace(camera) if code in made.number else made.add(camera)
        if made.ground.points is not self.points:
            made = made.with_points(self.points)
        return made

    def _anew(self, look: Look, level: str) -> Cover:
        other = self._covers.get(changed(look, online=not look.online))
        if other is not None:
            return other.counting(online_only=look.online)
        ground = Ground(
            {"grid": self.standing.grids.shapes},
            self.standing.roads,
            self.points,
            self.standing.area,
            everywhere=False,
        )
        return cover(
            [self.fitted[code] for code in sorted(self.fitted)],
            self.scene(look),
            ground,
            online_only=look.online,
            known=self._known,
            levels=[level],
        )


def load(
    connection: psycopg.Connection[TupleRow], cursor: str, at: datetime, known: Recent | None = None
) -> Town:
    """Return the town that a connection's principal sees. Raises Problem 422 where it has no grids.

    ``known`` are views of the town before, by input hash.
    """
    grids = rows.grids(connection)
    if not len(grids):
        raise Problem(
            422,
            "您的范围内还没有网格，无法计算摄像机覆盖。",
            "There are no grids in your area yet: cover by cameras cannot be told.",
        )
    west, _, east, _ = shapely.total_bounds(grids.shapes)
    try:
        crs = local_crs(float(west + east) / 2)
    except ValueError:
        raise Problem(
            422,
            "网格位于中国的平面坐标带之外，无法计算。",
            "The grids lie outside of the plane zones of China: lengths cannot be told.",
        ) from None
    standing = _standing(connection, grids, crs)
    xy, count = rows.events(connection, at)
    points, indoors = _points(standing, _metres(xy, crs), count)
    cameras = {row["id"]: row for row in rows.cameras(connection)}
    made = _fitted(cameras.values(), crs)
    return Town(
        cursor, _revision(cursor), at, at, standing, points, indoors, cameras, *made,
        _known=Recent() if known is None else known,
    )  # fmt: skip


def events_of(
    connection: psycopg.Connection[TupleRow], town: Town, at: datetime
) -> tuple[Floats, Floats]:
    """Return the last year's events in the town's metres, and how many each place had."""
    xy, count = rows.events(connection, at)
    return _metres(xy, town.standing.crs), count


def _standing(connection: psycopg.Connection[TupleRow], grids: Table, crs: CRS) -> Standing:
    found = rows.buildings(connection)
    shapes = _shapes(found.shapes, crs)
    heights = np.array([np.nan if h is None else h for h in found.column(1)], dtype=np.float64)
    areas = _areal(_shapes(grids.shapes, crs))
    places, zones, roads = rows.places(connection), rows.zones(connection), rows.roads(connection)
    area = shapely.union_all(areas)
    shapely.prepare(area)
    buildings = Buildings.read(shapes, heights)
    return Standing(
        crs=crs,
        grids=changed(grids, shapes=areas),
        names=rows.names(connection),
        buildings=buildings,
        codes=found.column(0),
        households=np.array(found.column(2), dtype=np.float64),
        fronts=_fronts(buildings.shapes),
        heights_by_floors=sum(found.column(3)),
        heights_unknown=sum(found.column(4)),
        roads=_shapes(roads.shapes, crs),
        widths=np.array(roads.column(0), dtype=np.float64),
        places=changed(places, shapes=_shapes(places.shapes, crs)),
        zones=changed(zones, shapes=_shapes(zones.shapes, crs)),
        area=area,
    )


def _shapes(shapes: Any, crs: CRS) -> Any:
    return project_shapes(shapes, 4326, crs) if len(shapes) else shapes


def _areal(shapes: Any) -> Any:
    """Return polygons valid again where projecting has bent one, which next to never happens."""
    wrong = ~shapely.is_valid(shapes)
    if wrong.any():
        shapes = shapes.copy()
        shapes[wrong] = shapely.buffer(shapes[wrong], 0)
    return shapes


def _metres(xy: Floats, crs: CRS) -> Floats:
    points = shapely.points(xy)
    made: Floats = shapely.get_coordinates(_shapes(points, crs)).reshape(-1, 2)
    return made


def _fronts(buildings: Any) -> Floats:
    """Return points all along each building's outline, a little before the wall."""
    if not len(buildings):
        return np.zeros((0, 2))
    around = shapely.buffer(buildings, BEFORE, join_style="mitre")
    several = shapely.get_type_id(around) != 3
    around[several] = shapely.convex_hull(around[several])
    rings = shapely.get_exterior_ring(around)
    at = np.arange(ALONG) / ALONG
    made: Floats = shapely.get_coordinates(
        shapely.line_interpolate_point(rings[:, None], at, normalized=True)
    )
    return made


def _points(standing: Standing, xy: Floats, count: Floats) -> tuple[dict[str, Points], int]:
    """Return households and events as points, and how many events were in buildings.

    What is in a building stands along its outline: inside, no camera sees anything.
    """
    event, building = standing.buildings.tree.query(shapely.points(xy), "within")
    event, first = np.unique(event, return_index=True)  # in one building only
    held = np.zeros(len(standing.codes))
    np.add.at(held, building[first], count[event])
    outside = np.ones(len(xy), dtype=bool)
    outside[event] = False
    lived, busy = np.flatnonzero(standing.households > 0), np.flatnonzero(held > 0)
    fronts = standing.fronts.reshape(-1, ALONG, 2)
    return {
        "households": Points.read(
            fronts[lived].reshape(-1, 2), np.repeat(standing.households[lived] / ALONG, ALONG)
        ),
        "events": Points.read(
            np.concatenate((xy[outside], fronts[busy].reshape(-1, 2))),
            np.concatenate((count[outside], np.repeat(held[busy] / ALONG, ALONG))),
        ),
    }, round(float(held.sum()))


def _fitted(
    cameras: Iterable[Mapping[str, Any]], crs: CRS
) -> tuple[dict[str, Camera], dict[str, Sentence], dict[str, tuple[Sentence, ...]]]:
    """Return by code cameras to be computed, those that cannot be, and what is to be told."""
    given = list(cameras)
    xy = _metres(np.array([(row["lon"], row["lat"]) for row in given]).reshape(-1, 2), crs)
    made, refused, told = {}, {}, {}
    for row, (x, y) in zip(given, xy, strict=True):
        code = row["code"]
        try:
            made[code], said = fitted(
                code, (float(x), float(y)), row, online=row["status"] == "online"
            )
        except WrongCameraError as error:
            refused[code] = error.said
            continue
        if said:
            told[code] = said
    return made, refused, told


def _revision(cursor: str) -> str:
    return hashlib.blake2b(cursor.encode(), digest_size=8).hexdigest()
