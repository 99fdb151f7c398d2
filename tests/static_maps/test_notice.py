"""The change notice: what PDF and DOCX say, and what they must not hold."""

import dataclasses
import io
import re
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from docx import Document
from pypdf import PdfReader

from static_maps import notice, notice_map
from static_maps.notice import Notice

CODES = ["990101101001001", "990101101001002", "990101101001003"]


def boxes(parts: list[tuple[float, float]], **columns: Any) -> gpd.GeoDataFrame:
    """Rectangles 500 m high between eastings, around 120° E."""
    shapes = [shapely.box(519000 + a, 3352000, 519000 + b, 3352500) for a, b in parts]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=4549).to_crs(4326)


def figures(households: int, area: float) -> dict[str, Any]:
    return {
        "households": households, "population": households * 3, "buildings": 9, "staff": 1,
        "events": 12, "cameras": 4, "area_m2": area,
    }  # fmt: skip


def change(**more: Any) -> Notice:
    told: dict[str, Any] = {
        "title": "和平社区网格调整",
        "reason": "新建小区入住后户数超出标准。",
        "area": "示范镇",
        "before": boxes([(0, 800), (800, 1200)], code=CODES[:2], name=["第一网格", "第二网格"]),
        "after": boxes(
            [(0, 400), (500, 1200), (400, 500)], code=CODES, name=["第一网格", "第二网格", ""]
        ),
        "moved": boxes(
            [(500, 800), (400, 500)],
            **{
                "from": [CODES[0]] * 2, "to": CODES[1:], "households": [212, 57],
                "population": [636, 171], "buildings": [5, 2], "events": [3, 0],
                "cameras": [1, 0], "area_m2": [150_000.0, 50_000.0],
            },
        ),
        "table": [
            {"code": CODES[0], "name": "第一网格", "before": figures(598, 4e5),
             "after": figures(329, 2e5)},
            {"code": CODES[1], "name": "第二网格", "before": figures(306, 2e5),
             "after": figures(518, 3.5e5)},
            {"code": CODES[2], "name": "", "before": None, "after": figures(57, 5e4)},
        ],
        "made": date(2026, 11, 22),
        "valid_from": date(2027, 1, 1),
        "number": "示政网格〔2026〕7号",
        "around": boxes([(1200, 1700)], code=["9"], name=["第九网格"]),
        "roads": gpd.GeoDataFrame(
            geometry=[shapely.LineString([(519000, 3352250), (520200, 3352250)])], crs=4549
        ).to_crs(4326),
        "buildings": boxes([(100, 120), (700, 730)]),
        "footer": "演示数据",
    }  # fmt: skip
    return Notice(**{**told, **more})


WORDS = (
    "示范镇网格边界调整通知书", "和平社区网格调整", "新建小区入住后户数超出标准。", "草案",
    "2027年1月1日", "示政网格〔2026〕7号", *CODES, "第一网格", "598→329", "306→518", "—→57",
    "新设new", "40.00→20.00", "269", "20.00", "编制", "审核", "批准", "职务", "签章",
    "户数标准300—500户", "Noticeofgridboundarychange", "Approvedby", "演示数据",
)  # fmt: skip


def test_pdf(tmp_path: Path) -> None:
    path = tmp_path / "notice.pdf"
    notice.write(change(), path)
    reader = PdfReader(path)
    text = "".join("".join(page.extract_text().split()) for page in reader.pages)
    for words in WORDS:
        assert words in text, words
    assert f"第{len(reader.pages)}页共{len(reader.pages)}页" in text
    assert [round(float(side) * 25.4 / 72) for side in reader.pages[0].mediabox[2:]] == [210, 297]
    assert reader.metadata is not None
    assert reader.metadata.title == "网格边界调整通知书 和平社区网格调整"
    assert b"http" not in path.read_bytes()


def test_docx() -> None:
    made = io.BytesIO()
    notice.write(change(), made, "docx")
    paper = Document(made)
    cells = [cell.text for table in paper.tables for row in table.rows for cell in row.cells]
    lines = [line.text for line in paper.paragraphs]
    foot = paper.sections[0].footer.paragraphs[0].text
    text = "".join("".join([*cells, *lines, foot]).split())
    for words in WORDS:
        assert words in text, words
    assert len(paper.inline_shapes) == 1
    told = paper.core_properties
    assert (told.author, told.comments, told.title) == (
        "", "", "网格边界调整通知书 和平社区网格调整",
    )  # fmt: skip
    with zipfile.ZipFile(made) as parts:
        body = parts.read("word/document.xml").decode()
        assert 'w:eastAsia="SimSun"' in body
        assert 'w:fill="F6CFC9"' in body, "518 households are above the limit"
        assert 'w:fill="FBE7C6"' in body, "57 households are below"
        for name in parts.namelist():
            if name.endswith((".xml", ".rels")):
                found = parts.read(name).decode()
                assert 'TargetMode="External"' not in found
                # Names of XML vocabularies look like addresses; none of them is opened.
                hosts = set(re.findall(r"https?://([^/\"]+)", found))
                assert hosts <= {
                    "schemas.openxmlformats.org", "schemas.microsoft.com", "purl.org",
                    "www.w3.org",
                }, name  # fmt: skip
        assert "PAGE" in parts.read("word/footer1.xml").decode()


def test_approved_and_nothing_moved(tmp_path: Path) -> None:
    path = tmp_path / "notice.pdf"
    empty = change().moved.iloc[:0]
    notice.write(change(approved=True, moved=empty, valid_from=None, number=None), path)
    text = "".join("".join(p.extract_text().split()) for p in PdfReader(path).pages)
    assert "草案" not in text
    assert "没有建筑、事件和摄像机随边界划转" in text
    assert "批准发布之日" in text
    assert "文号" not in text


@pytest.mark.slow
def test_many_grids_flow_over_pages(tmp_path: Path) -> None:
    path = tmp_path / "notice.pdf"
    codes = [f"990101101001{number:03}" for number in range(1, 61)]
    parts = [(20.0 * i, 20.0 * i + 20) for i in range(60)]
    grids = boxes(parts, code=codes, name=[f"第{i}网格" for i in range(1, 61)])
    rows = [{"code": code, "name": f"第{i}网格", "before": figures(300 + i, 1e4),
             "after": figures(400 + i, 1e4)} for i, code in enumerate(codes, 1)]  # fmt: skip
    notice.write(change(before=grids, after=grids, table=rows), path)
    pages = ["".join(page.extract_text().split()) for page in PdfReader(path).pages]
    assert len(pages) >= 3
    for i in range(1, 61):
        assert sum(f"{300 + i}→{400 + i}" in page for page in pages) == 1
    # The head of the table is on every page that it runs over.
    assert sum("Households" in page and "Events" in page for page in pages) >= 2


def test_both_maps_show_the_same_window_at_a_round_scale() -> None:
    seen = notice_map.window(change(), 87, 92)
    assert seen.scale == 16_000
    assert seen.crs.to_epsg() == 4549
    grids = gpd.GeoSeries([shapely.box(seen.west, seen.south, seen.east, seen.north)], crs=4326)
    assert grids.covers(shapely.union_all(change().before.geometry)).all()


def test_of_review() -> None:
    from_ = change()
    review = {
        "before": from_.before.__geo_interface__,
        "after": from_.after.__geo_interface__,
        "gains": from_.moved.__geo_interface__,
        "table": from_.table,
        "balance_after": {"limits": {"households": [250, 450]}},
    }
    made = notice.of_review(
        review, title="调整", reason="", area="示范镇", made=date(2026, 1, 2), approved=True
    )
    assert made.codes == CODES
    assert made.limits == (250, 450)
    assert notice.moved_rows(made)[-1] == ["合计 Total", "", "269", "807", "7", "3", "1", "20.00"]
    assert [notice.state(made, row) for row in made.table] == ["within", "above", "below"]
    nothing = {**review, "gains": {"type": "FeatureCollection", "features": []}}
    again = notice.of_review(nothing, title="", reason="", area="", made=date(2026, 1, 2))
    assert notice.moved_rows(again) == []


def test_bad_input(tmp_path: Path) -> None:
    good = change()
    with pytest.raises(ValueError, match=r"\.pdf, \.docx"):
        notice.write(good, tmp_path / "notice.txt")
    with pytest.raises(ValueError, match="at least one grid"):
        dataclasses.replace(good, table=[])
    with pytest.raises(ValueError, match="no column 'cameras'"):
        dataclasses.replace(good, moved=good.moved.drop(columns="cameras"))
    with pytest.raises(ValueError, match="EPSG:4326"):
        dataclasses.replace(good, before=good.before.to_crs(3857))
    # Letters that the font lacks, and markup, are words like any others.
    strange = change(title="<b>$x^2$</b> & \U0001f600", reason="字" * 400)
    for suffix in ("pdf", "docx"):
        notice.write(strange, tmp_path / f"strange.{suffix}")
