"""ZIP archives, which may be damaged or unpack to anything."""

import io
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from layers.intake.report import Refusal

_DAMAGED = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, LookupError, NotImplementedError,
    OverflowError, RuntimeError, ValueError,
)  # fmt: skip
_BLOCK = 1_000_000


def damaged() -> Refusal:
    """Return the refusal of an archive that cannot be unpacked."""
    return Refusal("压缩包已损坏或加了密码。", "The ZIP archive is damaged or has a password.")


def members(
    content: bytes, max_bytes: int, wanted: Callable[[PurePosixPath], bool]
) -> dict[PurePosixPath, bytes]:
    """Unpack the wanted members. Raises ``Refusal`` where all of them together are too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _bounded(archive, max_bytes)
            # zipfile gives no more of a member than its header says, and the headers were added up.
            return {
                PurePosixPath(item.filename): archive.read(item)
                for item in archive.infolist()
                if not item.is_dir()
                and not item.filename.startswith("__MACOSX/")
                and wanted(PurePosixPath(item.filename))
            }
    except _DAMAGED:
        raise damaged() from None


def check(content: bytes, max_bytes: int) -> None:
    """Unpack everything into nothing, for a library that does not look at sizes itself."""
    left = max_bytes
    view = memoryview(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _bounded(archive, max_bytes)
            for item in archive.infolist():
                head = view[item.header_offset : item.header_offset + 30]
                start = item.header_offset + 30
                start += int.from_bytes(head[26:28], "little")
                start += int.from_bytes(head[28:30], "little")
                packed = view[start : start + item.compress_size]
                left -= _size(packed, left) if item.compress_type else len(packed)
    except _DAMAGED:
        raise damaged() from None
    if left < 0:
        raise _too_large(max_bytes)


def stored(files: Mapping[str, bytes]) -> bytes:
    """Return an archive of ``files``, not compressed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _bounded(archive: zipfile.ZipFile, max_bytes: int) -> None:
    if sum(item.file_size for item in archive.infolist()) > max_bytes:
        raise _too_large(max_bytes)


def _size(packed: memoryview, most: int) -> int:
    """Return the size of deflated bytes, or just more than ``most``."""
    unpack = zlib.decompressobj(-zlib.MAX_WBITS)
    size = 0
    rest: bytes | memoryview = packed
    while size <= most and not unpack.eof:
        block = unpack.decompress(rest, _BLOCK)
        rest = unpack.unconsumed_tail
        if not block and not rest:
            break
        size += len(block)
    return size


def _too_large(max_bytes: int) -> Refusal:
    return Refusal(
        f"压缩包解开后超过 {max_bytes / 1e6:g} MB 的上限，请拆分后导入。",
        f"Unpacked, the archive is larger than the limit of {max_bytes / 1e6:g} MB: split it.",
    )
