"""The documents say what is true: public names, commands, links, the version."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import grouprec
from benchmarks import stages, tables
from grouprec.cli import main
from grouprec.core.site import app_root
from grouprec.models.base import REGISTRIES
from grouprec.models.declared import words_of
from grouprec.ranking.strategies import STRATEGIES
from grouprec.runs.schemas import TABLES

ROOT = app_root()
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_public_name_can_be_imported() -> None:
    for name in grouprec.__all__:
        assert callable(getattr(grouprec, name)), name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = grouprec.nothing


def test_the_readme_names_public_names_only() -> None:
    imported = re.search(r"from grouprec import (.+)", README)
    assert imported is not None
    assert {name.strip() for name in imported[1].split(",")} <= set(grouprec.__all__)


def test_the_readme_uses_commands_and_options_that_exist() -> None:
    commands = {command.name or command.callback.__name__ for command in main.app.registered_commands}
    blocks = "\n".join(re.findall(r"```\n(.+?)```", README, flags=re.DOTALL))
    used = set(re.findall(r"^grouprec ([a-z-]+)", blocks, flags=re.MULTILINE))
    assert used and used <= commands
    source = Path(main.__file__).read_text(encoding="utf-8")
    for option in set(re.findall(r"--([a-z-]+)", README)):
        assert option.replace("-", "_") in source, option


def test_every_registered_stage_stands_in_the_readme() -> None:
    for registry in REGISTRIES.values():
        for name in registry:
            assert f"`{name}`" in README, name


def test_the_stages_page_is_what_the_declarations_say() -> None:
    assert stages.TARGET.read_text(encoding="utf-8") == stages.document(), "run `make docs`"


def test_the_tables_page_is_what_the_schemas_say() -> None:
    assert (ROOT / "docs" / "tables.md").read_text(encoding="utf-8") == tables.document(), "run `make docs`"
    assert tables.document().count("\n### ") == len(TABLES), "a table stands in no part of the page"


def test_the_stages_page_has_every_setting_and_strategy() -> None:
    page = stages.document()
    for registry in REGISTRIES.values():
        for name, stage in registry.items():
            assert f"### {name}\n" in page and stage.cite in page, name
            for setting, field in stage.Config.model_fields.items():
                assert f"| `{setting}` |" in page and field.description in page, setting
    for name, strategy in STRATEGIES.items():
        assert f"| `{name}` | {strategy.title} |" in page, name


def test_every_encoder_says_how_near_it_comes_to_published_figures() -> None:
    for name in REGISTRIES["encoder"]:
        words = words_of("encoder", name)
        assert words is not None and words.measured and words.measured in stages.document(), name


def test_a_default_that_differs_by_preset_and_bounds_of_any_kind_are_shown() -> None:
    page = stages.document()
    assert "| `n_starts` | 10 (quick 3, thorough 40) | from 1 to 200 |" in page
    assert "| `loss` | squared | squared, ranking |" in page
    assert "| `learning_rate` | 0.002 (quick 0.004) | above 0 to 1 |" in page


@pytest.mark.parametrize("path", ["README.md", *(p.relative_to(ROOT).as_posix() for p in ROOT.glob("docs/**/*.md"))])
def test_links_to_files_lead_somewhere(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("http"):
            assert ((ROOT / path).parent / target).exists(), target


def test_make_targets_in_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"(?:`|^)make ([a-z]+)", README, flags=re.MULTILINE)) | {
        "setup",
        "app",
        "demo",
        "check",
        "bench",
    }:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_the_changelog_knows_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert importlib.metadata.version("grouprec-studio") == version


def test_constraints_pin_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[<>=\[]", line)[0].lower() for line in project["dependencies"]}
    pinned = {line.split("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert names <= pinned
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text().splitlines()


def test_the_hashes_are_those_of_the_pinned_versions() -> None:
    pins = {re.sub(r"[-_.]+", "-", line).lower() for line in (ROOT / "constraints.txt").read_text().splitlines()}
    blocks = re.split(r"\n(?=\S)", (ROOT / "hashes.txt").read_text().strip())
    held = {re.sub(r"[-_.]+", "-", re.sub(r"\[.*?\]", "", block.split()[0])).lower(): block for block in blocks}
    assert held.keys() == pins - {"torch==2-13-0"}, "make hashes"
    assert all("--hash=sha256:" in block for block in held.values())


@pytest.mark.skipif(not (ROOT / ".git").exists() or shutil.which("git") is None, reason="not a checkout")
def test_git_ignores_nothing_that_it_keeps() -> None:
    # What is ignored is neither checked by ruff nor packed into the wheel.
    command = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout == ""
