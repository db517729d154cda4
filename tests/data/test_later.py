"""Kinds that a batch of seventy public exports and data sets showed: blocks of names, carts, days without a year."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from grouprec.data.reading.blocks import block_records, is_blocks
from grouprec.data.roles.outcomes import came_to_nothing
from grouprec.data.values.times import NO_YEAR, read_times
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

REVIEWS = "\n\n".join(
    f"product/productId: {i}\nreview/userId: {u}\nreview/score: {1 + n % 5}.0\nreview/time: {s}\n"
    "review/text: Good: yes,\nreally"
    for n, (u, i, s) in enumerate(zip(USERS, ITEMS, STAMPS, strict=True))
)
CARTS: list[dict[str, Any]] = [
    {"cartId": f"c{n}", "customer": {"id": u}, "lines": [{"product": {"sku": i, "title": t}, "qty": c}]}
    for n, (u, i, t, c) in enumerate(zip(USERS, ITEMS, TITLES, COUNTS, strict=True))
]
FILMS = sorted(set(ITEMS))
ORDER = sorted(range(N), key=lambda n: (ITEMS[n] != ITEMS[0], ITEMS[n]))  # the first film has most votes
VOTES = "".join(
    f"{number}:\n" + "".join(f"{7000 + int(USERS[n][1:])},{1 + n % 5},{DAYS[n]}\n" for n in ORDER if ITEMS[n] == film)
    for number, film in enumerate([ITEMS[0], *(film for film in FILMS if film != ITEMS[0])], 1)
).encode()
SESSIONS = [
    f"{u[1:]},{m:%Y-%m-%dT%H:%M:%S}.357Z,2145365{i[1:]},{'0S3'[n % 3]}"
    for n, (u, i, m) in enumerate(zip(USERS, ITEMS, TIMES, strict=True))
]
TAKEN = {user: {i for u, i in zip(USERS, ITEMS, strict=True) if u == user} for user in sorted(set(USERS))}


def matrix(yes: str, no: str, names: Callable[[str], str] = str, **beside: list[str]) -> bytes:
    """Return a row per user with a mark for each item."""
    marks = {names(item): [yes if item in taken else no for taken in TAKEN.values()] for item in FILMS[:10]}
    return csv({**beside, **marks})


def months() -> Callable[[Path], None]:
    """Return a workbook with a sheet for every month, and one of another kind."""
    parted: dict[str, list[list[Any]]] = {"About": [["Shop", "of Ann"]]}
    for user, item, moment in zip(USERS, ITEMS, TIMES, strict=True):
        parted.setdefault(f"{moment:%Y-%m}", [["customer", "product", "date"]]).append([user, item, moment])
    return workbook(*parted.items())


SHOWN = sum(item in FILMS[:10] for items in TAKEN.values() for item in items)
KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "marked.csv": (matrix("TRUE", "FALSE", customer=[*TAKEN]), {"users": 30, "items": 10, "rows": SHOWN}),
    "crossed.csv": (matrix("x", "", Name=[*TAKEN]), {"users": 30, "items": 10, "rows": SHOWN}),
    "a form.csv": (
        matrix("4", "", "Please rate [{}]".format, Timestamp=list(map(str, TIMES[:30])), **{"Email Address": [*TAKEN]}),
        {"users": 30, "items": 10, "rows": SHOWN, "roles": {"user": "Email Address"}, "labels": FILMS[0]},
    ),
    "a sheet for every month.xlsx": (months(), {**TIMED, "told": "sheets have the same columns"}),
    "blocks.txt": (
        REVIEWS.encode(),
        {**TIMED, "roles": {"user": "review/userId", "item": "product/productId", "rating": "review/score"}},
    ),
    "carts.jsonl": (
        lines(CARTS),
        {**SAME, "roles": {"user": "customer.id", "item": "lines.product.sku", "weight": "lines.qty"}},
    ),
    "votes of numbered films.txt": (VOTES, {**SAME, "days": True, "roles": {"user": "column 1", "item": "heading"}}),
    "sessions without a header.dat": (
        "\n".join(SESSIONS).encode(),
        {**SAME, "roles": {"user": "column 1", "item": "column 3", "time": "column 2"}},
    ),
    "posts.jsonl": (
        lines([{"author": u, "subreddit": i, "created_utc": s, "body": "I agree"} for u, i, s in
               zip(USERS, ITEMS, STAMPS, strict=True)]),
        {**TIMED, "roles": {"user": "author", "item": "subreddit"}},
    ),
    "classes.csv": (
        csv({"Client ID": USERS, "Visit Date": DAYS, "Class/Service": TITLES,
             "Teacher": [f"T {n % 7}" for n in range(N)]}),
        {**SAME, "roles": {"item": "Class/Service"}, "days": True},
    ),
    "German billing.csv": (
        csv({"Auftraggeber": USERS, "Material": ITEMS, "Kurztext": TITLES, "Fakturadat": DAYS}, sep=";"),
        {**SAME, "roles": {"user": "Auftraggeber", "item": "Material"}},
    ),
    "Russian till.csv": (
        csv({"Дата": DAYS, "Карта лояльности": USERS, "Штрихкод": ITEMS, "Номенклатура": TITLES}, sep=";"),
        {**SAME, "roles": {"user": "Карта лояльности"}, "days": True},
    ),
    "days of a year.csv": (
        csv(shop(time_stamp=[f"{m.month}{m.day:02d}" for m in TIMES])),
        {**SAME, "roles": {"time": "time_stamp"}, "told": "have a month and a day and no year"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_read_right(tmp_path: Path, name: str) -> None:
    hold(tmp_path / name, *KINDS[name])


def test_records_of_names_are_told_from_other_lines():
    assert is_blocks("a: 1\nb: 2\n\na: 3\nb: 4\n\na: 5\nb: 6\n")
    assert not is_blocks("a: 1\nb: 2\n\nc: 3\nd: 4\n\na: 5\nb: 6\n")  # other names each: a letter
    assert not is_blocks("BEGIN:VCARD\nFN:Ann\nEND:VCARD\n" * 4)  # refused as an address book
    assert not is_blocks("12:30, x\n12:31, y\n12:32, z\n")
    assert list(block_records(["a: 1", "b: x", "more", "a: 2", "b: y"])) == [
        {"a": "1", "b": "x more"},
        {"a": "2", "b": "y"},
    ]


def test_days_without_a_year_are_in_order_and_prices_are_none():
    days = pd.date_range("2023-01-01", "2023-12-31").strftime("%m%d").astype(int)
    found = read_times(pd.Series(days))
    assert found.units == (NO_YEAR,) and (np.diff(found.seconds) == 86_400).sum() == 363  # 2000 has a 29 February
    assert NO_YEAR not in read_times(pd.Series([101, 205, 1111])).units  # too few to tell
    assert NO_YEAR not in read_times(pd.Series(range(101, 1231))).units  # 132 is no day


def test_days_come_before_months_where_the_values_say_so():
    days = pd.date_range("2023-03-01", "2023-06-30")
    found = read_times(pd.Series(days.strftime("%d%m").astype(int)))
    assert found.units == (NO_YEAR,) and (np.diff(found.seconds) == 86_400).all()


def test_days_before_a_beginning_keep_their_order():
    found = read_times(pd.Series([-25, 0, 30, 260]))
    assert not found.unread.any() and list(np.argsort(found.seconds)) == [0, 1, 2, 3]
    old = read_times(pd.Series([-1, int(dt.datetime(2024, 1, 1).timestamp())]))
    assert old.unread.tolist() == [True, False]  # beside moments, -1 is none


@pytest.mark.parametrize(("word", "nothing"), [("No Show", True), ("no-show", True), ("not refunded", False)])
def test_who_did_not_come_took_nothing(word: str, nothing: bool) -> None:
    assert came_to_nothing(pd.Series([word], name="status"))[0].tolist() == [nothing]
