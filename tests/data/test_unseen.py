"""Kinds that a batch of 250 files of tills, shops, courses and research showed, read with fresh eyes."""

import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
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
    timed,
)

CODES = {item: f"{n:02d}-{n * 37}" for n, item in enumerate(sorted(set(ITEMS)))}
ORDERS = [str(90_000 + 7 * n) for n in range(N)]
MAKERS = [f"House {int(item[1:]) % 5}" for item in ITEMS]
LOGGED = [f"[{t}] INFO user={u} viewed item={i}" for t, u, i in zip(TIMES, USERS, ITEMS, strict=True)]
CHAT = [f"[{t:%d.%m.%y, %H:%M:%S}] {u}: I take {i}" for t, u, i in zip(TIMES, USERS, ITEMS, strict=True)]
IDS = {user: str(uuid.UUID(int=(n + 1) * 3**70)) for n, user in enumerate(sorted(set(USERS)))}
WRITTEN = [("{" + IDS[u].upper() + "}", IDS[u], "urn:uuid:" + IDS[u], IDS[u].replace("-", ""))[n // 30 % 4]
           for n, u in enumerate(USERS)]  # fmt: skip
SPELT = ["{" + IDS[user] + "}" for user in USERS]
GUESTS = {"sessionId": USERS, "userId": [u if int(u[1:]) % 6 == 0 else "NA" for u in USERS], "itemId": ITEMS}
PLAIN = csv(timed()).decode()
RECORDS = [{"user": u, "item": i, "ts": s} for u, i, s in zip(USERS, ITEMS, STAMPS, strict=True)]
STATUSES = [("paid", "cancelled", "blorbed")[n % 3] for n in range(N)]

KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    # what is the same on all rows of an item is nobody, whoever else is missing
    "a till of nobody.csv": (
        csv({"Item Id": ITEMS, "Master Id": [CODES[i] for i in ITEMS], "Menu Item": TITLES, "Qty": COUNTS}),
        {"asked": "user"},
    ),
    "pages turned.csv": (
        csv({"ASIN": ITEMS, "Start Time": list(map(str, TIMES)), "Number of Page Flips": COUNTS}), {"asked": "user"}
    ),
    # names of items under headers that say little
    "details.csv": (
        csv({"Customer Code": USERS, "Details": TITLES, "SKU": ITEMS}), {**SAME, "roles": {"label": "Details"}}
    ),
    "wines.csv": (
        csv({"User ID": USERS, "Winery": MAKERS, "Wine name": TITLES, "Your rating": COUNTS}),
        {**SAME, "roles": {"item": "Wine name", "rating": "Your rating"}},
    ),
    "classes and who gives them.csv": (
        csv({"Client ID": USERS, "Class": TITLES, "Instructor": [("Ann", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Hal",
             "Ida")[int(i[1:]) % 9] for i in ITEMS], "Class date": DAYS}),
        {**SAME, "roles": {"item": "Class"}},
    ),
    "songs of artists.csv": (
        csv({"Apple Id Number": USERS, "Song Name": TITLES, "Artist Name": [f"Band {int(i[1:]) % 3}" for i in ITEMS]}),
        {**SAME, "roles": {"item": "Song Name"}},
    ),
    "books of readers.csv": (
        csv({"Title": TITLES, "ISBN/UID": ITEMS, "Star Rating": COUNTS, "Username": USERS}),
        {**SAME, "roles": {"user": "Username", "item": "ISBN/UID"}},
    ),
    "a French till.csv": (
        csv({"N° ticket": ORDERS, "Carte fidélité": USERS, "Code-barres": ITEMS, "Libellé article": TITLES}),
        {**SAME, "roles": {"user": "Carte fidélité", "item": "Code-barres", "label": "Libellé article"}},
    ),
    "cards.csv": (
        csv({"Kundenkarte": USERS, "PLU": ITEMS, "Artikelbezeichnung": TITLES,
             "Bediener": [f"0{1 + n // 30 % 3}" for n in range(N)]}),
        {**SAME, "roles": {"user": "Kundenkarte", "item": "PLU"}},
    ),
    "matrix with nobody's rows.csv": (
        csv({"Customer": sorted(set(USERS)), **{f"M{k}": [n * k % 90 + 5 if n % 3 and (n + k) % 2 else None
             for n in range(30)] for k in range(1, 13)}}),
        {"users": 20, "items": 12, "rows": 120},
    ),
    "halls.csv": (
        csv({"Patron ID": USERS, "Venue": [m[-1] + " Hall" for m in MAKERS], "Event Name": TITLES, "Booked on": DAYS}),
        {**SAME, "days": True, "roles": {"item": "Event Name"}},
    ),
    "booked.csv": (
        csv({"Book Number": ORDERS, "Guest name": USERS, "Check-in": DAYS, "Unit type": TITLES}),
        {**SAME, "days": True, "roles": {"item": "Unit type", "user": "Guest name"}},
    ),
    # numbers that would be seconds of our days
    "runs.csv": (
        csv({"athlete_id": USERS, "activity_id": [1_700_000_000 + n for n in range(N)], "segment_name": TITLES,
             "start_date_local": list(map(str, TIMES))}),
        {**TIMED, "roles": {"time": "start_date_local"}},
    ),
    "numbers alone.csv": (csv(shop(event_no=STAMPS)), {**SAME, "no": "time"}),
    # who is named in few rows
    "hardly anybody.csv": (
        csv(GUESTS), {**SAME, "roles": {"user": "sessionId"}, "told": "column 'userId' names a user in 17% of the rows"}
    ),
    # texts that begin with a bracket and are no JSON
    "app.log": ("\n".join(LOGGED).encode(), {**TIMED, "roles": {"user": "user", "item": "item", "time": "time"}}),
    "exported chat.txt": ("\n".join(CHAT).encode(), {"refused": "is a chat, not a table"}),
    # a header with a name less, where the first column counts the rows and has a name
    "a last one without a name.csv": (
        csv({"id": range(N), **timed(), "": ["ok", "late"] * (N // 2)}).replace(b",date,\n", b",date\n"),
        {**TIMED, "told": "the rows have values; column 5 has none"},
    ),
    # lines in one cell each; remarks above lines of JSON; what files are that hold no table
    "pasted.xlsx": (
        lambda path: pd.DataFrame(PLAIN.splitlines()).to_excel(path, index=False, header=False),
        {**TIMED, "told": "every row of the sheet stands in one cell"},
    ),
    "remarks.jsonl": (b"// of our shop\n# version 2\n" + lines(RECORDS), TIMED),
    "message.eml": (b"From: ann@example.org\nSubject: orders\n\n" + b"See below.\n" * 6, {"refused": "is an e-mail"}),
    "settings.toml": (b"[[event]]\nuser = 1\nitem = 2\n\n" * 4, {"refused": r"is settings \(TOML or INI\)"}),
    "table.sas7bdat": (bytes(12) + b"\xc2\xea\x81\x60" + bytes(99), {"refused": "SAS file"}),
    "arrays.npz": (lambda path: np.savez(path.open("wb"), user=[1, 2], item=[3, 4]), {"refused": "arrays of numpy"}),
    # zones in brackets, Bulgarian years and clocks
    "in brackets.csv": (csv(shop(date=[f"{t} (UTC)" for t in TIMES])), TIMED),
    "Bulgarian moments.csv": (csv(shop(date=[f"{t:%d.%m.%Y} г. {t:%H:%M:%S} ч." for t in TIMES])), TIMED),
    # line breaks of FileMaker inside values
    "vertical tabs.csv": (csv(timed(note=["one\x0btwo"] * N)), TIMED),
    # statuses that nobody knows are neither kept nor dropped in silence
    "blorbed.csv": (
        csv(timed(status=STATUSES)),
        {"lost": {"came to nothing": 120}, "told": "not known here: 'blorbed' 120 times, which stay"},
    ),
    "claims.csv": (
        csv(timed(claim_status=[("Paid", "Denied")[n % 4 == 0] for n in range(N)])), {"lost": {"came to nothing": 90}}
    ),
    "words of our own.csv": (
        csv(timed(status=[("blorb", "glint")[n // 30 % 2] for n in range(N)])),
        {**TIMED, "told": "column 'status' looks like a status, but its words are not known here (blorb, glint)"},
    ),
    "codes of statuses.csv": (
        csv(timed(order_status=[(1, 2, 5)[n // 30 % 3] for n in range(N)])),
        {**TIMED, "told": "'order_status' looks like a status"},
    ),
    "kinds of people.csv": (csv(timed(marital_status=[("single", "wed")[int(u[1:]) % 2] for u in USERS])), TIMED),
    # one UUID in four spellings
    "uuids.csv": (csv(timed(customer_id=WRITTEN)), {**TIMED, "user ids": IDS["K100"]}),
    "uuids in braces.csv": (csv(timed(customer_id=SPELT)), {**TIMED, "user ids": SPELT[0]}),
    "amount sold.csv": (csv(timed(**{"Amount sold": COUNTS})), {**TIMED, "roles": {"weight": "Amount sold"}}),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_read_right_or_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    hold(tmp_path / name, *KINDS[name])
