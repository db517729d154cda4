"""Texts that no single delimiter parts."""

import pytest

from grouprec.core.types import DataError
from grouprec.data.reading.special_layouts import check_ragged, fixed_layout, known_layout

FIXED = ["Customer No  Item     Qty", *(f"K{n:<12}Oak Mug {n:>4}" for n in range(10, 30))]


def test_columns_of_fixed_width_begin_behind_blanks():
    layout = fixed_layout(FIXED)
    assert layout is not None and layout.starts == (0, 13, 22)
    assert layout.split(FIXED[0]) == ["Customer No", "Item", "Qty"] and layout.split(FIXED[1]) == [
        "K10",
        "Oak Mug",
        "10",
    ]
    assert layout.split("Rows in all: twenty, more or less") == ["Rows in all: twenty, more or less"]
    assert layout.split("\n") == [""] and not layout.quick


def test_a_footer_of_few_lines_does_not_hide_the_columns():
    many = [*FIXED, *FIXED[1:] * 4, "that was all of the lines, and more"]
    layout = fixed_layout(many)
    assert layout is not None and len(layout.starts) == 3


def test_a_ruled_line_says_where_columns_are():
    layout = fixed_layout(["user   when", "------ ----------", "K1     2024-01-02"])
    assert layout is not None and layout.starts == (0, 7)


@pytest.mark.parametrize(
    "lines",
    [
        ["a | b", "c | d", "e | f", "g | h", "i | j", "k  | l"],
        ["one word", "another word", "a third word", "or four", "and five"],
        ["a  b"] * 4,
        ["x" * 6000 + "  y"] * 9,
        [f" {n}  |  {n}" for n in range(9)],
        ["x", *(f"{' ' * n}y  {'z' * (9 - n)}" for n in range(9))],  # blanks, but nowhere in all lines
    ],
)
def test_other_texts_have_no_fixed_width(lines):
    assert fixed_layout(lines) is None


def test_a_log_names_its_fields():
    layout = known_layout("a", ["#Version: 1.0", "#Fields: date cs-username", "#Date: x", "2024-01-01 K1"])
    assert layout is not None and (layout.names, layout.above, layout.delimiter) == (("date", "cs-username"), 3, " ")
    assert known_layout("a", ["#Fields: a b c", "1 2"]) is None and known_layout("a", ["# a comment", "x"]) is None


def test_a_sparse_matrix_has_users_items_and_values():
    layout = known_layout("a", ["%%MatrixMarket matrix coordinate real general", "% by hand", "3 3 1", "1 2 4.0"])
    assert layout is not None and (layout.names, layout.above) == (("user", "item", "value"), 3)


def test_a_user_and_all_their_items_stand_in_a_line():
    lines = ["0 5 6 7", "1 5", "2 6 9", "3 4 5 6 7", "4 1 2"]
    layout = known_layout("a", lines)
    assert layout is not None and layout.split(lines[0]) == ["0", "5 6 7"]
    assert known_layout("a", [*lines, "0 1 2 3"]) is None, "a user twice"
    assert known_layout("a", ["0 5", "1 6", "2 7", "3 8", "4 9"]) is None, "pairs"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([f"1 {n}:1 {n + 1}:0.5" for n in range(9)], "libsvm"),
        (["- user: a", "  item: b", "- user: c", "  item: d", "- user: e"], "is YAML"),
        (["\\begin{tabular}{ll}", "a & b", "c & d", "e & f", "\\end{tabular}"], "LaTeX"),
    ],
)
def test_what_cannot_be_rows_is_refused_in_a_sentence(lines, words):
    with pytest.raises(DataError, match=words):
        known_layout("a", lines)


def test_baskets_are_told_by_lines_of_all_lengths():
    with pytest.raises(DataError, match="from 2 to 5 values in a line"):
        check_ragged("a", [2, 3, 4, 5] * 3)
    check_ragged("a", [4] * 20 + [3, 5, 6])
    check_ragged("a", [2, 3, 4, 5])
