"""Damaged lines: read where only one reading fits, else kept with the reason; never lost without a word."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grouprec.core.types import GrouprecError
from grouprec.data.reading import read_text
from grouprec.data.reading.read import Reading, read

HEADER = "user,item,title,date"
NAMES = [f"{a}ak {b}ug" for a in "OTBMLRS" for b in "MRJHTBL"]
GOOD = [f"K{100 + n % 9},A{n % 7},{NAMES[n % 49]},2024-01-{1 + n % 28:02d}" for n in range(60)]


def read_lines(tmp_path, *lines, at=30, header=HEADER, **how):
    """Return what is read of sixty good lines with others among them."""
    path = tmp_path / "a.csv"
    path.write_text("\n".join([header, *GOOD[:at], *lines, *GOOD[at:], ""]), newline="")
    return read(path, None, Reading(**how))


def middle(found, at=30):
    return [tuple(row) for row in found.frame.fillna("").to_numpy()[at : len(found.frame) - (60 - at)]]


@pytest.mark.parametrize(
    ("line", "row", "says"),
    [
        ("K1,A1,Mug,2024-01-02,,", ("K1", "A1", "Mug", "2024-01-02"), "empty values after the last column"),
        ("K1;A1;Mug;2024-01-02", ("K1", "A1", "Mug", "2024-01-02"), "separated by ';'"),
        ("K1,A1,Mug, big, red,2024-01-02", ("K1", "A1", "Mug, big, red", "2024-01-02"), "a delimiter within a value"),
        ('K1,A1,"Mug,2024-01-02', ("K1", "A1", '"Mug', "2024-01-02"), "a quotation mark without its pair"),
        ('K1,"A1,Mug,2024-01-02', ("K1", "A1", "Mug", "2024-01-02"), "a quotation mark without its pair"),
        ('K1,"A1,"Mug, big",2024-01-02', ("K1", "A1", "Mug, big", "2024-01-02"), "a delimiter within a value"),
        ('K1,A1,"Mug,\nred",2024-01-02', ("K1", "A1", "Mug,\nred", "2024-01-02"), ""),
        ('"K ""the 1""",A1,Mug,2024-01-02', ('K "the 1"', "A1", "Mug", "2024-01-02"), ""),
        ('"K, 1",A1,Mug,2024-01-02', ("K, 1", "A1", "Mug", "2024-01-02"), ""),
        ('K1,A1,5" Mug,2024-01-02', ("K1", "A1", '5" Mug', "2024-01-02"), ""),
        ("K1,A1,M\0ug,2024-01-02", ("K1", "A1", "Mug", "2024-01-02"), ""),
        ("K1,A1," + "x" * 3_000_000 + ",2024-01-02", ("K1", "A1", "x" * 3_000_000, "2024-01-02"), ""),
    ],
    ids=str,
)
def test_a_row_is_read_where_one_reading_fits_all_columns(tmp_path, line, row, says):
    found = read_lines(tmp_path, line)
    assert middle(found) == [row]
    assert not len(found.rejects) and says in "".join(found.notes) and bool(says) == bool(found.notes)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("K1,A1,Mug", "3 values where the header has 4 columns"),
        ("K1A1,Mug,2024-01-02", "3 values where the header has 4 columns"),
        ("K1,A1,a,b,c", "5 values where the header has 4 columns"),
        ("x", "1 value where the header has 4 columns"),
        ('K1,A1"Mug, big",2024-01-02', "4 values where the header has 4 columns"),
        ('K1,"A1', "a quotation mark without its pair"),
        ("# said by a machine", "a comment"),
        (HEADER, "the header again"),
    ],
)
def test_what_cannot_be_trusted_is_kept_with_its_line_and_the_reason(tmp_path, line, rule):
    found = read_lines(tmp_path, line)
    assert len(found.frame) == 60
    assert [(row.line, row.text, row.rule) for row in found.rejects.rows] == [(32, line, rule)]


@pytest.mark.parametrize("at", [0, 1, 58, 60])
def test_a_stray_mark_swallows_no_rows(tmp_path, at):
    found = read_lines(tmp_path, 'K1,A1,"Mug,2024-01-02', at=at)
    assert len(found.frame) == 61 and not found.frame["title"].str.contains("\n").any()
    both = read_lines(tmp_path, 'K1,A1,"Mug,2024-01-02', GOOD[0], 'K2,A1,"Cup,2024-01-02', at=at)
    assert len(both.frame) == 63 and set(middle(both, at)[::2]) == {
        ("K1", "A1", '"Mug', "2024-01-02"),
        ("K2", "A1", '"Cup', "2024-01-02"),
    }


def test_titles_that_begin_with_a_mark_are_titles(tmp_path):
    lines = [f"K{n},A{n % 5},{chr(34) * (n % 9 == 2)}Oak Mug,2024-01-{1 + n % 28:02d}" for n in range(900)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join([HEADER, *lines]))
    assert read(path).frame["title"].value_counts().to_dict() == {"Oak Mug": 800, '"Oak Mug': 100}


def test_missing_values_at_the_end_are_empty_where_the_column_has_such(tmp_path):
    lines = [f"K{n},A{n % 5},{n}" + (",x" if n % 2 else "") for n in range(100)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["user,item,quantity,note", *lines, "K1"]))
    found = read(path)
    assert found.frame["note"].isna().sum() == 50 and found.frame["quantity"].notna().all()
    assert "missing values at the end of rows were taken as empty (50 rows)" in found.notes
    assert [row.text for row in found.rejects.rows] == ["K1"]


def test_rejects_can_be_saved(tmp_path):
    found = read_lines(tmp_path, "x", 'K1,"A1')
    found.rejects.save(tmp_path / "r.csv")
    saved = pd.read_csv(tmp_path / "r.csv")
    assert saved.to_dict("list") == {
        "line": [32, 33],
        "rule": ["1 value where the header has 4 columns", "a quotation mark without its pair"],
        "text": ["x", 'K1,"A1'],
    }


FIELDS = st.sampled_from(["a", "1", '"so"', "x, y", "two\nlines", "a\n\nb", "é;", '5" z', "", " pad ", "it's", "\\"])


@given(st.lists(st.tuples(FIELDS, FIELDS, FIELDS), min_size=1, max_size=12), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_ways_of_reading_agree_on_what_a_program_has_written(tmp_path, rows, end):
    """The quick parser, where it takes the file, and the reader that goes line by line give the same table."""
    table = pd.DataFrame([(f"K{n}", *row) for n, row in enumerate(rows)], columns=["id", "a", "b", "c"])
    path = tmp_path / "a.csv"
    table.to_csv(path, index=False, quoting=1, lineterminator=end)
    found = read_text.Found()
    sniffed = read_text_sniff(path)
    careful = read_text._careful(sniffed, sniffed.layout, [0, 1, 2, 3], found).to_pandas()
    quick = read(path)
    assert careful.fillna("").to_numpy().tolist() == quick.frame.fillna("").to_numpy().tolist()
    assert len(found.rejects) == len(quick.rejects)


def read_text_sniff(path):
    from grouprec.data.reading.sniff import sniff

    return sniff(path)


@given(st.binary(max_size=300), st.sampled_from([".csv", ".json", ".jsonl", ".xlsx", ".parquet"]))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_at_all_raise_anything_but_a_sentence(tmp_path, content, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    try:
        read(path)
    except GrouprecError as error:
        assert "\n" not in str(error)
