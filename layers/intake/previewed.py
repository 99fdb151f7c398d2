"""What a preview found, and how it goes to the browser: plain JSON without anything personal."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, NamedTuple

from layers.codes import CodeList
from layers.intake.guess import Guess
from layers.intake.personal import masked
from layers.intake.proposals import Proposal
from layers.intake.report import Dropped, Problem, Words

LONG = 300
"""Characters of a cell that are shown."""


class Target(NamedTuple):
    """A column that the file may fill, and what fills it."""

    name: str
    title: Words
    required: bool
    header: str | None
    constant: str | None
    codes: CodeList | None


class Row(NamedTuple):
    """A row: its cells as in the file, its values as in the layer, and what is wrong with it."""

    row: int
    cells: Mapping[str, Any]
    values: Mapping[str, Any]
    problems: Sequence[Problem]
    lonlat: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a load would make of the first ``checked`` rows of a file.

    ``problems`` are of the file as a whole; those of rows stand with ``rows``. ``problem_count``
    counts both, in the rows looked at. ``geometry`` is GeoJSON in WGS 84, simplified to what a
    screen shows; ``bbox`` is west, south, east, north.
    """

    layer: str
    layers: Sequence[Guess]
    headers: Sequence[str]
    columns: Sequence[Target]
    attributes: Sequence[str]
    ignored: Sequence[str]
    dropped: Sequence[Dropped]
    chosen: str
    declared: str | None
    proposals: Sequence[Proposal]
    notes: Sequence[Words]
    problems: Sequence[Problem]
    rows: Sequence[Row]
    geometry: Mapping[str, Any]
    checked: int
    total: int | None
    problem_count: int
    bbox: tuple[float, float, float, float] | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        chosen, declared = values.pop("chosen"), values.pop("declared")
        values.pop("proposals")
        return values | {
            "layers": [
                {"id": g.layer.id, "title": _words(g.layer.title), "score": g.score}
                for g in self.layers
            ],
            "headers": list(self.headers),
            "columns": [
                target._asdict()
                | {"title": _words(target.title)}
                | {"codes": target.codes and {item.code: _words(item) for item in target.codes}}
                for target in self.columns
            ],
            "attributes": list(self.attributes),
            "ignored": list(self.ignored),
            "dropped": [
                {"column": d.column, "cells": d.cells, "zh": d.zh, "en": d.en} for d in self.dropped
            ],
            "crs": {
                "chosen": chosen,
                "declared": declared,
                "proposals": [
                    {"crs": p.crs, "title": _words(p.title), "swapped": p.swapped}
                    | {"inside": round(p.share, 3)}
                    for p in self.proposals
                ],
            },
            "notes": [_words(note) for note in self.notes],
            "problems": [_problem(problem) for problem in self.problems],
            "rows": [
                {
                    "row": row.row,
                    "cells": _plain(row.cells),
                    "values": _plain(row.values),
                    "problems": [_problem(problem) for problem in row.problems],
                    "lonlat": row.lonlat and list(row.lonlat),
                }
                for row in self.rows
            ],
            "bbox": self.bbox and list(self.bbox),
        }


def _words(item: Any) -> dict[str, str]:
    return {"zh": item.zh, "en": item.en}


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "row": problem.row,
        "line": problem.line,
        "column": problem.column,
        "value": _plain(problem.value),
        "zh": problem.zh,
        "en": problem.en,
    }


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold, shortened and without numbers of people."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    text, hidden = masked(value.isoformat() if isinstance(value, date) else str(value))
    if isinstance(value, int | float) and not hidden:
        return value if math.isfinite(value) else None
    return (
        (text if len(text) <= LONG else f"{text[: LONG - 1]}…").encode("utf-8", "replace").decode()
    )
