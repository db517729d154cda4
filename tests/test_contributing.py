"""CONTRIBUTING.md is true: its recipe for an encoder, followed to the letter in a copy of the repository, works."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grouprec.core.site import app_root
from tests.support.small_run import TINY_SETTINGS

ROOT = app_root()
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILE, CODE = re.findall(r"```python\n# (\S+)\n(.+?)```", TEXT, flags=re.DOTALL)[0]
NAME = Path(FILE).stem
COMMANDS = [shlex.split(line, comments=True) for line in TEXT.splitlines() if line.startswith(".venv/bin/")]
CONTRACT, DOCS, TRAIN = COMMANDS[:3]  # of the recipe
# What the house knows of the encoder once its file is there; one process, for each loads the whole house
ASKED = f"""
import json
from benchmarks.stages import TARGET
from grouprec.cli.main import app
from grouprec.models.base import REGISTRIES
from grouprec.report.sentences import encoder_title, method_title
from grouprec.runs.config import menu
from grouprec.runs.store import RunStore
from grouprec.ui.forms import describe
for words in (["export", "last", "--out", "lists"], ["report", "last", "--out", "story.html"]):
    app(words, standalone_mode=False)
(run,) = RunStore().runs()
print(json.dumps({{
    "menu": dict(menu()["encoder"]).get("{NAME}"),
    "form": [field.name for field in describe(REGISTRIES["encoder"].get("{NAME}").Config)],
    "docs": TARGET.read_text(encoding="utf-8"),
    "title": encoder_title("ease + {NAME}"),
    "personal": method_title("{NAME}", "individual"),
    "metrics": run.metrics(),
    "methods": run.table("evaluation")["method"].unique().tolist(),
}}))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the repository, as far as the recipe needs it, with the new file and nothing else changed."""
    house = tmp_path_factory.mktemp("house")
    for folder in ("grouprec", "benchmarks", "tests"):
        shutil.copytree(ROOT / folder, house / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", house)
    (house / "docs").mkdir()
    (house / FILE).write_text(CODE, encoding="utf-8")
    return house


def call(house: Path, command: list[str]) -> str:
    """Run a command of the recipe in the copy, with this interpreter, and return what it prints."""
    python = {".venv/bin/python": [sys.executable], ".venv/bin/grouprec": [sys.executable, "-m", "grouprec"]}
    environment = os.environ | {"PYTHONPATH": str(house), "GROUPREC_RUNS": str(house / "runs")}
    done = subprocess.run(
        [*python[command[0]], *command[1:]], cwd=house, env=environment, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_file_alone_keeps_what_every_encoder_promises(copy: Path) -> None:
    assert CONTRACT[-1] == NAME
    assert call(copy, CONTRACT).splitlines()[0].count(".") >= 12


def test_the_house_knows_the_new_encoder_from_its_file(copy: Path, planted_csv: Path) -> None:
    call(copy, DOCS)
    (sample,) = (word for word in TRAIN if word.endswith(".parquet"))
    train = [str(planted_csv) if word == sample else word for word in TRAIN]
    tiny = [f"--set={setting}" for setting in TINY_SETTINGS if not setting.startswith("dnn.")]
    call(copy, [*train, "--n-groups", "3", "--device", "cpu", "--layout", "pca", *tiny])
    known = json.loads(call(copy, [".venv/bin/python", "-c", ASKED]).splitlines()[-1])
    assert len((copy / "lists" / "group_lists.csv").read_text(encoding="utf-8").splitlines()) > 3
    assert "is predicted by companion items" in (copy / "story.html").read_text(encoding="utf-8")
    assert known["menu"] == "Companions: random projection of who took what"
    assert known["form"] == ["embedding_size"]
    assert f"| [`{NAME}`](#{NAME}) |" in known["docs"] and "| `embedding_size` | 256 |" in known["docs"]
    assert known["title"] == "EASE + companion items"
    assert known["personal"] == "Personal: companion items"
    assert known["metrics"]["encoder"] == NAME and NAME in known["methods"]


def test_the_map_names_every_package_and_no_other() -> None:
    drawn = TEXT.split("```")[1]
    packages = {path.parent.name for path in (ROOT / "grouprec").glob("*/__init__.py")}
    said = set(re.findall(r"(?:^  |   )([a-z]+)  ", drawn, flags=re.MULTILINE))
    assert packages == said
    assert len(drawn.strip().splitlines()) <= 20


def test_files_and_targets_that_it_names_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)`", TEXT)) == targets
    for path in re.findall(r"`((?:grouprec|tests|pages|docs)/[\w/.]+)`", TEXT):
        assert "NAME" in path or (ROOT / path).exists(), path
    for command in COMMANDS:
        for word in command:
            assert not word.startswith("tests/") or (ROOT / word).exists(), word
