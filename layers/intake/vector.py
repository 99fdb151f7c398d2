"""Shapefile, GeoPackage, FlatGeobuf, KML and KMZ, through the GDAL inside pyogrio.

GDAL looks at the content to know a format, and some formats are recipes that fetch other files:
each reader here makes sure of its own format before GDAL sees a byte.
"""

import logging
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from xml.parsers import expat

import pyogrio

from layers.intake import archive, dbf, features
from layers.intake.chunks import CHUNK, File, Source, cell, distinct
from layers.intake.mapping import MAX_BYTES, columns_of
from layers.intake.parquet import NO_CRS
from layers.intake.personal import masked
from layers.intake.reference import obfuscated
from layers.intake.report import Problems, Refusal, Words

logging.getLogger("pyogrio").addHandler(logging.NullHandler())  # or the errors go to stderr

_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_NEEDED = (".shp", ".shx", ".dbf")
_COLUMNS = "columns.txt"
"""What our own export puts beside a Shapefile: the columns whose names ten bytes do not hold."""
# What a KML viewer does with a feature, and GDAL hands over as attributes.
_KML_STYLE = frozenset({
    "begin", "end", "altitudeMode", "tessellate", "extrude", "visibility", "drawOrder", "icon",
    "snippet",
})  # fmt: skip


def shapefile(file: File, problems: Problems) -> Source:
    """Read a Shapefile with its siblings, which lie beside it."""
    parts = {".shp": file.content}
    try:
        beside = list(file.path.parent.iterdir())
        for path in beside:
            part = path.suffix.lower()
            if part in _PARTS[1:] and path.stem == file.path.stem:
                parts[part] = _bytes(path, file.max_bytes)
    except OSError:
        raise Refusal("文件无法读取。", "The file cannot be read.") from None
    return _shapefile(parts, [], problems)


def zipped_shapefile(file: File, problems: Problems) -> Source:
    """Read a Shapefile from anywhere inside a ZIP archive."""
    found = archive.members(
        file.content,
        file.max_bytes,
        lambda path: path.suffix.lower() in _PARTS or path.name == _COLUMNS,
    )
    stems = {path.with_suffix("") for path in found if path.suffix.lower() in _NEEDED[1:]}
    shapes = sorted(
        (path for path in found if path.suffix.lower() == ".shp"),
        key=lambda path: (path.with_suffix("") not in stems, path),
    )
    if not shapes:
        raise Refusal(
            "压缩包里没有 Shapefile（.shp）。", "There is no Shapefile (.shp) in the ZIP."
        )
    first = shapes[0].with_suffix("")
    parts = {p.suffix.lower(): c for p, c in found.items() if p.with_suffix("") == first}
    told = found.get(first.parent / _COLUMNS, b"")[:MAX_BYTES].decode("utf-8", "replace")
    notes = _one_of([str(path) for path in shapes])
    return _shapefile(parts, notes, problems, columns=columns_of(told))


def geopackage(file: File, problems: Problems) -> Source:  # noqa: ARG001 - bad rows show later
    """Read the first layer with geometries of a GeoPackage."""
    if not file.content.startswith(b"SQLite format 3\0"):
        raise wrong("GeoPackage")
    return _features(file.content, "GPKG", "GeoPackage")


def flatgeobuf(file: File, problems: Problems) -> Source:  # noqa: ARG001 - bad rows show later
    """Read a FlatGeobuf file."""
    if not file.content.startswith(b"fgb\x03fgb"):
        raise wrong("FlatGeobuf")
    return _features(file.content, "FlatGeobuf", "FlatGeobuf")


def kml(file: File, problems: Problems) -> Source:  # noqa: ARG001 - bad rows show later
    """Read the first folder with places of a KML document."""
    return _kml(file.content)


def kmz(file: File, problems: Problems) -> Source:  # noqa: ARG001 - bad rows show later
    """Read the KML document in a KMZ archive."""
    found = archive.members(
        file.content, file.max_bytes, lambda path: path.suffix.lower() == ".kml"
    )
    if not found:
        raise Refusal("压缩包里没有 KML。", "There is no KML in the archive.")
    return _kml(found[min(found, key=lambda path: (len(path.parts), path.name != "doc.kml", path))])


def _bytes(path: Path, most: int) -> bytes:
    if path.stat().st_size > most:
        raise Refusal(
            f"{path.suffix} 文件超过 {most / 1e6:g} MB 的上限。",
            f"The {path.suffix} file is larger than the limit of {most / 1e6:g} MB.",
        )
    return path.read_bytes()


def _shapefile(
    parts: Mapping[str, bytes],
    notes: list[Words],
    problems: Problems,  # noqa: ARG001 - bad rows show later
    *,
    columns: Mapping[str, str] | None = None,
) -> Source:
    if missing := [part for part in _NEEDED if not parts.get(part)]:
        raise Refusal(
            f"Shapefile 缺少 {'、'.join(missing)}，请把各部分一起压缩为 .zip。",
            f"The Shapefile lacks {', '.join(missing)}: put its parts together into one .zip.",
        )
    if not parts[".shp"].startswith(b"\x00\x00\x27\x0a"):
        raise wrong("Shapefile")
    table = dbf.table(parts[".dbf"], parts.get(".cpg"))
    if table is None:
        raise wrong("Shapefile")
    encoding = table.encoding
    if encoding and not table.declared:
        name = {"gb18030": "GB 18030"}.get(encoding, encoding.upper())
        notes.append(
            Words(
                f"没有可用的 .cpg 编码说明，属性文字按 {name} 解读。",
                f"No .cpg tells the encoding (or not the right one): text is read as {name}.",
            )
        )
    full = [(columns or {}).get(header, header) for header in table.headers]
    if full != list(table.headers):
        notes.append(
            Words(
                f"列名已按压缩包中的 {_COLUMNS} 还原。",
                f"The columns go by their full names, from the {_COLUMNS} in the ZIP.",
            )
        )
    packed = archive.stored(
        {f"data{part}": parts[part] for part in (*_NEEDED, ".prj") if part in parts}
    )

    def make(value: Any) -> Any:
        if isinstance(value, str) and encoding and not value.isascii():
            return dbf.decoded(value.encode("latin-1", "replace"), encoding).rstrip("\ufffd ")
        return cell(value)

    # GDAL hands the bytes over untouched, as Latin-1: what they are was found above.
    return _features(
        packed, "ESRI Shapefile", "Shapefile",
        headers=full, make=make, encoding="ISO-8859-1", notes=notes, aliases=columns or {},
    )  # fmt: skip


def _kml(content: bytes) -> Source:
    if not _is_kml(content):
        raise wrong("KML")
    return _features(content, "LIBKML", "KML", drop=_KML_STYLE)


def _is_kml(content: bytes) -> bool:
    """Tell whether this is XML, its root is ``kml``, and nothing in it is a recipe of GDAL."""
    root: list[str] = []
    parser = expat.ParserCreate()

    def begin(name: str, _: dict[str, str]) -> None:
        root.append(name)
        parser.StartElementHandler = None

    parser.StartElementHandler = begin
    parser.EntityDeclHandler = lambda *_: root.append("")
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError):
        return False
    # An entity declared is put before the root. All XML formats of GDAL begin with their name.
    return bool(root) and root[0].rsplit(":", 1)[-1] == "kml" and not _RECIPE.search(content)


_RECIPE = re.compile(rb"<(?:ogr|gdal|wfs|gml:)", re.IGNORECASE)


def _features(
    content: bytes,
    driver: str,
    kind: str,
    *,
    headers: list[str] | None = None,
    make: features.Make = features.finite,
    encoding: str | None = None,
    notes: list[Words] | None = None,
    drop: frozenset[str] = frozenset(),
    aliases: Mapping[str, str] | None = None,
) -> Source:
    notes = notes if notes is not None else []

    def damaged() -> Refusal:
        return Refusal(f"{kind} 已损坏，无法读取。", f"The {kind} is damaged: it cannot be read.")

    with quiet(damaged):
        layers = [(str(name), form) for name, form in pyogrio.list_layers(content)]
        placed = [name for name, form in layers if form is not None]
        layer = (placed or [name for name, _ in layers])[0]
        about = pyogrio.read_info(content, layer=layer, encoding=encoding)
        fields = [str(name) for name in about["fields"]]
    if about["driver"] != driver:
        raise wrong(kind)
    notes += _one_of([layer, *(name for name in placed if name != layer)])
    crs = about["crs"] if placed else None
    if placed and not _of_places(crs):
        crs = None
        notes.append(NO_CRS)
    names = headers if headers and len(headers) == len(fields) else fields
    keep = [at for at, name in enumerate(names) if name not in drop]
    shown = distinct([names[at] for at in keep])
    columns = [fields[at] for at in keep]
    total = int(about["features"])

    def batches() -> Iterator[Any]:
        with ExitStack() as stack:
            with quiet(damaged):
                opened = pyogrio.raw.open_arrow(
                    content, layer=layer, encoding=encoding, columns=columns, batch_size=CHUNK,
                    use_pyarrow=True, datetime_as_string=True, read_geometry=bool(placed),
                )  # fmt: skip
                _, reader = stack.enter_context(opened)
            yield from reader

    return Source(
        shown,
        features.chunks(
            batches(),
            range(len(keep)),
            shown,
            geometry=len(keep) if placed else None,
            make=make,
            damaged=damaged,
        ),
        crs=crs,
        total=total if total >= 0 else None,
        geometry=bool(placed),
        notes=notes,
        aliases=aliases or {},
    )


def _of_places(crs: str | None) -> bool:
    """Tell whether there is a CRS, and not the “undefined” one of a GeoPackage."""
    if not crs:
        return False
    engineering = re.match(r"\s*(?:ENGCRS|ENGINEERINGCRS|LOCAL_CS)\b", crs)
    return not engineering or obfuscated(crs) is not None


@contextmanager
def quiet(damaged: Callable[[], Refusal]) -> Iterator[None]:
    """Turn whatever GDAL raises into a refusal, and keep its warnings to itself."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Refusal:
        raise
    except Exception:  # noqa: BLE001 - pyogrio raises anything, and only the file can be to blame
        raise damaged() from None


def _one_of(names: list[str]) -> list[Words]:
    """Say which was read where there were several."""
    shown = [masked("".join(c for c in name if c.isprintable()))[0] for name in names]
    if len(shown) < 2:
        return []
    return [
        Words(
            f"读取的是“{shown[0]}”，其余未读：{'、'.join(shown[1:20])}。",
            f"Read was “{shown[0]}”; not read: {', '.join(shown[1:20])}.",
        )
    ]


def wrong(kind: str) -> Refusal:
    """Return the refusal of a file whose content is not what its name says."""
    return Refusal(f"文件内容不是 {kind}。", f"The file is not a {kind}.")
