"""DXF drawings, as surveyors and design offices hand them over, through the GDAL inside pyogrio.

A row is an entity of model space: outlines and lines, points, and blocks with their attributes.
Texts are no rows of their own where there is anything else: one inside a closed outline is the
outline's name.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyogrio
import shapely

from layers.intake import dbf, features
from layers.intake.chunks import CHUNK, Chunk, File, Source, distinct
from layers.intake.coordinates import Broken, Shape
from layers.intake.parquet import NO_CRS
from layers.intake.report import Problems, Refusal, Words
from layers.intake.vector import quiet, wrong

LAYER, TEXT, BLOCK, ANGLE, HANDLE = "图层", "文字", "图块", "图块角度", "句柄"
"""Headers of what every drawing has. The attributes of blocks have their own."""

_BINARY = b"AutoCAD Binary DXF"
_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:999\r?\n[^\n]*\n\s*)*0[ \t]*\r?\n\s*SECTION\b")
_CODE_PAGE = re.compile(rb"\$DWGCODEPAGE\r?\n[ \t]*3\r?\n[ \t]*([^\r\n]*)", re.IGNORECASE)
_ESCAPED = re.compile(r"(?:\\U\+[0-9A-Fa-f]{4})+")
_END = re.compile(rb"(?:^|\n)[ \t]*0[ \t]*\r?\n[ \t]*EOF\s*\Z")
_WIDE = ("utf-8", "gb18030", "big5", "cp950", "cp932", "cp949")
_HEAD = 1_000_000
_TEXTS = 5
"""Texts of one outline that are kept."""


@dataclass(frozen=True, slots=True)
class _Entity:
    shape: Shape
    cells: Mapping[str, Any]
    text: str | None

    @property
    def lone_text(self) -> bool:
        return self.text is not None and isinstance(self.shape, shapely.Point)


def dxf(file: File, problems: Problems) -> Source:  # noqa: ARG001 - bad rows show later
    """Read a DXF drawing in ASCII. Raises ``Refusal`` for a binary one and for what is none."""
    content = file.content
    if content.startswith(_BINARY):
        raise Refusal(
            "这是二进制 DXF，请在 CAD 中另存为 ASCII DXF。",
            "This is a binary DXF: save it as an ASCII DXF.",
        )
    if not _START.match(content):
        raise wrong("DXF")
    if not _END.search(content[-100:]):  # GDAL would take what is there for everything
        raise Refusal("DXF 不完整，末尾缺失。", "The DXF is damaged: its end is missing.")
    notes = [NO_CRS]
    encoding, declared = _encoding(content)
    if not content.isascii() and encoding != declared:
        name = {"gb18030": "GB 18030"}.get(encoding, encoding.upper())
        notes.append(
            Words(
                f"图纸没有可用的代码页说明，文字按 {name} 解读。",
                f"The drawing names no code page that fits: text is read as {name}.",
            )
        )
    rows = _rows(_entities(_ascii(content, encoding)), notes)
    if not rows:
        raise Refusal(
            "图纸的模型空间里没有图形。", "There are no entities in the model space of the drawing."
        )
    names = list(dict.fromkeys(name for row in rows for name in row.cells))
    headers = distinct(names)
    return Source(
        headers, _chunks(rows, names, headers), total=len(rows), geometry=True, notes=notes
    )


def _encoding(content: bytes) -> tuple[str, str | None]:
    """Return the encoding that everything can be read in, and the one that is declared."""
    found = _CODE_PAGE.search(content[:_HEAD])
    declared = dbf.named(found[1]) if found else None
    # In a code page of single bytes anything can be read, and Chinese drawings often claim one.
    wide = [declared] if declared in _WIDE else []
    narrow = [declared] if declared and declared not in _WIDE else []
    for encoding in ("utf-8", *wide, "gb18030", *narrow):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding, declared
    return "latin-1", declared


def _ascii(content: bytes, encoding: str) -> bytes:
    r"""Return the drawing with ``\U+4E2D`` for what is beyond ASCII, as AutoCAD itself writes.

    So the code pages of drawings need not be known to GDAL, which leaves some texts as they are.
    """
    if content.isascii():
        return content

    def escape(match: re.Match[str]) -> str:
        units = match[0].encode("utf-16-be")
        return "".join(f"\\U+{units[i : i + 2].hex().upper()}" for i in range(0, len(units), 2))

    text = content.decode(encoding).removeprefix("\ufeff")
    return re.sub("[^\x00-\x7f]+", escape, text).encode("ascii")


def _plain(text: str) -> str:
    r"""Return a text with its characters.

    >>> _plain(r"\U+4E2D\U+6587 a")
    '中文 a'
    """

    def character(match: re.Match[str]) -> str:
        units = bytes.fromhex(match[0].replace("\\U+", ""))
        return units.decode("utf-16-be", "replace")

    return " ".join(_ESCAPED.sub(character, text).split())


def _entities(content: bytes) -> list[_Entity]:
    def damaged() -> Refusal:
        return Refusal("DXF 已损坏，无法读取。", "The DXF is damaged: it cannot be read.")

    with quiet(damaged):
        about = pyogrio.read_info(content, layer="entities", INLINE_BLOCKS="NO")
        if about["driver"] != "DXF":
            raise wrong("DXF")
        _, table = pyogrio.raw.read_arrow(content, layer="entities", INLINE_BLOCKS="NO")
        columns = {name: table.column(name).to_pylist() for name in about["fields"]}
        shapes = features.shapes(table.column(table.num_columns - 1).to_pylist())
    entities = []
    for at, shape in enumerate(shapes):
        if columns["PaperSpace"][at] or shape is None:
            continue
        block, text = columns.get("BlockName", {at: None})[at], columns["Text"][at]
        cells: dict[str, Any] = {LAYER: _plain(columns["Layer"][at] or "")}
        if block:
            cells |= {BLOCK: _plain(block), ANGLE: columns["BlockAngle"][at]}
            for attribute in columns["BlockAttributes"][at] or ():
                tag, _, value = attribute.partition(" ")
                cells[_plain(tag)] = _plain(value)
        elif columns.get("AttributeTag", {at: None})[at]:
            continue  # it is a cell of its block
        if handle := columns["EntityHandle"][at]:
            cells[HANDLE] = handle
        entities.append(_Entity(shape, cells, _plain(text) if text and not block else None))
    return entities


def _rows(entities: Sequence[_Entity], notes: list[Words]) -> list[_Entity]:
    """Return what is a row: texts go to the outlines that they stand in."""
    texts = [entity for entity in entities if entity.lone_text]
    others = [entity for entity in entities if not entity.lone_text]
    if not others:
        return [_Entity(t.shape, {**t.cells, TEXT: t.text}, None) for t in texts]
    if not texts:
        return others
    outlines = [(at, outline) for at, o in enumerate(others) if (outline := closed(o.shape))]
    inside: dict[int, list[str]] = {}
    points = [t.shape for t in texts]
    good = [at for at, point in enumerate(points) if getattr(point, "geom_type", "") == "Point"]
    if outlines and good:
        shapes = np.array([outline for _, outline in outlines], dtype=object)
        tree = shapely.STRtree(shapes)
        dots = np.array([points[at] for at in good], dtype=object)
        dot, outline = tree.query(dots, predicate="intersects")
        order = np.lexsort((shapely.area(shapes[outline]), dot))
        dot, outline = dot[order], outline[order]
        _, first = np.unique(dot, return_index=True)  # the smallest outline of each text
        for a, b in zip(dot[first].tolist(), outline[first].tolist(), strict=True):
            inside.setdefault(outlines[b][0], []).append(texts[good[a]].text or "")
    used = sum(map(len, inside.values()))
    if left := len(texts) - used:
        notes.append(
            Words(
                f"{left} 个文字注记不在任何闭合线内，未读取。",
                f"{left} texts stand in no closed outline and were left out.",
            )
        )
    return [
        _Entity(o.shape, {**o.cells, TEXT: " ".join(inside[at][:_TEXTS])}, None)
        if at in inside
        else o
        for at, o in enumerate(others)
    ]


def closed(shape: Shape) -> shapely.Polygon | None:
    """Return the polygon that a closed line goes around, or a polygon itself; else None.

    >>> print(closed(shapely.LineString([(0, 0), (1, 0), (1, 1), (0, 0)])))
    POLYGON ((0 0, 1 0, 1 1, 0 0))
    """
    if shape is None or isinstance(shape, Broken):
        return None
    if isinstance(shape, shapely.Polygon) and not shape.is_empty:
        return shape
    around = isinstance(shape, shapely.LineString) and shape.is_closed and len(shape.coords) > 3
    return shapely.Polygon(shape) if around else None


def _chunks(
    rows: Sequence[_Entity], names: Sequence[str], headers: Sequence[str]
) -> Iterator[Chunk]:
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        yield Chunk(
            range(start + 1, start + len(part) + 1),
            [None] * len(part),
            {h: [row.cells.get(n) for row in part] for h, n in zip(headers, names, strict=True)},
            [row.shape for row in part],
        )
