"""The quick ways of the data layer give what the careful ones give."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from grouprec.data.preparing import prepare
from grouprec.data.preparing.clean import Preparation
from grouprec.data.preparing.prepare import Prepared
from grouprec.data.preparing.steps import Report, Rows, merge_duplicates
from grouprec.data.reading import read_text
from grouprec.data.values import times

quietly = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    max_examples=25,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
STAMPS = st.datetimes(pd.Timestamp("1970-01-02").to_pydatetime(), pd.Timestamp("2025-01-01").to_pydatetime())
WORDS = st.sampled_from(["a", "b", "Äpfel", "x y", "00123", "7", "7.0", 'say "hi"', "1,5", "é", "e\u0301", " padded"])


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    n = draw(st.integers(30, 80))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    stamps = pd.to_datetime(rng.integers(1_500_000_000, 1_600_000_000, 20), unit="s").strftime(
        draw(st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"]))
    )
    words = draw(st.lists(WORDS, min_size=3, max_size=8, unique=True))
    return pd.DataFrame({
        "user_id": rng.choice([f"u{k}" for k in range(6)], n),
        "item_id": rng.choice(words, n),
        "timestamp": rng.choice(stamps.to_numpy(), n),
        "quantity": rng.choice(["1", "2", "", "3.5"], n),
        "event": rng.choice(["view", "buy"], n),
    })  # fmt: skip


def outcome(path: Path) -> Prepared | str:
    try:
        return prepare.prepare(path, settings=Preparation(min_item_users=1))
    except prepare.DataError as error:
        return str(error)


def assert_same(one: Prepared | str, other: Prepared | str) -> None:
    if isinstance(one, str) or isinstance(other, str):
        assert one == other
        return
    assert one.report.steps == other.report.steps and one.doubts == other.doubts
    for part in ("train", "validation", "test"):
        for name in ("user_rows", "item_rows", "weights", "times"):
            ours, theirs = (getattr(getattr(found.dataset, part), name) for found in (one, other))
            np.testing.assert_array_equal(ours, theirs)
    for name in ("user_ids", "item_ids", "item_labels"):
        np.testing.assert_array_equal(getattr(one.dataset, name), getattr(other.dataset, name))
    pd.testing.assert_frame_equal(one.dataset.user_attributes, other.dataset.user_attributes)


@quietly
@given(tables())
def test_dictionaries_and_arrow_give_what_the_careful_reader_gives(tmp_path: Path, table: pd.DataFrame) -> None:
    path = tmp_path / "shop.csv"
    table.to_csv(path, index=False)
    quick = outcome(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read_text, "_quick", no_quick_way)
        patch.setattr(times, "_plain_texts_seconds", lambda column: None)
        careful = outcome(path)
    assert_same(quick, careful)


def no_quick_way(*_: object) -> None:
    raise read_text._NotPlain


@quietly
@given(st.lists(STAMPS, min_size=1, max_size=30), st.sampled_from([" ", "T"]), st.booleans(), st.booleans())
def test_times_by_arrow_are_those_read_by_their_shape(stamps: list, between: str, gap: bool, seconds: bool) -> None:
    form = f"%Y-%m-%d{between}%H:%M{':%S.%f' if seconds else ''}"
    texts = pd.Series([*([None] if gap else []), *(stamp.strftime(form) for stamp in stamps)], dtype="str")
    quick = times._plain_texts_seconds(texts)
    assert quick is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(times, "_plain_texts_seconds", lambda column: None)
        np.testing.assert_array_equal(quick, times.to_seconds(texts))


@pytest.mark.parametrize(
    "texts", [["2024-13-01"], ["2024-01-01", "soon"], ["20240101"], ["1700000000"], ["2024-01-01 "]]
)
def test_what_arrow_cannot_vouch_for_is_read_by_its_shape(texts: list[str]) -> None:
    assert times._plain_texts_seconds(pd.Series(texts, dtype="str")) is None


@quietly
@given(st.integers(0, 2**32), st.booleans(), st.booleans(), st.sampled_from(["sum", "last"]))
def test_duplicates_by_one_key_are_those_of_all_columns(
    seed: int, timed: bool, told: bool, merge: Literal["sum", "last"]
) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    rows = Rows(
        users=rng.integers(0, 4, n).astype(np.int32),
        items=rng.integers(0, 3, n).astype(np.int32),
        weights=rng.random(n),
        times=rng.choice([0.0, -0.0, 1.5, 2e9], n) if timed else None,
        behaviours=rng.integers(0, 2, n).astype(np.int32) if told else None,
        orders=None,
        spend=rng.choice([1.0, np.nan], n),
        source=np.arange(n),
    )
    found = merge_duplicates(rows, merge, Report())
    names = ["users", "items", *(["times"] if timed else []), *(["behaviours"] if told else [])]
    table = pd.DataFrame(
        {name: getattr(rows, name) for name in names} | {"weights": rows.weights, "source": rows.source}
    )
    told_by = {"weights": "sum" if merge == "sum" else "last", "source": "first"}
    right = table.groupby(names, sort=False).agg(told_by).sort_values("source")
    np.testing.assert_array_equal(found.source, right["source"])
    np.testing.assert_allclose(found.weights, right["weights"])


def test_rows_with_one_key_that_differ_stay_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grouprec.data.preparing.steps._MIX", np.uint64(0))
    codes = np.arange(4, dtype=np.int32)
    rows = Rows(codes, codes, np.ones(4), None, None, None, None, codes)
    assert len(merge_duplicates(rows, "sum", Report())) == 4
    twice = dataclasses.replace(rows, users=codes % 2, items=codes % 2)
    assert len(merge_duplicates(twice, "sum", Report())) == 2
