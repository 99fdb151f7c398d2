"""The grids of a draft as the service has them, and places in them to work at."""

import itertools
import math
from collections import Counter
from typing import Any

import shapely
from playwright.sync_api import Page
from shapely.geometry import shape

AREA = "990101101005"
Place = tuple[float, float]
Grids = dict[str, Any]


def ask(page: Page, url: str, draft: str, part: str) -> Any:
    answer = page.request.get(f"{url}/api/drafts/{draft}{part}")
    assert answer.ok, answer.text()
    return answer.json()


def grids_of(page: Page, url: str, draft: str) -> Grids:
    """The grids by code, with what may be edited."""
    found = ask(page, url, draft, "/grids")["features"]
    return {each["properties"]["code"]: each for each in found}


def shapes_of(grids: Grids) -> dict[str, Any]:
    return {code: shape(each["geometry"]) for code, each in grids.items()}


def corners(each: Any) -> list[Place]:
    return [(x, y) for x, y in shapely.get_coordinates(shape(each["geometry"])).tolist()]


def sides(grids: Grids) -> Counter[frozenset[Place]]:
    """How many grids each edge belongs to."""
    found: Counter[frozenset[Place]] = Counter()
    for each in grids.values():
        for ring in shapely.get_rings(shape(each["geometry"])):
            xy = [tuple(corner) for corner in shapely.get_coordinates(ring).tolist()]
            found.update(frozenset(pair) for pair in itertools.pairwise(xy))
    return found


def editable(grids: Grids) -> Grids:
    return {code: each for code, each in grids.items() if each["properties"]["editable"]}


def holders(grids: Grids, place: Place) -> list[str]:
    return sorted(code for code, each in grids.items() if place in corners(each))


def three_way(grids: Grids) -> tuple[Place, list[str]]:
    """A vertex within the town where three grids that may be edited meet, and no other."""
    own = editable(grids)
    edges = sides(grids)
    for place in sorted({corner for each in own.values() for corner in corners(each)}):
        codes = holders(grids, place)
        inner = all(count == 2 for edge, count in edges.items() if place in edge)
        apart = min(
            math.dist(place, corner)
            for code in codes
            for corner in corners(grids[code])
            if corner != place
        )
        if len(codes) == 3 and set(codes) <= set(own) and inner and apart > 2e-4:
            return place, codes
    raise AssertionError("the town has no such node")


def crossing(grids: Grids) -> tuple[str, Place, Place]:
    """A grid, and two places outside it: a line between them cuts it in two."""
    for code, each in sorted(editable(grids).items()):
        body = shape(each["geometry"])
        west, _, east, _ = body.bounds
        middle = shapely.point_on_surface(body).y
        line = shapely.LineString([(west - 1e-3, middle), (east + 1e-3, middle)])
        cut = line.intersection(body)
        if cut.geom_type == "LineString" and cut.length > 1e-3:
            (a, _), (b, _) = cut.coords
            return code, (min(a, b) - 4e-5, middle), (max(a, b) + 4e-5, middle)
    raise AssertionError("no grid is cut in two by a level line")


def long_edge(grids: Grids) -> tuple[str, str, Place]:
    """Two grids that may be edited, and the middle of the longest straight edge between them."""
    own = editable(grids)
    best: tuple[float, str, str, Place] | None = None
    for edge, count in sides(own).items():
        if count != 2:
            continue
        a, b = edge
        codes = sorted(set(holders(own, a)) & set(holders(own, b)))
        length = math.dist(a, b)
        if len(codes) == 2 and (best is None or length > best[0]):
            best = (length, codes[0], codes[1], ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2))
    assert best is not None
    return best[1:]


def came(before: Grids, after: Grids, code: str) -> set[Place]:
    """The vertices that a grid has got."""
    return set(corners(after[code])) - set(corners(before[code]))


def is_coverage(grids: Grids) -> bool:
    return bool(shapely.coverage_is_valid(list(shapes_of(grids).values())))
