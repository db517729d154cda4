"""How many runs may train at a time, on this machine and on a GPU of it, and on which GPU the next one goes.

No torch is asked, which would wake the GPUs.
A run gets its GPU by ``CUDA_VISIBLE_DEVICES``, before anything of it looks for one; its status says which it has.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from grouprec.core.environment import whole_number
from grouprec.core.errors import StorageError
from grouprec.runs.store import Run, Status
from grouprec.training import executor

LIMIT, LIMIT_GPU = "GROUPREC_JOBS", "GROUPREC_JOBS_GPU"  # the names of the settings
VISIBLE = "CUDA_VISIBLE_DEVICES"
_DEVICES = Path("/dev")


def limit() -> int:
    """Return how many runs of a folder this machine trains at a time, 1 where nothing is said.

    Raises:
        SettingError: the environment does not say a number from 1.
    """
    return whole_number(LIMIT, 1)


def room(run: Run, others: Sequence[Run]) -> str | None:
    """Return the GPU for a run, "" where it needs none; None where it has to wait for the others, which train.

    Raises:
        SettingError: the environment does not say numbers from 1.
    """
    if len(others) >= limit():
        return None
    if executor.on_cluster() or not wanted(run):  # a cluster deals its GPUs out itself
        return ""
    return free(other.status() for other in others)


def limit_gpu() -> int:
    """Return how many runs train on a GPU at a time, 1 where nothing is said.

    Raises:
        SettingError: the environment does not say a number from 1.
    """
    return whole_number(LIMIT_GPU, 1)


def there() -> list[str]:
    """Return the names of the NVIDIA GPUs that this process may use, as ``CUDA_VISIBLE_DEVICES`` has them."""
    told = os.environ.get(VISIBLE)
    if told is not None:
        return [name.strip() for name in told.split(",") if name.strip() not in ("", "-1")]
    return [str(number) for number in range(len(list(_DEVICES.glob("nvidia[0-9]*"))))]


def wanted(run: Run) -> bool:
    """Return whether a run would train on a GPU, where there is one."""
    try:
        return run.choices().get("device", "auto") in ("auto", "cuda")
    except StorageError:
        return False


def free(others: Iterable[Status]) -> str | None:
    """Return the GPU on which the fewest runs train, "" where there is none at all; None where all have enough.

    Args:
        others: of the runs that train now.
    """
    names = there()
    if not names:
        return ""
    busy = Counter(status.gpu for status in others)
    best = min(names, key=lambda name: busy[name])
    return best if busy[best] < limit_gpu() else None
