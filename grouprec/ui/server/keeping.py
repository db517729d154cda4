"""Once an hour the server looks for what nobody has used for long (:mod:`grouprec.training.retention`)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from grouprec.core import logs
from grouprec.core.errors import GrouprecError
from grouprec.runs.store import RunStore
from grouprec.training import retention

LOOK_SECONDS = 3600.0


@contextlib.asynccontextmanager
async def kept() -> AsyncIterator[None]:
    """Look inside the block, where ``GROUPREC_KEEP_DAYS`` says that anything ever goes."""
    days = retention.keep_days()
    task = asyncio.create_task(_look(days)) if days is not None else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _look(days: int) -> None:
    while True:
        try:
            gone = await asyncio.to_thread(retention.sweep, RunStore(), days)
            logs.note("looked for what nobody uses", put_away=len(gone))
        except (GrouprecError, OSError) as error:
            logs.note("cannot look for what nobody uses", why=str(error))
        await asyncio.sleep(LOOK_SECONDS)
