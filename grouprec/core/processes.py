"""Which process is which, a pid alone being used again and the clock on the wall moving; and signals to a family."""

from __future__ import annotations

import contextlib
import os
from functools import cache
from pathlib import Path

import psutil

_NEAR = 600.0  # seconds by which a system without ticks may tell the start of one process differently


def identity(pid: int) -> str | None:
    """Return what tells a living process from every other one that had, or will have, its pid.

    On Linux the boot's id and the clock ticks from boot to the process' start, which no change of the clock moves;
    elsewhere the moment that the system noted at its start.

    Returns:
        None where there is no such process, or it has ended and only waits to be noticed.
    """
    if _boot():
        return _by_ticks(pid)
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except (psutil.Error, OverflowError, ValueError):
        return None


def alive(pid: int | None, known: str) -> bool:
    """Return whether the process with that pid lives and is the one of that identity."""
    now = identity(pid) if pid is not None and pid > 0 else None
    if now is None or now == known:
        return now is not None
    try:
        return not _boot() and abs(float(now) - float(known)) < _NEAR
    except ValueError:
        return False


def here(known: str) -> bool:
    """Return whether an identity is of this machine since its last start, as far as the system can tell."""
    return not _boot() or known.startswith(f"{_boot()}:")


def _by_ticks(pid: int) -> str | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold spaces; the 3rd field is the state
    return None if fields[0] in "ZX" else f"{_boot()}:{fields[19]}"


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def give_way(pid: int) -> None:
    """Let other processes have the processor first; nothing happens where the system does not let us."""
    with contextlib.suppress(psutil.Error, OSError):
        psutil.Process(pid).nice(10 if os.name != "nt" else psutil.BELOW_NORMAL_PRIORITY_CLASS)


def signal_group(process: psutil.Process, number: int) -> None:
    """Signal the process and its children: by group where it leads one, else one by one."""
    with contextlib.suppress(psutil.Error, OSError):
        if hasattr(os, "killpg") and os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, number)
            return
        for one in [*process.children(recursive=True), process]:
            with contextlib.suppress(psutil.Error):
                one.send_signal(number)
