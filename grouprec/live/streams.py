"""The streams that this process has open, one per run, shared by pages and HTTP requests; and what events did to one.

A stream may be open once only (:class:`~grouprec.live.ledger.Ledger`), so all threads of this process take turns on the
same one. It is closed when nobody has used it for a while, so that other processes can send events, too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from grouprec.core import rights
from grouprec.core.rights import Deed
from grouprec.core.types import StorageError
from grouprec.live.stream import Report, Stream
from grouprec.runs.store import Run, RunStore

MOST_OPEN = 3  # streams kept open; opening another one closes the one that was used longest ago
IDLE_SECONDS = 30.0


class _Shared:
    """The stream of one run, open or not, and whose turn it is."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.stream: Stream | None = None
        self.used = 0.0
        self._closing: threading.Timer | None = None

    def close(self) -> None:
        """Close the stream once its user has finished."""
        with self.lock:
            if self.stream is not None:
                stream, self.stream = self.stream, None
                stream.close()

    def close_later(self) -> None:
        """Close the stream when it has been idle; a later call starts the time anew."""
        if self._closing is not None:
            self._closing.cancel()
        self.used = time.monotonic()
        self._closing = threading.Timer(IDLE_SECONDS, self.close)
        self._closing.daemon = True
        self._closing.start()


_ALL: dict[Path, _Shared] = {}  # of the runs that were ever asked for
_ADDING = threading.Lock()


@contextmanager
def use(store: RunStore, run: Run) -> Iterator[Stream]:
    """Give the stream of a run to one user at a time; others wait.

    Raises:
        StorageError: as :meth:`Stream.open` does; also where the person acting may not see the run.
    """
    if not rights.may(Deed.SEE, run.path):
        raise StorageError(f"There is no run called '{run.run_id}' here.")
    with _ADDING:
        shared = _ALL.setdefault(run.path.resolve(), _Shared())
    with shared.lock:
        try:
            if shared.stream is None:
                shared.stream = Stream.open(store, run)
            yield shared.stream
        finally:
            if shared.stream is not None and shared.stream.interrupted:
                shared.close()  # the next one opens it anew
            shared.close_later()
    _close_surplus()


def close_all() -> None:
    """Close every stream, each once its user has finished."""
    for shared in list(_ALL.values()):
        shared.close()


def _close_surplus() -> None:
    with _ADDING:
        opened = sorted((one for one in _ALL.values() if one.stream is not None), key=lambda one: one.used)
    for shared in opened[:-MOST_OPEN]:
        shared.close()


@dataclass(frozen=True, eq=False)
class Effect:
    """What events did.

    Attributes:
        report: what became of every event.
        moved: users who are in another group than before, and new ones: user, before, after; groups from 1, before is
            0 for new users.
        before, after: the first items of every group's strict list, int32 [G, 10], -1 at the end.
    """

    report: Report
    moved: pd.DataFrame
    before: np.ndarray
    after: np.ndarray

    def changed_lists(self) -> list[int]:
        """Return the groups, from 1, whose lists are other ones now."""
        return (np.flatnonzero((self.before != self.after).any(axis=1)) + 1).tolist()


def send(stream: Stream, events: pd.DataFrame | Iterable[Mapping[str, Any]]) -> Effect:
    """Apply events (:meth:`Stream.apply`) and return what they did."""
    labels, heads = np.array(stream.state.labels), stream.heads()
    report = stream.apply(events)
    now = np.array(stream.state.labels)
    before = np.concatenate([labels + 1, np.zeros(len(now) - len(labels), labels.dtype)])
    rows = np.flatnonzero(before != now + 1)
    users = [stream.state.user_ids[row] for row in rows.tolist()]
    moved = pd.DataFrame({"user": users, "before": before[rows], "after": now[rows] + 1})
    return Effect(report, moved, heads, stream.heads())
