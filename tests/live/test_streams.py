"""Streams that pages and requests share: one turn at a time, closed when idle, surplus or broken."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from grouprec.core.types import StorageError
from grouprec.live import streams
from grouprec.live.stream import Report, Stream
from grouprec.runs.store import Run, RunStore


def free(store: RunStore, run: Run) -> bool:
    """Return whether somebody else could open the stream."""
    try:
        Stream.open(store, run).close()
    except StorageError:
        return False
    return True


def test_the_stream_stays_open_and_threads_take_turns(store: RunStore, run: Run) -> None:
    seen, inside = [], []

    def send(name: str) -> None:
        with streams.use(store, run) as stream:
            inside.append(name)
            stream.apply([{"user": "u00001", "item": "i00001", "event_id": name}])
            seen.append(stream)
            inside.append(name)

    threads = [threading.Thread(target=send, args=(name,)) for name in "abcd"]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len({id(stream) for stream in seen}) == 1 and seen[0].ledger.length == 4
    assert inside[::2] == inside[1::2], "nobody came between"


def test_an_idle_stream_is_free_for_others(store: RunStore, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with streams.use(store, run) as stream:
        stream.apply([{"user": "u00001", "item": "i00001"}])
    assert not free(store, run)
    closed = threading.Event()
    close = Stream.close
    monkeypatch.setattr(Stream, "close", lambda self: (close(self), closed.set()))
    monkeypatch.setattr(streams, "IDLE_SECONDS", 0.01)
    with streams.use(store, run):
        pass
    assert closed.wait(5)
    assert free(store, run)
    with streams.use(store, run) as stream:
        assert stream.state.n_events == 1


def test_only_a_few_streams_are_kept_open(store: RunStore, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_OPEN", 2)
    runs = [run]
    for name in "ab":
        shutil.copytree(run.path, run.path.with_name(name))
        runs.append(Run(run.path.with_name(name)))
    for one in (runs[0], runs[1], runs[0], runs[2]):
        with streams.use(store, one):
            pass
    assert [free(store, one) for one in runs] == [False, True, False]


def test_a_stream_that_stopped_half_way_is_opened_anew(store: RunStore, run: Run, monkeypatch) -> None:
    def stop(*_: object) -> None:
        raise MemoryError

    with pytest.raises(MemoryError), streams.use(store, run) as stream:
        monkeypatch.setattr(stream.state, "event", stop)
        stream.apply([{"user": "u00001", "item": "i00001"}])
    with streams.use(store, run) as again:
        assert again is not stream and again.state.n_events == 1, "the event was accepted, so it counts"


def test_an_effect_tells_who_moved_and_which_lists_changed(store: RunStore, run: Run) -> None:
    with streams.use(store, run) as stream:
        before = stream.state.labels.copy()
        lists = [stream.group_list(group, "strict", 10)[0].tolist() for group in range(3)]
        effect = streams.send(stream, [{"user": f"u{n % 60:05d}", "item": f"i{n % 7:05d}"} for n in range(90)])
        effect_of_one = streams.send(stream, [{"user": "somebody", "item": "i00001"}])
        now = stream.state.labels
        moved = effect.moved.set_index("user")
        assert len(moved) == effect.report.moved_users == (before != now[:60]).sum() > 0
        for user, row in moved.iterrows():
            place = stream.state.user_row(user)
            assert (row["before"], row["after"]) == (before[place] + 1, now[place] + 1)
        after = [effect.after[group].tolist() for group in range(3)]
        assert effect.changed_lists() == [g + 1 for g in range(3) if lists[g] != after[g]] != []
    assert effect_of_one.moved["user"].tolist() == ["somebody"] and effect_of_one.moved["before"].tolist() == [0]


def test_three_streams_stay_open_for_half_a_minute() -> None:
    assert (streams.MOST_OPEN, streams.IDLE_SECONDS) == (3, 30)


def test_a_later_use_starts_the_idle_time_anew(store: RunStore, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    timers: list[Timer] = []

    class Timer:
        daemon = False

        def __init__(self, seconds: float, act: Callable[[], None]) -> None:
            self.seconds, self.act, self.state = seconds, act, "made"
            timers.append(self)

        def start(self) -> None:
            self.state = "started"

        def cancel(self) -> None:
            self.state = "cancelled"

    monkeypatch.setattr(streams.threading, "Timer", Timer)
    with streams.use(store, run):
        pass
    with streams.use(store, run):
        assert [timer.state for timer in timers] == ["started"]
    assert [timer.state for timer in timers] == ["cancelled", "started"] and all(timer.daemon for timer in timers)
    assert [timer.seconds for timer in timers] == [30, 30] and not free(store, run)
    timers[-1].act()
    assert free(store, run)
    timers[-1].act()  # nothing is left to close


def test_the_stream_that_was_used_longest_ago_is_closed_first(
    store: RunStore, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MOST_OPEN", 1)
    other = Run(shutil.copytree(run.path, run.path.with_name("other")))
    for one in (run, other, run):
        with streams.use(store, one):
            pass
        assert [free(store, each) for each in (run, other)] == [one is not run, one is not other]


def test_two_streams_may_be_in_use_at_a_time(store: RunStore, run: Run) -> None:
    other = Run(shutil.copytree(run.path, run.path.with_name("other")))
    with streams.use(store, run) as one, streams.use(store, other) as two:
        assert one.run.run_id == run.run_id and two.run.run_id == "other"


def test_closing_all_leaves_none_open(store: RunStore, run: Run) -> None:
    with streams.use(store, run):
        pass
    streams.close_all()
    assert free(store, run)


def test_lists_are_other_ones_where_one_item_differs() -> None:
    before = np.array([[1, 2], [3, 4], [5, 6]], np.int32)
    effect = streams.Effect(Report(0), pd.DataFrame(), before, np.array([[1, 2], [3, 9], [8, 7]], np.int32))
    assert effect.changed_lists() == [2, 3]


def test_nobody_moved_where_nothing_came(store: RunStore, run: Run) -> None:
    with streams.use(store, run) as stream:
        effect = streams.send(stream, [])
        assert effect.moved.empty and effect.changed_lists() == []
        two = streams.send(stream, [{"user": name, "item": "i00001"} for name in ("x", "y")]).moved
        assert two["before"].tolist() == [0, 0]
        assert two["after"].tolist() == [
            int(stream.state.labels[stream.state.user_row(name)]) + 1 for name in two["user"]
        ]
