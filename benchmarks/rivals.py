"""What the best of the field reach on the same split: implicit, irspack, RecBole, PyPI's grouprec and tuned EASE.

Each rival runs in a process of its own by ``rivals_env.py``, in an environment that is made once: PyPI's grouprec has
our import name. Only lists come back; what they are worth is judged by our own protocol, as ours are.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import measure
from benchmarks.datasets import CACHE
from benchmarks.rivals_env import TRIALS

HERE = Path(__file__).parent
SCRIPT = HERE / "rivals_env.py"
REQUIREMENTS = HERE / "rivals_requirements.txt"
RECBOLE = "recbole==1.2.1"  # installed without its requirements: see the file of the others
INDIVIDUAL = ("ease", "implicit_als", "irspack_ials", "recbole_multivae")
STRICT = ("grouprec_gfar", "grouprec_average")  # these need the scores that EASE writes
SECONDS = 300.0  # of trials, for each rival
PATIENCE = 4  # a rival is given up after so many times its seconds: the last trial and the refit come on top


class RivalError(Exception):
    """A rival, or the environment of all of them, gave no result; the message is one sentence."""


@dataclass(frozen=True, eq=False)
class RivalResult:
    """What came of one rival.

    Attributes:
        name: see ``INDIVIDUAL`` and ``STRICT``.
        regime: ``individual`` or ``strict``.
        lists: int32, best first, -1 at the end; individual: [U, 200] items that the user does not have in
            ``known``; strict: [G, 10].
        settings: the best on validation, with which the rival was fitted again on ``known``.
        trials: ``settings``, validation ``ndcg@10`` and ``seconds`` of every trial; none for aggregators, which have
            no settings.
        seconds, peak_mib: of the whole process, from start to exit: all trials, the refit and the lists.
        versions: of the packages that matter.
        note: a departure to be told with the figures, or empty.
    """

    name: str
    regime: str
    lists: np.ndarray
    settings: dict[str, Any]
    trials: list[dict[str, Any]]
    seconds: float
    peak_mib: float
    versions: dict[str, str]
    note: str


def run(
    folder: Path, names: Sequence[str] = INDIVIDUAL + STRICT, seconds: float = SECONDS, n_trials: int = TRIALS
) -> list[RivalResult]:
    """Return what every rival made of a split; one that gives no result is left out, with a sentence on stderr.

    Args:
        folder: holds ``train.npz``, ``validation.npz`` (the targets new to the user) and ``known.npz`` (train and
            validation), sparse [U, I], and ``labels.npy``, int [U], the group of every user. Results are written
            there, also ``scores.npz``: each user's 200 best unseen items with tuned EASE's scores, for the
            aggregators. With other groups, only the names in ``STRICT`` need to run again.
        seconds: after which a rival begins no further trial.
        n_trials: of settings, for each rival at most.
    """
    results, interpreters = [], {"ease": Path(sys.executable)}  # EASE needs nothing that is not here
    try:
        if set(names) - set(interpreters):
            interpreters = dict.fromkeys(names, environment()) | interpreters
    except RivalError as error:
        print(error, file=sys.stderr)
    for name in names:
        if name in interpreters:
            try:
                results.append(_run_one(name, Path(folder).resolve(), interpreters[name], seconds, n_trials))
            except RivalError as error:
                print(error, file=sys.stderr)
    return results


def environment() -> Path:
    """Return the Python of the rivals' environment; making it takes minutes, a network and 2 to 8 GB of disk.

    Raises:
        RivalError: it cannot be made.
    """
    key = hashlib.sha256(f"{REQUIREMENTS.read_text()} {RECBOLE} {sys.version}".encode()).hexdigest()[:12]
    folder = CACHE / f"rivals-{key}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    complete = folder / "complete"
    if complete.exists():
        return python
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    print(f"Making the rivals' environment in {folder}, once.", file=sys.stderr)
    try:
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [*install, "--requirement", str(REQUIREMENTS)],
            [*install, "--no-deps", RECBOLE],
        ):
            subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = _last_line(getattr(error, "stderr", None) or str(error))
        raise RivalError(
            f"The rivals' environment cannot be made, so only EASE is compared ({reason}); check the network and "
            "run the benchmark again."
        ) from error
    complete.touch()
    return python


def _run_one(name: str, folder: Path, python: Path, seconds: float, n_trials: int) -> RivalResult:
    report, lists = folder / f"{name}.json", folder / f"{name}.npy"
    report.unlink(missing_ok=True)
    # -I keeps our own package out of sight.
    command = [str(python), "-I", str(SCRIPT), name, str(folder), str(seconds), str(n_trials)]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, (folder / f"{name}.log").open("w") as log:
        child = subprocess.Popen(command, cwd=scratch, stdout=log, stderr=log)
        peak = _watch(child, name, begun + PATIENCE * seconds)
    if child.returncode or not report.exists():
        text = (folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        raise RivalError(f"{name} is left out: it ended with status {child.returncode} ({_last_line(text)}).")
    return RivalResult(
        name=name,
        regime="strict" if name in STRICT else "individual",
        lists=np.load(lists, allow_pickle=False),
        seconds=time.monotonic() - begun,
        peak_mib=peak,
        **json.loads(report.read_text(encoding="utf-8")),
    )


def _watch(child: subprocess.Popen[bytes], name: str, end: float) -> float:
    """Wait for a rival and return the greatest memory seen, MiB; it does not outlive this call."""
    peak = 0.0
    try:
        while child.poll() is None:
            peak = max(peak, measure._memory(child.pid))
            if time.monotonic() > end:
                raise RivalError(f"{name} is left out: it did not finish in {PATIENCE} times the seconds for trials.")
            time.sleep(measure.POLL_SECONDS)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    return peak


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"
