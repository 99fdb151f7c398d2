"""The same cover with fewer: which of the cameras that are there could go elsewhere."""

from typing import Any

import numpy as np
import shapely
from scipy import sparse

from geo_service.analysis.candidates import demand_covers
from geo_service.analysis.cover import Cover
from geo_service.analysis.placement import set_cover
from geo_service.analysis.sentence import Sentence
from geo_service.coverage.drawing import both, collection, feature
from geo_service.coverage.proof import certain, nothing, proven
from geo_service.coverage.question import Placing
from geo_service.coverage.sites import Demand
from geo_service.coverage.town import Town


def spare(town: Town, made: Cover, level: str, demand: Demand, inputs: Placing) -> dict[str, Any]:
    """Return which cameras are needed for all that is seen now, and which could go."""
    covers = demand_covers(made.counted[:, made.row(level)], demand.points.xy)
    held = np.asarray(covers.sum(axis=1)).reshape(-1) > 0
    used = np.asarray(covers.sum(axis=0)).reshape(-1) > 0
    part = sparse.csr_array(covers)[held][:, used]
    cameras = [made.cameras[k] for k in np.flatnonzero(used)]
    if not part.shape[0]:
        return nothing(inputs)
    placed = set_cover(part, time_limit=inputs.seconds)
    kept = set(placed.sites)
    crs = town.standing.crs
    spare = [camera for k, camera in enumerate(cameras) if k not in kept]
    names = {row["code"]: row["name"] for row in town.cameras.values()}
    proven_zh, proven_en = certain(placed)
    summary = Sentence(
        f"看到需求点的 {len(cameras)} 台摄像机中，{len(kept)} 台即可看到同样的需求点，"
        f"{len(spare)} 台可另作他用；{proven_zh}。",
        f"Of {len(cameras)} cameras that see demand, {len(kept)} see all of it; {len(spare)} could"
        f" go elsewhere; {proven_en}.",
    )
    return collection(
        [
            feature(
                shapely.Point(one.x, one.y), crs, one.code, kind="spare", code=one.code,
                name=names[one.code],
                sentence=both(
                    Sentence(
                        f"{names[one.code] or one.code}所见需求点均有其他摄像机看到。",
                        f"All demand that {one.code} sees is seen by others.",
                    )
                ),
            )
            for one in spare
        ],
        **proven(placed),
        needed=len(kept),
        summary=both(summary),
        about={"candidates": len(cameras), "kept": 0},
    )  # fmt: skip
