"""Exports of named products and layouts of reports, one of each kind that was once read wrong or refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.data.test_cases import COUNTS, DAYS, ITEMS, SAME, STAMPS, TIMED, TIMES, TITLES, USERS, N, csv, hold, shop

MOODLE = {
    "Time": [f"{m:%d/%m/%y, %H:%M}" for m in TIMES],
    "User full name": USERS,
    "Affected user": ["-"] * N,
    "Event context": [f"File: {t}" for t in TITLES],
    "Component": ["File"] * N,
    "Event name": ["Course module viewed"] * N,
    "Description": [f"The user with id '{u}' viewed '{i}'." for u, i in zip(USERS, ITEMS, strict=True)],
    "IP address": [f"10.0.0.{n % 200}" for n in range(N)],
}
STEAM = [
    f"{{u'username': u'{u}', u'hours': {c}.5, u'product_id': u'{i}', u'text': u\"it's fine\", u'date': u'{d}'}}"
    for u, i, c, d in zip(USERS, ITEMS, COUNTS, DAYS, strict=True)
]
KEYED = [
    {
        "event_timestamp": s * 10**6,
        "event_name": "view_item",
        "user_pseudo_id": u,
        "event_params": [
            {"key": "item_id", "value": {"string_value": i}},
            {"key": "engagement", "value": {"string_value": None, "int_value": 3}},
        ],
    }
    for u, i, s in zip(USERS, ITEMS, STAMPS, strict=True)
]
LOGFMT = [f'ts={t.isoformat()}Z user={u} item={i} note="a b"' for u, i, t in zip(USERS, ITEMS, TIMES, strict=True)]
APACHE = [
    f'10.0.0.1 - {u} [{t:%d/%b/%Y:%H:%M:%S} +0000] "GET /p/{i}?utm_source=x{n} HTTP/1.1" 200 512 "https://e.org/" "M"'
    for n, (u, i, t) in enumerate(zip(USERS, ITEMS, TIMES, strict=True))
]
WEKA = ["@relation votes", "@attribute user string", "@attribute item string", "@attribute rating numeric", "@data"]
ROWS = [f"{t},{c},{d}" for t, c, d in zip(TITLES, COUNTS, TIMES, strict=True)]
PEOPLE = sorted(set(USERS))


def blocks(heading: str, row: str = "{}", below: tuple[str, ...] = (), end: str = "") -> list[str]:
    """Return the rows of each user below a line that names them."""
    lines = []
    for user in PEOPLE:
        mine = [row.format(line) for line, owner in zip(ROWS, USERS, strict=True) if owner == user]
        lines += [heading.format(user), *below, *mine, *([end.format(user)] if end else [])]
    return lines


def films() -> list[str]:
    lines = []
    for item in sorted(set(ITEMS)):
        votes = zip(ITEMS, USERS, COUNTS, DAYS, strict=True)
        lines += [f"{item[1:]}:", *(f"{u[1:]},{c},{d}" for i, u, c, d in votes if i == item)]
    return lines


HEADED = {**TIMED, "roles": {"item": "Product", "weight": "Qty", "time": "Date"}}
LINES = csv(shop(quantity=COUNTS, date=TIMES)).decode().splitlines()
OTHER = [f"{t},{c},{i},{u}" for u, i, c, t in zip(USERS, ITEMS, COUNTS, TIMES, strict=True)]
WIDER = [f"{line},web" for line in OTHER]
PRINTED = [
    line
    for page in range(0, N, 20)
    for line in ("Sales by customer", f"Page {page // 20 + 1} of 18", LINES[0], *LINES[page + 1 : page + 21])
]
PAIRS = range(0, N, 2)
BESIDE = {
    "Email": [f"{USERS[n]}@example.org" for n in PAIRS],
    "Item 1": [TITLES[n] for n in PAIRS],
    "Qty 1": [COUNTS[n] for n in PAIRS],
    "Item 2": [TITLES[n + 1] for n in PAIRS],
    "Qty 2": [COUNTS[n + 1] for n in PAIRS],
}
VISITS = [f"https://shop.example.org/product/{i}?utm_source=s{n % 3}&gclid={n:x}" for n, i in enumerate(ITEMS)]
QUERIES = [f"https://shop.example.org/view.php?id={i}&sid={n:x}" for n, i in enumerate(ITEMS)]
FIRST = [n % 3 == 0 for n in range(N)]
SHOWN = [f"{ITEMS[n]}-1 A98-0 A99-0" if n % 2 else f"A98-0 {ITEMS[n]}-1" for n in range(N)]
CLICKS = [f"{USERS[n]}\t{TIMES[n]:%m/%d/%Y %I:%M:%S %p}\t{SHOWN[n]}" for n in range(N)]
KINDS = [f"{100 + int(i[1:]) % 4}" for i in ITEMS]
BEHAVIOURS = [
    f"{u[1:]},{i[1:]},{k},{'pv' if n % 4 else 'buy'},{s}"
    for n, (u, i, k, s) in enumerate(zip(USERS, ITEMS, KINDS, STAMPS, strict=True))
]
PLAYS = [f"{u * 8}\t{i * 6}\t{t}\t{c * 17}" for u, i, t, c in zip(USERS, ITEMS, TITLES, COUNTS, strict=True)]

CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "Moodle.csv": (
        csv(MOODLE),
        {**SAME, "roles": {"user": "User full name", "item": "Event context", "time": "Time"}, "days": True},
    ),
    "Koha.csv": (
        csv({"borrowernumber": USERS, "itemnumber": [f"{i[1:]}{n % 4}" for n, i in enumerate(ITEMS)],
             "biblionumber": ITEMS, "title": TITLES, "issuedate": TIMES}),
        {**TIMED, "roles": {"user": "borrowernumber", "item": "biblionumber", "time": "issuedate"}},
    ),
    "Sierra.csv": (
        csv({"transaction_gmt": TIMES, "op_code": ["o"] * N, "patron_record_id": USERS,
             "item_record_id": [f"{i}{n % 4}" for n, i in enumerate(ITEMS)], "bib_record_id": ITEMS}),
        {**TIMED, "roles": {"user": "patron_record_id", "item": "bib_record_id"}},
    ),
    "SAP.csv": (
        csv({"Sold-to pt": USERS, "Material": ITEMS, "Order Quantity": COUNTS, "Doc. Date": DAYS}),
        {**SAME, "roles": {"user": "Sold-to pt", "weight": "Order Quantity"}, "days": True},
    ),
    "Odoo.csv": (
        csv({"Order Reference": [n // 2 for n in range(N)], "Order Reference/Customer": USERS,
             "Order Lines/Product": TITLES, "Order Lines/Quantity": COUNTS, "Order Reference/Order Date": TIMES}),
        {**TIMED, "roles": {"user": "Order Reference/Customer", "weight": "Order Lines/Quantity"}},
    ),
    "rides.csv": (
        csv({"Activity Date": TIMES, "Athlete ID": USERS, "Distance": [f"{20 + n % 50}.00" for n in range(N)],
             "Segment ID": ITEMS, "Segment Name": TITLES}),
        {**TIMED, "roles": {"user": "Athlete ID", "item": "Segment ID", "label": "Segment Name"}},
    ),
    "a till with guests.csv": (
        csv({"Server": ["Al", "Bo"] * (N // 2), "Guest Loyalty #": USERS, "Menu Item": TITLES, "Qty": COUNTS}),
        {**SAME, "roles": {"user": "Guest Loyalty #", "weight": "Qty"}},
    ),
    "rooms booked.csv": (
        csv({"Guest Name": USERS, "Property ID": ITEMS, "Check-in": [f"2024-03-{1 + n % 28:02}" for n in range(N)],
             "Booked on": TIMES}),
        {**TIMED, "roles": {"time": "Booked on"}},
    ),
    "Ta-Feng.csv": (
        csv({"交易日期時間": DAYS, "會員卡號": USERS, "原廠商品編號": ITEMS, "數量": COUNTS, "金額": COUNTS}, sep=";"),
        {**SAME, "roles": {"user": "會員卡號", "weight": "數量"}, "days": True},
    ),
    "a feed of reviews.json": (
        json.dumps([{"author": {"name": {"label": u}}, "app": {"label": i}, "im:rating": {"label": str(c)}}
                    for u, i, c in zip(USERS, ITEMS, COUNTS, strict=True)]).encode(),
        {**SAME, "roles": {"user": "author.name.label", "item": "app.label", "rating": "im:rating.label"}},
    ),
    "printed by Python.json": (
        "\n".join(STEAM).encode(),
        {**SAME, "roles": {"user": "username", "item": "product_id", "weight": "hours"}, "days": True},
    ),
    "parameters of events.jsonl": (
        "\n".join(map(json.dumps, KEYED)).encode(),
        {**TIMED, "roles": {"user": "user_pseudo_id", "item": "event_params.item_id"}},
    ),
    "pairs.log": ("\n".join(LOGFMT).encode(), {**TIMED, "roles": {"user": "user", "item": "item", "time": "ts"}}),
    "access.log": (
        "\n".join(APACHE).encode(), {**TIMED, "roles": {"user": "user", "item": "path"}, "labels": "/p/A100"},
    ),
    "votes.arff": (
        "\n".join([*WEKA, *(f"{u},{i},{c}" for u, i, c in zip(USERS, ITEMS, COUNTS, strict=True))]).encode(),
        {**SAME, "roles": {"user": "user", "item": "item", "rating": "rating"}},
    ),
    "list.yml": ("\n".join(f"- user: {u}\n  item: x" for u in USERS).encode(), {"refused": "is YAML, not a table"}),
    "table.tex": (b"\\begin{tabular}{ll}\nuser & item \\\\\n" + b"u & i \\\\\n" * 9, {"refused": "a text for LaTeX"}),
    "a customer above.csv": (
        "\n".join(["Product,Qty,Date", *blocks("{}")]).encode(),
        {**HEADED, "user ids": "K100", "told": "such as 'K100', head the rows below them"},
    ),
    "filled up.csv": (
        "\n".join(["Customer,Product,Qty,Date", *blocks("{},,,", ",{}", end="{} Total,,9,")]).encode(),
        {**HEADED, "user ids": "K100"},
    ),
    "named above.csv": (
        "\n".join(["Product,Qty,Date", *blocks("Customer: {},,", end="Total for {},9,")]).encode(),
        {**HEADED, "user ids": "K100"},
    ),
    "a header each.csv": (
        "\n".join(blocks("Customer: {}", below=("Product,Qty,Date",))).encode(), {**HEADED, "user ids": "K100"},
    ),
    "without a name.csv": (
        "\n".join(["Acme", "Sales", "", ",Product,Qty,Date", *blocks("{},,,", ",{}", end="Total for {},,9,")]).encode(),
        {**HEADED, "user ids": "K100"},
    ),
    "films above.txt": (
        "\n".join(films()).encode(), {**SAME, "roles": {"item": "heading", "time": "column 3"}, "days": True},
    ),
    "users with one value.csv": (
        csv({"user": USERS, "item": [None if n % 9 == 0 else i for n, i in enumerate(ITEMS)], "qty": [None] * N}),
        {**SAME, "lost": {"missing ids": 40}},
    ),
    "another order.csv": (
        "\n".join([*LINES[:181], "date,quantity,product_id,customer_id", *OTHER[180:]]).encode(),
        {**TIMED, "weights": COUNTS, "told": ""},
    ),
    "another order and width.csv": (
        "\n".join([*LINES[:181], "date,quantity,product_id,customer_id,channel", *WIDER[180:]]).encode(),
        {**TIMED, "weights": COUNTS},
    ),
    "a mark before the second.csv": ("\n".join([*LINES[:181], "\ufeff" + LINES[0], *LINES[181:]]).encode(), TIMED),
    "numbers as names.csv": (
        "\n".join(["user,item,1,2", *(f"{u},{i},2,1" for u, i in zip(USERS, ITEMS, strict=True))]).encode(), SAME,
    ),
    "pages.csv": ("\n".join(PRINTED).encode(), TIMED),
    "side by side.csv": (
        csv(BESIDE), {"rows": N, "items": 12, "roles": {"item": "Item", "weight": "Qty"}, "weights": COUNTS},
    ),
    "plans.csv": (
        csv({"user_id": USERS, "item_id": [("basic", "plus", "premium")[int(i[1:]) % 3] for i in ITEMS]}),
        {"users": 30, "items": 3, "roles": {"item": "item_id"}},
    ),
    "numbered in objects.csv": (
        csv({"customer": [USERS[n] for n in PAIRS], "items[0].sku": [ITEMS[n] for n in PAIRS],
             "items[0].qty": [1] * len(PAIRS), "items[1].sku": [ITEMS[n + 1] for n in PAIRS],
            "items[1].qty": [2] * len(PAIRS)}),
        {"rows": N, "items": 12, "roles": {"item": "items.sku", "weight": "items.qty"}},
    ),
    "judged side by side.csv": (
        csv({"user": PEOPLE, **{f"Item {k}": [1 + (n + k) % 5 if (n + k) % 2 else None for n in range(30)]
                                for k in range(12)}}),
        {"users": 30, "items": 12, "told": "matrix"},
    ),
    "addresses.csv": (
        csv({"visitor_id": USERS, "page_url": VISITS, "timestamp": STAMPS}),
        {**TIMED, "labels": "https://shop.example.org/product/A100", "told": "(gclid, utm_source) they are 12 pages"},
    ),
    "addresses with ids.csv": (
        csv({"visitor_id": USERS, "url": QUERIES, "timestamp": STAMPS}),
        {**TIMED, "labels": "view.php?id=A100", "told": "(sid) they are 12 pages"},
    ),
    "the first line says who.csv": (
        csv({"Order": [n // 3 if one else None for n, one in enumerate(FIRST)],
             "Customer": [USERS[n] if one else None for n, one in enumerate(FIRST)], "Product": TITLES}),
        {"rows": N, "lost": {"missing ids": 0}, "told": "filled from the first line of an order"},
    ),
    "guests are no lines.csv": (
        csv({"order_no": range(N), "customer_id": [None if n % 4 == 0 else u for n, u in enumerate(USERS)],
             "email": [None if n % 4 == 0 else f"{u}@x.org" for n, u in enumerate(USERS)], "sku": ITEMS}),
        {"rows": N, "users": 30, "lost": {"missing ids": 90}},
    ),
    "clicked of the shown.tsv": ("\n".join(CLICKS).encode(), {**SAME, "told": "those with 1 behind them"}),
    "kinds without a header.csv": (
        "\n".join(BEHAVIOURS).encode(), {**TIMED, "roles": {"user": "column 1", "item": "column 2"}},
    ),
    "plays without a header.tsv": (
        "\n".join(PLAYS).encode(), {**SAME, "roles": {"user": "column 1", "item": "column 2", "label": "column 3"}},
    ),
    "received and stored.tsv": (
        "\n".join(f"{u}\t{t}\t{t}\t{i}" for u, i, t in zip(USERS, ITEMS, TIMES, strict=True)).encode(),
        {**TIMED, "roles": {"time": "column 2"}},
    ),
    "guests.csv": (
        csv(shop() | {"customer_id": ["Walk-in Customer" if n % 3 == 0 else u for n, u in enumerate(USERS)]}),
        {"lost": {"users that are nobody": 120}, "told": "nobody in particular"},
    ),
    "NA among numbers.csv": (
        csv(shop() | {"customer_id": ["NA" if n % 3 == 0 else u[1:] for n, u in enumerate(USERS)]}),
        {"lost": {"users that are nobody": 120}},
    ),
    "zeros in front.csv": (
        csv(shop() | {"customer_id": [f"{int(u[1:]):05}" if n // 30 % 2 else u[1:] for n, u in enumerate(USERS)]}),
        {"told": "but for zeros in front, such as"},
    ),
    "not rated.csv": (
        csv(shop(rating=[-1 if n % 5 == 0 else c for n, c in enumerate(COUNTS)])),
        {"lost": {"non-positive ratings": 72}, "told": "'-1' 72 times"},
    ),
    "two orders of dates.csv": (
        csv(shop(date=[f"{m:%d/%m/%Y}" if m.day > 15 else f"{m:%m/%d/%Y}" for m in TIMES])),
        {"told": "are written in two orders"},
    ),
    "German serials.csv": (
        csv(shop(date=[f"{s / 86400 + 25569:.5f}".replace(".", ",") for s in STAMPS]), sep=";"),
        {**SAME, "days": True},
    ),
    "playlists.json": (
        json.dumps({"playlists": [{"pid": k, "num_tracks": 9, "tracks": [
            {"pos": j, "track_uri": ITEMS[k * 9 + j], "track_name": TITLES[k * 9 + j]} for j in range(9)]}
            for k in range(40)]}).encode(),
        {"rows": N, "users": 40, "items": 12, "roles": {"item": "tracks.track_uri", "label": "tracks.track_name"}},
    ),
    "orders within users.json": (
        json.dumps({"users": [{"id": u, "orders": [{"date": d, "items": [{"sku": i, "qty": 2}]} for v, i, d in
                    zip(USERS, ITEMS, DAYS, strict=True) if u == v]} for u in PEOPLE]}).encode(),
        {**SAME, "days": True, "weights": [2] * N, "roles": {"item": "orders.items.sku"}},
    ),
    "downloaded twice.csv": (
        "\n".join([*LINES, *LINES]).encode(),
        {"rows": 2 * N, "weights": COUNTS, "told": "every row stands 2 times in the file"},
    ),
    "forwarded.txt": ("\n".join(f"> {one}" for one in LINES).encode(), {**TIMED, "user ids": "K100"}),
    "numbered.txt": (
        "\n".join(f"{n:6}\t{one}" for n, one in enumerate(LINES, 1)).encode(), {**TIMED, "user ids": "K100"},
    ),
    "without the quantity.csv": (
        "\n".join([*LINES[:181], "customer_id,product_id,date", *(f"{u},{i},{t}" for u, i, t in
                   zip(USERS[180:], ITEMS[180:], TIMES[180:], strict=True))]).encode(),
        {**TIMED, "weights": [*COUNTS[:180], *[1] * 180]},
    ),
    "a smaller table above.csv": (
        "\n".join(["Product,Category,,", "Mug,A,,", "Box,B,,", "", *LINES]).encode(), {**TIMED, "weights": COUNTS},
    ),
    "parts of the time.csv": (
        csv(shop(date_day=[m.day for m in TIMES], date_month=[m.month for m in TIMES],
                 date_hour=[m.hour for m in TIMES],
                 date_year=[m.year for m in TIMES],
                 date_minute=[m.minute for m in TIMES],
                 date_second=[m.second for m in TIMES])), TIMED,
    ),
    "three decimals.csv": (
        csv(shop(Menge=[f"{c},000" for c in COUNTS], date=TIMES), sep=";"), {**TIMED, "weights": COUNTS},
    ),
    "amounts are no items.csv": (
        csv({"Comprador": USERS, "Ingresos por productos": [f"{n % 50}.75" for n in range(N)],
             "# de publicación": ITEMS, "Título de la publicación": TITLES}),
        {**SAME, "labels": "Red Mug"},
    ),
    "visits added up.csv": (
        csv({"name": [f"/p/{n}" for n in range(60)], "visitors": [900 - n for n in range(60)],
             "pageviews": [990 - n for n in range(60)]}), {"asked": "it counts them"},
    ),
    "household and person.csv": (
        csv({"household_id": [f"H{int(u[1:]) % 9}" for u in USERS], "member_id": USERS, "programme": TITLES}),
        {**SAME, "roles": {"user": "member_id"}},
    ),
    "errors in German.csv": (
        csv(shop() | {"product_id": ["#NV" if n % 12 == 0 else i for n, i in enumerate(ITEMS)]}),
        {"items": 12, "lost": {"missing ids": 30}},
    ),
    "thumbs.csv": (csv(shop(reaction=["👍", "👎", "👍"] * (N // 3))), {"lost": {"came to nothing": 120}}),
    "a document.rtf": (
        b"{\\rtf1\\ansi\n" + b"\\trowd user\\cell item\\cell\\row\n" * 9, {"refused": "a text document"},
    ),
    "gbk.csv": (
        csv({"买家会员名": USERS, "宝贝标题": TITLES, "订单状态": ["交易关闭", "交易成功"] * (N // 2)})
        .decode().encode("gb18030"),
        {"roles": {"user": "买家会员名", "item": "宝贝标题"}, "lost": {"came to nothing": N // 2}},
    ),
    "of DB2.csv": (csv(shop(when=[f"{m:%Y-%m-%d-%H.%M.%S.000000}" for m in TIMES])), TIMED),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_an_export_is_read_right_or_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    hold(tmp_path / name, *CASES[name])
