"""``python -m benchmarks.growth [--rows 300000,1000000,3000000] [--preset quick]``: how a run grows with the data.

Planted files, 156 rows a user as in MovieLens 25M and items as the square root of the rows (60,000 at 25 million rows),
half of the rows any item at all; each is trained from its file to the exit of the process. Prints the CPU seconds of
every stage, how they grow (the exponent of rows between the smallest and the largest file), and peak memory.
Writes its part of docs/performance.md with ``--write``; ``--runs DIR`` keeps the runs, for ``benchmarks.pages``.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.measure import Measured, machine, train
from benchmarks.quality import write
from benchmarks.stages import markdown_table
from grouprec.core.site import app_root
from grouprec.data.dataset import Dataset
from grouprec.data.synthetic import planted
from grouprec.runs.run import Run
from grouprec.runs.store import RunStore

PAGE = app_root() / "docs" / "performance.md"
ROWS_PER_USER = 156
LARGEST, LARGEST_ITEMS = 25_000_000, 60_000
N_GROUPS = 50
Measurements = dict[int, tuple[Measured, dict[str, float]]]  # by rows; with the CPU seconds of stages
LEAST_SECONDS = 1.0  # of the largest file: what takes less says nothing of growth


def write_planted(path: Path, n_rows: int, seed: int = 0) -> tuple[int, int]:
    """Write a planted file of about so many rows and return its numbers of users and items."""
    n_users = max(N_GROUPS * 4, n_rows // ROWS_PER_USER)
    n_items = max(N_GROUPS * 4, round(LARGEST_ITEMS * math.sqrt(n_rows / LARGEST)))
    answer = planted(n_users, n_items, N_GROUPS, ROWS_PER_USER, noise=0.5, ordered=False, seed=seed)
    rows_of(answer.data).to_csv(path, index=False)
    return n_users, n_items


def rows_of(data: Dataset) -> pd.DataFrame:
    """Return all rows of planted data (user, item, time in seconds)."""
    parts = (data.train, data.validation, data.test)
    return pd.DataFrame(
        {
            "user": np.concatenate([part.user_rows for part in parts]),
            "item": np.concatenate([part.item_rows for part in parts]),
            "time": np.concatenate([part.times for part in parts if part.times is not None]).astype(np.int64),
        }
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", default="300000,1000000,3000000")
    arguments.add_argument("--preset", default="quick")
    arguments.add_argument("--runs", type=Path, help="where runs are kept")
    arguments.add_argument("--write", action="store_true")
    given = arguments.parse_args()
    measured: Measurements = {}
    for n_rows in sorted(int(number) for number in given.rows.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "planted.csv"
            n_users, n_items = write_planted(path, n_rows)
            store = RunStore(given.runs or Path(folder))
            one = train(path, "--preset", given.preset, "--n-groups", N_GROUPS, "--runs", store.root)
            measured[n_rows] = one, stages(one, store.get(one.result["run_id"]))
        print(f"{n_rows:,} rows, {n_users:,} x {n_items:,}: {one.cpu_seconds:.0f} CPU s, {one.peak_mib:,.0f} MiB")
        text = section(measured, ",".join(map(str, measured)), given.preset)
        print(text, flush=True)
        if given.write:
            write("growth", text, PAGE)


def stages(one: Measured, run: Run) -> dict[str, float]:
    """Return the CPU seconds of every stage, those of the process that draws the map among them."""
    done = (event for event in run.events() if event["event"] == "stage_done")
    return {event["stage"]: one.cpu_between(event["time"] - event["seconds"], event["time"]) for event in done}


def section(measured: Measurements, rows: str, preset: str) -> str:
    """Return the table of all stages as Markdown."""
    smallest, largest = min(measured), max(measured)
    lines: list[tuple[str, list[float], int]] = [
        (stage, [spent.get(stage, math.nan) for _, spent in measured.values()], 1)
        for stage, seconds in measured[largest][1].items()
        if seconds >= LEAST_SECONDS
    ]
    whole = [one for one, _ in measured.values()]
    lines.append(("**whole run**", [one.cpu_seconds for one in whole], 0))
    lines.append(("**peak memory, MiB**", [one.peak_mib for one in whole], 0))
    header = ("stage, CPU seconds", *(f"{n_rows:,} rows" for n_rows in measured), "exponent")
    body = [
        (
            name,
            *("" if math.isnan(value) else f"{value:,.{digits}f}" for value in values),
            exponent(values, smallest, largest),
        )
        for name, values, digits in lines
    ]
    return "\n".join(
        [
            "## Growth with the data",
            "",
            f"`python -m benchmarks.growth --rows {rows} --preset {preset}` · {machine()}",
            "",
            markdown_table(header, body),
        ]
    )


def exponent(values: list[float], smallest: int, largest: int) -> str:
    """Return the power of the rows that a figure grows with; "" where one size says nothing."""
    if smallest == largest or not (values[0] > 0 and values[-1] > 0):
        return ""
    return f"{math.log(values[-1] / values[0]) / math.log(largest / smallest):.2f}"


if __name__ == "__main__":
    main()
