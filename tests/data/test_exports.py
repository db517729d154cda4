"""Exports of further shops, apps, offices and languages: one of each kind that was once read wrong or refused."""

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
ORDERS = [str(9000 + n // 2) for n in range(N)]
DOTTED = [f"{moment:%d.%m.%Y}" for moment in TIMES]


def named(user: str, item: str, label: str, weight: str, time: str, **more: Any) -> tuple[bytes, dict[str, Any]]:
    """Return a file whose columns bear these names, and what is right of it."""
    columns = {user: USERS, item: ITEMS, label: TITLES, weight: COUNTS, time: DOTTED}
    return csv(columns | more, sep=";"), {
        **SAME,
        "roles": {"user": user, "item": item, "label": label, "weight": weight, "time": time},
        "days": True,
        "told": "",
    }


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
    "Turkish.csv": named("Müşteri No", "Ürün Kodu", "Ürün Adı", "Adet", "Sipariş Tarihi"),
    "Swedish.csv": named("Kundnummer", "Varunummer artikel", "Benämning", "Antal", "Orderdatum"),
    "Norwegian.csv": named("Kundenr", "Varenr", "Varenavn", "Antall", "Ordredato"),
    "Danish.csv": named("Kundenummer", "Varenummer", "Varetekst", "Stk.", "Købsdato"),
    "Finnish.csv": named("Asiakasnumero", "Tuotenumero", "Tuotenimi", "Määrä", "Tilauspäivä"),
    "Czech.csv": named("Číslo zákazníka", "Kód zboží", "Název", "Množství", "Datum objednávky"),
    "Hungarian.csv": named("Vevő azonosító", "Cikkszám", "Terméknév", "Mennyiség", "Rendelés dátuma"),
    "Romanian.csv": named("ID client", "Cod produs", "Denumire produs", "Cantitate", "Data comenzii"),
    "Greek.csv": named("Κωδικός πελάτη", "Κωδικός προϊόντος", "Περιγραφή", "Ποσότητα", "Ημερομηνία"),
    "Ukrainian.csv": named("Код клієнта", "Артикул товару", "Назва", "Кількість", "Дата замовлення"),
    "Bulgarian.csv": named("Клиентски номер", "Код на продукт", "Име на продукт", "Количество", "Дата на поръчка"),
    "Korean.csv": named("고객번호", "상품코드", "상품명", "수량", "주문일시"),
    "Arabic.csv": named("رقم العميل", "رمز المنتج", "اسم المنتج", "الكمية", "تاريخ الطلب"),
    "Hebrew.csv": named("מספר לקוח", "קוד מוצר", "שם מוצר", "כמות", "תאריך הזמנה"),
    "Vietnamese.csv": named("Mã khách hàng", "Mã sản phẩm", "Tên sản phẩm", "Số lượng", "Ngày đặt hàng"),
    "Indonesian.csv": named("ID Pelanggan", "Kode Barang", "Nama Barang", "Jumlah", "Tanggal"),
    "Thai.csv": named("รหัสลูกค้า", "รหัสสินค้า", "ชื่อสินค้า", "จำนวน", "วันที่สั่งซื้อ"),
    "cancelled in Turkish.csv": (
        csv(
            {
                "Müşteri": USERS,
                "Ürün": ITEMS,
                "Durum": ["İptal edildi" if n % 4 == 0 else "Tamamlandı" for n in range(N)],
            }
        ),
        {"lost": {"came to nothing": 90}},
    ),
    "a till.csv": (
        csv(
            {
                "Order Id": ORDERS,
                "Sent Date": DAYS,
                "Item Id": ITEMS,
                "Menu Item": TITLES,
                "Loyalty Account": USERS,
                "Void?": [str(n % 7 == 0).lower() for n in range(N)],
            }
        ),
        {"labels": "Red Mug", "lost": {"came to nothing": 52}, "roles": {"user": "Loyalty Account"}},
    ),
    "clicks in letters.csv": (
        csv(
            {
                "Email Address": MAILS,
                "First Name": ["Ann"] * N,
                "MEMBER_RATING": [int(u[1:]) % 5 for u in USERS],
                "Clicked Link": [f"/p/{i}" for i in ITEMS],
                "Last Click": DAYS,
                "OPTIN_TIME": ["2020-01-01"] * N,
            }
        ),
        {**SAME, "roles": {"user": "Email Address", "time": "Last Click"}, "no": "rating"},
    ),
    "tickets.csv": (
        csv(
            {
                "Ticket ID": range(N),
                "Requester": USERS,
                "Created at": DAYS,
                "Ticket form": TITLES,
                "Satisfaction Score": ["Not Offered", "Good"] * (N // 2),
            }
        ),
        {**SAME, "no": "rating", "told": "'Satisfaction Score' is called like a rating but holds no numbers"},
    ),
    "copies of books.csv": (
        csv(
            {
                "Patron ID": USERS,
                "Barcode": [3_000_000 + n for n in range(N)],
                "Bib ID": ITEMS,
                "Title": TITLES,
                "Checkout Date": DAYS,
            }
        ),
        {**SAME, "roles": {"item": "Bib ID", "label": "Title"}},
    ),
    "copies of titles.csv": (
        csv({"Patron ID": USERS, "Barcode": [3_000_000 + n for n in range(N)], "Title": TITLES}),
        {**SAME, "roles": {"item": "Title"}},
    ),
    "tickets to events.csv": (
        csv({"Order no.": ORDERS, "Email": MAILS, "Event Name": TITLES, "Event ID": [int(i[1:]) for i in ITEMS]}),
        {**SAME, "roles": {"item": "Event ID", "label": "Event Name"}, "no": "behaviour"},
    ),
    "podcasts.csv": (
        csv({"listener_id": USERS, "episode_guid": ITEMS, "podcast_title": ["My Cast"] * N, "episode_title": TITLES}),
        {**SAME, "roles": {"label": "episode_title"}},
    ),
    "rooms.csv": (
        csv(
            {
                "Reservation No": ORDERS,
                "Guest ID": USERS,
                "Arrival": DAYS,
                "Room Type": TITLES,
                "Status": ["CXL" if n % 4 == 0 else "CO" for n in range(N)],
            }
        ),
        {"roles": {"item": "Room Type", "time": "Arrival", "order": "Reservation No"}, "lost": {"came to nothing": 90}},
    ),
    "visits to a museum.csv": (
        csv(
            {
                "visitor_card": USERS,
                "gallery": TITLES,
                "entered_at": [f"{t:%H:%M:%S}" for t in TIMES],
                "visit_date": DAYS,
            }
        ),
        {**TIMED, "roles": {"item": "gallery", "clock": "entered_at"}},
    ),
    "order lines.csv": (
        csv({"Buyer": USERS, "Listing ID": ITEMS, "Transaction ID": range(N), "Order ID": ORDERS}),
        {**SAME, "roles": {"order": "Order ID"}},
    ),
    "events before they log in.jsonl": (
        lines(
            [
                {"anonymousId": f"an-{u}", "userId": u if n % 3 else None, "properties": {"product_id": i}}
                for n, (u, i) in enumerate(zip(USERS, ITEMS, strict=True))
            ]
        ),
        {"told": "33% of the rows have no user in column 'userId'; column 'anonymousId' is filled in all"},
    ),
    "books of stock.csv": (
        csv(shop(quantity=[-count if n % 5 else count for n, count in enumerate(COUNTS)])),
        {"lost": {"cancellations and non-positive quantities": 72}, "told": "are below zero: they count as taken"},
    ),
    "days of a study.csv": (
        csv({"household_key": USERS, "PRODUCT_ID": ITEMS, "DAY": [1 + n // 2 for n in range(N)]}),
        {"no": "time", "told": "'DAY' is called like a time, but holds no dates (such as '1')"},
    ),
    "mails in capitals.csv": (
        csv({"email": [m.upper() if n // 30 % 2 else m for n, m in enumerate(MAILS)], "product": ITEMS}),
        {"told": "are written like another one but for capitals"},
    ),
    "twice.csv": (
        csv(shop(title=["Café " + t for t in TITLES])).decode().encode().decode("cp1252").encode(),
        {**SAME, "told": "letters look encoded twice, such as 'CafÃ©' for 'Café'"},
    ),
    "shown in a browser.csv": (csv(shop(title=[f"{t} &amp; Co" for t in TITLES])), {**SAME, "labels": "Red Mug & Co"}),
    "another item in every row.csv": (
        csv({"customer_id": USERS, "product_id": [f"x{n}" for n in range(N)]}),
        {"refused": "an item of its own"},
    ),
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
        {"refused": "No column was found for the user"},
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
def test_an_export_is_read_right_or_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    hold(tmp_path / name, *CASES[name])
