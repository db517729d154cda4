"""Exports that came to nobody's mind before: each a kind that once was read wrong, and what is right of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from grouprec.data.reading.rejects import Rejects
from grouprec.data.roles.doubts import time_doubts
from grouprec.data.roles.header_words import header_names, means
from grouprec.data.values.numerals import read_numbers
from grouprec.data.values.times import read_times
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
)


def sold(names: tuple[str, ...], **options: Any) -> bytes:
    """Return a table of user, item, label, number, price and date under these names."""
    prices = [f"{5 + int(item[1:]) % 12},90" for item in ITEMS]
    return csv(dict(zip(names, (USERS, ITEMS, TITLES, COUNTS, prices, DAYS), strict=True)), sep=";", **options)


def roles(names: tuple[str, ...]) -> dict[str, Any]:
    return {**SAME, "roles": dict(zip(("user", "item", "label", "weight", "price", "time"), names, strict=True))}


ORDERS = [
    {"email": u, "created_at": d, "line_items": [{"sku": i, "title": t, "quantity": n, "price": "4.00"}]}
    for u, i, t, n, d in zip(USERS, ITEMS, TITLES, COUNTS, DAYS, strict=True)
]
REVIEWS = [
    {"appid": int(i[1:]), "author": {"steamid": u, "num_games_owned": 3}, "timestamp_created": s, "voted_up": n % 4 > 0}
    for n, (u, i, s) in enumerate(zip(USERS, ITEMS, STAMPS, strict=True))
]
GERMAN = ("Kundennr.", "Artikelnr.", "Bezeichnung", "Anzahl", "Einzelpreis (EUR)", "Bestelldatum")
SPANISH = ("Nº cliente", "Referencia", "Descripción del artículo", "Cant.", "PVP", "Fecha pedido")
POLISH = ("Nr klienta", "Kod towaru", "Nazwa towaru", "Ilość", "Cena brutto", "Data zamówienia")
RUSSIAN = ("Код клиента", "Артикул", "Наименование товара", "Кол-во", "Цена, руб.", "Дата заказа")
FRENCH = ("N° client", "Réf. produit", "Désignation", "Qté", "Prix TTC", "Date de commande")
PORTUGUESE = ("Cód. Cliente", "Cód. Produto", "Nome do Produto", "Qtde", "Valor unitário", "Data da compra")
TWO_PARTS = {"columns": ["user", "item", "ts"], "index": [*range(N)], "data": [*zip(USERS, ITEMS, STAMPS, strict=True)]}
PSQL = [" user | item | qty ", "------+------+-----"] + [
    f" {u} | {i} | {n}" for u, i, n in zip(USERS, ITEMS, COUNTS, strict=True)
]

CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "nested orders.json": (
        json.dumps({"orders": ORDERS}).encode(),
        {**SAME, "roles": {"user": "email", "item": "line_items.sku", "label": "line_items.title",
                           "weight": "line_items.quantity", "price": "line_items.price"}},
    ),
    "nested reviews.json": (
        json.dumps({"success": 1, "reviews": REVIEWS}).encode(),
        {"users": 30, "roles": {"user": "author.steamid", "item": "appid", "outcome": "voted_up"}},
    ),
    "german price.csv": (sold(GERMAN), roles(GERMAN)),
    "spanish.csv": (sold(SPANISH), roles(SPANISH)),
    "polish price.csv": (sold(POLISH), roles(POLISH)),
    "russian price.csv": (sold(RUSSIAN), roles(RUSSIAN)),
    "french price.csv": (sold(FRENCH), roles(FRENCH)),
    "portuguese price.csv": (sold(PORTUGUESE), roles(PORTUGUESE)),
    "a shop's own names.csv": (
        csv({"Buyer Username": USERS, "Product SKU": ITEMS, "Product Unit Price": COUNTS}),
        {**SAME, "roles": {"user": "Buyer Username", "item": "Product SKU", "price": "Product Unit Price"}, "told": ""},
    ),
    "profiles.csv": (
        csv({"Profile Name": USERS, "Title": TITLES, "Start Time": DAYS}), {**SAME, "roles": {"user": "Profile Name"}},
    ),
    "stars.csv": (
        csv(shop(stars=["★" * (1 + n % 5) + "☆" * (4 - n % 5) for n in range(N)])), {**SAME, "has": "rating"},
    ),
    "of five.csv": (csv(shop(rating=[f"{1 + n % 5}.0 out of 5 stars" for n in range(N)])), {**SAME, "has": "rating"}),
    "day of the year.csv": (csv(shop(date=[f"{moment:%Y%j}" for moment in TIMES])), {**SAME, "days": True}),
    "three columns.csv": (
        csv(shop(day=[m.day for m in TIMES], month=[m.month for m in TIMES], year=[m.year for m in TIMES], tagID=1)),
        {**SAME, "days": True, "told": "were put together as 'date'"},
    ),
    "clock without points.csv": (
        csv(shop(trans_time=[f"{m.hour}{m.minute:02d}" for m in TIMES], basket=[f"b{n}" for n in range(N)])),
        {**SAME, "no": "time"},
    ),
    "columns and data.json": (json.dumps(TWO_PARTS).encode(), TIMED),
    "script.csv": (
        b"-- a dump\nINSERT INTO `orders` (`customer_id`,`product_id`) VALUES\n(1,2),\n(3,4),\n(5,6);\n",
        {"refused": "is a script of SQL"},
    ),
    "for people.txt": (
        "\n".join(["| user | item | qty |", "|---|:---|---:|"]
                  + [f"| {u} | {i} | {n} |" for u, i, n in zip(USERS, ITEMS, COUNTS, strict=True)]).encode(),
        {**SAME, "roles": {"user": "user", "weight": "qty"}, "told": "line of dashes"},
    ),
    "drawn by a database.txt": ("\n".join(PSQL).encode(), {**SAME, "roles": {"user": "user"}}),
    "nobody named.csv": (
        csv({"userId": ["NA"] * N, "sessionId": USERS, "itemId": ITEMS}),
        {**SAME, "roles": {"user": "sessionId"}, "told": "so every 'sessionId' counts as a user"},
    ),
    "nobody named in events.jsonl": (
        lines([{"anonymousId": u, "userId": None, "properties": {"product_id": i, "name": t}, "timestamp": s}
               for u, i, t, s in zip(USERS, ITEMS, TITLES, STAMPS, strict=True)]),
        {**TIMED, "roles": {"user": "anonymousId", "item": "properties.product_id"}},
    ),
    "one app.tsv": (
        csv({"app_id": ["web"] * N, "domain_userid": USERS, "page_urlpath": [f"/p/{i}" for i in ITEMS]}, sep="\t"),
        {**SAME, "roles": {"user": "domain_userid", "item": "page_urlpath"}},
    ),
    "payments.csv": (
        csv({"id": [f"ch_{n}" for n in range(N)], "Description": TITLES, "Created date (UTC)": DAYS, "Amount": COUNTS,
             "Customer ID": USERS, "Customer Email": [f"{u}@example.org" for u in USERS]}),
        {**SAME, "roles": {"user": "Customer ID", "item": "Description"}},
    ),
    "weekdays.csv": (
        csv({"visitor": USERS, "exhibit": [int(i[1:]) % 60 for i in ITEMS], "day": [f"{m:%A}" for m in TIMES]}),
        {**SAME, "roles": {"item": "exhibit"}, "no": "time"},
    ),
    "sessions.jsonl": (
        lines([{"session": u, "events": [{"aid": i, "ts": s * 1000, "type": "clicks"} for v, i, s in
               zip(USERS, ITEMS, STAMPS, strict=True) if v == u]} for u in sorted(set(USERS))]),
        {**TIMED, "roles": {"user": "session", "item": "events.aid", "time": "events.ts"}},
    ),
    "one listener.csv": (
        csv({"uts": STAMPS, "utc_time": DAYS, "artist": [f"Band {i}" for i in ITEMS], "album": "x", "track": TITLES}),
        {"asked": "user"},
    ),
    "no header but words.tsv": (
        "\n".join(f"user_{u[1:]}\t{m:%Y-%m-%dT%H:%M:%SZ}\t{i}\tx{n}" for n, (u, i, m) in
                  enumerate(zip(USERS, ITEMS, TIMES, strict=True))).encode(),
        {**TIMED, "roles": {"user": "column 1", "time": "column 2"}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_file_of_every_kind_is_read_right_or_asked_about(tmp_path: Path, name: str) -> None:
    hold(tmp_path / name, *CASES[name])


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["4/5", "3.5/5", None], [4, 3.5, np.nan]),
        (["8 von 10", "10 von 10"], [8, 10]),
        (["⭐⭐", "⭐⭐⭐⭐"], [2, 4]),
        (["3 stars", "1 star"], [3, 1]),
    ],
)
def test_judgements_are_read_as_people_write_them(texts, values):
    found = read_numbers(column(texts))
    assert np.allclose(found.values, values, equal_nan=True) and not found.unread.any()


@pytest.mark.parametrize("texts", [["4/5", "3/10"], ["6/5", "1/5"], ["4/5", "good"]])
def test_other_fractions_are_no_judgements(texts):
    assert read_numbers(column(texts)).unread.any()


def column(texts: list[Any]) -> pd.Series:
    return pd.Series(texts, dtype="str")


def test_a_header_is_known_without_what_stands_beside_its_matter():
    assert "einzelpreis" in header_names("Einzelpreis (EUR)") and "prix" in header_names("Prix TTC")
    assert means("item", "cart.lines.sku") == 0 and means("user", "Version 1.5") is None


def test_counts_from_some_beginning_are_told():
    times = read_times(column(["0", "60", "86400"]))
    assert "lie in 1970" in time_doubts("t", times)[0].matter
    assert not time_doubts("t", read_times(column(["2024-01-01", "2024-01-02"])))


def test_a_drawn_line_is_no_row_that_was_lost():
    found = Rejects()
    for text in ("+-----+-----+", "---|---", "a,b,c", "-"):
        found.add(1, text, "has 1 value")
    assert found.n == 2
