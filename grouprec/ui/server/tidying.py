"""What sessions leave in memory goes when they have left, or when it is too much.

Streamlit's caches end by number of entries, never by age: tables and models of a run stay for good when nobody looks
any more. Here they end when nobody has been connected for a while, and when the server has grown beyond a limit. Its
sessions end by age, but only when another one comes or goes, and each holds three files until then.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import gc
import sys
from collections.abc import AsyncIterator

import psutil
import pyarrow as pa
import streamlit as st
from streamlit import runtime
from streamlit.runtime.state import SessionState

from grouprec.core import logs
from grouprec.core.environment import number_from_0
from grouprec.ui.server import health

LOOK_SECONDS = 10.0
USED = 10  # collections of the young by Python itself, after which there may be enough to let go of
IDLE_LOOKS = 4  # in a row without anybody, before caches are emptied: a reload of the page is no leave
MOST_GB = "GROUPREC_CACHE_GB"  # the setting: how much the server may grow; 4 where nothing is said


def most_gb() -> float:
    """Return by how many GB the server may grow before it empties its caches.

    Raises:
        SettingError: the setting is no number from 0.
    """
    return number_from_0(MOST_GB, 4.0)


class Tidying:
    """When to empty the caches: asked from time to time with what is there now."""

    def __init__(self, most_bytes: float) -> None:
        self._most, self._idle, self._empty = most_bytes, 0, True

    def due(self, sessions: int, grown: float) -> str:
        """Return why caches should be emptied now, "" where they should not.

        Args:
            sessions: browser tabs that are connected.
            grown: bytes by which the process is larger than when it began.
        """
        self._idle = 0 if sessions else self._idle + 1
        self._empty = self._empty and not sessions
        if not self._empty and self._idle >= IDLE_LOOKS:
            self._empty = True
            return "nobody is here"
        return "they are too large" if grown > self._most else ""


class Rubbish:
    """When to look for what nobody refers to any more: once in a look, not after every script as Streamlit would."""

    def __init__(self) -> None:
        self._seen = 0

    def due(self, collections: int) -> bool:
        """Return whether so many collections of the young since the process began are many more than last time."""
        if collections - self._seen < USED:
            return False
        self._seen = collections
        return True


def empty_caches() -> None:
    """Forget what can be made or read again, and give its memory back to the system."""
    st.cache_data.clear()
    st.cache_resource.clear()
    forget_results()
    streams = sys.modules.get("grouprec.live.streams")  # loaded by the first event, if any
    if streams is not None:
        streams.close_all()
    gc.collect()
    pa.default_memory_pool().release_unused()
    with contextlib.suppress(OSError, AttributeError):  # glibc keeps freed memory for the process
        ctypes.CDLL(None).malloc_trim(0)


def forget_results() -> None:
    """Empty the caches of our functions: results are counted again, and what they were asked for may hold a model."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "grouprec":
            for value in list(vars(module).values()):
                if isinstance(value, functools._lru_cache_wrapper):
                    value.cache_clear()


def end_sessions() -> None:
    """Let go of the sessions whose tab was closed longer ago than ``server.disconnectedSessionTTL``.

    They are emptied, too: Streamlit's loop goes on holding the last one of them until another one comes.
    """
    if not runtime.exists():
        return
    cache = runtime.get_instance()._session_mgr._session_storage._cache  # type: ignore[attr-defined]
    kept = dict(cache._data)
    cache.expire()
    for name, info in kept.items():
        if name not in cache._data:
            info.session.shutdown()
            if info.session._scriptrunner is None:  # else a script, which stops soon, may still look there
                info.session._session_state = SessionState()  # its own `clear` leaves what widgets call


@contextlib.asynccontextmanager
async def tidied() -> AsyncIterator[None]:
    """Look after the caches inside the block."""
    task = asyncio.create_task(_look())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _look() -> None:
    process = psutil.Process()
    begun = process.memory_info().rss
    tidying = Tidying(most_gb() * 1e9)
    rubbish = Rubbish()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        end_sessions()
        if rubbish.due(gc.get_stats()[1]["collections"]):
            gc.collect()
        reason = tidying.due(health.sessions(), process.memory_info().rss - begun)
        if reason:
            await asyncio.to_thread(empty_caches)
            logs.note("caches emptied", why=reason, megabytes=process.memory_info().rss // 1_000_000)
