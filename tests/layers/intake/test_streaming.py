"""Text files are read as they come: packed or not, in any encoding, with bounded memory."""

import gzip
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from layers.intake import readers
from layers.intake.readers import source
from layers.intake.report import Problems, Refusal
from layers.intake.rows import Middles
from layers.intake.used import Used

LINE = "编号{},116.5,39.9,邻里纠纷\n"


def file(path: Path, count: int, encoding: str = "utf-8") -> Path:
    text = "编号,经度,纬度,类别\n" + "".join(LINE.format(i) for i in range(count))
    content = text.encode(encoding)
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_every_encoding_over_many_blocks(
    tmp_path: Path, encoding: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layers.intake.chunks.BLOCK", 1001)  # characters are cut in two
    chunks = list(source(file(tmp_path / name, 500, encoding), Problems()).chunks)
    assert [c for chunk in chunks for c in chunk.cells["编号"]] == [f"编号{i}" for i in range(500)]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for count in (40_000, 160_000):
        path = file(tmp_path / f"{count}.csv.gz", count)
        tracemalloc.start()
        read = sum(len(chunk.rows) for chunk in source(path, Problems()).chunks)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert read == count
    assert peaks[1] < peaks[0] * 1.2


def test_text_may_be_larger_than_what_is_held_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "MAX_BYTES", 1000)
    assert list(source(file(tmp_path / "a.csv", 500), Problems()).chunks)
    with pytest.raises(Refusal, match="larger than the limit"):
        source(file(tmp_path / "a.geojson", 500), Problems())
    monkeypatch.setattr(readers, "MAX_STREAMED", 2000)
    for name in ("a.csv", "a.csv.gz"):
        with pytest.raises(Refusal, match="larger than the limit"):
            list(source(file(tmp_path / name, 500), Problems()).chunks)


def test_a_damaged_end_of_an_archive_is_told(tmp_path: Path) -> None:
    path = file(tmp_path / "a.csv.gz", 50_000)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(Refusal, match="damaged"):
        list(source(path, Problems()).chunks)


def test_what_is_no_text_at_its_end(tmp_path: Path) -> None:
    path = file(tmp_path / "a.csv", 1000)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(Refusal, match="not text"):
        source(path, Problems())


def test_repeated_codes_against_a_dictionary() -> None:
    chance = np.random.default_rng(1)
    used = Used()
    known: dict[str, list[int]] = {}
    row = 0
    for _ in range(20):
        codes = [None if n < 5 else f"D{n}" for n in chance.integers(0, 3000, 200)]
        rows = list(range(row + 1, row + 201))
        used.add(codes, rows, [None if n % 7 == 0 else n + 1 for n in rows])
        for code, own in zip(codes, rows, strict=True):
            if code is not None:
                known.setdefault(code, []).append(own)
        row += 200
        assert used.doubled() == any(len(rows) > 1 for rows in known.values())
    repeated = {code: rows for code, rows in known.items() if len(rows) > 1}
    found: dict[str, list[int]] = {}
    for code, own, line in used.repeated():
        assert line == (None if own % 7 == 0 else own + 1)
        found.setdefault(code, []).append(own)
    assert found == repeated
    some = set(list(known)[:10]) | {"unknown"}
    assert {code for code, _, _ in used.of(some)} == some - {"unknown"}
    assert len(list(used)) == sum(len(rows) for rows in known.values())
    asked = [f"D{n}" for n in range(4000)]
    assert used.among(asked).tolist() == [code in known for code in asked]
    first = {rows[0]: code for code, rows in known.items()}
    assert used.at(first.keys()) == first
    assert not Used().among(asked).any()
    assert Used().at([1]) == {}


@pytest.mark.parametrize("parts", [[10], [8192], [8193], [5000] * 9, [1, 20_000, 3, 40_000]])
def test_the_sample_is_evenly_spaced_and_bounded(parts: list[int]) -> None:
    sample, start = Middles(), 0
    for size in parts:
        sample.add(np.column_stack([np.arange(start, start + size)] * 2).astype(float))
        start += size
    kept = sample.points()[:, 0]
    assert len(kept) <= Middles.MOST
    assert kept[0] == 0
    steps = np.unique(np.diff(kept))
    assert len(steps) <= 1
    assert start - kept[-1] <= (steps[0] if len(steps) else 1)
