"""GeoParquet, and Parquet tables without geometry."""

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from layers.intake import features
from layers.intake.chunks import CHUNK, File, Source, distinct
from layers.intake.report import Problems, Refusal, Words


def parquet(file: File, problems: Problems) -> Source:  # noqa: ARG001 - bad rows show later
    """Read the primary geometry of GeoParquet 1.x. Raises ``Refusal`` for what is no Parquet."""
    try:
        opened = pq.ParquetFile(io.BytesIO(file.content))
        schema, head = opened.schema_arrow, opened.metadata
        size = sum(head.row_group(i).total_byte_size for i in range(head.num_row_groups))
        told = json.loads((head.metadata or {}).get(b"geo", b"{}"))
        names = list(schema.names)
    except (pa.ArrowException, OSError, ValueError, LookupError, RecursionError):
        raise _damaged() from None
    if size > file.max_bytes:
        raise Refusal(
            f"数据解压后超过 {file.max_bytes / 1e6:g} MB 的上限，请拆分后导入。",
            f"Unpacked, the data are larger than the limit of {file.max_bytes / 1e6:g} MB: "
            f"split them.",
        )
    columns = told.get("columns") if isinstance(told, dict) else None
    columns = columns if isinstance(columns, dict) else {}
    primary = told.get("primary_column") if columns else None
    about = columns.get(primary) if isinstance(primary, str) else None
    notes = []
    geometry = crs = None
    if isinstance(about, dict) and primary in names:
        if str(about.get("encoding")).upper() != "WKB":
            raise Refusal(
                "几何不是以 WKB 编码的，请另存为 WKB 编码的 GeoParquet。",
                "The geometry is not encoded as WKB: save it as GeoParquet with WKB.",
            )
        geometry = names.index(primary)
        crs = _crs(about.get("crs"))
        if "crs" in about and crs is None:
            notes.append(NO_CRS)
    boxes = {name for name, item in columns.items() if isinstance(item, dict)} | _boxes(columns)
    keep = [at for at, name in enumerate(names) if name not in boxes]
    headers = distinct([names[at] for at in keep])
    batches = opened.iter_batches(CHUNK)
    return Source(
        headers,
        features.chunks(
            batches, keep, headers, geometry=geometry, make=features.finite, damaged=_damaged
        ),
        crs=crs,
        total=head.num_rows,
        geometry=geometry is not None,
        notes=notes,
    )


NO_CRS = Words(
    "文件没有可用的坐标系声明，坐标按 --crs（默认 WGS-84 经纬度）解读。",
    "The file declares no usable CRS: coordinates are taken as --crs says (WGS 84 by default).",
)


def _crs(projjson: Any) -> str | None:
    """Return the CRS as ``EPSG:n`` or PROJJSON; none told means longitude and latitude."""
    if not isinstance(projjson, dict):
        return None
    known = projjson.get("id")
    if isinstance(known, dict) and known.get("authority") in ("EPSG", "OGC"):
        return f"{known['authority']}:{known.get('code')}"
    return json.dumps(projjson)


def _boxes(columns: dict[str, Any]) -> set[str]:
    """Return the columns that only help to find features in a rectangle."""
    found = set()
    for item in columns.values():
        covering = item.get("covering") if isinstance(item, dict) else None
        box = covering.get("bbox") if isinstance(covering, dict) else None
        paths = box.values() if isinstance(box, dict) else ()
        found |= {path[0] for path in paths if isinstance(path, list) and path}
    return {name for name in found if isinstance(name, str)}


def _damaged() -> Refusal:
    return Refusal("Parquet 文件已损坏，无法读取。", "The Parquet file is damaged.")
