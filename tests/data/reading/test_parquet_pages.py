"""A Parquet file that would fill the memory is refused before it does; what people save is read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grouprec.core.types import DataError
from grouprec.data.reading import parquet_pages
from grouprec.data.reading.parquet_pages import check_pages
from grouprec.data.reading.read import peek, read

N = 100_000


def write(path: Path, columns: dict[str, object], **how: object) -> Path:
    pq.write_table(pa.table(columns), path, **how)  # type: ignore[arg-type]
    return path


def one_long_text(path: Path) -> Path:
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(N, np.int32)), pa.array(["a" * 1_000_000]))
    return write(path, {"user": ["u"] * N, "item": ["i"] * N, "note": texts}, compression="zstd")


def one_long_text_among_short_ones(path: Path) -> Path:
    values = [*(f"s{n}" for n in range(5_000)), "a" * 1_000_000]
    at = np.full(N, 5_000, np.int32)
    at[:5_000] = np.arange(5_000)
    texts = pa.DictionaryArray.from_arrays(pa.array(at), pa.array(values))
    return write(path, {"user": ["u"] * N, "item": ["i"] * N, "note": texts}, compression="gzip")


def pages_of_nothing(path: Path) -> Path:
    how = {"use_dictionary": False, "compression": "zstd", "data_page_size": 1 << 30}
    return write(path, {"user": ["u"] * N, "item": ["i"] * N, "note": ["\0" * 6_000] * N}, **how)


def texts_by_their_beginnings(path: Path) -> Path:
    how = {"use_dictionary": False, "column_encoding": {"note": "DELTA_BYTE_ARRAY"}, "compression": "none"}
    return write(path, {"user": ["u"] * 9_000, "item": ["i"] * 9_000, "note": ["a" * 60_000] * 9_000}, **how)


BOMBS = [one_long_text, one_long_text_among_short_ones, pages_of_nothing, texts_by_their_beginnings]
MEASURED = """
import sys
from pathlib import Path
from grouprec.core.types import DataError
from grouprec.data.reading.read import peek, read
def peak(name):
    return int(next(l for l in open('/proc/self/status') if l.startswith(name)).split()[1]) / 1024
before = peak('VmRSS')
for look in (peek, read):
    try:
        look(Path(sys.argv[1]))
        print('read')
    except DataError as error:
        print(error)
print(peak('VmHWM') - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read as Linux tells it")
@pytest.mark.parametrize("make", BOMBS, ids=lambda make: make.__name__)
def test_a_bomb_is_refused_in_a_sentence_before_it_is_in_memory(make, tmp_path: Path) -> None:
    path = make(tmp_path / "bomb.parquet")
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))\n{MEASURED}"
    done = subprocess.run([sys.executable, "-c", limited, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-800:]
    *said, taken = done.stdout.splitlines()
    assert all("unpacks to" in sentence for sentence in said), said
    assert float(taken) < 200 + 3 * path.stat().st_size / 2**20


def test_long_texts_of_which_few_rows_are_read_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = [*(["short"] * 20_000), *(f"{n}" * 3_000 for n in range(9))]
    columns = {"user": ["u"] * len(notes), "item": ["i"] * len(notes), "note": notes}
    path = write(tmp_path / "notes.parquet", columns)
    monkeypatch.setattr(parquet_pages, "FREE_BYTES", 1 << 20)
    monkeypatch.setattr(parquet_pages, "MOST_RATIO", 1)
    assert read(path).frame["note"].tolist() == notes, "what may be too much by its dictionary is counted"


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd", "brotli", "lz4"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_what_people_save_is_read(codec: str, version: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"user": rng.integers(0, 900, 5_000).astype(str), "item": rng.integers(0, 90, 5_000)})
    frame["time"], frame["when"] = pd.Timestamp("2024-01-05"), rng.random(5_000)
    frame["tags"] = [["a", "b"][: n % 3] for n in range(5_000)]
    frame["raw"], frame["yes"] = [b"0123456789abcdef"] * 5_000, rng.random(5_000) < 0.5
    path = tmp_path / "saved.parquet"
    table = pa.Table.from_pandas(frame).set_column(5, "raw", pa.array(frame["raw"], pa.binary(16)))
    how = {"compression": codec, "data_page_version": version, "row_group_size": 700, "data_page_size": 500}
    pq.write_table(table, path, **how, write_page_checksum=True, write_page_index=True)  # type: ignore[arg-type]
    with pq.ParquetFile(path) as file:
        check_pages(path, file)
    assert peek(path).n_rows == 5_000 and read(path).frame["user"].tolist() == frame["user"].tolist()


def test_bytes_that_have_turned_are_a_sentence_or_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = write(tmp_path / "turned.parquet", {"user": ["a", "b"] * 50, "item": [*"cdef"] * 25, "n": list(range(100))})
    content = path.read_bytes()
    for _ in range(300):
        turned = bytearray(content)
        for place in rng.integers(0, len(content), int(rng.integers(1, 4))).tolist():
            turned[place] = int(rng.integers(256))
        path.write_bytes(turned)
        for look in (peek, read):
            try:
                look(path)
            except DataError as error:
                assert "turned.parquet" in str(error)
