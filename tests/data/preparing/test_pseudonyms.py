"""Pseudonyms stand for ids everywhere after reading, and tell nothing of them without the key."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from grouprec.core.types import DataError, SettingError
from grouprec.data.preparing import pseudonyms
from grouprec.data.preparing.clean import Preparation
from grouprec.data.preparing.prepare import Prepared, prepare
from grouprec.live.events import check_events
from tests.support.small_run import small_data, write_csv

SECRET = "a secret of the tests, not of yours"
ON = Preparation(pseudonyms=True, min_item_users=1)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(pseudonyms.KEY, SECRET)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_csv(small_data(), tmp_path_factory.mktemp("data") / "shop.csv")


def test_a_pseudonym_is_128_bits_of_hmac_sha256() -> None:
    told = hmac.new(SECRET.encode(), b"17850", hashlib.sha256).hexdigest()
    assert pseudonyms.pseudonym(" 17850 ") == f"p-{told[:32]}"
    assert pseudonyms.pseudonym(pseudonyms.pseudonym("17850")) == pseudonyms.pseudonym("17850")


@pytest.mark.parametrize("secret", ["", "short"])
def test_without_a_key_a_sentence_says_which(monkeypatch: pytest.MonkeyPatch, file: Path, secret: str) -> None:
    monkeypatch.setenv(pseudonyms.KEY, secret)
    with pytest.raises(SettingError, match="GROUPREC_ID_KEY"):
        prepare(file, settings=ON)


def test_another_key_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    known = pseudonyms.fingerprint()
    pseudonyms.require_key(known)
    monkeypatch.setenv(pseudonyms.KEY, "another secret of the tests")
    with pytest.raises(SettingError, match="not the key"):
        pseudonyms.require_key(known)


def rows_of(prepared: Prepared) -> dict[str, list[int]]:
    data = prepared.dataset
    ends, items = data.histories.indptr, data.histories.indices
    return {user: items[ends[row] : ends[row + 1]].tolist() for row, user in enumerate(data.user_ids)}


def test_the_data_are_the_same_but_for_names_and_order(file: Path, tmp_path: Path) -> None:
    about = tmp_path / "who.csv"
    about.write_text("user,town\n" + "".join(f"u{n:05d},town {n % 3}\n" for n in range(80)))
    settings = Preparation(min_item_users=1)
    plain, told = prepare(file, users=about, settings=settings), prepare(file, users=about, settings=ON)
    names = plain.dataset.user_ids
    again = dict(zip(names, pseudonyms.pseudonyms_of(names), strict=True))
    assert {again[user]: rows for user, rows in rows_of(plain).items()} == rows_of(told)
    towns = plain.dataset.user_attributes["town"].to_numpy()
    by_name = dict(zip(told.dataset.user_ids, told.dataset.user_attributes["town"], strict=True))
    assert [by_name[again[user]] for user in names] == towns.tolist()
    assert told.dataset.user_ids.tolist() == sorted(told.dataset.user_ids)
    assert plain.dataset.key != told.dataset.key


def test_rows_are_in_no_order_of_the_ids(file: Path) -> None:
    names = prepare(file, settings=Preparation(min_item_users=1)).dataset.user_ids
    order = np.argsort(pseudonyms.pseudonyms_of(names))
    assert (np.diff(order) < 0).any()


def test_what_cannot_be_read_is_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    good = "".join(f"user{n % 9},item{n % 7},2024-01-{n % 28 + 1:02d}\n" for n in range(200))
    path.write_text("user,item,time\n" + good + "secretive,one,2,3,4,5\n")
    notes = " ".join(prepare(path, settings=ON).report.table()["note"])
    assert "line 202" in notes and "secretive" not in notes
    path.write_text("user,item,time\n" + "a,b,2024-01-01\n" * 3 + "secretive,one,2,3,4,5\n" * 9)
    with pytest.raises(DataError) as error:
        prepare(path, settings=ON)
    assert "secretive" not in str(error.value)


def test_events_find_the_same_users() -> None:
    events = pd.DataFrame({"user": ["17850", pseudonyms.pseudonym("17850"), None], "item": "i1"})
    checked = check_events(events, ON, 2)
    assert checked.table["user"].tolist() == [pseudonyms.pseudonym("17850")] * 2 and checked.malformed == 1
