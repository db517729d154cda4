"""The stream of a run: every event counts once, problems are named, crashes and restarts change nothing."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import shutil
import sqlite3
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from grouprec.cli.main import main
from grouprec.core.files import read_json, write_json
from grouprec.core.forms import mark_of
from grouprec.core.types import StorageError
from grouprec.data.dataset import Dataset
from grouprec.live.events import FACTORS
from grouprec.live.ledger import Entry, Ledger
from grouprec.live.stream import SNAPSHOT, Stream
from grouprec.ranking.rules import ListRules
from grouprec.report.csv import export_run, export_stream
from grouprec.runs.places import LEDGER
from grouprec.runs.snapshot import FitSnapshot
from grouprec.runs.stages import load_stage
from grouprec.runs.store import Run, RunStore
from tests.support.fitted_run import DAY, build_fitted_run, make_events

FILES = ["group_lists.csv", "group_rankings.csv", "members.csv", "user_lists.csv"]


@pytest.fixture(scope="module")
def built(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return build_fitted_run(RunStore(tmp_path_factory.mktemp("built")), data, n_groups=4)


def open_stream(run: Run) -> Stream:
    return Stream.open(RunStore(run.path.parent), run)


def at(data: Dataset, day: float) -> str:
    """A moment so many days after the last event that training has seen."""
    return pd.Timestamp(data.train.times.max() + day * DAY, unit="s", tz="UTC").isoformat()


def everything(stream: Stream) -> dict[str, bytes]:
    lists = dataclasses.asdict(stream.state.group_lists())
    arrays = {**stream.state.arrays(), **lists, "labels": stream.state.labels}
    return {name: values.tobytes() for name, values in arrays.items()}


def test_events_move_the_user_and_every_one_is_accounted_for(run: Run, data: Dataset) -> None:
    first = {"user": "u00001", "item": "i00030", "time": at(data, 1)}
    events = [
        {**first, "item": "i00031", "time": at(data, 2)},
        first,
        first,
        {"user": "u00002", "item": "i00001", "time": "1970-01-01"},
        {"user": "u00002", "time": at(data, 1)},
    ]
    with open_stream(run) as stream:
        before = stream.state.user_list(1)[0]
        report = stream.apply(events)
        assert dataclasses.replace(report, seconds=0, moved_users=0, problems=[]).__dict__ == {
            **{"events": 5, "applied": 2, "duplicates": 1, "late": 1, "malformed": 1},
            **{"moved_users": 0, "seconds": 0, "problems": []},
        }
        assert report.problems[:2] == ["row 5: it has no item", "row 3: it is an event that came before"]
        assert "row 4:" in report.problems[2] and "before the last event of user 'u00002'" in report.problems[2]
        assert [entry.item for entry in stream.ledger.read()] == ["i00030", "i00031"], "in the order of time"
        assert not set(stream.state.user_list(1)[0]) & {30, 31}
        assert before.tolist() != stream.state.user_list(1)[0].tolist()
        assert stream.ledger.counters() == report.counts()


def test_the_same_file_sent_again_applies_nothing(run: Run, data: Dataset) -> None:
    timed = make_events(data, 60, np.random.default_rng(1))
    untimed = timed[["user", "item"]].head(9).assign(event_id=["a", "b", "c"] + [None] * 6)
    with open_stream(run) as stream:
        assert stream.apply(timed).applied == 60
        assert stream.apply(untimed).applied == 9
        state = everything(stream)
    with open_stream(run) as stream:
        for events in (timed.sample(frac=1, random_state=0), untimed):
            report = stream.apply(events)
            assert (report.applied, report.duplicates) == (0, len(events))
        assert everything(stream) == state


def test_an_event_that_is_older_than_one_applied_is_late_and_equal_times_are_not(run: Run, data: Dataset) -> None:
    def event(item: str, day: float, **more: object) -> dict:
        return {"user": "u00001", "item": item, "time": at(data, day), **more}

    with open_stream(run) as stream:
        assert stream.apply([event("i00001", 5)]).applied == 1
        assert stream.apply([event("i00002", 5)]).applied == 1
        assert stream.apply([event("i00003", 4)]).late == 1
        assert stream.apply([event("i00003", 4, behaviour="hide")]).applied == 1, "feedback is never late"
    with open_stream(run) as stream:
        assert stream.apply([event("i00004", 4)]).late == 1, "also after a restart"
        assert stream.apply([event("i00004", 6)]).applied == 1
        assert stream.apply([{"user": "u00001", "item": "i00004"}]).applied == 1, "nothing says when"


def test_new_users_and_items_are_taken_in(run: Run, data: Dataset) -> None:
    with open_stream(run) as stream:
        report = stream.apply(
            [
                {"user": "new", "item": "i00003", "time": at(data, 1), "region": "region 2", "age": 33},
                {"user": "u00001", "item": "fresh", "label": "Item 7", "time": at(data, 1), "category": "category 0"},
                {"user": "u00001", "item": "blank", "time": at(data, 2)},
            ]
        )
        assert report.applied == 3 and report.moved_users <= 1
        state = stream.state
        assert state.user_ids[-1] == "new" and state.item_ids[-2:] == ["fresh", "blank"]
        assert state.item_labels[-2] == "Item 7"
        told = {entry.user: json.loads(entry.attributes) for entry in stream.ledger.read()}
        assert told["new"] == {"region": "region 2", "age": 33}
        out = run.path / "out"
        export_stream(stream, out)
    members = pd.read_csv(out / "members.csv", dtype={"user": str})
    assert members["user"].tolist() == [*data.user_ids, "new"]
    lists = pd.read_csv(out / "user_lists.csv")
    assert (lists["user"] == "new").sum() > 0


def test_feedback_changes_lists_at_once_and_is_exported(run: Run, data: Dataset) -> None:
    with open_stream(run) as stream:
        best = [data.item_ids[row] for row in stream.state.group_list(1, "strict")[0][:2]]
        own = [data.item_ids[row] for row in stream.state.user_list(0)[0]]
        events = [
            {"group": 2, "item": best[0], "behaviour": "hide", "time": at(data, 1), "regime": "strict"},
            {"user": "u00000", "item": own[0], "behaviour": "hide", "time": at(data, 1), "method": "members_mean"},
            {"user": "u00000", "item": own[3], "behaviour": "like", "time": at(data, 2)},
        ]
        assert stream.apply(events).applied == 3
        files = export_stream(stream, run.path / "out")
        assert files["feedback.csv"] == 3
        assert stream.state.n_events == 0, "a verdict is not a step of the user"
    read = {path.name: pd.read_csv(path) for path in (run.path / "out").iterdir()}
    assert best[0] not in set(read["group_lists.csv"].query("group == 2")["item"])
    assert own[0] not in set(read["user_lists.csv"].query("user == 'u00000'")["item"])
    feedback = read["feedback.csv"]
    assert feedback.columns.tolist() == ["time", "user", "group", "item", "verdict", "method", "regime"]
    assert sorted(feedback["verdict"]) == ["hide", "hide", "like"]
    assert feedback[feedback["user"].isna()]["group"].tolist() == [2]
    assert pd.to_datetime(feedback["time"], utc=True).is_monotonic_increasing


def test_the_last_verdict_counts_and_can_be_taken_back(run: Run, data: Dataset) -> None:
    path = run.snapshot()
    excluded = np.zeros((4, data.n_items), bool)
    excluded[1, 3] = True
    dataclasses.replace(FitSnapshot.load(path), excluded=excluded).save(path)
    run.write_manifest()
    with open_stream(run) as stream:
        group, user = (part.tolist() for part in stream.state.group_list(1, "strict")), stream.state.user_list(0)[0]
        items, scores = group
        for number, verdict in enumerate(["hide", "like", "like", "dislike", "hide", "unhide"]):
            said = {"behaviour": verdict, "time": at(data, 1 + number)}
            of_group = {"group": 2, "item": data.item_ids[items[2]], **said}
            of_user = {"user": "u00000", "item": data.item_ids[user[2]], **said}
            lifted = {"group": 2, "item": data.item_ids[3], **said}
            assert stream.apply([of_group, of_user, lifted]).applied == 3
            now = dict(zip(*(part.tolist() for part in stream.state.group_list(1, "strict", 40)), strict=True))
            assert 3 not in now, "what rules keep away stays away"
            if verdict == "hide":
                assert items[2] not in now and user[2] not in stream.state.user_list(0)[0]
            else:
                assert now[items[2]] == pytest.approx(FACTORS[verdict] * scores[2])
        assert stream.state.user_list(0)[0].tolist() == user.tolist()


def test_before_any_event_the_export_is_that_of_the_run_byte_for_byte(run: Run, data: Dataset) -> None:
    export_run(run, run.path / "calm")
    with open_stream(run) as stream:
        stream.apply([])
        export_stream(stream, run.path / "out")
        assert sorted(path.name for path in (run.path / "out").iterdir()) == FILES
        for name in FILES:
            assert (run.path / "out" / name).read_bytes() == (run.path / "calm" / name).read_bytes(), name
        stream.apply([{"user": "u00000", "item": "i00001", "time": at(data, 1)}])
        export_stream(stream, run.path / "out")
    own = [pd.read_csv(run.path / folder / "user_lists.csv").query("user != 'u00000'") for folder in ("calm", "out")]
    assert own[0].equals(own[1]), "nothing has come of the others"


@pytest.mark.parametrize("rules", [{"strategy": "borda"}, {"diversity": 0.5}])
def test_lists_after_events_follow_the_rules_of_the_run(run: Run, data: Dataset, rules: dict) -> None:
    with open_stream(run) as stream:
        plain = stream.group_lists()
    config = run.config().model_copy(update={"rules": ListRules(**rules)})
    write_json(run.path / "config.json", config.model_dump(mode="json"))
    run.write_manifest()
    with open_stream(run) as stream:
        ruled = stream.group_lists()
        hidden = int(ruled.strict[1, 0])
        stream.apply([{"group": 2, "item": data.item_ids[hidden], "behaviour": "hide"}])
        assert hidden not in stream.group_lists().ranking[1]
        assert hidden in stream.group_lists().ranking[0]
    assert ruled.strict.tolist() != plain.strict.tolist()


def test_a_snapshot_saves_time_and_nothing_else(run: Run, data: Dataset) -> None:
    events = make_events(data, 80, np.random.default_rng(2))
    with open_stream(run) as stream:
        stream.apply(events)
        state = everything(stream)
    snapshot = run.path / "live" / SNAPSHOT
    assert snapshot.exists()
    for content in (snapshot.read_bytes(), snapshot.read_bytes()[:-100], b"", None):
        snapshot.unlink() if content is None else snapshot.write_bytes(content)
        with open_stream(run) as stream:
            assert everything(stream) == state


def test_a_ledger_that_lost_events_is_told_and_left_alone(run: Run, data: Dataset) -> None:
    with open_stream(run) as stream:
        stream.apply(make_events(data, 30, np.random.default_rng(3)))
    whole = run.ledger.read_bytes()
    for left in (None, b""):
        run.ledger.unlink() if left is None else run.ledger.write_bytes(left)
        with pytest.raises(
            StorageError, match=r"gone\); restore it from a copy, or move it, .*and \.ledger\.kept away"
        ):
            open_stream(run)
        mark_of(run.ledger).unlink()  # an older version did not make one
        with pytest.raises(StorageError, match=r"up to number 30, are not in it\); restore it"):
            open_stream(run)
    run.ledger.write_bytes(whole)
    open_stream(run).close()
    run.ledger.unlink()
    for path in (run.live_state, mark_of(run.ledger)):  # as the sentence says
        path.unlink()
    with open_stream(run) as stream:
        assert stream.state.n_events == 0
        stream.apply([{"user": "u00001", "item": "i00001", "time": at(data, 1)}] * 2)
        assert stream.state.n_events == 1


def test_an_error_in_the_middle_leaves_the_ledger_right(run: Run, data: Dataset, monkeypatch) -> None:
    events = make_events(data, 300, np.random.default_rng(4))
    with open_stream(run) as calm:
        calm.apply(events)
        expected = everything(calm)
    for path in (run.ledger, run.live_state, mark_of(run.ledger)):
        path.unlink()
    with open_stream(run) as stream:
        step, calls = stream.state.event, iter(range(250))

        def stop(user_row: int, item_row: int) -> object:
            if next(calls) == 220:
                raise KeyboardInterrupt
            return step(user_row, item_row)

        monkeypatch.setattr(stream.state, "event", stop)
        with pytest.raises(KeyboardInterrupt):
            stream.apply(events)
        with pytest.raises(StorageError, match="open it again"):
            stream.apply([{"user": "u00001", "item": "i00001", "time": at(data, 9)}])
    assert not (run.path / "live" / SNAPSHOT).exists(), "half an event would be in it"
    with open_stream(run) as stream:
        assert stream.apply(events).applied < 300
        assert everything(stream) == expected


def test_only_one_process_or_stream_writes(run: Run, data: Dataset) -> None:
    with open_stream(run) as stream:
        with pytest.raises(StorageError, match="Another process is sending events to the run"):
            open_stream(run)
        answers = multiprocessing.get_context("fork").SimpleQueue()

        def other() -> None:
            try:
                open_stream(run)
            except StorageError as error:
                answers.put(str(error))

        process = multiprocessing.get_context("fork").Process(target=other)
        process.start()
        process.join()
        assert "Another process" in answers.get()
        assert stream.apply([{"user": "u00001", "item": "i00001", "time": at(data, 1)}]).applied == 1
    open_stream(run).close()


def test_a_run_that_cannot_take_events_says_so(run: Run) -> None:
    base = run.snapshot()
    base.rename(base.with_suffix(".away"))
    with pytest.raises(StorageError, match=r"live/final\.safetensors is missing"):
        open_stream(run)
    run.write_manifest()
    with pytest.raises(StorageError, match="has nothing to send events to"):
        open_stream(run)
    base.with_suffix(".away").rename(base)
    run.write_manifest()
    run.ledger.write_bytes(b"rubbish" * 1000)
    with pytest.raises(StorageError, match="is damaged"):
        open_stream(run)
    run.ledger.unlink()
    (run.path / "manifest.json").unlink()
    with pytest.raises(StorageError, match="is not finished"):
        open_stream(run)


def test_a_stage_comes_back_with_its_settings_also_from_another_run(run: Run) -> None:
    store = RunStore(run.path.parent)
    stage = load_stage(store, run, "updater")
    assert stage.config.hidden_size == 16
    other = Run(run.path.with_name("other"))
    shutil.copytree(run.path, other.path)
    shutil.rmtree(run.path / "stages")
    again = load_stage(store, run, "updater").arrays()
    assert all(np.array_equal(values, again[name]) for name, values in stage.arrays().items())
    for missing in (("profile", "final"), ("updater", "judged")):
        with pytest.raises(StorageError, match=f"has no readable {missing[0]}"):
            load_stage(store, run, *missing)


def test_a_ledger_takes_a_batch_whole_or_not_at_all(tmp_path: Path) -> None:
    def entry(key: str) -> Entry:
        return Entry(key, "u", "i", None, None, 1.0, "", 0, "", "{}", "", "")

    ledger = Ledger(tmp_path, "a test")
    ledger.append([entry("a"), entry("b")])
    with pytest.raises(StorageError, match="damaged"):
        ledger.append([entry("c"), entry("a")])
    assert (ledger.length, ledger.known(["a", "b", "c"])) == (2, {"a", "b"})
    ledger.append([entry("c")])
    assert [one.key for one in ledger.read()] == ["a", "b", "c"]
    ledger.close()
    with sqlite3.connect(tmp_path / LEDGER) as file:
        assert file.execute("SELECT max(sequence) FROM events").fetchone() == (3,)


@pytest.fixture
def update(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], run: Run):
    """Run `grouprec update` and return its status, stdout and stderr."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["grouprec", "update", *map(str, words), "--runs", str(run.path.parent)])
        with pytest.raises(SystemExit) as stop:
            main()
        return int(stop.value.code or 0), *capfd.readouterr()

    return call


def test_the_command_applies_a_file_and_writes_the_exports(update, run: Run, data: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "new.csv"
    lines = [f"u00001,i00030,{at(data, 1)}", f"u00002,,{at(data, 1)}", f"n,i00030,{at(data, 2)}"]
    file.write_text("\n".join(["CustomerID,StockCode,InvoiceDate", *lines]))
    status, out, err = update("last", file, "--out", tmp_path / "out", "--json")
    assert status == 0, err
    answer = json.loads(out.strip().splitlines()[-1])
    assert list(answer) == ["events", "applied", "duplicates", "late", "malformed", "moved_users", "seconds"]
    assert [answer[name] for name in ("events", "applied", "duplicates", "late", "malformed")] == [3, 2, 0, 0, 1]
    assert "row 2: it has no item" in err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES
    _, out, _ = update(run.run_id, file, "--out", tmp_path / "again", "--json")
    assert json.loads(out)["duplicates"] == 2
    for name in FILES:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_the_command_refuses_what_it_cannot_use_with_one_sentence(update, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "new.csv"
    file.write_text("price,stock\n1,2\n3,4\n")
    (tmp_path / "taken").write_text("a file")
    good = tmp_path / "good.csv"
    good.write_text("user,item\nu00001,i00001\n")
    for words, sentence in (
        (("last", tmp_path / "nothing.csv"), "nothing.csv"),
        (("nothing", file), "no run called 'nothing'"),
        (("last", file), "No column was found for the user"),
        (("last", file, "--map", "user=nope"), "no column 'nope'"),
    ):
        status, _, err = update(*words, "--out", tmp_path / "out")
        assert status == 2 and sentence in " ".join(err.split()) and "Traceback" not in err
    status, _, err = update("last", good, "--out", tmp_path / "taken")
    assert status == 2 and "Cannot write" in err
    assert read_json(run.path / "manifest.json") and not run.ledger.exists(), "nothing was applied"
