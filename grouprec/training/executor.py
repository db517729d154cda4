"""Where runs are trained: in processes of this machine, or as jobs of a Ray cluster (``GROUPREC_EXECUTOR=ray``).

:mod:`grouprec.training.jobs` keeps the queue and asks three things of whoever trains: start, look, stop. What a started
process is called elsewhere it is told in ``GROUPREC_JOB``; by that name everybody who watches the run knows it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from grouprec.core import processes
from grouprec.core.environment import started_together, whole_number
from grouprec.core.errors import SettingError
from grouprec.runs.store import Run, RunStore, Status

CHOICE = "GROUPREC_EXECUTOR"
WORKERS = "GROUPREC_WORKERS"
JOB = "GROUPREC_JOB"
RAY = "ray:"  # how the name of a job of a Ray cluster begins

Result = TypeVar("Result")


@dataclass(frozen=True)
class Look:
    """What an executor knows of the process that trains a run.

    Attributes:
        alive: True also where that cannot be known.
        words: of one that is gone how it ended, of a living one what is doubtful; a sentence, or "".
    """

    alive: bool
    words: str = ""


class Executor(Protocol):
    """Starts ``grouprec train --resume RUN`` somewhere, and knows what became of it."""

    def start(self, run: Run, ended: Callable[[], None]) -> None:
        """Start the training of a run and write into its status who trains it.

        Args:
            ended: to be called when it has ended, where this process can see that.
        Raises:
            GrouprecError: it cannot be started.
        """
        ...

    def look(self, status: Status) -> Look:
        """Return whether the process of a run lives."""
        ...

    def stop(self, status: Status) -> str:
        """Stop the process of a run and what it started; return what is doubtful about that, or ""."""
        ...


def chosen() -> Executor:
    """Return where new runs are trained.

    Raises:
        SettingError: the environment names no executor that there is.
    """
    return _one(_told() == "ray")


def of(status: Status) -> Executor:
    """Return who trains a run, or did."""
    return _one(status.process.startswith(RAY))


def _one(on_ray: bool) -> Executor:
    if on_ray:
        from grouprec.training.ray_cluster import RayJobs

        return RayJobs()
    from grouprec.training.local_process import LocalProcesses

    return LocalProcesses()


def _told() -> str:
    told = os.environ.get(CHOICE, "").strip() or "local"
    if told not in ("local", "ray"):
        raise SettingError(f"{CHOICE} must be local or ray, not '{told}'.")
    return told


def on_cluster() -> bool:
    """Return whether runs are trained by a cluster."""
    return _told() == "ray"


def elsewhere() -> bool:
    """Return whether a command hands its run to other machines, and only watches."""
    return _told() == "ray" and JOB not in os.environ


def me() -> dict[str, Any]:
    """Return who this process is, as a run's status says it."""
    if job := os.environ.get(JOB):
        return {"pid": None, "process": job}
    return {"pid": os.getpid(), "process": processes.identity(os.getpid()) or ""}


def takes_room(status: Status) -> bool:
    """Return whether a run in training is one of those that ``GROUPREC_JOBS`` counts: of this machine, or cluster."""
    on_ray = status.process.startswith(RAY)
    if _told() == "ray":
        return on_ray
    return not status.process or (not on_ray and processes.here(status.process))


# -- inside of a run


def workers() -> int:
    """Return how many processes of the cluster fit the stages of a run together.

    Raises:
        SettingError: the environment does not say a number from 1.
    """
    return whole_number(WORKERS, 1)


def on_workers() -> bool:
    """Return whether this process is a job that leaves its run to several workers."""
    started = started_together()  # it is one of them
    return os.environ.get(JOB, "").startswith(RAY) and workers() > 1 and not started


def starts_again() -> bool:
    """Return whether this process is one of a cluster's workers, which it starts again where one is lost."""
    return os.environ.get(JOB, "").startswith(RAY) and started_together()


def spreads() -> bool:
    """Return whether parts of this process's work may be done by others."""
    return os.environ.get(JOB, "").startswith(RAY)


def spreader(function: Callable[..., Result], *shared: Any) -> Callable[[Iterable[Any]], Generator[Result]]:
    """Return what calls a function with every item and yields the results in their order, one when it is asked for.

    Inside a job of a cluster the calls are its tasks, all begun at once. The results are the same.

    Args:
        function: of a module, called as ``function(item, *shared)``; it does not rest on what other calls leave behind.
        shared: sent once.
    """
    if spreads():
        from grouprec.training.ray_cluster import spread

        return spread(function, *shared)
    return partial(_one_by_one, function, shared)


def _one_by_one(function: Callable[..., Result], shared: tuple[Any, ...], items: Iterable[Any]) -> Generator[Result]:
    return (function(item, *shared) for item in items)


def train_on_workers(store: RunStore, run: Run) -> dict[str, Any]:
    """Train a run with :func:`workers` of the cluster, as :func:`grouprec.training.jobs.train_here` does here."""
    from grouprec.training import ray_cluster

    return ray_cluster.train_on_workers(store, run)
