"""Where a user is removed, stages that no fit names go, and those that one names stay."""

from __future__ import annotations

from pathlib import Path

from grouprec.core.changes import changing
from grouprec.core.files import write_json
from grouprec.runs.removal import remove_caches
from grouprec.runs.run import Run


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
