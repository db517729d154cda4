"""Tables in other shapes: lists in cells, items in a text, matrices; objects of JSON, cells of Parquet and Excel."""

from __future__ import annotations

import datetime as dt
import json
from uuid import UUID

import openpyxl
import pandas as pd
import pytest

from grouprec.core.types import DataError, SettingError
from grouprec.data.reading.read import Reading, peek, read, read_table

USERS, ITEMS = [f"K{n % 9}" for n in range(40)], [f"A{n % 7}" for n in range(40)]
PAIRS = list(zip(USERS, ITEMS, strict=True))
BASKETS = [(f"K{n}", [f"A{n % 7}", f"A{(n + 2) % 7}", *([f"A{(n + 3) % 7}"] * (n % 2))]) for n in range(30)]


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def rows(found, *columns):
    return [tuple(row) for row in found.frame[list(columns)].to_numpy()]


def spread():
    return [(user, item) for user, items in BASKETS for item in items]


# ---- lists and texts


def test_lists_of_items_become_rows(tmp_path):
    table = pd.DataFrame({"user_id": [user for user, _ in BASKETS], "items": [items for _, items in BASKETS]})
    table.to_parquet(tmp_path / "a.parquet")
    write(tmp_path / "a.jsonl", table.to_json(orient="records", lines=True))
    for name in ("a.parquet", "a.jsonl"):
        found = read(tmp_path / name)
        assert rows(found, "user_id", "items") == spread() and found.n_read == 30
        assert rows(read(tmp_path / name, ["items"]), "items") == [(item,) for _, item in spread()]
        assert len(peek(tmp_path / name).head) == len(spread())


def test_lists_of_objects_become_rows_with_their_values(tmp_path):
    events = [
        {
            "event_name": "purchase",
            "user_pseudo_id": user,
            "items": [{"item_id": i, "item_name": f"n{i}"} for i in items],
        }
        for user, items in BASKETS
    ]
    found = read(write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, events))))
    assert rows(found, "user_pseudo_id", "items.item_id") == spread()
    assert found.frame["items.item_name"].iloc[0] == "nA0"


@pytest.mark.parametrize("separator", [";", "|", ", "])
def test_items_in_a_text_become_rows(tmp_path, separator):
    table = pd.DataFrame({"user_id": [u for u, _ in BASKETS], "items": [separator.join(items) for _, items in BASKETS]})
    table.to_csv(tmp_path / "a.csv", index=False)
    found = read(tmp_path / "a.csv")
    assert rows(found, "user_id", "items") == spread()
    assert "became rows of their own" in found.notes[0]


def test_how_many_of_an_item_is_read_off(tmp_path):
    text = [", ".join(f"{1 + n % 3}× Mug {item}" for n, item in enumerate(items)) for _, items in BASKETS]
    pd.DataFrame({"Customer": [u for u, _ in BASKETS], "Product(s)": text}).to_csv(tmp_path / "a.csv", index=False)
    found = read(tmp_path / "a.csv")
    assert rows(found, "Customer", "Product(s)") == [(user, f"Mug {item}") for user, item in spread()]
    assert rows(found, "quantity")[:3] == [("1",), ("2",), ("1",)]


def test_a_text_with_commas_is_no_list(tmp_path):
    titles = [f"Book {n}, the large one" for n in range(40)]
    pd.DataFrame({"user": USERS, "books": titles}).to_csv(tmp_path / "a.csv", index=False)
    assert len(read(tmp_path / "a.csv").frame) == 40


def test_lists_that_are_not_the_items_are_left_out(tmp_path):
    lines = [json.dumps({"reviewerID": u, "asin": i, "helpful": [0, 1], "overall": 5.0}) for u, i in PAIRS]
    found = read(write(tmp_path / "a.jsonl", "\n".join(lines)))
    assert list(found.frame.columns) == ["reviewerID", "asin", "overall"]
    assert found.notes == ("columns of lists or objects were left out: helpful",)


# ---- matrices


@pytest.mark.parametrize(("empty", "value"), [("", "rating"), ("0", "rating")])
def test_a_matrix_of_users_by_items_becomes_rows(tmp_path, empty, value):
    names = [f"A{n}" for n in range(12)]
    cells = [[str(1 + (r + c) % 5) if (r * 7 + c) % 3 == 0 else empty for c in range(12)] for r in range(20)]
    table = pd.DataFrame(cells, columns=names)
    table.insert(0, "user_id", [f"K{n}" for n in range(20)])
    table.to_csv(tmp_path / "a.csv", index=False)
    found = read(tmp_path / "a.csv")
    expected = [
        (f"K{r}", names[c], float(cell))
        for r, row in enumerate(cells)
        for c, cell in enumerate(row)
        if cell not in ("", "0")
    ]
    assert rows(found, "user_id", "item", value) == expected
    assert "looks like a matrix" in found.notes[0]
    assert rows(read(tmp_path / "a.csv", ["item"]), "item")[0] == ("A0",)


# ---- JSON


@pytest.mark.parametrize(
    ("content", "columns", "first"),
    [
        ({"K1": ["A1", "A2"], "K2": ["A1"]}, ["user", "item"], ["K1", "A1"]),
        ({"K1": {"A1": 3, "A2": 4}, "K2": {"A1": 5}}, ["user", "item", "rating"], ["K1", "A1", "3"]),
        ({"orders": [{"user": "K1", "item": "A1"}], "page": 1}, ["user", "item"], ["K1", "A1"]),
        ({"status": "ok", "data": [{"user": "K1", "item": "A1"}]}, ["user", "item"], ["K1", "A1"]),
        ({"user": ["K1", "K2"], "item": ["A1", "A2"]}, ["user", "item"], ["K1", "A1"]),
        (
            {"user": {"0": "K1", "1": "K2", "2": "K3"}, "item": {"0": "A1", "1": "A2", "2": "A3"}},
            ["user", "item"],
            ["K1", "A1"],
        ),
        (
            {"0": {"user": "K1", "item": "A1"}, "1": {"user": "K2", "item": "A2"}},
            ["id", "user", "item"],
            ["0", "K1", "A1"],
        ),
        ([["user", "item"], ["K1", "A1"]], ["user", "item"], ["K1", "A1"]),
        ([["K1", 3], ["K2", 4]], ["column 1", "column 2"], ["K1", "3"]),
        ({"K1": [{"id": "A1", "n": 1}], "K2": [{"id": "A2", "n": 2}]}, ["user", "id", "n"], ["K1", "A1", "1"]),
    ],
)
def test_json_is_read_in_every_layout_in_which_programs_write_tables(tmp_path, content, columns, first):
    for indent in (None, 1):
        found = read(write(tmp_path / "a.json", json.dumps(content, indent=indent)))
        assert list(found.frame.columns) == columns and found.frame.iloc[0].tolist() == first


def test_objects_inside_are_flattened_by_name_and_types_of_databases_unpacked(tmp_path):
    lines = [
        {
            "_id": {"$oid": "5f"},
            "user": {"id": u, "home": {"country": "DE"}},
            "n": {"$numberLong": "4"},
            "at": {"$date": "2024"},
        }
        for u, _ in PAIRS
    ]
    found = read(write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, lines))))
    assert found.frame.iloc[0].to_dict() == {
        "_id": "5f",
        "user.id": "K0",
        "user.home.country": "DE",
        "n": "4",
        "at": "2024",
    }
    assert rows(read(tmp_path / "a.jsonl", ["user.id", "at"]), "at", "user.id")[0] == ("2024", "K0")


def test_lines_that_are_no_json_are_kept_apart(tmp_path):
    lines = [json.dumps({"user": u, "item": i}) for u, i in PAIRS]
    found = read(write(tmp_path / "a.jsonl", "\n".join([*lines[:20], '{"user": "K', *lines[20:]])))
    assert len(found.frame) == 40 and [row.line for row in found.rejects.rows] == [21]


def test_halves_of_characters_and_rubbish_in_json_raise_nothing(tmp_path):
    found = read(write(tmp_path / "a.json", '[{"user": "\\ud800x", "item": "\\ud83d\\ude00"}]'))
    assert found.frame.iloc[0].tolist() == ["?x", "😀"]
    with pytest.raises(DataError, match="different lengths"):
        read(write(tmp_path / "b.json", "[[1], [1, 2]]"))


# ---- Parquet


def test_bytes_are_text_or_uuids_and_objects_columns(tmp_path):
    ids = [UUID(int=n + (200 << 120)) for n in range(3)]
    table = pd.DataFrame(
        {"user": [b"K1", b"K2", None], "item": [one.bytes for one in ids], "o": [{"a": 1}, {"a": 2}, None]}
    )
    table.to_parquet(tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet").frame
    assert found["user"].tolist()[:2] == ["K1", "K2"] and found["user"].isna()[2]
    assert found["item"].tolist() == [str(one) for one in ids] and found["o.a"].tolist()[:2] == [1, 2]
    assert list(read(tmp_path / "a.parquet", ["o.a", "user"]).frame.columns) == ["o.a", "user"]


# ---- Excel


def book(path, **sheets):
    """Write a workbook; a sheet whose name begins with an underscore is hidden."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, lines in sheets.items():
        sheet = workbook.create_sheet(name.lstrip("_"))
        sheet.sheet_state = "hidden" if name.startswith("_") else "visible"
        for line in lines:
            sheet.append(list(line))
    workbook.save(path)
    return path


HEADER = ["customer_id", "product_id", "quantity", "date"]
ORDERS = [[40000 + n % 9, f"A{n % 7}", n % 4 + 1, dt.datetime(2024, 1, 1 + n % 28)] for n in range(40)]
COVER = [["Export of orders"], ["Created", dt.datetime(2024, 2, 5)], ["By", "Shop system"]]
CUSTOMERS = [["customer_id", "country"], *[[40000 + n, "DE"] for n in range(30)]]


@pytest.mark.parametrize(
    "sheets",
    [
        {"Info": COVER, "Orders": [HEADER, *ORDERS]},
        {"Sheet1": [], "Orders": [HEADER, *ORDERS]},
        {"_Old": [HEADER, *ORDERS[:5]], "Orders": [HEADER, *ORDERS]},
        {"Customers": CUSTOMERS, "Orders": [HEADER, *ORDERS]},
        {"Orders": [["Orders 2024"], [], HEADER, *ORDERS]},
        {"Orders": [[None, None, "in pieces", None], HEADER, *ORDERS]},
        {"_Orders": [HEADER, *ORDERS], "Sheet1": []},
    ],
    ids=["cover", "empty", "hidden", "customers", "title", "units", "only hidden"],
)
def test_the_sheet_with_the_table_is_read_below_its_titles(tmp_path, sheets):
    found = read(book(tmp_path / "a.xlsx", **sheets))
    assert list(found.frame.columns) == HEADER
    assert found.frame.to_numpy().tolist() == [[*row[:3], pd.Timestamp(row[3])] for row in ORDERS]


def test_a_sheet_can_be_chosen(tmp_path):
    path = book(tmp_path / "a.xlsx", Orders=[HEADER, *ORDERS], Customers=CUSTOMERS, Notes=[])
    assert peek(path).sheet == "Orders" and peek(path).sheets == ("Orders", "Customers")
    assert "'Orders' is read, not 'Customers'" in peek(path).notes[0]
    assert list(read(path, None, Reading(sheet="customers ")).frame.columns) == ["customer_id", "country"]
    with pytest.raises(SettingError, match="no sheet 'March'; its sheets are: Orders, Customers, Notes"):
        read(path, None, Reading(sheet="March"))
    with pytest.raises(DataError, match=r"'Notes' of 'a.xlsx' is empty"):
        read(path, None, Reading(sheet="Notes"))


def test_gaps_of_merged_cells_are_filled_and_those_of_guests_are_not(tmp_path):
    blocks = [[ORDERS[n][0] if n % 5 == 0 else None, *ORDERS[n][1:]] for n in range(40)]
    blocks = [[40000 + n // 5 if row[0] else None, *row[1:]] for n, row in enumerate(blocks)]
    found = read(book(tmp_path / "a.xlsx", S=[HEADER, *blocks]))
    assert found.frame["customer_id"].tolist() == [40000 + n // 5 for n in range(40)]
    assert "filled with the value above" in found.notes[0]
    guests = [[row[0] if n % 3 == 0 else None, *row[1:]] for n, row in enumerate(ORDERS)]
    assert read(book(tmp_path / "b.xlsx", S=[HEADER, *guests])).frame["customer_id"].isna().sum() == 26


def test_errors_in_cells_are_nothing(tmp_path):
    lines = [["#REF!" if n % 5 == 0 else row[0], *row[1:]] for n, row in enumerate(ORDERS)]
    assert read(book(tmp_path / "a.xlsx", S=[HEADER, *lines])).frame["customer_id"].isna().sum() == 8


def test_a_user_who_is_called_otherwise_than_all_others_is_no_second_header(tmp_path):
    file = tmp_path / "towns.csv"
    file.write_text("user,town\nxelene,Paris\n" + "".join(f"u0000{n},Rome\n" for n in range(1, 9)))
    assert read_table(file)["user"].tolist()[:2] == ["xelene", "u00001"]


@pytest.mark.parametrize("written", [json.dumps, str])
def test_objects_written_as_text_are_opened(tmp_path, written):
    told = [written({"sku": item, "more": {"n": n}, "tags": ["a"]}) for n, item in enumerate(ITEMS)]
    path = tmp_path / "log.csv"
    pd.DataFrame({"user": USERS, "payload": [*told[:-1], None]}).to_csv(path, index=False)
    found = read(path)
    assert list(found.frame.columns) == ["user", "payload.sku", "payload.more.n"]
    assert rows(found, "user", "payload.sku")[:-1] == PAIRS[:-1] and pd.isna(found.frame["payload.sku"].iloc[-1])
    assert "the objects in column payload were opened" in found.notes[0]
    assert read_table(path, ["payload.sku"])["payload.sku"].iloc[0] == "A0"
    assert list(read(path, reading=Reading(as_it_is=True)).frame.columns) == ["user", "payload"]


@pytest.mark.parametrize("other", ["{a}", "[1]", "{", "7", "{" * 5_000 + "}"])
def test_other_texts_are_no_objects(tmp_path, other):
    path = tmp_path / "log.csv"
    pd.DataFrame({"user": USERS, "item": ITEMS, "note": ['{"a": 1}'] * 39 + [other]}).to_csv(path, index=False)
    assert list(read_table(path).columns) == ["user", "item", "note"]
