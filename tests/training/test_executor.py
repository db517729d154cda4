"""Who trains runs: chosen by the environment, asked to start, look and stop; a cluster that fails is told in sentences.

No ray is needed here: what it would answer is made up. ``test_ray_cluster.py`` asks a real one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grouprec.core.types import SettingError
from grouprec.runs.store import Run, RunStore, State, Status
from grouprec.training import executor, jobs, ray_cluster, room
from grouprec.training.executor import Look
from tests.support.started_runs import config_for

ADDRESS = "http://head:8265"


@dataclass
class Cluster:
    """What a cluster knows of its jobs, as Ray's client tells it."""

    status: str = "RUNNING"
    exit_code: int | None = None
    message: str = ""
    error: Exception | None = None
    jobs: list[dict[str, Any]] = field(default_factory=list)

    def submit_job(self, **job: Any) -> None:
        if self.error:
            raise self.error
        self.jobs.append(job)

    def get_job_info(self, job: str) -> Any:
        if self.error:
            raise self.error
        return SimpleNamespace(
            status=self.get_job_status(job), driver_exit_code=self.exit_code, message=self.message, job=job
        )

    def get_job_status(self, job: str) -> Any:
        return SimpleNamespace(is_terminal=lambda: self.status in ("FAILED", "STOPPED", "SUCCEEDED"))

    def stop_job(self, job: str) -> None:
        if self.error:
            raise self.error
        self.status = "STOPPED"


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A cluster that new runs are sent to."""
    made = Cluster()
    monkeypatch.setenv(executor.CHOICE, "ray")
    monkeypatch.setenv(ray_cluster.ADDRESS, ADDRESS)
    monkeypatch.setattr(ray_cluster, "_client", lambda address: made)
    return made


@pytest.fixture
def run(cluster: Cluster, store: RunStore, planted_csv: Path) -> Run:
    return jobs.start(store, config_for(planted_csv))


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


def test_a_run_becomes_a_job_that_resumes_it(cluster: Cluster, store: RunStore, run: Run) -> None:
    (job,) = cluster.jobs
    name = run.status().process
    assert name == f"ray:{job['submission_id']}@{ADDRESS}" and run.run_id in name
    assert f"train --resume {run.run_id} --runs {store.root}" in job["entrypoint"]
    told = job["runtime_env"]["env_vars"]
    assert told[executor.JOB] == name and told[executor.CHOICE] == "ray"
    assert jobs.refresh(run).state is State.RUNNING
    found = jobs.active(store)
    assert found is not None and found.run_id == run.run_id


def test_the_queue_of_a_cluster_counts_its_own_runs(
    cluster: Cluster, store: RunStore, run: Run, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = jobs.start(store, config_for(planted_csv))
    assert second.status().waiting and len(cluster.jobs) == 1
    monkeypatch.setenv(executor.CHOICE, "local")
    assert not executor.takes_room(run.status()), "this machine has room beside it"
    monkeypatch.setenv(executor.CHOICE, "ray")
    monkeypatch.setenv(room.LIMIT, "2")
    jobs.active(store)
    assert len(cluster.jobs) == 2 and not second.status().waiting


def test_a_job_that_waits_for_its_turn_is_sent_once(cluster: Cluster, store: RunStore, run: Run) -> None:
    run.set_status(state=State.QUEUED, place=1.0)
    assert jobs.refresh(run).waiting
    jobs.active(store)
    assert len(cluster.jobs) == 1, "it starts itself"


@pytest.mark.parametrize(
    ("exit_code", "message", "words"),
    [
        (1, "Job entrypoint command failed with exit code 1, last available logs:\nand more", "with exit code 1"),
        (97, "Job failed, logs:\ngrouprec: The Ray worker does not see the run folder /x; share.\n", "worker does not"),
        (None, "Job supervisor actor died", "supervisor actor died"),
    ],
)
def test_a_job_that_ended_without_a_word_is_lost_and_resumed(
    cluster: Cluster, store: RunStore, run: Run, exit_code: int | None, message: str, words: str
) -> None:
    cluster.status, cluster.exit_code, cluster.message = "FAILED", exit_code, message
    lost = jobs.refresh(run)
    assert lost.state is State.LOST and words in lost.message and "\n" not in lost.message
    cluster.status = "RUNNING"
    jobs.resume(store, run)
    assert len(cluster.jobs) == 2 and run.status().state is State.RUNNING


def test_a_cluster_that_was_restarted_knows_no_job(cluster: Cluster, run: Run) -> None:
    cluster.error = RuntimeError("Request failed with status code 404: Job x does not exist.")
    assert jobs.refresh(run).message == ray_cluster.GONE


def test_what_nobody_can_know_is_said_and_nothing_is_lost(cluster: Cluster, run: Run) -> None:
    cluster.error = SettingError(f"The Ray cluster at {ADDRESS} does not answer (timed out); start it.")
    told = jobs.refresh(run)
    assert told.state is State.RUNNING and "is not known. The Ray cluster at http://head:8265" in told.message
    assert run.status().message == "", "it is only told"
    jobs.cancel(run)
    assert run.status().state is State.CANCELLED and "Its job may go on: The Ray cluster" in run.status().message


def test_cancel_stops_the_job(cluster: Cluster, run: Run) -> None:
    jobs.cancel(run)
    assert cluster.status == "STOPPED"
    assert (run.status().state, run.status().message) == (State.CANCELLED, "Cancelled.")


def test_a_cluster_that_takes_no_job_fails_the_run_in_a_sentence(
    cluster: Cluster, store: RunStore, planted_csv: Path
) -> None:
    cluster.error = RuntimeError("Request failed with status code 500:\nTraceback")
    status = jobs.start(store, config_for(planted_csv)).status()
    assert status.state is State.FAILED
    assert status.message == f"The Ray cluster at {ADDRESS} did not take the job: Request failed with status code 500:"


def test_an_address_that_nobody_listens_at(monkeypatch: pytest.MonkeyPatch, store: RunStore, planted_csv: Path) -> None:
    monkeypatch.setenv(executor.CHOICE, "ray")
    monkeypatch.setenv(ray_cluster.ADDRESS, "http://127.0.0.1:9")
    status = jobs.start(store, config_for(planted_csv)).status()
    assert status.state is State.FAILED
    assert status.message.startswith("The Ray cluster at http://127.0.0.1:9 does not answer (")
    assert status.message.endswith("); start it, or correct RAY_ADDRESS.")
    monkeypatch.delenv(ray_cluster.ADDRESS)
    status = jobs.start(store, config_for(planted_csv)).status()
    assert (
        status.message == "GROUPREC_EXECUTOR=ray needs to know the cluster: set RAY_ADDRESS, e.g. to http://HEAD:8265."
    )


def test_without_ray_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray.job_submission", None)
    ray_cluster._connected.cache_clear()
    with pytest.raises(
        SettingError, match=r"need ray, which is not installed here: pip install 'grouprec-studio\[ray\]"
    ):
        ray_cluster._connected(ADDRESS)


def test_a_machine_that_does_not_see_the_folder_says_so(store: RunStore, planted_csv: Path) -> None:
    run = store.create(config_for(planted_csv))
    entrypoint = ray_cluster._entrypoint(run)
    run.path.rename(store.root / "elsewhere")
    said = subprocess.run(["sh", "-c", entrypoint], capture_output=True, text=True, check=False)
    assert said.returncode == ray_cluster.NOT_SEEN
    assert said.stdout.startswith(f"grouprec: The Ray worker does not see the run folder {run.run_id}; put the runs")


@pytest.mark.parametrize(
    ("name", "value", "ask", "words"),
    [
        (executor.CHOICE, "slurm", executor.chosen, "GROUPREC_EXECUTOR must be local or ray, not 'slurm'"),
        (executor.WORKERS, "0", executor.workers, "GROUPREC_WORKERS must be a whole number from 1, not '0'"),
    ],
)
def test_what_the_environment_may_say(
    name: str, value: str, ask: Callable[[], object], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=words):
        ask()


class Instantly:
    """An executor whose runs are over when they have begun."""

    def __init__(self, end: dict[str, Any]) -> None:
        self.end = end

    def start(self, run: Run, ended: Callable[[], None]) -> None:
        run.set_status(place=None, process="ray:x", **self.end)

    def look(self, status: Status) -> Look:
        return Look(True)

    def stop(self, status: Status) -> str:
        return ""


def watched(store: RunStore, run: Run, end: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    who = Instantly(end)
    monkeypatch.setattr(jobs, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(executor, "chosen", lambda: who)
    monkeypatch.setattr(executor, "of", lambda status: who)
    seen: list[str] = []
    jobs.train_there(store, run, lambda stage, fraction, left: seen.append(stage))
    return seen


def test_a_command_that_only_watches_ends_as_its_run_does(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(config_for(planted_csv))
    with pytest.raises(SettingError, match=r"^The file has one user\.$"):
        watched(store, run, {"state": State.FAILED, "message": "The file has one user."}, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        watched(store, run, {"state": State.CANCELLED}, monkeypatch)
    others = store.create(config_for(planted_csv))
    others.set_status(process="ray:another")
    with pytest.raises(SettingError, match="is queued; there is nothing to continue"):
        watched(store, others, {"state": State.DONE}, monkeypatch)


def test_a_job_knows_itself_by_the_name_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    assert executor.me()["pid"] == os.getpid() and not executor.spreads()
    monkeypatch.setenv(executor.JOB, "ray:job@http://head:8265")
    monkeypatch.setenv(executor.CHOICE, "ray")
    assert executor.me() == {"pid": None, "process": "ray:job@http://head:8265"}
    assert executor.spreads() and not executor.elsewhere(), "it trains, and submits nothing"
    monkeypatch.setenv(ray_cluster.ADDRESS, "10.0.0.1:6379")  # which Ray tells its jobs
    assert ray_cluster._address() == ADDRESS


def test_calls_are_made_in_order_and_when_they_are_asked_for() -> None:
    made: list[int] = []

    def double(item: int, by: int) -> int:
        made.append(item)
        return item * by

    results: Iterator[int] = executor.spreader(double, 2)([1, 2, 3])
    assert (next(results), made) == (2, [1])
    assert list(results) == [4, 6]


def test_a_job_gets_our_settings_without_the_tokens_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUPREC_API_TOKEN", "sesame")
    monkeypatch.setenv("GROUPREC_METRICS_TOKEN", "sesame")
    monkeypatch.setenv("GROUPREC_WORKERS", "2")
    given = ray_cluster._environment("job")
    assert given["GROUPREC_WORKERS"] == "2" and "sesame" not in given.values()
