"""What else this machine is doing, and how much longer work takes for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, process_time

import psutil

IDLE = 0.25  # share of the processors below which a machine counts as idle


@dataclass(frozen=True)
class Load:
    """How many processors' worth of work waits or runs on this machine; more than it has where work has to wait.

    Attributes:
        now: in the last minute.
        lasting: that has been there for a quarter of an hour, so that it may be expected to stay.
        processors: that there are.
    """

    now: float
    lasting: float
    processors: int

    def slower(self, work: float) -> float:
        """Return how many times as long something takes beside so much other work: it shares the processors."""
        return 1 + work / self.processors


def at_work() -> Load:
    """Return the load of this machine; none where it is idle, or where a container hides it."""
    processors = psutil.cpu_count() or 1
    try:
        loads = psutil.getloadavg()
    except OSError:
        loads = (0.0, 0.0, 0.0)
    now, lasting = (load if load >= IDLE * processors else 0.0 for load in (loads[0], min(loads)))
    return Load(now, lasting, processors)


@dataclass
class Pace:
    """How many times as long as alone something took, known when it has ended."""

    slower: float = 1.0


@contextmanager
def pace() -> Iterator[Pace]:
    """Find out how much other work slows what is done in the block."""
    found, begun, own = Pace(), monotonic(), process_time()
    yield found
    load = at_work()
    busy = (process_time() - own) / max(monotonic() - begun, 1e-3)
    found.slower = round(load.slower(max(load.now - busy, 0.0)), 2)
