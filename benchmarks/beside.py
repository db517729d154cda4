"""``python -m benchmarks.beside``: what a second file of the same crowd, and who knows whom, add; two minutes.

Planted data: 1,200 users of 30 tastes with six rows each, on 600 items. The second file holds twelve rows of each user
on other items, drawn by the same tastes or by none; everybody knows six others, of the same taste or anybody. Every run
is preset quick; compared are the personal lists that it judges, and what the blend made of the encoder. Writes
docs/data.md between its markers.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.quality import write
from grouprec.core.site import app_root
from grouprec.core.tables import named_rows
from grouprec.data.synthetic import planted
from grouprec.runs.config import make_config
from grouprec.runs.store import RunStore
from grouprec.training.jobs import train_here

PAGE = app_root() / "docs" / "data.md"
N_GROUPS, ELSEWHERE_ITEMS, ELSEWHERE_ROWS, N_FRIENDS = 30, 300, 12, 6
SIZE: dict[str, Any] = {"n_users": 1200, "n_items": 600, "n_groups": N_GROUPS, "events_per_user": 6, "noise": 0.2}


def plant(folder: Path, told: bool, seed: int = 0, **size: Any) -> dict[str, Path]:
    """Write three files: interactions, ``also`` and ``edges``; return their paths by these names.

    Args:
        told: whether the two others follow the users' tastes; else they are random.
        size: of :func:`grouprec.data.synthetic.planted`, over the usual one.
    """
    made, rng = planted(**{**SIZE, **size}, ordered=False, seed=seed), np.random.default_rng(seed + 1)
    data, n_users, n_groups = made.data, made.data.n_users, int(made.labels.max()) + 1
    parts = [data.train, data.validation, data.test]
    rows = {
        "user": np.concatenate([data.user_ids[part.user_rows] for part in parts]),
        "item": np.concatenate([data.item_ids[part.item_rows] for part in parts]),
    }
    taste = made.labels if told else rng.integers(0, n_groups, n_users)
    people = np.repeat(np.arange(n_users), ELSEWHERE_ROWS)
    block = ELSEWHERE_ITEMS // n_groups
    drawn = taste[people] if told else rng.integers(0, n_groups, len(people))
    other = {"user": data.user_ids[people], "item": drawn * block + rng.integers(0, block, len(people))}
    ends = np.repeat(np.arange(n_users), N_FRIENDS)
    order = np.argsort(made.labels, kind="stable")
    starts, counts = np.searchsorted(made.labels[order], np.arange(n_groups)), np.bincount(made.labels)
    alike = order[starts[made.labels[ends]] + rng.integers(0, counts[made.labels[ends]])]
    friend = alike if told else rng.integers(0, n_users, len(ends))
    frames = {
        "interactions": pd.DataFrame(rows),
        "also": pd.DataFrame(other).drop_duplicates(),
        "edges": pd.DataFrame({"user": data.user_ids[ends], "friend": data.user_ids[friend]}),
    }
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return {name: folder / f"{name}.csv" for name in frames}


def measured(folder: Path, **files: Path) -> Any:
    """Return the row of the table "beside" of a quick run on two files."""
    store = RunStore(folder / "runs")
    run = store.create(make_config(**files, preset="quick", n_groups=5, layout="pca"))
    train_here(store, run)
    (row,) = named_rows(run.table("beside"))
    return row


def main() -> None:
    lines = [
        "| beside the interactions | its share of the blend | without | with | gain |",
        "|---|---:|---:|---:|---:|",
    ]
    for told in (True, False):
        with tempfile.TemporaryDirectory() as name:
            files = plant(Path(name), told)
            for kind in ("also", "edges"):
                row = measured(Path(name), interactions=files["interactions"], **{kind: files[kind]})
                gain = f"{row.added:+.3f} ({row.low:+.3f} to {row.high:+.3f})"
                what = f"`--{kind}`, {'by the same tastes' if told else 'random'}"
                lines.append(f"| {what} | {row.share:.2f} | {row.without:.3f} | {row.value:.3f} | {gain} |")
    text = "\n".join(lines)
    print(text)
    write("beside", text, PAGE)


if __name__ == "__main__":
    main()
