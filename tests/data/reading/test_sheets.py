"""Sheets of workbooks: their cells as they are read, how many rows they have, and what is none."""

import zipfile

import openpyxl
import pandas as pd
import pytest

from grouprec.core.types import DataError
from grouprec.data.reading.read import peek, read_table


def workbook(path, rows):
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize(("n", "known"), [(999, (999, True)), (1000, (None, False)), (1001, (None, False))])
def test_rows_of_a_workbook_are_known_where_they_fit_the_head(tmp_path, n, known):
    found = peek(workbook(tmp_path / "a.xlsx", [["user", "item"], *[["u", i] for i in range(n + 1)][1:]]))
    assert (len(found.head), found.n_rows, found.exact) == (min(n, 1000), *known)
    assert found.head["item"].iloc[-1] == min(n, 1000)


def test_cells_of_a_workbook_beside_the_header_and_formulas_without_value_are_nothing(tmp_path):
    rows = [[" user ", "item", "sum"], ["a", 1, "=1+1", "note"], [None, 2], [None, None], ["b"]]
    table = read_table(workbook(tmp_path / "a.xlsx", rows))
    assert list(table.columns) == ["user", "item", "sum"]
    assert table.astype(object).where(table.notna(), None).to_numpy().tolist() == [
        ["a", 1, None],
        [None, 2, None],
        ["b", None, None],
    ]


def test_wrong_dimensions_of_a_sheet_hide_no_cells(tmp_path):
    workbook(tmp_path / "a.xlsx", [["user", "item"], ["a", "b"]])
    with zipfile.ZipFile(tmp_path / "a.xlsx") as right, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as wrong:
        for name in right.namelist():
            content = right.read(name)
            if name.startswith("xl/worksheets/"):
                content = content.replace(b"<sheetData>", b'<dimension ref="A1:A1"/><sheetData>')
            wrong.writestr(name, content)
    assert read_table(tmp_path / "b.xlsx").to_numpy().tolist() == [["a", "b"]]


def test_an_empty_sheet_is_refused(tmp_path):
    with pytest.raises(DataError, match="is empty"):
        read_table(workbook(tmp_path / "a.xlsx", []))


def test_excel_keeps_text_as_text(tmp_path):
    book = openpyxl.Workbook()
    for row in (["user", "item", None, "day"], ["00123", 17850, None, pd.Timestamp("2024-05-31").to_pydatetime()], []):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    table = read_table(tmp_path / "a.xlsx")
    assert list(table.columns) == ["user", "item", "day"]
    assert table.iloc[0].tolist() == ["00123", 17850, pd.Timestamp("2024-05-31")]
