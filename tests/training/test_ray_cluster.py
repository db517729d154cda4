"""A real Ray cluster on this machine, a head and two workers: runs as jobs, the same results, and a killed worker.

Where ray is installed (``pip install '.[ray]'``) ``python -m pytest tests/training/test_ray_cluster.py`` runs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from grouprec.runs.store import Run, RunStore, State
from grouprec.training import executor, jobs, ray_cluster
from tests.support.local_cluster import add_worker, local_cluster
from tests.support.started_runs import LONG, config_for, wait_for

pytest.importorskip("ray", reason="needs ray: pip install '.[ray]'")


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[Any, str]]:
    with local_cluster() as started:
        yield started


@pytest.fixture
def address(cluster: tuple[Any, str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(executor.CHOICE, "ray")
    monkeypatch.setenv(ray_cluster.ADDRESS, cluster[1])
    return cluster[1]


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


def ended(run: Run) -> bool:
    return jobs.refresh(run).state in jobs.FINISHED


def in_updater(run: Run) -> bool:
    return run.status().stage == "updater" or ended(run)


def test_a_job_finds_what_a_local_run_finds(
    address: str, store: RunStore, planted_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = jobs.start(store, config_for(planted_csv))
    wait_for(lambda: ended(run), 300)
    assert run.status().state is State.DONE, (run.status(), run.log())
    assert run.damaged() == [] and run.status().process.startswith("ray:")
    monkeypatch.setenv(executor.CHOICE, "local")
    other = RunStore(tmp_path / "local")
    here = other.create(config_for(planted_csv))
    jobs.train_here(other, here)
    for name in ("value_of_groups", "gain_of_groups", "evaluation", "what_if_lists", "members"):
        if (here.path / "tables" / f"{name}.parquet").exists():
            pd.testing.assert_frame_equal(run.table(name), here.table(name))


def test_cancel_ends_the_job_and_resume_continues_it(address: str, store: RunStore, planted_csv: Path) -> None:
    run = jobs.start(store, config_for(planted_csv, *LONG))
    wait_for(lambda: in_updater(run), 300)
    jobs.cancel(run)
    assert run.status().state is State.CANCELLED and not run.finished
    assert not executor.of(run.status()).look(run.status()).alive
    (run.path / "config.json").write_text(config_for(planted_csv).model_dump_json())
    jobs.resume(store, run)
    wait_for(lambda: ended(run), 300)
    assert run.status().state is State.DONE, (run.status(), run.log())
    assert any(event.get("reused") and event["stage"] == "encoder dnn" for event in run.events())


def test_two_workers_fit_together_and_a_killed_one_is_survived(
    cluster: tuple[Any, str], address: str, store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(executor.WORKERS, "2")
    run = jobs.start(store, config_for(planted_csv, *LONG))
    wait_for(lambda: in_updater(run), 300)
    (run.path / "config.json").write_text(config_for(planted_csv).model_dump_json())  # once is enough
    cluster[0].remove_node(cluster[0].list_all_nodes()[-1], allow_graceful=False)
    add_worker(cluster[0])
    wait_for(lambda: ended(run), 300)
    assert run.status().state is State.DONE, (run.status(), run.log())
    assert (run.damaged() == [] and "gone" in run.log()) or "world_size=2" in run.log()
    assert any(event.get("reused") and event["stage"] == "encoder dnn" for event in run.events())
