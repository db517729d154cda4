"""What the first megabyte of a file tells: format, encoding, delimiter, and how many rows there may be."""

import contextlib
import gzip
import os
import re
import zipfile
from pathlib import Path

import pytest

from grouprec.core.types import DataError
from grouprec.data.reading.read import peek, read_table
from grouprec.data.reading.sniff import Sniffed, sniff

MEGABYTE = 1_048_576


def file(tmp_path, content, name="a.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(("size", "whole"), [(MEGABYTE - 1, True), (MEGABYTE, True), (MEGABYTE + 1, False)])
def test_a_megabyte_is_looked_at(tmp_path, size, whole):
    sniffed = sniff(file(tmp_path, (b"a,b\n" * size)[: size - 1] + b"x"))
    assert (sniffed.whole, sniffed.gzipped) == (whole, False)


def test_the_text_ends_with_the_last_full_line_where_the_file_goes_on(tmp_path):
    content = "user,item\n" + "".join(f"user{n},item\n" for n in range(80_000))
    whole_lines = content[:MEGABYTE].rpartition("\n")[0] + "\n"
    assert sniff(file(tmp_path, content)).text == whole_lines
    assert sniff(file(tmp_path, "user,item\na,b")).text == "user,item\na,b"
    line = '["' + "x" * 2 * MEGABYTE + '"]'
    assert sniff(file(tmp_path, line)).text == line[:MEGABYTE], "one line longer than the head"


def test_typed_formats_are_known_by_their_first_bytes(tmp_path):
    assert sniff(file(tmp_path, b"PAR1...")) == Sniffed(tmp_path / "a.csv", "parquet")
    for names, words in (
        (["docProps/app.xml", "xl/workbook.xml"], None),
        (["a.csv", "b.csv"], "is a zip archive of several files"),
    ):
        with zipfile.ZipFile(tmp_path / "b", "w") as archive:
            for name in names:
                archive.writestr(name, "")
        if words is None:
            assert sniff(tmp_path / "b").format == "excel"
        else:
            with pytest.raises(DataError, match=words):
                sniff(tmp_path / "b")


@pytest.mark.parametrize(
    ("whole", "gzipped", "head_rows", "expected"),
    [
        (True, False, 999, (999, True)),
        (True, False, 1000, (30, False)),
        (False, False, 999, (30, False)),
        (True, True, 999, (999, True)),
        (False, True, 999, (None, False)),
        (True, True, 1000, (None, False)),
    ],
)
def test_rows_are_exact_where_the_head_is_the_file_and_else_estimated_by_size(
    tmp_path, whole, gzipped, head_rows, expected
):
    sniffed = Sniffed(file(tmp_path, b"x" * 124), "csv", gzipped=gzipped, whole=whole)
    assert sniffed.estimate_rows(head_rows, 4.1) == expected


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ("a", "a.csv", "wrong delimiter"),
        ("sep=;\n", "a.csv", "is empty"),
        ("sep=;\na", "a.csv", "wrong delimiter"),
        ("a,b\n", "a.parquet", "is not a Parquet file although"),
        ("a,b\n", "a.XLSX", "is not an Excel workbook although"),
        ("  <xml/>", "a.csv", "HTML or XML"),
        ("a,b\n", "a.json", "is not JSON: it begins with 'a,b'"),
        ("a,b\n", "a.ndjson", "is not JSON"),
        (gzip.compress(b"a,b\n", mtime=0), "a.json.gz", "is not JSON"),
        (gzip.compress(gzip.compress(b"a,b\n", mtime=0), mtime=0), "a.csv.gz", "a gzip file inside a gzip file"),
        ("x" * 61 + "\ny", "a.csv", f"a single column, '{'x' * 60}'"),
    ],
)
def test_what_is_no_table_is_refused_with_its_reason(tmp_path, content, name, words):
    with pytest.raises(DataError) as caught:
        sniff(file(tmp_path, content, name))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "name", "layout"),
    [
        ("a,b\n", "a.csv", "csv"),
        ("{a,b\n", "a.csv", "csv"),
        (' [{"user": 1}]', "a.csv", "json"),
        ("[-1]", "a", "json"),
        ("[]", "a.json", "json"),
        ('{"user": "a"}', "a.json", "jsonl"),
        ("{}", "a.json", "jsonl"),
        ('{"user": {"bought": []}}\n \n', "a.jsonl", "nested json"),
        ('{"user": []}', "a.json", "nested json"),
        ('{"user": {}}\n{"user": {}}', "a.json", "jsonl"),
        ('{"user": {}, "item": 1}', "a.json", "jsonl"),
        ('{"user": 1}\n{"user": 2}', "a.json", "jsonl"),
        ('{"user":\n{}}', "a.json", "nested json"),
        ('{"user":\n{}}', "a.jsonl", "jsonl"),
        ('{"user":\n{}}', "a.ndjson", "jsonl"),
    ],
)
def test_the_layout_of_text_is_told_by_how_it_begins(tmp_path, text, name, layout):
    sniffed = sniff(file(tmp_path, text, name))
    assert sniffed.format == layout
    assert (sniffed.layout is None) == (layout != "csv")


def mixed(n_ascii, n_even, n_odd):
    """Return UTF-16 LE bytes of letters with a zero as high byte, as low byte, and without one."""
    return ("," + "a" * (n_ascii - 1) + "一" * n_even + "張" * n_odd).encode("utf-16-le")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("user,item\na,b\n".encode("utf-16-le"), "utf-16-le"),
        ("user,item\na,b\n".encode("utf-16-be"), "utf-16-be"),
        (mixed(4, 0, 6), "utf-16-le"),
        (mixed(3, 0, 7), "utf-16-le"),
        (mixed(1, 0, 9), None),
        (mixed(11, 1, 8), "utf-16-le"),
        (mixed(10, 1, 9), None),
        (b"user,item\n" + b"a,b\n" * 100 + b"\x00\n", "utf-8"),
        (b"user,item\n" + b"a,b\n" * 100 + b"\x01\n", "utf-8"),
        (b"a,b\n" * 24 + b"a,\x01\n", "utf-8"),
        (b"a,b\n" * 24 + b"\x02,\x03\n", None),
        (b"one user,one item\n\x0c,\x1b\t\r\n", "utf-8"),
        ("user,item\nZoë,a\n".encode(), "utf-8"),
        (b"\xef\xbb\xbfa,b\n", "utf-8-sig"),
        ("a,b\n".encode("utf-32"), "utf-32"),
        ("user,item\nZoë,a\n".encode("cp1252"), "cp1252"),
    ],
)
def test_the_encoding_is_told_by_marks_zeros_and_controls(tmp_path, content, encoding):
    path = file(tmp_path, content)
    if encoding is None:
        with pytest.raises(DataError, match="binary file"):
            sniff(path)
    else:
        assert sniff(path).encoding == encoding


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b;c\n1,2;3\n", ";"),  # 1,2 is a number
        ("a,b;c\n1,2;3\n4;5\n", ";"),  # most rows agree
        ("a,b;c;d\n1,2;3;4\n", ";"),  # the wider
        ("a,b\n1,2\n1,2,3\n", ","),  # one damaged row is for the reader to tell
        ("a,b;c;d\n" + "1,2;3;4\n" * 199 + "1,2;3\n", ";"),  # two hundred rows are looked at
        ('a;b,c\n1;"x\ny,z"\n', ";"),  # a line that goes on within quotes
        ("sep=;\na;b,c,d\n1;2,3,4\n", ";"),  # said by Excel
        ('"sep=|"\r\na|b\n', "|"),
    ],
)
def test_the_delimiter_is_the_one_on_which_most_rows_agree(tmp_path, text, delimiter):
    assert sniff(file(tmp_path, text)).layout.delimiter == delimiter


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.sql", "/*a*/ " * 300 + "user,item\n" + "u,i\n" * 9), ("a.json", '{"columns": [' + '"a"  ' * 300 + "!")],
)
def test_texts_that_look_like_others_for_long_are_told_at_once(tmp_path, name, content):
    """Time that doubles with every comment or name would never end here."""
    (tmp_path / name).write_text(content)
    with contextlib.suppress(DataError):
        read_table(tmp_path / name)


@pytest.mark.parametrize("blank", ["\r" * 999, "\r\n" * 999, " \n" * 999])
def test_blank_lines_alone_are_an_empty_file(tmp_path, blank):
    (tmp_path / "blank.csv").write_bytes(blank.encode())
    with pytest.raises(DataError, match=r"'blank.csv' is empty; give a file with a header line and rows"):
        read_table(tmp_path / "blank.csv")


def test_what_is_no_file_is_one_sentence_and_nothing_waits(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "round").symlink_to("round")
    wrong = {
        tmp_path / "pipe.csv": "'pipe.csv' is a pipe or a device; write what it gives to a file",
        Path("/dev/zero"): "'zero' is a pipe or a device",
        tmp_path: "is a folder; give the file inside it",
        tmp_path / "round": "'round' cannot be read: Too many levels of symbolic links",
        tmp_path / ("a" * 5000): "' cannot be read: File name too long",
        tmp_path / "a\0b": "was not found",
        tmp_path / "pipe.csv" / "x": "The file 'x' was not found",
    }
    for path, words in wrong.items():
        for look in (sniff, peek):  # one file of text, and whatever commands and pages are given
            with pytest.raises(DataError, match=re.escape(words)):
                look(path)
