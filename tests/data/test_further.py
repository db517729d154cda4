"""Kinds of files that were once read wrong or refused: of tills, research data, pivots, and what is no table at all."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.data.test_cases import COUNTS, DAYS, ITEMS, PERIOD, SAME, STAMPS, TIMES, TITLES, USERS, N, csv, hold, shop

PEOPLE = sorted(set(USERS))
THINGS = sorted(set(TITLES))
NAMES = [f"Ann {user}" for user in USERS]
SOLD = {
    u: {t: sum(c for c, v, w in zip(COUNTS, USERS, TITLES, strict=True) if (v, w) == (u, t)) for t in THINGS}
    for u in PEOPLE
}
PARTS = {user: {thing: n for thing, n in sold.items() if n} for user, sold in SOLD.items()}


def compact(header: str, mark: str = "") -> bytes:
    """Return a pivot table whose only column of names holds users and, below each, what they bought."""
    rows = [f"{header},Sum of Quantity"]
    for user, sold in PARTS.items():
        rows += [f"{user},{sum(sold.values())}", *(f"{mark}{thing},{n}" for thing, n in sold.items())]
    return "\n".join([*rows, f"Grand Total,{sum(COUNTS)}"]).encode()


def jokes() -> list[str]:
    """Return rows of 30 judgements of -10 to 10, 99 for none, behind how many there are."""
    rng, rows = random.Random(3), []
    for _ in range(60):
        row = [round(rng.uniform(-9.9, 9.9), 2) if rng.random() < 0.4 else 99 for _ in range(30)]
        rows.append(",".join(map(str, [sum(one != 99 for one in row), *row])))
    return rows


JOKES = jokes()
PROSE = (
    "It was the best of times, it was the worst of times, it was the age.\n\nIt was the age of belief,\nit was so.\n"
    * 20
)
CURLY = [f"“{u}”,“{t}, large”,“{d}”" for u, t, d in zip(USERS, TITLES, DAYS, strict=True)]
MIXED = [
    {"userId" if n % 2 else "user_id": u, "itemId": i, "ts": s}
    for n, (u, i, s) in enumerate(zip(USERS, ITEMS, STAMPS, strict=True))
]
STEAM = [
    f'15{u[1:]},"{t}",{done},0' for u, t in zip(USERS, TITLES, strict=True) for done in ("purchase,1.0", "play,2.5")
]
SONGS = [
    f"{u}{u},{i}-{i},{t},{50 + (n * 37) % 91}" for n, (u, i, t) in enumerate(zip(USERS, ITEMS, TITLES, strict=True))
]
NEWS = [
    f"{n}\tU{u}\t{t:%m/%d/%Y %I:%M:%S %p}\t{i} {ITEMS[(n + 3) % N]}\t{i}-1 {ITEMS[(n + 5) % N]}-0"
    for n, (u, i, t) in enumerate(zip(USERS, ITEMS, TIMES, strict=True))
]
CROSS = "\n".join(
    [",".join(["Row Labels", *THINGS, "Grand Total"])]
    + [",".join(map(str, [user, *(n or "" for n in sold.values()), sum(sold.values())])) for user, sold in SOLD.items()]
).encode()
ASKED: dict[str, Any] = {"asked": "No column was found"}
KINDS: dict[str, tuple[bytes, dict[str, Any]]] = {
    "a name and a number.csv": (
        csv({"Customer": NAMES, "Customer ID": USERS, "Item": TITLES}),
        {**SAME, "roles": {"user": "Customer ID"}},
    ),
    "SAP Business One.csv": (
        csv({"CardCode": USERS, "CardName": NAMES, "ItemCode": ITEMS, "Dscription": TITLES}),
        {**SAME, "roles": {"user": "CardCode", "item": "ItemCode", "label": "Dscription"}},
    ),
    "short Italian.csv": (
        csv({"Cod. cliente": USERS, "Cod. art.": ITEMS, "Descrizione articolo": TITLES}),
        {**SAME, "roles": {"item": "Cod. art.", "label": "Descrizione articolo"}},
    ),
    "a seller's sku.csv": (
        csv({"customerName": NAMES, "sellerSku": ITEMS, "itemName": TITLES}),
        {**SAME, "roles": {"item": "sellerSku"}},
    ),
    "one app.tsv": (
        csv({"app_id": "web", "domain_userid": USERS, "page_urlpath": [f"/p/{i}" for i in ITEMS]}),
        {**SAME, "roles": {"item": "page_urlpath"}},
    ),
    "a day and a moment.csv": (csv(shop(date=DAYS, time_ms=[s * 1000 for s in STAMPS])), {**SAME, "period": PERIOD}),
    "a day and an update.csv": (
        csv(shop(order_date=DAYS, updated_at=list(map(str, TIMES)))),
        {**SAME, "roles": {"time": "order_date"}},
    ),
    "an empty column.csv": (
        csv({"customer": USERS, "Kurs": None, "text": "sold"}),
        {"asked": "'Kurs' was not taken: it is empty"},
    ),
    "sensors.csv": (
        csv({"time": DAYS, "sensor_id": [f"S{n % 5}" for n in range(N)], "humidity": [40 + n % 30 for n in range(N)]}),
        ASKED,
    ),
    "who assigned whom.csv": (csv({"Assignee": USERS, "Reporter": [*USERS[3:], *USERS[:3]], "Created": DAYS}), ASKED),
    "people.csv": (csv({"user_id": range(100), "occupation": [f"job {n % 21}" for n in range(100)]}), ASKED),
    "customers.csv": (
        csv({"customer_id": range(100), "name": [f"Ann {n}" for n in range(100)]}),
        {"refused": "of its own.*a list of users"},
    ),
    "prose.txt": (
        PROSE.encode(),
        ASKED,
    ),
    "calendar.ics": (
        b"BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nA:1\nB:2\nC:3\n",
        {"refused": r"a calendar \(iCalendar\), not a table"},
    ),
    "statement.sta": (b":20:A\n:25:1/2\n:28C:1/1\n:60F:C2301\n:61:23\n:86:1\n", {"refused": "a bank's statement"}),
    "chat.txt": (b"01/02/2023, 08:21 - Ann: hello, you\n" * 9, {"refused": "a chat"}),
    "program.py": (
        b"import os\n\ndef f(a, b):\n    return a\n\nx, y = 1, 2\nprint(x)\n",
        {"refused": "a program's source"},
    ),
    "curly.csv": (
        "\n".join(["“customer”,“product”,“date”", *CURLY]).encode(),
        {**SAME, "days": True, "user ids": "K100", "labels": "Mug, large"},
    ),
    "guillemets.csv": (
        "\n".join(
            ["« client » ; « article »", *(f"« {u} » ; « {t} »" for u, t in zip(USERS, TITLES, strict=True))]
        ).encode(),
        {**SAME, "user ids": "K100"},
    ),
    "spelled twice.json": (
        json.dumps(MIXED).encode(),
        {**SAME, "period": PERIOD, "told": "'user_id' and 'userId' are taken for one"},
    ),
    "games without a header.csv": (
        "\n".join(STEAM).encode(),
        {"users": 30, "items": 12, "roles": {"user": "column 1", "item": "column 2", "behaviour": "column 3"}},
    ),
    "songs without a header.csv": (
        "\n".join(SONGS).encode(),
        {**SAME, "roles": {"user": "column 1", "weight": "column 4"}},
    ),
    "read before.tsv": ("\n".join(NEWS).encode(), {**SAME, "roles": {"item": "column 5"}, "no": "weight"}),
    "jokes.csv": (
        "\n".join(JOKES).encode(),
        {"users": 60, "items": 30, "has": "rating", "told": "99 stands for no value"},
    ),
    "compact pivot.csv": (
        compact("Row Labels"),
        {"users": 30, "items": 12, "weights": COUNTS, "roles": {"user": "heading"}},
    ),
    "compact pivot of customers.csv": (
        compact("Customer", "  "),
        {"users": 30, "items": 12, "roles": {"user": "Customer", "item": "heading"}},
    ),
    "points.csv": (("name,points\n" + "".join(f"P{n},{(n * 37) % 19 + 1}\n" for n in range(60))).encode(), ASKED),
    "full pivot.csv": (CROSS, {"users": 30, "items": 12, "weights": COUNTS}),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_read_right_or_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    content, right = KINDS[name]
    hold(tmp_path / name, content, right)
