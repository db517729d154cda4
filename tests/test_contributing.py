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
from typing import Any

import pytest

from grouprec.core.site import app_root
from tests.support.small_run import TINY_SETTINGS

ROOT = app_root()
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILE, CODE = re.findall(r"```python\n# (\S+)\n(.+?)```", TEXT, flags=re.DOTALL)[0]
NAME = Path(FILE).stem
COMMANDS = [shlex.split(line, comments=True) for line in TEXT.splitlines() if line.startswith(".venv/bin/")]
CONTRACT, DOCS, TRAIN = COMMANDS[:3]  # of the recipe
# The recipe, step by step, and then what the house knows of the encoder; one process, for each loads the whole house
FOLLOWED = f"""
import contextlib, io, json, runpy, sys
import pytest
contract, docs, train = json.loads(sys.argv[1])
said = io.StringIO()
with contextlib.redirect_stdout(said):
    assert pytest.main(contract) == 0, said.getvalue()
sys.argv = docs
runpy.run_module(docs[0], run_name="__main__")
from benchmarks.stages import TARGET
from grouprec.cli.main import app
from grouprec.models.base import REGISTRIES
from grouprec.report.sentences import encoder_title, method_title
from grouprec.runs.config import menu
from grouprec.runs.store import RunStore
from grouprec.ui.forms import describe
for words in (train, ["export", "last", "--out", "lists"], ["report", "last", "--out", "story.html"]):
    app(words, standalone_mode=False)
(run,) = RunStore().runs()
print(json.dumps({{
    "contract": said.getvalue(),
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
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the repository, as far as the recipe needs it, with the new file and nothing else changed."""
    house = tmp_path_factory.mktemp("house")
    for folder in ("grouprec", "benchmarks", "tests"):
        shutil.copytree(ROOT / folder, house / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", house)
    (house / "docs").mkdir()
    (house / FILE).write_text(CODE, encoding="utf-8")
    return house


@pytest.fixture(scope="module")
def known(house: Path, planted_csv: Path) -> dict[str, Any]:
    """Follow the recipe in the copy, on a small file; return what it printed and what the house knows then."""
    assert [words[0] for words in (CONTRACT, DOCS, TRAIN)] == [".venv/bin/python"] * 2 + [".venv/bin/grouprec"]
    assert CONTRACT[1:3] == ["-m", "pytest"] and DOCS[1] == "-m"
    (sample,) = (word for word in TRAIN if word.endswith(".parquet"))
    train = [str(planted_csv) if word == sample else word for word in TRAIN[1:]]
    tiny = [f"--set={setting}" for setting in TINY_SETTINGS if not setting.startswith("dnn.")]
    train += ["--n-groups", "3", "--device", "cpu", "--layout", "pca", *tiny]
    command = [sys.executable, "-c", FOLLOWED, json.dumps([CONTRACT[3:], DOCS[2:], train])]
    environment = os.environ | {"PYTHONPATH": str(house), "GROUPREC_RUNS": str(house / "runs")}
    done = subprocess.run(command, cwd=house, env=environment, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_file_alone_keeps_what_every_encoder_promises(known: dict[str, Any]) -> None:
    assert CONTRACT[-1] == NAME
    assert known["contract"].splitlines()[0].count(".") >= 12


def test_the_house_knows_the_new_encoder_from_its_file(house: Path, known: dict[str, Any]) -> None:
    assert len((house / "lists" / "group_lists.csv").read_text(encoding="utf-8").splitlines()) > 3
    assert "is predicted by companion items" in (house / "story.html").read_text(encoding="utf-8")
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
