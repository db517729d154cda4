"""Children of this process that run a command or a function: they have its libraries already, which takes seconds of
a processor to load anew. What a command needs of a new interpreter is asked by tests/training/test_jobs.py."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing.context import ForkProcess
from pathlib import Path

import pytest

from tests.support.commands import call

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")


def fork(work: Callable[..., object], *given: object, **environment: str) -> ForkProcess:
    """Start a function in a child whose environment has these values, too; its exit code is 0 where it returns."""
    child = multiprocessing.get_context("fork").Process(target=_work, args=(work, given, environment))
    child.start()
    return child


def command(told: Path, *words: object) -> None:
    """Run a command as :func:`tests.support.commands.call` does, write what it says into a file, and end as it does."""
    answer = call(*words)
    told.write_text(answer.err)
    sys.exit(answer.status)


def _work(work: Callable[..., object], given: tuple[object, ...], environment: dict[str, str]) -> None:
    os.environ.update(environment)
    work(*given)
