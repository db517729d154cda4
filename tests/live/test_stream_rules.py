"""The stream's own arithmetic: what is late, named, saved, left off lists, and told of new users and items."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from grouprec.core import files
from grouprec.core.files import write_json
from grouprec.core.types import StorageError
from grouprec.data.dataset import Dataset
from grouprec.live import beginning
from grouprec.live import stream as module
from grouprec.live.beginning import PLACER, start
from grouprec.live.stream import SNAPSHOT, Report, Stream
from grouprec.models.groupers.kmeans import KMeansGrouper
from grouprec.ranking.rules import ListRules
from grouprec.runs.snapshot import FitSnapshot
from grouprec.runs.store import Run, RunStore

DAY = 86400.0


def with_rules(run: Run, **rules: object) -> None:
    config = run.config().model_copy(update={"rules": ListRules(**rules)})
    write_json(run.path / "config.json", config.model_dump(mode="json"))
    run.write_manifest()


def taken(n: int, user: str = "u00001", **more: object) -> list[dict]:
    return [{"user": user, "item": f"i{number:05d}", "event_id": f"{user} {number}", **more} for number in range(n)]


def test_a_report_begins_with_nothing() -> None:
    report = Report(7)
    assert report.counts() == {"events": 7, "applied": 0, "duplicates": 0, "late": 0, "malformed": 0}
    assert (report.moved_users, report.seconds, report.problems) == (0, 0, [])


def test_batches_are_told_to_the_watcher_and_saved_when_enough_came(
    store: RunStore, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Stream.snapshot_every == 10_000
    monkeypatch.setattr(module, "BATCH", 2)
    told: list[float] = []
    with Stream.open(store, run) as stream:
        saved: list[int] = []
        save = stream.save
        monkeypatch.setattr(stream, "save", lambda: (saved.append(stream.ledger.length), save()))
        stream.snapshot_every = 4
        report = stream.apply(taken(9), told.append)
        assert told == [2 / 9, 4 / 9, 6 / 9, 8 / 9, 1] and report.applied == stream.ledger.length == 9
        assert saved == [4, 8] and stream.state.n_events == 9
    assert saved == [4, 8, 9]
    with Stream.open(store, run) as stream:
        monkeypatch.setattr(stream, "save", lambda: saved.append(0))
    assert saved == [4, 8, 9], "nothing came"


def test_a_snapshot_is_on_disk_before_it_takes_the_place_of_the_last(
    store: RunStore, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[str, bool]] = []
    with Stream.open(store, run) as stream:
        stream.apply(taken(1))
        place = stream.folder / SNAPSHOT
        monkeypatch.setattr(files, "to_disk", lambda path: written.append((path.suffix, place.exists())))
        stream.save()
        assert written == [(".tmp", False), ("", True)], "first the file, then its name in the folder"
        assert not list(stream.folder.glob(".*.tmp")) and place.exists()


def test_seconds_have_four_digits(store: RunStore, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([2.0, 3.234567])
    with Stream.open(store, run) as stream:
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: next(moments), time=time.time))
        assert stream.apply([]).seconds == 1.2346


def test_what_is_late_is_told_in_the_order_of_rows(store: RunStore, run: Run, data: Dataset) -> None:
    last = FitSnapshot.load(run.snapshot()).last_times
    last_event = pd.Timestamp(last[5], unit="s", tz="UTC")
    day = last_event.ceil("s")
    events = [
        {"user": "u00005", "item": "i00001", "time": (day - pd.Timedelta(hours=n)).isoformat()} for n in range(12)
    ]
    with Stream.open(store, run) as stream:
        report = stream.apply(events)
        assert (report.applied, report.late, len(report.problems)) == (1, 11, 10)
        assert [problem.split(":")[0] for problem in report.problems] == [f"row {row}" for row in range(2, 12)]
        moment = f"{last_event:%Y-%m-%d %H:%M:%S}"
        assert report.problems[0].endswith(f"is before the last event of user 'u00005', {moment}")
        assert f"{day - pd.Timedelta(hours=1):%Y-%m-%d %H:%M:%S}" in report.problems[0]


def test_the_latest_time_of_a_user_counts_whoever_they_are(store: RunStore, run: Run) -> None:
    def at(day: int, item: int) -> dict:
        return {"user": "new", "item": f"i{item:05d}", "time": f"1990-01-{day:02d}"}

    with Stream.open(store, run) as stream:
        assert stream._last_time("new") == -np.inf
        assert stream.apply([at(5, 1)]).applied == 1
        assert stream._last_time("new") == pd.Timestamp("1990-01-05", tz="UTC").timestamp()
        assert stream.apply([at(4, 2)]).late == 1 and stream.apply([at(5, 3)]).applied == 1
        assert stream.apply([{"user": "new", "item": "i00004"}]).applied == 1
        assert stream._last_time("new") == pd.Timestamp("1990-01-05", tz="UTC").timestamp()


def test_twins_are_told_by_the_first_rows(store: RunStore, run: Run) -> None:
    with Stream.open(store, run) as stream:
        report = stream.apply(taken(1) * 14)
        assert (report.applied, report.duplicates, len(report.problems)) == (1, 13, 10)
        rows = [int(problem.split()[1][:-1]) for problem in report.problems]
        assert rows == sorted(rows) and rows[0] <= 2


def test_attributes_are_kept_of_whom_or_what_is_new(store: RunStore, run: Run) -> None:
    extra = {"region": "region 1", "age": None, "category": "category 0", "shoe": 44}
    pairs = [("u00001", "i00001"), ("new", "i00001"), ("u00001", "fresh"), ("newer", "fresher")]
    with Stream.open(store, run) as stream:
        stream.apply([{"user": user, "item": item, **extra} for user, item in pairs])
        kept = {(entry.user, entry.item): json.loads(entry.attributes) for entry in stream.ledger.read()}
        stream.apply([{"user": "other", "item": "i00001"}])
        assert list(stream.ledger.read())[-1].attributes == "{}"
    told = {"region": "region 1", "category": "category 0"}
    assert kept == {pair: {} if pair == ("u00001", "i00001") else told for pair in pairs}


def test_what_nobody_said_is_nothing_in_the_ledger(store: RunStore, run: Run) -> None:
    with Stream.open(store, run) as stream:
        stream.apply([{"user": "u00001", "item": "i00001", "label": "One"}])
        stream.apply([{"group": 3, "item": "i00001", "behaviour": "like", "time": "2025-01-01", "regime": "strict"}])
        own, group = stream.ledger.read()
    assert (own.user, own.group, own.time, own.weight, own.verdict, own.label) == ("u00001", None, None, 1, 0, "One")
    assert (group.user, group.group, group.verdict, group.behaviour, group.regime) == (None, 3, 1, "like", "strict")
    assert group.time == pd.Timestamp("2025-01-01", tz="UTC").timestamp()


@pytest.mark.parametrize("group", [1, 3])
def test_what_a_group_says_holds_for_that_group(store: RunStore, run: Run, group: int) -> None:
    with Stream.open(store, run) as stream:
        item = int(stream.state.group_list(group - 1, "strict")[0][0])
        stream.apply([{"group": group, "item": f"i{item:05d}", "behaviour": "hide"}])
        listed = [item in stream.state.group_list(one, "strict", 40)[0] for one in range(3)]
        assert listed == [one != group - 1 for one in range(3)] and stream.state.n_events == 0


def test_what_a_user_takes_by_the_file_is_on_no_list_of_their_own(store: RunStore, run: Run, data: Dataset) -> None:
    base = FitSnapshot.load(run.snapshot())
    theirs = {user: base.candidates.items[user, [1, 3]].tolist() for user in (0, 50, 59)}
    cells = [(user, item) for user, items in theirs.items() for item in items]
    held_out = sparse.csr_array((np.ones(6, np.float32), tuple(zip(*cells, strict=True))), shape=data.shape)
    dataclasses.replace(base, held_out=held_out).save(run.snapshot())
    run.write_manifest()
    with Stream.open(store, run) as stream:
        for user in (0, 1, 50, 58, 59):
            whole, scores = stream.state.user_list(user, 50)
            kept = ~np.isin(whole, theirs.get(user, []))
            items, chances = stream.user_list(user, 4)
            assert items.tolist() == whole[kept][:4].tolist() and chances.tolist() == scores[kept][:4].tolist()
            assert len(stream.user_list(user)[0]) == kept.sum()
        stream.apply([{"user": "new", "item": "i00001"}])
        assert len(stream.user_list(60, 5)[0]) == 5


@pytest.mark.parametrize("rules", [{}, {"strategy": "borda"}, {"diversity": 0.5}])
def test_one_list_and_the_heads_are_those_of_all_lists(store: RunStore, run: Run, rules: dict) -> None:
    with_rules(run, **rules)
    with Stream.open(store, run) as stream:
        lists = stream.group_lists()
        assert lists.strict.shape == (3, 50) and lists.ranking.shape == (3, 200)
        assert stream.heads().shape == (3, 10)
        for group in range(3):
            items, scores = stream.group_list(group, "strict", 10)
            assert stream.heads()[group].tolist() == items.tolist() and len(items) == len(scores) == 10
            items, scores = stream.group_list(group, "strict", 4)
            assert len(items) == len(scores) == 4
            if rules:
                assert items.tolist() == lists.strict[group, :4].tolist()
                assert scores.tolist() == lists.strict_scores[group, :4].tolist()
                items, scores = stream.group_list(group, "dedup", 200)
                there = lists.ranking[group] >= 0
                assert 0 in items and there.sum() < 200
                assert items.tolist() == lists.ranking[group][there].tolist()
                assert scores.tolist() == lists.ranking_scores[group][there].tolist()


def test_lists_by_a_strategy_leave_out_what_is_hidden_or_kept_away(store: RunStore, run: Run, data: Dataset) -> None:
    with_rules(run, strategy="borda")
    excluded = np.zeros((3, data.n_items), bool)
    excluded[0, 5], excluded[2, 6] = True, True
    dataclasses.replace(FitSnapshot.load(run.snapshot()), excluded=excluded).save(run.snapshot())
    run.write_manifest()
    said = [(1, 7, "hide"), (3, 8, "hide"), (3, 8, "unhide"), (2, 9, "hide"), (1, 5, "like"), (3, 11, "like")]
    with Stream.open(store, run) as stream:
        assert np.array_equal(stream._excluded(), excluded)
        for number, (group, item, verdict) in enumerate(said):
            event = {"group": group, "item": f"i{item:05d}", "behaviour": verdict, "event_id": str(number)}
            assert stream.apply([event]).applied == 1
        stream.apply([{"user": "u00001", "item": "i00012", "group": 2, "behaviour": "hide"}])
        stream.apply([{"group": 1, "item": "new", "behaviour": "hide"}])
        expected = excluded.copy()
        expected[0, 7], expected[1, 9] = True, True
        assert np.array_equal(stream._excluded(), expected) and stream.base.excluded.sum() == 2
        for group, ranking in enumerate(stream.group_lists().ranking):
            assert not expected[group, ranking[ranking >= 0]].any()


def test_without_rules_nothing_is_kept_away(store: RunStore, run: Run, data: Dataset) -> None:
    with Stream.open(store, run) as stream:
        assert stream._excluded().shape == (3, data.n_items) and not stream._excluded().any()


def test_a_stream_may_lie_in_a_folder_of_its_own(store: RunStore, run: Run, tmp_path: Path) -> None:
    with Stream.open(store, run, tmp_path / "own") as stream:
        stream.apply(taken(2))
        assert stream.folder == tmp_path / "own"
    assert (tmp_path / "own" / SNAPSHOT).exists() and (tmp_path / "own" / PLACER).exists()
    assert not run.ledger.exists()
    with Stream.open(store, run) as stream:
        assert stream.folder == run.live and stream.ledger.length == 0


def test_the_placer_is_learned_once_and_not_at_all_where_groups_are_made_by_attributes(
    store: RunStore, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned: list[int] = []
    placer = beginning.AttributePlacer
    fit = placer.fit
    monkeypatch.setattr(placer, "fit", lambda self, *words: (learned.append(1), fit(self, *words))[1])
    for _ in range(2):
        start(store, run)
        assert learned == [1] and (run.live / PLACER).exists()
    (run.live / PLACER).write_bytes(b"cut short")
    start(store, run)
    assert learned == [1, 1]
    (run.live / PLACER).unlink()
    monkeypatch.setattr(KMeansGrouper, "reads_attributes", True)
    start(store, run)
    assert learned == [1, 1] and not (run.live / PLACER).exists()


def test_a_stream_that_was_interrupted_is_closed_without_a_snapshot(store: RunStore, run: Run) -> None:
    stream = Stream.open(store, run)
    stream.apply(taken(2))
    stream.interrupted = True
    with pytest.raises(StorageError, match="was interrupted"):
        stream.apply([])
    stream.close()
    assert not (run.live / SNAPSHOT).exists()
    with Stream.open(store, run) as again:
        assert again.state.n_events == 2 and not again.interrupted
