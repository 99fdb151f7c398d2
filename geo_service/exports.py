"""Exports as people ask for them: texts and days become what ``layers.export`` takes."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import TupleRow

from geo_service.errors import ServiceError
from layers.catalogue import CATALOGUE
from layers.export import Exported, ExportError, Language, export

TOWN_TIME = ZoneInfo("Asia/Shanghai")
_LANGUAGES: Mapping[str, Language] = {"codes": "codes", "zh": "zh", "en": "en"}


class ExportRefusedError(ServiceError):
    """The layer cannot be written; the message says why."""


def write(
    connection: psycopg.Connection[TupleRow],
    layer: str,
    path: Path,
    *,
    crs: str,
    where: Mapping[str, str],
    bbox: str | None,
    since: date | None,
    until: date | None,
    lang: str,
) -> Exported:
    """Write a layer to a file. ``since`` and ``until`` are days of the town, both included.

    Raises ``ExportRefusedError`` for what cannot be done.
    """
    if layer not in CATALOGUE:
        raise ExportRefusedError(f"There is no layer {layer}. There are: {', '.join(CATALOGUE)}.")
    if lang not in _LANGUAGES:
        raise ExportRefusedError(f"There is no language {lang}; there are codes, zh and en.")
    try:
        return export(
            connection,
            CATALOGUE[layer],
            path,
            crs=crs,
            where=where,
            bbox=_box(bbox) if bbox else None,
            start=_midnight(since) if since else None,
            end=_midnight(until + timedelta(days=1)) if until else None,
            lang=_LANGUAGES[lang],
        )
    except ExportError as error:
        raise ExportRefusedError(str(error)) from error


def _box(text: str) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError:
        raise ExportRefusedError(f"--bbox {text}: write it as west,south,east,north.") from None
    return west, south, east, north


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), TOWN_TIME)
