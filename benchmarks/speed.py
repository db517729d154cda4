"""``python -m benchmarks.speed [--preset quick,standard]``: seconds and memory of training, and of every page.

Training is measured from command to exit over its whole process tree; pages by the server time of a full run of
their script on a finished run, median of five, after one that imports.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.datasets import dataset_file
from benchmarks.measure import machine, train
from grouprec.core.site import app_root

PAGES = ("data", "train", "groups", "recommendations", "compare")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--preset", default="quick,standard")
    given = arguments.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        for preset in given.preset.split(","):
            words = (dataset_file("sample"), "--preset", preset, "--n-groups", "20", "--runs", folder)
            measured = train(*words)
            print(f"train {preset}: {measured.seconds:.1f} s, {measured.peak_mib:,.0f} MiB")
            for stage, seconds in measured.result["metrics"]["stage_seconds"].items():
                print(f"    {stage:<28}{seconds:6.1f} s")
        os.environ["GROUPREC_RUNS"] = folder
        measure_pages(measured.result["run_id"])


def measure_pages(run_id: str) -> None:
    """Print the server time of every page on a finished run."""
    from streamlit.testing.v1 import AppTest

    root = app_root()
    for page in PAGES:
        app = AppTest.from_file(str(Path(root) / "grouprec" / "ui" / "frame.py"), default_timeout=120)
        app.query_params["run"] = run_id
        app.run()
        app.switch_page(str(root / "pages" / f"{page}.py")).run()
        assert not app.exception, app.exception
        seconds = []
        for _ in range(5):
            begun = time.perf_counter()
            app.run()
            seconds.append(time.perf_counter() - begun)
        print(f"page {page:<18}{statistics.median(seconds):6.3f} s of server time")


if __name__ == "__main__":
    main()
