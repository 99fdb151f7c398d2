"""The files behind imports, in the folder ``uploads`` of the data folder: private, and for a week.

``ID.upload`` is a folder with a file on its way in, locked by whoever takes it; ``ID.staged`` is
what stays of the file, without anything personal.
"""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

KEEP = timedelta(days=7)
"""How long a file is kept after it was handed in."""

_ON_THE_WAY = ".upload"
_STAGED = ".staged"


def folder(home: Path) -> Path:
    """Return the folder, made where it is not there, closed to others."""
    path = home / "uploads"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def staged(home: Path, id_: UUID) -> Path:
    """Return where the file of an import is kept."""
    return home / "uploads" / f"{id_}{_STAGED}"


@contextmanager
def on_the_way(home: Path, id_: UUID) -> Iterator[Path]:
    """Yield a private folder for a file on its way in; it is removed afterwards, error or not."""
    path = folder(home) / f"{id_}{_ON_THE_WAY}"
    path.mkdir(mode=0o700)
    held = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(held)


def clear(home: Path) -> None:
    """Remove what a service that was killed left on the way: nobody holds it."""
    for path in (home / "uploads").glob(f"*{_ON_THE_WAY}"):
        with contextlib.suppress(OSError):
            held = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(held)


def forget_old(home: Path) -> None:
    """Remove files that were handed in longer ago than ``KEEP``, and what an end left behind."""
    limit = time.time() - KEEP.total_seconds()
    for path in (home / "uploads").glob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and path.stat().st_mtime < limit:
                path.unlink()
    clear(home)
