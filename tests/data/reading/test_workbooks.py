"""Workbooks of other people: nothing in their XML expands, and nothing is repeated without an end."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from grouprec.core.types import DataError
from grouprec.data.reading.read import read_table

ROWS = [("user", "item"), ("Ann", "tea"), ("Bob", "milk"), ("Ann", "milk")]
LAUGHS = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'>]>"
NAMES = {name: f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0" for name in ("office", "table", "text")}


def xml_2003(doctype: str, value: str) -> bytes:
    cells = [[f"<Cell><Data>{cell}</Data></Cell>" for cell in row] for row in [*ROWS, ("Cleo", value)]]
    rows = "".join(f"<Row>{''.join(row)}</Row>" for row in cells)
    space = "urn:schemas-microsoft-com:office:spreadsheet"
    return f'{doctype}<Workbook xmlns="{space}"><Worksheet><Table>{rows}</Table></Worksheet></Workbook>'.encode()


def open_document(doctype: str, value: str, times: int = 1) -> bytes:
    def row(cells: tuple[str, ...], times: int = 1) -> str:
        shown = "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells)
        return f'<table:table-row table:number-rows-repeated="{times}">{shown}</table:table-row>'

    rows = "".join(map(row, ROWS)) + row(("Cleo", value), times)
    spaces = " ".join(f'xmlns:{name}="{space}"' for name, space in NAMES.items())
    body = f'<office:body {spaces}><table:table table:name="all">{rows}</table:table></office:body>'
    return zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": doctype + body})


def excel(doctype: str, value: str) -> bytes:
    workbook = openpyxl.Workbook()
    for row in [*ROWS, ("Cleo", "VALUE")]:
        workbook.active.append(row)
    whole = io.BytesIO()
    workbook.save(whole)
    with zipfile.ZipFile(whole) as archive:
        members = {name: archive.read(name).decode() for name in archive.namelist()}
    sheet = members["xl/worksheets/sheet1.xml"].replace("VALUE", value)
    return zipped({**members, "xl/worksheets/sheet1.xml": sheet.replace("<worksheet", f"{doctype}<worksheet", 1)})


def zipped(members: dict[str, str]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return whole.getvalue()


@pytest.mark.parametrize(("make", "name"), [(xml_2003, "a.xls"), (open_document, "a.ods"), (excel, "a.xlsx")])
def test_entities_of_a_workbook_do_not_expand(tmp_path: Path, make: Callable[..., bytes], name: str) -> None:
    (tmp_path / name).write_bytes(make("", "tea"))
    assert read_table(tmp_path / name).to_numpy().tolist() == [list(row) for row in [*ROWS[1:], ("Cleo", "tea")]]
    (tmp_path / name).write_bytes(make(LAUGHS, "&b;"))
    with pytest.raises(DataError, match="damaged workbook"):
        read_table(tmp_path / name)


def test_a_row_that_a_file_repeats_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.ods").write_bytes(open_document("", "tea", times=50_000_000))
    with pytest.raises(DataError, match="too many cells"):
        read_table(tmp_path / "a.ods")


def test_the_largest_table_of_a_page_is_read_with_its_spans_and_line_breaks(tmp_path: Path) -> None:
    rows = "".join(f"<TR><TD>{user}<TD>{item}<BR>tin</TR>" for user, item in [*ROWS[1:], ("Cleo", "tea")])
    small = "<table><tr><td>Report</td><td>2024</td></tr></table>"
    wide = "<tr><td colspan=2>Printed by Ann</td></tr>"
    page = f"<html>{small}<table border=1><tr><th>user</th><th>item</th></tr>{rows}{wide}</table><br>Bye</html>"
    (tmp_path / "a.xls").write_text(page)
    found = read_table(tmp_path / "a.xls")
    assert list(found) == ["user", "item"]
    assert found.iloc[:4].to_numpy().tolist() == [
        ["Ann", "tea\ntin"],
        ["Bob", "milk\ntin"],
        ["Ann", "milk\ntin"],
        ["Cleo", "tea\ntin"],
    ]
    assert "Report" not in found.to_numpy()


@pytest.mark.parametrize("far", ["ZZZZZZ99", "A1000000000000", "XFE9"])
def test_a_cell_beyond_the_end_of_any_sheet_is_damage(tmp_path: Path, far: str) -> None:
    path = tmp_path / "far.xlsx"
    path.write_bytes(excel("", "tea"))
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    row = far.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    more = f'<row r="{row}"><c r="{far}"><v>1</v></c></row></sheetData>'.encode()
    members["xl/worksheets/sheet1.xml"] = members["xl/worksheets/sheet1.xml"].replace(b"</sheetData>", more)
    path.write_bytes(zipped(members))
    with pytest.raises(DataError, match="damaged workbook"):
        read_table(path)


def test_a_row_repeated_more_often_than_anything_happens_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "repeated.ods"
    path.write_bytes(open_document("", "tea", 300_000))
    with pytest.raises(DataError, match="too many cells"):
        read_table(path)
