"""Sources that the server's owner allows, on the Data page."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import streamlit as st

from grouprec.data.library import Library
from grouprec.runs.store import RunStore
from grouprec.ui.data import remote
from tests.ui.data.test_page import answer, shop
from tests.ui.opening import visit


@pytest.fixture
def library(runs_folder: RunStore) -> Library:
    return Library(runs_folder.root / "datasets")


def test_nothing_is_offered_where_nothing_is_allowed(library: Library) -> None:
    assert not any(button.key == "remote_fetch" for button in visit("data").button)


def test_a_folder_that_is_allowed_is_fetched_and_looked_at(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "a.csv").write_bytes(shop())
    (tmp_path / "orders" / "b.csv").write_bytes(shop(n_users=30))
    monkeypatch.setattr(st, "secrets", {"sources": {"orders": str(tmp_path / "orders")}})
    app = visit("data")
    app.button(key="remote_fetch").click().run()
    assert not app.exception and not app.error
    entry = library.list()[1]
    assert entry.name == "orders.parquet" and entry.rows == 420
    assert answer(app)
    assert str(tmp_path / "orders") not in "".join(path.read_text() for path in library.root.rglob("dataset.json"))


def test_a_database_is_asked_a_query_and_what_is_wrong_is_a_sentence(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("adbc_driver_sqlite")
    with sqlite3.connect(tmp_path / "shop.db") as base:
        base.execute("CREATE TABLE orders (user TEXT, item TEXT)")
        base.executemany("INSERT INTO orders VALUES (?, ?)", [(f"u{n % 9}", f"i{n % 7}") for n in range(90)])
    base.close()
    monkeypatch.setattr(st, "secrets", {"sources": {"shop": {"address": f"sqlite:///{tmp_path / 'shop.db'}"}}})
    app = visit("data")
    app.button(key="remote_fetch").click().run()
    assert "say what to read with a query" in app.error[0].value
    app.text_area(key="remote_query").input("SELECT * FROM orders").run()
    app.button(key="remote_fetch").click().run()
    assert not app.exception and library.list()[1].rows == 90


def test_a_query_may_be_given_with_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "secrets", {"sources": {"shop": {"address": "duckdb:///a.duckdb", "query": "SELECT 1"}}})
    assert not remote.allowed()["shop"].asks
