"""The inner loops of visibility: the nearest wall in every direction, exactly.

Around the camera every wall covers an interval of angles, in which 1/distance is a sinusoid of the
angle. Two sinusoids of one period differ by a third, so two walls change places at most once in
less than half a turn. The nearest wall everywhere is therefore an upper envelope, merged from
halves as in a merge sort, in O(n log n); walls may cross, touch or lie on each other.

Source: J. Hershberger, "Finding the upper envelope of n line segments in O(n log n) time",
Information Processing Letters 33 (1989), by merging as in Atallah (1985).
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo_service.analysis.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NARROW = 1e-9
"""Radians. Gaps and walls that look narrower are rounding: 0.1 µm at 100 m."""

TOUCH = 1e-6
"""Metres. A wall nearer than this is the one that the camera hangs on."""

ARC = 2 * math.pi / 256
"""Radians an edge of a circle takes: 64 edges a quadrant."""

_MASONRY = -1


class Walls(NamedTuple):
    """Wall segments, row by row x1, y1, x2, y2, those of wall set b from ``first[b]`` on."""

    segment: Floats
    first: Ints


class Places(NamedTuple):
    """Where to look from: place c has the wall sets ``near[first[c]:first[c + 1]]`` around it.

    ``reach`` is the radius; of the square around the place where ``square``. From ``blocked_low``
    counter-clockwise to ``blocked_high`` the place's own wall stops the view at once.
    """

    xy: Floats
    reach: Floats
    square: bool
    first: Ints
    near: Ints
    blocked_first: Ints
    blocked_low: Floats
    blocked_high: Floats


@compiled
def along(wall: Floats, angle: float) -> tuple[float, float]:
    """Return the point of a wall in a direction from the origin, never beyond its ends."""
    c, s = math.cos(angle), math.sin(angle)
    before = wall[0] * s - wall[1] * c
    after = wall[2] * s - wall[3] * c
    span = before - after
    t = before / span if span > 0 else 0.5
    # An end is itself, so that walls which share one meet in the very same point.
    if t <= 1e-12:
        return wall[0], wall[1]
    if t >= 1 - 1e-12:
        return wall[2], wall[3]
    return wall[0] + t * (wall[2] - wall[0]), wall[1] + t * (wall[3] - wall[1])


@compiled
def closeness(wall: Floats, angle: float) -> float:
    """Return 1/distance of a wall in a direction."""
    x, y = along(wall, angle)
    return 1.0 / max(math.hypot(x, y), 1e-12)


@compiled
def keep(made: Floats, name: Ints, count: int, low: float, high: float, wall: int) -> int:  # noqa: PLR0917 - compiled
    """Append a piece of the envelope, or lengthen the last one; return how many there are."""
    if high <= low:
        return count
    if count > 0 and name[count - 1] == wall and made[count - 1, 1] == low:
        made[count - 1, 1] = high
        return count
    made[count, 0], made[count, 1], name[count] = low, high, wall
    return count + 1


@compiled
def nearer(  # noqa: PLR0917 - compiled
    walls: Floats, made: Floats, name: Ints, count: int, low: float, high: float, one: int, two: int
) -> int:
    """Append the nearer of two walls from ``low`` to ``high``, both where they change places."""
    if one < 0 or two < 0:  # either is masonry
        return keep(made, name, count, low, high, _MASONRY)
    at_low = closeness(walls[one], low) - closeness(walls[two], low)
    at_high = closeness(walls[one], high) - closeness(walls[two], high)
    if at_low >= 0 and at_high >= 0:
        return keep(made, name, count, low, high, one)
    if at_low <= 0 and at_high <= 0:
        return keep(made, name, count, low, high, two)
    wide = high - low
    turn = math.atan2(abs(at_low) * math.sin(wide), abs(at_low) * math.cos(wide) + abs(at_high))
    cut = min(max(low + turn, low), high)
    first, second = (one, two) if at_low > 0 else (two, one)
    count = keep(made, name, count, low, cut, first)
    return keep(made, name, count, cut, high, second)


@compiled
def merged(  # noqa: PLR0917 - compiled
    walls: Floats, old: Floats, owner: Ints, bounds: Ints, made: Floats, name: Ints, count: int
) -> int:
    """Append the envelope of two envelopes, ``old`` from bounds[0] to [1] and from [1] to [2]."""
    i, j, x = bounds[0], bounds[1], -math.inf
    while i < bounds[1] or j < bounds[2]:
        one = max(old[i, 0], x) if i < bounds[1] else math.inf
        two = max(old[j, 0], x) if j < bounds[2] else math.inf
        if one < two:
            end = min(old[i, 1], two)
            count = keep(made, name, count, one, end, owner[i])
        elif two < one:
            end = min(old[j, 1], one)
            count = keep(made, name, count, two, end, owner[j])
        else:
            end = min(old[i, 1], old[j, 1])
            count = nearer(walls, made, name, count, one, end, owner[i], owner[j])
        x = end
        if i < bounds[1] and old[i, 1] <= x:
            i += 1
        if j < bounds[2] and old[j, 1] <= x:
            j += 1
    return count


@compiled
def envelope(walls: Floats, made: Floats, name: Ints, count: int) -> tuple[Floats, Ints, int]:
    """Return the nearest wall over all angles from single pieces, in any order."""
    starts = np.arange(count + 1)
    while len(starts) > 2:
        lists = len(starts) - 1
        room = 4 * starts[lists] + 4 * lists + 4
        next_made, next_name = np.empty((room, 2)), np.empty(room, np.int64)
        next_starts = np.zeros((lists + 1) // 2 + 1, np.int64)
        count = 0
        for k in range((lists + 1) // 2):
            bounds = np.array(
                [starts[2 * k], starts[2 * k + 1], starts[min(2 * k + 2, lists)]], np.int64
            )
            count = merged(walls, made, name, bounds, next_made, next_name, count)
            next_starts[k + 1] = count
        made, name, starts = next_made, next_name, next_starts
    return made, name, count


@compiled
def clipped(wall: Floats, reach: float, kept: Floats) -> bool:
    """Put the part of a wall in the circle into ``kept``, seen counter-clockwise; False if none.

    Walls that the camera hangs on, or that it sees edge on, hide nothing.
    """
    x, y, dx, dy = wall[0], wall[1], wall[2] - wall[0], wall[3] - wall[1]
    long = dx * dx + dy * dy
    if long == 0:
        return False
    foot = -(x * dx + y * dy) / long
    off = (x + foot * dx) ** 2 + (y + foot * dy) ** 2
    if off >= reach * reach:
        return False
    half = math.sqrt((reach * reach - off) / long)
    start, end = max(0.0, foot - half), min(1.0, foot + half)
    if start >= end:
        return False
    close = min(max(foot, 0.0), 1.0)
    if (x + close * dx) ** 2 + (y + close * dy) ** 2 <= TOUCH * TOUCH:
        return False
    kept[0], kept[1] = (x, y) if start == 0 else (x + start * dx, y + start * dy)
    kept[2], kept[3] = (wall[2], wall[3]) if end == 1 else (x + end * dx, y + end * dy)
    side = kept[0] * kept[3] - kept[1] * kept[2]
    if side < 0:
        x, y = kept[0], kept[1]
        kept[0], kept[1], kept[2], kept[3] = kept[2], kept[3], x, y
    size = math.hypot(kept[0], kept[1]) * math.hypot(kept[2], kept[3])
    seen: bool = abs(side) > 1e-12 * size
    return seen


@compiled
def add_interval(pieces: Floats, name: Ints, count: int, low: float, high: float, wall: int) -> int:  # noqa: PLR0917 - compiled
    """Append an interval of angles, in two where it passes ±π."""
    if high > low:
        pieces[count, 0], pieces[count, 1], name[count] = low, high, wall
        return count + 1
    if low < math.pi:
        pieces[count, 0], pieces[count, 1], name[count] = low, math.pi, wall
        count += 1
    if high > -math.pi:
        pieces[count, 0], pieces[count, 1], name[count] = -math.pi, high, wall
        count += 1
    return count


@compiled
def put(ring: Floats, count: int, x: float, y: float) -> int:
    """Append a corner unless it repeats the last one."""
    if count and abs(ring[count - 1, 0] - x) < 1e-9 and abs(ring[count - 1, 1] - y) < 1e-9:
        return count
    ring[count, 0], ring[count, 1] = x, y
    return count + 1


@compiled
def put_arc(ring: Floats, count: int, low: float, high: float, reach: float) -> int:
    """Append an arc whose inner corners lie so far out that it has exactly the circle's area.

    Its ends lie on the circle, or it would reach beyond the walls it ends at.
    """
    steps = max(2, math.ceil((high - low) / ARC - 1e-9))
    wide = (high - low) / steps
    inner, sine = steps - 2, math.sin(wide)
    # inner·r²·sin + 2·r·sin = wide·steps for the unit circle; the root without cancellation.
    total = wide * steps
    radius = reach * total / (sine + math.sqrt(sine * sine + inner * sine * total))
    for k in range(steps + 1):
        angle = low + wide * k
        out = reach if k in (0, steps) else radius
        count = put(ring, count, out * math.cos(angle), out * math.sin(angle))
    return count


@compiled
def outline(
    walls: Floats, pieces: Floats, name: Ints, total: int, reach: float
) -> tuple[Floats, int]:
    """Return the corners of what is seen, counter-clockwise: walls, and arcs between."""
    ring = np.empty((4 * total + 2 * int(2 * math.pi / ARC) + 16, 2))
    count, at = 0, -math.pi
    for k in range(total):
        low, high = pieces[k, 0], pieces[k, 1]
        if high - low < NARROW:
            continue
        if low - at > NARROW:
            count = put_arc(ring, count, at, low, reach)
        if name[k] == _MASONRY:
            count = put(ring, count, 0.0, 0.0)
        else:
            x, y = along(walls[name[k]], low)
            count = put(ring, count, x, y)
            x, y = along(walls[name[k]], high)
            count = put(ring, count, x, y)
        at = high
    if math.pi - at > NARROW:
        count = put_arc(ring, count, at, math.pi, reach)
    while count > 1 and (
        abs(ring[count - 1, 0] - ring[0, 0]) < 1e-9 and abs(ring[count - 1, 1] - ring[0, 1]) < 1e-9
    ):
        count -= 1
    return ring, count


@compiled
def seen_from(place: int, places: Places, walls: Walls) -> tuple[Floats, int]:
    """Return the corners of what is seen from one place, about that place."""
    first, last = places.first[place], places.first[place + 1]
    most = 4
    for k in range(first, last):
        most += walls.first[places.near[k] + 1] - walls.first[places.near[k]]
    wall = np.empty((most, 4))
    blocked = places.blocked_first[place + 1] - places.blocked_first[place]
    pieces = np.empty((2 * most + 2 * blocked, 2))
    name = np.empty(2 * most + 2 * blocked, np.int64)
    raw = np.empty(4)
    reach, used, count = places.reach[place], 0, 0
    limit = reach
    if places.square:
        limit = 1.5 * reach
        for k in range(4):
            x = reach if k in (0, 3) else -reach
            y = reach if k < 2 else -reach
            wall[used, 0], wall[used, 1], wall[used, 2], wall[used, 3] = x, y, -y, x
            low, high = math.atan2(y, x), math.atan2(x, -y)
            count = add_interval(pieces, name, count, low, high, used)
            used += 1
    ox, oy = places.xy[place, 0], places.xy[place, 1]
    for k in range(first, last):
        for s in range(walls.first[places.near[k]], walls.first[places.near[k] + 1]):
            raw[0], raw[1] = walls.segment[s, 0] - ox, walls.segment[s, 1] - oy
            raw[2], raw[3] = walls.segment[s, 2] - ox, walls.segment[s, 3] - oy
            if clipped(raw, limit, wall[used]):
                low = math.atan2(wall[used, 1], wall[used, 0])
                high = math.atan2(wall[used, 3], wall[used, 2])
                count = add_interval(pieces, name, count, low, high, used)
                used += 1
    for k in range(places.blocked_first[place], places.blocked_first[place + 1]):
        low, high = places.blocked_low[k], places.blocked_high[k]
        count = add_interval(pieces, name, count, low, high, _MASONRY)
    pieces, name, total = envelope(wall, pieces, name, count)
    return outline(wall, pieces, name, total, reach)


@compiled
def seen_from_all(low: int, high: int, places: Places, walls: Walls) -> tuple[Floats, Ints]:
    """Return the corners of what is seen from the places ``low`` to ``high``, and how many each."""
    corners = np.empty((64 * (high - low) + 64, 2))
    counts = np.zeros(high - low, np.int64)
    total = 0
    for place in range(low, high):
        ring, count = seen_from(place, places, walls)
        if total + count > len(corners):
            more = np.empty((2 * (total + count), 2))
            more[:total] = corners[:total]
            corners = more
        for k in range(count):
            corners[total + k, 0] = ring[k, 0] + places.xy[place, 0]
            corners[total + k, 1] = ring[k, 1] + places.xy[place, 1]
        counts[place - low] = count
        total += count
    return corners[:total], counts
