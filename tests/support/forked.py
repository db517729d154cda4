"""Children of this process that run a command or a function: they have its libraries already, which takes seconds of
a processor to load anew. What a command needs of a new interpreter is asked by tests/training/test_jobs.py."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import IO, NoReturn

import pytest

from grouprec.cli.main import main
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


class ForkedTraining:
    """Stands in for ``subprocess.Popen`` where a run is started: the command runs in a fork, a session of its own."""

    def __init__(self, command: list[str], *, stdout: IO[bytes], env: dict[str, str], **_: object) -> None:
        self.returncode: int | None = None
        self.pid = os.fork()
        if not self.pid:
            _become(command[command.index("grouprec") :], stdout, env)

    def wait(self) -> int:
        status = 0
        with contextlib.suppress(ChildProcessError):  # whoever cancelled it has waited for it
            _, status = os.waitpid(self.pid, 0)
        self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def _become(words: list[str], log: IO[bytes], environment: dict[str, str]) -> NoReturn:
    """Be the process of a command, which writes into a log, and end with its status."""
    status: object = 1
    try:
        os.setsid()
        os.environ.clear()
        os.environ.update(environment)
        for number, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(log.fileno(), number)
            setattr(sys, name, os.fdopen(number, "w", buffering=1))
        sys.argv = words
        main()
    except SystemExit as end:
        status = end.code
    finally:
        os._exit(status if isinstance(status, int) else 0)


def _work(work: Callable[..., object], given: tuple[object, ...], environment: dict[str, str]) -> None:
    os.environ.update(environment)
    work(*given)
