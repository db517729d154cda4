"""The history of runs shows columns that say something."""

from __future__ import annotations

import pandas as pd
import pytest

from grouprec.ui.train import runs_table

RUN = {"title": "a.csv, quick", "dataset": "a.csv", "tags": [], "note": "", "seconds": None, "gain": None}


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ({}, set()),
        ({"seconds": 12.0, "tested": 80}, {"seconds", "tested"}),
        ({"title": "spring"}, {"dataset"}),
        ({"note": "again", "gain": 61.0}, {"note", "gain"}),
    ],
)
def test_columns_with_nothing_in_them_or_that_titles_say_are_hidden(more: dict[str, object], shown: set[str]) -> None:
    frame = pd.DataFrame([{**RUN, "tested": None, **more}, {**RUN, "tested": None}])
    assert set(runs_table.shown_columns(frame)) == {"title", "state", "preset", "groups", "created"} | shown
