"""A layer goes into a file, or out as it is made: whole, or not at all."""

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

Maker = Callable[[Table, Iterator[Batch]], Iterator[str]]
"""Makes text of the batches of a table, a piece at a time."""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: text by its ``pieces``, or binary by what can ``write`` it.

    ``attributes`` tells whether it takes what an import kept beyond the columns of the layer;
    ``wgs84`` whether it holds longitude and latitude only, by its own rules; ``names`` whether it
    can yet name GCJ-02 or BD-09.
    """

    title: str
    media_type: str
    pieces: Maker | None = None
    write: Writer | None = None
    attributes: bool = False
    wgs84: bool = False
    names: bool = True


_GEOJSON = "application/geo+json"

FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        ".geojson": Format("GeoJSON", _GEOJSON, text.geojson, attributes=True, wgs84=True),
        ".geojsonl": Format(
            "GeoJSON", "application/x-ndjson", text.geojsonl, attributes=True, wgs84=True
        ),
        ".csv": Format("CSV", "text/csv; charset=utf-8", text.delimited),
        ".xlsx": Format(
            "Excel",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            write=workbook.workbook,
        ),
        ".gpkg": Format(
            "GeoPackage", "application/geopackage+sqlite3", write=frames.geopackage, attributes=True
        ),
        ".fgb": Format("FlatGeobuf", "application/octet-stream", write=frames.flatgeobuf),
        ".parquet": Format("GeoParquet", "application/vnd.apache.parquet", write=frames.geoparquet),
        ".zip": Format("Shapefile", "application/zip", write=shapefile.shapefile),
        ".kml": Format(
            "KML", "application/vnd.google-earth.kml+xml", kml.kml, wgs84=True, names=False
        ),
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
    selection: Selection | None = None,
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
        ``EPSG:n`` of the coordinates, longitude or easting first; or ``GCJ-02`` or ``BD-09``, which
        the file names where its format can, and which no program then takes for WGS 84.
    where
        Column to the value that it must have; an empty value keeps the rows without one.
    bbox
        West, south, east, north in degrees; west may exceed east across the antimeridian.
    start, end
        The time window, half open, on layers with a time.
    lang
        ``codes`` names columns and coded values as the database does and is what intake loads
        again as the same; ``zh`` and ``en`` write titles for people, and the derived columns too.
    selection
        Which rows, in place of ``where``, ``bbox``, ``start`` and ``end``.

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
    form = form_of(path.suffix or path.name)
    table = _table(layer, form, crs, lang)
    if selection is None:
        selection = Selection.of(layer, where=where or {}, bbox=bbox, start=start, end=end)
    counter = [0]
    with _whole(path) as beside, connection.transaction():
        rows = _counted(batches(connection, table, selection), counter)
        if form.write:
            columns = form.write(beside, table, rows)
        else:
            columns = table.headers
            with beside.open("wb") as file:
                file.writelines(_encoded(form, table, rows))
    return Exported(counter[0], MappingProxyType(dict(columns)))


def stream(
    connection: psycopg.Connection[TupleRow],
    layer: Layer,
    suffix: str,
    selection: Selection,
    *,
    crs: str = f"EPSG:{SRID}",
    lang: Language = "codes",
) -> Iterator[bytes]:
    """Yield a text format of ``FORMATS`` as the rows are read: what ``export`` would write.

    The memory it takes does not grow with the rows. All is of one moment: the transaction lasts
    until the last piece is taken, or the iterator closed. Raises ``ExportError`` as ``export``
    does: before the first piece or, for a row that cannot be written, when it comes.
    """
    form = form_of(suffix)
    table = _table(layer, form, crs, lang)
    with connection.transaction():
        yield from _encoded(form, table, batches(connection, table, selection))


def form_of(suffix: str) -> Format:
    """Return the format of a suffix; raise ``ExportError`` where there is none."""
    form = FORMATS.get(suffix.lower())
    if form is None:
        raise ExportError(
            f"There is no format “{suffix}”. There are: {', '.join(FORMATS)}.",
            f"没有格式“{suffix}”，可用：{'、'.join(FORMATS)}。",
        )
    return form


def _table(layer: Layer, form: Format, crs: str, lang: Language) -> Table:
    place = projection(crs)
    if form.wgs84 and place.epsg not in (SRID, None):
        raise ExportError(
            f"{form.title} holds longitude and latitude (EPSG:4326) only, by its specification: "
            "leave the CRS alone, or choose another format.",
            f"按规范，{form.title} 只能存经纬度（EPSG:4326）：请不要改坐标系，或选其他格式。",
        )
    if place.epsg is None and not form.names:
        raise ExportError(
            f"{form.title} cannot say that its coordinates are {place.name}, and every program "
            "would draw them hundreds of metres off: choose another format.",
            f"{form.title} 无法注明坐标系是 {place.name}，打开后会偏移数百米：请选其他格式。",
        )
    return Table.of(layer, lang, place, attributes=form.attributes)


def _encoded(form: Format, table: Table, rows: Iterator[Batch]) -> Iterator[bytes]:
    if form.pieces is None:
        raise TypeError(f"{form.title} is not made in pieces")
    for piece in form.pieces(table, rows):
        yield piece.encode()


def _counted(rows: Iterator[Batch], counter: list[int]) -> Iterator[Batch]:
    for batch in rows:
        counter[0] += len(batch.geometry)
        yield batch


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """Yield a path in a folder of its own beside the target, and move it there at the end."""
    if target.is_dir():
        raise ExportError(f"{target} is a folder.", f"{target} 是文件夹。")
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
        raise ExportError(
            f"A value cannot be written: {error}", f"有值无法写出：{error}"
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unwritten(target: Path, error: OSError) -> ExportError:
    reason = error.strerror or error
    return ExportError(f"{target} cannot be written: {reason}.", f"{target} 无法写入：{reason}。")
