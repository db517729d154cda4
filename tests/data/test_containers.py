"""What holds a table: archives, workbooks, JSON, matrices, texts that no delimiter parts; one of each kind."""

import datetime as dt
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.data.test_cases import (
    COUNTS,
    DAYS,
    ITEMS,
    SAME,
    STAMPS,
    TIMED,
    TIMES,
    TITLES,
    USERS,
    N,
    csv,
    hold,
    lines,
    shop,
    workbook,
)

MAILS = [f"{user.lower()}@example.org" for user in USERS]


def packed(*members: tuple[str, bytes | str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def calc_row(*cells: Any) -> str:
    """Return a row of an OpenDocument sheet."""

    def cell(value: Any) -> str:
        if isinstance(value, dt.datetime):
            said = f'office:value-type="date" office:date-value="{value.isoformat()}"'
        elif isinstance(value, int):
            said = f'office:value-type="float" office:value="{value}"'
        else:
            said = 'office:value-type="string"'
        return f"<table:table-cell {said}><text:p>{value}</text:p></table:table-cell>"

    rest = '<table:table-cell table:number-columns-repeated="1000"/>'
    return f"<table:table-row>{''.join(map(cell, cells))}{rest}</table:table-row>"


TABLE = [["Customer ID", "SKU", "Qty", "Date"], *zip(USERS, ITEMS, COUNTS, TIMES, strict=True)]
SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
)
CALC = (
    f"<office:document-content {SPACES}><office:body><office:spreadsheet>"
    f'<table:table table:name="Orders">{"".join(calc_row(*row) for row in TABLE)}'
    '<table:table-row table:number-rows-repeated="1000000"><table:table-cell/></table:table-row></table:table>'
    "</office:spreadsheet></office:body></office:document-content>"
)
CELLS = {str: "String", int: "Number", dt.datetime: "DateTime"}
XML_2003 = (
    '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
    'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="Orders"><Table>'
    + "".join(
        "<Row>"
        + "".join(
            f'<Cell ss:Index="{at}"><Data ss:Type="{CELLS[type(value)]}">'
            f"{value.isoformat() if isinstance(value, dt.datetime) else value}</Data></Cell>"
            for at, value in enumerate(row, 1)
        )
        + "</Row>"
        for row in TABLE
    )
    + "</Table></Worksheet></Workbook>"
)
HTML = (
    '<html xmlns:x="urn:schemas-microsoft-com:office:excel"><table><tr><th colspan=2>Orders</th></tr></table><table>'
    + "".join(
        f"<tr>{''.join(f'<td>{value} &amp; Co</td>' if value in TITLES else f'<td>{value}' for value in row)}</tr>"
        for row in [("Customer ID", "SKU", "Product", "Date"), *zip(USERS, ITEMS, TITLES, TIMES, strict=True)]
    )
    + "</table></html>"
)
RECORDS = [{"userId": u, "itemId": i, "ts": s} for u, i, s in zip(USERS, ITEMS, STAMPS, strict=True)]
PER_ROW = [[u, i, s] for u, i, s in zip(USERS, ITEMS, STAMPS, strict=True)]
EDGES = [
    {
        "node": {
            "customer": {"id": u},
            "createdAt": f"{t.isoformat()}Z",
            "lineItems": {"edges": [{"node": {"sku": i, "quantity": c}}]},
        }
    }
    for u, i, c, t in zip(USERS, ITEMS, COUNTS, TIMES, strict=True)
]
HAVE = {
    user: {i: 1 + n % 4 for n, (u, i) in enumerate(zip(USERS, ITEMS, strict=True)) if u == user}
    for user in sorted(set(USERS))
}
GRID = [[have.get(item, 0) for item in sorted(set(ITEMS))] for have in HAVE.values()]
NAMED = dict(
    zip(
        sorted(set(ITEMS)),
        ["mug", "box", "lamp", "rug", "vase", "pan", "mat", "bag", "tray", "pot", "tie", "comb"],
        strict=True,
    )
)
PAIRS = sum(map(len, HAVE.values()))
WIDE = [
    (u, i, {f"{m} 2023": (n + k) % 3 for k, m in enumerate(("Jan", "Feb", "Mar"))})
    for n, (u, i) in enumerate(zip(USERS, ITEMS, strict=True))
]
FIXED = [f"{'Customer No':<13}{'Item':<8}{'Name':<12}{'Date':<12}{'Qty':>4}"] + [
    f"{u:<13}{i:<8}{t:<12}{d}  {c:>4}" for u, i, t, d, c in zip(USERS, ITEMS, TITLES, DAYS, COUNTS, strict=True)
]
RULED = [f"{'user':<6} {'item':<6} {'when':<19}", "------ ------ -------------------"] + [
    f"{u:<6} {i:<6} {t}" for u, i, t in zip(USERS, ITEMS, TIMES, strict=True)
]
LOG = ["#Software: a server", "#Fields: date time cs-username cs-uri-stem sc-status"] + [
    f"{t:%Y-%m-%d %H:%M:%S} {u} /p/{i} 200" for u, i, t in zip(USERS, ITEMS, TIMES, strict=True)
]
TICKED = [f"{WORD}, {TITLES[(n * 5 + 3) % N]}, {TITLES[(n * 7 + 1) % N]}" for n, WORD in enumerate(TITLES[:90])]
FACTS = [f"Product ID: {i}, Product Qty: {c}, Product Name: {t}" for i, c, t in zip(ITEMS, COUNTS, TITLES, strict=True)]

CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    # ---- what holds the table
    "one.zip": (packed(("__MACOSX/._a.csv", b"\0"), ("a.csv", csv(shop(date=DAYS)))), {**SAME, "days": True}),
    "two.zip": (packed(("a.csv", "x"), ("b.csv", "y")), {"refused": r"of several files \(a.csv, b.csv\)"}),
    "of a workbook.zip": (packed(("a.xlsx", "x")), {"refused": "is a zip archive of 'a.xlsx'"}),
    "letter.docx": (packed(("word/document.xml", "x")), {"refused": "a Word document"}),
    "orders.ods": (
        packed(("mimetype", "application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", CALC)),
        {**TIMED, "roles": {"weight": "Qty"}},
    ),
    "xml.xls": (XML_2003.encode(), {**TIMED, "roles": {"weight": "Qty"}}),
    "html.xls": (HTML.encode(), {**TIMED, "labels": "Red Mug & Co"}),
    "saved.pkl": (b"\x80\x04\x95\x00\x00", {"refused": "pickle of Python, which can hold programs"}),
    "table.feather": (b"ARROW1\0\0" + bytes(99), {"refused": "Arrow or Feather file; save it as Parquet"}),
    "ORC in the header.csv": (csv({"ORCID": USERS, "user_id": USERS, "item_id": ITEMS}), SAME),
    # ---- JSON
    "beside words.json": (json.dumps({"meta": {"page": 1, "of": [2]}, "data": RECORDS}).encode(), TIMED),
    "deep.json": (json.dumps({"response": {"status": "ok", "result": {"orders": RECORDS}}}).encode(), TIMED),
    "by keys.json": (json.dumps({"orders": {f"o{n}": one for n, one in enumerate(RECORDS)}}).encode(), TIMED),
    "of GraphQL.json": (
        json.dumps({"data": {"orders": {"edges": EDGES, "pageInfo": {"hasNextPage": False}}}}).encode(),
        {**TIMED, "roles": {"item": "node.lineItems.edges.node.sku"}},
    ),
    "two tables.json": (json.dumps({"customers": [{"id": 1}], "orders": RECORDS}).encode(), TIMED),
    "rows.ndjson": ("\n".join(map(json.dumps, PER_ROW)).encode(), TIMED),
    "one after the other.json": ("".join(json.dumps(one, indent=1) for one in RECORDS).encode(), TIMED),
    "for a browser.js": (b"window.YTD.like.part0 = " + json.dumps(RECORDS).encode(), TIMED),
    "typed.jsonl": (
        lines([{"Item": {"user_id": {"S": u}, "item_id": {"S": i}, "ts": {"N": str(s)}}} for u, i, s in PER_ROW]),
        {**TIMED, "roles": {"user": "Item.user_id"}},
    ),
    # ---- lists and matrices
    "JSON in a cell.csv": (
        csv({"email": MAILS[:120], "line_items": [json.dumps([{"sku": i, "qty": 2}]) for i in ITEMS[:120]]}),
        {"rows": 120, "roles": {"user": "email", "item": "line_items.sku", "weight": "line_items.qty"}},
    ),
    "lists of Python.csv": (
        csv({"user": USERS, "items": [str([i, "A999"]) for i in ITEMS]}),
        {"rows": 2 * N, "items": 13},
    ),
    "facts in a cell.csv": (
        csv({"Customer ID": USERS, "Product Details": [f"{one}|{FACTS[0]}" for one in FACTS]}),
        {"items": 12, "roles": {"item": "Product Details.Product ID", "label": "Product Details.Product Name"}},
    ),
    "ticked.csv": (
        csv({"Email": MAILS[:90], "Which do you like? (tick all)": TICKED}),
        {"users": 30, "labels": "Red Mug"},
    ),
    "tags.csv": (
        csv({"user": USERS, "asset": ITEMS, "tagged": [("a,b", "b,c", "a,b,c", "c")[int(i[1:]) % 4] for i in ITEMS]}),
        {**SAME, "roles": {"item": "asset"}},
    ),
    "delivered at.csv": (
        csv(shop(order_date=DAYS, delivery_time=[f"{t:%H:%M}" for t in TIMES])),
        {**SAME, "no": "clock"},
    ),
    "flat rate.csv": (
        csv({"customer": USERS, "Name": ["Flat rate" if n % 6 == 0 else t for n, t in enumerate(TITLES)]}),
        {"lost": {"service lines": 60}},
    ),
    "named matrix.csv": (
        csv({"customer": list(HAVE), **{NAMED[i]: [row[at] or "" for row in GRID] for at, i in enumerate(NAMED)}}),
        {"users": 30, "items": 12, "rows": PAIRS, "has": "rating"},
    ),
    "pivot.xlsx": (
        workbook(
            (
                "Pivot",
                [
                    ["Sum of Qty", "Column Labels"],
                    ["Row Labels", *NAMED.values(), "Grand Total"],
                    *[[u, *[cell or None for cell in row], sum(row)] for u, row in zip(HAVE, GRID, strict=True)],
                    ["Grand Total", *map(sum, zip(*GRID, strict=True)), 9],
                ],
            )
        ),
        {"users": 30, "items": 12},
    ),
    "turned matrix.csv": (
        csv(
            {
                "title": sorted(set(TITLES)),
                **{u: [row[at] or None for at in range(12)] for u, row in zip(HAVE, GRID, strict=True)},
            }
        ),
        {"users": 30, "items": 12, "roles": {"user": "user", "item": "title"}},
    ),
    "nameless matrix.csv": (
        "\n".join(",".join(map(str, row)) for row in GRID).encode(),
        {"users": 30, "items": 12, "told": "the users are called by the numbers of their rows"},
    ),
    "months.csv": (
        csv(
            {
                "Customer": [u for u, *_ in WIDE],
                "Product": [i for _, i, _ in WIDE],
                **{name: [cells[name] or "" for *_, cells in WIDE] for name in WIDE[0][2]},
            }
        ),
        {"period": (dt.datetime(2023, 1, 1), dt.datetime(2023, 3, 1)), "roles": {"weight": "quantity", "time": "date"}},
    ),
    # ---- texts that no delimiter parts
    "fixed.txt": (
        "\n".join(FIXED).encode(),
        {**SAME, "days": True, "roles": {"user": "Customer No", "item": "Item", "label": "Name", "weight": "Qty"}},
    ),
    "ruled.txt": ("\n".join([*RULED, "", f"({N} rows affected)"]).encode(), TIMED),
    "server.log": ("\n".join(LOG).encode(), {**TIMED, "roles": {"user": "cs-username", "clock": "time"}}),
    "sparse.mtx": (
        "\n".join(
            ["%%MatrixMarket matrix coordinate integer general", "%", f"30 12 {PAIRS}"]
            + [f"{u + 1} {at + 1} {cell}" for u, row in enumerate(GRID) for at, cell in enumerate(row) if cell]
        ).encode(),
        {"rows": PAIRS, "users": 30, "items": 12},
    ),
    "all items of a user.txt": (
        "\n".join(
            " ".join([u[1:], *(i[1:] for i in have)][: 2 + n % 9]) for n, (u, have) in enumerate(HAVE.items())
        ).encode(),
        {"users": 30, "told": "every line is taken for a user and all their items"},
    ),
    "baskets.txt": (
        "\n".join(",".join(TITLES[n : n + 2 + n % 5]) for n in range(60)).encode(),
        {"refused": "one basket or one user"},
    ),
    "features.txt": ("\n".join(f"1 {n}:1 {n + 2}:0.5" for n in range(1, 30)).encode(), {"refused": "libsvm"}),
    "headings.txt": (  # of one film only: several are in test_products.py
        "\n".join(["1:"] + [f"{u[1:]},{c},{d}" for u, c, d in zip(USERS, COUNTS, DAYS, strict=True)]).encode(),
        {"refused": "There is only one item"},
    ),
    "a name less.csv": (
        "\n".join(
            ["user,item", *(f"{u},{i},x{n % 3}" for n, (u, i) in enumerate(zip(USERS, ITEMS, strict=True)))]
        ).encode(),
        {**SAME, "told": "the header has a name less than the rows have values; column 3 has none"},
    ),
    "a name more.csv": (
        "\n".join(["user,item,note,gone", *(f'{u},{i},"a\nb"' for u, i in zip(USERS, ITEMS, strict=True))]).encode(),
        {**SAME, "told": "the header has 4 names, but no row has more than 3 values"},
    ),
    "three header lines.csv": (
        "\n".join(
            [
                "user,item,qty",
                "(who),(what),(many)",
                "text,text,number",
                *(f"{u},{i},{c}" for u, i, c in zip(USERS, ITEMS, COUNTS, strict=True)),
            ]
        ).encode(),
        {**SAME, "told": "the third line of the header was left out"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_holds_a_table_is_read_right_or_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    hold(tmp_path / name, *CASES[name])
