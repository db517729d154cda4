"""``python -m benchmarks.cluster``: one process against a Ray cluster of two workers on this machine, time and quality.

The same run of planted data three times, each in a folder of its own, from command to exit: in this machine's one
process; as a job of one worker, whose numbers of groups are tasks of the other; as a job of two workers that fit every
deep stage together. Needs ray: ``pip install '.[ray]'``.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measure import machine, train
from grouprec.data.synthetic import planted
from grouprec.runs.store import RunStore
from grouprec.training import executor, ray_cluster
from tests.support.local_cluster import local_cluster
from tests.support.small_run import write_csv

SHOWN = (("individual", "individual"), ("members_mean", "strict"), ("generated", "strict"))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--users", type=int, default=400)
    arguments.add_argument("--items", type=int, default=200)
    given = arguments.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        data = planted(n_users=given.users, n_items=given.items, events_per_user=25).data
        file = write_csv(data, Path(folder) / "planted.csv")
        measure("one process", file, Path(folder) / "local")
        with local_cluster() as (_, address):
            os.environ |= {executor.CHOICE: "ray", ray_cluster.ADDRESS: address}
            measure("job of one worker", file, Path(folder) / "job")
            os.environ[executor.WORKERS] = "2"
            measure("job of two workers", file, Path(folder) / "workers")


def measure(how: str, file: Path, root: Path) -> None:
    """Train, and print what it took and what its lists are worth."""
    words = (file, "--preset", "quick", "--encoder", "ease,dnn,elsa", "--n-groups", "8", "--layout", "pca")
    measured = train(*words, "--device", "cpu", "--runs", root)
    run = RunStore(root).get(measured.result["run_id"])
    metrics: dict[str, Any] = run.metrics()
    evaluation = run.table("evaluation").set_index(["method", "regime", "metric"])
    print(f"{how}: {measured.seconds:.0f} s from command to exit, {metrics['seconds']:.0f} s in the run")
    for method, regime in SHOWN:
        row = evaluation.loc[method, regime, "ndcg@10"]
        print(f"    nDCG@10 {method:<14}{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})")
    seconds = metrics["stage_seconds"]
    shown = ("encoder dnn", "encoder elsa", "judge: profile", "judge: updater", "evaluation", "what if")
    print("    " + ", ".join(f"{stage} {seconds[stage]:.1f} s" for stage in shown if stage in seconds))


if __name__ == "__main__":
    main()
