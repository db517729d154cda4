"""Numbers as many countries and programs write them, decided over the whole column."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouprec.data.values.numerals import is_numeric, read_numbers, to_numbers


def read(*values):
    return read_numbers(pd.Series(list(values), dtype=object))


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1,5", "-2"], [1.5, -2]),
        (["1,500", "2,000.5"], [1500, 2000.5]),
        (["1,500", "2,5"], [1.5, 2.5]),  # a decimal comma in one is one in all
        (["1,500", "7"], [1500, 7]),
        (["1,500", ""], [1500, np.nan]),
        (["-1,5", "+,5", "1,2,3"], [-1.5, 0.5, np.nan]),
        (["1.5", " 2 ", None], [1.5, 2, np.nan]),
        (["x", None], [np.nan, np.nan]),
        ([], []),
        (["8.780,00", "99,54"], [8780, 99.54]),
        (["1.299", "49,90"], [1299, 49.9]),  # the comma tells what the point is
        (["1.234.567", "2"], [1234567, 2]),
        (["1.299", "850"], [1299, 850]),  # plain numbers run up to where points begin
        (["1.299", "12"], [1.299, 12]),
        (["1.234", "0.5"], [1.234, 0.5]),
        (["0,250", "1,500", "2"], [0.25, 1.5, 2]),  # a leading zero decides
        (["1'234.50", "12’000"], [1234.5, 12000]),
        (["1 234,5", "1\u00a0234\u202f567"], [1234.5, 1234567]),
        (["12 34"], [np.nan]),
        (["1,23,456.00", "12,34,567"], [123456, 1234567]),  # lakhs
        (["1,5", "2.5"], [1.5, 2.5]),
        (["1.000,00", "500.00"], [1000, 500]),
        (["€ 109.75", "49.77"], [109.75, 49.77]),
        (["$1,234.50", "US$ 3"], [1234.5, 3]),
        (["12,50 €", "1.200,00 EUR"], [12.5, 1200]),
        (["R$ 1.234,56", "10 zł", "CHF 1'200.-", "5,–"], [1234.56, 10, 1200, 5]),
        (["12-", "-3", "−4", "(5.5)"], [-12, -3, -4, -5.5]),
        (["-$5", "$-5", "(€6)"], [-5, -5, -6]),
        (["15 %", "7,5%", "100%"], [0.15, 0.075, 1]),
        (["2 pcs", "3x", "4 Stk."], [2, 3, 4]),
        (["5 kg", "2,5 kg"], [5, 2.5]),
        (["5 kg", "250 g", "3"], [np.nan, np.nan, 3]),  # they cannot be compared
        (["１２３", "٣٫٥"], [123, 3.5]),
        (["1.5k", "900", "2K"], [1500, 900, 2000]),
        (["1.2万", "3亿", "2.5M"], [12_000, 3e8, 2.5e6]),
        (["5K", "2M"], [np.nan, np.nan]),  # may be codes
        (['="12"', '="3.5"'], [12, 3.5]),
        (["(5", "5)"], [np.nan, np.nan]),
        (["1e5", "inf", "1e999"], [1e5, np.nan, np.nan]),
        (["5", "1e308", "-1e20"], [5, np.nan, np.nan]),  # whose products and sums are endless
    ],
)  # fmt: skip
def test_signs_mean_what_the_whole_column_says(texts, numbers):
    np.testing.assert_array_equal(to_numbers(pd.Series(texts, dtype="str")), numbers)


def test_typed_numbers_stay_and_keep_their_gaps():
    np.testing.assert_array_equal(to_numbers(pd.Series([1, None], dtype="Int64")), [1, np.nan])
    np.testing.assert_array_equal(to_numbers(pd.Series([Decimal("1.50"), 2, None], dtype=object)), [1.5, 2, np.nan])


def test_what_is_there_and_no_number_is_counted_and_what_is_missing_is_not():
    found = read("1,5", "many", None, "n/a", "#REF!", "2")
    assert found.unread.tolist() == [False, True, False, False, False, False]
    assert not read(1, 2).unread.any()


def test_the_reading_is_shown_and_a_guess_is_called_one():
    sure = read("1.299,50", "3")
    assert (sure.reading, sure.unsure) == ("1.299,50 is read as 1299.5", False)
    assert read("1,500", "7").unsure and read("1.299", "12").unsure
    assert not read("1,500", "2,5").unsure and not read("1,500", "12.50").unsure and not read("1.299", "850").unsure
    assert read("3", "4").reading == ""


def test_currencies_are_named():
    assert read("€5", "5 EUR", "$7", "8").currencies == ("$", "EUR", "€")
    assert read("5 pcs", "7 %").currencies == ()


@pytest.mark.parametrize(
    ("values", "numeric"),
    [
        ([True, False], False),
        ([None, None], False),
        ([1, 2], True),
        ([1.5, np.nan], True),
        (["1", "x"], False),
        (["01", "2"], False),
        (["0", "0.5", None], True),
        (["1,5", " 2"], True),
        (["00123", "2"], False),
        (["22423A", "84029B"], False),
    ],
)
def test_a_column_is_numeric_where_every_value_is_a_number_and_no_code(values, numeric):
    assert is_numeric(pd.Series(values)) is numeric


STYLES = [
    (",", "."),
    (".", ","),
    (" ", ","),
    ("\u202f", ","),
    ("\u00a0", "."),
    ("'", "."),
    ("’", ","),
    ("", "."),
    ("", ","),
]
AROUND = ["{}", "{} €", "€{}", "{} EUR", "USD {}", "${}", "{} zł", "£ {}"]


@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=20),
    st.sampled_from(STYLES),
    st.sampled_from(AROUND),
    st.sampled_from(["-{}", "{}-", "({})", "−{}"]),
)
@settings(max_examples=150)
def test_what_a_country_writes_comes_back(cents, style, around, minus):
    thousands, decimal = style
    texts = []
    for value in cents:
        whole, rest = divmod(abs(value), 100)
        plain = f"{whole:,}".replace(",", thousands) + f"{decimal}{rest:02d}"
        texts.append(minus.format(around.format(plain)) if value < 0 else around.format(plain))
    found = read(*texts)
    np.testing.assert_allclose(found.values, np.array(cents) / 100)
    assert not found.unsure and not found.unread.any()


NUMBERS = ["7", "1.299", "1,5", "-3", "€ 5", "5 EUR", "4/5", "3 of 5", "★★★☆☆", "12 %", "(3)", "1e5", "inf", "٣"]
OTHERS = ["12.345,60", "u7", "2024-01-05", "NA", "", "x", "1 2 3", "00123", "a b", "--"]
WRITTEN = st.sampled_from([*NUMBERS, *OTHERS])


@given(st.lists(WRITTEN, min_size=1, max_size=30))
def test_a_look_at_the_first_values_changes_nothing(values: list[str]) -> None:
    column = pd.Series(values, dtype="str")
    codes = column.str.strip().str.match(r"0\d").any()
    assert is_numeric(column) == (not codes and bool(np.isfinite(to_numbers(column)).all()))
