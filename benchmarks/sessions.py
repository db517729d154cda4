"""``python -m benchmarks.sessions [--sessions 25] [--seconds 180] [--idle]``: a team on one server.

Every session opens one page after the other of a finished run, with 10 seconds between, while another run trains
(``--idle``: without one). Sessions speak Streamlit's own protocol, so that no browser takes the processor; a page has
come when its script has ended. Printed are the seconds of every page (the middle, and what 95 of 100 stay below),
and the server's memory and open files before, at most, and a minute after all have left.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.dashboard import PAGES, server
from benchmarks.measure import machine
from grouprec.data.library import Library
from grouprec.runs.config import RunConfig, make_config
from grouprec.runs.store import RunStore
from grouprec.training import jobs
from grouprec.ui.server.loading import FIRST_SECONDS

PAUSE_SECONDS, AFTER_SECONDS = 10.0, 60.0
QUIET_SECONDS, STILL = 4, 0.1  # seconds in a row in which a server takes no more than so many of the processor
Times = dict[str, list[float]]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sessions", type=int, default=25)
    arguments.add_argument("--seconds", type=float, default=180.0)
    arguments.add_argument("--idle", action="store_true")
    arguments.add_argument("--runs", type=Path, help="a folder with a finished run; else the sample is trained first")
    given = arguments.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(given.runs or Path(folder))
        os.environ["GROUPREC_RUNS"] = str(store.root)
        run_id = next((run.run_id for run in store.runs() if run.usable), None) or train_sample(store)
        with server(store.root) as (url, process):
            settle(process)
            beside = None if given.idle else jobs.start(store, sample_config(store, seed=int(time.time())))
            measure(url, process, run_id, given.sessions, given.seconds)
            if beside is not None:
                jobs.cancel(beside)


def settle(process: psutil.Process) -> None:
    """Return when a server that has just started has loaded what its pages import, and does nothing."""
    time.sleep(FIRST_SECONDS)
    quiet, last = 0, -1.0
    while quiet < QUIET_SECONDS:
        used = process.cpu_times().user + process.cpu_times().system
        quiet, last = (quiet + 1 if used - last < STILL else 0), used
        time.sleep(1)  # between two readings of a condition


def sample_config(store: RunStore, seed: int = 0) -> RunConfig:
    sample = Library(store.root / "datasets").sample()
    return make_config(dataset=sample.name, interactions=sample.interactions, preset="quick", seed=seed)


def train_sample(store: RunStore) -> str:
    run = store.create(sample_config(store))
    jobs.train_here(store, run)
    return run.run_id


def measure(url: str, process: psutil.Process, run_id: str, n_sessions: int, seconds: float) -> None:
    """Let sessions come, look around and leave; print what that took."""
    before, peak = state_of(process), state_of(process)
    times: Times = defaultdict(list)
    troubles: list[str] = []

    async def all_sessions() -> None:
        nonlocal peak
        until = time.monotonic() + seconds
        tasks = [
            asyncio.create_task(session(url, run_id, number, until, times, troubles)) for number in range(n_sessions)
        ]
        while not all(task.done() for task in tasks):
            peak = tuple(map(max, peak, state_of(process)))
            await asyncio.sleep(1)
        await asyncio.gather(*tasks)

    begun = process.cpu_times().user + process.cpu_times().system
    asyncio.run(all_sessions())
    used = process.cpu_times().user + process.cpu_times().system - begun
    time.sleep(AFTER_SECONDS)
    visits = [one for many in times.values() for one in many]
    print(f"{n_sessions} sessions, {seconds:.0f} s: {len(visits)} pages, {used / len(visits):.2f} CPU s a page")
    print(f"{'page':<18}{'visits':>7}{'p50 s':>8}{'p95 s':>8}")
    for page, found in [*times.items(), ("all", visits)]:
        print(f"{page:<18}{len(found):>7}{statistics.median(found):>8.2f}{percentile(found):>8.2f}")
    for name, (megabytes, own, files) in {
        "before": before,
        "at most": peak,
        "a minute after": state_of(process),
    }.items():
        print(f"{name:<18}{megabytes:>6.0f} MB, {own:>5.0f} without libraries' files, {files:>5.0f} open files")
    print(f"troubles: {len(troubles)} {troubles[:3]}")


def state_of(process: psutil.Process) -> tuple[float, float, float]:
    """Return megabytes of the server, those of them that are no pages of libraries on the disk, and open files."""
    memory = process.memory_info()
    return memory.rss / 1e6, (memory.rss - memory.shared) / 1e6, process.num_fds()


def percentile(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


async def session(url: str, run_id: str, number: int, until: float, times: Times, troubles: list[str]) -> None:
    """Be one browser: connect, and open pages until the time is over."""
    chance = random.Random(number)
    await asyncio.sleep(chance.uniform(0, PAUSE_SECONDS))
    stream = url.replace("http", "ws", 1) + "/_stcore/stream"
    async with connect(stream, origin=url, max_size=None, subprotocols=["streamlit"]) as socket:  # type: ignore[list-item,arg-type]
        drained: asyncio.Queue[float] = asyncio.Queue()
        reading = asyncio.create_task(read(socket, drained, troubles))
        while time.monotonic() < until:
            page, begun = chance.choice(PAGES), time.perf_counter()
            message = BackMsg()
            message.rerun_script.query_string = f"run={run_id}"
            message.rerun_script.page_name = page
            await socket.send(message.SerializeToString())
            times[page].append(await drained.get() - begun)
            await asyncio.sleep(PAUSE_SECONDS)
        reading.cancel()


async def read(socket: ClientConnection, drained: asyncio.Queue[float], troubles: list[str]) -> None:
    """Take the server's messages as they come, and note when a script has ended for good."""
    async for data in socket:
        message = ForwardMsg()
        message.ParseFromString(data if isinstance(data, bytes) else data.encode())
        kind = message.WhichOneof("type")
        if kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            drained.put_nowait(time.perf_counter())
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            if element.WhichOneof("type") == "exception":
                troubles.append(element.exception.message[:200])


if __name__ == "__main__":
    main()
