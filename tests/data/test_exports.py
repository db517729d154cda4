"""Exports of further shops, apps, offices and languages: one of each kind that was once read wrong or refused."""

from pathlib import Path
from typing import Any

import pytest

from tests.data.test_cases import (
    COUNTS,
    DAYS,
    ITEMS,
    SAME,
    TIMED,
    TIMES,
    TITLES,
    USERS,
    N,
    csv,
    hold,
    lines,
    shop,
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
}


@pytest.mark.parametrize("name", CASES)
def test_an_export_is_read_right_or_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    hold(tmp_path / name, *CASES[name])
