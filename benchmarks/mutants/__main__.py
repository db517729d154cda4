"""``python -m benchmarks.mutants [--per-file 20] [--files GLOB ...]``: how many small faults the tests notice.

One change at a time, from the rules of rules.py, in a copy of the checkout; only the tests that mirror the file run.
Prints a table by package and the mutants that survived. Exit status 1 where fewer than 95 % were killed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

import numpy as np

from benchmarks.mutants.finding import KnownEquivalent, Mutant, find_mutants, sample
from benchmarks.mutants.running import BrokenTests, Runner, Verdict
from grouprec.ranking.statistics import wilson

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "ranking": "grouprec/ranking/*.py",
    "evaluate": "grouprec/evaluate/*.py",
    "models/blend": "grouprec/models/blend*.py",
    "models/groupers": "grouprec/models/groupers/*.py",
    "data": "grouprec/data/**/*.py",
    "runs": "grouprec/runs/*.py",
    "live": "grouprec/live/*.py",
}
ENOUGH = 0.95


def main() -> int:
    arguments = parse()
    root = arguments.root.resolve()
    files = [
        str(path.relative_to(root))
        for pattern in arguments.files
        for path in sorted(root.glob(pattern))
        if not any(fnmatch(str(path.relative_to(root)), left_out) for left_out in arguments.leave_out)
    ]
    if arguments.only:
        files = sorted({name.split(":")[0] for name in arguments.only})
    known = KnownEquivalent()
    mutants = [mutant for file in files for mutant in known.without(find_mutants(root, file))]
    if arguments.only:
        mutants = [mutant for mutant in mutants if mutant.id in arguments.only]
    else:
        by_file = {file: [mutant for mutant in mutants if mutant.file == file] for file in files}
        mutants = [mutant for own in by_file.values() for mutant in sample(own, arguments.per_file, arguments.seed)]
    if arguments.list:
        for mutant in mutants:
            print(describe(mutant))
        return 0
    verdicts = judge(root, mutants, arguments)
    print("\n".join(["", *table(verdicts), ""]))
    for verdict in verdicts:
        if not verdict.killed:
            print(describe(verdict.mutant))
    return int(sum(verdict.killed for verdict in verdicts) < ENOUGH * len(verdicts))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", nargs="+", default=list(PACKAGES.values()), metavar="GLOB", help="below the root")
    parser.add_argument("--leave-out", nargs="+", default=[], metavar="GLOB", help="files to leave out")
    parser.add_argument("--per-file", type=int, metavar="N", help="size of the sample per file; all mutants without")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--jobs", type=int, default=2, help="mutants tested at a time")
    parser.add_argument("--near", action="store_true", help="only tests that bear the file's name or import it")
    parser.add_argument("--list", action="store_true", help="print the mutants and run nothing")
    parser.add_argument("--only", nargs="+", metavar="ID", help="run these mutants, with their diff and tests' output")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder with the package and its tests")
    return parser.parse_args()


def judge(root: Path, mutants: Sequence[Mutant], arguments: argparse.Namespace) -> list[Verdict]:
    """Return the verdicts in the order of the mutants; progress goes to standard error."""
    files = list(dict.fromkeys(mutant.file for mutant in mutants))
    verdicts: list[Verdict] = []
    begun = time.monotonic()
    jobs = min(arguments.jobs, max(len(mutants), 1))
    with Runner(root, files, jobs, arguments.near) as runner:
        try:
            runner.check(files)
        except BrokenTests as error:
            sys.exit(f"Without any mutation the tests fail.\n{error}")
        for verdict in runner.judge(mutants):
            verdicts.append(verdict)
            minutes = (time.monotonic() - begun) / 60
            line = f"{len(verdicts)}/{len(mutants)} {minutes:.1f} min {verdict.how:8} {verdict.seconds:5.1f} s"
            print(line, verdict.mutant.id, file=sys.stderr, flush=True)
            if arguments.only:
                print(verdict.mutant.diff(), verdict.output, sep="\n")
    order = {mutant.id: place for place, mutant in enumerate(mutants)}
    return sorted(verdicts, key=lambda verdict: order[verdict.mutant.id])


def describe(mutant: Mutant) -> str:
    return f"{mutant.id}\n    {mutant.before}\n    {mutant.after}"


def table(verdicts: Sequence[Verdict]) -> list[str]:
    """Return a Markdown table by package: mutants, how they ended, and the kill rate with its 95 % interval."""
    packages: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        packages.setdefault(package_of(verdict.mutant.file), []).append(verdict)
    lines = ["| package | mutants | killed | of them by time-out | survived | kill rate, 95 % interval |"]
    lines += ["|---|---:|---:|---:|---:|---:|"]
    for name, own in [*packages.items(), *([("all", list(verdicts))] if len(packages) > 1 else [])]:
        killed, late = sum(verdict.killed for verdict in own), sum(verdict.how == "time-out" for verdict in own)
        share = killed / len(own)
        low, high = wilson(np.array(share), np.array(len(own)))
        rate = f"{share:.1%}, {low:.1%} to {high:.1%}"
        lines.append(f"| {name} | {len(own)} | {killed} | {late} | {len(own) - killed} | {rate} |")
    return lines


def package_of(file: str) -> str:
    named = (name for name, pattern in PACKAGES.items() if fnmatch(file, pattern))
    return next(named, str(Path(file).parent))


if __name__ == "__main__":
    sys.exit(main())
