"""``python -m benchmarks.generated [--dataset NAME,...] [--preset standard]``: generator, profile and live updates.

One run per dataset of :mod:`benchmarks.quality`, on the same split, without rivals. Everything is what the run itself
measured on rows that nothing was learned from. Writes docs/benchmarks.md between its markers.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measure import machine
from benchmarks.quality import BENCHES, train_ours, write
from grouprec.core.types import StorageError
from grouprec.runs.store import Run, RunStore


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--dataset", default=",".join(BENCHES))
    arguments.add_argument("--preset", default="standard")
    arguments.add_argument("--n-groups", type=int, default=20)
    given = arguments.parse_args()
    for name in given.dataset.split(","):
        if name not in BENCHES:
            sys.exit(f"There is no dataset '{name}'; choose from {', '.join(BENCHES)}.")
        with tempfile.TemporaryDirectory() as folder:
            done = train_ours(BENCHES[name], given, "strict", Path(folder))
            run = RunStore(Path(folder)).get(done.result["run_id"])
            head = f"`python -m benchmarks.generated --dataset {name} --preset {given.preset}`"
            cost = f"{done.seconds:.0f} s, {done.peak_mib:,.0f} MiB"
            text = "\n".join([f"## {BENCHES[name].title}: generator and live updates", "", *section(run)])
            text = text.replace("\n\n", f"\n\n{head} with {given.n_groups} groups · {machine()} · {cost}\n\n", 1)
        print(text, flush=True)
        write(f"{name} generated", text)


def section(run: Run) -> list[str]:
    """Return the lines of a run's section."""
    metrics = run.metrics()
    lines = ["| figure | measured | asked for |", "| --- | ---: | ---: |"]
    lines += [f"| {title} | {value} | {target} |" for title, value, target in figures(metrics)]
    for title, name, columns in TABLES:
        try:
            frame = run.table(name)
        except StorageError:
            continue
        frame = frame[frame["metric"] == "ndcg@10"] if "metric" in frame else frame
        lines += ["", f"**{title}**", "", *markdown(frame[[column for column in columns if column in frame]])]
    return lines


TABLES = (
    (
        "What variety costs (strict; ratios to the members' mean)",
        "frontier",
        ["method", "dial", "ndcg@10_ratio", "intra_list_diversity_ratio", "novelty_ratio", "coverage_ratio"],
    ),
    (
        "Lists learned from half of a group, judged on the other half (nDCG@10)",
        "small_groups",
        ["band", "regime", "n_groups", "n_users", "generated", "members_mean", "ratio", "low", "high"],
    ),
    (
        "Nats per interaction of what users took next",
        "reconstruction",
        ["method", "value", "low", "high", "difference", "difference_low", "difference_high"],
    ),
    (
        "Lists while the stream advances (frozen against updated)",
        "replay",
        [
            "window",
            "regime",
            "metric",
            "frozen",
            "updated",
            "difference",
            "low",
            "high",
            "changed_group",
            "list_overlap",
        ],
    ),
)


def figures(metrics: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return what issue 4 asks to be shown: title, measured, target."""
    generator, verdict, updater = (metrics.get(name) or {} for name in ("generator", "verdict", "updater"))
    ndcg = updater.get("ndcg@10", {})
    frechet = generator.get("frechet_generated", np.nan) / generator.get("frechet_gaussian", np.nan)

    def ratio(values: dict[str, Any], name: str) -> str:
        value = values.get(f"{name}_ratio", np.nan)
        return f"{value:.3f} [{values.get(f'{name}_low', np.nan):.3f}, {values.get(f'{name}_high', np.nan):.3f}]"

    def over(name: str) -> str:
        value, (low, high) = ndcg.get(name, np.nan), ndcg.get(f"{name}_interval", (np.nan, np.nan))
        return f"{value:.2f} [{low:.2f}, {high:.2f}]"

    return [
        ("Frechet distance, generated / diagonal Gaussian", f"{frechet:.3f}", "at most 0.50"),
        ("the same of real members (a floor)", f"{floor(generator):.3f}", ""),
        ("members kept aside that virtual ones stand for", f"{generator.get('mode_coverage', np.nan):.3f}", "0.90"),
        ("the same of real members", f"{generator.get('members_coverage', np.nan):.3f}", ""),
        ("virtual members nearer to a real one than usual", f"{generator.get('copies', np.nan):.3f}", ""),
        ("the same of real members kept aside", f"{generator.get('members_copies', np.nan):.3f}", ""),
        ("generated / members' mean, strict nDCG@10", ratio(verdict, "strict"), "0.97"),
        ("generated / members' mean, de-duplicated nDCG@10", ratio(verdict, "dedup"), "0.97"),
        ("alternative lists / members' mean, strict nDCG@10", ratio(verdict, "turns"), ""),
        ("their intra-list diversity against the members' mean", change(verdict, "turns_diversity"), "higher"),
        ("their coverage against the members' mean", change(verdict, "turns_coverage"), "higher"),
        ("next item, nDCG@10, user frozen", f"{ndcg.get('frozen', np.nan):.4f}", ""),
        ("next item, nDCG@10, updated by every event", f"{ndcg.get('updated', np.nan):.4f}", ""),
        ("updated / frozen", over("updated_over_frozen"), "1.5 sample, 1.1 MovieLens by time"),
        ("updated / re-encoded after every event", over("updated_over_reencoded"), "reported"),
    ]


def floor(generator: dict[str, Any]) -> float:
    """Return the Frechet distance of real members relative to the Gaussian's."""
    return generator.get("frechet_members", np.nan) / generator.get("frechet_gaussian", np.nan)


def change(values: dict[str, Any], name: str) -> str:
    """Return a change in per cent."""
    return f"{values.get(f'{name}_change', np.nan):+.0f} %"


def markdown(frame: pd.DataFrame) -> list[str]:
    """Return a frame as a Markdown table, numbers with three places."""
    cells = [[f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row] for row in frame.to_numpy()]
    divider = ["---" if frame[name].dtype.kind in "OUT" else "---:" for name in frame]
    return ["| " + " | ".join(line) + " |" for line in ([str(name) for name in frame], divider, *cells)]


if __name__ == "__main__":
    main()
