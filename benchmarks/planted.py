"""``python -m benchmarks.planted --size small|medium|large``: groups and lists where the answer is known.

Prints how well the groupers find the planted groups (adjusted Rand index, 1 is exactly) from what ALS learns of the
histories, every second event being any item at all; then how long the whole value-of-K table takes, K = 1..50, for
our groups and both common practices in both regimes. Seconds stand apart for data, encoder, candidates and table;
memory is the peak of the process so far.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from sklearn.metrics import adjusted_rand_score

from benchmarks.measure import machine
from grouprec.core.types import Candidates
from grouprec.data.dataset import Dataset
from grouprec.data.synthetic import SIZES, planted
from grouprec.models.base import REGISTRIES
from grouprec.models.blend import Weights
from grouprec.models.fitting import RunOptions
from grouprec.ranking.candidates import find_candidates
from grouprec.ranking.task import test_task
from grouprec.runs.config import make_config
from grouprec.training.curve import value_curve
from grouprec.training.fit import Choices
from grouprec.training.groups_and_lists import GroupMaker

NOISE = 0.5  # share of events that are any item at all
MOST_GROUPS = 50


class Watch:
    """Prints what took how long since the last line."""

    def __init__(self) -> None:
        self.begun = time.perf_counter()

    def lap(self, what: str) -> None:
        seconds = time.perf_counter() - self.begun
        print(f"{what:<42}{seconds:8.1f} s{peak_mib():10,.0f} MiB", flush=True)
        self.begun = time.perf_counter()


def peak_mib() -> float:
    """Return the largest memory of this process so far; NaN where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def learn(data: Dataset, options: RunOptions, watch: Watch) -> Candidates:
    """Return what ALS predicts from all that is known before the test part."""
    als = REGISTRIES["encoder"].get("als")
    encoder = als(als.Config(tune=False)).fit(data, options)
    watch.lap("encoder")
    candidates = find_candidates(encoder.embeddings(data), data.histories, fallback=data.popularity)
    watch.lap("candidates")
    return candidates


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--size", choices=SIZES, default="small")
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    print(machine())
    watch, options = Watch(), RunOptions(given.seed)
    answer = planted(**SIZES[given.size], noise=NOISE, ordered=False, seed=given.seed)
    data = answer.data.before_test()
    watch.lap(f"data: {data.n_users:,} users, {data.n_items:,} items")
    config = make_config(interactions=Path("planted"), seed=given.seed)
    maker = GroupMaker(data, learn(data, options, watch), config, options)
    for name in ("lists", "kmeans"):
        grouper = REGISTRIES["grouper"].get(name)()
        groups = grouper.fit(data, maker.preference, SIZES[given.size]["n_groups"], options).groups()
        watch.lap(f"{name}: adjusted Rand {adjusted_rand_score(answer.labels, groups.labels):.3f}")
    grid = range(1, MOST_GROUPS + 1)
    choices = Choices(("als",), Weights.equal(("als",)), Weights.equal(("als",), repeats=True))
    table = value_curve(maker, choices, test_task(answer.data), {"own": maker.candidates}, grid).table
    watch.lap(f"value of K = 1..{MOST_GROUPS}")
    shown = table[(table["metric"] == "ndcg@10") & table["n_groups"].isin([1, 5, 10, 20, MOST_GROUPS])]
    print(shown.pivot_table("share_of_gain", ["regime", "method"], "n_groups").round(3).to_string())


if __name__ == "__main__":
    main()
