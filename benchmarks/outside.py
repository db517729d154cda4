"""``python -m benchmarks.outside [--data NAME,...] [--seeds 3]``: default runs, judged from outside by their exports.

A fifth of every dataset is kept outside. The rest is given to ``grouprec train`` with default settings (preset
standard, 20 groups; in the random protocol the run is told so, because no file says it), the run is exported, and the
exported lists are judged on what was kept: nDCG@10 over everybody who took something new. Beside it stand simple
methods with settings from one inner window, as somebody would write them in an afternoon. Writes its part of
docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.datasets import dataset_file
from benchmarks.measure import machine, train
from benchmarks.quality import write
from benchmarks.simple import Known, simple_methods
from grouprec.data.preparing.finding import find_roles
from grouprec.data.reading.read import read_table
from grouprec.data.values.times import to_seconds
from grouprec.ranking.candidates import discounts
from grouprec.ranking.statistics import paired_difference

N_GROUPS = 20
SHARE = 0.2
REGIMES = ("individual", "strict", "dedup")


@dataclass(frozen=True)
class Outside:
    """A dataset and its protocol: what is kept outside, what the run is told, and what is asked for (ratios).

    ``rows`` (bool by row of the file) chooses a part of it, ``without`` leaves columns out.
    """

    title: str
    file: str | Path
    protocol: str
    told: tuple[str, ...] = ()
    asked: dict[str, float] = field(default_factory=dict)
    rows: Callable[[pd.DataFrame], pd.Series] | None = None
    without: tuple[str, ...] = ()


OUTSIDE = {
    "sample-time": Outside(
        "Online Retail, last fifth of the rows in time",
        "sample",
        "time",
        (),
        {"individual": 1.10, "strict": 1.13, "dedup": 1.02, "kept": 0.40},
    ),
    "retail-2009-time": Outside(
        "Online Retail 2009, last fifth of the rows in time",
        "retail-2009",
        "time",
        (),
        {"individual": 1.05, "strict": 1.05, "dedup": 1.02, "kept": 0.40},
    ),
    "ml-100k-time": Outside(
        "MovieLens 100K, the last fifth of every user's rows",
        "ml-100k",
        "user_time",
        (),
        {"individual": 1.10, "strict": 1.05, "dedup": 1.03, "kept": 0.35},
    ),
    "ml-100k-random": Outside(
        "MovieLens 100K, a fifth of every user's rows at random",
        "ml-100k",
        "user",
        ("data.split=user",),
        {"individual": 1.02, "strict": 1.08, "dedup": 1.05, "kept": 0.45},
    ),
}


@dataclass(frozen=True, eq=False)
class Judge:
    """What was kept: for every user the items that were new to them, and what they had."""

    wanted: dict[str, set[str]]
    had: dict[str, set[str]]

    @property
    def users(self) -> list[str]:
        return sorted(self.wanted)

    def ndcg(self, lists: dict[str, list[str]], drop: bool) -> np.ndarray:
        """Return every user's nDCG@10, float64 [users]; ``drop`` leaves out of a list what its user has."""
        values, weights = [], discounts(10)
        for user in self.users:
            wanted, had = self.wanted[user], self.had.get(user, set()) if drop else set()
            shown = [item for item in lists.get(user, []) if item not in had][:10]
            hits = np.array([item in wanted for item in shown], float)
            values.append(hits @ weights[: len(hits)] / weights[: min(len(wanted), 10)].sum())
        return np.array(values)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", default=",".join(OUTSIDE))
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--preset", default="standard")
    given = arguments.parse_args()
    for name in given.data.split(","):
        if name not in OUTSIDE:
            sys.exit(f"There is no dataset '{name}'; choose from {', '.join(OUTSIDE)}.")
        with tempfile.TemporaryDirectory() as folder:
            text = bench(name, given.seeds, given.preset, Path(folder))
        print(text, flush=True)
        write(f"outside {name}", text)


def bench(name: str, n_seeds: int, preset: str, folder: Path) -> str:
    """Return one dataset's section."""
    return "\n".join(section(name, OUTSIDE[name], judged(OUTSIDE[name], n_seeds, preset, folder)))


@dataclass(frozen=True, eq=False)
class Judged:
    """Every user's nDCG@10, float64 [users]: ours by regime and seed, of simple methods by regime and name."""

    judge: Judge
    ours: dict[str, list[np.ndarray]]
    simple: dict[str, dict[str, np.ndarray]]
    seconds: list[float]
    peak_mib: list[float]

    def best_simple(self, regime: str) -> str:
        return max(self.simple[regime], key=lambda method: self.simple[regime][method].mean())

    def against(self, regime: str) -> tuple[float, float, float, float]:
        """Return ours over the best simple method's, and the paired difference with its interval."""
        mean = np.mean(self.ours[regime], axis=0)
        theirs = self.simple[regime][self.best_simple(regime)]
        difference, low, high, _ = (part.item() for part in paired_difference(mean[:, None], theirs[:, None]))
        return float(mean.mean() / theirs.mean()), difference, low, high


def judged(chosen: Outside, n_seeds: int, preset: str, folder: Path) -> Judged:
    """Train, export and judge default runs of one dataset, and the simple methods beside them."""
    rows, judge = keep_outside(chosen, folder)
    simple = {regime: {} for regime in REGIMES}
    for regime, method, lists in simple_methods(Known(rows, chosen.protocol), N_GROUPS):
        simple[regime][method] = judge.ndcg(lists, drop=regime != "strict")
    ours: dict[str, list[np.ndarray]] = {regime: [] for regime in REGIMES}
    seconds, peak = [], []
    for seed in range(n_seeds):
        for grouped_for in ("strict", "dedup"):
            words = [folder / "known.parquet", "--preset", preset, "--n-groups", N_GROUPS, "--seed", seed]
            words += ["--regime", grouped_for, "--runs", folder / f"runs{seed}", "--refit"]
            for setting in chosen.told:
                words += ["--set", setting]
            done = train(*words)
            if grouped_for == "strict":
                seconds.append(done.seconds)
                peak.append(done.peak_mib)
            for regime, lists in exported(done.result["run_id"], folder / f"runs{seed}", folder / "out", grouped_for):
                ours[regime].append(judge.ndcg(lists, drop=regime != "strict"))
    return Judged(judge, ours, simple, seconds, peak)


def keep_outside(chosen: Outside, folder: Path) -> tuple[pd.DataFrame, Judge]:
    """Write what the run may know as ``known.parquet`` and return it (user, item, time) and the judge of the rest."""
    path = chosen.file if isinstance(chosen.file, Path) else dataset_file(chosen.file)
    roles = find_roles(path, {})
    table = read_table(path)
    if chosen.rows:
        table = table[chosen.rows(table)].reset_index(drop=True)
    frame = pd.DataFrame(
        {
            "user": table[roles.user].astype(str).where(table[roles.user].notna()),
            "item": table[roles.item].astype(str),
            "time": to_seconds(table[roles.time]) if roles.time and roles.time not in chosen.without else 0.0,
        }
    )
    table = table.drop(columns=list(chosen.without))
    kept = outside_rows(frame, chosen.protocol)
    table[~kept].to_parquet(folder / "known.parquet", index=False)
    known, rest = frame[~kept].dropna(), frame[kept].dropna()
    known = known.assign(user=_ids(known["user"]), item=_ids(known["item"]))
    rest = rest.assign(user=_ids(rest["user"]), item=_ids(rest["item"]))
    had = known.groupby("user")["item"].agg(set).to_dict()
    catalogue = set(known["item"])
    wanted = {
        user: new
        for user, items in rest.groupby("user")["item"].agg(set).to_dict().items()
        if user in had and (new := (items - had[user]) & catalogue)
    }
    return known, Judge(wanted, had)


def _ids(column: pd.Series) -> pd.Series:
    """Return ids as the product writes them: whole numbers without a point."""
    return column.str.replace(r"^(\d+)\.0$", r"\1", regex=True)


def outside_rows(frame: pd.DataFrame, protocol: str) -> np.ndarray:
    """Return the rows that are kept outside, bool [n]."""
    if protocol == "time":
        return (frame["time"] >= frame["time"].quantile(1 - SHARE)).to_numpy()
    order = frame["time"] if protocol == "user_time" else pd.Series(np.random.default_rng(0).random(len(frame)))
    place = order.groupby(frame["user"]).rank(method="first", ascending=False)
    size = frame.groupby("user")["item"].transform("size")
    return (place <= np.floor(size * SHARE)).to_numpy()


def exported(run_id: str, runs: Path, out: Path, grouped_for: str) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Yield (regime, lists by user) of an export: personal and strict lists of the run that groups for those."""
    command = [sys.executable, "-m", "grouprec", "export", run_id, "--runs", str(runs), "--out", str(out)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    members = pd.read_csv(out / "members.csv", dtype=str).set_index("user")["group"].to_dict()

    def by(name: str, key: str) -> dict[str, list[str]]:
        table = pd.read_csv(out / name, dtype=str)
        return table.groupby(key, sort=False)["item"].agg(list).to_dict()

    if grouped_for == "strict":
        yield "individual", by("user_lists.csv", "user")
        lists = by("group_lists.csv", "group")
        yield "strict", {user: lists[group] for user, group in members.items()}
    else:
        lists = by("group_rankings.csv", "group")
        yield "dedup", {user: lists[group] for user, group in members.items()}


def section(name: str, chosen: Outside, found: Judged) -> list[str]:
    """Return the Markdown of one dataset."""
    ours, simple, seconds = found.ours, found.simple, found.seconds
    lines = [
        f"## From outside: {chosen.title}",
        "",
        f"`python -m benchmarks.outside --data {name} --seeds {len(seconds)}` · {machine()}",
        "",
        f"{len(found.judge.had):,} users, {len(found.judge.users):,} of them judged. A run takes "
        f"{np.mean(seconds):.0f} s and {max(found.peak_mib):,.0f} MiB.",
        "",
        "| lists | ours (by seed) | best simple method | ours / best simple | difference | asked for |",
        "| --- | --- | --- | ---: | --- | ---: |",
    ]
    for regime in REGIMES:
        best = found.best_simple(regime)
        ratio, difference, low, high = found.against(regime)
        seeds = ", ".join(f"{one.mean():.4f}" for one in ours[regime])
        lines.append(
            f"| {regime} | {seeds} | {best} {simple[regime][best].mean():.4f} | {ratio:.2f} | {difference:+.4f} "
            f"[{low:+.4f}, {high:+.4f}] | {chosen.asked[regime]:.2f} |"
        )
    floor = max(values.mean() for method, values in simple["strict"].items() if method.startswith("one list"))
    individual, strict = (np.mean(ours[regime]) for regime in ("individual", "strict"))
    kept = (strict - floor) / (individual - floor)
    lines += ["", f"Of what personal lists add to the best single list, {N_GROUPS} strict lists keep {kept:.2f} "]
    lines[-1] += f"(asked for: {chosen.asked['kept']:.2f}). Simple methods:"
    for regime in REGIMES:
        ranked = sorted(simple[regime], key=lambda method: -simple[regime][method].mean())
        lines += ["", f"{regime}: " + ", ".join(f"{one} {simple[regime][one].mean():.4f}" for one in ranked)]
    return lines


if __name__ == "__main__":
    main()
