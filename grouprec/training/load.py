"""What else this machine is doing."""

from __future__ import annotations

import psutil

IDLE = 0.25  # share of the processors below which a machine counts as idle


def at_work() -> tuple[float, int]:
    """Return how many processors of this machine were at work in the last minute, and how many it has."""
    processors = psutil.cpu_count() or 1
    try:
        load = psutil.getloadavg()[0]
    except OSError:  # a container may hide it
        load = 0.0
    return (load if load >= IDLE * processors else 0.0), processors
