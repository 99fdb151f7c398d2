"""The second primitive: lines over grids, noded, cut into faces, and the faces given to grids.

Each function draws into a sketch and returns the codes whose areas it changes and, where it is not
as many as before, in how many parts a grid may lie afterwards.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import shapely

from geo_service.analysis.sentence import Sentence
from geo_service.boundaries.faces import Faces, span
from geo_service.boundaries.lattice import Edge, Frame, Shape, width
from geo_service.boundaries.refusal import Place, Refused, listed
from geo_service.boundaries.sketch import REACH, Sketch

MOST_GRIDS = 200
"""A line or a polygon over more grids than this was not meant for them."""

Drawn = tuple[list[str], dict[str, int]]


def reshape(sketch: Sketch, line: Shape) -> Drawn:
    """Let the edge between two grids follow a line."""
    frame = sketch.ground.frame
    met = _met(sketch, line)
    if not met:
        raise Refused(
            Sentence("这条线没有穿过任何网格。", "This line does not run through any grid."),
            frame.place(shapely.get_coordinates(line)[0]),
        )
    faces = sketch.node(met, line)
    thin = set(faces.thin())
    cut = {}
    for code in met:
        pieces = _pieces(sketch, faces, code, thin)
        if len(pieces) > 1:
            cut[code] = pieces
    if not cut:
        raise Refused(
            Sentence(
                "这条线的两端没有都到达同一条边界。",
                "This line does not begin and end on the edge between two grids.",
            ),
            _dangling(sketch, met, line),
        )
    if len(cut) > 2:
        third = min(cut.values(), key=lambda pieces: shapely.area(faces.shapes[pieces]).sum())
        zh, en = listed(sorted(cut))
        raise Refused(
            Sentence(
                f"这条线切过了网格 {zh}，一次只能改两个网格之间的边界。",
                f"This line cuts grids {en}: reshape the edge between two at a time.",
            ),
            _inside(frame, faces.shapes[third[0]]),
        )
    if len(cut) == 2:
        one, two = sorted(cut)
    else:
        ((one, pieces),) = cut.items()
        two = _other_side(sketch, faces, one, pieces)
    return _exchange(sketch, faces, cut, one, two)


def _exchange(sketch: Sketch, faces: Faces, cut: dict[str, list[int]], one: str, two: str) -> Drawn:
    # A piece changes hands where it lies along the old edge; the largest stays if all of them do.
    given: dict[str, list[int]] = {one: [], two: []}
    for code, other in ((one, two), (two, one)):
        if code not in cut:
            continue
        edge = {(head, tail) for tail, head in sketch.directed(other)}
        along = [i for i in cut[code] if not edge.isdisjoint(faces.sides[i])]
        if not along and len(cut) == 2:
            continue
        if len(along) == len(cut[code]):
            along.remove(max(along, key=lambda i: float(shapely.area(faces.shapes[i]))))
        given[code] = along
    if not given[one] and not given[two]:
        raise Refused(
            Sentence(
                f"网格 {one} 与 {two} 之间没有可改的公共边界。",
                f"There is no edge between grids {one} and {two} for this line to reshape.",
            ),
            _inside(sketch.ground.frame, faces.shapes[cut[one][0]]),
        )
    label: list[str | None] = list(faces.owner)
    for code, other in ((one, two), (two, one)):
        for i in given[code]:
            label[i] = other
    faces.absorb(label)
    noded = [code for code in (one, two) if code in faces.owner]
    _relabel(sketch, faces, label, noded, [one, two])
    return [one, two], {}


def _other_side(sketch: Sketch, faces: Faces, code: str, pieces: list[int]) -> str:
    """Return the grid that has the most edge along the pieces but the largest of them."""
    rest = sorted(pieces, key=lambda i: -float(shapely.area(faces.shapes[i])))
    for chosen in (rest[1:], rest):
        shared = _beside(sketch, [edge for i in chosen for edge in faces.sides[i]], {code})
        if shared:
            return max(sorted(shared), key=lambda other: shared[other])
    raise Refused(
        Sentence(
            f"网格 {code} 的这一侧没有别的网格，外边界不可改动。",
            f"There is no other grid on this side of grid {code}; the outer boundary stays.",
        ),
        _inside(sketch.ground.frame, faces.shapes[rest[-1]]),
    )


def split(sketch: Sketch, code: str, line: Shape, new_codes: Sequence[str]) -> Drawn:
    """Divide a grid along a line."""
    names = [str(name) for name in new_codes]
    frame = sketch.ground.frame
    if len(names) < 2:
        raise Refused(Sentence("切分需要至少两个编码。", "A split needs two codes at least."))
    _fresh(sketch, names, [code])
    faces = sketch.node([code], line)
    thin = set(faces.thin())
    pieces = _pieces(sketch, faces, code, thin)
    if len(pieces) < 2:
        raise _uncut(sketch, code, line)
    label: list[Any] = [None] * len(faces.shapes)
    for i in faces.of(code):
        label[i] = i
    faces.absorb(label)
    groups = {i: [j for j in faces.of(code) if label[j] == i] for i in pieces}
    loose = [i for i in faces.of(code) if label[i] not in groups]
    for i in loose:
        # Parts of a grid in several parts which the line does not cut stay with the nearest piece.
        away = [float(shapely.distance(faces.shapes[i], faces.shapes[j])) for j in pieces]
        groups[pieces[int(np.argmin(away))]].append(i)
    if len(pieces) != len(names):
        small = min(pieces, key=lambda i: float(shapely.area(faces.shapes[i])))
        raise Refused(
            Sentence(
                f"这条线把网格 {code} 切成 {len(pieces)} 块，而编码有 {len(names)} 个；"
                "请让线只穿过网格一次。",
                f"This line cuts grid {code} into {len(pieces)} parts, and there are {len(names)} "
                "codes: let it cross the grid once.",
            ),
            _inside(frame, faces.shapes[small]),
        )
    made = [sketch.unite(faces.shapes[members]) for members in groups.values()]
    centres = shapely.get_coordinates(shapely.centroid(made))
    order = sorted(range(len(made)), key=lambda i: (centres[i, 0], -centres[i, 1]))
    if code in names:
        largest = max(order, key=lambda i: float(made[i].area))
        order.remove(largest)
        order.insert(names.index(code), largest)
    parts = max(1, len(shapely.get_parts(sketch.shape(code))))
    sketch.put(code, None)
    for name, i in zip(names, order, strict=True):
        sketch.put(name, made[i])
    return names, dict.fromkeys(names, parts)


def merge(sketch: Sketch, codes: Sequence[str], into: str) -> Drawn:
    """Make one grid of several."""
    names = sorted(set(codes))
    if len(names) < 2:
        raise Refused(Sentence("合并需要至少两个网格。", "A merge needs two grids at least."))
    _fresh(sketch, [into], names)
    shapes = {name: sketch.shape(name) for name in names}
    reached, waiting = [names[0]], set(names[1:])
    for name in reached:
        back = {(head, tail) for tail, head in sketch.directed(name)}
        beside = sorted(o for o in waiting if not back.isdisjoint(sketch.directed(o)))
        reached += beside
        waiting -= set(beside)
    if waiting:
        far = sorted(waiting)
        zh, en = listed(far)
        zh_rest, en_rest = listed(sorted(reached))
        raise Refused(
            Sentence(
                f"网格 {zh} 与 {zh_rest} 没有公共边界，不能合并。",
                f"Grid {en} shares no edge with {en_rest}: they cannot be merged.",
            ),
            _inside(sketch.ground.frame, shapes[far[0]]),
        )
    parts = 1 + sum(len(shapely.get_parts(shape)) - 1 for shape in shapes.values())
    united = sketch.unite(shapes.values())
    for name in names:
        sketch.put(name, None)
    sketch.put(into, united)
    return [into], {into: parts}


def transfer(sketch: Sketch, polygon: Shape, from_codes: Sequence[str], to_code: str) -> Drawn:
    """Give what lies within a polygon from some grids to another."""
    givers = sorted(set(from_codes))
    frame = sketch.ground.frame
    if not givers or to_code in givers:
        raise Refused(
            Sentence(
                "请选择与接收网格不同的划出网格。",
                "Choose grids to take from, other than the one that receives.",
            )
        )
    givers = [code for code in givers if _overlaps(sketch.shape(code), polygon)]
    if not givers:
        raise Refused(
            Sentence(
                "所画的面没有碰到要划出的网格。",
                "The drawn area does not cover any of the grids to take from.",
            ),
            frame.place(_point(polygon)),
        )
    faces = _noded(sketch, givers, polygon)
    label: list[str | None] = list(faces.owner)
    for i in _within(faces, polygon):
        if faces.owner[i] is not None:
            label[i] = to_code
    faces.absorb(label)
    if to_code not in label:
        raise Refused(
            Sentence(
                "所画的面太窄，没有可划转的部分。",
                "The drawn area is too narrow: nothing would change hands.",
            ),
            frame.place(_point(polygon)),
        )
    for code in givers:
        if code not in label:
            raise _swallowed(sketch, code)
    _relabel(sketch, faces, label, givers, [to_code])
    return [*givers, to_code], {}


def redraw(sketch: Sketch, code: str, polygon: Shape) -> Drawn:
    """Give a grid a new shape; its neighbours give and take."""
    around = [
        other
        for other in _limited(sketch, polygon)
        if other != code and _overlaps(sketch.shape(other), polygon)
    ]
    if not _overlaps(sketch.shape(code), polygon):
        raise Refused(
            Sentence(
                f"新的边界完全离开了网格 {code} 原来的位置。",
                f"The new shape lies wholly outside grid {code} as it is.",
            ),
            sketch.ground.frame.place(_point(polygon)),
        )
    codes = [code, *around]
    faces = _noded(sketch, codes, polygon)
    inside = set(_within(faces, polygon))
    label: list[str | None] = list(faces.owner)
    lost = []
    for i, owner in enumerate(faces.owner):
        if i in inside and (owner is not None or sketch.outer):
            label[i] = code
        elif owner == code:
            label[i] = ""
            lost.append(i)
    thin = set(faces.thin())
    for i in thin:
        # A narrow face stays whose it is, unless that would tear it off.
        label[i] = faces.owner[i]
    faces.absorb(label)
    takers = _share_out(sketch, faces, label, code)
    for other in around:
        if other not in label:
            raise _swallowed(sketch, other)
    _relabel(sketch, faces, label, codes, takers)
    return [*codes, *(taker for taker in takers if taker not in codes)], {}


def _share_out(sketch: Sketch, faces: Faces, label: list[str | None], code: str) -> list[str]:
    """Give each face labelled "" to the grid with the longest edge along it, and return those."""
    outside: dict[Edge, str | None] = {}
    takers: list[str] = []
    # Beside the outline a strip that nobody else can take was meant to lie on it.
    strips = {i for i in range(len(label)) if label[i] == "" and _narrow(faces, i)}
    left = [i for i, name in enumerate(label) if name == ""]
    while left:
        rest = []
        for i in left:
            shared: dict[str | None, float] = {}
            for tail, head in faces.sides[i]:
                at = faces.beside.get((head, tail))
                name = label[at] if at is not None and faces.owner[at] is not None else None
                if name is None:
                    if (tail, head) not in outside:
                        found = sketch.holders(tail, head).get((head, tail))
                        outside[tail, head] = found
                    name = outside[tail, head]
                if name in {"", code} or (name is None and not sketch.outer):
                    continue
                shared[name] = shared.get(name, 0.0) + span(tail, head)
            if shared:
                label[i] = max(sorted(shared, key=str), key=lambda name: shared[name])
                if label[i] is not None:
                    takers.append(str(label[i]))
            elif i in strips and not sketch.outer:
                label[i] = code
            else:
                rest.append(i)
        if len(rest) == len(left):
            raise Refused(
                Sentence(
                    f"网格 {code} 让出的这一块旁边没有别的网格可以接收。",
                    f"No other grid lies beside this piece, which grid {code} leaves.",
                ),
                _inside(sketch.ground.frame, faces.shapes[rest[0]]),
            )
        left = rest
    return sorted(set(takers))


def _narrow(faces: Faces, i: int) -> bool:
    return bool(width(faces.shapes[i : i + 1])[0] < 2 * REACH)


def _relabel(
    sketch: Sketch,
    faces: Faces,
    label: Sequence[str | None],
    codes: Sequence[str],
    takers: Iterable[str] = (),
) -> None:
    """Unite the faces by label; ``takers`` were not noded and keep what they have."""
    for code in codes:
        own = [i for i, name in enumerate(label) if name == code]
        if own != faces.of(code):
            shapes = faces.shapes[own]
            sketch.put(code, sketch.unite(shapes) if own else shapely.Polygon())
    for code in takers:
        if code not in codes:
            new = [i for i, name in enumerate(label) if name == code]
            sketch.put(code, sketch.unite([sketch.shape(code), *faces.shapes[new]]))


def _pieces(sketch: Sketch, faces: Faces, code: str, thin: set[int]) -> list[int]:
    """Return the faces into which parts of a grid are cut; none where the line cuts nothing."""
    own = [i for i in faces.of(code) if i not in thin]
    if len(own) < 2:
        return own
    parts = shapely.get_parts(sketch.shape(code))
    if len(parts) == 1:
        return own
    points = shapely.point_on_surface(faces.shapes[own])
    at, part = shapely.STRtree(parts).query(points, predicate="intersects")
    of = dict(zip(at.tolist(), part.tolist(), strict=True))
    count: dict[int, int] = {}
    for k in of.values():
        count[k] = count.get(k, 0) + 1
    return [i for k, i in enumerate(own) if count.get(of.get(k, -1), 0) > 1]


def _beside(sketch: Sketch, sides: Sequence[Edge], without: set[str]) -> dict[str, float]:
    """Return how much edge each grid has along directed edges, on their other side."""
    shared: dict[str, float] = {}
    ends = np.array([Frame.unpack(end) for edge in sides for end in edge], dtype=np.float64)
    bounds = (*ends.min(axis=0), *ends.max(axis=0))
    back = {(head, tail) for tail, head in sides}
    for code in sketch.near(bounds):
        if code not in without:
            for edge in back & sketch.directed(code):
                shared[code] = shared.get(code, 0.0) + span(*edge)
    return shared


def _noded(sketch: Sketch, codes: Sequence[str], polygon: Shape) -> Faces:
    lines = shapely.get_parts(shapely.boundary(polygon))
    if len(lines) == 1:
        return sketch.node(codes, shapely.LineString(lines[0]))
    return sketch.node(codes, shapely.multilinestrings(lines))


def _within(faces: Faces, polygon: Shape) -> list[int]:
    points = shapely.point_on_surface(faces.shapes)
    shapely.prepare(polygon)
    return [int(i) for i in np.flatnonzero(shapely.contains(polygon, points))]


def _limited(sketch: Sketch, shape: Shape) -> list[str]:
    codes = sketch.near(shape.bounds)
    if len(codes) > MOST_GRIDS:
        raise Refused(
            Sentence(
                f"所画范围涉及 {len(codes)} 个网格，一次最多 {MOST_GRIDS} 个。",
                f"This is drawn over {len(codes)} grids: {MOST_GRIDS} are the most at a time.",
            ),
            sketch.ground.frame.place(shapely.get_coordinates(shape)[0]),
        )
    return codes


def _met(sketch: Sketch, line: Shape) -> list[str]:
    codes = _limited(sketch, line)
    shapes = np.array([sketch.shape(code) for code in codes], dtype=object)
    if not codes:
        return []
    through = shapely.relate_pattern(line, shapes, "T********")
    return [code for code, runs in zip(codes, through, strict=True) if runs]


def _overlaps(shape: Shape, polygon: Shape) -> bool:
    return bool(shapely.relate_pattern(shape, polygon, "T********"))


def _fresh(sketch: Sketch, names: Sequence[str], given_up: Sequence[str]) -> None:
    """Raise unless new codes are words of their own that no remaining grid has."""
    for name in names:
        if not name.strip():
            raise Refused(Sentence("编码不能为空。", "A code cannot be empty."))
        if name in sketch.ground and name not in given_up:
            raise Refused(
                Sentence(f"编码 {name} 已有网格使用。", f"Code {name} belongs to another grid."),
                _inside(sketch.ground.frame, sketch.ground.plan(name)),
            )
    if len(set(names)) != len(names):
        raise Refused(Sentence("新编码有重复。", "A new code is given twice."))


def _uncut(sketch: Sketch, code: str, line: Shape) -> Refused:
    shape = sketch.shape(code)
    if not shapely.relate_pattern(line, shape, "T********"):
        return Refused(
            Sentence(
                f"这条线没有穿过网格 {code}。", f"This line does not run through grid {code}."
            ),
            sketch.ground.frame.place(shapely.get_coordinates(line)[0]),
        )
    return Refused(
        Sentence(
            f"这条线没有把网格 {code} 切开，它在网格内就断了。",
            f"This line ends within grid {code} and does not divide it.",
        ),
        _dangling(sketch, [code], line),
    )


def _dangling(sketch: Sketch, codes: Sequence[str], line: Shape) -> Place:
    """Return the end of a line that stops inside a grid."""
    xy = shapely.get_coordinates(line)
    shapes = np.array([sketch.shape(code) for code in codes], dtype=object)
    for end in (xy[-1], xy[0]):
        if shapely.contains_xy(shapes, *end).any():
            return sketch.ground.frame.place(end)
    return sketch.ground.frame.place(xy[0])


def _swallowed(sketch: Sketch, code: str) -> Refused:
    return Refused(
        Sentence(
            f"网格 {code} 会被整个吞掉；若要如此，请用合并。",
            f"Grid {code} would be swallowed whole; if that is meant, merge it.",
        ),
        _inside(sketch.ground.frame, sketch.ground.plan(code)),
    )


def _inside(frame: Frame, shape: Shape) -> Place:
    return frame.place(_point(shape))


def _point(shape: Shape) -> tuple[float, float]:
    point = shapely.point_on_surface(shape)
    return float(point.x), float(point.y)
