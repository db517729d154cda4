"""Feedback: acceptance rates, and the factors that the next training uses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from grouprec.core.types import StorageError
from grouprec.data.dataset import Dataset
from grouprec.live.feedback import COLUMNS, acceptance, factors, standing, verdicts
from grouprec.live.stream import Stream
from grouprec.runs.store import Run, RunStore


def said(*rows: tuple) -> pd.DataFrame:
    """Return verdicts from user, group, item, verdict, method."""
    frame = pd.DataFrame(rows, columns=["user", "group", "item", "verdict", "method"])
    return frame.assign(time=0.0, regime="strict")[COLUMNS]


def test_acceptance_is_the_share_of_likes_with_wilsons_interval() -> None:
    rows = said(
        *[("", 1, f"i{n}", "like", "generated") for n in range(8)],
        *[("", 1, f"j{n}", "dislike", "generated") for n in range(2)],
        (None, 1, "i0", "hide", "members_mean"),
        (None, 2, "i0", "like", "members_mean"),
    )
    found = acceptance(rows).set_index(["group", "method"])
    assert found.loc[(1, "generated"), ["likes", "dislikes", "hides", "verdicts"]].tolist() == [8, 2, 0, 10]
    # 8 of 10, as in tables of Wilson's interval
    assert found.loc[(1, "generated"), ["rate", "low", "high"]].tolist() == pytest.approx(
        [0.8, 0.4902, 0.9433], abs=1e-4
    )
    assert found.loc[(1, "members_mean"), "rate"] == 0 and found.loc[(2, "members_mean"), "rate"] == 1


def test_the_last_verdict_counts_and_one_taken_back_does_not() -> None:
    rows = said(
        (None, 1, "a", "like", "m"),
        (None, 1, "a", "dislike", "m"),
        (None, 1, "b", "hide", "m"),
        (None, 1, "b", "unhide", "m"),
        ("u", 1, "a", "like", "m"),
        (None, 2, "a", "like", "m"),
        ("v", np.nan, "a", "like", "m"),
    )
    found = acceptance(rows)
    assert found[["group", "likes", "dislikes", "verdicts"]].to_numpy().tolist() == [[1, 1, 1, 2], [2, 1, 0, 1]]


def test_without_feedback_there_is_nothing(store: RunStore, run: Run, data: Dataset) -> None:
    assert acceptance(verdicts(run)).empty
    assert acceptance(verdicts(run)).columns.tolist()[:3] == ["group", "method", "likes"]
    assert factors(store, run, data.user_ids, data.item_ids).nnz == 0


def test_factors_hold_for_users_and_for_the_present_members_of_groups(store: RunStore, run: Run, data: Dataset) -> None:
    with Stream.open(store, run) as stream:
        stream.apply([{"user": f"u{n:05d}", "item": f"i{n % 7:05d}"} for n in range(40)])  # some users move
        stream.apply(
            [
                {"user": "u00000", "item": "i00003", "behaviour": "hide", "event_id": "1"},
                {"user": "u00001", "item": "i00003", "behaviour": "like", "event_id": "2"},
                {"group": 2, "item": "i00003", "behaviour": "dislike", "event_id": "3"},
                {"group": 2, "item": "i00005", "behaviour": "hide", "event_id": "4"},
            ]
        )
        stream.apply([{"user": "u00001", "item": "i00009", "behaviour": "hide", "event_id": "5"}])
        stream.apply([{"user": "u00001", "item": "i00009", "behaviour": "unhide", "event_id": "6"}])
        labels = np.array(stream.state.labels)
        items = data.item_ids[::-1]  # the next training may number them otherwise, and have fewer users
        found = factors(store, run, data.user_ids[:50], items)  # while the stream is open
    dense = np.ones(found.shape, np.float32)
    rows = np.repeat(np.arange(50), np.diff(found.indptr))
    dense[rows, found.indices] = found.data
    expected = np.ones_like(dense)
    members = labels[:50] == 1
    column = {item: at for at, item in enumerate(items)}
    expected[members, column["i00003"]] = 0.5
    expected[members, column["i00005"]] = 0
    expected[0, column["i00003"]] = 0
    expected[1, column["i00003"]] *= 1.5
    assert np.array_equal(dense, expected)
    assert found.dtype == np.float32 and 0 < members.sum() < 50
    assert found.nnz == (expected != 1).sum(), "hidden items are explicit zeros, what was taken back is absent"


def test_a_damaged_ledger_is_one_sentence(run: Run) -> None:
    (run.ledger).write_bytes(b"rubbish" * 100)
    with pytest.raises(StorageError, match="is damaged"):
        verdicts(run)


def test_what_stands_is_numbered_anew_and_methods_without_a_verdict_count_none() -> None:
    rows = said((None, 1, "a", "unhide", "m"), (None, 1, "b", "like", "m"), ("u", 2, "b", "like", "n"))
    assert standing(rows).index.tolist() == [0, 1] and standing(rows).columns.tolist() == COLUMNS
    found = acceptance(rows)
    assert found[["likes", "dislikes", "hides", "verdicts"]].to_numpy().tolist() == [[1, 0, 0, 1]] * 2
    assert found.columns.tolist() == [
        *("group", "method", "likes", "dislikes", "hides", "verdicts", "rate", "low", "high"),
    ]


def test_the_first_user_the_first_item_and_strangers(store: RunStore, run: Run, data: Dataset) -> None:
    with Stream.open(store, run) as stream:
        stream.apply(
            [
                {"user": "u00000", "item": "i00000", "behaviour": "hide", "event_id": "1"},
                {"user": "nobody", "item": "i00001", "behaviour": "like", "event_id": "2"},
                {"user": "u00003", "item": "nothing", "behaviour": "like", "event_id": "3"},
            ]
        )
    found = factors(store, run, data.user_ids, data.item_ids)
    assert found.nnz == 1 and found.indices.tolist() == [0] and found.data.tolist() == [0]
    assert found.indptr[1] == 1 and found.shape == data.shape
    assert factors(store, run, data.user_ids[1:], data.item_ids).nnz == 0


def test_a_group_speaks_for_its_first_user_too(store: RunStore, run: Run, data: Dataset) -> None:
    with Stream.open(store, run) as stream:
        group = int(stream.state.labels[0]) + 1
        stream.apply([{"group": group, "item": "i00000", "behaviour": "dislike"}])
        members = np.flatnonzero(stream.state.labels == group - 1)
    found = factors(store, run, data.user_ids, data.item_ids)
    assert np.flatnonzero(np.diff(found.indptr)).tolist() == members.tolist() and set(found.data) == {0.5}


def test_events_behind_the_snapshot_count_for_who_is_a_member(store: RunStore, run: Run, data: Dataset) -> None:
    events = [{"user": "new", "item": f"i{n:05d}"} for n in range(5)]
    with Stream.open(store, run) as stream:
        stream.apply([{"user": "u00001", "item": "i00001"}])
        stream.save()
        stream.apply(events)
        group = int(stream.state.labels[-1]) + 1
        stream.apply([{"group": group, "item": "i00007", "behaviour": "hide"}])
        found = factors(store, run, np.array(["new"], object), data.item_ids)
    assert found.indices.tolist() == [7] and found.data.tolist() == [0]
    assert not list(run.live.glob("*.tmp"))
