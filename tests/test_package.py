"""What the package promises to those who install it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_package_says_that_it_has_types() -> None:
    assert (files("grouprec") / "py.typed").is_file()
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert built["packages"] == ["grouprec"] and "exclude" not in built  # the wheel holds all files of the folder


def test_no_rule_of_the_type_checker_is_switched_off() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pyright"]
    off = [name for name, level in rules.items() if level in ("none", False) and name != "reportMissingTypeStubs"]
    assert not off, "what cannot be mended is ignored where it stands, with its reason"


def test_the_first_page_of_a_finished_run_opens_without_torch() -> None:
    """Which takes longer to import than all the rest."""
    command = "import sys, grouprec.ui.decide.page; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], stderr=subprocess.DEVNULL, check=False).returncode == 0


def test_the_trainer_imports_nothing_that_only_some_files_or_pages_need() -> None:
    heavy = {"openpyxl", "umap", "numba", "streamlit", "plotly", "ray"}
    command = f"import sys, grouprec.cli.main, grouprec.training.pipeline; sys.exit(str({heavy} & sys.modules.keys()))"
    found = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=False).stderr
    assert found.strip() == "set()", found
