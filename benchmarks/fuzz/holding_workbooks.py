"""Workbooks made to hold up: HTML, XML, Excel and OpenDocument, nested, far apart, repeated without end."""

from __future__ import annotations

import numpy as np

from benchmarks.fuzz.archives import zipped
from benchmarks.fuzz.repeats import long, many

_OPEN = "http://schemas.openxmlformats.org"
_PACKAGE, _OFFICE = f"{_OPEN}/package/2006", f"{_OPEN}/officeDocument/2006/relationships"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_LINKS = "application/vnd.openxmlformats-package.relationships+xml"
_LINK = '<Relationships xmlns="{0}/relationships"><Relationship Id="r1" Type="{1}" Target="{2}"/></Relationships>'
_XLSX = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" '
    f'ContentType="application/xml"/><Default Extension="rels" ContentType="{_LINKS}"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_SHEET}.worksheet+xml"/></Types>',
    "_rels/.rels": _LINK.format(_PACKAGE, f"{_OFFICE}/officeDocument", "xl/workbook.xml"),
    "xl/workbook.xml": f'<workbook xmlns="{_OPEN}/spreadsheetml/2006/main" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": _LINK.format(_PACKAGE, f"{_OFFICE}/worksheet", "worksheets/sheet1.xml"),
}


def markup(rng: np.random.Generator) -> tuple[str, bytes]:
    """HTML and XML: nested, never closed, of huge spans, of names without end."""
    n = many(rng, 60_000)
    row = "<tr><td>u1</td><td>i1</td></tr>"
    table = f"<table><tr><th>user</th><th>item</th></tr>{row * 30}</table>"
    one = ("<table><tr><td>", "<div>", "<td>", "<tr>", "<b>", "<a href=", "<!--", "<![CDATA[", "&#x41;", "<td ")[
        rng.integers(10)
    ]
    ways = [
        f"<html>{one * n}{table}",
        f"<html><table>{one * n}</table>{table}</html>",
        table.replace(
            "<td>", f"<td colspan={10 ** int(rng.integers(2, 10))} rowspan={10 ** int(rng.integers(2, 10))}>", 2
        ),
        table.replace("<td>", f"<td title='{long(rng, 100_000)}'>", 1),
        "<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'>"
        + "".join(f"<!ENTITY a{k} '{f'&a{k - 1};' * 10}'>" for k in range(1, 12))
        + f"]><table>&a9;{table}</table>",
        "<?xml version='1.0'?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet'>"
        + "<Worksheet><Table><Row><Cell>" * n,
    ]
    return str(rng.choice((".xls", ".html"))), ways[rng.integers(len(ways))].encode(errors="replace")


def workbook(rng: np.random.Generator) -> tuple[str, bytes]:
    """Workbooks whose cells lie far away, repeat without end, nest or are many empty ones."""
    n = many(rng, 30_000)
    cell = '<c r="{0}" t="inlineStr"><is><t>{1}</t></is></c>'
    head = "".join(cell.format(at, text) for at, text in (("A1", "user"), ("B1", "item")))
    rows = "".join(
        f'<row r="{k}">{cell.format(f"A{k}", f"u{k % 5}")}{cell.format(f"B{k}", f"i{k % 4}")}</row>'
        for k in range(2, 40)
    )
    more = [
        f'<row r="1048576">{cell.format("XFD1048576", "far")}</row>',
        f'<row r="99">{cell.format("ZZZZZZ99", "far")}</row>',
        f'<row r="{10**12}">{cell.format("A1000000000000", "far")}</row>',
        "<row>" * n,
        "".join(f'<row r="{k + 50}"/>' for k in range(n)),
        f'<row r="50"><c r="A50" t="inlineStr"><is>{"<t>" * n}</is></c></row>',
        f'<row r="50"><c r="A50" t="s"><v>{"9" * n}</v></c></row>',
        f'<row r="50"><c r="A50"><v>{"9" * n}</v></c></row>',
    ]
    body = f'<row r="1">{head}</row>{rows}{more[rng.integers(len(more))]}'
    merged = f'<mergeCells><mergeCell ref="A1:XFD{n}"/></mergeCells>' if rng.random() < 0.3 else ""
    space = f"{_OPEN}/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{space}"><sheetData>{body}</sheetData>{merged}</worksheet>'
    return ".xlsx", zipped(_XLSX | {"xl/worksheets/sheet1.xml": sheet})


def open_document(rng: np.random.Generator) -> tuple[str, bytes]:
    n = 10 ** int(rng.integers(2, 10))
    cell = "<t:table-cell{0}><p>{1}</p></t:table-cell>"
    row = "<t:table-row{0}>" + cell.format("", "u1") + cell.format("", "i1") + "</t:table-row>"
    head = f"<t:table-row>{cell.format('', 'user')}{cell.format('', 'item')}</t:table-row>"
    ways = [
        row.format(f" t:number-rows-repeated='{n}'"),
        row.format("").replace("<t:table-cell>", f"<t:table-cell t:number-columns-repeated='{n}'>"),
        row.format("") * 9
        + f"<t:table-row t:number-rows-repeated='{n}'><t:table-cell t:number-columns-repeated='{n}'/></t:table-row>",
        "<t:table-row>" * min(n, 50_000),
        row.format("") * 9 + "<t:table-cell>" * min(n, 50_000),
    ]
    text = f"<d xmlns:t='t'><t:table t:name='a'>{head}{ways[rng.integers(len(ways))]}</t:table></d>"
    return ".ods", zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": text})
