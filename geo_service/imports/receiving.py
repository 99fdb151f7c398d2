"""A file on its way in: written to a private folder, then put aside without what is personal."""

import os
from pathlib import Path

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from geo_service.imports.guards import refused
from geo_service.problems import Problem
from layers.catalogue import Layer

_BLOCK = 2**20


async def receive(request: Request, path: Path, limit: int) -> None:
    """Write the body to a private file. Raises Problem 413 beyond the limit, 507 without room."""
    too_large = Problem(
        413,
        f"文件超过 {limit / 1e6:g} MB 的上限，请拆分后导入。",
        f"The file is larger than the limit of {limit / 1e6:g} MB: split it.",
    )
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise too_large
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "wb") as stream:
        size, waiting = 0, bytearray()
        try:
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise too_large
                waiting += chunk
                if len(waiting) >= _BLOCK:
                    await run_in_threadpool(stream.write, bytes(waiting))
                    waiting.clear()
            await run_in_threadpool(stream.write, bytes(waiting))
            await run_in_threadpool(stream.flush)
        except OSError as error:
            raise Problem(
                507, "服务器磁盘空间不足。", "There is no room on the server's disk."
            ) from error


def most(name: str) -> int:
    """Return how many bytes a file of this name may have."""
    from layers.intake.readers import most_bytes  # noqa: PLC0415 - large libraries, when needed

    return most_bytes(Path(name))


def stage(place: Path, target: Path, name: str, layer: Layer | None) -> tuple[str, int, str]:
    """Put the file aside without what is personal; return its name, size and digest.

    It is written beside the original, so that a half-written one goes with it. Raises Problem 422
    where it cannot be read.
    """
    from layers.intake.report import Refusal  # noqa: PLC0415 - large libraries, when first needed
    from layers.intake.staging import stage  # noqa: PLC0415

    try:
        found = stage(place / "original", place / "kept.staged", name=name, layer=layer)
    except Refusal as refusal:
        raise refused(422, refusal) from refusal
    found.path.replace(target)
    return found.file, found.bytes, found.sha256
