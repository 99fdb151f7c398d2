"""The one gate that every change of boundaries passes, or is refused with its place."""

from collections.abc import Iterable, Mapping

import numpy as np
import shapely

from geo_service.analysis.sentence import Sentence
from geo_service.boundaries.checks import invalid_point
from geo_service.boundaries.lattice import Frame, Shape, chain, edges, inner_point
from geo_service.boundaries.refusal import Refused
from geo_service.boundaries.sketch import Sketch


def passed(
    sketch: Sketch,
    before: Mapping[str, Shape],
    after: Mapping[str, Shape],
    parts: Mapping[str, int],
) -> None:
    """Raise :class:`Refused` unless the changed grids fit each other and all around them.

    Each grid is a valid polygon in no more than ``parts`` pieces. The sum of directed edges is what
    it was but for what was drawn of the outline, so that every place is covered as often as before
    or as asked: no gap and no overlap, in whole numbers. Then GEOS looks at the grids and their
    neighbours once more. Plan geometries by code.
    """
    frame = sketch.ground.frame
    for code, shape in after.items():
        _sound(frame, code, shape, parts.get(code, 1))
    _conserved(sketch, before.values(), after.values())
    _matched(sketch, before, after)


def _sound(frame: Frame, code: str, shape: Shape, parts: int) -> None:
    if not shapely.is_valid(shape):
        raise Refused(
            Sentence(
                f"网格 {code} 的边界会自相交或自相接触。",
                f"The boundary of grid {code} would cross or touch itself.",
            ),
            frame.place(invalid_point(shape)),
        )
    if shape.is_empty or shapely.area(shape) < 1:
        raise Refused(Sentence(f"网格 {code} 会消失。", f"Nothing would be left of grid {code}."))
    count = int(shapely.get_num_geometries(shape))
    if count > parts:
        pieces = shapely.get_parts(shape)
        smallest = pieces[np.argmin(shapely.area(pieces))]
        raise Refused(
            Sentence(
                f"网格 {code} 会被分成 {count} 块，网格必须连成一片。",
                f"Grid {code} would fall into {count} pieces; a grid must be in one piece.",
            ),
            frame.place(inner_point(smallest)),
        )


def _conserved(sketch: Sketch, before: Iterable[Shape], after: Iterable[Shape]) -> None:
    tail, head, _ = edges(np.array(list(after), dtype=object))
    old_tail, old_head, _ = edges(np.array(list(before), dtype=object))
    came, gone = (
        np.array(drawn, dtype=np.int64).reshape(-1, 2) for drawn in (sketch.came, sketch.gone)
    )
    low, _, _ = chain(
        np.concatenate([tail, old_head, came[:, 1], gone[:, 0]]),
        np.concatenate([head, old_tail, came[:, 0], gone[:, 1]]),
    )
    if len(low):
        raise Refused(
            Sentence(
                "外边界会改变。若确要改动外边界，请明确选择。",
                "The outer boundary would change. If that is meant, ask for it.",
            ),
            sketch.ground.frame.place(Frame.unpack(int(low[0]))),
        )


def _matched(sketch: Sketch, before: Mapping[str, Shape], after: Mapping[str, Shape]) -> None:
    bounds = shapely.total_bounds([*before.values(), *after.values()])
    around = sorted(sketch.ground.near(tuple(bounds.tolist())) - set(before) - set(after))
    rest = [sketch.ground.plan(code) for code in around]
    codes = [*after, *around]
    shapes = np.array([*after.values(), *rest], dtype=object)
    if not shapely.coverage_is_valid(shapes):
        broken = shapely.coverage_invalid_edges(shapes)
        kept = [*before.values(), *rest]
        torn = [i for i, line in enumerate(broken) if not line.is_empty]
        place = sketch.ground.frame.place(shapely.get_coordinates(broken[torn[0]])[0])
        names = [codes[i] for i in torn[:3]]
        if not shapely.coverage_is_valid(kept):
            raise Refused(
                Sentence(
                    f"网格 {'、'.join(names)} 附近的边界本来就不吻合，请先清理。",
                    f"The boundaries around {', '.join(names)} do not fit as they are: clean them "
                    "first.",
                ),
                place,
            )
        raise Refused(
            Sentence(
                f"网格 {'、'.join(names)} 会重叠或脱开。",
                f"Grids {', '.join(names)} would overlap or come apart.",
            ),
            place,
        )
    if sketch.outer:
        was, now = (_holes([*own.values(), *rest]) for own in (before, after))
        if len(now) > len(was):
            new = max(now, key=lambda hole: min((hole.distance(old) for old in was), default=1.0))
            raise Refused(
                Sentence("网格之间会留下空隙。", "A gap would be left between grids."),
                sketch.ground.frame.place(inner_point(new)),
            )


def _holes(shapes: list[Shape]) -> list[Shape]:
    united = shapely.coverage_union_all(shapes)
    return [shapely.Polygon(ring) for part in shapely.get_parts(united) for ring in part.interiors]
