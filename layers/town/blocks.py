"""Street blocks: the main streets' meshes, cut down to blocks by local streets."""

from dataclasses import dataclass

import numpy as np
import shapely

from layers.town import outline
from layers.town.coordinates import Array, Bools, Floats, Shape
from layers.town.outline import Street
from layers.town.subdivision import Subdivision

GRID_SIZE = 0.01
"""Precision in metres of the street arrangement: ten steps of the 1e-8 degree lattice."""


_NAME_HEADS = "春福安和宁兴德文桃杏梅竹兰桂荷槐柏松杨莲锦云清瑞永"
_NAME_TAILS = "园苑林香华泽溪庭光祥乐康阳明盛荣湖山新景晖丰"


@dataclass(frozen=True, slots=True)
class Plan:
    """The town on paper, in plan coordinates.

    ``blocks`` cover the town exactly with every junction a vertex of each block beside it;
    ``lots`` are the blocks less streets and river; ``angle`` is in radians from east.
    """

    blocks: Array
    lots: Array
    quarter: Array
    angle: Floats
    streets: list[Street]


def plan(rng: np.random.Generator) -> Plan:
    """Lay out the town: streets, blocks, and the land left between them."""
    main = outline.streets()
    frame = _nodes([*(s.line for s in main), outline.RIVER, outline.BOUNDARY.exterior])
    meshes = _inside(shapely.polygonize(frame))
    roots = rng.permutation([a + b for a in _NAME_HEADS for b in _NAME_TAILS])
    names = (f"{root}{side}" for side in ("", "东", "西") for root in roots)
    local = Subdivision()
    for mesh, quarter in zip(meshes, _quarters(meshes), strict=True):
        local.cut(mesh, str(quarter), names, rng)
    # On the noded frame, not the drawn lines: the cuts end on it, exactly.
    edges = _nodes([*frame, *(s.line for s in local.streets), *local.cuts])
    faces, _, dangles, _ = shapely.polygonize_full(edges)
    blocks = _inside(faces)
    # Noding may nudge a cut, so a block takes its quarter from the piece it lies in.
    tree = shapely.STRtree(local.pieces)
    block, piece = tree.query(shapely.point_on_surface(blocks), "intersects")
    block, once = np.unique(block, return_index=True)
    if len(block) != len(blocks):
        raise RuntimeError("a block lies in no piece of the plan")
    streets = _connected(main + local.streets, edges, dangles)
    return Plan(
        blocks=blocks,
        lots=_lots(blocks, streets),
        quarter=np.array(local.quarter)[piece[once]],
        angle=np.array(local.angle)[piece[once]],
        streets=streets,
    )


def _nodes(lines: list[Shape]) -> Array:
    return np.asarray(shapely.get_parts(shapely.unary_union(lines, grid_size=GRID_SIZE)))


def _inside(faces: Shape) -> Array:
    """Return the faces that lie in the town."""
    parts = shapely.get_parts(faces)
    return np.asarray(parts[shapely.covers(outline.BOUNDARY, shapely.point_on_surface(parts))])


def _quarters(meshes: Array) -> Array:
    middle = shapely.point_on_surface(meshes)
    works = shapely.area(shapely.intersection(meshes, outline.WORKS)) / shapely.area(meshes)
    return np.select(
        [
            shapely.covers(outline.RIVER.buffer(outline.BANK + 4), meshes),
            shapely.covers(outline.OLD_TOWN, middle),
            works > 0.7,
            shapely.covers(outline.RING, middle),
        ],
        ["bank", "old", "works", "estate"],
        "village",
    )


def _connected(streets: list[Street], edges: Array, dangles: Array) -> list[Street]:
    """Return the streets along the arrangement's edges, so that they meet in its junctions.

    Edges that end nowhere, and those of the river and the boundary, are no streets.
    """
    dead = shapely.get_parts(dangles)
    alive: Bools = ~np.isin(shapely.to_wkb(edges), shapely.to_wkb(dead))
    edges = edges[alive]
    tree = shapely.STRtree([s.line for s in streets])
    middle = shapely.line_interpolate_point(edges, 0.5, normalized=True)
    edge, street = tree.query(middle, "dwithin", distance=0.1)
    order = np.lexsort((street, edge))
    edge, first = np.unique(edge[order], return_index=True)
    street = street[order][first]
    found: list[Street] = []
    for n in np.unique(street):
        merged = shapely.line_merge(shapely.union_all(edges[edge[street == n]]))
        s = streets[n]
        found += [Street(s.name, s.road_class, s.width, p) for p in shapely.get_parts(merged)]
    return found


def _lots(blocks: Array, streets: list[Street]) -> Array:
    """Return the largest part of every block that streets, pavements and river leave free."""
    line = np.array([s.line for s in streets])
    reach = np.array([s.width / 2 + (4.0 if s.width > 8 else 1.2) for s in streets])
    # Square ends close the corners of junctions, through which lots would run together.
    strips = shapely.buffer(line, reach, quad_segs=2, cap_style="square")
    river = shapely.buffer(outline.RIVER, outline.RIVER_WIDTH / 2 + 6)
    used = shapely.union_all(np.append(strips, river))
    free = shapely.get_parts(shapely.difference(outline.BOUNDARY.buffer(-4), used))
    part, block = shapely.STRtree(blocks).query(free, "intersects")
    pieces, source = shapely.get_parts(
        shapely.intersection(free[part], blocks[block]), return_index=True
    )
    lots = np.full(len(blocks), shapely.Polygon(), dtype=object)
    # By growing area, so that the largest part of a block is written last.
    order = np.argsort(shapely.area(pieces), kind="stable")
    lots[block[source[order]]] = pieces[order]
    return lots
