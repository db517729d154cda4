"""Runs as jobs of a Ray cluster (Ray Jobs API), parts of a run as its tasks, and workers that fit stages together.

No other file knows Ray. It is loaded only where it is asked for (``pip install 'grouprec-studio[ray]'``). Whoever
submits and whoever trains see one folder of runs under one path.
"""

from __future__ import annotations

import os
import secrets
import shlex
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from grouprec.core import logs
from grouprec.core.types import GrouprecError, SettingError, WorkerLostError
from grouprec.models.threads import one_thread
from grouprec.runs.store import Run, RunStore, State, Status
from grouprec.training.executor import CHOICE, JOB, RAY, Look, workers

ADDRESS = "RAY_ADDRESS"
SERVER = "RAY_API_SERVER_ADDRESS"
ANSWER_SECONDS = 2.0  # within which a cluster answers
STOP_SECONDS = 8.0  # Ray asks a job to end, and ends it 3 s later
NOT_SEEN = 97  # exit status of a job whose machine does not see the folder of the run
MOST_FAILURES = 3  # of workers; after each one a run goes on from its last finished stage
GONE = "The Ray cluster no longer knows the job of this run (it was restarted); Resume continues it."

_naming = threading.Lock()


# -- jobs


class RayJobs:
    """An executor. A run's process is ``ray:JOB@ADDRESS``: the address that the job was sent to."""

    def start(self, run: Run, ended: Callable[[], None]) -> None:
        """Submit the job, which writes what it prints into the run's log; the cluster says when it has ended."""
        address = _address()
        job = f"grouprec-{run.run_id}-{secrets.token_hex(3)}"
        client = _client(address)
        name = f"{RAY}{job}@{address}"
        run.set_status(state=State.RUNNING, place=None, pid=None, process=name)
        # A job that only waits for its workers needs no core. One that trains needs one, where its tasks find more.
        alone, on_gpu = workers() == 1, run.config().device == "cuda"
        try:
            client.submit_job(
                entrypoint=_entrypoint(run),
                submission_id=job,
                runtime_env={"env_vars": _environment(name)},
                entrypoint_num_cpus=1 if alone else 0,
                entrypoint_num_gpus=1 if alone and on_gpu else 0,
                metadata={"run": run.run_id},
            )
        except Exception as error:  # of ray, requests or the cluster, in many classes
            raise SettingError(f"The Ray cluster at {address} did not take the job: {_first(error)}") from error
        logs.note("training started", run=run.run_id, job=job)

    def look(self, status: Status) -> Look:
        """Ask the cluster for the job."""
        job, _, address = status.process.removeprefix(RAY).partition("@")
        try:
            found = _client(address).get_job_info(job)
        except SettingError as error:
            return Look(True, f"Whether this run still trains is not known. {error}")
        except Exception as error:  # as above
            if "does not exist" in str(error):
                return Look(False, GONE)
            return Look(True, f"Whether this run still trains is not known: {_first(error)}")
        if not found.status.is_terminal():
            return Look(True)
        if found.driver_exit_code == NOT_SEEN:
            return Look(False, _first(str(found.message).rpartition("grouprec: ")[2]))
        return Look(False, f"The Ray job ended without a word ({_first(found.message)}); Resume continues it.")

    def stop(self, status: Status) -> str:
        """Stop the job and wait until it has ended."""
        job, _, address = status.process.removeprefix(RAY).partition("@")
        try:
            client = _client(address)
            client.stop_job(job)
            deadline = time.monotonic() + STOP_SECONDS
            while not client.get_job_status(job).is_terminal():
                if time.monotonic() > deadline:
                    return "The Ray cluster has not stopped its job yet."
                time.sleep(0.1)
        except Exception as error:  # as above; also without a cluster a run can be given up
            return f"Its job may go on: {_first(error)}"
        return ""


def _address() -> str:
    """Return where jobs go: in a job, where it was sent to itself.

    Raises:
        SettingError: nobody says where.
    """
    told = os.environ.get(JOB, "").partition("@")[2] or os.environ.get(ADDRESS, "").strip()
    if not told:
        raise SettingError(f"{CHOICE}=ray needs to know the cluster: set {ADDRESS}, e.g. to http://HEAD:8265.")
    return told


@lru_cache(maxsize=8)
def _connected(address: str) -> Any:
    try:
        from ray.job_submission import JobSubmissionClient  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise SettingError(
            "Runs on a Ray cluster need ray, which is not installed here: pip install 'grouprec-studio[ray]'."
        ) from error
    with _naming:  # what the environment says, which Ray asks first, may be the address of another cluster by now
        before = os.environ.get(SERVER)
        os.environ[SERVER] = address
        try:
            return JobSubmissionClient(address)
        finally:
            del os.environ[SERVER]
            if before is not None:
                os.environ[SERVER] = before


def _client(address: str) -> Any:
    """Return a client of the cluster's jobs.

    Raises:
        SettingError: ray is not installed, or the cluster does not answer.
    """
    place = urlsplit(address if "//" in address else f"//{address}")
    try:
        with socket.create_connection((place.hostname or "", place.port or 80), timeout=ANSWER_SECONDS):
            pass
        return _connected(address)
    except SettingError:
        raise
    except Exception as error:  # an address of any form, a cluster of any version
        raise SettingError(
            f"The Ray cluster at {address} does not answer ({_first(error)}); start it, or correct {ADDRESS}."
        ) from error


def _entrypoint(run: Run) -> str:
    """Return the job as a shell says it: look for the folder, take the same Python where it is there, train."""
    folder = run.path.resolve()
    sentence = (
        f"grouprec: The Ray worker does not see the run folder {folder.name}; put the runs (--runs or "
        "GROUPREC_RUNS) into a folder that all machines share under one path, then Resume."
    )
    train = ["-m", "grouprec", "train", "--resume", run.run_id, "--runs", str(folder.parent), "--json"]
    return "\n".join(
        [
            f"folder={shlex.quote(str(folder))}",
            f'[ -f "$folder/config.json" ] || {{ echo {shlex.quote(sentence)}; exit {NOT_SEEN}; }}',
            f'python={shlex.quote(sys.executable)}; [ -x "$python" ] || python=python',
            f'exec "$python" {shlex.join(train)} >> "$folder/log.txt" 2>&1',
        ]
    )


def _environment(name: str) -> dict[str, str]:
    """Return the settings of a job; the tokens of the server stay with it: the cluster shows these to who asks."""
    ours = {
        key: value for key, value in os.environ.items() if key.startswith("GROUPREC_") and not key.endswith("_TOKEN")
    }
    return {**ours, JOB: name, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}


def _first(error: object) -> str:
    """Return the first line of what somebody else says, without a full stop."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300].rstrip(".")


# -- tasks


def spread(function: Callable[..., Any], *shared: Any) -> Callable[[Iterable[Any]], Generator[Any]]:
    """Return what :func:`grouprec.training.executor.spreader` promises, by tasks of a core each.

    Where no core is free the calls are made here: a job that holds the only one would wait for itself.
    """
    import ray  # pyright: ignore[reportMissingImports]

    if not ray.is_initialized():
        ray.init(address="auto", log_to_driver=False, configure_logging=False)
    sent: list[Any] = []

    def call(items: Iterable[Any]) -> Generator[Any]:
        if ray.available_resources().get("CPU", 0.0) < 1:
            yield from (function(item, *shared) for item in items)
            return
        sent.extend(ray.put(one) for one in shared if not sent or len(sent) < len(shared))
        task = ray.remote(num_cpus=1, max_retries=MOST_FAILURES, scheduling_strategy="DEFAULT")(_alone)
        running = [task.remote(function, item, *sent) for item in items]
        for one in running:  # who stops asking lets the rest end unheard: ray 2.60 may abort where tasks are cancelled
            yield _result(one)

    return call


def _alone(function: Callable[..., Any], item: Any, *shared: Any) -> Any:
    """Call a function as a run does: on one thread, with all stages known."""
    from grouprec.models import menu  # noqa: F401

    with one_thread():
        return function(item, *shared)


def _result(task: Any) -> Any:
    """Return what a task has found.

    Raises:
        GrouprecError: of the task; or it was lost with its workers again and again.
    """
    import ray  # pyright: ignore[reportMissingImports]

    try:
        return ray.get(task)
    except ray.exceptions.RayTaskError as error:
        raise getattr(error, "cause", error) from error
    except ray.exceptions.RayError as error:
        raise SettingError(f"A part of this run was lost on the Ray cluster: {_first(error)}.") from error


# -- workers


def train_on_workers(store: RunStore, run: Run) -> dict[str, Any]:
    """Train a run in a group of workers and return its metrics: the first one leads, the others help it.

    Where one of them is lost the group is started again, up to three times, and the run goes on from its last finished
    stage. Ray Train makes the process group; the step is that of :mod:`grouprec.models.together`.

    Raises:
        SettingError: the run failed, or workers were lost too often.
    """
    from ray.train import FailureConfig, RunConfig, ScalingConfig  # pyright: ignore[reportMissingImports]
    from ray.train.torch import TorchConfig, TorchTrainer  # pyright: ignore[reportMissingImports]

    from grouprec.models.together import PATIENCE

    on_gpu = run.config().device == "cuda"
    backend = TorchConfig("cpu:gloo,cuda:nccl" if on_gpu else "gloo", timeout_s=int(PATIENCE.total_seconds()))
    trainer = TorchTrainer(
        _work,
        train_loop_config={"root": str(store.root.resolve()), "run": run.run_id},
        torch_config=backend,
        scaling_config=ScalingConfig(num_workers=workers(), use_gpu=on_gpu),
        run_config=RunConfig(
            name=run.run_id,
            storage_path=str(store.root.resolve() / ".ray"),
            failure_config=FailureConfig(max_failures=MOST_FAILURES),
        ),
    )
    try:
        trainer.fit()
    except Exception as error:  # Ray's, in many classes
        if (status := run.status()).state is not State.FAILED:
            said = f"The workers of the Ray cluster were lost too often: {_first(error)}."
            status = run.set_status(state=State.FAILED, message=said, seconds_left=None, ended=time.time())
        raise SettingError(status.message) from error
    if (status := run.status()).state is not State.DONE:
        raise SettingError(status.message)
    return run.metrics()


def _work(given: dict[str, str]) -> None:
    """Be one of the workers: lead the run, or help with it."""
    from grouprec.models import together
    from grouprec.training.jobs import train_here

    store = RunStore(Path(given["root"]))
    with together.crew() as leads:
        if not leads:
            return
        try:
            train_here(store, store.get(given["run"]))
        except GrouprecError as error:  # the status says it; once more it would end alike, unless a worker was lost
            if isinstance(error, WorkerLostError):
                raise
