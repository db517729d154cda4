"""The same run is the same bytes, whatever the environment says about threads, time zone, locale and hash seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from grouprec.cli.main import app
from grouprec.core.files import read_json
from grouprec.core.site import app_root
from tests.support.forked import fork, needs_fork
from tests.support.small_run import TINY_SETTINGS

pytestmark = needs_fork

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# That of the tests has one thread, and a hash seed of its own each time; this one is as unlike as it can be.
ELSEWHERE = {"LC_ALL": "C", "TZ": "Asia/Kolkata", "PYTHONHASHSEED": "77", **dict.fromkeys(THREADS, "3")}
ENCODERS = ("ease", "als", "dnn", "graph", "lstm", "transformer")
SMALL = (*TINY_SETTINGS, "als.iterations=2", "graph.epochs=1", "lstm.epochs=1", "transformer.epochs=1")
OWN_FILES = {"status.json", "events.jsonl", "log.txt", "metrics.json", "manifest.json", "writer.lock", "ledger.sqlite"}
SCRIPT = """
import json, sys
from tests.training.test_same_everywhere import follow
follow(json.loads(sys.argv[1]))
"""


def follow(commands: list[list[str]]) -> None:
    for words in commands:
        app(words, standalone_mode=False)


@pytest.fixture(scope="module")
def folders(planted_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Train, export and update in each environment, both at once."""
    root = tmp_path_factory.mktemp("same")
    rows = pd.read_csv(planted_csv)
    later = rows.sample(40, random_state=0).assign(timestamp="2025-05-01 10:00:00")
    later.to_csv(root / "events.csv", index=False)
    here, there = root / "here", root / "there"
    command = [sys.executable, "-c", SCRIPT, json.dumps(commands(planted_csv, root, there))]
    with subprocess.Popen(
        command, cwd=app_root(), env=os.environ | ELSEWHERE, stderr=subprocess.PIPE, text=True
    ) as child:
        own = fork(follow, commands(planted_csv, root, here), TZ="UTC")
        _, errors = child.communicate(timeout=300)
        own.join(300)
    assert child.returncode == 0, errors
    assert own.exitcode == 0
    return [here, there]


def commands(file: Path, root: Path, folder: Path) -> list[list[str]]:
    runs = ["--runs", str(folder / "runs")]
    settings = [f"--set={setting}" for setting in SMALL]
    train = ["train", str(file), "--preset=quick", "--layout=pca", "--device=cpu", *settings, *runs]
    train += ["--encoder", ",".join(ENCODERS)]
    export = ["export", "last", "--out", str(folder / "export"), *runs]
    return [train, export, ["update", "last", str(root / "events.csv"), "--out", str(folder / "update"), *runs]]


def files(folder: Path) -> dict[str, bytes]:
    """Return every file that says nothing of time by its name; the run's own folder has the time in its name."""
    (run,) = (path.parent for path in (folder / "runs").glob("*/manifest.json"))
    found = {f"run/{path.relative_to(run)}": path for path in run.rglob("*")}
    found |= {str(path.relative_to(folder)): path for part in ("export", "update") for path in folder.glob(f"{part}/*")}
    return {name: path.read_bytes() for name, path in found.items() if path.is_file() and path.name not in OWN_FILES}


def test_every_file_of_a_run_is_the_same_in_every_environment(folders: list[Path]) -> None:
    first, second = map(files, folders)
    assert {"export/group_lists.csv", "update/group_lists.csv", "run/live/final.safetensors"} <= set(first)
    assert any("transformer" in name for name in first)
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []


def test_every_number_about_a_run_is_the_same_in_every_environment(folders: list[Path]) -> None:
    first, second = (read_json(path) for folder in folders for path in folder.glob("runs/*/metrics.json"))
    times = {"seconds", "stage_seconds"}
    assert first["headline"]
    assert {name: first[name] for name in first.keys() - times} == {
        name: second[name] for name in second.keys() - times
    }
