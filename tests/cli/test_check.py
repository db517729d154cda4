"""``grouprec check``: what of a file is understood, as a person and as a script read it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.beside import plant
from tests.cli.test_cli import grouprec, refused  # noqa: F401  # a fixture
from tests.support.commands import call

HEADER = "customer_id,product_id,product_name,quantity,date"
LINES = [
    f"K{100 + n % 30},A{n % 11},Mug number {n % 11},{n % 4 + 1},2024-{1 + n % 9:02d}-{1 + n % 28:02d}"
    for n in range(400)
]
KEYS = [
    "rows",
    "read",
    "rejected",
    "roles",
    "users",
    "items",
    "split",
    "choose_users",
    "judge_users",
    "period",
    "labels",
]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.csv"
    path.write_text("\n".join([HEADER, *LINES[:200], "K1,A1", *LINES[200:], ""]))
    return path


def test_the_answer_has_what_the_contract_says(grouprec, shop: Path) -> None:  # noqa: F811
    found = grouprec("check", shop, "--json").json
    assert list(found) == [*KEYS, "encoding", "doubts", "steps"]
    assert (found["rows"], found["read"], found["rejected"]) == (401, 400, 1)
    assert found["roles"]["user"] == "customer_id" and found["roles"]["item"] == "product_id"
    assert (found["users"], found["items"], found["split"], found["encoding"]) == (30, 11, "user_time", "utf-8")
    assert found["period"] == ["2024-01-01T00:00:00+00:00", "2024-09-28T00:00:00+00:00"]
    assert len(found["labels"]) == 5 and all(label.startswith("Mug number") for label in found["labels"])
    assert 0 < found["judge_users"] <= 30 and 0 < found["choose_users"] <= 30
    assert (
        "1 of 401 rows cannot be read: line 202 has 2 values where the header has 5 columns ('K1,A1')."
        in found["doubts"]
    )
    assert found["steps"][:2] == [
        {"step": "read", "before": 401, "after": 401},
        {"step": "rows that cannot be read", "before": 401, "after": 400},
    ]


def test_people_get_sentences_and_the_rejected_rows(grouprec, shop: Path, tmp_path: Path) -> None:  # noqa: F811
    goods = tmp_path / "goods.csv"
    goods.write_text("product_id,price\nA1,2\nA2,3\nB1,4\n")
    answer = grouprec("check", shop, "--items", goods, "--rejects", tmp_path / "rejects.csv")
    assert "goods.csv describes 2 of 11 items that lists are made of (price)." in answer.err
    assert answer.status == 0
    assert "400 of 401 rows read; 30 users, 11 items, 2024-01-01 to 2024-09-28" in answer.err
    assert pd.read_csv(tmp_path / "rejects.csv").to_dict("records") == [
        {"line": 202, "rule": "2 values where the header has 5 columns", "text": "K1,A1"}
    ]


def test_a_file_with_too_many_bad_rows_is_refused_and_these_are_saved(grouprec, tmp_path: Path) -> None:  # noqa: F811
    path = tmp_path / "a.csv"
    path.write_text("\n".join([HEADER, *LINES[:90], *["K1A1"] * 10]))
    answer = grouprec("check", path, "--rejects", tmp_path / "r.csv")
    refused(answer, "10 of 100 rows of 'a.csv' cannot be read", "line 92 has 1 value", "data.most_rejected")
    assert len(pd.read_csv(tmp_path / "r.csv")) == 10


def test_a_role_that_nothing_speaks_for_has_to_be_named(grouprec, tmp_path: Path) -> None:  # noqa: F811
    path = tmp_path / "a.csv"
    path.write_text("alpha,beta,gamma\n" + "".join(f"{n % 9},{n % 5},{n % 7}\n" for n in range(90)))
    refused(grouprec("check", path), "user", "--map", "alpha, beta, gamma")
    assert grouprec("check", path, "--map", "user=alpha,item=beta", "--json").json["users"] == 9


def test_encoding_and_sheet_can_be_named(grouprec, tmp_path: Path) -> None:  # noqa: F811
    path = tmp_path / "a.csv"
    path.write_bytes("\n".join([HEADER, *LINES]).replace("Mug", "Größe").encode("cp850"))
    found = grouprec("check", path, "--json").json
    assert found["encoding"] == "cp850" and found["labels"][0].startswith("Größe")
    assert any("read as cp850, as in Größe" in doubt for doubt in found["doubts"])
    chosen = grouprec("check", path, "--encoding", "latin-1", "--json").json
    assert chosen["encoding"] == "iso8859-1" and "Größe" not in chosen["labels"][0]
    refused(grouprec("check", path, "--encoding", "klingon"), "There is no encoding 'klingon'")
    table = pd.read_csv(path, encoding="cp850")
    with pd.ExcelWriter(tmp_path / "a.xlsx") as book:
        table.to_excel(book, sheet_name="2024", index=False)
        table.head(300).to_excel(book, sheet_name="2023", index=False)
    assert grouprec("check", tmp_path / "a.xlsx", "--sheet", "2023", "--json").json["rows"] == 300
    refused(grouprec("check", tmp_path / "a.xlsx", "--sheet", "2022"), "no sheet '2022'", "2024, 2023")


def test_a_check_needs_neither_torch_nor_sklearn(shop: Path) -> None:
    code = "import sys; sys.argv = ['grouprec', 'check', sys.argv[1], '--json']\nfrom grouprec.cli.main import main\n"
    code += "try:\n    main()\nexcept SystemExit:\n"
    unused = ("torch", "streamlit", "sklearn", "numpy.f2py.crackfortran", "unittest")  # the last two come with scipy
    code += f"    print([name for name in {unused} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code, str(shop)], capture_output=True, text=True, check=True)
    first, last = answer.stdout.strip().splitlines()
    assert json.loads(first)["users"] == 30 and last == "[]"


def test_a_folder_and_a_database_are_checked_as_one_file(grouprec, tmp_path: Path) -> None:  # noqa: F811
    rows = [(f"u{n % 9}", f"i{n % 7}") for n in range(90)]
    for n in range(3):
        part = "".join(f"{user},{item}\n" for user, item in rows[n::3])
        (tmp_path / f"{n}.csv").write_text(f"user,item\n{part}")
    base = sqlite3.connect(tmp_path / "shop.db")
    base.execute("CREATE TABLE orders (user TEXT, item TEXT)")
    base.executemany("INSERT INTO orders VALUES (?, ?)", rows)
    base.commit()
    base.close()
    for source in ([str(tmp_path / "*.csv")], [str(tmp_path / "shop.db"), "--query", "SELECT * FROM orders"]):
        found = grouprec("check", *source, "--json").json
        assert (found["rows"], found["users"], found["items"]) == (90, 9, 7)


def test_files_beside_the_interactions_are_told_of_or_refused(tmp_path: Path) -> None:
    files = plant(tmp_path, told=True, n_users=60, n_items=40, n_groups=4)
    answer = call("check", files["interactions"], "--also", files["also"], "--edges", files["edges"])
    assert answer.status == 0
    assert "also.csv tells of 60 of 60 users what they take elsewhere" in answer.err
    assert "edges.csv connects 60 of 60 users by" in answer.err
    answer = call("check", files["interactions"], "--edges", files["also"])
    assert answer.status == 2 and "connects no two users" in answer.err
