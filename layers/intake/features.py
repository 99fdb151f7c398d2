"""Arrow record batches become chunks: what GDAL and Parquet both bring."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import shapely

from layers.intake.chunks import Chunk, cell
from layers.intake.coordinates import Broken, Shape
from layers.intake.report import Refusal, Words

Make = Callable[[Any], Any]


def chunks(
    batches: Iterator[Any],
    positions: Sequence[int],
    headers: Sequence[str],
    *,
    geometry: int | None,
    make: Make,
    damaged: Callable[[], Refusal],
) -> Iterator[Chunk]:
    """Turn batches into chunks. ``positions`` are the columns of ``headers``, in order.

    ``geometry`` is the column of well-known binary. Whatever goes wrong inside is ``damaged``.
    """
    count = 0
    while True:
        try:
            batch = next(batches, None)
            if batch is None:
                return
            cells = {
                header: list(map(make, batch.column(at).to_pylist()))
                for header, at in zip(headers, positions, strict=True)
            }
            found = None if geometry is None else shapes(batch.column(geometry).to_pylist())
            size = batch.num_rows
        except Refusal:
            raise
        except Exception:  # noqa: BLE001 - Arrow and GDAL raise anything, and the file is to blame
            raise damaged() from None
        if size:
            yield Chunk(range(count + 1, count + size + 1), [None] * size, cells, found)
        count += size


_NO_WKB = Broken(
    Words(
        "几何无法读取（已损坏，或含有曲线）。",
        "The geometry cannot be read: it is damaged or has curves.",
    )
)


def shapes(values: Sequence[bytes | None]) -> Sequence[Shape]:
    """Read well-known binary; ``Broken`` where it is none."""
    with np.errstate(all="ignore"):
        try:
            found: list[Shape] = list(shapely.from_wkb(np.array(values, dtype=object)))
        except (shapely.errors.ShapelyError, NotImplementedError, ValueError):
            found = [_shape(value) for value in values]
    return found


def _shape(value: bytes | None) -> Shape:
    try:
        shape: Shape = shapely.from_wkb(value)
    except (shapely.errors.ShapelyError, NotImplementedError, ValueError):
        return _NO_WKB
    return shape


def finite(value: Any) -> Any:
    """Return a value as a cell, nothing for what is not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else cell(value)
