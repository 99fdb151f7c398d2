"""Covers of one town, kept by the way of looking at it, and brought up to date camera by camera.

Of what was computed for the town before a change, only what the touched cameras see is computed
again.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import replace as changed
from typing import Any

from geo_service.analysis.cover import Cover, cover
from geo_service.analysis.density_levels import LADDERS
from geo_service.analysis.ground import Ground, Points
from geo_service.analysis.views import Camera, Scene
from geo_service.coverage.standing import Standing

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


class Covers:
    """The covers of cameras in a town, computed where they are asked for."""

    def __init__(
        self,
        standing: Standing,
        points: Mapping[str, Points],
        cameras: Mapping[str, Camera],
        known: Recent | None = None,
    ) -> None:
        """Take what stands, what counts, and cameras by code; ``known`` are views by their hash."""
        self.standing, self.points, self.cameras = standing, points, cameras
        self.known = Recent() if known is None else known
        self._made: OrderedDict[Look, Cover] = OrderedDict()
        self._before: dict[Look, tuple[Cover, frozenset[str]]] = {}
        self._answers: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.RLock()

    def after(
        self, points: Mapping[str, Points], cameras: Mapping[str, Camera], touched: frozenset[str]
    ) -> "Covers":
        """Return the covers after a change of what counts, and of the cameras ``touched``."""
        made = Covers(self.standing, points, cameras, self.known)
        with self._lock:
            held = {look: (one, frozenset[str]()) for look, one in self._made.items()}
            made._before = {
                look: (one, codes | touched)
                for look, (one, codes) in (self._before | held).items()
                if len(codes | touched) <= MANY
            }
        return made

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
            terrain=self.standing.relief.terrain,
        )

    def of(self, look: Look, level: str) -> Cover:
        """Return the cover with the figures of a level; computed where it is not known yet."""
        with self._lock:
            made = self._made.get(look)
            if made is None:
                made = self._followed(look) or self._anew(look, level)
            made = made.at(level)
            self._made[look] = made
            self._made.move_to_end(look)
            most = min(MOST_COVERS, MOST_CAMERAS // max(len(made.cameras), 1))
            while len(self._made) > max(most, 2):
                self._made.popitem(last=False)
            return made

    def _followed(self, look: Look) -> Cover | None:
        """Return the cover of the town before, brought up to date, where there is one."""
        made, touched = self._before.pop(look, (None, frozenset[str]()))
        if made is None or any(
            code in made.number and code not in self.cameras for code in touched
        ):
            return None
        for code in sorted(touched & set(self.cameras)):
            camera = self.cameras[code]
            made = made.replace(camera) if code in made.number else made.add(camera)
        if made.ground.points is not self.points:
            made = made.with_points(self.points)
        return made

    def _anew(self, look: Look, level: str) -> Cover:
        other = self._made.get(changed(look, online=not look.online))
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
            [self.cameras[code] for code in sorted(self.cameras)],
            self.scene(look),
            ground,
            online_only=look.online,
            known=self.known,
            levels=[level],
        )
