"""What ``geo-service import`` reads: a file or an address, and a file of columns and headers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from geo_service.errors import ServiceError

if TYPE_CHECKING:
    from layers.intake.mapping import Told


class SourceError(ServiceError):
    """The address or the mapping file cannot be read; the message says why."""


@contextmanager
def opened(source: str, layer: str, lang: Literal["zh", "en"]) -> Iterator[Path]:
    """Yield the file; that of an address is fetched first and removed afterwards.

    Raises ``SourceError`` where the address gives nothing, ``typer.BadParameter`` without a file.
    """
    from layers.intake.report import Refusal  # noqa: PLC0415 - large libraries
    from layers.intake.web import fetched, is_address  # noqa: PLC0415

    if not is_address(source):
        path = Path(source)
        if not path.exists():
            raise typer.BadParameter(f"Path '{source}' does not exist.", param_hint="FILE")
        yield path
        return
    fetching = fetched(source, layer)
    try:
        path = fetching.__enter__()
    except Refusal as refusal:
        raise SourceError(getattr(refusal.words, lang)) from None
    try:
        yield path
    finally:
        fetching.__exit__(None, None, None)


def told(path: Path | None, layer: str, lang: Literal["zh", "en"]) -> "Told":
    """Return what a mapping file says; nothing where there is none. Raises ``SourceError``."""
    from layers.catalogue import CATALOGUE  # noqa: PLC0415 - large libraries
    from layers.intake.mapping import Told, mapping_file  # noqa: PLC0415
    from layers.intake.report import Refusal  # noqa: PLC0415

    try:
        return Told({}, {}) if path is None else mapping_file(path, CATALOGUE[layer])
    except Refusal as refusal:
        raise SourceError(getattr(refusal.words, lang)) from None
