"""``python -m benchmarks.linear [--items 3000,10000] [--write]``: EASE beside irspack's and implicit's ALS, one thread.

Planted users; seconds of one fit on the same rows, each in one thread, and nDCG@10 on rows kept aside. EASE with its
default strength, as ``grouprec train`` fits it; the others with the first settings of their trials
(``rivals_env.py``), in the rivals' own environment. Fits are by the clock: nothing else should run.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks import rivals
from benchmarks.measure import machine
from benchmarks.quality import write
from benchmarks.rivals_env import ndcg
from grouprec.core.arrays import presence
from grouprec.core.site import app_root
from grouprec.data.dataset import Dataset
from grouprec.data.synthetic import planted
from grouprec.models.encoders.ease import EaseEncoder
from grouprec.models.fitting import RunOptions
from grouprec.models.threads import one_thread

PAGE = app_root() / "docs" / "performance.md"
TASTES, NOISE, ROWS_OF_A_USER = 20, 0.5, 50
OTHERS = ("irspack_ials", "implicit_als")
NO_TRIALS = 30.0  # seconds: the first settings only, and a rival is given up after four times as long
Fitted = tuple[str, dict[str, Any], float, float]  # name, settings, seconds, nDCG@10


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--items", default="3000,10000")
    arguments.add_argument("--users", type=int, default=20_000)
    arguments.add_argument("--write", action="store_true", help="write the section of docs/performance.md")
    given = arguments.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # of the rivals' processes; ours is held by one_thread
    sizes = [int(size) for size in given.items.split(",")]
    text = section(given.users, {size: bench(given.users, size) for size in sizes})
    print(text)
    if given.write:
        write("linear", text, PAGE)


def bench(n_users: int, n_items: int) -> list[Fitted]:
    """Return what every method took and is worth on planted users of a catalogue."""
    data = planted(n_users, n_items, TASTES, ROWS_OF_A_USER, NOISE, ordered=False).data
    train, aside = parts_of(data)
    with tempfile.TemporaryDirectory() as folder:
        write_parts(train, aside, Path(folder))
        found = rivals.run(Path(folder), OTHERS, NO_TRIALS, 1)
    theirs = [(one.name, one.settings, one.trials[0]["seconds"], one.trials[0]["ndcg@10"]) for one in found]
    return [ease(data, train, aside), *theirs]


def parts_of(data: Dataset) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Return what users have, and what they took later that is new to them, CSR [U, I] of ones."""
    train, later = presence(data.histories), data.validation
    taken = sparse.csr_array((np.ones(len(later.item_rows)), (later.user_rows, later.item_rows)), shape=train.shape)
    new = presence(taken)
    new = new - new.multiply(train)
    new.eliminate_zeros()
    return train, new


def write_parts(train: sparse.csr_array, aside: sparse.csr_array, folder: Path) -> None:
    """Write a split as ``rivals.run`` reads it; the refit, which is not timed, is of the same rows."""
    for name, part in {"train": train, "validation": aside, "known": train}.items():
        sparse.save_npz(folder / f"{name}.npz", part)
    np.save(folder / "labels.npy", np.zeros(train.shape[0], np.int32))


def ease(data: Dataset, train: sparse.csr_array, aside: sparse.csr_array) -> Fitted:
    """Return what one fit of EASE took and is worth."""
    encoder = EaseEncoder(EaseEncoder.Config(tune_l2=False, max_items=data.n_items))
    with one_thread():
        begun = time.perf_counter()
        encoder.fit(data, RunOptions())
        seconds = time.perf_counter() - begun
    weights = encoder.items().T
    return "ease", {"l2": encoder.l2}, seconds, ndcg(lambda rows: train[rows] @ weights, train, aside)


def section(n_users: int, found: dict[int, list[Fitted]]) -> str:
    """Return the table: seconds of one fit, and how many times ours."""
    lines = [
        "## EASE beside two libraries' ALS",
        "",
        f"`python -m benchmarks.linear --items {','.join(map(str, found))}` · {machine()}, one thread each",
        "",
        f"Planted rows of {n_users:,} users, {ROWS_OF_A_USER} each.",
        "",
        "| items | method | settings | seconds of a fit | times EASE | nDCG@10 |",
        "| ---: | --- | --- | ---: | ---: | ---: |",
    ]
    for n_items, rows in found.items():
        for name, settings, seconds, value in rows:
            said = ", ".join(f"{key} {number:g}" for key, number in settings.items())
            lines.append(
                f"| {n_items:,} | {name} | {said} | {seconds:.1f} | {seconds / rows[0][2]:.1f} | {value:.4f} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
