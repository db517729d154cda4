"""A process is known whatever happens to the clock, and another one with its pid is not taken for it."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from grouprec.core import processes


def test_this_process_is_alive_and_another_one_of_its_pid_is_not() -> None:
    mine = processes.identity(os.getpid())
    assert mine is not None and processes.alive(os.getpid(), mine) and processes.here(mine)
    assert not processes.alive(os.getpid(), f"{mine}0") and not processes.alive(os.getpid(), "")
    assert not processes.alive(None, mine) and not processes.alive(-1, mine)


def test_a_process_that_has_ended_is_not_alive_though_nobody_has_taken_its_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        known = processes.identity(child.pid)
        assert known is not None and processes.alive(child.pid, known)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, and still in the table
        assert not processes.alive(child.pid, known)
        monkeypatch.setattr(processes, "_boot", lambda: "")
        assert processes.identity(child.pid) is None
    assert processes.identity(child.pid) is None


@pytest.mark.skipif(not processes._boot(), reason="needs ticks since boot")
def test_a_step_of_the_clock_changes_no_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    known = processes.identity(os.getpid())
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(psutil, "boot_time", lambda: 0.0)
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: 0.0)
    assert processes.identity(os.getpid()) == known


def test_a_system_without_ticks_takes_a_start_that_is_told_a_little_differently(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "_boot", lambda: "")
    now = psutil.Process().create_time()
    assert processes.identity(os.getpid()) == f"{now:.2f}"
    assert processes.alive(os.getpid(), f"{now + 60:.2f}") and processes.here("anything")
    assert not processes.alive(os.getpid(), f"{now - 3600:.2f}")
    assert not processes.alive(os.getpid(), "no number")


@pytest.mark.skipif(os.name == "nt", reason="priorities are told differently there")
def test_a_process_that_gives_way_is_nicer_than_this_one() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        processes.give_way(child.pid)
        assert psutil.Process(child.pid).nice() > psutil.Process().nice()
        child.communicate(b"\n")
    processes.give_way(child.pid)  # nobody is there any more
