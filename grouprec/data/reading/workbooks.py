"""Files that a spreadsheet program opens as a workbook: Excel's own, OpenDocument, XML of 2003, and tables of HTML.

Shops save the last two under the name .xls. All become sheets of rows of cells.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from xml.etree.ElementTree import Element

from defusedxml import ElementTree

from grouprec.core.types import DataError
from grouprec.data.limits import LONGEST_ROW, MOST_COLUMNS
from grouprec.data.reading.sniff import Sniffed

_MOST_REPEATED = MOST_COLUMNS  # a cell that stands for more of its kind is only the empty rest of a sheet
_MOST_CELLS = 20_000_000  # of a sheet; each takes its eight bytes, however often a file repeats it
_MOST_TWINS = 200_000  # rows that are the same as the one before, which a file says in a few bytes
_MOST_MARKUP = 512 << 20  # bytes of HTML or XML that are read as a table
_EXCEL_ROWS, _EXCEL_COLUMNS = 1_048_576, 16_384  # no sheet has more; a cell that says it lies beyond is damage


@dataclass
class Sheet:
    """A sheet, as openpyxl gives them."""

    title: str
    rows: list[list[Any]] = field(default_factory=list)
    sheet_state: str = "visible"


class Workbook:
    """Sheets by their titles."""

    def __init__(self, worksheets: list[Sheet]) -> None:
        self.worksheets = worksheets

    def __getitem__(self, title: str) -> Sheet:
        return next(sheet for sheet in self.worksheets if sheet.title == title)

    def close(self) -> None:
        """Nothing is open."""


def open_workbook(sniffed: Sniffed) -> Any:
    """Return a workbook, whatever program wrote it; it raises what its parsers raise where it is damaged."""
    if sniffed.format == "markup":
        return Workbook(_of_markup(sniffed))
    with sniffed.path.open("rb") as file:
        known = zipfile.ZipFile(file).namelist()
    if "content.xml" in known:
        return Workbook(list(_of_opendocument(sniffed)))
    import openpyxl  # here: a quarter of a second that no other file needs

    named = sniffed.path.suffix.lower() in (".xlsx", ".xlsm")  # it opens no other name
    source = sniffed.path if named else io.BytesIO(sniffed.path.read_bytes())
    return openpyxl.load_workbook(source, read_only=True, data_only=True)


def rows_of(sheet: Any) -> Iterator[tuple[int, Sequence[Any]]]:
    """Yield the rows of a sheet, numbered from 1.

    Raises:
        ValueError: a cell lies where no sheet of Excel has one.
    """
    if isinstance(sheet, Sheet):
        yield from enumerate(sheet.rows, 1)
        return
    sheet.reset_dimensions()  # some programs write wrong ones, and then cells would be missing
    filled = sheet._get_row

    def row_of(cells: list[dict[str, Any]], *ways: Any) -> Sequence[Any]:
        if cells and cells[-1]["column"] > _EXCEL_COLUMNS:
            raise ValueError("a cell lies beyond the last column")
        return filled(cells, *ways)

    sheet._get_row = row_of  # before it makes a row as long as the cell says
    for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
        if number > _EXCEL_ROWS:
            raise ValueError("a cell lies beyond the last row")
        yield number, row


# ---- OpenDocument


def _of_opendocument(sniffed: Sniffed) -> Iterator[Sheet]:
    with zipfile.ZipFile(sniffed.path) as archive, archive.open("content.xml") as content:
        sheet: Sheet | None = None
        cells = twins = 0
        for event, element in ElementTree.iterparse(content, ("start", "end")):
            name = _own_name(element.tag)
            if name == "table" and event == "start":
                sheet = Sheet(_said(element, "name"))
            elif name == "table" and sheet is not None:
                yield sheet
                sheet = None
            elif name == "table-row" and event == "end" and sheet is not None:
                row = _opendocument_row(element)
                times = int(_said(element, "number-rows-repeated") or 1) if row else 1
                cells += times * max(len(row), 1)
                twins += times - 1
                if cells > _MOST_CELLS or twins > _MOST_TWINS:
                    raise DataError(f"'{sniffed.path.name}' has too many cells; save the sheet as CSV.")
                sheet.rows += [row] * times
                element.clear()


def _opendocument_row(element: Element) -> list[Any]:
    row: list[Any] = []
    for cell in element:
        times = int(_said(cell, "number-columns-repeated") or 1)
        value = _opendocument_value(cell)
        if times <= _MOST_REPEATED:
            row += [value] * times
    while row and row[-1] is None:
        row.pop()
    return row


def _opendocument_value(cell: Element) -> Any:
    kind, value = _said(cell, "value-type"), _said(cell, "value")
    if kind == "date" and (day := _said(cell, "date-value")):
        return dt.datetime.fromisoformat(day)
    if kind in ("float", "currency", "percentage") and value:
        number = float(value)
        return int(number) if number.is_integer() else number
    parts = ["".join(part.itertext()) for part in cell if _own_name(part.tag) == "p"]
    return "\n".join(parts) or None


def _own_name(tag: str) -> str:
    return tag.rpartition("}")[2]


def _said(element: Element, name: str) -> str:
    """Return an attribute by its own name, "" where it is not there."""
    return next((value for key, value in element.attrib.items() if _own_name(key) == name), "")


# ---- XML of 2003, and HTML


def _of_markup(sniffed: Sniffed) -> list[Sheet]:
    with sniffed.open() as file:
        content = file.read(_MOST_MARKUP + 1)
    if len(content) > _MOST_MARKUP:
        raise DataError(f"'{sniffed.path.name}' is too large a table of HTML or XML; save it as CSV or Parquet.")
    if b"urn:schemas-microsoft-com:office:spreadsheet" in content[:4096] and b"<Worksheet" in content:
        return [_xml_sheet(one) for one in ElementTree.fromstring(content) if _own_name(one.tag) == "Worksheet"]
    parser = _Tables()
    parser.feed(content.decode(sniffed.encoding or "utf-8", "replace"))
    parser.close()
    largest = max(parser.tables, key=len, default=[])
    return [Sheet("table", largest)]


def _xml_sheet(element: Element) -> Sheet:
    sheet = Sheet(_said(element, "Name"))
    for row in (one for one in element.iter() if _own_name(one.tag) == "Row"):
        cells: list[Any] = []
        for cell in (one for one in row if _own_name(one.tag) == "Cell"):
            at = int(_said(cell, "Index") or len(cells) + 1)
            cells += [None] * min(at - 1 - len(cells), MOST_COLUMNS)
            data = next((one for one in cell if _own_name(one.tag) == "Data"), None)
            cells.append(None if data is None else _xml_value(data))
        sheet.rows.append(cells)
    return sheet


def _xml_value(data: Element) -> Any:
    text = "".join(data.itertext())
    if _said(data, "Type") == "DateTime":
        return dt.datetime.fromisoformat(text)
    if _said(data, "Type") == "Number" and text:
        number = float(text)
        return int(number) if number.is_integer() else number
    return text or None


class _Tables(HTMLParser):
    """Collects the rows of the outermost tables of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[Any]]] = []
        self._depth, self._cell, self._spans, self._size = 0, None, 1, 0
        self._cell: list[str] | None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._depth += 1
            self.tables += [[]] if self._depth == 1 else []
        elif self._depth == 1 and tag == "tr":
            self._end_cell()
            self.tables[-1].append([])
        elif self._depth == 1 and tag in ("td", "th"):
            self._end_cell()
            span = dict(attrs).get("colspan") or "1"
            self._cell, self._spans = [], min(int(span), 100) if span.isdigit() else 1
        elif tag == "br" and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr") and self._depth == 1:
            self._end_cell()
        elif tag == "table":
            self._end_cell()
            self._depth = max(self._depth - 1, 0)

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._size += len(data)
            if self._size <= LONGEST_ROW:
                self._cell.append(data)

    def _end_cell(self) -> None:
        if self._cell is None or not self.tables:
            return
        if not self.tables[-1]:
            self.tables[-1].append([])
        self.tables[-1][-1] += ["".join(self._cell).strip() or None, *[None] * (self._spans - 1)]
        self._cell, self._size = None, 0
