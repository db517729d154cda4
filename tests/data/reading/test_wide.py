"""Tables with a column for every item or month."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from grouprec.data.reading import wide as wide_module
from grouprec.data.reading.wide import find_wide, is_total
from grouprec.data.values.times import read_times

NAMES = [f"thing{letter}" for letter in "abcdefgh"]


def table(names, first="user", rows=6, value=3):
    cells = {name: [value if (row + at) % 3 == 0 else 0 for row in range(rows)] for at, name in enumerate(names)}
    return pd.DataFrame({first: [f"u{row}" for row in range(rows)], **cells})


def found(frame) -> Any:
    return find_wide(frame, list(frame.columns))


def test_a_matrix_becomes_a_row_for_every_filled_cell():
    frame = table(NAMES)
    wide = found(frame)
    rows = wide.rows(frame, ["user"])
    assert (wide.name, wide.value, wide.kept) == ("item", "", ("user",))
    assert rows.to_numpy().tolist() == [
        [f"u{row}", NAMES[at]] for row in range(6) for at in range(8) if (row + at) % 3 == 0
    ]


def test_sums_are_neither_users_nor_items():
    frame = table([*NAMES, "Grand Total"])
    frame.loc[len(frame)] = ["Total", *[9] * 9]
    wide = found(frame)
    assert "Grand Total" not in {*wide.columns, *wide.kept}
    assert set(wide.rows(frame, ["user"])["user"]) == {f"u{row}" for row in range(6)}
    assert is_total("Gesamtergebnis") and not is_total("totality")


def test_a_matrix_of_items_by_users_is_turned():
    wide = found(table([f"K{n}" for n in range(8)], first="title"))
    assert wide.name == "user" and "8 users" in wide.note


def test_users_of_nameless_columns_are_the_numbers_of_rows():
    frame = table(NAMES).drop(columns="user")
    frame.columns = [f"column {n}" for n in range(1, 9)]
    frame = pd.concat([frame, frame.assign(**{"column 9": 0})[["column 9"]]], axis=1)
    wide = found(frame)
    assert wide.numbered and wide.rows(frame, [])["user"].iloc[0] == "row 1"
    assert "numbers of their rows" in wide.note and "numbers of their rows" not in found(table(NAMES)).note


def test_ratings_and_quantities_are_told_by_their_size():
    assert found(table(NAMES).replace({"thinga": {3: 4}})).value == "rating"
    assert found(table(NAMES).replace({"thinga": {3: 40}})).value == "quantity"


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.assign(thinga=1),  # filled everywhere: a fact of the user
        lambda t: t.assign(thinga=t["thinga"] * 1000),  # of another size than the others
        lambda t: t.assign(user="u"),
        lambda t: t.replace(3, -3),
        lambda t: t.replace(0, 1),
        lambda t: t.drop(columns=["thinga"]),
        lambda t: t.head(2),
        lambda t: t.assign(town="Rome", street="x"),
        lambda t: t.assign(**{f"{at} told": "words" for at in range(9)}),
        lambda t: t.assign(
            pay=[0, *[1000] * 5], **{name: [0, *t[name].iloc[1:]] for name in NAMES}
        ),  # all but one have
        lambda t: table(NAMES, rows=20).assign(thinga=[0, *[3] * 19]),  # hardly a gap
    ],
)
def test_facts_of_people_are_no_matrix(change):
    assert found(change(table(NAMES))) is None


def test_ids_among_as_many_columns_of_words_are_no_matrix():
    numbered = table([f"sku{n}" for n in range(8)])
    assert found(numbered) is not None
    assert found(numbered.assign(**{f"told {letter}": "words" for letter in "abcdefghi"})) is None


@pytest.mark.parametrize(("n", "is_matrix"), [(39, False), (40, True)])
def test_many_columns_may_hold_numbers_of_any_size(n, is_matrix):
    frame = table([f"thing{chr(97 + at // 26)}{chr(97 + at % 26)}" for at in range(n)])
    assert (found(frame.assign(thingaa=frame["thingaa"] * 1000)) is not None) == is_matrix


def test_a_few_gaps_are_enough_for_a_column_of_a_matrix():
    assert found(table(NAMES, rows=20).assign(thinga=[0, 0, 0, *[3] * 17])) is not None


@pytest.mark.parametrize(
    ("names", "name"),
    [
        (["Jan 2024", "Feb 2024", "Mar 2024"], "date"),
        (["2024-01", "2024-02", "2024-03"], "date"),
        (["Q1 2024", "Q2 2024", "Q3 2024", "Q4 2024"], "date"),
        (["2021", "2022", "2023"], "date"),
        (["enero", "febrero", "marzo"], "month"),
    ],
)
def test_periods_side_by_side_become_rows_with_a_time(names, name):
    frame = pd.DataFrame({"customer": ["a", "b"], "product": ["x", "y"], **{one: [2, np.nan] for one in names}})
    rows = found(frame).rows(frame, ["customer", "product"])
    assert rows.to_numpy().tolist() == [["a", "x", one, 2.0] for one in names]
    assert list(rows.columns) == ["customer", "product", name, "quantity"]


@pytest.mark.parametrize(
    "names", [["101", "102", "103"], ["Jan 2024", "Feb 2024"], ["mug", "lamp", "vase"], ["mug 1", "mug 2", "mug 3"]]
)
def test_other_columns_are_no_periods(names):
    assert found(pd.DataFrame({"customer": ["a", "b"], "product": ["x", "y"], **dict.fromkeys(names, 2)})) is None


PERIODS = {
    "months": ["Jan", "Feb", "Mar"],
    "moments": ["2023-01", "2023-02", "2023-03"],
    "years": ["2021", "2022", "2023"],
    "quarters": ["Q1 2023", "Q2 2023", "Q3 2023"],
    "sums of a pivot": ["Sum of Jan", "Sum of Feb", "Sum of Mar"],
    "Japanese": ["1月", "2月", "3月"],
}


@pytest.mark.parametrize("periods", PERIODS.values(), ids=PERIODS)
@pytest.mark.parametrize("total", [("Total", ""), ("", "Gesamtergebnis"), ("u1 Total", ""), ("Subtotal u1", None)])
def test_lines_and_columns_of_sums_over_periods_are_nobodys(periods, total):
    rows = [[f"u{row}", f"i{at}", 1, 2, 3, 6] for row in range(3) for at in range(2)]
    columns = ["Customer", "Product", *periods, "Total"]
    frame = pd.DataFrame([*rows, [*total, 9, 9, 9, 27]], columns=columns)
    wide = found(frame)
    result = wide.rows(frame, ["Customer", "Product"])
    assert set(result["Customer"]) == {"u0", "u1", "u2"} and set(result["Product"]) == {"i0", "i1"}
    assert len(result) == 18 and "Total" not in {*wide.columns, *wide.kept}
    assert set(result[wide.name]) == {name.removeprefix("Sum of ") for name in periods}


def test_a_product_called_like_a_sum_stays():
    rows = [[f"u{row}", item, 1, 2, 3] for row in range(3) for item in ("Total Gym", "Colgate Total")]
    frame = pd.DataFrame(rows, columns=["Customer", "Product", *PERIODS["months"]])
    assert len(found(frame).rows(frame, ["Customer", "Product"])) == 18


def test_names_of_very_many_columns_are_looked_at_by_their_form(monkeypatch):
    looked = []
    monkeypatch.setattr(wide_module, "read_times", lambda names: looked.append(len(names)) or read_times(names))
    frame = table([f"c{n}" for n in range(2_000)])
    assert find_wide(frame, list(frame.columns)) is not None and len(looked) == 1
