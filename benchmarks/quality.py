"""``python -m benchmarks.quality [--dataset NAME,...] [--preset standard]``: ours and the rivals on the same split.

Ours is trained through the command line, once for each regime; the rivals learn from the same rows in processes of
their own. Everybody's lists are judged by one protocol on the test part: the last or a random fifth of the rows, fixed
by the dataset's settings; all choices are made on the validation tenth. Writes docs/benchmarks.md between its markers.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD

from benchmarks import rivals
from benchmarks.datasets import dataset_file
from benchmarks.measure import Measured, machine, train
from grouprec.core.types import Candidates
from grouprec.data.dataset import Dataset
from grouprec.data.preparing.prepare import prepare
from grouprec.evaluate import baselines, protocol
from grouprec.evaluate.oracle import best_strict
from grouprec.models.groupers.segmentation import segment
from grouprec.ranking.statistics import mean_interval
from grouprec.ranking.task import Task, individual_lists, shared_lists, test_task, validation_task
from grouprec.runs.config import make_config, parse_settings
from grouprec.runs.store import Run, RunStore

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
METRICS = ("ndcg@10", "precision@10", "recall@10", "hit_rate@10")
PLAIN = "plain_segmentation"  # catalogue segmentation on tuned EASE: one start, no trend
FIFTH = ("data.test_share=0.2", "data.validation_share=0.1")
AS_PUBLISHED = ("data.min_item_users=1", "data.drop_robots=false", "data.weighting=binary")  # all rows, all alike
REGIMES = {
    "individual": "Personal lists",
    "strict": "One list for everybody in the group",
    "dedup": "One ranking per group, each member skips what they have",
}


@dataclass(frozen=True)
class Bench:
    """A dataset and its split: settings of the command, and what must be shown on it (ratios, see :func:`shown`)."""

    title: str
    file: str
    settings: tuple[str, ...]
    targets: dict[str, float]


BENCHES = {
    "sample": Bench(
        "Online Retail (the bundled sample), last fifth of the rows in time",
        "sample",
        FIFTH,
        {"EASE": 1.30, "rivals": 1.03, "k-means": 2.3, "plain": 1.8, "oracle": 0.65},
    ),
    "ml-100k-random": Bench(
        "MovieLens 100K, a fifth of every user's rows at random",
        "ml-100k",
        (*FIFTH, *AS_PUBLISHED, "data.split=user"),
        {"EASE": 1.02, "rivals": 1.03, "k-means": 1.4, "plain": 1.02, "dedup share": 0.80},
    ),
    "ml-100k-time": Bench(
        "MovieLens 100K, the last fifth of every user's rows in time",
        "ml-100k",
        (*FIFTH, *AS_PUBLISHED, "data.split=user_time"),
        {"EASE": 1.03, "rivals": 1.03, "k-means": 1.8, "plain": 1.02},
    ),
}


@dataclass(frozen=True)
class Row:
    """One line of a table: a method, its metrics as (mean, low, high), what it cost, and a remark."""

    name: str
    values: dict[str, tuple[float, float, float]]
    seconds: float | None = None
    peak_mib: float | None = None
    note: str = ""

    def of(self, metric: str) -> float:
        return self.values[metric][0]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--dataset", default=",".join(BENCHES))
    arguments.add_argument("--preset", default="standard")
    arguments.add_argument("--n-groups", type=int, default=20)
    arguments.add_argument("--seconds", type=float, default=rivals.SECONDS, help="of trials, for each rival")
    given = arguments.parse_args()
    for name in given.dataset.split(","):
        if name not in BENCHES:
            sys.exit(f"There is no dataset '{name}'; choose from {', '.join(BENCHES)}.")
        with tempfile.TemporaryDirectory() as folder:
            text = bench(name, given, Path(folder))
        print(text, flush=True)
        write(name, text)


def bench(name: str, given: argparse.Namespace, folder: Path) -> str:
    """Return one dataset's section."""
    chosen = BENCHES[name]
    data = split_of(chosen)
    task = test_task(data)
    ours = {regime: train_ours(chosen, given, regime, folder / "runs") for regime in ("strict", "dedup")}
    runs = {regime: RunStore(folder / "runs").get(one.result["run_id"]) for regime, one in ours.items()}
    labels = group_labels(runs["strict"], data)
    found = run_rivals(folder, data, labels, given)
    tables = {
        "individual": [*saved(runs["strict"], "individual"), *judged(found, task, "individual")],
        "strict": [*saved(runs["strict"], "strict"), *plain(folder, data, task, given), *judged(found, task, "strict")],
        "dedup": saved(runs["dedup"], "dedup"),
    }
    oracle = best_strict(labels[task.users], task.relevant[task.users], (10,))
    lines = [
        f"## {chosen.title}",
        "",
        f"`python -m benchmarks.quality --dataset {name} --preset {given.preset} --n-groups {given.n_groups}` · "
        f"{machine()}",
        "",
        f"{data.n_users:,} users x {data.n_items:,} items; rows {len(data.train):,} / {len(data.validation):,} / "
        f"{len(data.test):,}; {len(task.users):,} test users. Ours: {ours['strict'].seconds:.0f} s and "
        f"{ours['strict'].peak_mib:,.0f} MiB for the whole run, all stages and evidence included. "
        f"{blend_sentence(runs['strict'])} Brackets: 95 % intervals over users.",
        "",
        *shown(chosen, tables, oracle, runs),
    ]
    for regime, title in REGIMES.items():
        lines += ["", f"**{title}**", "", *table(tables[regime])]
    return "\n".join(lines)


def split_of(chosen: Bench) -> Dataset:
    """Return the prepared dataset that the run prepares, too: same file, same settings, same seed."""
    config = make_config(interactions=dataset_file(chosen.file), settings=parse_settings(chosen.settings))
    return prepare(config.interactions, settings=config.preparation, seed=config.seed).dataset


def train_ours(chosen: Bench, given: argparse.Namespace, regime: str, runs: Path) -> Measured:
    """Train a run. The de-duplicated one is about its groups and lists only; its deep stages are cut short."""
    words: list[Any] = [dataset_file(chosen.file), "--preset", given.preset, "--n-groups", given.n_groups]
    words += ["--no-refit", "--regime", regime, "--layout", "pca", "--runs", runs]
    short = ("vae.epochs=1", "gan.epochs=1", "gru.epochs=1") if regime == "dedup" else ()
    for setting in (*chosen.settings, *short):
        words += ["--set", setting]
    return train(*words)


def group_labels(run: Run, data: Dataset) -> np.ndarray:
    """Return the run's groups of the dataset's users, int [U] from 0."""
    users = run.table("users").set_index("user")["group"]
    return users.loc[data.user_ids.astype(str)].to_numpy() - 1


def run_rivals(folder: Path, data: Dataset, labels: np.ndarray, given: argparse.Namespace) -> dict[str, Any]:
    """Return the rivals' results by name; the aggregators once on k-means groups and once on ours."""
    validation = validation_task(data)
    parts = {"train": data.histories, "validation": validation.relevant, "known": data.known}
    for part, matrix in parts.items():
        sparse.save_npz(folder / f"{part}.npz", sparse.csr_matrix((matrix != 0).astype(np.float32)))
    kmeans = baselines.history_groups(data.known, given.n_groups, 0)
    np.save(folder / "labels.npy", kmeans.labels)
    found = {one.name: (one, kmeans.labels) for one in rivals.run(folder, seconds=given.seconds)}
    np.save(folder / "labels.npy", labels)
    again = rivals.run(folder, rivals.STRICT, given.seconds)
    return found | {f"{one.name} on our groups": (one, labels) for one in again}


def judged(found: dict[str, Any], task: Task, regime: str) -> list[Row]:
    """Judge the rivals' lists of one regime."""
    rows = []
    for name, (one, labels) in found.items():
        if one.regime != regime:
            continue
        if regime == "individual":
            candidates = Candidates(one.lists, np.zeros(one.lists.shape, np.float32), task.seen.shape[1])
            lists = individual_lists(candidates, task)
        else:
            lists = shared_lists(one.lists, labels, task)
        best = ", ".join(f"{key} {_short(value)}" for key, value in one.settings.items())
        note = "; ".join(part for part in (f"{len(one.trials)} trials" * bool(one.trials), best, one.note) if part)
        rows.append(Row(name, values(lists, task), one.seconds, one.peak_mib, note))
    return rows


def plain(folder: Path, data: Dataset, task: Task, given: argparse.Namespace) -> list[Row]:
    """Judge catalogue segmentation as it stands in the literature, on tuned EASE: one start, no trend."""
    if not (folder / "scores.npz").exists():
        return []
    worth = sparse.csr_array(sparse.load_npz(folder / "scores.npz"))
    worth.data = np.maximum(worth.data, 0)
    reduced = TruncatedSVD(64, random_state=0).fit_transform(worth)
    start = KMeans(given.n_groups, n_init=1, random_state=0).fit_predict(reduced)
    groups = segment(worth, data.known, start, "strict")
    lists = shared_lists(groups.rankings, groups.labels, task)
    return [Row(PLAIN, values(lists, task), note="tuned EASE, one start, no trend")]


def values(lists: np.ndarray, task: Task) -> dict[str, tuple[float, float, float]]:
    """Return the metrics of lists, int32 [T, K], with intervals."""
    measured = protocol.measure("", "", lists, task)
    columns = np.column_stack([measured.of(metric) for metric in METRICS])
    return {metric: cell for metric, *cell in zip(METRICS, *mean_interval(columns), strict=True)}  # type: ignore[misc]


def saved(run: Run, regime: str) -> list[Row]:
    """Return the rows of a run's own evaluation: ours first."""
    rows = run.table("evaluation")
    rows = rows[(rows["regime"] == regime) & rows["metric"].isin(METRICS)]
    made = []
    for name, own in rows.groupby("method", sort=False):
        cells = own.set_index("metric")[["value", "low", "high"]]
        note = "of the run: an encoder or baseline" if regime == "individual" and name != "individual" else ""
        made.append(Row(str(name), {metric: tuple(cells.loc[metric]) for metric in METRICS}, note=note))
    ours = "individual" if regime == "individual" else run.metrics()["list_method"][regime]
    return [replace(row, name=f"**ours** ({row.name})") if row.name == ours else row for row in made]


def shown(chosen: Bench, tables: dict[str, list[Row]], oracle: dict[str, float], runs: dict[str, Run]) -> list[str]:
    """Return the figures that the product promises, beside what was asked for."""
    by_name = {regime: {row.name.split(" ")[0]: row for row in rows} for regime, rows in tables.items()}
    alone, strict = by_name["individual"], by_name["strict"]
    ours, list_ours = alone["**ours**"].of("ndcg@10"), strict["**ours**"].of("precision@10")
    others = [alone[name].of("ndcg@10") for name in rivals.INDIVIDUAL if name in alone and name != "ease"]
    rival_ease = max(row.of("ndcg@10") for row in tables["individual"] if row.name == "ease")
    dedup = runs["dedup"].metrics()["headline"]["dedup_share_of_gain"]
    figures = {
        "EASE": ("personal nDCG@10 / tuned EASE", ours / rival_ease),
        "rivals": ("personal nDCG@10 / best of ALS, iALS and MultiVAE", ours / max(others) if others else np.nan),
        "k-means": (
            "strict precision@10 / k-means on histories with members' mean EASE",
            list_ours / strict["kmeans_mean_ease"].of("precision@10"),
        ),
        "plain": (
            "strict precision@10 / plain catalogue segmentation on EASE",
            list_ours / strict[PLAIN].of("precision@10") if PLAIN in strict else np.nan,
        ),
        "oracle": ("strict precision@10 / exact oracle of the same groups", list_ours / oracle["precision@10"]),
        "dedup share": ("de-duplicated nDCG@10, share of the possible gain", dedup),
    }
    lines = ["| figure | measured | asked for |", "| --- | ---: | ---: |"]
    for key, (title, value) in figures.items():
        target = f"{chosen.targets[key]:.2f}" if key in chosen.targets else ""
        lines.append(f"| {title} | {value:.3f} | {target} |")
    return lines


def blend_sentence(run: Run) -> str:
    """Say what validation made of the encoders."""
    blend = run.metrics()["blend"]
    weights = {name: weight for name, weight in blend["encoders"].items() if weight}
    said = ", ".join(f"{name} {weight:.2f}" for name, weight in sorted(weights.items(), key=lambda one: -one[1]))
    trend = "no trend"
    if blend["half_life"]:
        trend = f"trend with a half-life of {blend['half_life']:g} days, exponent {blend['trend']:.2f}"
    return f"Blend chosen on the validation part: {said}; {trend}."


def table(rows: Sequence[Row]) -> list[str]:
    """Return a Markdown table: methods in rows, metrics in columns."""
    lines = [["method", *METRICS, "seconds", "MiB", "remark"]]
    for row in rows:
        cells = ["{:.4f} [{:.3f}, {:.3f}]".format(*row.values[metric]) for metric in METRICS]
        cost = ["" if cell is None else f"{cell:,.0f}" for cell in (row.seconds, row.peak_mib)]
        lines.append([row.name, *cells, *cost, row.note])
    divider = ["---", *["---:"] * (len(METRICS) + 2), "---"]
    return ["| " + " | ".join(line) + " |" for line in (lines[0], divider, *lines[1:])]


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def write(name: str, text: str, page_file: Path = PAGE) -> None:
    """Replace one section of a page."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    page = page_file.read_text(encoding="utf-8") if page_file.exists() else ""
    block = f"{begin}\n{text}\n{end}"
    if begin in page:
        before, rest = page.split(begin, 1)
        page = before + block + rest.split(end, 1)[1]
    else:
        page = f"{page.rstrip()}\n\n{block}\n"
    page_file.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
