import dataclasses
import struct
from collections.abc import Callable
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from matplotlib import image
from matplotlib.colors import to_rgb
from pypdf import PdfReader

from static_maps import fonts, marks, sheet
from static_maps.legend import entries
from static_maps.metric import hexagons, local_crs
from static_maps.theme import Theme, ThemeLayer

Town = Callable[[int], Theme]


def subject(theme: Theme) -> ThemeLayer:
    assert theme.subject is not None
    return theme.subject


def with_rows(theme: Theme, frame: gpd.GeoDataFrame) -> Theme:
    layer = dataclasses.replace(subject(theme), frame=frame)
    return dataclasses.replace(theme, layers=(*theme.layers[:-1], layer))


def text_of(path: Path) -> str:
    """The text of a PDF without its line breaks."""
    return "".join(PdfReader(path).pages[0].extract_text().split())


def test_pdf_holds_its_type_and_its_words(tmp_path: Path, theme: Town) -> None:
    path = tmp_path / "map.pdf"
    assert sheet.draw(theme(90), path, date=date(2025, 4, 1)) == ()
    page = PdfReader(path).pages[0]
    assert [round(float(side) * 25.4 / 72) for side in page.mediabox[2:]] == [420, 297]
    for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
        face = font.get_object()
        assert "NotoSansCJKsc" in face["/FontDescriptor"]["/FontName"]
        # Type 3 glyphs are drawings in the file; 42 would be refused by Acrobat for this font.
        assert face["/Subtype"] == "/Type3"
        assert face["/CharProcs"]
        assert "/ToUnicode" in face
    text = text_of(path)
    for words in (
        "示范镇分布图",
        "时段：2025-01-01至2025-03-31",
        "和平第五网格",
        "人民路",
        "已登记30",
        "已结案59",
        "已上报0",
        "其他或未注明1",
        "合计90",
        "制图日期：2025-04-01",
        "EPSG:4549",
        "中央经线120°E",
    ):
        assert words in text, words
    assert "不可外传" not in text


def test_png_has_the_paper_in_pixels(tmp_path: Path, households: ThemeLayer, theme: Town) -> None:
    path = tmp_path / "map.png"
    base = dataclasses.replace(theme(3), layers=(*theme(3).layers[:-1], households))
    sheet.draw(base, path, paper="A4", dpi=100)
    assert struct.unpack(">2I", path.read_bytes()[16:24]) == (1169, 826)
    pixels = image.imread(path)[..., :3]
    for entry in entries(households, "zh"):
        share = np.isclose(pixels, to_rgb(entry.color), atol=0.01).all(axis=2).mean()
        assert share > 0.02 * entry.count, f"{entry.title} is not filled"


def test_svg_in_english(tmp_path: Path, theme: Town) -> None:
    path = tmp_path / "map.svg"
    sheet.draw(theme(30), path, lang="en", paper="A4")
    assert path.read_text().startswith("<?xml")


def test_many_points_become_counts(tmp_path: Path, theme: Town) -> None:
    path = tmp_path / "map.pdf"
    sheet.draw(theme(marks.MOST_POINTS + 1), path)
    text = text_of(path)
    assert "共2,001个点，超过2,000，改以六边形计数表示" in text
    assert "时段：2025-01-01至2025-03-31每个六边形" in text
    assert "合计2,001" in text


def test_what_is_left_out_is_said(tmp_path: Path, theme: Town) -> None:
    town = theme(20)
    frame = subject(town).frame.copy()
    frame.loc[0, "geometry"] = None
    frame.loc[1, "geometry"] = shapely.Point(120.9, 30.2)
    crowded = with_rows(town, frame)
    grids = dataclasses.replace(crowded.layers[1], frame=crowded.layers[1].frame.iloc[[4] * 30])
    crowded = dataclasses.replace(crowded, layers=(crowded.layers[0], grids, *crowded.layers[2:]))
    path = tmp_path / "map.pdf"
    notes = sheet.draw(crowded, path)
    assert notes == (
        "图层“矛盾纠纷”有 1 条记录没有位置，未绘出。",
        "有 1 个点落在图幅之外，未绘出，也未计入图例。",
        "因位置不足，有 29 个“网格界”名称未注记。",
    )
    text = text_of(path)
    assert all("".join(note.split()) in text for note in notes)
    assert "合计18" in text


def test_no_data_is_said(tmp_path: Path, theme: Town) -> None:
    town = theme(20)
    sheet.draw(with_rows(town, subject(town).frame.iloc[:0]), path := tmp_path / "map.pdf")
    assert "本图所选范围内无数据" in text_of(path)


def test_names_are_never_formulas(tmp_path: Path, theme: Town) -> None:
    town = dataclasses.replace(theme(3), title=r"甲$\frac$乙$")
    sheet.draw(town, path := tmp_path / "map.pdf")
    assert r"甲$\frac$乙$" in text_of(path)


def test_bad_requests_are_refused_in_a_sentence(tmp_path: Path, theme: Town) -> None:
    town = theme(3)
    with pytest.raises(ValueError, match=r"written as \.png, \.pdf, \.svg, not as \.gif"):
        sheet.draw(town, tmp_path / "map.gif")
    with pytest.raises(ValueError, match="no paper B5: use A0, A1, A2, A3, A4"):
        sheet.draw(town, tmp_path / "map.png", paper="B5")
    with pytest.raises(ValueError, match="no language fr"):
        sheet.draw(town, tmp_path / "map.png", lang="fr")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="nothing to draw"):
        with_rows(dataclasses.replace(town, layers=town.layers[-1:]), subject(town).frame.iloc[:0])
    with pytest.raises(ValueError, match="Layer disputes has no column colour"):
        dataclasses.replace(subject(town), by="colour")
    with pytest.raises(ValueError, match="must be in EPSG:4326"):
        dataclasses.replace(subject(town), frame=subject(town).frame.to_crs(3857))
    with pytest.raises(ValueError, match="more than one theme layer"):
        dataclasses.replace(town, layers=town.layers[-1:] * 2)


def test_missing_font_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    fonts.typeface.cache_clear()
    monkeypatch.setattr(fonts, "FAMILY", "No Such Type")
    with pytest.raises(FileNotFoundError, match="fonts-noto-cjk"):
        fonts.typeface()


def test_ranges_hold_every_grid_once(households: ThemeLayer) -> None:
    found = entries(households, "zh")
    assert sum(entry.rows.astype(int) for entry in found).tolist() == [1] * 9  # type: ignore[union-attr]
    assert (found[-1].title, found[-1].count) == ("无数据", 1)
    values = households.frame["households"].to_numpy()
    for entry in found[:-1]:
        low, top = (float(part) for part in (entry.title.split(" – ") * 2)[:2])
        assert (values[entry.rows].min(), values[entry.rows].max()) == (low, top)


def test_hexagons_count_as_brute_force_does() -> None:
    points = np.random.default_rng(1).uniform(-2000, 2000, (3000, 2))
    cells, counts = hexagons(points, 150)
    assert counts.sum() == 3000
    inside = shapely.intersects(cells[:, None], shapely.points(points)[None, :])
    assert (inside.sum(axis=1) == counts).all()


@pytest.mark.parametrize(
    ("place", "code"),
    [((75.0, 39), 4534), ((118.4, 32), 4548), ((118.6, 32), 4549), ((135.0, 48), 4554),
     ((139.7, 35.7), 32654), ((151.2, -33.9), 32756)],
)  # fmt: skip
def test_the_metric_crs_is_the_local_one(place: tuple[float, float], code: int) -> None:
    assert local_crs(*place).to_epsg() == code
