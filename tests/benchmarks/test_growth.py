"""The growth of a run: planted files of the size asked for, and exponents that are known."""

import math
from pathlib import Path

import pandas as pd

from benchmarks.growth import ROWS_PER_USER, exponent, section, write_planted
from benchmarks.measure import Measured


def test_a_planted_file_has_the_rows_asked_for(tmp_path: Path) -> None:
    n_users, n_items = write_planted(tmp_path / "planted.csv", 300 * ROWS_PER_USER)
    rows = pd.read_csv(tmp_path / "planted.csv")
    assert n_users == 300 and len(rows) == 300 * ROWS_PER_USER
    assert rows["user"].nunique() == n_users and rows["item"].nunique() <= n_items


def test_exponents_are_powers_of_the_rows() -> None:
    assert exponent([2.0, 20.0], 1000, 10_000) == "1.00"
    assert exponent([2.0, 200.0], 1000, 10_000) == "2.00"
    assert exponent([2.0], 1000, 1000) == "" and exponent([math.nan, 2.0], 1000, 10_000) == ""


def test_the_section_shows_stages_that_take_long() -> None:
    runs = {
        n_rows: (Measured(9.0 * n_rows, 100.0, {}, 8.0), {"folds": 3.0 * n_rows, "save": 0.1}) for n_rows in (10, 100)
    }
    text = section(runs, "10,100", "quick")
    assert "| folds | 30.0 | 300.0 | 1.00 |" in text and "save" not in text
