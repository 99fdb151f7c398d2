"""Random operations over a coverage, and what must hold after each of them."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import shapely

from geo_service.boundaries import operations as ops
from geo_service.boundaries.topology import Change, Coverage, Refused

Shape = Any


def corners(shape: Shape) -> Any:
    return shapely.get_coordinates(shape)


def _place(point: Shape) -> tuple[float, float]:
    return float(point.x), float(point.y)


def _beside(rng: np.random.Generator, town: Coverage, code: str) -> str:
    near = town.neighbours(code)
    return near[int(rng.integers(len(near)))] if near else code


def _edge(town: Coverage, one: str, two: str) -> Shape:
    shared = shapely.line_merge(shapely.intersection(town[one], town[two]))
    lines = [line for line in shapely.get_parts(shared) if line.geom_type == "LineString"]
    return max(lines, key=lambda line: line.length) if lines else None


def _size(shape: Shape) -> float:
    return float(math.sqrt(shape.area))


def _move(rng: np.random.Generator, town: Coverage, code: str, _name: str) -> ops.Operation:
    xy = corners(town[code])
    old = xy[int(rng.integers(len(xy)))]
    # Now and then onto another vertex, which must be refused.
    new = (
        xy[int(rng.integers(len(xy)))]
        if rng.random() < 0.1
        else old + rng.normal(0, 0.05 * _size(town[code]), 2)
    )
    return ops.MoveVertex(tuple(old.tolist()), tuple(new.tolist()))


def _insert(rng: np.random.Generator, town: Coverage, code: str, _name: str) -> ops.Operation:
    line = town[code].boundary
    return ops.InsertVertex(_place(line.interpolate(rng.random(), normalized=True)))


def _remove(rng: np.random.Generator, town: Coverage, code: str, _name: str) -> ops.Operation:
    xy = corners(town[code])
    return ops.RemoveVertex(tuple(xy[int(rng.integers(len(xy)))].tolist()))


def _reshape(rng: np.random.Generator, town: Coverage, code: str, _name: str) -> ops.Operation:
    edge = _edge(town, code, _beside(rng, town, code))
    if edge is None:
        edge = town[code].exterior if town[code].geom_type == "Polygon" else town[code].envelope
        edge = shapely.LineString(corners(edge)[:3])
    where = np.sort(rng.random(2)) if rng.random() < 0.5 else np.array([0.0, 1.0])
    one, two = (edge.interpolate(share, normalized=True) for share in where)
    bends = int(rng.integers(1, 4))
    inner = [
        corners(
            edge.interpolate(where[0] + (where[1] - where[0]) * k / (bends + 1), normalized=True)
        )[0]
        + rng.normal(0, 0.1 * _size(town[code]), 2)
        for k in range(1, bends + 1)
    ]
    return ops.Reshape((_place(one), *(tuple(p.tolist()) for p in inner), _place(two)))


def _split(rng: np.random.Generator, town: Coverage, code: str, name: str) -> ops.Operation:
    shape = town[code]
    middle = corners(shape.representative_point())[0]
    angle, far = rng.uniform(0, math.pi), rng.choice([0.6, 2.0]) * _size(shape)
    way = np.array([math.cos(angle), math.sin(angle)]) * far
    bend = middle + rng.normal(0, 0.1 * _size(shape), 2)
    line = [middle - way, bend, middle + way]
    if rng.random() < 0.3:
        # From a vertex to a vertex.
        xy = corners(shape)
        line[0], line[2] = xy[int(rng.integers(len(xy)))], xy[int(rng.integers(len(xy)))]
    return ops.Split(code, tuple(tuple(p.tolist()) for p in line), (code, name))


def _merge(rng: np.random.Generator, town: Coverage, code: str, name: str) -> ops.Operation:
    other = _beside(rng, town, code)
    return ops.Merge((code, other), code if rng.random() < 0.5 else name)


def _transfer(rng: np.random.Generator, town: Coverage, code: str, _name: str) -> ops.Operation:
    other = _beside(rng, town, code)
    edge = _edge(town, code, other)
    where = (
        edge.interpolate(rng.random(), normalized=True) if edge is not None else town[code].centroid
    )
    lasso = where.buffer(rng.uniform(0.1, 0.4) * _size(town[other]), quad_segs=3)
    givers = (other, *(n for n in town.neighbours(code) if n != other and rng.random() < 0.3))
    return ops.Transfer(lasso, givers, code)


def _redraw(rng: np.random.Generator, town: Coverage, code: str, _name: str) -> ops.Operation:
    shape = town[code]
    away = rng.choice([-0.05, 0.05, 0.1]) * _size(shape)
    drawn = shape.buffer(away, join_style="mitre")
    if rng.random() < 0.5 or drawn.is_empty or drawn.geom_type != "Polygon":
        drawn = shapely.affinity.translate(shape, *rng.normal(0, 0.03 * _size(shape), 2))
    return ops.Redraw(code, drawn)


def _trace(rng: np.random.Generator, town: Coverage, code: str, _name: str) -> ops.Operation:
    """Draw along what is there, off it by a millimetre to a metre: where slivers come from."""
    other, noise = _beside(rng, town, code), 10 ** rng.uniform(-8, -5)
    edge = _edge(town, code, other)
    if edge is None or rng.random() < 0.3:
        xy = corners(shapely.get_parts(town[code])[0].exterior)
        xy = xy + rng.normal(0, noise, xy.shape)
        return ops.Redraw(code, shapely.Polygon(xy[:-1]))
    xy = corners(edge)
    xy = xy + rng.normal(0, noise, xy.shape)
    if rng.random() < 0.5:
        return ops.Reshape(tuple(tuple(place) for place in xy.tolist()))
    band = shapely.LineString(xy).buffer(10 ** rng.uniform(-7.5, -4), quad_segs=2)
    return ops.Transfer(band, (other,), code)


KINDS: dict[str, Callable[[np.random.Generator, Coverage, str, str], ops.Operation]] = {
    "move": _move, "insert": _insert, "remove": _remove, "reshape": _reshape, "split": _split,
    "merge": _merge, "transfer": _transfer, "redraw": _redraw, "trace": _trace,
}  # fmt: skip


def twice_the_area(shapes: Iterable[Shape]) -> int:
    """Twice the area of polygons in lattice steps, exact."""
    rings, polygon = shapely.get_rings(shapely.get_parts(list(shapes)), return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    x, y = np.rint(xy * 1e8).astype(np.int64).T
    # Sums that overflow come back: whole numbers modulo 2^64, of which an area is a small one.
    crossed = np.where(ring[1:] == ring[:-1], x[:-1] * y[1:] - x[1:] * y[:-1], 0)
    twice = np.zeros(len(rings), dtype=np.int64)
    np.add.at(twice, ring[1:], crossed)
    first = np.r_[True, polygon[1:] != polygon[:-1]]
    return int(np.where(first, np.abs(twice), -np.abs(twice)).sum())


def exact(town: Coverage, change: Change, before: dict[str, Shape]) -> None:
    """Assert everything that holds after a change, near it and by means of its own."""
    now = town.polygons
    others = [code for code in now if code not in change.after]
    for code in others:
        assert now[code] is before[code], f"{code} was not touched but is another object"
    assert set(before) - set(now) == set(change.before) - set(change.after)
    touched = list(change.after.values())
    rest = np.array([now[code] for code in others], dtype=object)
    west, south, east, north = shapely.total_bounds([*change.before.values(), *touched])
    a, b, c, d = shapely.bounds(rest).T if len(rest) else np.empty((4, 0))
    around = rest[(a <= east) & (c >= west) & (b <= north) & (d >= south)]
    # On whole steps, as GEOS' tolerance is relative.
    plan = shapely.transform(
        np.array([*touched, *around], dtype=object), lambda xy: np.rint(xy * 1e8)
    )
    assert shapely.is_valid(plan).all()
    assert shapely.coverage_is_valid(plan)
    xy = shapely.get_coordinates(touched)
    assert (np.rint(xy * 1e8) / 1e8 == xy).all(), "a coordinate off the lattice"
    # 1e-6 m² is one step by one step: exactly the same area is asked.
    gave, got = twice_the_area(change.before.values()), twice_the_area(touched)
    assert gave == got, f"area {(got - gave) / 2} steps² from {gave / 2}"
    parts = [len(shapely.get_parts(shape)) for shape in change.before.values()]
    # A merge of grids in several pieces adds them up, less what it joins.
    most = 1 + sum(parts) - len(parts) if len(change.after) == 1 else max(parts)
    for shape in touched:
        assert len(shapely.get_parts(shape)) <= most, "a grid in more pieces than before"
    hollow = [_holes([*group, *around]) for group in (change.before.values(), touched)]
    assert hollow[0] == hollow[1], "a gap"


def _holes(shapes: list[Shape]) -> int:
    united = shapely.coverage_union_all(shapes)
    return sum(len(part.interiors) for part in shapely.get_parts(united))


def same(one: dict[str, Shape], two: dict[str, Shape]) -> bool:
    """Whether two tables hold the same bytes."""
    return one.keys() == two.keys() and all(
        one[code] is two[code] or one[code].wkb == two[code].wkb for code in one
    )


def told(refusal: Refused) -> None:
    assert refusal.reason.zh.endswith("。")
    assert refusal.reason.en.endswith(".")


class Walk:
    """A random walk of operations, undo and redo, checked at every step."""

    def __init__(self, polygons: dict[str, Shape]) -> None:
        self.town = Coverage(polygons)
        self.start = self.town.polygons
        self.done: list[Change] = []
        self.undone: list[Change] = []
        self.count = self.refused = 0

    def step(self, rng: np.random.Generator, kind: str) -> None:
        before = self.town.polygons
        self.count += 1
        if kind == "undo":
            if self.done:
                change = self.done.pop()
                self.town.revert(change)
                self.undone.append(change)
                assert all(self.town[c].wkb == s.wkb for c, s in change.before.items())
            return
        if kind == "redo":
            if self.undone:
                change = self.undone.pop()
                self.town.apply(change)
                self.done.append(change)
                assert all(self.town[c].wkb == s.wkb for c, s in change.after.items())
            return
        codes = sorted(before)
        code = codes[int(rng.integers(len(codes)))]
        operation = KINDS[kind](rng, self.town, code, f"n{self.count}")
        operation = ops.operation(operation.json())
        try:
            change = operation.do(self.town)
        except Refused as refusal:
            self.refused += 1
            told(refusal)
            assert same(before, self.town.polygons), "refused, and yet changed"
            return
        self.done.append(change)
        self.undone.clear()
        exact(self.town, change, before)

    def finish(self) -> None:
        """Check the whole, then undo everything."""
        plan = shapely.transform(
            np.array(list(self.town.polygons.values()), dtype=object), lambda xy: np.rint(xy * 1e8)
        )
        assert shapely.coverage_is_valid(plan)
        while self.done:
            self.town.revert(self.done.pop())
        assert same(self.start, self.town.polygons)


def walk(polygons: dict[str, Shape], steps: int, seed: int) -> Walk:
    rng = np.random.default_rng(seed)
    made = Walk(polygons)
    kinds = [*KINDS, "undo", "redo"]
    for _ in range(steps):
        made.step(rng, kinds[int(rng.integers(len(kinds)))])
    return made
