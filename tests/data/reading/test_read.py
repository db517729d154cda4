import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from grouprec.core.types import DataError
from grouprec.data.reading.read import NoRowsError, Reading, peek, read, read_beginning, read_table
from grouprec.data.reading.read_parquet import first_rows
from grouprec.data.reading.rejects import TooManyRejectedError

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


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"user,item\n", "no rows"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG"),
        (bytes(range(256)) * 20, "binary"),
        (b"useritem\nab\n", "wrong delimiter"),
        (b"user,item\na,b\na,b,c\n", "line 3 has 3 values"),
        (b"user,item,time\na,b,1\na,b\n", "line 3 has 2 values"),
        (b"<html><body>Not found</body></html>", "HTML"),
        (b"[]", "no records"),
        (b"[1, 2]", "record 1 is not an object"),
        (b'[{"user": "a",\n "item": }]', "line 2 is not valid JSON"),
        (b'{"user": "a", "item": "b"}\n{"user": "a", "it', "line 2 is not valid JSON"),
        (b'{"user1": {"bought": "item1"}}', "holds no rows: the value of"),
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


def rejected(path, **choices):
    return [(row.line, row.rule, row.text) for row in read(path, None, Reading(**choices)).rejects.rows]


def test_damage_behind_the_head_is_kept_with_its_line(tmp_path):
    rows = "user,item\n" + "some user,some item\n" * 60_000
    path = write(tmp_path / "a.csv", rows + "a,b,c\na\n" + "u,i\n")
    assert rejected(path) == [
        (60002, "3 values where the header has 2 columns", "a,b,c"),
        (60003, "1 value where the header has 2 columns", "a"),
    ]
    assert len(read_table(path)) == 60_001 and read_table(path).iloc[-1].tolist() == ["u", "i"]
    lines = '{"user": "some user", "item": "some item"}\n' * 30_000
    found = rejected(write(tmp_path / "a.jsonl", lines + "{\n"))
    assert [(line, text) for line, _, text in found] == [(30001, "{")] and "not valid JSON" in found[0][1]


@pytest.mark.parametrize(("n", "share", "passes"), [(19, 0.05, True), (18, 0.05, False), (1, 0.5, True), (9, 0, False)])
def test_a_file_is_refused_beyond_the_share_of_rows_that_may_be_left_out(tmp_path, n, share, passes):
    path = write(tmp_path / "a.csv", "user,item,time\n" + "a,b,c\n" * n + "a,b\n")
    if passes:
        assert len(read(path, None, Reading(most_rejected=share)).rejects) == 1
        return
    with pytest.raises(TooManyRejectedError, match=f"line {n + 2} has 2 values where the header has 3") as caught:
        read(path, None, Reading(most_rejected=share))
    assert len(caught.value.rejects) == 1


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
    assert rejected(path) == [(2003, "2 values where the header has 3 columns", "1|2")]
    path.write_text("sep=;\n")
    with pytest.raises(DataError, match="is empty"):
        peek(path)


def batches(lengths):
    return (pa.record_batch({"n": list(range(length))}) for length in lengths)


@pytest.mark.parametrize(("n_rows", "read"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (99, 4)])
def test_no_more_batches_are_read_than_rows_are_wanted(n_rows, read):
    waiting = batches([2, 2, 2, 2])
    assert len(first_rows(waiting, n_rows)) == min(n_rows, 8)
    assert len(list(waiting)) == 4 - read


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_the_beginning_of_any_file_has_the_columns_asked_for(tmp_path, kind):
    table = pd.DataFrame({"a": [str(n) for n in range(30)], "b": ["x;y"] * 30})
    path = tmp_path / f"a.{kind}"
    if kind == "csv":
        table.rename(columns={"a": " a"}).to_csv(path, sep=";", index=False)
    elif kind == "parquet":
        table.to_parquet(path)
    else:
        table.to_json(path, orient="records", lines=True)
    found = read_beginning(path, ["b", "a"], 5)
    assert list(found.columns) == ["b", "a"]
    assert found.iloc[:5].to_numpy().tolist() == [["x;y", str(n)] for n in range(5)]
    assert len(found) == (30 if kind == "jsonl" else 5), "of JSON the whole head"


def test_damage_further_down_does_not_keep_the_beginning_from_being_read(tmp_path):
    path = write(tmp_path / "a.csv", "a,b\n" + "1,2\n" * 2000 + "1\n" + "1,3\n" * 500)
    assert read_beginning(path, ["b"], 2300)["b"].tolist() == ["2"] * 2000 + ["3"] * 300
    wrapped = write(tmp_path / "b.csv", '"a,b"\n' + '"1,2"\n' * 2000)
    assert read_beginning(wrapped, ["b"], 1500)["b"].tolist() == ["2"] * 1000, "what is read line by line: the head"


def test_rows_are_estimated_from_the_characters_of_the_head(tmp_path):
    path = write(tmp_path / "a.csv", "user,item\n" + "some user,some item\n" * 60_000)
    assert (peek(path).n_rows, peek(path).exact, len(peek(path).head)) == (60_000, False, 1000)
    path = write(tmp_path / "b.csv", "user,item\n" + "u,i\n" * 1500)
    assert (len(peek(path).head), peek(path).n_rows, peek(path).exact) == (1000, 1502, False)
    path.write_text("user,item\n" + "u,i\n" * 999)
    assert (peek(path).n_rows, peek(path).exact) == (999, True)


@pytest.mark.parametrize("whole", [True, False])
def test_names_and_gaps_are_the_same_in_head_and_table(tmp_path, whole):
    path = write(tmp_path / "a.csv", " user ;2024;\na;;x\n;1,5;y\n")
    table = read_table(path) if whole else peek(path).head
    assert list(table.columns) == ["user", "2024"], "one name may be a number, nameless columns are none"
    assert table.isna().to_numpy().tolist() == [[False, True], [True, False]]
    assert table["2024"][1] == "1,5"


@pytest.mark.parametrize("n_lines", [900, 20_000])
def test_a_quoted_value_may_go_on_over_any_number_of_lines(tmp_path, n_lines):
    value = "line\n" * n_lines
    n = 9_000_000 // len(value)  # more than the parser takes at a time
    path = write(tmp_path / "a.csv", "user,item,size\n" + f'a,"{value}",1\n' * n)
    assert read_table(path)["item"].tolist() == [value] * n
    assert peek(path).head["item"].tolist() == [value] * ((1_048_576 - 15) // (len(value) + 7)), (
        "the last one is cut off"
    )
    assert peek(path).n_rows == n


@pytest.mark.parametrize(
    ("head", "tail", "last"),
    [
        ("u,i", "Иван Молоко,Иван Молоко\n".encode("cp1251") * 9, ["Иван Молоко", "Иван Молоко"]),
        ("Zoë,i", b"Zo\x81,i\n", ["Zo\x81", "i"]),
    ],
)
def test_bytes_behind_the_head_decide_again_over_the_encoding(tmp_path, head, tail, last):
    plain = ("user,item\n" + head + "\n" + "some user,some item\n" * 60_000).encode("cp1252")
    assert read_table(write(tmp_path / "a.csv", plain + tail)).iloc[-1].tolist() == last


@pytest.mark.parametrize("head", ["\ufeffuser,item\na,b\n", "user,item\nZoë,b\n"])
def test_a_few_lines_that_are_not_utf_8_like_the_others_are_read_by_themselves(tmp_path, head):
    content = (head + "some user,some item\n" * 60_000 + "Zoë,ü\n").encode() + "Zoë,a\n".encode("cp1252")
    found = read(write(tmp_path / "a.csv", content))
    assert found.frame.tail(2).to_numpy().tolist() == [["Zoë", "ü"], ["Zoë", "a"]]
    assert "1 line that are not UTF-8" in found.notes[0] or "1 line that is not UTF-8" in found.notes[0]


def test_parquet_gives_an_index_as_a_column_and_refuses_no_rows(tmp_path):
    table = pd.DataFrame({"user": ["a", "b"], "item": ["x", "y"]})
    table.set_index("user").to_parquet(tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet", ["user", "item"]).to_dict("list") == table.to_dict("list")
    assert (peek(tmp_path / "a.parquet").n_rows, peek(tmp_path / "a.parquet").exact) == (2, True)
    table.head(0).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(NoRowsError, match="no rows below"):
        peek(tmp_path / "b.parquet")


def test_a_long_cell_in_ascii_is_gone_through_once_where_the_text_is_not_utf8(tmp_path: Path) -> None:
    """Twice per letter would take days."""
    file = tmp_path / "long.csv"
    rows = "".join(f"u{n},i{n},Straße\n" for n in range(40))
    file.write_bytes(f"user,item,text\n{rows}a,b,{'a' * 1_000_000}\n".encode("cp1252"))
    assert any("Straße" in note for note in peek(file).notes)


def test_a_damaged_last_row_that_ends_within_a_letter_is_left_out_without_a_traceback(tmp_path, capfd):
    path = tmp_path / "cut.csv"
    path.write_bytes(b"user,item\n" + b"a,b\nb,c\n" * 20 + b"c,d,\xe2\x82")
    assert len(read_table(path)) == 40
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("told", [5, 700])
def test_a_parquet_file_whose_footer_tells_other_rows_than_it_has_is_refused(tmp_path, told):
    def varint(number):
        return bytes([2 * number % 128 | 128, 2 * number // 128]) if number >= 64 else bytes([2 * number])

    path = tmp_path / "lies.parquet"
    pd.DataFrame({"user": ["a", "b"] * 300, "item": range(600)}).to_parquet(path)
    assert peek(path).n_rows == 600
    content = path.read_bytes()
    size = int.from_bytes(content[-8:-4], "little")
    footer = content[-8 - size : -8]
    at = footer.index(b"\x16" + varint(600)) + 1  # the first one is that of the file; then come the columns
    footer = footer[:at] + varint(told) + footer[at + len(varint(600)) :]
    path.write_bytes(content[: -8 - size] + footer + len(footer).to_bytes(4, "little") + b"PAR1")
    for look in (peek, read_table):
        with pytest.raises(DataError, match="damaged"):
            look(path)
