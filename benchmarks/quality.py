"""``python -m benchmarks.quality [--dataset NAME,...] [--preset standard]``: what every method is worth.

Trains through the command line, reads the run's evaluation on the held-out last tenth, and writes the tables
into docs/benchmarks.md between its markers.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import pandas as pd

from benchmarks.datasets import dataset_file
from benchmarks.measure import Measured, machine, train
from grouprec.runs import Run, RunStore

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
METRICS = ("ndcg@10", "precision@10", "recall@10", "f1@10", "hit_rate@10", "mrr")
TITLES = {
    "sample": "Online Retail (the bundled sample), split by time",
    "ml-100k": "MovieLens 100K, split by time",
    "ml-100k-random": "MovieLens 100K, split at random within each user",
}
REGIMES = {
    "individual": "Personal lists",
    "strict": "One list for everybody in the group",
    "dedup": "One ranking per group, each member skips what they have",
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--dataset", default="sample,ml-100k,ml-100k-random")
    arguments.add_argument("--preset", default="standard")
    arguments.add_argument("--n-groups", default="20")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in given.dataset.split(","):
            file = dataset_file(name.removesuffix("-random"))
            words = [file, "--preset", given.preset, "--n-groups", given.n_groups, "--no-refit"]
            words += ["--set", "data.split=user"] if name.endswith("-random") else []
            measured = train(*words, "--runs", folder)
            run = RunStore(Path(folder)).get(measured.result["run_id"])
            text = report(name, given.preset, run, measured)
            print(text)
            write(name, text)


def report(name: str, preset: str, run: Run, measured: Measured) -> str:
    """Return one dataset's section: its size, how it was split, and the value of every method."""
    metrics, table = run.metrics(), run.table("evaluation")
    split = metrics["split"]
    lines = [
        f"## {TITLES[name]}",
        "",
        f"`python -m benchmarks.quality --dataset {name} --preset {preset} --n-groups {metrics['n_groups']}` · "
        f"{machine()} · {measured.seconds:.0f} s, {measured.peak_mib:,.0f} MiB",
        "",
        f"{metrics['n_users']:,} users x {metrics['n_items']:,} items; split by {split['kind']}: {split['train']:,} / "
        f"{split['validation']:,} / {split['test']:,} rows; {metrics['n_test_users']:,} test users have new items. "
        f"Encoder chosen on the validation part: {metrics['encoder']}. Brackets: 95 % bootstrap intervals over users.",
        "",
    ]
    for regime, title in REGIMES.items():
        part = table[table["regime"] == regime]
        lines += [f"**{title}**", "", *_table(part, regime), ""]
    clusters = metrics["clusters"]
    generator, updater = metrics["generator"], metrics["updater"]
    lines += [
        "Groups: " + ", ".join(f"{key.replace('_', ' ')} {value:.3f}" for key, value in clusters.items()) + ".",
        f"Generator: Fréchet distance to held-out members {generator['frechet_generated']:.2f} "
        f"(diagonal Gaussian {generator['frechet_gaussian']:.2f}, other members {generator['frechet_members']:.2f}), "
        f"mode coverage {generator['mode_coverage']:.2f}.",
        f"Updater, next item over {updater['n_events']:,} test events: nDCG@10 frozen "
        f"{updater['ndcg@10']['frozen']:.4f}, updated {updater['ndcg@10']['updated']:.4f}; hit rate@10 "
        f"{updater['hit_rate@10']['frozen']:.4f}, {updater['hit_rate@10']['updated']:.4f}.",
        f"Exported lists (best on validation): {metrics['list_method']['strict']} (strict), "
        f"{metrics['list_method']['dedup']} (de-duplicated).",
    ]
    return "\n".join(lines)


def _table(part: pd.DataFrame, regime: str) -> list[str]:
    """Return a Markdown table: methods in rows, metrics in columns, then floor, individual lists and oracle."""
    rows = [["method", *METRICS, "coverage@10", "share of possible gain"]]
    for method, own in part.groupby("method", sort=False):
        values = own.set_index("metric")
        cells = [f"{values['value'][m]:.4f} [{values['low'][m]:.3f}, {values['high'][m]:.3f}]" for m in METRICS]
        coverage = values["value"].get("coverage@10", float("nan"))
        share = values["share_of_gain"]["ndcg@10"]
        rows.append([str(method), *cells, f"{coverage:.3f}", "" if pd.isna(share) else f"{share:.2f}"])
    if regime != "individual":
        values = part.drop_duplicates("metric").set_index("metric")
        for line in ("individual", *(["oracle"] if regime == "strict" else [])):
            cells = ["" if pd.isna(values[line].get(m)) else f"{values[line][m]:.4f}" for m in METRICS]
            title = {"individual": "*personal lists*", "oracle": "*exact oracle, our groups*"}[line]
            rows.append([title, *cells, "", ""])
    divider = ["---"] + ["---:"] * (len(rows[0]) - 1)
    return ["| " + " | ".join(row) + " |" for row in (rows[0], divider, *rows[1:])]


def write(name: str, text: str) -> None:
    """Replace one dataset's section of the page."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    block = f"{begin}\n{text}\n{end}"
    if begin in page:
        before, rest = page.split(begin, 1)
        page = before + block + rest.split(end, 1)[1]
    else:
        page = f"{page.rstrip()}\n\n{block}\n"
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
