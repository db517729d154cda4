"""What a run still holds when a user is removed from it: stages that a fit names, and groups without them."""

from __future__ import annotations

from pathlib import Path

from grouprec.core.changes import changing
from grouprec.core.files import write_json
from grouprec.runs.removal import change_tables, remove_caches
from grouprec.runs.run import Run
from grouprec.runs.store import RunStore
from tests.support.planted_run import build_run


def test_only_stages_that_nothing_needs_are_removed(tmp_path: Path) -> None:
    stages = tmp_path / "stages"
    stages.mkdir()
    for name, record in (("needed", {"key": "a"}), ("spare", {"key": "b"}), ("nameless", {}), ("strange", ["a"])):
        write_json(stages / f"{name}.json", record)
        (stages / f"{name}.safetensors").write_bytes(b"arrays")
    with changing(tmp_path, "busy") as changes:
        remove_caches(Run(tmp_path), frozenset({"a"}), changes)
        changes.make()
    assert {path.name for path in stages.iterdir()} == {"needed.json", "needed.safetensors"}


def test_every_group_loses_those_of_it_who_leave_whatever_the_number_of_groups(tmp_path: Path) -> None:
    run = build_run(RunStore(tmp_path / "runs"))
    users, tried = run.table("users"), run.table("what_if_groups")
    trained = users[users["in_training"].to_numpy(bool)].reset_index(drop=True)
    labels, leaves = run.table("what_if_labels").iloc[0], trained["user"].iloc[0]
    with changing(run.path, "busy") as changes:
        change_tables(run, [leaves], {}, changes)
        changes.make()
    run.write_manifest()
    lost = tried["size"] - run.table("what_if_groups")["size"]
    own = [labels[str(number)] == group for number, group in zip(tried["n_groups"], tried["group"], strict=True)]
    assert lost.tolist() == [int(is_own) for is_own in own] and sum(own) > 1
    assert leaves not in set(run.table("users")["user"])
