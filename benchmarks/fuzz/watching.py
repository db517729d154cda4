"""What becomes of an input: data or a sentence, the time and the memory that it took."""

from __future__ import annotations

import gzip
import multiprocessing
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from starlette.exceptions import HTTPException

from benchmarks.fuzz.given import Input
from grouprec.core.types import GrouprecError
from grouprec.data.library_files import safe_name
from grouprec.data.preparing.attribute_file import AttributeFile
from grouprec.data.preparing.clean import Preparation
from grouprec.data.preparing.prepare import prepare
from grouprec.data.reading.read import peek
from grouprec.data.roles.columns import parse_map
from grouprec.live.events import check_events, read_events
from grouprec.ui.server import api

MOST_SECONDS, MOST_MEMORY = 10.0, 200e6
_PATIENCE = 600.0  # seconds by the clock: other work may have the processors
LONGEST = 3_000  # characters of a sentence
_ITEMS = np.array(["a", "b", "i1", "i2", "1"], object)


def attempt(given: Input, folder: Path, ways: Sequence[Way] | None = None) -> tuple[str, float]:
    """Read an input wherever a file or a text comes in.

    Args:
        ways: through which it goes, all of them where nothing is said.

    Returns:
        "read" or the beginning of the sentence by which the first way refuses it, of all of them the preparation; and
        seconds of the longest way.

    Raises:
        Exception: anything but a sentence is a fault of ours.
    """
    path = folder / safe_name(given.name)
    path.write_bytes(given.content)
    said, longest = [], 0.0
    for way in ways or WAYS:
        begun = time.process_time()
        try:
            way(path, given)
            said.append("read")
        except (GrouprecError, HTTPException) as error:
            sentence = str(error.detail if isinstance(error, HTTPException) else error)
            if not sentence.strip() or str(folder) in sentence or "\n" in sentence.strip() or len(sentence) > LONGEST:
                raise AssertionError(f"this is no sentence for people: {sentence[:500]!r}") from error
            said.append(sentence[:60])
        longest = max(longest, time.process_time() - begun)
    return said[0], longest


def _look(path: Path, given: Input) -> None:
    peek(path)


def _prepare(path: Path, given: Input) -> None:
    roles = parse_map(given.mapping) if given.mapping else given.roles
    prepare(path, roles=roles, settings=Preparation(min_item_users=1))


def _events(path: Path, given: Input) -> None:
    check_events(read_events(path, {}), Preparation(), 3)


def _about_items(path: Path, given: Input) -> None:
    AttributeFile.read(path, _ITEMS, "item")


def _request(path: Path, given: Input) -> None:
    check_events(api.read_events(path.read_bytes()[: api.MOST_BYTES]), Preparation(), 3)


Way = Callable[[Path, Input], None]
WAYS: tuple[Way, ...] = (_prepare, _look, _events, _about_items, _request)


@dataclass(frozen=True)
class Outcome:
    """What an input led to: the answer or the traceback, seconds of the longest way, bytes beyond the start."""

    said: str
    fault: str
    seconds: float
    memory: float


def watched(given: Input) -> Outcome:
    """Run :func:`attempt` in a child of this process, which may hang, die or take all memory."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_child, args=(given, theirs))
    begun = time.perf_counter()
    child.start()
    theirs.close()
    try:
        while not ours.poll(0.5):
            spent = _processor_seconds(child.pid)
            if spent > len(WAYS) * MOST_SECONDS or time.perf_counter() - begun > _PATIENCE:
                return Outcome("", "it hangs", spent, 0.0)
        return Outcome(*ours.recv())
    except EOFError:
        return Outcome("", "the process died", time.perf_counter() - begun, 0.0)
    finally:
        child.kill()
        child.join()
        ours.close()


def _processor_seconds(pid: int | None) -> float:
    try:
        return sum(psutil.Process(pid).cpu_times()[:2])
    except psutil.NoSuchProcess:  # what it said, or that it died, is in the pipe
        return 0.0


def _child(given: Input, answer: Any) -> None:
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before, seconds = _memory("VmRSS"), 0.0
    warnings.simplefilter("error", RuntimeWarning)  # of numbers that overflow: what comes of them is no number
    unheard: list[str] = []
    sys.unraisablehook = lambda told: unheard.append(f"nobody heard {told.exc_value!r} in {told.object!r}")
    with tempfile.TemporaryDirectory() as folder:
        try:
            (said, seconds), fault = attempt(given, Path(folder)), ""
        except BaseException:
            said, fault = "", traceback.format_exc()
    answer.send((said, fault or "".join(unheard), seconds, _memory("VmHWM") - before))


def _memory(name: str) -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return float(line.split()[1]) * 1024


def size_of(content: bytes) -> int:
    """Return the bytes of a file without its compression, as far as it goes."""
    try:
        return len(gzip.decompress(content)) if content[:2] == b"\x1f\x8b" else len(content)
    except (OSError, EOFError, zlib.error):
        return len(content)
