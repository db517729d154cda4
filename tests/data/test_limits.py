"""What a file may hold at most: beyond it there is a sentence, soon and without much memory."""

import gzip
import io
import json
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grouprec.core.types import DataError
from grouprec.data import limits
from grouprec.data.preparing.clean import Preparation
from grouprec.data.preparing.prepare import prepare
from grouprec.data.reading.read import peek, read

ROWS = "".join(f"u{n % 7},i{n % 5}\n" for n in range(70))


def test_a_small_gzip_file_that_becomes_a_large_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "FREE_BYTES", 1 << 20)
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"user,item\n" + b"a,b\n" * 3_000_000))
    with pytest.raises(DataError, match=r"'bomb.csv.gz' \(.* MB\) unpacks to .* MB or more"):
        read(path)


def test_a_gzip_file_of_usual_rows_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "FREE_BYTES", 0)
    path = tmp_path / "shop.csv.gz"
    path.write_bytes(gzip.compress(f"user,item\n{ROWS}".encode()))
    assert read(path).n_read == 70


def test_a_workbook_that_unpacks_to_a_large_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "FREE_BYTES", 1 << 20)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 5_000_000)
    path = tmp_path / "bomb.xlsx"
    path.write_bytes(content.getvalue())
    with pytest.raises(DataError, match="unpacks to 5 MB"):
        peek(path)


def test_a_parquet_file_of_more_rows_than_its_bytes_tell_apart_is_refused(tmp_path):
    path = tmp_path / "bomb.parquet"
    nothing = pa.DictionaryArray.from_arrays(pa.array(np.zeros(12_000_000, np.int8)), pa.array(["a"]))
    pq.write_table(pa.table({"user": nothing, "item": nothing}), path)
    with pytest.raises(DataError, match=r"12,000,000 rows in .* bytes, less than one bit each"):
        peek(path)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_too_many_columns_are_counted(tmp_path, ending):
    path = tmp_path / f"wide.{ending}"
    names = [f"c{n}" for n in range(limits.MOST_COLUMNS + 1)]
    if ending == "csv":
        path.write_text("\n".join([",".join(names), ",".join("1" * len(names))]) + "\n")
    else:
        pq.write_table(pa.table([[1]] * len(names), names=names), path)
    with pytest.raises(DataError, match=r"has 5,001 columns, and at most 5,000 are read; give one row per interaction"):
        peek(path)


def test_too_many_rows_are_refused_while_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MOST_ROWS", 50)
    path = tmp_path / "long.csv"
    path.write_text(f"user,item\n{ROWS}")
    with pytest.raises(DataError, match=r"'long.csv' has 70 rows, and at most 50 are read"):
        read(path)


def test_rows_with_a_page_of_text_for_an_id_are_left_out_and_told(tmp_path):
    path = tmp_path / "ids.csv"
    path.write_text(f"user,item\n{ROWS}u1,{'x' * 1001}\n{'y' * 5000},i1\n")
    found = prepare(path, settings=Preparation(min_item_users=1))
    assert found.n_rows == prepare_plain(tmp_path).n_rows
    assert "2 rows have ids of more than 1,000 characters and are left out (user: 1, item: 1)." in found.doubts


def prepare_plain(tmp_path):
    path = tmp_path / "plain.csv"
    path.write_text(f"user,item\n{ROWS}")
    return prepare(path, settings=Preparation(min_item_users=1))


@pytest.mark.parametrize("bad", ["1e999", "inf", "-inf"])
def test_endless_weights_are_unread_values(tmp_path, bad):
    path = tmp_path / "weights.csv"
    rows = ROWS.replace("\n", ",2\n")
    path.write_text(f"user,item,quantity\n{rows}u1,i1,{bad}\nu2,i2,NaN\n")
    found = prepare(path, settings=Preparation(min_item_users=1))
    steps = {step: before - after for step, before, after, _ in found.report.steps}
    assert steps["weights that are not numbers"] == 2
    assert any(
        f"1 of 72 quantities in column 'quantity' cannot be read, such as '{bad}'" in one for one in found.doubts
    )


def test_endless_weights_of_a_typed_file_are_unread_values(tmp_path):
    path = tmp_path / "weights.parquet"
    frame = pd.DataFrame({"user": [f"u{n % 7}" for n in range(70)], "item": [f"i{n % 5}" for n in range(70)]})
    frame.assign(quantity=[np.inf, *[2.0] * 69]).to_parquet(path)
    found = prepare(path, settings=Preparation(min_item_users=1))
    assert any("1 of 70 quantities in column 'quantity' cannot be read" in one for one in found.doubts)


def test_a_long_title_is_cut_and_told(tmp_path):
    path = tmp_path / "titles.csv"
    rows = "".join(f"{row},{'t' * 1500 if row.endswith('i1') else 'Mug ' + row[-1]}\n" for row in ROWS.split())
    path.write_text(f"user,item,title\n{rows}")
    found = prepare(path, settings=Preparation(min_item_users=1))
    labels = found.dataset.item_labels
    assert max(map(len, labels)) == 1000 and sum(label.endswith("t…") for label in labels) == 1
    assert "1 label is longer than 1,000 characters and was cut." in found.doubts


def test_delimited_text_called_json_is_read(tmp_path):
    path = tmp_path / "shop.json"
    path.write_text(f"user,item\n{ROWS}")
    assert read(path).n_read == 70


@pytest.mark.parametrize("content", ["null", "{'a': 1}", "hello world\nthis is nothing\n"])
def test_what_is_neither_json_nor_a_table_is_refused_in_a_sentence(tmp_path, content):
    path = tmp_path / "shop.json"
    path.write_text(content)
    with pytest.raises(DataError, match=r"'shop.json' is not JSON: it begins with"):
        peek(path)


def test_a_mark_before_what_is_not_utf8_is_read(tmp_path):
    path = tmp_path / "bom.csv"
    path.write_bytes(b"\xef\xbb\xbfuser,item\n" + ROWS.encode() + "Müller,Ö1\n".encode("cp1252") * 3)
    assert read(path).n_read == 73


def test_lists_under_a_role_are_told(tmp_path):
    path = tmp_path / "behaviour.jsonl"
    lines = [f'{{"user": "u{n % 7}", "item": "i{n % 5}", "behaviour": ["x"]}}' for n in range(70)]
    path.write_text("\n".join(lines))
    assert any("lists or objects were left out: behaviour" in note for note in prepare(path).notes)


def test_a_delimiter_beyond_ascii_is_one(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text("user¦item\n" + ROWS.replace(",", "¦"))
    assert read(path).n_read == 70


def test_one_very_long_name_among_many_columns_is_refused_where_it_would_fill_the_memory(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text(f"user,item,{'a' * 60_000},{','.join('b' * 2_000)}\n{'1,' * 2_002}1\n")
    with pytest.raises(DataError, match=r"2,003 columns, and the name of one has 60,000 characters; is its first line"):
        peek(path)
    path = tmp_path / "split.json"
    wide = ["user", "item", *map(str, range(limits.MOST_COLUMNS))]
    path.write_text(json.dumps({"columns": wide, "data": [[1] * len(wide)] * 2}))
    with pytest.raises(DataError, match=r"5,002 columns, and at most 5,000 are read"):
        peek(path)
