"""What an analysis is that can be asked for: its name, what it takes and gives, what does it.

Analyses bring large libraries, so each is imported when it is first run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pydantic import BaseModel

from geo_service.analyses.work import Work
from layers.catalogue import Title

WRITERS = frozenset({"officer", "editor", "admin"})


@dataclass(frozen=True)
class Process:
    """An analysis. ``module`` holds a function ``answer(work, inputs)`` that returns its document.

    ``members`` describes the document, a JSON Schema a member. ``roles`` are those that may run it,
    None for all who may read. ``writes`` says that it changes the database, so it is always a job.
    """

    id: str
    title: Title
    description: Title
    inputs: type[BaseModel]
    module: str
    members: Mapping[str, Any]
    roles: frozenset[str] | None = None
    writes: bool = False

    @property
    def modes(self) -> tuple[str, ...]:
        """How it may be executed, in the standard's words."""
        return ("async-execute",) if self.writes else ("sync-execute", "async-execute")

    @property
    def answer(self) -> Callable[[Work, Any], dict[str, Any]]:
        """The function that does it."""
        found: Callable[[Work, Any], dict[str, Any]] = import_module(self.module).answer
        return found


SENTENCE: Mapping[str, Any] = {
    "type": "object",
    "properties": {"zh": {"type": "string"}, "en": {"type": "string"}},
}
FEATURES = {
    "type": "object",
    "format": "geojson-feature-collection",
    "description": "GeoJSON in CRS84",
}
LIST = {"type": "array", "items": {"type": "object"}}
COMMON = {
    "summary": {**SENTENCE, "description": "The answer in a sentence"},
    "evidence": {
        "type": "object",
        "description": "Definition and source, n, window, cells, test, correction, seed, data time;"
        " enough is false where there is too little data",
    },
}
