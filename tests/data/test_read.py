import gzip
import json
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from grouprec.core.types import DataError
from grouprec.data.read import peek, read_beginning, read_table

TABLE = pd.DataFrame(
    {
        "user": ["00123", "Anne Marie", 'the "boss"', "😀"],
        "item": ["a,b;c", "Müller", "x\ty|z", "two\nlines"],
        "weight": ["1", "2.5", "3", "4"],
    }
)


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refused(path):
    with pytest.raises(DataError) as caught:
        read_table(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_delimited_text_comes_back_as_it_was_written(tmp_path, delimiter, encoding):
    path = tmp_path / "events.csv"
    TABLE.to_csv(path, sep=delimiter, encoding=encoding, index=False)
    assert read_table(path).to_dict("list") == TABLE.to_dict("list")
    assert peek(path).delimiter == delimiter


@pytest.mark.parametrize(
    ("encoding", "name"), [("cp1252", "Café Müller"), ("gb18030", "张三的苹果手机"), ("cp1251", "Иван Молоко")]
)
def test_legacy_encodings_are_recognised(tmp_path, encoding, name):
    text = "user,item\n" + "".join(f"u{n},{name}\n" for n in range(5))
    path = write(tmp_path / "events.csv", text.encode(encoding))
    assert set(read_table(path)["item"]) == {name}


def test_an_encoding_that_shows_after_the_head_is_recognised(tmp_path):
    plain = "user,item\n" + "some user,some item\n" * 60_000
    path = write(tmp_path / "events.csv", plain.encode() + "Zoë,Café\n".encode("cp1252"))
    assert read_table(path).iloc[-1].tolist() == ["Zoë", "Café"]


def test_columns_are_read_in_the_order_asked_for(tmp_path):
    TABLE.to_csv(tmp_path / "a.csv", index=True)
    assert list(read_table(tmp_path / "a.csv", ["weight", "user"]).columns) == ["weight", "user"]
    assert peek(tmp_path / "a.csv").columns == ("user", "item", "weight")  # the nameless index is no column


def test_every_text_format_may_be_gzipped(tmp_path):
    TABLE.to_csv(tmp_path / "a.tsv.gz", sep="\t", index=False)
    TABLE.to_json(tmp_path / "a.jsonl.gz", orient="records", lines=True)
    for name in ("a.tsv.gz", "a.jsonl.gz"):
        assert read_table(tmp_path / name).to_dict("list") == TABLE.to_dict("list")


def test_parquet_keeps_types_and_whole_numbers_with_gaps(tmp_path):
    table = pd.DataFrame({"user": pd.array([2**60 + 1, None], "Int64"), "weight": [0.5, 1.5]})
    table.to_parquet(tmp_path / "a.parquet")
    read = read_table(tmp_path / "a.parquet")
    assert read["user"][0] == 2**60 + 1
    assert peek(tmp_path / "a.parquet").n_rows == 2
    assert read["weight"].dtype == np.float64


def test_content_decides_over_the_suffix(tmp_path):
    TABLE.to_parquet(tmp_path / "a.csv")
    assert peek(tmp_path / "a.csv").format == "parquet"


def test_json_lines_and_arrays_keep_ids_as_text(tmp_path):
    records = [{"user": "00123", "item": 17850, "weight": 2.5}, {"user": "b", "item": 2**60 + 1}]
    lines = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, records)))
    array = write(tmp_path / "a.json", json.dumps(records, indent=2))
    for path in (lines, array):
        table = read_table(path)
        assert table["user"].tolist() == ["00123", "b"]
        assert table["item"].tolist() == ["17850", str(2**60 + 1)]
        assert table["weight"].isna().tolist() == [False, True]


@pytest.mark.parametrize("indent", [None, 2])
def test_nested_json_becomes_one_row_per_item(tmp_path, indent):
    nested = {
        "user1": {"bought": ["item1", "item2"], "viewed": ["item4"]},
        "user2": {"bought": [], "viewed": ["item1"]},
    }
    table = read_table(write(tmp_path / "a.json", json.dumps(nested, indent=indent)))
    assert table.to_numpy().tolist() == [
        ["user1", "item1", "bought"],
        ["user1", "item2", "bought"],
        ["user1", "item4", "viewed"],
        ["user2", "item1", "viewed"],
    ]


def test_json_larger_than_the_head_is_read_whole(tmp_path):
    records = [{"user": f"u{n}", "item": "x" * 40} for n in range(25_000)]
    path = write(tmp_path / "a.json", json.dumps(records))
    assert len(peek(path).head) == 1000
    assert 20_000 < peek(path).n_rows < 30_000
    assert read_table(path)["user"].iloc[-1] == "u24999"


def test_excel_keeps_text_as_text(tmp_path):
    book = openpyxl.Workbook()
    for row in (["user", "item", None, "day"], ["00123", 17850, None, pd.Timestamp("2024-05-31").to_pydatetime()], []):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    table = read_table(tmp_path / "a.xlsx")
    assert list(table.columns) == ["user", "item", "day"]
    assert table.iloc[0].tolist() == ["00123", 17850, pd.Timestamp("2024-05-31")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"user,item\n", "no rows"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG"),
        (bytes(range(256)) * 20, "binary"),
        (b"user#item\na#b\n", "wrong delimiter"),
        (b"user,item,user\na,b,c\n", "two columns called 'user'"),
        (b"user,item\na,b\na,b,c\n", "line 3 has 3 values"),
        (b"user,item,time\na,b,1\na,b\n", "line 3 has 2 values"),
        (b"196,242,3\n186,302,3\n", "no header"),
        (b"<html><body>Not found</body></html>", "HTML"),
        (b"[]", "no records"),
        (b"[1, 2]", "record 1 is not an object"),
        (b'[{"user": "a",\n "item": }]', "line 2 is not valid JSON"),
        (b'{"user": "a", "item": "b"}\n{"user": "a", "it', "line 2 is not valid JSON"),
        (b'{"user1": {"bought": "item1"}}', "not a list of items per behaviour"),
        (b"[" * 100_000 + b"{", "JSON"),
        (b"PAR1 nothing of the kind", "damaged Parquet"),
        (b"PK\x03\x04 nothing of the kind", "damaged Excel"),
        (b"\xd0\xcf\x11\xe0 old Excel", "xlsx"),
    ],
)
def test_bad_files_are_refused_with_one_sentence(tmp_path, content, words):
    message = refused(write(tmp_path / "bad.csv", content))
    assert words in message
    assert "bad.csv" in message


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    assert "not found" in refused(tmp_path / "nowhere.csv")
    assert "folder" in refused(tmp_path)


def test_an_unknown_column_is_refused_with_those_there_are(tmp_path):
    path = write(tmp_path / "a.csv", "user,item\na,b\n")
    with pytest.raises(DataError, match="no column 'time'; its columns are: user, item"):
        read_table(path, ["time"])


def test_damage_behind_the_head_is_found_with_its_line(tmp_path):
    rows = "user,item\n" + "some user,some item\n" * 60_000
    assert "line 60002 has 3 values" in refused(write(tmp_path / "a.csv", rows + "a,b,c\n"))
    assert "line 60002 has 1 values" in refused(write(tmp_path / "a.csv", rows + "a\n"))
    lines = '{"user": "some user", "item": "some item"}\n' * 30_000
    assert "line 30001 is not valid JSON" in refused(write(tmp_path / "a.jsonl", lines + "{\n"))


@pytest.mark.parametrize("kept", [0.5, 0.999])
def test_a_truncated_gzip_file_is_refused(tmp_path, kept):
    rng = np.random.default_rng(0)
    numbers = rng.integers(0, 10**9, 150_000)
    whole = gzip.compress(b"user,item\n" + b"".join(b"%d,%d\n" % (n, n) for n in numbers), compresslevel=1)
    path = write(tmp_path / "a.csv.gz", whole[: int(len(whole) * kept)])
    assert "truncated gzip" in refused(path)


def test_rubbish_is_refused_by_its_head_alone(tmp_path):
    path = tmp_path / "rubbish.csv"
    with path.open("wb") as file:
        file.write(np.random.default_rng(0).bytes(1 << 21))
        file.truncate(1 << 40)  # a sparse terabyte: reading on would never end
    assert "binary" in refused(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_line_by_which_excel_names_the_separator_is_no_row(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "excel.csv"
    path.write_bytes('sep=;\r\nuser;item;when\r\n1;Käse, alt;2\r\n2;"c;d";3\r\n'.encode(encoding))
    assert peek(path).columns == ("user", "item", "when")
    assert peek(path).delimiter == ";" and peek(path).n_rows == 2
    assert read_table(path)["item"].tolist() == ["Käse, alt", "c;d"]
    assert read_beginning(path, ["item"], 1)["item"].tolist() == ["Käse, alt"]


def test_below_such_a_line_a_damaged_row_is_told_by_its_line_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    path.write_text("sep=|\nuser|item|when\n" + "1|a|2\n" * 2000 + "1|2\n")
    with pytest.raises(DataError, match="line 2003 has 2 values"):
        read_table(path)
    path.write_text("sep=;\n")
    with pytest.raises(DataError, match="is empty"):
        peek(path)
