"""A layer goes into a file: whole, or not at all."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import psycopg
from psycopg.rows import TupleRow

from layers.base import SRID
from layers.catalogue import Layer
from layers.export import frames, kml, shapefile, text, workbook
from layers.export.projection import projection
from layers.export.selection import Selection, batches
from layers.export.table import Batch, ExportError, Language, Table

Writer = Callable[[Path, Table, Iterator[Batch]], Mapping[str, str]]
"""Writes the batches of a table and returns column to header, as they stand in the file."""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file.

    ``attributes`` tells whether it takes what an import kept beyond the columns of the layer;
    ``wgs84`` whether it holds longitude and latitude only, by its own rules.
    """

    title: str
    write: Writer
    attributes: bool = False
    wgs84: bool = False


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        ".geojson": Format("GeoJSON", text.geojson, attributes=True, wgs84=True),
        ".geojsonl": Format("GeoJSON", text.geojsonl, attributes=True, wgs84=True),
        ".csv": Format("CSV", text.delimited),
        ".xlsx": Format("Excel", workbook.workbook),
        ".gpkg": Format("GeoPackage", frames.geopackage, attributes=True),
        ".fgb": Format("FlatGeobuf", frames.flatgeobuf),
        ".parquet": Format("GeoParquet", frames.geoparquet),
        ".zip": Format("Shapefile", shapefile.shapefile),
        ".kml": Format("KML", kml.kml, wgs84=True),
    }
)
"""The formats by suffix."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: the number of rows, and for each column its header in the file.

    ``columns`` is a ``mapping`` that ``layers.intake.intake`` takes as it is, except for the
    derived columns that ``lang`` zh and en bring.
    """

    rows: int
    columns: Mapping[str, str]


def export(
    connection: psycopg.Connection[TupleRow],
    layer: Layer,
    path: str | Path,
    *,
    crs: str = f"EPSG:{SRID}",
    where: Mapping[str, str] | None = None,
    bbox: tuple[float, float, float, float] | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    lang: Language = "codes",
) -> Exported:
    """Write the rows of a layer that are in force to a file; its suffix chooses the format.

    Parameters
    ----------
    connection
        A psycopg connection; the export is one transaction of it. Row-level security holds.
    layer
        What is written.
    path
        The file. It appears when it is whole; one that is there is replaced then.
    crs
        ``EPSG:n`` of the coordinates, longitude or easting first.
    where
        Column to the value that it must have; an empty value keeps the rows without one.
    bbox
        West, south, east, north in degrees; west may exceed east across the antimeridian.
    start, end
        The time window, half open, on layers with a time.
    lang
        ``codes`` names columns and coded values as the database does and is what intake loads
        again as the same; ``zh`` and ``en`` write titles for people, and the derived columns too.

    Returns
    -------
    Exported
        The rows and columns that were written.

    Raises
    ------
    ExportError
        For what cannot be asked or written, in a sentence; no file is left or changed.

    Example
    -------
    ::

        export(connection, CATALOGUE["disputes"], "a.xlsx", where={"status": "closed"}, lang="zh")
    """
    path = Path(path)
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise ExportError(
            f"There is no format “{path.suffix or path.name}”. There are: {', '.join(FORMATS)}."
        )
    place = projection(crs)
    if form.wgs84 and place.epsg != SRID:
        raise ExportError(
            f"{form.title} holds longitude and latitude (EPSG:4326) only, by its specification: "
            "leave the CRS alone, or choose another format."
        )
    table = Table.of(layer, lang, place, attributes=form.attributes)
    selection = Selection.of(layer, where=where or {}, bbox=bbox, start=start, end=end)
    counter = [0]
    with _whole(path) as beside, connection.transaction():
        rows = _counted(batches(connection, table, selection), counter)
        columns = form.write(beside, table, rows)
    return Exported(counter[0], MappingProxyType(dict(columns)))


def _counted(rows: Iterator[Batch], counter: list[int]) -> Iterator[Batch]:
    for batch in rows:
        counter[0] += len(batch.geometry)
        yield batch


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """Yield a path in a folder of its own beside the target, and move it there at the end."""
    if target.is_dir():
        raise ExportError(f"{target} is a folder.")
    try:
        folder = Path(tempfile.mkdtemp(prefix=".geo-export-", dir=target.parent))
    except OSError as error:
        raise _unwritten(target, error) from None
    try:
        path = folder / f"export{target.suffix.lower()}"
        yield path
        path.replace(target)
    except OSError as error:
        raise _unwritten(target, error) from error
    except psycopg.DataError as error:
        raise ExportError(f"A value cannot be written: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unwritten(target: Path, error: OSError) -> ExportError:
    return ExportError(f"{target} cannot be written: {error.strerror or error}.")
