"""A town as somebody sees it at one moment, in metres, with the covers computed so far.

A town never changes: what was changed in the database makes another town out of it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import replace as changed
from datetime import datetime
from typing import Any

import numpy as np
import psycopg
import shapely
from psycopg.rows import TupleRow
from pyproj import CRS

from geo_service.analysis.cover import Cover
from geo_service.analysis.ground import Points
from geo_service.analysis.metric import local_crs
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.views import Camera
from geo_service.analysis.weights import Floats
from geo_service.coverage import rows
from geo_service.coverage.covers import Covers, Look, Recent
from geo_service.coverage.optics import WrongCameraError, fitted
from geo_service.coverage.standing import Standing, metres_of, points_of, standing_of
from geo_service.problems import Problem


@dataclass(frozen=True, eq=False)
class Town:
    """A town as a principal's area shows it, at the moment that ``cursor`` stands for.

    ``revision`` stands for what the cover depends on: it moves when that is changed. ``cameras``
    are rows by id. ``refused`` are cameras of which it cannot be told what they see,
    by code, with the reason; ``said`` what is to be told of the others. ``indoors`` is how many
    events were in buildings.
    """

    cursor: str
    revision: str
    at: datetime
    events_at: datetime
    standing: Standing
    indoors: int
    cameras: Mapping[int, Mapping[str, Any]]
    refused: Mapping[str, Sentence]
    said: Mapping[str, tuple[Sentence, ...]]
    covers: Covers

    @property
    def fitted(self) -> Mapping[str, Camera]:
        """The cameras that cover is computed from, by code."""
        return self.covers.cameras

    @property
    def points(self) -> Mapping[str, Points]:
        """Households and events."""
        return self.covers.points

    def cover(self, look: Look, level: str) -> Cover:
        """Return the cover with the figures of a level; computed where it is not known yet."""
        return self.covers.of(look, level)

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
            refused=refused | more[1],
            said=said | more[2],
            covers=self.covers.after(self.points, kept | more[0], frozenset(touched)),
        )

    def with_events(self, cursor: str, at: datetime, xy: Floats, count: Floats) -> "Town":
        """Return the town after events were changed; all of the last year's are given."""
        points, indoors = points_of(self.standing, xy, count)
        return changed(
            self,
            cursor=cursor,
            revision=_revision(cursor),
            at=at,
            events_at=at,
            indoors=indoors,
            covers=self.covers.after(points, self.fitted, frozenset()),
        )

    def with_cursor(self, cursor: str, at: datetime) -> "Town":
        """Return the town after changes of what does not matter here."""
        return changed(self, cursor=cursor, at=at)


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
    standing = standing_of(connection, grids, crs)
    xy, count = rows.events(connection, at)
    points, indoors = points_of(standing, metres_of(xy, crs), count)
    cameras = {row["id"]: row for row in rows.cameras(connection)}
    made, refused, said = _fitted(cameras.values(), crs)
    covers = Covers(standing, points, made, known)
    return Town(
        cursor, _revision(cursor), at, at, standing, indoors, cameras, refused, said, covers
    )


def events_of(
    connection: psycopg.Connection[TupleRow], town: Town, at: datetime
) -> tuple[Floats, Floats]:
    """Return the last year's events in the town's metres, and how many each place had."""
    xy, count = rows.events(connection, at)
    return metres_of(xy, town.standing.crs), count


def _fitted(
    cameras: Iterable[Mapping[str, Any]], crs: CRS
) -> tuple[dict[str, Camera], dict[str, Sentence], dict[str, tuple[Sentence, ...]]]:
    """Return by code cameras to be computed, those that cannot be, and what is to be told."""
    given = list(cameras)
    xy = metres_of(np.array([(row["lon"], row["lat"]) for row in given]).reshape(-1, 2), crs)
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
