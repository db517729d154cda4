"""Runs that wait for one another: whose turn it is, on this machine and on a GPU, and who starts the next."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grouprec.core.types import DataError, SettingError, StorageError
from grouprec.runs.store import Run, RunStore, State
from grouprec.training import executor, jobs, local_process, room
from tests.support.started_runs import config_for, endless, wait_for

pytestmark = pytest.mark.usefixtures("forks")


def test_queued_runs_are_trained_one_after_the_other_by_the_processes_themselves(
    store: RunStore, planted_csv: Path, lonely_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (jobs.start(store, config_for(file)) for file in (planted_csv, lonely_csv, lonely_csv))
    assert not first.status().waiting
    assert [run.run_id for run in jobs.queue(store)] == [second.run_id, third.run_id]
    jobs.move_first(store, third)
    assert [run.run_id for run in jobs.queue(store)] == [third.run_id, second.run_id]
    # From here on nobody helps: as if the server that started them had been stopped.
    monkeypatch.setattr(jobs, "_start_next", lambda store: None)
    wait_for(lambda: all(run.status().state in jobs.FINISHED for run in (first, second, third)))
    states = [run.status().state for run in (first, second, third)]
    assert states == [State.DONE, State.FAILED, State.FAILED], first.log()
    for failed in (second, third):
        assert "user" in failed.status().message and "\n" not in failed.status().message and not failed.finished
    begun = [run.status().started or 0.0 for run in (first, third, second)]
    ended = [run.status().ended or 0.0 for run in (first, third, second)]
    assert ended[0] <= begun[1] and ended[1] <= begun[2]


def test_a_waiting_run_starts_when_the_process_before_it_is_killed(store: RunStore, planted_csv: Path) -> None:
    first = jobs.start(store, endless(planted_csv))
    second = jobs.start(store, endless(planted_csv))
    pid = first.status().pid
    assert pid is not None and second.status().waiting
    os.killpg(pid, signal.SIGKILL)
    wait_for(lambda: second.status().pid is not None)
    assert first.status().state is State.LOST


def test_a_restarted_server_starts_what_waited(store: RunStore, planted_csv: Path) -> None:
    run = store.create(endless(planted_csv), place=time.time() - 3600)
    assert jobs.refresh(run).waiting, "a run that waits for an hour is not lost"
    found = jobs.active(store)
    assert found is not None and found.run_id == run.run_id
    assert run.status().pid is not None and not run.status().waiting


def test_a_run_that_is_only_made_holds_nobody_up(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_spawn", spawn_nothing)
    made = store.create(config_for(planted_csv))
    run = jobs.start(store, config_for(planted_csv))
    assert (made.status().state, run.status().state) == (State.QUEUED, State.RUNNING)
    jobs.cancel(made)  # and does not end who made it, which is this process
    assert made.status().state is State.CANCELLED
    run.set_status(state=State.FAILED)


def spawn_nothing(store: RunStore, run: Run) -> None:
    """Let this process pass for the one that was started."""
    run.set_status(state=State.RUNNING, place=None, **executor.me())


def test_as_many_runs_train_as_the_machine_may(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_spawn", spawn_nothing)
    monkeypatch.setenv(room.LIMIT, "2")
    runs = [jobs.start(store, config_for(planted_csv)) for _ in range(3)]
    assert [run.status().waiting for run in runs] == [False, False, True]
    runs[0].set_status(state=State.DONE)
    jobs.active(store)
    assert not runs[2].status().waiting
    monkeypatch.setenv(room.LIMIT, "many")
    with pytest.raises(SettingError, match=r"GROUPREC_JOBS must be a whole number from 1, not 'many'"):
        room.limit()
    for run in runs[1:]:
        run.set_status(state=State.DONE)


def test_one_run_trains_on_a_gpu_at_a_time_and_the_rest_waits_in_its_order(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_spawn", spawn_nothing)
    monkeypatch.setenv(room.LIMIT, "4")
    monkeypatch.setenv(room.VISIBLE, "0, 3")
    anywhere = config_for(planted_csv).model_copy(update={"device": "auto"})
    runs = [jobs.start(store, config) for config in (anywhere, config_for(planted_csv), anywhere, anywhere, anywhere)]
    assert config_for(planted_csv).device == "cpu", "which waits for no GPU"
    assert [run.status().gpu for run in runs] == ["0", "", "3", "", ""]
    assert [run.status().waiting for run in runs] == [False, False, False, True, True]
    runs[2].set_status(state=State.DONE)
    jobs.active(store)
    assert runs[3].status().gpu == "3" and runs[4].status().waiting
    monkeypatch.setenv(room.LIMIT_GPU, "2")
    jobs.active(store)
    assert runs[4].status().gpu == "0"
    for run in runs:
        run.set_status(state=State.DONE)


def test_a_run_sees_the_gpu_that_it_was_given_and_no_other(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str | None] = []

    def begin(command: list[str], env: dict[str, str], **_: object) -> None:
        seen.append(env.get(room.VISIBLE))
        raise OSError(11, "no process")

    monkeypatch.setenv(room.VISIBLE, "0,1")
    monkeypatch.setattr(local_process.subprocess, "Popen", begin)
    for device in ("cuda", "cpu"):
        run = jobs.start(store, config_for(planted_csv).model_copy(update={"device": device}))
        assert run.status().state is State.FAILED
    assert seen == ["0", "0,1"]
    monkeypatch.setattr("grouprec.training.pipeline.train", lambda *_: {"here": os.environ[room.VISIBLE]})
    busy, run = (store.create(config_for(planted_csv).model_copy(update={"device": "cuda"})) for _ in range(2))
    busy.set_status(state=State.RUNNING, gpu="0")
    monkeypatch.setenv(room.LIMIT, "2")
    assert jobs.train_here(store, run) == {"here": "1"}
    busy.set_status(state=State.DONE)


def test_gpus_are_those_that_the_environment_shows_or_else_the_machines_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(room.VISIBLE, raising=False)
    monkeypatch.setattr(room, "_DEVICES", tmp_path)
    assert room.there() == []
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "sda"):
        (tmp_path / name).touch()
    assert room.there() == ["0", "1"]
    for told, names in (("", []), ("-1", []), ("2", ["2"]), ("GPU-5ab, 1", ["GPU-5ab", "1"])):
        monkeypatch.setenv(room.VISIBLE, told)
        assert room.there() == names


def test_the_command_line_waits_for_its_turn_and_can_be_taken_out(
    store: RunStore, lonely_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LOOK_SECONDS", 0.0)
    busy, run, out = (store.create(config_for(lonely_csv)) for _ in range(3))
    busy.set_status(state=State.RUNNING)
    seen: list[str] = []

    def watch(stage: str, fraction: float, seconds_left: float | None) -> None:
        if stage != "waiting for its turn":
            return
        seen.append(stage)
        assert run.status().waiting and run.status().pid == os.getpid()
        assert [one.run_id for one in jobs.queue(store)] == [run.run_id], "the browser sees it, too"
        jobs.active(store)
        assert run.status().waiting, "it starts itself"
        busy.set_status(state=State.DONE)

    out.set_status(state=State.FAILED)
    with pytest.raises(DataError, match="user"):
        jobs.train_here(store, run, watch)
    assert seen == ["waiting for its turn"] and run.status().state is State.FAILED
    busy.set_status(state=State.RUNNING)
    with pytest.raises(KeyboardInterrupt):
        jobs.train_here(store, out, lambda *_: jobs.cancel(out))
    assert out.status().state is State.CANCELLED
    busy.set_status(state=State.FAILED)


def test_many_who_look_at_once_start_one_run_once(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    together, unpatched = threading.Barrier(6), jobs.queue
    arrived = threading.local()

    def queue(store: RunStore) -> list[Run]:
        waiting = unpatched(store)
        if not hasattr(arrived, "once"):  # everybody has seen that somebody waits before anybody acts on it
            arrived.once = together.wait(30)
        return waiting

    def spawn(store: RunStore, run: Run) -> None:
        started.append(run.run_id)
        run.set_status(state=State.RUNNING, place=None, **executor.me())

    monkeypatch.setattr(jobs, "queue", queue)
    monkeypatch.setattr(jobs, "_spawn", spawn)
    for place in (1.0, 2.0):
        store.create(config_for(planted_csv), place=place)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(jobs.active, [store] * 6))
    assert len(started) == 1
    assert {run and run.run_id for run in found} == set(started)
    monkeypatch.undo()
    store.get(started[0]).set_status(state=State.DONE)


def test_cancelling_a_run_starts_the_next_and_a_waiting_one_just_leaves(store: RunStore, planted_csv: Path) -> None:
    first = jobs.start(store, endless(planted_csv))
    second = jobs.start(store, endless(planted_csv))
    third = jobs.start(store, config_for(planted_csv))
    jobs.cancel(third)
    assert third.status().state is State.CANCELLED and not third.status().waiting
    jobs.cancel(first)
    assert first.status().state is State.CANCELLED
    assert second.status().pid is not None
    jobs.resume(store, first)
    assert [run.run_id for run in jobs.queue(store)] == [first.run_id]
    with pytest.raises(SettingError, match="nothing to continue"):
        jobs.resume(store, first)


def test_a_run_that_cannot_be_started_fails_and_the_next_one_is_tried(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spawn(store: RunStore, run: Run) -> None:
        if run.run_id == bad.run_id:
            raise StorageError("Cannot write the log.")
        run.set_status(state=State.RUNNING, place=None, **executor.me())

    bad, good = (store.create(config_for(planted_csv), place=place) for place in (1.0, 2.0))
    monkeypatch.setattr(jobs, "_spawn", spawn)
    found = jobs.active(store)
    assert found is not None and found.run_id == good.run_id
    assert (bad.status().state, bad.status().message) == (State.FAILED, "Cannot write the log.")
    good.set_status(state=State.DONE)
