"""Ids of any type: one text for one thing."""

import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from grouprec.core.types import DataError
from grouprec.data.values.ids import encode_ids, rounded_example


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([17850.0, np.nan]),
        pd.Series([17850, None], dtype="Int64"),
        pd.Series(["17850", None]),
        pd.Series([17850, None], dtype=object),
        pd.Series([" 17850 ", "nan"]),
        pd.Series(["17850", " "]).astype("category"),
        pd.Series(["17850.0", None]),
        pd.Series(['="17850"', ""]),
        pd.Series(["'17850", None]),
        pd.Series([b"17850", None], dtype=object),
        pd.Series([b"17850\0\0", None], dtype=object),
        pd.Series([Decimal("17850.00"), None], dtype=object),
        pd.Series(["\ufeff17850\u200b", "\u00a0"]),
    ],
    ids=str,
)  # fmt: skip
def test_ids_of_any_type_become_the_same_text_and_nothing_stays_missing(column):
    codes, names = encode_ids(column)
    assert names.tolist() == ["17850"]
    assert codes.tolist() == [0, -1]


def test_ids_keep_zeros_spaces_quotes_and_emoji():
    texts = ["00123", "123", "a b", 'q"', "😀", "👨\u200d👩\u200d👧", "NA"]
    codes, names = encode_ids(pd.Series(texts))
    assert names[codes].tolist() == texts
    assert names.tolist() == sorted(texts)


def test_lists_are_no_ids():
    with pytest.raises(DataError, match="lists"):
        encode_ids(pd.Series([["a"], ["b"]], name="item"))


WORDS = [
    "",
    "nan",
    "NaT",
    "<NA>",
    "None",
    "NULL",
    "n/a",
    "#N/A",
    " null ",
    "#REF!",
    "#NAME?",
    "(not set)",
    "undefined",
    "-",
    r"\N",
]


@pytest.mark.parametrize("word", WORDS)
def test_words_for_nothing_are_missing_and_the_rest_is_coded_in_order(word):
    codes, names = encode_ids(pd.Series(["b", word, "a", None, "b"]))
    assert names.tolist() == ["a", "b"]
    assert codes.tolist() == [1, -1, 0, -1, 1]
    assert codes.dtype == np.int32


@pytest.mark.parametrize(
    ("value", "text"), [(1.5, "1.5"), (-2.0, "-2"), (True, "True"), (7, "7"), (np.inf, None), (10**20, str(10**20))]
)
def test_typed_ids_become_the_text_a_person_would_write(value, text):
    codes, names = encode_ids(pd.Series([value, "x"], dtype=object))
    assert (names[codes[0]] if codes[0] >= 0 else None) == text


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["40000.0", "40000", "7"], ["40000", "7"]),
        (["40000.00", "x", "-3.0"], ["-3", "40000", "x"]),
        (["1.0", "1.5"], ["1.0", "1.5"]),  # a fraction that says something: versions, say
        (["A1.0", "B2.0"], ["A1.0", "B2.0"]),
    ],
)
def test_a_point_and_nothing_is_dropped_where_no_id_has_a_fraction(texts, names):
    assert encode_ids(pd.Series(texts))[1].tolist() == names


def test_letters_composed_and_decomposed_are_the_same():
    codes, names = encode_ids(pd.Series(["Caf\u00e9", "Cafe\u0301", "soft\u00adhyphen", "softhyphen"]))
    assert names.tolist() == ["Caf\u00e9", "softhyphen"]
    assert codes.tolist() == [0, 0, 1, 1]


def test_bytes_that_are_no_text_are_a_uuid_or_hex():
    one = uuid.UUID("12345678-9abc-def0-1234-56789abcdef0")
    names = encode_ids(pd.Series([one.bytes, b"\xff\x00\xfe"], dtype=object))[1]
    assert names.tolist() == [str(one), "ff00fe"]


def test_a_leading_apostrophe_stays_where_not_all_have_one():
    assert encode_ids(pd.Series(["'tis", "it"]))[1].tolist() == ["'tis", "it"]


@pytest.mark.parametrize(
    ("ids", "example"),
    [
        (["4.02E+12", "4.03e+12", "x"], "4.02E+12"),
        (["4,02E+12", "5,1E12"], "4,02E+12"),
        (["4.02E+12", "x", "y"], None),
        (["1234567890123450000", "2234567890123450000"], "1234567890123450000"),
        (["1234567890123450000", "2234567890123456789", "1234567890123456788"], None),
        (["A1", "A2"], None),
        ([], None),
    ],
)
def test_ids_that_a_spreadsheet_has_shortened_are_known(ids, example):
    assert rounded_example(np.array(ids, dtype=object)) == example
