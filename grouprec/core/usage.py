"""When somebody last used a run or a dataset: the time of an empty file, so that looking changes nothing else."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

FILE = ".used"
OFTEN = 3600.0  # seconds: no need to know it better


def use(folder: Path) -> None:
    """Note that somebody uses what lies in a folder; where that cannot be written, nothing is noted."""
    mark = folder / FILE
    with contextlib.suppress(OSError):
        if not mark.exists() or abs(time.time() - mark.stat().st_mtime) > OFTEN:
            mark.touch()


def last_used(path: Path) -> float:
    """Return when a folder, or a single file, was last used or changed, in seconds since 1970; 0 where it is gone.

    What was made before uses were noted was used when one of its files was written. What cannot be read counts
    as in use: nobody knows better.
    """
    times = [0.0]
    try:
        for one in path.iterdir() if path.is_dir() else [path]:
            times.append(one.stat().st_mtime)
    except FileNotFoundError:
        pass
    except OSError:
        return time.time()
    return max(times)
