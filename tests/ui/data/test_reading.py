"""How the Data page lets people choose how a file is read, and shows what could not be."""

from __future__ import annotations

import io

import openpyxl
import pytest

from grouprec.data.library import Library
from grouprec.runs.store import RunStore
from grouprec.ui.place_words import on_page
from tests.ui.opening import texts, visit

LINES = [f"K{100 + n % 30},A{n % 11},Größe {n % 11},2024-{1 + n % 9:02d}-{1 + n % 28:02d}" for n in range(300)]


@pytest.fixture
def library(runs_folder: RunStore) -> Library:
    return Library(runs_folder.root / "datasets")


def shop(*more: str) -> str:
    return "\n".join(["customer,product,title,date", *LINES, *more, ""])


def test_the_encoding_is_shown_with_what_it_makes_and_can_be_changed(library: Library) -> None:
    entry = library.add("shop.csv", io.BytesIO(shop().encode("cp850")))
    app = visit("data", dataset=entry.key)
    assert "read as cp850, as in Größe" in texts(app).replace("\\", "")
    choice = app.selectbox(key=f"encoding.{entry.key}")
    assert choice.options[0] == "found: cp850"
    choice.select("cp1252").run()
    assert not app.exception and "read as cp850" not in texts(app)
    rows = next(frame.value for frame in app.dataframe if "title" in frame.value.columns)
    assert rows["title"].iloc[0] == "Gr”áe 0"
    assert library.get(entry.key).preparation == {"encoding": "cp1252"}


def test_rows_that_cannot_be_read_are_listed_and_can_be_saved(library: Library) -> None:
    entry = library.add("shop.csv", io.BytesIO(shop("K1A1", "x,y,z,1,2,3").encode()))
    app = visit("data", dataset=entry.key)
    assert not app.exception and not app.error
    table = next(frame.value for frame in app.dataframe if "why" in frame.value.columns)
    assert table["line"].tolist() == [302, 303] and table["text"].tolist() == ["K1A1", "x,y,z,1,2,3"]
    assert any(button.proto.label == "Save these rows" for button in app.get("download_button"))
    assert (
        "rows that cannot be read" in next(f.value for f in app.dataframe if "step" in f.value.columns)["step"].tolist()
    )


def test_a_refused_file_still_shows_its_rows_and_the_choice_of_the_encoding(library: Library) -> None:
    mixed = shop().encode() + shop().encode("cp1252")
    entry = library.add("mixed.csv", io.BytesIO(mixed))
    app = visit("data", dataset=entry.key)
    assert "choose “mixed” as encoding under Rows" in app.error[0].value and "--" not in app.error[0].value
    app.selectbox(key=f"encoding.{entry.key}").select("mixed").run()
    assert not app.error and not app.exception


def test_a_sheet_can_be_chosen(library: Library) -> None:
    book = openpyxl.Workbook()
    for name, n in (("2024", 60), ("2023", 40)):
        sheet = book.create_sheet(name)
        for line in shop().splitlines()[:n]:
            sheet.append(line.split(","))
    del book["Sheet"]
    content = io.BytesIO()
    book.save(content)
    entry = library.add("shop.xlsx", io.BytesIO(content.getvalue()))
    app = visit("data", dataset=entry.key)
    choice = app.selectbox(key=f"sheet.{entry.key}")
    assert choice.options == ["found: 2024, 2023", "2024", "2023"]  # of the same columns: both, unless one is chosen
    choice.select("2023").run()
    assert library.get(entry.key).size["n_raw"] == 39


MESSAGES = {
    "say which it is with --map user=COLUMN, one of: a.": "choose it for “User” under Columns, one of: a.",
    "choose another column with --map time=COLUMN.": "choose another column for “Time” under Columns.",
    "or do without with --map time=.": "or do without: choose “–” for “Time” under Columns.",
    "is --map user=COLUMN right?": "is the column for “User” under Columns right?",
    "choose another column with --map weight=COLUMN or weight=.": "choose another column for “Weight” under Columns.",
    "There is no column 'x' for --map item=...; they are: a.": "There is no column 'x' for “item”; they are: a.",
    "choose other columns with --map user=COLUMN,item=COLUMN.": "choose other columns under Columns.",
    "name it with --map time=COLUMN": "choose it for “Time” under Columns",
    "or set split to user.": "or choose “user” for “Split by” under Preparation.",
    "have every line read by itself with --encoding mixed.": "choose “mixed” as encoding under Rows.",
    "allow more with --set data.most_rejected=0.2.": "allow more: “Most unreadable rows” under Preparation.",
    "All rows were dropped by the step 'k-core' (x): lower min_item_users or min_user_items, or give more rows.": (
        "All rows were dropped by the step “rare users and items” (x): lower “Fewest users of an item” or “Fewest "
        "items of a user” under Preparation, or give more rows."
    ),
    "keep fewer items (data.min_item_users), or less": (
        "keep fewer items (“Fewest users of an item” under Preparation), or less"
    ),
    "'a.csv' is empty.": "'a.csv' is empty.",
}


@pytest.mark.parametrize("said", MESSAGES)
def test_messages_speak_of_the_page(said: str) -> None:
    assert on_page(said) == MESSAGES[said]
