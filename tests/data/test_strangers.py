"""Kinds that a batch of 240 files of strangers showed: what programs, crashes and wrong names make of a table."""

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grouprec.core.types import SettingError
from grouprec.data.reading.blocks import block_records
from grouprec.data.reading.read import Reading, peek
from grouprec.data.roles.line_numbers import is_line_number
from tests.data.test_cases import COUNTS, DAYS, ITEMS, SAME, STAMPS, TIMED, TITLES, USERS, N, csv, hold, shop, timed

ROWS = list(zip(USERS, ITEMS, COUNTS, STAMPS, strict=True))
PLAIN = csv(timed())
RECORDS = [{"user_id": u, "item_id": i, "ts": s} for u, i, _, s in ROWS]
LIKED = {user: {i: True for u, i, *_ in ROWS if u == user} for user in sorted(set(USERS))}
JUDGED = {user: {i: {"rating": c, "at": s} for u, i, c, s in ROWS if u == user} for user in sorted(set(USERS))}
PUSHED = {
    user: {f"-N{n:05d}": {"itemId": i, "ts": s} for n, (u, i, _, s) in enumerate(ROWS) if u == user}
    for user in sorted(set(USERS))
}
PAIRS = {"users": 30, "items": 12, "rows": sum(map(len, LIKED.values()))}


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def parquet(**columns: Any) -> Callable[[Path], None]:
    return lambda path: pq.write_table(pa.table(columns), path)


def tar(path: Path) -> None:
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("export/events.csv")
        member.size = len(PLAIN)
        archive.addfile(member, io.BytesIO(PLAIN))


def book(path: Path) -> None:
    """Write a workbook under a name that says otherwise."""
    pd.DataFrame(timed()).to_excel(path.with_suffix(".xlsx"), index=False)
    path.write_bytes(path.with_suffix(".xlsx").read_bytes())


def zipped(**files: bytes) -> Callable[[Path], None]:
    def save(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name.replace("__", "."), content)

    return save


def bank(id: str = "customer_id", one: bool = False) -> bytes:
    """Return a row a customer a month: facts, and a flag for each product, of which ``one`` or some are 1."""
    people = [f"{10_000 + n % 30}" for n in range(90)]
    facts = {"month": [f"2015-0{1 + n // 30}-28" for n in range(90)], id: people}
    facts |= {"sex": ["HV"[int(p) % 2] for p in people], "age": [20 + 7 * int(p) % 60 for p in people]}
    facts |= {"ind_new": [int(n % 9 == 0) for n in range(90)], "income": [1000.5 + 13 * int(p) for p in people]}
    has = [int(p) % 10 for p in people]
    flags = {f"ind_fund{k}_ult1": [int(k == h or (not one and k == (3 * h + 1) % 10)) for h in has] for k in range(10)}
    return csv(facts | flags)


FILMS = csv({"product_id": sorted(set(ITEMS)), "title": [f"Film {i}" for i in sorted(set(ITEMS))], "year": [1999] * 12})
PEOPLE = csv({"customer_id": sorted(set(USERS)), "age": list(range(20, 50)), "city": ["Bonn", "Ulm"] * 15})
MAPS = pa.array([[("item_id", i), ("page", "shop")] for i in ITEMS], pa.map_(pa.string(), pa.string()))
HALF = PLAIN.find(b"\n", len(PLAIN) // 2) + 1
HEADER = PLAIN[: PLAIN.find(b"\n") + 1]
KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    # names that say otherwise
    "a workbook.csv": (book, TIMED),
    "text.xlsx": (PLAIN, TIMED),
    "text.parquet": (PLAIN, TIMED),
    "a word.xlsx": (b"nothing to see\nhere\n", {"refused": "not an Excel workbook although its name says so"}),
    "events.tar.gz": (tar, {"refused": "a tar archive; unpack it first"}),
    "pointer.csv": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        {"refused": "a pointer to it; fetch the file itself with 'git lfs pull'"},
    ),
    # archives
    "a shop.zip": (
        zipped(customers__csv=PEOPLE, orders__csv=PLAIN, films__csv=FILMS),
        {**TIMED, "told": "of the archive, orders.csv is read, not customers.csv, films.csv"},
    ),
    "parts.zip": (
        zipped(p1__csv=PLAIN[: HALF - 1], p2__csv=HEADER + PLAIN[HALF:], notes__txt=b"Dear all,\nhere it is.\n"),
        {**TIMED, "told": "2 files of the archive have the same columns and are read one after the other"},
    ),
    "no interactions.zip": (zipped(customers__csv=PEOPLE, films__csv=FILMS), {"refused": "zip archive of several"}),
    # files that were never written to their end
    "filled up with zeros.csv": (PLAIN + bytes(5000), {**TIMED, "told": "5,000 bytes of zero were left out"}),
    "zeros between.csv": (PLAIN[:HALF] + bytes(4096) + PLAIN[HALF:], {**TIMED, "told": "rows may be missing"}),
    "zeros in gzip.csv.gz": (gzip.compress(PLAIN + bytes(5000)), TIMED),
    "cut off.json": (as_json(RECORDS)[:-12], {"refused": "ends in the middle of a value: it was cut off"}),
    "cut off inside.json": (as_json({"data": RECORDS})[:-30], {"refused": "it was cut off; download or export"}),
    "a last comma.json": (as_json(RECORDS)[:-1] + b",\n]", TIMED),
    # what Firebase keeps
    "judged.json": (as_json(JUDGED), {**PAIRS, "roles": {"rating": "rating", "time": "at"}}),
    "judged below a name.json": (as_json({"ratings": JUDGED}), {**PAIRS, "roles": {"rating": "rating"}}),
    "pushed.json": (as_json(PUSHED), {**TIMED, "roles": {"item": "itemId"}}),
    "liked.json": (as_json(LIKED), PAIRS),
    "people and likes.json": (as_json({"users": {u: {"name": f"N {u}"} for u in LIKED}, "likes": LIKED}), PAIRS),
    "an error.json": (
        as_json({"error": {"code": 401, "message": "Invalid token"}}), {"refused": "holds no rows.*Invalid token"}
    ),
    # Parquet that no pandas writes
    "maps.parquet": (
        parquet(user_id=USERS, ts=STAMPS, params=MAPS), {**TIMED, "roles": {"item": "params.item_id"}}
    ),
    "two of a name.parquet": (
        lambda path: pq.write_table(pa.table([USERS, ITEMS, USERS], names=["id", "item_id", "id"]), path),
        {"refused": "several columns called 'id'; give each a name of its own"},
    ),
    "hashes.parquet": (
        parquet(user_id=pa.array([2**64 - 1 - int(u[1:]) for u in USERS], pa.uint64()), item_id=ITEMS, ts=STAMPS),
        {**TIMED, "user ids": str(2**64 - 101)},
    ),
    # columns of databases
    "warehouse.csv": (
        csv({"CUST_NBR": USERS, "PRD_CD": ITEMS, "TXN_DT": DAYS, "SLS_QTY": COUNTS, "TXN_ID": range(9000, 9000 + N)}),
        {**SAME, "days": True, "weights": COUNTS,
         "roles": {"user": "CUST_NBR", "item": "PRD_CD", "time": "TXN_DT", "weight": "SLS_QTY", "order": "TXN_ID"}},
    ),
    "star.csv": (
        csv({"ss_customer_sk": [u[1:] for u in USERS], "ss_item_sk": [i[1:] for i in ITEMS], "sold_on": DAYS}),
        {**SAME, "days": True, "roles": {"user": "ss_customer_sk", "item": "ss_item_sk", "time": "sold_on"}},
    ),
    "Coupang.csv": (
        csv({"주문일": DAYS, "구매자": USERS, "노출상품ID": ITEMS, "구매수(수량)": COUNTS}),
        {**SAME, "days": True, "weights": COUNTS, "roles": {"weight": "구매수(수량)"}},
    ),
    "edits.tsv": (
        csv({"page_title": [f"Page_{i}" for i in ITEMS], "actor_name": USERS, "at": STAMPS}, sep="\t"),
        {**TIMED, "roles": {"user": "actor_name", "item": "page_title"}},
    ),
    "states.csv": (csv(timed(State=["New York", "Ohio", "New Mexico"] * 120)), {**TIMED, "no": "outcome"}),
    "Shopee.csv": (
        csv(timed(**{"訂單狀態": ["不成立", *["完成"] * 3] * 90})), {"lost": {"came to nothing": 90}}
    ),
    "a name less.csv": (
        b"customer_id,product_id\n" + csv({"n": range(7000, 14200, 20), "u": USERS, "i": ITEMS}).split(b"\n", 1)[1],
        {**SAME, "told": "the first column is taken for the one without"},
    ),
    # what nobody is, and no time
    "searched.csv": (csv({"Search term": TITLES, "Campaign": ITEMS, "Clicks": COUNTS}), {"asked": "user"}),
    "of the future.csv": (
        csv(shop(date=[f"20{60 + n % 9}-05-01" for n in range(N)])), {"refused": "lie before 1970 or after"}
    ),
    "loans of 1895.csv": (
        csv(shop(date=[f"189{n % 9}-05-01" for n in range(N)])), {"refused": "if they are right and only their order"}
    ),
    # what each person has, beside what they are
    "bank.csv": (bank(), {"users": 30, "items": 10, "told": "10 columns of 0 and 1 (ind_fund0_ult1, ind_fund1_ult1"}),
    "bank of others.csv": (bank(id="ncodpers"), {"users": 30, "items": 10}),
    "kinds of people.csv": (bank(one=True), {"asked": "item"}),
    # ids
    "blanks of web pages.csv": (
        csv(timed(product_id=[f"Red\u00a0mug {i}" if n % 2 else f"Red mug {i}" for n, i in enumerate(ITEMS)])), TIMED
    ),
    "short and long numbers.csv": (
        csv(timed(customer_id=[u[1:] if u != "K100" else "0" for u in USERS[:-1]] + ["9007199254740"])),
        {**SAME, "users": 31, "user ids": "9007199254740"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_read_right_or_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    hold(tmp_path / name, *KINDS[name])


def test_paragraphs_behind_a_blank_line_stay_with_their_review():
    given = ["a: 1", "b: good", "", "a: 2", "b: fine", "", "But the lid", "", "PS: sent back", "", "a: 3", "b: y"]
    assert list(block_records(given)) == [
        {"a": "1", "b": "good"},
        {"a": "2", "b": "fine But the lid PS: sent back"},
        {"a": "3", "b": "y"},
    ]


def test_a_file_of_an_archive_can_be_chosen(tmp_path: Path) -> None:
    zipped(orders__csv=PLAIN, views__csv=csv(timed(seen=[1] * len(USERS))))(tmp_path / "both.zip")
    assert "seen" in peek(tmp_path / "both.zip", Reading(sheet="views.csv")).columns
    assert "seen" not in peek(tmp_path / "both.zip", Reading(sheet="ORDERS.csv")).columns
    assert peek(tmp_path / "both.zip").sheets == ("orders.csv", "views.csv")
    with pytest.raises(SettingError, match=r"has no file .clicks\.csv. in it; there are: orders\.csv, views\.csv"):
        peek(tmp_path / "both.zip", Reading(sheet="clicks.csv"))


def test_numbers_of_lines_are_told_without_counting_up_to_the_largest_id():
    assert is_line_number(pd.Series([1, 2, 3, 1, 2, 1, 2, 3, 4] * 20))
    assert is_line_number(pd.Series(np.repeat([10, 20, 30], [900, 90, 9])))
    assert not is_line_number(pd.Series([0, 4, 2**60, 7, 1] * 20))
