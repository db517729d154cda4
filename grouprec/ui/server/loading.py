"""What pages import is imported soon after the server has started, while nobody waits for a page.

Else the first visitor of Train, Personas and Updates waits for PyTorch and scikit-learn, and what one visit adds to the
server's memory never goes again (decision 0080). What a page needs itself is loaded from the moment on in which its
address is asked for: a browser starts Streamlit's client for half a second before it asks for more (decision 0196).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import pkgutil
import sys
import threading
import time
from collections.abc import AsyncIterator
from functools import cache

import grouprec.explore
import grouprec.live
import grouprec.report
import grouprec.ui
from grouprec.core import logs
from grouprec.ui.server import health, plotly_file

FIRST_SECONDS = 3.0  # after the server has started: whoever opens a page at once is not to wait for all others
LOOK_SECONDS = 0.5
QUIET_SECONDS = 6.0  # after the last page: a browser draws on when its script has ended, and needs the cores
LIBRARIES = (  # that pages import when they draw
    *("plotly.graph_objects", "plotly.io", "plotly.offline", "plotly.graph_objs._figure", "plotly.graph_objs._bar"),
    *("plotly.graph_objs._scatter", "plotly.graph_objs._scattergl", "pyarrow.parquet", "pyarrow.dataset", "jinja2"),
    *("pyarrow.pandas_compat", "pandas.io.formats.style", "narwhals.stable.v1", "narwhals._pandas_like.dataframe"),
    *("PIL.Image", "streamlit.material_icon_names", "streamlit.dataframe.lazy_df_adapters"),
)
BELOW = (grouprec.explore, grouprec.report, grouprec.live)  # that pages of one kind or another import when they draw
_asked_at = float("-inf")  # on the clock of time.monotonic: when an address of a page was asked for last


def soon(page: str) -> None:
    """Begin to load what a page needs, in a thread of its own, and let all others wait.

    Args:
        page: its name, as addresses have it; any other loads nothing.
    """
    global _asked_at
    _asked_at = time.monotonic()
    threading.Thread(target=_load_page, args=(page,), daemon=True).start()


def _load_page(page: str) -> None:
    plotly_file.ours()  # which every page needs
    for name in modules():
        if f"{name}.".startswith(f"grouprec.ui.{page}.") and name not in sys.modules:
            _try_to_load(name)


@cache
def modules() -> list[str]:
    """Return the names of all modules of the dashboard and of what it is made of, but for the two that are scripts."""
    packages = (*BELOW, grouprec.ui)
    found = [one.name for part in packages for one in pkgutil.walk_packages(part.__path__, f"{part.__name__}.")]
    return [name for name in found if name != "grouprec.ui.frame" and not name.endswith("__main__")]


@contextlib.asynccontextmanager
async def loaded() -> AsyncIterator[None]:
    """Load inside the block, as soon as nobody waits for a page."""
    task = asyncio.create_task(_load())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _load() -> None:
    await asyncio.sleep(FIRST_SECONDS)
    for name in (*LIBRARIES, *modules()):
        while health.pages_in_the_making() or time.monotonic() - _asked_at < QUIET_SECONDS:
            await asyncio.sleep(LOOK_SECONDS)
        await asyncio.to_thread(_try_to_load, name)
    gc.collect()
    gc.freeze()  # what libraries hold stays: no collection need look at it again
    logs.note("pages loaded")


def _try_to_load(name: str) -> None:
    try:
        importlib.import_module(name)
    except Exception as error:  # whoever opens the page that needs it is told what is wrong
        logs.note("cannot be loaded", module=name, why=str(error))
