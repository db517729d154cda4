"""Addresses and hashes of addresses are no attributes, and the preparation says so."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from grouprec.data.preparing.clean import Preparation
from grouprec.data.preparing.personal import names_people
from grouprec.data.preparing.prepare import prepare

ADDRESSES = [f"someone{n}@example.org" for n in range(40)]


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256", "sha512"])
def test_hashes_of_addresses_name_people(kind: str) -> None:
    assert names_people(pd.Series([hashlib.new(kind, one.encode()).hexdigest() for one in ADDRESSES]))


@pytest.mark.parametrize(
    "values", [["Paris", "Rome"], ["12", "34"], ["@anna", "@tom"], [None, None], ["a@b.org", "Rome", "Oslo"], [1.5, 2]]
)
def test_other_values_do_not(values: list[object]) -> None:
    assert names_people(pd.Series(ADDRESSES)) and not names_people(pd.Series(values))


def test_they_are_left_out_of_both_files_with_a_word(tmp_path: Path) -> None:
    rows = [f"u{n % 40},i{n % 7},2024-01-{n % 28 + 1:02d},{ADDRESSES[n % 40]},town {n % 2}" for n in range(400)]
    (tmp_path / "shop.csv").write_text("user,item,time,contact,region\n" + "\n".join(rows))
    hashed = [hashlib.md5(one.encode()).hexdigest() for one in ADDRESSES]
    about = [f"u{n},{hashed[n]},level {n % 3}" for n in range(40)]
    (tmp_path / "who.csv").write_text("user,em,level\n" + "\n".join(about))
    settings = Preparation(min_item_users=1)
    prepared = prepare(tmp_path / "shop.csv", users=tmp_path / "who.csv", settings=settings)
    columns = prepared.dataset.user_attributes.columns
    assert "level" in columns and not {"contact", "em"} & set(columns)
    assert any("'em'" in doubt and "name people" in doubt for doubt in prepared.doubts)
