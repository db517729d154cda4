"""Whatever becomes of a file of a trained run: commands say so in a sentence, or answer as if nothing had happened."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from grouprec.runs.store import Run, RunStore
from tests.support.commands import Answer
from tests.support.damage import COMMANDS, DAMAGES, OPENED, ask, damaged, files_of, lived_in
from tests.support.small_run import copy_of

THOROUGH = ("list", "show", "value", "compare", "export")  # are quick, so that each file is damaged in every way


@pytest.fixture(scope="module")
def used(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return lived_in(small_run, RunStore(tmp_path_factory.mktemp("used")))


@pytest.fixture(scope="module")
def whole(used: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Answer, list[str]]]:
    """Return what every command answers about the whole run, and which of its files it opens for that."""
    folder, found = tmp_path_factory.mktemp("whole"), {}
    for name in COMMANDS:
        where = folder / "work" / "runs" / used.run_id if name == "update" else used.path
        with OPENED.under(where) as opened:
            answer = ask(name, used, folder / "work")
        assert answer.status == 0, answer.err
        found[name] = answer, sorted(opened & set(files_of(used)))
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_answers_the_same_or_refuses_when_a_file_that_it_reads_is_damaged(
    used: Run, whole: dict[str, tuple[Answer, list[str]]], tmp_path: Path, command: str
) -> None:
    expected, files = whole[command]
    run = copy_of(used, RunStore(tmp_path / "runs"))
    rng, kinds = np.random.default_rng(0), list(DAMAGES)
    bad = []
    for at, file in enumerate(files):
        for damage in kinds if command in THOROUGH else [kinds[at % len(kinds)]]:
            with damaged(run, file, damage, rng):
                answer = ask(command, run, tmp_path / "work")
            if not answer.refused and not answer.tells_the_same(expected):
                bad.append((damage, file, answer.status, answer.err[:200]))
            elif answer.refused and used.run_id not in answer.err:
                bad.append((damage, file, "names no run", answer.err[:200]))
    assert len(files) >= 4 and not bad


@pytest.mark.parametrize("command", COMMANDS)
def test_files_that_a_command_does_not_read_change_nothing_for_it(
    used: Run, whole: dict[str, tuple[Answer, list[str]]], tmp_path: Path, command: str
) -> None:
    expected, files = whole[command]
    run = copy_of(used, RunStore(tmp_path / "runs"))
    for file in set(files_of(used)) - set(files):
        (run.path / file).write_bytes(b"x")
    assert ask(command, run, tmp_path / "work").tells_the_same(expected)
