"""What is said before training, on the command line and on the page."""

import numpy as np
import pandas as pd
import pytest

from grouprec.data.roles.detect import detect
from grouprec.data.roles.doubts import (
    Doubt,
    column_doubts,
    id_doubts,
    number_doubts,
    time_doubts,
    told_counts,
    unread_doubt,
)
from grouprec.data.values.numerals import read_numbers
from grouprec.data.values.times import read_times


@pytest.mark.parametrize(
    ("doubt", "command_line", "page"),
    [
        (
            Doubt("it rains", role="time"),
            "it rains; if that is wrong, name another column with --map time=COLUMN, or do without with --map time=.",
            "If that is wrong, choose another column for the time under Columns.",
        ),
        (
            Doubt("it rains", role="user"),
            "it rains; if that is wrong, name another column with --map user=COLUMN.",
            "If that is wrong, choose another column for the user under Columns.",
        ),
        (
            Doubt("it rains", setting="drop_services"),
            "it rains; --set data.drop_services=false keeps them.",
            "Switch “Leave out service lines” off under Preparation to keep them.",
        ),
        (Doubt("it rains", advice="take an umbrella."), "it rains; take an umbrella.", "Take an umbrella."),
        (Doubt("it rains"), "it rains.", ""),
    ],
)
def test_a_doubt_is_a_sentence_with_what_to_do_here(doubt, command_line, page):
    assert (doubt.on_command_line(), doubt.on_page()) == (command_line, page)


def test_unread_values_are_counted_among_those_that_are_there():
    column = pd.Series(["soon", None, "later", "2024-01-01"], name="day")
    (doubt,) = unread_doubt("time", column, read_times(column).unread)
    assert doubt == Doubt("2 of 3 times in column 'day' cannot be read, such as 'soon'", role="time")
    assert unread_doubt("time", column, np.zeros(4, dtype=bool)) == []


def test_guesses_about_numbers_and_times_are_named():
    assert number_doubts("weight", "n", read_numbers(pd.Series(["1", "2,5"]))) == []
    (comma,) = number_doubts("weight", "n", read_numbers(pd.Series(["1,500", "2"])))
    assert comma.matter.startswith("in column 'n' 1,500 is read as 1500, but nothing tells")
    (order,) = time_doubts("t", read_times(pd.Series(["01/02/2023", "03/04/2023"])))
    assert "are read as month/day, but no value tells day and month apart" in order.matter
    (units,) = time_doubts("t", read_times(pd.Series([1_700_000_000, 1_700_000_000_000])))
    assert "each read by its size: milliseconds, seconds" in units.matter
    assert id_doubts("item", "n", np.array(["A1"], dtype=object)) == []
    assert id_doubts("item", "n", np.array(["4.02E+12"], dtype=object))[0].on_page().startswith("Export the file again")


def test_counts_are_told_the_first_three():
    assert told_counts({"a": 1200, "b": 3}) == "'a' 1,200 times, 'b' 3 times"
    assert told_counts({"a": 4, "b": 3, "c": 2, "d": 1, "e": 1}).endswith("'c' 2 times and 2 more")


def test_a_status_that_never_comes_to_nothing_is_no_doubt():
    head = pd.DataFrame(
        {"user": ["a", "b"], "item": ["x", "y"], "order status": ["paid", "paid"], "delivery status": ["ok", "sent"]}
    )
    detected = detect(head)
    assert detected.roles.outcome == "order status"
    assert column_doubts(head, detected, detected.roles) == []
