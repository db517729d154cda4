"""Files as people have them, one of every kind that once went wrong: read right, or asked about, from the file on.

They are made here, of 360 rows of 30 users and 12 items; what is right is known beforehand.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from grouprec.core.types import DataError
from grouprec.data.preparing.clean import Preparation
from grouprec.data.preparing.prepare import prepare
from grouprec.data.roles.columns import ChoiceError

N = 360
USERS = [f"K{100 + (row * 7) % 30}" for row in range(N)]
ITEMS = [f"A{100 + (row * 11 + 4 * (row // 30)) % 12}" for row in range(N)]
WORDS = ("Red Mug", "Oak Box", "Tin Lamp", "Wool Rug", "Blue Vase", "Iron Pan", "Cork Mat", "Jute Bag", "Ash Tray")
WORDS += ("Clay Pot", "Silk Tie", "Horn Comb")
TITLES = [WORDS[int(item[1:]) - 100] for item in ITEMS]
TIMES = [dt.datetime(2023, 1, 1, 8, 21, 3) + dt.timedelta(hours=26 * row) for row in range(N)]
PERIOD = TIMES[0], TIMES[-1]
DAYS = [moment.strftime("%Y-%m-%d") for moment in TIMES]
STAMPS = [int(moment.replace(tzinfo=dt.UTC).timestamp()) for moment in TIMES]
AMOUNTS = [9.5 + 37.25 * (row % 60) for row in range(N)]  # up to 2,207.25
COUNTS = [1 + row % 3 for row in range(N)]


def shop(**more: Any) -> dict[str, Any]:
    return {"customer_id": USERS, "product_id": ITEMS, **more}


def timed(**more: Any) -> dict[str, Any]:
    return {**shop(), **more, "date": list(map(str, TIMES))}


def csv(columns: dict[str, Any], **options: Any) -> bytes:
    return pd.DataFrame(columns).to_csv(index=False, **options).encode()


def lines(records: list[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(one) for one in records).encode()


def titled(words: str, encoding: str) -> bytes:
    """Return a file whose titles are of that language, in that encoding."""
    names = words.split()
    titles = [f"{names[int(item[1:]) % len(names)]} {item[1:]}" for item in ITEMS]
    return csv(timed(product_name=titles)).decode().encode(encoding)


def thousands(amount: float) -> str:
    return f"{amount:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")


def workbook(*sheets: tuple[str, list[list[Any]]]) -> Callable[[Path], None]:
    def save(path: Path) -> None:
        book = openpyxl.Workbook()
        book.remove(book.worksheets[0])
        for name, rows in sheets:
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(row)
        book.save(path)

    return save


def table(users: list[Any] = USERS, dates: list[Any] = TIMES) -> list[list[Any]]:
    rows = [list(row) for row in zip(users, ITEMS, COUNTS, dates, strict=True)]
    return [["customer_id", "product_id", "quantity", "date"], *rows]


MERGED = sorted(zip(USERS, ITEMS, COUNTS, TIMES, strict=True))
BLOCKS = [[None if n and MERGED[n - 1][0] == row[0] else row[0], *row[1:]] for n, row in enumerate(MERGED)]
MONTHS = ("Jan", "Feb", "Mrz", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez")
BASKETS = [[ITEMS[row], ITEMS[(row + 1) % N], ITEMS[(row + 2) % N]] for row in range(0, N, 3)]
OWNERS = [USERS[row] for row in range(0, N, 3)]
PER_USER = {user: [ITEMS[row] for row in range(N) if USERS[row] == user] for user in sorted(set(USERS))}
ID = {"_id": {"$oid": "5f1b0c9e8d7a6b5c4d3e2f10"}}

# name -> content; what is expected: rows, users, items, roles, period, labels; "asked" or "refused": a part of the
# sentence; "told": of a doubt. Rows are those of the file before duplicates are merged.
SAME = {"rows": N, "users": 30, "items": 12}
TIMED = {**SAME, "period": PERIOD}
CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "titles that start with a mark.tsv": (
        "\n".join(
            ["user_id\titem_id\ttitle\ttimestamp"]
            + [
                f'{u}\t{i}\t{chr(34) if i == "A104" else ""}{t}\t{s}'
                for u, i, t, s in zip(USERS, ITEMS, TITLES, STAMPS, strict=True)
            ]
        ).encode(),
        TIMED,
    ),
    "tiers.csv": (
        csv({
            "email": [f"{user}@example.org" for user in USERS],
            "product": TITLES,
            "order_date": DAYS,
            "loyalty_member": [("gold", "silver", "none")[int(user[1:]) % 3] for user in USERS],
        }),
        {**SAME, "roles": {"user": "email"}},
    ),
    "line numbers.csv": (
        csv({"order_id": [row // 12 for row in range(N)], "product_id": ITEMS, "line": [row % 12 for row in range(N)]}),
        {"asked": "user"},
    ),
    "release dates.csv": (
        csv({"userId": USERS, "movieId": ITEMS, "title": TITLES, "rating": COUNTS,
             "release_date": [f"19{80 + int(item[1:]) % 12}-05-01" for item in ITEMS]}),
        {**SAME, "no": "time"},
    ),
    "births.csv": (
        csv({"user_id": USERS, "item_id": ITEMS, "dob": [f"19{50 + int(user[1:]) % 40}-03-02" for user in USERS]}),
        {**SAME, "no": "time"},
    ),
    "minutes.csv": (csv(shop(minutes=["NA" if n % 8 == 0 else n % 90 + 1 for n in range(N)])), {"no": "time"}),
    "compact.csv": (csv(shop(date=[f"{moment:%Y%m%d%H%M%S}" for moment in TIMES])), TIMED),
    "units.csv": (csv(shop(timestamp=[s * 1000 if n % 2 else s for n, s in enumerate(STAMPS)])), TIMED),
    "months.csv": (
        csv(shop(month_date=[f"{moment:%Y%m}" for moment in TIMES])),
        {**SAME, "period": (dt.datetime(2023, 1, 1), dt.datetime(TIMES[-1].year, TIMES[-1].month, 1))},
    ),
    "year first.csv": (csv(shop(date=[f"{moment:%y-%m-%d}" for moment in TIMES])), {**SAME, "days": True}),
    "thousands by point.csv": (csv(timed(amount=list(map(thousands, AMOUNTS)))), {**TIMED, "weights": AMOUNTS}),
    "pieces and kilos.csv": (
        csv(timed(quantity=[str(c) if n % 3 else ("0,250", "1,500")[n % 2] for n, c in enumerate(COUNTS)])),
        {**TIMED, "weights": [c if n % 3 else (0.25, 1.5)[n % 2] for n, c in enumerate(COUNTS)]},
    ),
    "currencies.csv": (
        csv(timed(amount=[f"€{a:.2f}" if n % 3 else f"{a:.2f}" for n, a in enumerate(AMOUNTS)])),
        {**TIMED, "weights": AMOUNTS},
    ),
    "price.csv": (
        csv(timed(quantity=COUNTS, price=[f"${amount:,.2f}" for amount in AMOUNTS])),
        {**TIMED, "roles": {"price": "price"}, "attribute": "price"},
    ),
    "one row an order.csv": (
        csv({
            "Order #": [str(9000 + n) for n in range(len(BASKETS))],
            "Date": [str(TIMES[row]) for row in range(0, N, 3)],
            "Status": ["Completed"] * len(BASKETS),
            "Customer": OWNERS,
            "Product(s)": [
                ", ".join(f"{1 + n % 2}× {WORDS[int(i[1:]) - 100]}" for n, i in enumerate(one)) for one in BASKETS
            ],
        }),
        {**SAME, "users": len(set(OWNERS))},
    ),
    "items in a cell.csv": (
        csv({"user_id": OWNERS, "items": [";".join(one) for one in BASKETS]}),
        {**SAME, "users": len(set(OWNERS))},
    ),
    "clicked.csv": (csv(timed(clicked=[int(n % 4 == 0) for n in range(N)])), {"lost": {"came to nothing": 270}}),
    "liked.csv": (csv(timed(liked=[str(n % 4 == 0) for n in range(N)])), {"lost": {"came to nothing": 270}}),
    "status.csv": (
        csv(timed(order_id=[5000 + n for n in range(N)], status=["paid", "cancelled", "refunded", "paid"] * (N // 4))),
        {"lost": {"came to nothing": 180}},
    ),
    "average ratings.csv": (
        csv({"user_id": USERS, "book_id": ITEMS, "average_rating": [3.5 + int(i[1:]) % 12 / 10 for i in ITEMS],
             "my_rating": COUNTS, "date_added": DAYS}),
        {**SAME, "roles": {"rating": "my_rating"}},
    ),
    "half with a point.csv": (
        csv({"customer_id": [f"4{u[1:]}{'.0' if n % 2 else ''}" for n, u in enumerate(USERS)], "product_id": ITEMS}),
        SAME,
    ),
    "ruined by Excel.csv": (
        csv({"customer_id": USERS, "product_id": [f"4.0{int(i[1:]) % 6}E+12" for i in ITEMS]}),
        {"told": "a spreadsheet has shortened them"},
    ),
    "bytes.parquet": (
        lambda path: pd.DataFrame({"user_id": [u.encode() for u in USERS], "item_id": [i.encode() for i in ITEMS],
                                   "timestamp": STAMPS, "title": [t.encode() for t in TITLES]}).to_parquet(path),
        {**TIMED, "labels": "Red Mug"},
    ),
    "Polish.csv": (titled("Świeca Książka Łyżka Ściereczka", "cp1250"), {**TIMED, "labels": "Książka"}),
    "French.csv": (titled("Théière Café Flûte Crêpe", "mac-roman"), {**TIMED, "labels": "Théière"}),
    "German.csv": (titled("Größe Schüssel Löffel Käse", "cp850"), {**TIMED, "labels": "Löffel"}),
    "Japanese.csv": (titled("スプーン 赤いマグカップ 椅子 ランプ", "cp932"), {**TIMED, "labels": "椅子"}),
    "Russian.csv": (titled("Ложка Кружка Стул Ваза", "koi8-r"), {**TIMED, "labels": "Кружка"}),
    "Hebrew.csv": (titled("כיסא כפית ספל מנורה", "cp1255"), {**TIMED, "labels": "מנורה"}),
    "Thai.csv": (titled("เก้าอี้ ช้อน โคมไฟ แก้ว", "cp874"), {**TIMED, "labels": "ช้อน"}),
    "two encodings.csv": (
        (head := csv(timed(title=["Café"] * N)))[: len(head) // 2]
        + head[len(head) // 2 :].decode().encode("cp1252"),
        {"refused": "mixes encodings"},
    ),
    "merged cells.xlsx": (workbook(("Orders", [*table()[:1], *BLOCKS])), TIMED),
    "half the dates serial.xlsx": (
        workbook(("Orders", table(dates=[str(t) if n % 2 else t for n, t in enumerate(TIMES)]))), TIMED,
    ),
    "cover.xlsx": (workbook(("Info", [["Export of orders"], ["Shop", "A"]]), ("Orders", table())), TIMED),
    "title above.xlsx": (workbook(("Orders", [["Orders 2023"], *table()])), TIMED),
    "empty first sheet.xlsx": (workbook(("Sheet1", []), ("Orders", table())), TIMED),
    "errors.xlsx": (
        workbook(("Orders", table(users=["#REF!" if n % 5 == 0 else u for n, u in enumerate(USERS)]))),
        {"lost": {"missing ids": 72}},
    ),
    "German months.csv": (
        csv(shop(date=[f"{t.day:02d}-{MONTHS[t.month - 1]}-{t.year}" for t in TIMES])), {**SAME, "days": True},
    ),
    "scrobbles.csv": (
        csv({"uts": STAMPS, "utc_time": [f"{t:%d %b %Y, %H:%M}" for t in TIMES], "artist": TITLES, "track": ITEMS,
             "user": USERS}),
        {"users": 30, "items": 12, "has": "time"},
    ),
    "12-hour clock.csv": (
        csv(shop(date=[f"{t.month}/{t.day}/{t:%y} {t.hour % 12 or 12}:{t:%M}{t:%p}".lower() for t in TIMES])),
        {**SAME, "days": True},
    ),
    "zone.csv": (csv(shop(date=[f"{t:%b %d, %Y %I:%M:%S %p} UTC" for t in TIMES])), TIMED),
    "milliseconds.csv": (csv(shop(date=[f"{t:%Y-%m-%d %H:%M:%S},000" for t in TIMES])), TIMED),
    "time before date.csv": (
        csv({"Time": [f"{t:%H:%M:%S}" for t in TIMES], "Date": DAYS, "Member": USERS, "Item": TITLES}), TIMED,
    ),
    "date then time.csv": (
        csv({"Date": DAYS, "Time": [f"{t:%H:%M:%S}" for t in TIMES], "Member": USERS, "Item": TITLES}), TIMED,
    ),
    "long reviews.csv.gz": (
        gzip.compress(csv({"user_id": USERS, "item_id": ITEMS, "rating": COUNTS, "timestamp": STAMPS,
                           "review": ["very long, and\n" * 400] * N})),
        TIMED,
    ),
    "a page of HTML.csv": (
        csv(timed(description=["x" if n else "<p>a, b</p>\n" * 12_000 for n in range(N)])), TIMED,
    ),
    "helpful.jsonl": (
        lines([{"reviewerID": u, "asin": i, "helpful": [0, 1], "overall": c, "unixReviewTime": s}
               for u, i, c, s in zip(USERS, ITEMS, COUNTS, STAMPS, strict=True)]),
        TIMED,
    ),
    "Mongo.jsonl": (
        lines([{**ID, "userId": u, "productId": i, "createdAt": {"$date": t.isoformat() + "Z"}, "qty": c}
               for u, i, t, c in zip(USERS, ITEMS, TIMES, COUNTS, strict=True)]),
        TIMED,
    ),
    "title lines.csv": (b"Orders of the year\nShop A\n\n" + csv(timed(quantity=COUNTS)), TIMED),
    "footer.csv": (csv(timed(quantity=COUNTS)) + b"\nRows: 360\n", TIMED),
    "double colon.dat": (
        "".join(f"{u[1:]}::{i[1:]}::{c}::{s}\n" for u, i, c, s in zip(USERS, ITEMS, COUNTS, STAMPS, strict=True))
        .encode(),
        TIMED,
    ),
    "no header.csv": (
        csv({"a": USERS, "b": ITEMS, "c": [float(c) for c in COUNTS], "d": STAMPS}, header=False), TIMED,
    ),
    "spaces and quotes.csv": (
        b"user_id, item_id, title\n"
        + "".join(f'{u}, {i}, "{t}, big"\n' for u, i, t in zip(USERS, ITEMS, TITLES, strict=True)).encode(),
        {**SAME, "labels": "Red Mug, big"},
    ),
    "lists of semicolons.csv": (
        csv({"user_id": USERS, "item_id": ITEMS, "genres": ["Drama;War;Love"] * N}), {**SAME, "rows": N},
    ),
    "rows in quotes.csv": (
        "\n".join(f'"{line}"' for line in csv(timed(quantity=COUNTS)).decode().splitlines()).encode(), TIMED,
    ),
    "user to items.json": (json.dumps(PER_USER).encode(), SAME),
    "user to ratings.json": (
        json.dumps({user: dict.fromkeys(items, 4.0) for user, items in PER_USER.items()}).encode(),
        {"users": 30, "items": 12, "has": "rating"},
    ),
    "GA4.jsonl": (
        lines([{"event_name": "purchase", "event_timestamp": s * 1_000_000, "user_pseudo_id": u,
                "items": [{"item_id": i, "item_name": t, "quantity": 1}]}
               for u, i, t, s in zip(USERS, ITEMS, TITLES, STAMPS, strict=True)]),
        {**TIMED, "labels": "Red Mug"},
    ),
    "lists.parquet": (
        lambda path: pd.DataFrame({"user_id": list(PER_USER), "items": list(PER_USER.values())}).to_parquet(path), SAME,
    ),
    "nested.jsonl": (
        lines([{"user": {"id": u}, "product": {"id": i, "name": t}, "timestamp": s}
               for u, i, t, s in zip(USERS, ITEMS, TITLES, STAMPS, strict=True)]),
        {**TIMED, "roles": {"user": "user.id", "item": "product.id"}},
    ),
    "matrix.csv": (
        csv({"user_id": list(PER_USER),
             **{i: [5 * (i in have) for have in PER_USER.values()] for i in sorted(set(ITEMS))}}),
        {"items": 12, "roles": {"user": "user_id", "item": "item"}},
    ),
    "Spanish.csv": (
        csv({"Fecha": DAYS, "Cliente": USERS, "Producto": ITEMS, "Cantidad": COUNTS, "Precio": AMOUNTS}),
        {**SAME, "roles": {"user": "Cliente", "item": "Producto", "weight": "Cantidad", "time": "Fecha"}},
    ),
    "Dutch.csv": (
        csv({"Datum": DAYS, "Klantnummer": USERS, "Artikelnummer": ITEMS, "Aantal": COUNTS, "Prijs": AMOUNTS}),
        {**SAME, "roles": {"user": "Klantnummer", "item": "Artikelnummer", "weight": "Aantal", "price": "Prijs"}},
    ),
    "German columns.csv": (
        csv({"Kundennummer": USERS, "Artikelnummer": ITEMS, "Bezeichnung": TITLES, "Menge": COUNTS,
             "Datum": [f"{t:%d.%m.%Y %H:%M}" for t in TIMES]}, sep=";"),
        {**SAME, "roles": {"user": "Kundennummer", "label": "Bezeichnung"}, "days": True},
    ),
    "all users alike.csv": (
        csv({"user_id": [f"u{n // 12}" for n in range(N)], "item_id": [f"i{n % 12}" for n in range(N)]}), SAME,
    ),
    "Shopify.csv": (
        csv({"Name": [f"#{1000 + n}" for n in range(N)], "Email": [f"{u}@example.org" for u in USERS],
             "Financial Status": ["paid"] * N, "Created at": [f"{t} +0000" for t in TIMES],
             "Lineitem quantity": COUNTS,
             "Lineitem name": TITLES, "Lineitem price": AMOUNTS, "Lineitem sku": ITEMS}),
        {**TIMED, "roles": {"user": "Email", "item": "Lineitem sku", "label": "Lineitem name",
                            "weight": "Lineitem quantity",
                            "price": "Lineitem price", "time": "Created at"}},
    ),
    "returning.csv": (
        csv({"Order Date": DAYS, "Email": [f"{u}@example.org" for u in USERS],
             "Returning customer": ["Yes", "No"] * (N // 2), "Product": TITLES, "Quantity": COUNTS}),
        {**SAME, "roles": {"user": "Email"}},
    ),
    "buyers.csv": (
        csv({"buyer": [f"{u}@example.org" for u in USERS], "sku": ITEMS, "date": DAYS,
             "newsletter_member": [("yes", "no")[int(u[1:]) % 2] for u in USERS]}),
        {**SAME, "roles": {"user": "buyer"}},
    ),
    "Excel formulas.csv": (
        csv(timed() | {"customer_id": [f'="{u[1:]}"' for u in USERS]}), {**TIMED, "user ids": "100"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_file_of_every_kind_is_read_right_or_asked_about(tmp_path: Path, name: str) -> None:
    content, right = CASES[name]
    hold(tmp_path / name, content, right)


def hold(path: Path, content: Any, right: dict[str, Any]) -> None:
    """Write a file and hold what is read of it to what is right."""
    if callable(content):
        content(path)
    else:
        path.write_bytes(content)
    if "asked" in right or "refused" in right:
        with pytest.raises(
            ChoiceError if "asked" in right else DataError, match=right.get("asked", right.get("refused"))
        ):
            prepare(path)
        return
    found = prepare(path, settings=Preparation(min_item_users=1, weighting="none", winsorise=1), hold_out=False)
    lost = {step: before - after for step, before, after, _ in found.report.steps}
    roles = found.roles.as_dict()
    assert found.report.steps[0][2] - len(found.rejects) == right.get("rows", found.report.steps[0][2])
    assert (found.n_users, found.n_items) == (right.get("users", found.n_users), right.get("items", found.n_items))
    assert {role: roles.get(role) for role in right.get("roles", {})} == right.get("roles", {})
    assert right.get("has", "user") in roles and right.get("no", "nothing") not in roles
    assert {step: lost[step] for step in right.get("lost", {})} == right.get("lost", {})
    if "period" in right or "days" in right:
        assert found.first_time is not None and found.last_time is not None
        first, last = (
            dt.datetime.fromtimestamp(s, dt.UTC).replace(tzinfo=None) for s in (found.first_time, found.last_time)
        )
        assert (
            (first, last) == right["period"]
            if "period" in right
            else (first.date(), last.date()) == (TIMES[0].date(), TIMES[-1].date())
        )
    if "weights" in right:
        assert sum(found.dataset.train.weights) == pytest.approx(sum(right["weights"]), rel=1e-4)
    if "labels" in right:
        assert any(right["labels"] in label for label in found.dataset.item_labels)
    if "attribute" in right:
        assert found.dataset.item_attributes[right["attribute"]].notna().all()
    assert right.get("user ids", found.dataset.user_ids[0]) in found.dataset.user_ids
    assert right.get("told", "") in " ".join([*found.notes, *found.doubts])


def test_users_of_two_files_are_joined_though_one_writes_them_with_a_point(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_bytes(csv(timed() | {"customer_id": [f"4{user[1:]}.0" for user in USERS]}))
    people = sorted({f"4{user[1:]}" for user in USERS})
    (tmp_path / "users.csv").write_bytes(csv({"customer_id": people, "country": ["DE", "FR"] * 15}))
    found = prepare(tmp_path / "shop.csv", users=tmp_path / "users.csv")
    assert set(found.dataset.user_attributes["country"]) == {"DE", "FR"}


def test_items_are_joined_though_their_attributes_are_objects(tmp_path: Path) -> None:
    reviews = zip(USERS, ITEMS, COUNTS, DAYS, strict=True)
    named = [{"user_id": u, "business_id": i, "stars": c, "date": d} for u, i, c, d in reviews]
    (tmp_path / "review.jsonl").write_bytes(lines(named))
    shops = [{"business_id": i, "name": f"Café {i}", "attributes": {"WiFi": "free"}} for i in sorted(set(ITEMS))]
    (tmp_path / "business.jsonl").write_bytes(lines(shops))
    found = prepare(tmp_path / "review.jsonl", items=tmp_path / "business.jsonl")
    assert all(label.startswith("Café A") for label in found.dataset.item_labels)
