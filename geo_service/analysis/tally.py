"""Running totals of what cameras see: area, length and points by how many see them.

Each tally is immutable; ``replaced`` returns another in which one camera's view differs, and
computes only what lies under the old view or the new one.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from geo_service.analysis.overlap import DEEPEST, Chains, chains, depths
from geo_service.analysis.weights import Bools, Floats, Ints
from geo_service.analysis.zones import Zones, chosen, overlapping, pairs, touching


@dataclass(frozen=True, eq=False)
class AreaTally:
    """How deep the views lie on each other, zone by zone.

    Parts (a camera's view in a zone) with their zone, camera, extent and depths; ``one``, ``two``
    and ``alone`` are pairs of parts and the length of outline that only the second lies over, as
    ``overlap.Depths`` has it.
    """

    zones: Zones
    origin: Floats
    parts: Any
    zone: Ints
    camera: Ints
    box: Floats
    amount: Floats
    one: Ints
    two: Ints
    alone: Floats

    @classmethod
    def of(cls, shapes: Any, zones: Zones, origin: Floats) -> "AreaTally":
        """Return the tally of one view a camera (empty for none)."""
        empty = cls(
            zones,
            origin,
            np.zeros(0, object),
            np.zeros(0, np.int64),
            np.zeros(0, np.int64),
            np.zeros((0, 4)),
            np.zeros((0, DEEPEST)),
            np.zeros(0, np.int64),
            np.zeros(0, np.int64),
            np.zeros(0),
        )
        return empty._with(*zones.cut(shapes))

    def replaced(self, camera: int, shape: Any) -> "AreaTally":
        """Return the tally with another view of one camera."""
        gone = self.camera == camera
        parts, zone, _ = self.zones.cut(np.array([shape], dtype=object))
        return self._without(gone)._with(  # noqa: SLF001 - one of its own kind
            parts, zone, np.full(len(parts), camera), self.box[gone], self.zone[gone]
        )

    def at_least(self) -> Floats:
        """Return areas in m²: row by zone, column k - 1 for at least k cameras."""
        total = np.zeros((self.zones.count, DEEPEST))
        np.add.at(total, self.zone, self.amount)
        held = np.flatnonzero((np.abs(total) > 1e-9).any(axis=0))
        return total[:, : held[-1] + 1 if held.size else 1]

    def losses(self, cameras: int, zones: Ints | None = None) -> Floats:
        """Return for each camera the area that it alone sees, in m², of some zones (None: all)."""
        lost = np.zeros(cameras)
        here = chosen(self.zone, zones)
        np.add.at(lost, self.camera[here], self.amount[here, 0])
        pair = here[self.two]
        np.add.at(lost, self.camera[self.two[pair]], -self.alone[pair])
        return lost

    def _without(self, gone: Bools) -> "AreaTally":
        """Return the tally without some parts, those under them still to be counted anew."""
        number = np.cumsum(~gone) - 1
        kept = ~(gone[self.one] | gone[self.two])
        return replace(
            self,
            parts=self.parts[~gone],
            zone=self.zone[~gone],
            camera=self.camera[~gone],
            box=self.box[~gone],
            amount=self.amount[~gone],
            one=number[self.one[kept]],
            two=number[self.two[kept]],
            alone=self.alone[kept],
        )

    def _with(
        self,
        parts: Any,
        zone: Ints,
        camera: Ints,
        touched: Floats | None = None,
        touched_zone: Ints | None = None,
    ) -> "AreaTally":
        """Return the tally with parts more, and all counted anew that they or ``touched`` reach."""
        n, m = len(self.parts), len(parts)
        box = np.concatenate((self.box, shapely.bounds(parts).reshape(-1, 4)))
        zones = np.concatenate((self.zone, zone))
        shapes = np.concatenate((self.parts, parts))
        whose = np.concatenate((self.camera, camera)).astype(np.int64)
        amount = np.concatenate((self.amount, np.zeros((m, DEEPEST))))
        dirty = np.arange(n + m) >= n
        if n:
            old = np.zeros((0, 4)) if touched is None else touched
            old_zone = np.zeros(0, np.int64) if touched_zone is None else touched_zone
            changed = np.concatenate((box[n:], old))
            where = np.concatenate((zone, old_zone))
            dirty[:n] = touching(box[:n], zones[:n], changed, where)
        anew = np.flatnonzero(dirty)
        if m == len(shapes):
            one, two = pairs(shapes, zones)
        else:
            near = overlapping(box, zones, anew)
            one, two = near
        used = np.unique(np.concatenate((anew, two)))
        local = chains(shapes[used], whose[used], self.origin)
        order = np.searchsorted(used, two)
        first = np.searchsorted(one, np.append(anew, len(shapes))).astype(np.int64)
        own = _picked(local, np.searchsorted(used, anew))
        made = depths(own, local, (first, order.astype(np.int64)))
        amount[anew] = made.amount
        kept = ~dirty[self.one] if n else np.zeros(0, bool)
        held = made.alone != 0
        return replace(
            self,
            parts=shapes,
            zone=zones,
            camera=whose,
            box=box,
            amount=amount,
            one=np.concatenate((self.one[kept], one[held])),
            two=np.concatenate((self.two[kept], two[held])),
            alone=np.concatenate((self.alone[kept], made.alone[held])),
        )


@dataclass(frozen=True, eq=False)
class LengthTally:
    """How many cameras see each stretch of lines, zone by zone."""

    zones: Zones
    origin: Floats
    lines: Any
    zone: Ints
    box: Floats
    amount: Floats

    @classmethod
    def of(cls, shapes: Any, lines: Any, zones: Zones, origin: Floats) -> "LengthTally":
        """Return the tally of lines under one view a camera."""
        parts, zone, _ = zones.cut(np.array(lines, dtype=object).reshape(-1))
        box = shapely.bounds(parts).reshape(-1, 4)
        empty = cls(zones, origin, parts, zone, box, np.zeros((len(parts), DEEPEST)))
        return empty._counted(shapes, np.arange(len(parts)))

    def replaced(self, shapes: Any, old: Any, new: Any) -> "LengthTally":
        """Return the tally where ``shapes`` has a new view in place of an old one."""
        changed = shapely.bounds(np.array([old, new], dtype=object))
        changed = changed[~np.isnan(changed).any(axis=1)]
        everywhere = np.zeros(len(self.lines), np.int64)
        dirty = touching(self.box, everywhere, changed, np.zeros(len(changed), np.int64))
        return self._counted(shapes, np.flatnonzero(dirty))

    def at_least(self) -> Floats:
        """Return lengths in metres: row by zone, column k - 1 for at least k cameras."""
        deep = np.zeros((self.zones.count, DEEPEST))
        np.add.at(deep, self.zone, self.amount)
        total = np.cumsum(deep[:, ::-1], axis=1)[:, ::-1]
        return total[:, 1:]

    def whole(self) -> Floats:
        """Return the length of all lines in each zone, in metres."""
        total = np.zeros(self.zones.count)
        np.add.at(total, self.zone, self.amount.sum(axis=1))
        return total

    def _counted(self, shapes: Any, anew: Ints) -> "LengthTally":
        amount = self.amount.copy()
        if not len(anew):
            return self
        tree = shapely.STRtree(shapes)
        one, two = tree.query(shapely.envelope(self.lines[anew]))
        order = np.lexsort((two, one))
        one, two = one[order], two[order]
        used = np.unique(two)
        first = np.searchsorted(one, np.arange(len(anew) + 1)).astype(np.int64)
        own = chains(self.lines[anew], np.full(len(anew), -1), self.origin)
        other = chains(shapes[used], used, self.origin)
        near = np.searchsorted(used, two).astype(np.int64)
        amount[anew] = depths(own, other, (first, near)).amount
        return replace(self, amount=amount)


@dataclass(frozen=True, eq=False)
class PointTally:
    """How many cameras see each of some weighted points."""

    zones: Zones
    tree: Any
    weight: Floats
    zone: Ints
    count: Ints
    code: Ints
    """Sum of the numbers of the cameras that see a point: the camera itself where there is one."""

    @classmethod
    def of(cls, shapes: Any, xy: Floats, weight: Floats, zones: Zones) -> "PointTally":
        """Return the tally of points; one on the edge of zones belongs to the first of them."""
        points = shapely.points(xy)
        zone = np.zeros(len(points), np.int64)
        if zones.shapes is not None:
            zone[:] = -1
            at, of = zones.tree.query(points, "intersects")
            order = np.lexsort((-of, at))
            zone[at[order]] = of[order]
        tree = shapely.STRtree(points)
        camera, point = tree.query(shapes, "intersects")
        count = np.bincount(point, minlength=len(points)).astype(np.int64)
        code = np.zeros(len(points), np.int64)
        np.add.at(code, point, camera)
        return cls(zones, tree, weight, zone, count, code)

    def replaced(self, camera: int, old: Any, new: Any) -> "PointTally":
        """Return the tally with another view of one camera."""
        count, code = self.count.copy(), self.code.copy()
        for shape, turn in ((old, -1), (new, 1)):
            at = self.tree.query(shape, "intersects")
            count[at] += turn
            code[at] += turn * camera
        return replace(self, count=count, code=code)

    def at_least(self) -> Floats:
        """Return weights: row by zone, column k - 1 for at least k cameras."""
        deepest = max(int(self.count.max(initial=0)), 1)
        total = np.zeros((self.zones.count, deepest))
        inside = self.zone >= 0
        for k in range(deepest):
            seen = inside & (self.count > k)
            np.add.at(total[:, k], self.zone[seen], self.weight[seen])
        return total

    def whole(self) -> Floats:
        """Return the weight of all points in each zone."""
        total = np.zeros(self.zones.count)
        inside = self.zone >= 0
        np.add.at(total, self.zone[inside], self.weight[inside])
        return total

    def losses(self, cameras: int, zones: Ints | None = None) -> Floats:
        """Return for each camera the weight of the points that it alone sees, of some zones."""
        lost = np.zeros(cameras)
        alone = (self.count == 1) & chosen(self.zone, zones)
        np.add.at(lost, self.code[alone], self.weight[alone])
        return lost


def _picked(all_of_them: Chains, wanted: Ints) -> Chains:
    """Return some parts of chains, in order."""
    size = np.diff(all_of_them.first)[wanted]
    first = np.concatenate(([0], np.cumsum(size))).astype(np.int64)
    at = np.repeat(all_of_them.first[wanted] - first[:-1], size) + np.arange(first[-1])
    return Chains(
        first,
        np.ascontiguousarray(all_of_them.edge[at]),
        all_of_them.start[at],
        all_of_them.weight[at],
        all_of_them.rank[wanted],
        all_of_them.box[wanted],
    )
