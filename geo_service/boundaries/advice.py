"""Proposals for a draft as it is now: fair divisions, as operations that its editor may do."""

import json
from collections.abc import Sequence
from uuid import UUID

from geo_service.analysis.sentence import Sentence
from geo_service.boundaries import suggestion
from geo_service.boundaries.desk import Desk, editable
from geo_service.boundaries.refusal import Refused
from geo_service.database import Principal


async def suggest(  # noqa: PLR0917 - what is asked
    desk: Desk,
    asking: Principal,
    id_: UUID,
    code: str | None,
    parts: int,
    codes: Sequence[str],
    kind: str,
) -> str:
    """Return proposals for a draft as it is now. Raises :class:`Refused` for none."""
    wanted = [code or ""] if kind == "split" else list(codes)
    async with desk.seated(asking, id_) as (head, session):
        editable(head)
        for each in wanted:
            if each not in session.coverage or not session.rows[each].own:
                raise Refused(
                    Sentence(
                        f"草稿范围内没有网格 {each}。", f"The draft's area has no grid {each}."
                    )
                )
        coverage = await desk.thread(session.coverage.copy)
    ground_ = await desk.ground(asking, head.area)

    def found() -> str:
        told = (
            suggestion.split(coverage, wanted[0], ground_, parts)
            if kind == "split"
            else suggestion.rebalance(coverage, wanted, ground_)
        )
        return json.dumps({"suggestions": [each.json() for each in told]}, ensure_ascii=False)

    return await desk.think(found)
