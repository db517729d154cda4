"""Every file of a run is flipped, cut, emptied, replaced and deleted, and every command asked after each."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from grouprec.runs.store import Run, RunStore
from tests.support.damage import COMMANDS, DAMAGES, ask, damaged, files_of, lived_in


def measure(run: Run, folder: Path, flips: int, every: int, seed: int = 0) -> Counter[str]:
    """Damage a copy of a trained run again and again; return how many answers there were of every kind.

    "same" is what the whole run answers, "refused" one sentence and no result; "different" and "crashed" must not be.

    Args:
        folder: for the copies.
        flips: bits to turn in each file, one at a time.
        every: of how many files one is damaged; 1 for all.
    """
    base = RunStore(folder / "base")
    base.root.mkdir(parents=True)
    used = lived_in(run, base)
    whole = {name: ask(name, used, folder / "work") for name in COMMANDS}
    rng, counts = np.random.default_rng(seed), Counter[str]()
    for file in files_of(used)[::every]:
        counts["files"] += 1
        for damage in [*["flip"] * flips, *(name for name in DAMAGES if name != "flip")]:
            for command, expected in whole.items():
                with damaged(used, file, damage, rng):
                    answer = ask(command, used, folder / "work")
                kind = "same" if answer.tells_the_same(expected) else "refused" if answer.refused else "different"
                if answer.status == 1:
                    kind = "crashed"
                counts[kind] += 1
                if kind not in ("same", "refused"):
                    print(f"{kind}: {command} after {damage} of {file}: {answer.status} {answer.err[:200]}")
    return counts
