"""Training as a child process: progress, cancel, a killed process, continuing where it stopped, and the queue."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import psutil
import pyarrow
import pytest
import torch

from grouprec.core import processes
from grouprec.core.files import write_json
from grouprec.core.locks import alone
from grouprec.core.types import DataError, SettingError, StorageError
from grouprec.runs.config import RunConfig, make_config, parse_settings
from grouprec.runs.store import Run, RunStore, State
from grouprec.training import executor, jobs, local_process, room
from tests.support.forked import ForkedTraining
from tests.support.small_run import TINY_ENCODERS, TINY_SETTINGS, copy_of

NEW = ("test_cancel_stops_everything_that_the_run_started",)
LONG = ["gru.epochs=500", "gru.patience=50", "gru.hidden_size=1024", "gru.batch_size=1"]


# Lives on its own until its input is closed, as it is when this process dies, however it dies; then it takes every run
# of the folders with it, also those that the dying ones start.
REAPER = """
import json, os, pathlib, signal, sys, time
roots = [pathlib.Path(line.strip()) for line in sys.stdin]
deadline = time.monotonic() + 60
while time.monotonic() < deadline:
    alive = 0
    for path in (path for root in roots for path in root.glob("*/status.json")):
        try:
            status = json.loads(path.read_text())
            if status["state"] == "queued" and status["place"] is not None:
                path.write_text(json.dumps(status | {"state": "cancelled"}))
            elif status["state"] in ("queued", "running") and status["pid"]:
                os.killpg(status["pid"], signal.SIGKILL)
                alive += 1
        except (OSError, ValueError):
            pass
    if not alive:
        break
    time.sleep(0.1)
"""


@pytest.fixture(scope="module")
def reaper() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", REAPER], stdin=subprocess.PIPE, text=True, start_new_session=True
    ) as it:
        yield it
        assert it.stdin is not None
        it.stdin.close()


@pytest.fixture
def gave_way(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the processes that were told to give way; they do not, for here they are waited for."""
    found: list[int] = []
    monkeypatch.setattr(local_process.processes, "give_way", found.append)
    return found


@pytest.fixture
def store(runs_root: Path, reaper: subprocess.Popen[str], gave_way: list[int]) -> Iterator[RunStore]:
    """Return a runs folder; whatever still waits or trains at the end is cancelled, and killed where we are."""
    assert reaper.stdin is not None
    print(runs_root, file=reaper.stdin, flush=True)
    found = RunStore(runs_root)
    yield found
    for run in [*reversed(jobs.queue(found)), *found.runs()]:
        jobs.cancel(run)


@pytest.fixture(autouse=True)
def forks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs train in forks of this process; ``NEW`` have a new interpreter, which takes seconds to load all."""
    if hasattr(os, "fork") and request.node.name not in NEW:
        starts = SimpleNamespace(Popen=ForkedTraining, DEVNULL=subprocess.DEVNULL)
        monkeypatch.setattr(local_process, "subprocess", starts)


def config_for(path: Path, *settings: str) -> RunConfig:
    tiny = {"preset": "quick", "encoders": TINY_ENCODERS, "n_groups": 4, "device": "cpu", "layout": "pca"}
    return make_config(interactions=path, settings=parse_settings([*TINY_SETTINGS, *settings]), **tiny)


def endless(path: Path) -> RunConfig:
    """Return a run that is soon at its updater and outlasts every test there."""
    settings = parse_settings([one for one in (*TINY_SETTINGS, *LONG) if not one.startswith("dnn")])
    return config_for(path).model_copy(update={"encoders": ("ease",), "settings": settings})


def wait_for(condition: Callable[[], bool], seconds: float = 300.0) -> None:
    """Wait until something is true; the deadline only ends a test that has already failed."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def in_stage(run: Run, stage: str) -> Callable[[], bool]:
    return lambda: (status := run.status()).stage == stage or status.state in jobs.FINISHED


def test_a_killed_run_continues_at_once_from_its_last_finished_stage(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_start_next", lambda store: None)  # as if the server had been killed, too
    run = jobs.start(store, config_for(planted_csv, *LONG))
    wait_for(in_stage(run, "updater"))
    assert jobs.active(store) is not None
    pid = run.status().pid
    assert pid is not None
    with pytest.raises(StorageError, match="is being trained by another process; there is nothing to continue"):
        jobs.train_here(store, run)
    # The one long stage is cut short by hand: what is asked here is that the others are read back.
    short = config_for(planted_csv)
    (run.path / "config.json").write_text(short.model_dump_json())
    os.killpg(pid, signal.SIGKILL)
    wait_for(lambda: not processes.alive(pid, run.status().process))
    assert run.status().state is State.RUNNING, "nobody has looked yet"
    jobs.train_here(store, run)
    assert run.status().pid == os.getpid()
    assert run.status().state is State.DONE, run.log()
    assert run.finished and run.damaged() == []
    reused = {event["stage"] for event in run.events() if event.get("reused")}
    assert {f"encoder {name}" for name in TINY_ENCODERS} <= reused


def test_cancel_stops_everything_that_the_run_started(store: RunStore, planted_csv: Path, gave_way: list[int]) -> None:
    run = jobs.start(store, endless(planted_csv))
    wait_for(in_stage(run, "updater"))
    pid = run.status().pid
    assert pid is not None and gave_way == [pid]
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    assert local_process.GRACE_SECONDS < 2  # who does not stop when asked is killed then
    jobs.cancel(run)
    assert run.status().state is State.CANCELLED
    assert not run.finished
    wait_for(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in family))
    assert jobs.active(store) is None


@pytest.fixture
def lonely_csv(tmp_path: Path) -> Path:
    """A file with one user: a run on it fails at its first stage."""
    file = tmp_path / "one.csv"
    file.write_text("user_id,item_id\na,x\na,y\n")
    return file


def test_a_run_whose_process_never_spoke_is_lost(store: RunStore, planted_csv: Path) -> None:
    run = store.create(config_for(planted_csv))
    assert jobs.refresh(run).state is State.QUEUED, "this process is about to train it"
    run.set_status(process="of somebody else")
    assert jobs.refresh(run).state is State.LOST


def test_a_step_of_the_clock_loses_no_run_and_starts_none_beside_it(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(config_for(planted_csv))
    run.set_status(state=State.RUNNING)
    waiting = store.create(config_for(planted_csv), place=1.0)
    monkeypatch.setattr(jobs, "_spawn", lambda store, run: pytest.fail("started beside the other one"))
    now, created = time.time(), psutil.Process.create_time
    for step in (-86400.0, -2.0, 2.0, 86400.0):
        monkeypatch.setattr(time, "time", lambda step=step: now + step)
        monkeypatch.setattr(psutil.Process, "create_time", lambda self, step=step: created(self) + step)
        assert jobs.refresh(run).state is State.RUNNING
        found = jobs.active(store)
        assert found is not None and found.run_id == run.run_id and waiting.status().waiting
    monkeypatch.undo()
    run.set_status(state=State.FAILED)


def test_a_run_dated_a_day_ahead_blocks_nobody(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead, run = (store.create(config_for(planted_csv), place=place) for place in (None, 1.0))
    ahead.set_status(created=time.time() + 86400, pid=None, process="")
    started: list[str] = []
    monkeypatch.setattr(jobs, "_spawn", lambda store, run: started.append(run.run_id))
    jobs.active(store)
    assert jobs.refresh(ahead).state is State.LOST and started == [run.run_id]
    run.set_status(state=State.FAILED)


def test_who_holds_the_lock_of_a_run_keeps_it_alive(store: RunStore, planted_csv: Path) -> None:
    run = store.create(config_for(planted_csv))
    run.set_status(state=State.RUNNING, pid=os.getpid(), process="of another machine")
    with alone(run.path / jobs.TRAIN_LOCK, ""):
        assert jobs.refresh(run).state is State.RUNNING
        with pytest.raises(StorageError, match="is being trained by another process; there is nothing to continue"):
            jobs.train_here(store, run)
    assert jobs.refresh(run).state is State.LOST


def test_a_run_of_the_first_version_is_alive_while_its_process_trains(store: RunStore, planted_csv: Path) -> None:
    run = store.create(config_for(planted_csv))
    words = [sys.executable, "-c", "input()", "grouprec", "train", "--resume", run.run_id]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as child:
        write_json(run.path / "status.json", {"state": "running", "pid": child.pid, "pid_started": 1.0})
        assert jobs.refresh(run).state is State.RUNNING
        with pytest.raises(SettingError, match="is running; there is nothing to continue"):
            jobs.train_here(store, run)
    assert jobs.refresh(run).state is State.LOST


def test_a_dead_run_is_told_where_it_cannot_be_marked(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, waiting = (store.create(config_for(planted_csv), place=place) for place in (None, 1.0))
    run.set_status(state=State.RUNNING, process="gone")

    def full(*_: object, **__: object) -> None:
        raise StorageError("Cannot write: no space left; free some space.")

    monkeypatch.setattr("grouprec.runs.run.change_status", full)
    monkeypatch.setattr(jobs, "_alone", full)
    assert jobs.refresh(run).state is State.LOST and jobs.active(store) is None
    monkeypatch.undo()
    assert run.status().state is State.RUNNING and waiting.status().waiting
    waiting.set_status(state=State.FAILED)


def test_a_damaged_run_is_mended(store: RunStore, small_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_spawn", lambda store, run: None)
    store.root.mkdir(parents=True, exist_ok=True)
    run = copy_of(small_run, store)
    created = run.status().created
    (run.path / "status.json").write_text("{")
    jobs.resume(store, run)
    status = run.status()
    assert (status.state, run.finished) == (State.DONE, True), "its results are whole"
    assert abs(status.created - created) < 2, "its name knows the second"
    (run.path / "tables" / "users.parquet").write_bytes(b"x")
    (run.path / "metrics.json").write_text("{}")
    jobs.resume(store, run)
    assert not run.finished and run.status().state is State.QUEUED
    assert not (run.path / "tables" / "users.parquet").exists()
    run.set_status(state=State.FAILED)
    (run.path / "config.json").unlink()
    with pytest.raises(StorageError, match=r"no readable config\.json"):
        jobs.resume(store, run)


def test_a_reused_pid_does_not_keep_a_run_alive(store: RunStore, planted_csv: Path) -> None:
    run = store.create(config_for(planted_csv))
    run.set_status(state=State.RUNNING, pid=os.getpid(), process="another")
    assert jobs.refresh(run).state is State.LOST


def test_a_finished_run_cannot_be_continued(store: RunStore, planted_csv: Path) -> None:
    run = store.create(config_for(planted_csv))
    run.set_status(state=State.DONE)
    run.write_manifest()
    with pytest.raises(SettingError, match="nothing to continue"):
        jobs.resume(store, run)


# -- the queue


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


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "not enough memory for this run; keep fewer items"),
        (pyarrow.ArrowException("Unknown error: Wrapping 5 failed"), "not enough memory for this run"),
        (OSError(12, "Cannot allocate memory"), "not enough memory for this run"),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes"),
            "not enough memory for this",
        ),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "GPU has not enough memory"),
        (torch.OutOfMemoryError("x"), "GPU has not enough memory"),
    ],
    ids=range(6),
)
def test_a_run_for_which_memory_does_not_suffice_fails_with_advice(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def train(*_: object) -> None:
        raise error

    monkeypatch.setattr("grouprec.training.pipeline.train", train)
    run = store.create(config_for(planted_csv))
    with pytest.raises(SettingError, match=words):
        jobs.train_here(store, run)
    assert run.status().state is State.FAILED and words in run.status().message


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
