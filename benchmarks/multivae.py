"""``python -m benchmarks.multivae [--preset standard] [--write]``: a whole run beside one training of a MultiVAE.

RecBole trains that one. Planted data: 6,040 users, 3,706 items, a million rows, as in MovieLens 1M. The last fifth of
every user's rows is kept outside. Ours is ``grouprec train`` with default settings from command to exit, encoders,
groups, generator and evaluation included; theirs is the first training that ``rivals_env.py`` does, with a tenth of the
known rows to stop by, without reading data, starting Python, or the trials and the refit that choosing settings would
take. Both are judged on what was kept outside: nDCG@10 of personal lists over everybody who took something new.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from benchmarks import rivals
from benchmarks.growth import rows_of
from benchmarks.measure import machine, train
from benchmarks.outside import N_GROUPS, Judge, Outside, exported, keep_outside
from benchmarks.quality import write
from grouprec.core.site import app_root
from grouprec.data.synthetic import planted
from grouprec.ranking.statistics import paired_difference

PAGE = app_root() / "docs" / "performance.md"
USERS, ITEMS, ROWS = 6_040, 3_706, 1_000_209  # of MovieLens 1M
TASTES, NOISE = 20, 0.5
PATIENCE_SECONDS = 900.0  # the rival is given up after four times as long
TO_STOP_BY = 0.1  # share of the known cells


@dataclass(frozen=True, eq=False)
class Known:
    """The known rows as a rival reads them: has or has not, CSR [U, I], and what rows and columns are called."""

    matrix: sparse.csr_array
    users: pd.Index
    items: pd.Index


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--preset", default="standard")
    arguments.add_argument("--write", action="store_true", help="write the section of docs/performance.md")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text = bench(given.preset, Path(folder))
    print(text)
    if given.write:
        write("multivae", text, PAGE)


def bench(preset: str, folder: Path) -> str:
    """Return the section: seconds and nDCG@10 of both."""
    file = folder / "planted.parquet"
    write_planted(file)
    rows, judge = keep_outside(Outside("planted", file, "user_time"), folder)
    known = known_of(rows)
    found = rivals.run(write_split(known, folder / "rival"), ["recbole_multivae"], PATIENCE_SECONDS, 1)
    if not found:  # why, it has said
        raise SystemExit(1)
    theirs = found[0]
    done = train(folder / "known.parquet", "--preset", preset, "--n-groups", N_GROUPS, "--runs", folder / "runs")
    lists = dict(exported(done.result["run_id"], folder / "runs", folder / "out", "strict"))
    ours = judge.ndcg(lists["individual"], drop=True)
    other = judge.ndcg(named(theirs.lists, known), drop=True)
    return section(preset, done.seconds, ours, theirs, other, judge)


def section(
    preset: str, seconds: float, ours: np.ndarray, theirs: rivals.RivalResult, other: np.ndarray, judge: Judge
) -> str:
    difference, low, high, _ = (part.item() for part in paired_difference(ours[:, None], other[:, None]))
    one = theirs.trials[0]["seconds"]
    return "\n".join(
        [
            "## Beside one training of a variational autoencoder",
            "",
            f"`python -m benchmarks.multivae --preset {preset}` · {machine()}, recbole {theirs.versions['recbole']}",
            "",
            f"Planted data of MovieLens 1M's size, {len(judge.users):,} users judged from outside.",
            "",
            "| | seconds | nDCG@10 |",
            "| --- | ---: | ---: |",
            f"| a whole run, preset {preset} | {seconds:.0f} | {ours.mean():.4f} |",
            f"| RecBole's MultiVAE, one training | {one:.0f} | {other.mean():.4f} |",
            "",
            f"The run takes {seconds / one:.1f} times as long; its personal lists differ by {difference:+.4f} "
            f"[{low:+.4f}, {high:+.4f}].",
        ]
    )


def write_planted(path: Path) -> None:
    """Write interactions of MovieLens 1M's size, half of them any item at all."""
    rows_of(planted(USERS, ITEMS, TASTES, round(ROWS / USERS), NOISE, ordered=False).data).to_parquet(path, index=False)


def known_of(rows: pd.DataFrame) -> Known:
    """Return known rows (user, item) as a matrix."""
    users, items = pd.Index(rows["user"].unique()), pd.Index(rows["item"].unique())
    at = users.get_indexer(rows["user"]), items.get_indexer(rows["item"])
    matrix = sparse.csr_array((np.ones(len(rows), np.float32), at), shape=(len(users), len(items)))
    matrix.data[:] = 1
    return Known(matrix, users, items)


def write_split(known: Known, folder: Path) -> Path:
    """Write a matrix as ``rivals.run`` reads it, a random part of its cells to stop by, and return the folder."""
    folder.mkdir()
    cells = known.matrix.tocoo()
    aside = np.random.default_rng(0).random(cells.nnz) < TO_STOP_BY
    for name, chosen in {"train": ~aside, "validation": aside, "known": np.ones(cells.nnz, bool)}.items():
        at = cells.row[chosen], cells.col[chosen]
        part = sparse.csr_array((cells.data[chosen], at), shape=cells.shape)
        sparse.save_npz(folder / f"{name}.npz", part)
    np.save(folder / "labels.npy", np.zeros(cells.shape[0], np.int32))
    return folder


def named(lists: np.ndarray, known: Known) -> dict[str, list[str]]:
    """Return a rival's lists by the users' ids."""
    items = known.items.to_numpy(object)
    return {user: list(items[row[row >= 0]]) for user, row in zip(known.users, lists, strict=True)}


if __name__ == "__main__":
    main()
