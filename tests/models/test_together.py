"""Two processes that learn together: what they add up, what they agree on, and how it ends when one is killed."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable, Sequence
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

import pytest

from grouprec.runs.store import Run, RunStore, State
from tests.support import crew_script
from tests.support.forked import command, fork, needs_fork
from tests.support.small_run import TINY_SETTINGS
from tests.support.started_runs import LONG, config_for, wait_for

pytestmark = needs_fork


def start_two(work: Callable[..., object], *given: Sequence[object]) -> list[ForkProcess]:
    """Start a function twice, each time with the next of what is given, as ``torchrun`` does; the first one leads."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return [fork(work, *own, RANK=str(rank), **shared) for rank, own in enumerate(given)]


def ended(both: list[ForkProcess]) -> list[int | None]:
    """Wait for processes and return their exit codes."""
    for one in both:
        one.join(120)
    return [one.exitcode for one in both]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("two") / "found.json"
    assert ended(start_two(crew_script.main, [out], [out])) == [0, 0]
    return json.loads(out.read_text())


@pytest.fixture(scope="module")
def one() -> dict[str, Any]:
    return crew_script.everything()


def test_two_gradients_are_the_gradient_of_all_rows(one: Any, two: Any) -> None:
    assert (one["size"], two["size"]) == (1, 2)
    assert two["weights"] == pytest.approx(one["weights"], rel=1e-14)
    assert two["again"] == two["weights"]


def test_the_batch_of_one_process_is_dealt_out(one: Any, two: Any) -> None:
    assert two["rows"][0] == one["rows"][0][::2], "the leader's are the first, third, ..."
    for epoch in two["rows"]:
        assert len(set(epoch)) == 12


def test_who_has_more_mini_batches_goes_on_alone(one: Any, two: Any) -> None:
    assert two["uneven"] == pytest.approx(one["uneven"], rel=1e-14)


def test_what_is_refused_is_refused_by_all_and_work_goes_on(two: Any) -> None:
    assert two["refused"] == "These settings do not go together."


@pytest.mark.parametrize("name", list(crew_script.ENCODERS))
def test_two_learn_what_one_learns(name: str, one: Any, two: Any) -> None:
    assert two["values"][name] == pytest.approx(
        one["values"][name], abs=0.06
    )  # a guess of what seeds do; it was not measured


def test_a_killed_worker_is_told_and_the_run_goes_on_from_its_last_stage(tmp_path: Path, planted_csv: Path) -> None:
    store = RunStore(tmp_path)
    run = store.create(config_for(planted_csv, *LONG))
    leader, helper = resume(store, run, tmp_path / "killed")
    try:
        wait_for(lambda: run.status().stage == "updater" or not leader.is_alive())
    finally:
        helper.kill()
    assert ended([helper, leader]) == [-signal.SIGKILL, 2]
    assert "learned with this one is gone" in (tmp_path / "killed 0").read_text()
    assert run.status().state is State.FAILED and "Resume continues" in run.status().message
    (run.path / "config.json").write_text(config_for(planted_csv).model_dump_json())
    assert ended(resume(store, run, tmp_path / "again")) == [0, 0], (tmp_path / "again 0").read_text()
    assert run.status().state is State.DONE and run.damaged() == []
    assert any(event.get("reused") and event["stage"] == "encoder dnn" for event in run.events())


def resume(store: RunStore, run: Run, told: Path) -> list[ForkProcess]:
    assert "dnn.epochs=1" in TINY_SETTINGS, "a stage that two fit together"
    words = ("train", "--resume", run.run_id, "--runs", store.root, "--json")
    return start_two(command, *([told.with_name(f"{told.name} {rank}"), *words] for rank in (0, 1)))
