"""``python -m benchmarks.fuzz`` makes 5,000 inputs and tells what becomes of them.

Seven of ten are sound files of every format that is read, spoiled up to four times in their bytes, cells, columns and
names, some with column roles that do not fit; the others are made to hold up: long repeats, deep nesting, very many
names, keys, separators and members. Each goes through all that takes files or texts - the look at its head, the
preparation, the same file as events, as a file about items, as the body of a request - in a process of its own.

An input passes where every answer is data or one sentence, within 10 seconds of processor time, and with no more memory
than three times the file (as it is without compression) and 200 MB.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.fuzz.given import CORPUS, Input
from benchmarks.fuzz.making import make
from benchmarks.fuzz.watching import MOST_MEMORY, MOST_SECONDS, Outcome, attempt, size_of, watched

TELL_EVERY = 100  # inputs
SOUND = 12  # inputs of as many formats, by which the libraries load


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=5_000, help="inputs")
    parser.add_argument("--minutes", type=float, default=600.0, help="after which no further input is begun")
    parser.add_argument("--seed", type=int, default=0, help="number of the first one")
    parser.add_argument("--show", type=int, default=5, help="faults that are shown in full")
    asked = parser.parse_args()
    _load()
    counts, slowest, largest = Counter[str](), 0.0, 0.0
    begun = time.monotonic()
    for name, given in _inputs(asked.seed, asked.n):
        if time.monotonic() - begun > 60 * asked.minutes:
            break
        outcome = watched(given)
        wrong = _wrong(given, outcome)
        slowest, largest = max(slowest, outcome.seconds), max(largest, outcome.memory)
        counts["inputs"] += 1
        counts["read" if outcome.said == "read" else "refused"] += not outcome.fault
        counts.update(wrong)
        if wrong and counts["shown"] < asked.show:
            counts["shown"] += 1
            print(f"--- input {name} ({given.name}): {wrong}, {outcome.seconds:.1f} s, {outcome.memory / 1e6:.0f} MB")
            print(outcome.fault[-1500:], flush=True)
        if not counts["inputs"] % TELL_EVERY:
            print(_summary(counts, slowest, largest), flush=True)
    print(_summary(counts, slowest, largest))


def _load() -> None:
    """Load libraries before the children are made, which share them: a fifth less of the processor for an input."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(SOUND):
            with contextlib.suppress(Exception):
                attempt(make(number, share=0.0), Path(folder))
    gc.collect()
    gc.freeze()


def _summary(counts: Counter[str], slowest: float, largest: float) -> str:
    told = ", ".join(f"{kind} {counts[kind]:,}" for kind in ("read", "refused", "fault", "over 10 s", "over memory"))
    return f"{counts['inputs']:,} inputs: {told}; slowest {slowest:.1f} s, most memory {largest / 1e6:.0f} MB"


def _inputs(first: int, n: int) -> Iterator[tuple[str, Input]]:
    for number, given in enumerate(CORPUS):
        yield f"corpus {number}", given
    for seed in range(first, first + n):
        yield str(seed), make(seed)


def _wrong(given: Input, outcome: Outcome) -> list[str]:
    kinds = {"fault": bool(outcome.fault), "over 10 s": outcome.seconds > MOST_SECONDS}
    kinds["over memory"] = outcome.memory > 3 * size_of(given.content) + MOST_MEMORY
    return [kind for kind, found in kinds.items() if found]


if __name__ == "__main__":
    main()
