"""What helps the hand that draws: a line put onto borders, blocks to click, fair divisions."""

import json
from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import numpy as np
import shapely

from geo_service.analysis.sentence import Sentence
from geo_service.boundaries import suggestion
from geo_service.boundaries.blocks import blocks
from geo_service.boundaries.borders import crossed, off_buildings
from geo_service.boundaries.desk import Desk
from geo_service.boundaries.guards import editable
from geo_service.boundaries.models import Asked, DrawnLine
from geo_service.boundaries.operations import Line
from geo_service.boundaries.paths import drawn
from geo_service.boundaries.refusal import Refused
from geo_service.boundaries.replay import Session
from geo_service.boundaries.snapping import snapped
from geo_service.boundaries.survey import Ground
from geo_service.boundaries.topology import Coverage
from geo_service.database import Principal

By = Literal["block", "building"]


async def line(desk: Desk, asking: Principal, id_: UUID, asked: DrawnLine) -> dict[str, Any]:
    """Return a line put where it is asked, and the buildings that it runs through there.

    Raises :class:`Refused` where it cannot be put there.
    """
    head = await desk.head(asking, id_)
    ground = await desk.ground(asking, head.area)

    def found() -> dict[str, Any]:
        if asked.put == "natural":
            way = snapped(asked.line, ground, asked.tolerance)
        elif asked.put == "off_buildings":
            way = off_buildings(asked.line, ground)
        else:
            way = drawn(asked.line, ground)
        return {"line": way, "crossed": _crossed(way, ground)}

    return await desk.thread(found)


def _crossed(way: Line, ground: Ground) -> list[dict[str, Any]]:
    found = crossed(way, ground)
    outlines = shapely.to_geojson(ground.buildings[[each.building for each in found]])
    homes = ground.households[[each.building for each in found]]
    return [
        {
            "place": each.place,
            "code": ground.codes[each.building],
            "households": None if np.isnan(count) else round(count),
            "outline": json.loads(outline),
        }
        for each, outline, count in zip(found, outlines, homes.tolist(), strict=True)
    ]


async def pieces(desk: Desk, asking: Principal, id_: UUID, codes: Sequence[str], by: By) -> str:
    """Return the blocks of some grids, or what is nearest to each building, to be clicked.

    Raises :class:`Refused` for a grid that is not in the draft's area.
    """
    async with desk.seated(asking, id_) as (head, session):
        coverage = await _copied(desk, session, codes)
    ground = await desk.ground(asking, head.area)
    text = await desk.thread(lambda: _blocks(coverage, sorted(set(codes)), ground, by))
    return f'{{"revision":{head.revision},{text[1:]}'


def _blocks(coverage: Coverage, codes: Sequence[str], ground: Ground, by: By) -> str:
    found = blocks(coverage, codes, ground, np.inf if by == "block" else -1.0)
    order = np.argsort(found.home, kind="stable")
    homes = np.split(order, np.searchsorted(found.home[order], np.arange(len(found.owner))))[1:]
    features = []
    for i, own in enumerate(homes):
        shape = shapely.to_geojson(coverage.frame.lonlat(found.shape([i])))
        lies = sorted({codes[k] for k in found.grid[found.block == i]})
        properties = {
            "codes": lies,
            "code": codes[found.owner[i]],
            "households": round(found.households[i]),
            "buildings": len(own),
            "building_codes": sorted(ground.codes[own]),
            "area_m2": round(found.area[i], 1),
        }
        features.append(
            f'{{"type":"Feature","id":{i},"geometry":{shape},'
            f'"properties":{json.dumps(properties, ensure_ascii=False)}}}'
        )
    return f'{{"type":"FeatureCollection","features":[{",".join(features)}]}}'


async def suggest(desk: Desk, asking: Principal, id_: UUID, asked: Asked) -> str:
    """Return proposals for a draft as it is now. Raises :class:`Refused` for none."""
    wanted = [asked.code or ""] if asked.kind == "split" else asked.codes
    async with desk.seated(asking, id_) as (head, session):
        editable(head)
        coverage = await _copied(desk, session, wanted)
    ground = await desk.ground(asking, head.area)

    def found() -> str:
        told = (
            suggestion.split(coverage, wanted[0], ground, asked.parts, limits=head.limits)
            if asked.kind == "split"
            else suggestion.rebalance(coverage, wanted, ground, head.limits)
        )
        return json.dumps({"suggestions": [each.json() for each in told]}, ensure_ascii=False)

    return await desk.think(found)


async def _copied(desk: Desk, session: Session, codes: Sequence[str]) -> Coverage:
    """Return the grids as they are, to be looked at while others draw on."""
    for each in codes:
        if each not in session.coverage or not session.rows[each].own:
            raise Refused(
                Sentence(f"草稿范围内没有网格 {each}。", f"The draft's area has no grid {each}.")
            )
    return await desk.thread(session.coverage.copy)
