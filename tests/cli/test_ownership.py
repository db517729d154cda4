"""``grouprec owner``: the operator says whose a run is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from grouprec.cli import main
from grouprec.core.types import SettingError
from grouprec.runs.config import make_config
from grouprec.runs.store import RunStore


def owner(*words: str) -> dict:
    result = CliRunner().invoke(main.app, ["owner", *words, "--json"], catch_exceptions=False, standalone_mode=False)
    return json.loads(result.stdout.splitlines()[-1])


def test_a_run_is_given_to_somebody_shared_and_made_private_again(runs_root: Path) -> None:
    run = RunStore(runs_root).create(make_config(interactions=Path("x.csv"), preset="quick"))
    nobodys = {"run_id": run.run_id, "owner": "", "shared": False}
    assert owner(run.run_id) == nobodys
    with pytest.raises(SettingError, match="say whose it is with --to"):
        owner(run.run_id, "--private")
    assert owner(run.run_id) == nobodys
    anns = {**nobodys, "owner": "ann@example.com"}
    assert owner(run.run_id, "--to", "Ann@example.com") == anns
    assert owner(run.run_id, "--shared") == {**anns, "shared": True}
    assert owner(run.run_id) == {**anns, "shared": True}
    assert owner(run.run_id, "--private") == anns


@pytest.mark.parametrize("nobody", [" ", "ann@example.com ", "ann\nbob", "\x1b[31mann", "a" * 321])
def test_a_run_is_not_given_to_what_is_no_name(nobody: str, runs_root: Path) -> None:
    run = RunStore(runs_root).create(make_config(interactions=Path("x.csv"), preset="quick"))
    with pytest.raises(SettingError, match="is nobody's name; --to takes what somebody signs in by") as said:
        owner(run.run_id, "--to", nobody)
    assert str(said.value).isprintable() and len(str(said.value)) < 250
    assert owner(run.run_id)["owner"] == ""
