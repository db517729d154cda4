"""``python -m benchmarks.speed [--preset quick,standard]``: seconds and memory of training, and CPU seconds of pages.

Training is measured from command to exit over its whole process tree; pages by what a full run of their script on a
finished run takes the server, the first time and again (median of five), once it has imported what pages need: a server
does that by itself soon after its start.
``--pages RUN --runs DIR`` measures the pages of that run alone.
"""

from __future__ import annotations

import argparse
import importlib
import os
import statistics
import tempfile
import time

from benchmarks.datasets import dataset_file
from benchmarks.measure import machine, train
from grouprec.core.site import app_root
from grouprec.runs.store import RunStore


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--preset", default="quick,standard")
    arguments.add_argument("--pages", metavar="RUN", help="measure the pages of this run alone")
    arguments.add_argument("--runs", help="where it lies")
    given = arguments.parse_args()
    print(machine())
    if given.pages:
        store = RunStore(given.runs)
        measure_pages(store.get(given.pages).run_id, str(store.root))
        return
    with tempfile.TemporaryDirectory() as folder:
        for preset in given.preset.split(","):
            words = (dataset_file("sample"), "--preset", preset, "--n-groups", "20", "--runs", folder)
            measured = train(*words)
            used, peak = measured.cpu_seconds, measured.peak_mib
            print(f"train {preset}: {measured.seconds:.1f} s, {used:.1f} CPU s, {peak:,.0f} MiB")
            for stage, seconds in measured.result["metrics"]["stage_seconds"].items():
                print(f"    {stage:<28}{seconds:6.1f} s")
        measure_pages(measured.result["run_id"], folder)


def measure_pages(run_id: str, runs: str) -> None:
    """Print the CPU seconds of the server for every page of a finished run: a first view, and one step on it."""
    os.environ["GROUPREC_RUNS"] = runs
    from streamlit.testing.v1 import AppTest

    from grouprec.ui.server import loading
    from grouprec.ui.state import page_path

    def view(page: str) -> tuple[AppTest, float]:
        app = AppTest.from_file(app_root() / "grouprec" / "ui" / "frame.py", default_timeout=600)
        app.switch_page(page_path(page))
        app.query_params["run"] = run_id
        return app, spent(app)

    def spent(app: AppTest) -> float:
        begun = time.process_time()
        app.run()
        assert not app.exception, app.exception
        return time.process_time() - begun

    for name in (*loading.LIBRARIES, *loading.modules()):
        importlib.import_module(name)
    view("data")
    for path in sorted((app_root() / "pages").glob("*.py")):
        app, first = view(path.stem)
        again = statistics.median(spent(app) for _ in range(5))
        print(f"page {path.stem:<18} first {first:6.2f} CPU s, again {again:6.2f} CPU s", flush=True)


if __name__ == "__main__":
    main()
