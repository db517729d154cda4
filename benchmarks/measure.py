"""Run a command and measure it from outside: seconds to exit and the peak memory of its whole process tree."""

from __future__ import annotations

import json
import math
import platform
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np
import psutil

POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Measured:
    """``peak_mib`` sums the proportional set sizes of the command and everything it started, ``cpu_seconds`` their work
    (NaN on Windows); ``worked`` is this work at moments (seconds since 1970), so that stages can be told apart."""

    seconds: float
    peak_mib: float
    result: dict[str, Any]
    cpu_seconds: float = math.nan
    worked: list[tuple[float, float]] = field(default_factory=list)

    def cpu_between(self, begin: float, end: float) -> float:
        """Return the work between two moments, to half a second."""
        moments, work = zip(*self.worked, strict=True)
        return float(np.diff(np.interp([begin, end], moments, work))[0])


def train(*words: object) -> Measured:
    """Run ``grouprec train WORDS --json`` in a process of its own."""
    command = [sys.executable, "-m", "grouprec", "train", *map(str, words), "--json"]
    begun, worked = time.monotonic(), _worked()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peak, at_moments = 0.0, [(time.time(), 0.0)]
    while child.poll() is None:
        peak = max(peak, _memory(child.pid))
        at_moments.append((time.time(), max(at_moments[-1][1], _work(child.pid))))
        time.sleep(POLL_SECONDS)
    seconds = time.monotonic() - begun
    assert child.stdout is not None
    lines = child.stdout.read().strip().splitlines()
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {child.returncode}.")
    return Measured(seconds, peak, json.loads(lines[-1]), _worked() - worked, at_moments)


def _worked() -> float:
    """Return the CPU seconds of all commands that ended."""
    try:
        import resource
    except ImportError:
        return math.nan
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _work(pid: int) -> float:
    """Return the CPU seconds of a process tree that is still running."""
    total = 0.0
    try:
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            times = process.cpu_times()
            total += (
                times.user + times.system + getattr(times, "children_user", 0) + getattr(times, "children_system", 0)
            )
    except psutil.Error:
        pass
    return total


def _memory(pid: int) -> float:
    """Return the memory of a process tree in MiB; pages that processes share count once where the system says so."""
    total = 0
    try:
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            info = process.memory_full_info()
            total += getattr(info, "pss", info.rss)
    except psutil.Error:
        pass
    return total / 2**20


def machine() -> str:
    """Return the machine's size and the versions that matter, one line."""
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("torch", "scikit-learn", "numpy", "pandas", "streamlit")
    )
    memory = psutil.virtual_memory().total / 2**30
    return f"{psutil.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, {packages}"
