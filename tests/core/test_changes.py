"""Files that change together do so as one, whenever the process ends."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grouprec.core.changes import FOLDER, PLAN, changing, complete
from grouprec.core.forms import DamagedError

OLD = {"a.txt": "old a", "run/b.txt": "old b", "run/c.txt": "old c", "gone/d.txt": "old d"}
NEW = {"a.txt": "new a", "run/b.txt": "new b", "run/c.txt": "old c", "set/e.txt": "new e"}


def fill(root: Path) -> Path:
    for name, text in OLD.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def content(root: Path) -> dict[str, str]:
    files = (path for path in root.rglob("*") if path.is_file() and FOLDER not in str(path))
    return {path.relative_to(root).as_posix(): path.read_text() for path in files}


def change(root: Path) -> None:
    with changing(root, "Somebody is at it.") as changes:
        changes.remove(root / "gone")
        for name in ("a.txt", "run/b.txt"):
            changes.new(root / name).write_text(NEW[name])
        changes.new(root / "set").mkdir()
        (changes.new(root / "set") / "e.txt").write_text("new e")
        changes.make()


def test_all_files_are_new_afterwards_and_nothing_else_is_left(tmp_path: Path) -> None:
    root = fill(tmp_path / "runs")
    change(root)
    assert content(root) == NEW and not (root / FOLDER).exists() and not complete(root)


def test_an_end_at_any_moment_leaves_the_old_files_or_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every step that moves or removes something is the last one once."""
    ends, n = set(), 0
    while True:
        root = fill(tmp_path / f"runs{n}")
        with monkeypatch.context() as patch:
            if not dies_at(patch, n, root):
                break
        decided = (root / FOLDER / PLAN).exists()
        ends.add(decided)
        assert decided or content(root) in (OLD, NEW)
        complete(root)
        assert content(root) in ((NEW,) if decided else (OLD, NEW)) and not (root / FOLDER).exists()
        n += 1
    assert ends == {True, False} and n > 5


def dies_at(patch: pytest.MonkeyPatch, step: int, root: Path) -> bool:
    """Return whether the process would have died at that step."""
    steps = iter(range(1_000))

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def act(*given: Any, **named: Any) -> Any:
            if next(steps) == step:
                raise KeyboardInterrupt
            return real(*given, **named)

        return act

    patch.setattr(Path, "replace", dying(Path.replace))
    patch.setattr(Path, "unlink", dying(Path.unlink))
    patch.setattr(shutil, "rmtree", dying(shutil.rmtree))
    try:
        change(root)
    except KeyboardInterrupt:
        return True
    return False


def test_what_is_not_decided_in_the_block_has_not_happened(tmp_path: Path) -> None:
    root = fill(tmp_path / "runs")
    with pytest.raises(ZeroDivisionError), changing(root, "") as changes:
        changes.new(root / "a.txt").write_text("new")
        raise ZeroDivisionError
    assert content(root) == OLD and not (root / FOLDER).exists()


def test_a_damaged_plan_is_told(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / PLAN).write_text("{")
    with pytest.raises(DamagedError, match="A change of files was begun"):
        complete(tmp_path)
