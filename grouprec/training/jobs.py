"""Training as a process of its own; everything about it is on disk, so any server can watch it, also a restarted one.

Browser and command line share one queue: a machine trains ``GROUPREC_JOBS`` runs of a folder at a time, of those with a
GPU ``GROUPREC_JOBS_GPU`` on each (:mod:`grouprec.training.room`); the others wait, in their order. There is no process
beside those that train: whoever ends, cancels or looks at a run starts the next one, under a lock so that it is started
once. Who trains a run holds its lock, and its executor knows whether it lives; no clock is asked.
"""

from __future__ import annotations

import contextlib
import os
import time
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from grouprec.core import changes, processes, rights
from grouprec.core.errors import GrouprecError, SettingError, StorageError
from grouprec.core.files import storage
from grouprec.core.locks import alone, held
from grouprec.core.rights import Deed
from grouprec.runs.progress import Watch
from grouprec.runs.store import FINISHED, RESUMABLE, Run, RunStore, State, Status
from grouprec.training import attempt, executor, room

if TYPE_CHECKING:
    from grouprec.runs.config import RunConfig

LOOK_SECONDS = 0.5  # between two looks of a process that waits for its turn
TRAIN_LOCK, QUEUE_LOCK = ".train.lock", ".queue.lock"


# -- the queue


def start(store: RunStore, config: RunConfig) -> Run:
    """Create a run folder and train it in a child process, at once or when the runs before it have ended.

    Raises:
        RightsError: the person acting may not train, or not on this data.
        StorageError: the runs folder cannot be written.
    """
    with _alone(store):
        run = store.create(config, place=_last_place(store))
    active(store)
    return run


def resume(store: RunStore, run: Run) -> Run:
    """Continue a run that failed, was cancelled, lost or damaged; finished stages are read back, not trained again.

    Raises:
        RightsError: it is not theirs who acts.
        SettingError: the run is finished, waiting or being trained.
        StorageError: it is damaged in what cannot be made again.
    """
    rights.require(Deed.MANAGE, "resume", run.path)
    changes.complete(store.root)
    with _alone(store):
        status = refresh(run)
        if status.state not in RESUMABLE - {State.QUEUED}:
            raise nothing_to_continue(run, status)
        if not _mend(run, status):
            _enqueue(store, run)
    active(store)
    return run


def nothing_to_continue(run: Run, status: Status) -> SettingError:
    return SettingError(f"The run {run.run_id} is {status.state}; there is nothing to continue.")


def queue(store: RunStore) -> list[Run]:
    """Return the runs that wait for their turn and that the person acting may see, the next one first."""
    return [run for run in _waiting(store) if rights.may(Deed.SEE, run.path)]


def _waiting(store: RunStore) -> list[Run]:
    places = [(run.status(), run) for run in store.all_runs()]
    waiting = [(status.place, run.run_id, run) for status, run in places if status.waiting]
    return [run for _, _, run in sorted(waiting, key=lambda entry: entry[:2])]


def _last_place(store: RunStore) -> float:
    waiting = _waiting(store)
    return (waiting[-1].status().place or 0.0) + 1.0 if waiting else 1.0


def move_first(store: RunStore, run: Run) -> None:
    """Let a waiting run be the next one; a run that waits no longer stays as it is.

    Raises:
        RightsError: it is not theirs who acts.
    """
    rights.require(Deed.MANAGE, "move first", run.path)
    with _alone(store):
        waiting = _waiting(store)
        if run.run_id in {other.run_id for other in waiting}:
            first = waiting[0].status().place or 0.0
            run.set_status(place=first - 1.0)


def active(store: RunStore) -> Run | None:
    """Return a run that is being trained now and that the person acting may see.

    Waiting ones, also of others, are started first, as many as there is room for.

    Where the runs folder cannot be written nothing is started, and looking goes on.
    """
    if _waiting(store):
        with contextlib.suppress(StorageError), _alone(store):
            _start_waiting(store)
    return next((run for run in _training(store) if rights.may(Deed.SEE, run.path)), None)


def _start_waiting(store: RunStore) -> None:
    """Start waiting runs while there is room; one that waits in a process of its own starts itself."""
    training = _training(store)
    for run in _waiting(store):
        status = refresh(run)
        gpu = room.room(run, training)
        if gpu is None or (status.waiting and status.attended):
            return
        if status.waiting and _try(store, run, gpu):
            training.append(run)


def _training(store: RunStore) -> list[Run]:
    """Return the runs that this machine, or the cluster, trains now."""
    found = []
    for run in store.all_runs():
        status = run.status()
        idle = status.state in FINISHED or status.waiting or _only_made(run, status)
        if idle or refresh(run).state in FINISHED:
            continue
        if executor.takes_room(status):
            found.append(run)
    return found


def _try(store: RunStore, run: Run, gpu: str) -> bool:
    """Start a run; one that cannot be started has failed, and says why."""
    try:
        if gpu != run.status().gpu:
            run.set_status(gpu=gpu)
        _spawn(store, run)
    except GrouprecError as error:
        run.set_status(state=State.FAILED, place=None, message=str(error), ended=time.time())
        return False
    return True


def _alone(store: RunStore) -> AbstractContextManager[None]:
    """Let one thread of one process at a time change the queue.

    Raises:
        StorageError: the folder cannot be written, or somebody holds the lock too long.
    """
    with storage(store.root):
        store.root.mkdir(parents=True, exist_ok=True)
    sentence = "Cannot change the queue: another process holds it; try again."
    return alone(store.root / QUEUE_LOCK, sentence)


# -- one run


def cancel(run: Run) -> None:
    """Stop a run and everything it started, within two seconds: asked first, then stopped. The next one may start.

    Raises:
        RightsError: it is not theirs who acts.
    """
    rights.require(Deed.MANAGE, "cancel", run.path)
    store = RunStore(run.path.parent)
    with _alone(store):
        status = refresh(run)
        if status.waiting:  # a process that waits with it sees that, and ends
            attempt.end(run, State.CANCELLED, "Cancelled.")
    if status.state in FINISHED or status.waiting:
        return
    who, doubt = executor.of(status), ""
    if not _only_made(run, status) and who.look(status).alive:
        doubt = who.stop(status)
    if run.status().state not in FINISHED - {State.LOST}:  # somebody may have seen the process go before this line
        attempt.end(run, State.CANCELLED, f"Cancelled. {doubt}".strip())
    active(store)


def refresh(run: Run) -> Status:
    """Return the status; a run whose process is gone without a word is marked as lost.

    Where that cannot be written, it is only told. Where nobody can say whether the process lives, the message says so.
    """
    status = run.status()
    if status.state in FINISHED or (status.waiting and not status.attended):
        return status
    if held(run.path / TRAIN_LOCK):
        return status
    seen = executor.of(status).look(status)
    if seen.alive:
        return replace(status, message=seen.words) if seen.words else status
    status = run.status()  # the process may have written its last word meanwhile
    if status.state in FINISHED:
        return status
    lost = {"state": State.LOST, "seconds_left": None, "ended": time.time(), "message": seen.words}
    try:
        return run.set_status(status, **lost)
    except StorageError:
        return replace(status, **lost)


def _only_made(run: Run, status: Status) -> bool:
    """Return whether a run has a folder and no more: its process so far, who made it, may train it or not."""
    return status.state is State.QUEUED and not held(run.path / TRAIN_LOCK)


def _mend(run: Run, status: Status) -> bool:
    """Make a damaged run ready to be trained again; return whether its results are whole, so that it need not be.

    Raises:
        StorageError: what is damaged is no result: its configuration, or what people wrote.
    """
    if status.state is not State.DAMAGED:
        return False
    damaged = run.damaged()
    if run.finished and not damaged:
        run.set_status(state=State.DONE, fraction=1.0, stage_fraction=1.0, created=status.created, message="")
        if (now := run.status()).state is State.DAMAGED:
            raise StorageError(now.message)
        return True
    run.config()
    run.open_again(damaged)
    return False


def train_here(store: RunStore, run: Run, watch: Watch | None = None) -> dict[str, Any]:
    """Train a run folder in this process, keep its status true whatever happens, and return its metrics.

    It waits for its turn first. The next waiting run is started at the end, unless this one was cancelled: then that is
    for the one who cancelled it.

    Raises:
        GrouprecError: the data, a setting or the runs folder cannot be used, or there is nothing to train.
        KeyboardInterrupt: the run was cancelled (Ctrl-C or SIGTERM).
    """
    changes.complete(store.root)
    sentence = f"The run {run.run_id} is being trained by another process; there is nothing to continue."
    with alone(run.path / TRAIN_LOCK, sentence, patience=1.0):
        _take_over(store, run)
        if run.status().state is State.DONE:
            return run.metrics()
        try:
            _wait_for_turn(store, run, watch)
            metrics = attempt.attempt(store, run, watch)
        except Exception:
            _start_next(store)
            raise
    _start_next(store)
    return metrics


def train_there(store: RunStore, run: Run, watch: Watch | None = None) -> dict[str, Any]:
    """Let the executor train a run folder, watch it to its end, and return its metrics.

    Raises:
        GrouprecError: it cannot be started, or has failed, or there is nothing to train.
        KeyboardInterrupt: it was cancelled, here (Ctrl-C) or by somebody else.
    """
    with _alone(store):
        status = refresh(run)
        mine = (status.pid, status.process) == (os.getpid(), processes.identity(os.getpid()))
        if status.state not in RESUMABLE or (status.state is State.QUEUED and status.attended and not mine):
            raise nothing_to_continue(run, status)
        if not status.waiting and not _mend(run, status):
            _enqueue(store, run)
    try:
        while (status := refresh(run)).state not in FINISHED:
            active(store)
            if watch is not None:
                watch("waiting for its turn" if status.waiting else status.stage, status.fraction, status.seconds_left)
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        cancel(run)
        raise
    active(store)
    if status.state is State.CANCELLED:
        raise KeyboardInterrupt
    if status.state is not State.DONE:
        raise SettingError(status.message)
    return run.metrics()


def _enqueue(store: RunStore, run: Run) -> None:
    again = {"state": State.QUEUED, "place": _last_place(store), "pid": None, "process": ""}
    run.set_status(**again, created=time.time(), message="", ended=None, seconds_left=None)


def _take_over(store: RunStore, run: Run) -> None:
    """Make a run the work of this process, which holds its lock.

    Raises:
        SettingError: it is finished.
        StorageError: it is damaged in what cannot be made again.
    """
    with _alone(store):
        status = run.status()
        old = (
            status.state is State.RUNNING and not status.process and executor.of(status).look(status).alive
        )  # 0.1.0: no lock
        if status.state not in RESUMABLE | {State.RUNNING} or old:
            raise nothing_to_continue(run, status)
        if not _mend(run, status):
            run.set_status(state=State.QUEUED, message="", ended=None, seconds_left=None, **executor.me())


def _wait_for_turn(store: RunStore, run: Run, watch: Watch | None) -> None:
    """Return when this machine has room for the run, which is then marked as running.

    Raises:
        KeyboardInterrupt: it was taken out of the queue, or this process was asked to stop.
    """
    try:
        while not _takes_its_turn(store, run):
            if watch is not None:
                watch("waiting for its turn", 0.0, None)
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        attempt.end(run, State.CANCELLED, "Cancelled.")
        raise


def _takes_its_turn(store: RunStore, run: Run) -> bool:
    with _alone(store):
        status = run.status()
        if status.state is not State.QUEUED:
            raise KeyboardInterrupt
        others = [other for other in _training(store) if other.run_id != run.run_id]
        waiting = _waiting(store)
        next_one = not status.waiting or waiting[0].run_id == run.run_id or refresh(waiting[0]).state in FINISHED
        gpu = room.room(run, others)
        if gpu is not None and next_one:
            run.set_status(state=State.RUNNING, place=None, gpu=gpu, started=time.time(), **executor.me())
            if gpu:  # before anything of this process looks for one
                os.environ[room.VISIBLE] = gpu
            return True
        if not status.waiting:
            run.set_status(place=_last_place(store))
        return False


def _start_next(store: RunStore) -> None:
    with contextlib.suppress(GrouprecError):  # of the queue, not of the run that has just ended
        active(store)


def _spawn(store: RunStore, run: Run) -> None:
    """Start the training of a run; where it ends without a word, the next one is started by the thread that saw it."""
    executor.chosen().start(run, lambda: _start_next(store))
