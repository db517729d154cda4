"""CSV for spreadsheets: nothing runs, nothing else changes, and other programs read every cell back."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouprec.report import spreadsheet


def test_csv_defuses_formulas_in_text_and_leaves_numbers_alone() -> None:
    frame = pd.DataFrame(
        {
            "label": ["=1+1", "+a", " -b", "\ufeff@c", "\td", "fine", None],
            "id": ["00123", "1", "2", "3", "4", "5", "6"],
            "number": [-1.5, 2, 3, 4, 5, 6, 7],
            "mixed": pd.Series([1, "=x", "y", None, True, 2.5, "-"], dtype=object),
            "=name": ["a"] * 7,
        }
    )
    data = spreadsheet.download(frame)
    lines = data.decode("utf-8-sig").splitlines()
    assert data.startswith(b"\xef\xbb\xbf")
    assert lines[0] == "label,id,number,mixed,'=name"
    assert lines[1] == "'=1+1,00123,-1.5,1,a"
    assert [line.split(",")[0] for line in lines[2:]] == ["'+a", "' -b", "'\ufeff@c", "'\td", "fine", ""]
    assert lines[2].split(",")[3] == "'=x"
    assert frame["label"].iloc[0] == "=1+1"


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)
RISKY = st.builds(str.__add__, st.sampled_from([*"=+-@\t\r\n＝＠", " =", "\u3000+"]), TEXTS)


@given(st.lists(TEXTS | RISKY, min_size=1, max_size=6))
def test_every_cell_comes_back_and_none_runs(cells: list[str]) -> None:
    exact, safe = io.StringIO(newline=""), spreadsheet.as_text(pd.DataFrame({"id": cells, "n": 1}))
    spreadsheet.write(pd.DataFrame({"id": cells, "n": 1}), exact)
    rows = list(csv.reader(io.StringIO(exact.getvalue(), newline="")))
    assert rows == [["id", "n"], *([cell, "1"] for cell in cells)]
    assert not spreadsheet.formulas(safe["id"]).any()
    assert [cell.removeprefix("'") for cell in safe["id"]] == [cell.removeprefix("'") for cell in cells]


@pytest.mark.parametrize("number", ["-5", "+3.5", "-1,25", "12"])
def test_a_number_with_a_sign_is_no_formula(number: str) -> None:
    assert spreadsheet.as_text(pd.DataFrame({"id": [number]}))["id"].tolist() == [number]


def test_a_bare_carriage_return_stays_in_its_cell() -> None:
    content = io.StringIO(newline="")
    spreadsheet.write(pd.DataFrame({"id": ["a\rb", "c"], "n": [1, 2]}), content)
    assert content.getvalue() == '"id","n"\n"a\rb",1\n"c",2\n'
