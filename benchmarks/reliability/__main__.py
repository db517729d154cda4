"""``python -m benchmarks.reliability [--kills 30] [--servers 30] [--flips 2] [--every 1] [--calls 40] [PART ...]``.

Parts: damage (files, by commands), pages (files, by pages), kills (training), servers (server, and both), faults (a
disk that refuses); all where none is named. All on the small planted data of the tests; ends with status 1 where
something is lost or not said.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.measure import machine
from benchmarks.reliability import damage, faults, kills, pages
from grouprec.runs.store import RunStore
from tests.support.small_run import small_data, train, write_csv

PARTS = ("damage", "pages", "kills", "servers", "faults")
BAD = ("different", "crashed", "corrupted", "not continued", "traceback", "unusable")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    arguments.add_argument("--kills", type=int, default=30)
    arguments.add_argument("--servers", type=int, default=30)
    arguments.add_argument("--flips", type=int, default=2)
    arguments.add_argument("--every", type=int, default=1, help="one file of so many, of the part damage")
    arguments.add_argument("--calls", type=int, default=40, help="of a kind and a job that are refused, one at a time")
    arguments.add_argument("--for-good", action="store_true", help="the calls after it are refused, too")
    arguments.add_argument("--jobs", nargs="*", default=[*faults.JOBS], choices=faults.JOBS, help="of the part faults")
    given = arguments.parse_args()
    parts = given.parts or PARTS
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        if "faults" in parts and "LD_PRELOAD" not in os.environ:
            _again_with(faults.library(Path(tempfile.mkdtemp())))
        file = write_csv(small_data(), root / "given.csv")
        print(machine())
        lost = 0
        if "kills" in parts:
            lost += tell(
                f"kill -9 of the training, {given.kills} times", kills.measure, file, root, given.kills, "training"
            )
        for whom in ("server", "both") if "servers" in parts else ():
            what = f"kill -9 of {'the server' if whom == 'server' else 'server and training'}, {given.servers} times"
            lost += tell(what, kills.measure, file, root, given.servers, whom)
        if {"damage", "pages", "faults"} & set(parts):
            run = train(RunStore(root / "whole"), file)
        if "damage" in parts:
            lost += tell(
                "every file damaged in five ways", damage.measure, run, root / "damage", given.flips, given.every
            )
        if "pages" in parts:
            lost += tell("every file damaged in five ways, on every page", pages.measure, run, root / "pages")
        for job in given.jobs if "faults" in parts else ():
            what = f"refused calls of a job{' for good' * given.for_good}: {job}"
            lost += tell(what, faults.measure, run, root / "faults", job, given.calls, given.for_good)
    sys.exit(1 if lost else 0)


def tell(what: str, measure, *arguments) -> int:
    """Print what a part found and return how much of that must not be."""
    begun = time.monotonic()
    counts: Counter[str] = measure(*arguments)
    found = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    bad = sum(counts[name] for name in BAD)
    print(f"{what}: {found}; {bad} lost or unsaid ({time.monotonic() - begun:.0f} s)", flush=True)
    return bad


def _again_with(library: Path) -> None:
    """Start this program again with the library that refuses loaded before the system's own."""
    os.execve(sys.executable, [sys.executable, "-m", "benchmarks.reliability", *sys.argv[1:]],
              {**os.environ, "LD_PRELOAD": str(library)})  # fmt: skip


if __name__ == "__main__":
    main()
