"""The replay of the held-out part: the same state as events one by one, and true counters."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from grouprec.core.files import read_json, write_json
from grouprec.core.types import Candidates, StorageError
from grouprec.data.dataset import Dataset
from grouprec.explore.tables import held_out_table
from grouprec.live import replay as module
from grouprec.live.beginning import start
from grouprec.live.replay import Replay
from grouprec.live.state import Change, LiveState
from grouprec.live.stream import Stream
from grouprec.models.placement import AttributePlacer
from grouprec.ranking.candidates import taste
from grouprec.runs.store import Run, RunStore
from tests.live.tiny import ByFirst, Next, tiny_base
from tests.support.small_run import copy_of


@pytest.fixture
def run(run: Run, data: Dataset) -> Run:
    run.save_table("held_out", held_out_table(data))
    return run


def replay_of(run: Run) -> Replay:
    return Replay.of(RunStore(run.path.parent), run)


def test_a_replay_is_its_events_one_by_one(run: Run) -> None:
    replay, state = replay_of(run), start(RunStore(run.path.parent), run, "judged")[1]
    first = [state.group_list(group, "strict", 10)[0].tolist() for group in range(3)]
    moved, before = set(), state.labels.copy()
    events = run.table("held_out")
    for row in events.head(30).itertuples():
        change = state.event(state.user_row(row.user), state.item_row(row.item))
        if change.group_before != change.group_after:
            moved.add(change.user_row)
    assert replay.step(10) == 10 and replay.step(20) == 20
    assert replay.done == 30 and np.array_equal(replay.state.labels, state.labels)
    assert replay.moved == moved >= set(np.flatnonzero(state.labels != before).tolist())
    now = [state.group_list(group, "strict", 10)[0].tolist() for group in range(3)]
    assert [replay.lists(group) for group in range(3)] == list(zip(first, now, strict=True))
    assert replay.changed_lists == sum(a != b for a, b in zip(first, now, strict=True))
    assert replay.last.user == events["user"][29] and replay.last.label == events["label"][29]
    assert replay.state.difference() < 1e-9


def test_the_latency_is_what_an_event_took_from_its_arrival_to_its_lists(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay = replay_of(run)
    assert np.isnan(replay.latency()).all()
    now, take = [0.0], replay.state.event

    def slow(*event: int) -> Change:
        now[0] += 9.0 if replay.done == 4 else 2.0
        return take(*event)

    monkeypatch.setattr("grouprec.live.replay.time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(replay.state, "event", slow)
    replay.step(5)
    assert replay.latency() == pytest.approx((2.0, 2.0 + 7 * 0.96))  # the percentile lies between the last two
    assert replay.step(100, seconds=5) == 3, "two of them took four seconds"


def test_the_replay_ends_with_the_events_and_its_curve_with_the_count(run: Run, data: Dataset) -> None:
    replay = replay_of(run)
    assert replay.curve().to_numpy().tolist() == [[0, 0]]
    assert replay.step(10**9) == len(replay) == len(data.test)
    assert replay.step() == 0
    curve = replay.curve(5)
    assert curve["events"].tolist()[0] == 0 and curve["events"].tolist()[-1] == len(replay)
    assert curve["users"].is_monotonic_increasing and curve["users"].iloc[-1] == len(replay.moved)


def test_a_time_limit_lets_at_least_one_event_through(run: Run) -> None:
    replay = replay_of(run)
    assert replay.step(100, seconds=0) == 1


def test_who_has_not_changed_stays_where_they_are_and_who_has_goes_to_their_like(run: Run, data: Dataset) -> None:
    replay = replay_of(run)
    users = run.table("users")
    old, new = replay.places(7)
    assert old == pytest.approx(users.loc[7, ["x", "y"]].to_numpy(float))
    assert new == pytest.approx(old, abs=1e-3)
    target = int(np.flatnonzero(replay.state.labels != replay.state.labels[7])[0])
    items = data.histories[[target]].indices
    while replay.state.labels[7] != replay.state.labels[target] and len(items):
        replay.state.event(7, int(items[0]))
        items = items[1:]
    old, new = replay.places(7)
    assert np.linalg.norm(new - old) > 1e-2 and np.isfinite(new).all()


def test_new_users_and_items_join_without_a_place_of_before(run: Run) -> None:
    first = run.table("held_out").head(1)
    run.save_table("held_out", first.assign(user="somebody", item="something", label="Something new"))
    replay = replay_of(run)
    replay.step()
    assert replay.last.user == "somebody" and replay.state.item_labels[-1] == "Something new"
    assert replay.user_lists(replay.last.user_row)[0] == []
    old, new = replay.places(replay.last.user_row)
    assert np.isnan(old).all() and np.isfinite(new).all()


def test_without_a_held_out_part_there_is_one_sentence(run: Run) -> None:
    run.save_table("held_out", pd.DataFrame(columns=["user", "item", "label", "time"]))
    with pytest.raises(StorageError, match="held nothing out"):
        replay_of(run)


def test_a_run_that_exports_another_fit_is_replayed_through_the_judged_one(run: Run) -> None:
    store, live = RunStore(run.path.parent), run.path / "live"
    fitted = read_json(run.path / "fitted.json")
    write_json(run.path / "fitted.json", {**fitted, "judged": fitted["final"]})
    run.write_manifest()
    base, _ = start(store, run)
    fewer = np.arange(60)[::-1].copy()
    (live / "final.safetensors").rename(live / "judged.safetensors")
    changed = replace(base, labels=base.labels[fewer], n_groups=3)
    changed.save(live / "final.safetensors")
    run.write_manifest()
    assert np.array_equal(replay_of(run).base.labels, base.labels)
    assert np.array_equal(start(store, run)[0].labels, base.labels[fewer])
    with Stream.open(store, run, fit="judged") as stream, Stream.open(store, run) as other:
        stream.apply([{"user": "u00001", "item": "i00001"}])
        assert (stream.folder, other.folder) == (live / "judged", live)
        assert np.array_equal(stream.base.labels, base.labels) and other.ledger.length == 0


class Clock:
    """Every look at it takes a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        self.now += 1
        return self.now


def test_steps_end_with_the_time_that_is_given(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    replay = replay_of(run)
    assert np.isnan(replay.latency()).all() and replay.last is None and replay.changed_lists == 0
    monkeypatch.setattr(module, "time", Clock())
    # an event looks at the clock twice, and so does not end before the third second
    assert replay.step(100, seconds=3) == 1 and replay.step(100, seconds=4) == 2
    assert replay.step() == 1 and (replay.done, replay.acted) == (4, set(replay_rows(replay, 4)))
    assert replay.latency() == (1, 1)
    replay._seconds[:4] = [4, 1, 2, 3]
    assert replay.latency() == pytest.approx((2.5, 3.97))


def test_the_search_for_a_change_ends_with_its_events_or_its_time(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    replay = replay_of(run)
    monkeypatch.setattr(replay, "lists", lambda group: ("as before", "as before"))
    replay.to_a_change(3, seconds=np.inf)
    assert replay.done == 3
    replay.to_a_change(3, seconds=0)
    assert replay.done == 3
    monkeypatch.setattr(replay, "lists", lambda group: ("as before", "another"))
    replay.to_a_change(3, seconds=np.inf)
    assert replay.done == 4


def replay_rows(replay: Replay, n: int) -> list[int]:
    return [replay.state.user_row(user) for user in replay.events["user"][:n]]


def test_the_curve_has_both_ends_and_no_more_points_than_asked_for(run: Run) -> None:
    replay = replay_of(run)
    replay.done, replay._moved[:10] = 10, np.arange(1, 11)
    assert replay.curve(5).to_numpy().tolist() == [[place, place] for place in (0, 2, 4, 6, 8, 10)]
    assert replay.curve()["events"].tolist() == list(range(11))
    replay.done, replay._moved = 1000, np.arange(1, 1001)
    assert len(replay.curve()) == 201


def test_a_users_lists_have_ten_items_before_and_now(run: Run, data: Dataset) -> None:
    replay = replay_of(run)
    replay.base.candidates.items.flags.writeable = False
    before, now = replay.user_lists(59)
    assert before == now == replay.base.candidates.items[59, :10].tolist() and len(before) == 10
    assert len(replay.lists(0)[0]) == 10
    short = tiny_replay()
    assert short.user_lists(1) == ([0, 3], [0, 3]) and short.user_lists(3) == ([], [])
    assert short.user_lists(short.state.add_user("new"))[0] == []


def tiny_replay(places: list | None = None, **changes: object) -> Replay:
    """Return a replay of nothing; users a, b, c are on the map and d is not."""
    users = pd.DataFrame(places or [[0, 0], [4, 0], [0, 8], [np.nan, np.nan]], columns=["x", "y"], dtype=float)
    fields = {"components": np.eye(5, dtype=np.float32), "states": np.full((4, 1), -1, np.float32), **changes}
    base = tiny_base(**fields)
    events = pd.DataFrame(columns=["user", "item", "label", "time"])
    return Replay(base, LiveState(base, Next(), ByFirst()), events, users.assign(user=list("abcd")))


def test_a_place_is_the_mean_of_the_nearest_by_taste_weighted_by_one_over_distance() -> None:
    replay = tiny_replay()
    now = Candidates(np.array([[3, 2, 0]], np.int32), np.array([[0.9, 0.6, 0.3]], np.float32), 5)
    tastes, mine = taste(replay.base.candidates).toarray()[:3], taste(now).toarray()[0]
    distances = np.sqrt(2 - 2 * tastes @ mine)  # all of length 1, or 0
    known = np.array([[0, 0], [4, 0], [0, 8]])
    for user, more in ((3, []), (1, [1])):  # who was on the map before is there once more
        weights = 1 / np.append(distances, distances[more])
        expected = weights @ np.vstack([known, known[more]]) / weights.sum()
        old, new = replay._landmarks.places(user, now)
        assert new == pytest.approx(expected, rel=1e-4)
        assert np.isnan(old).all() if user == 3 else old.tolist() == [4, 0]
    old, new = replay._landmarks.places(4, now)  # the first who is new
    assert np.isnan(old).tolist() == [True, True] and np.isfinite(new).all()


def test_without_a_taste_or_a_map_a_user_stays_where_they_were() -> None:
    nothing = Candidates(np.full((1, 3), -1, np.int32), np.zeros((1, 3), np.float32), 5)
    some = tiny_base().candidates.take(np.array([0]))
    assert [part.tolist() for part in tiny_replay()._landmarks.places(1, nothing)] == [[4, 0], [4, 0]]
    unknown = tiny_replay([[np.nan, np.nan]] * 4)._landmarks
    assert all(np.isnan(part).all() for part in unknown.places(0, some))


def test_a_user_with_half_a_place_is_none_of_the_landmarks() -> None:
    half = tiny_replay([[0, 0], [4, np.nan], [0, 8], [np.nan, np.nan]])._landmarks
    assert half._rows.tolist() == [0, 2]
    assert np.isfinite(half.places(1, tiny_base().candidates.take(np.array([0])))[1]).all()


def test_the_nearest_are_ten_and_of_many_landmarks_some_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (module.NEAREST, module.LANDMARKS, module.LENGTH) == (10, 20_000, 10)
    monkeypatch.setattr(module, "LANDMARKS", 2)
    drawn = tiny_replay()._landmarks._rows
    assert len(set(drawn.tolist())) == 2 and set(drawn) < {0, 1, 2} and drawn.tolist() == sorted(drawn)
    drawn = {tuple(tiny_replay(seed=seed)._landmarks._rows.tolist()) for seed in range(8)}
    assert len(drawn) > 1 and all(len(set(rows)) == 2 for rows in drawn)
    monkeypatch.setattr(module, "LANDMARKS", 3)
    assert tiny_replay()._landmarks._rows.tolist() == [0, 1, 2]
    monkeypatch.setattr(module, "NEAREST", 1)
    some = tiny_base().candidates.take(np.array([1]))
    assert tiny_replay()._landmarks.places(3, some)[1].tolist() == [4, 0]


def test_a_first_visit_learns_nothing_that_training_has_learned(
    small_run: Run, runs_folder: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the classifier of users without history is learned once, in training")

    monkeypatch.setattr(AttributePlacer, "fit", refuse)
    assert len(Replay.of(runs_folder, copy_of(small_run, runs_folder)))
