"""Subdivision: a mesh of main streets is cut in two, and again, until its pieces are blocks."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import shapely

from layers.town import outline
from layers.town.coordinates import Floats, Shape, rotate
from layers.town.outline import Street


@dataclass(frozen=True, slots=True)
class Quarter:
    """How a part of town is cut up: block size in m², local streets, how crooked they are."""

    block: float
    road_class: str
    width: float
    crooked: float
    own_direction: bool


QUARTERS = {
    "old": Quarter(9500, "local", 6.0, 0.16, own_direction=True),
    "estate": Quarter(24000, "local", 12.0, 0.0, own_direction=False),
    "works": Quarter(62000, "local", 14.0, 0.0, own_direction=False),
    "village": Quarter(105000, "local", 6.0, 0.2, own_direction=True),
    "hamlet": Quarter(15000, "path", 3.5, 0.18, own_direction=True),
    "bank": Quarter(24000, "", 0.0, 0.0, own_direction=True),
}


@dataclass(slots=True)
class Subdivision:
    """What the cutting brought: local streets, other cuts, and pieces with quarter and angle."""

    streets: list[Street] = field(default_factory=list)
    cuts: list[Shape] = field(default_factory=list)
    pieces: list[Shape] = field(default_factory=list)
    quarter: list[str] = field(default_factory=list)
    angle: list[float] = field(default_factory=list)

    def cut(
        self, mesh: Shape, quarter: str, names: Iterator[str], rng: np.random.Generator
    ) -> None:
        """Cut one mesh up. Orthogonal quarters keep the mesh's direction and its lattice."""
        ring = shapely.get_coordinates(mesh)[:-1]
        direction = _direction(ring)
        pitch = rng.uniform(125, 185, size=2)
        todo = [(ring, quarter)]
        while todo:
            ring, kind = todo.pop()
            rule = QUARTERS[kind]
            angle = _direction(ring) if rule.own_direction else direction
            halves = None
            if _area(ring) > rule.block * rng.uniform(0.72, 1.4):
                if not rule.crooked and rng.random() < 0.8:
                    halves = _halves(ring, angle, 0.0, pitch, rng)
                halves = halves or _halves(ring, angle, rule.crooked, None, rng)
            if halves:
                first, second, chord = halves
                todo += [(first, kind), (second, kind)]
                line = shapely.LineString(chord)
                if rule.road_class:
                    name = _name(kind, names)
                    self.streets.append(Street(name, rule.road_class, rule.width, line))
                else:
                    self.cuts.append(line)
            elif kind == "village" and (grown := _grown(ring, rng)):
                todo.append((ring, grown))
            else:
                self.pieces.append(shapely.Polygon(ring))
                self.quarter.append(kind)
                self.angle.append(angle)


def _name(kind: str, names: Iterator[str]) -> str | None:
    if kind in {"village", "hamlet"}:
        return None
    return f"{next(names)}{'巷' if kind == 'old' else '路'}"


def _grown(ring: Floats, rng: np.random.Generator) -> str | None:
    """Return what a piece of open land was built up as, or None where it stayed fields."""
    middle = shapely.point_on_surface(shapely.Polygon(ring))
    if shapely.covers(outline.WORKS, middle):
        return "works"
    if shapely.covers(outline.ESTATES, middle):
        return "estate" if rng.random() < 0.6 else None
    return "hamlet" if rng.random() < 0.09 else None


def _area(ring: Floats) -> float:
    x, y = ring.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def _direction(ring: Floats) -> float:
    """Return the prevailing direction of the sides, in radians within 45° of east.

    Sides count four times over the circle, so that a right angle is no difference.
    """
    side = np.diff(ring, axis=0, append=ring[:1])
    length = np.hypot(*side.T)
    turn = np.exp(4j * np.arctan2(side[:, 1], side[:, 0])) @ length**2
    return float(np.angle(turn) / 4)


def _halves(
    ring: Floats, angle: float, crooked: float, pitch: Floats | None, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats] | None:
    """Cut a ring across its long side, near the middle; None where no clean cut exists.

    With a ``pitch`` the cut falls on a lattice, so that streets run on through their neighbours.
    """
    local = rotate(ring, -angle)
    low, high = local.min(axis=0), local.max(axis=0)
    axis = int(np.argmax(high - low))
    centre = shapely.get_coordinates(shapely.centroid(shapely.Polygon(local)))[0]
    at = centre[axis] + rng.uniform(-0.1, 0.1) * (high - low)[axis]
    if pitch is not None:
        at = np.round(at / pitch[axis]) * pitch[axis]
    lean = crooked * rng.normal()
    offset = local[:, axis] - at - lean * (local[:, 1 - axis] - centre[1 - axis])
    after = np.roll(offset, -1)
    crossed = np.flatnonzero((offset > 0) != (after > 0))
    if not len(crossed):
        return None
    share = offset[crossed] / (offset[crossed] - after[crossed])
    end = ring[crossed] + share[:, None] * (np.roll(ring, -1, axis=0)[crossed] - ring[crossed])
    order = np.argsort(rotate(end, -angle)[:, 1 - axis])
    # The stretch that runs through the middle; stretches begin at even crossings.
    reach = rotate(end, -angle)[order, 1 - axis]
    k = int(np.clip(np.searchsorted(reach, centre[1 - axis]) - 1, 0, len(reach) - 2)) // 2 * 2
    i, j = sorted((int(order[k]), int(order[k + 1])))
    a, b = int(crossed[i]), int(crossed[j])
    chord = np.array([_snap(end[n], ring, int(crossed[n])) for n in (i, j)])
    if crooked:
        bend = 0.1 * crooked * rng.normal(size=2) * np.hypot(*(chord[1] - chord[0]))
        chord = np.insert(chord, 1, chord.mean(axis=0) + bend, axis=0)
    # Snapping and bending may push a chord across a curved side; then it is left as it fell.
    core = shapely.line_interpolate_point(
        shapely.LineString(chord), [0.004, 0.5, 0.996], normalized=True
    )
    if not shapely.contains_properly(shapely.Polygon(ring), shapely.LineString(core)):
        chord = end[[i, j]]
    first = _tidy(np.vstack([ring[a + 1 : b + 1], chord[::-1]]))
    second = _tidy(np.vstack([ring[b + 1 :], ring[: a + 1], chord]))
    if min(_area(first), _area(second)) < 0.22 * _area(ring):
        return None
    return first, second, chord


def _snap(point: Floats, ring: Floats, side: int) -> Floats:
    """Move a new junction to the old one it nearly meets."""
    for corner in (ring[side], ring[(side + 1) % len(ring)]):
        if np.hypot(*(corner - point)) < 14.0:
            return np.asarray(corner)
    return point


def _tidy(ring: Floats) -> Floats:
    """Return the ring without repeated vertices."""
    return ring[np.any(np.abs(ring - np.roll(ring, 1, axis=0)) > 1e-9, axis=1)]
