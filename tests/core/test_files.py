"""Files that are replaced at once: whoever reads finds the old content or the new one."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from grouprec.core.errors import StorageError
from grouprec.core.files import INCOMING, incoming, read_json, told, write_json


@pytest.mark.parametrize("step", ["write_text", "replace"])
def test_a_process_that_dies_while_it_writes_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path, seen = tmp_path / "status.json", []
    write_json(path, {"state": "running"})
    write_text = Path.write_text

    def die(self: Path, text: object, **_: object) -> None:
        if step == "write_text":
            write_text(self, str(text)[: len(str(text)) // 2], encoding="utf-8")
        seen.append(read_json(path))
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, step, die)
    with pytest.raises(KeyboardInterrupt):
        write_json(path, {"state": "done", "text": "x" * 1000})
    assert seen == [{"state": "running"}], "so others read it while the new one is written"
    assert read_json(path) == {"state": "running"}
    assert [one.name for one in tmp_path.iterdir()] == ["status.json"], "nothing is left over"


def test_another_thread_may_write_the_same_file_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, replace = tmp_path / "status.json", Path.replace

    def interrupted(self: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "replace", replace)
        other = threading.Thread(target=write_json, args=(path, "other"))
        other.start()
        other.join()
        assert read_json(path) == "other"
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    write_json(path, "first")
    assert read_json(path) == "first"
    assert [one.name for one in tmp_path.iterdir()] == ["status.json"]


def test_a_missing_or_damaged_file_reads_as_nothing(tmp_path: Path) -> None:
    assert read_json(tmp_path / "none.json") is None
    (tmp_path / "half.json").write_text('{"state": "run')
    assert read_json(tmp_path / "half.json") is None


def test_what_is_in_the_making_is_removed_unless_it_was_moved(tmp_path: Path) -> None:
    with incoming(tmp_path / "place") as one, incoming(tmp_path / "place") as other:
        one.write_text("kept")
        one.rename(tmp_path / "place" / "kept")
        (other / "inside").mkdir(parents=True)
    assert [path.name for path in (tmp_path / "place").iterdir()] == ["kept"]


def test_what_a_killed_process_was_making_goes_after_a_day(tmp_path: Path) -> None:
    old, new = tmp_path / f"{INCOMING}1", tmp_path / f"{INCOMING}2"
    for path in (old, new):
        (path / "inside").mkdir(parents=True)
    os.utime(old, (0, 0))
    with incoming(tmp_path):
        assert not old.exists() and new.exists()


def test_messages_call_a_file_by_its_run_and_never_by_the_folders_above(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "r1"
    (run / "live").mkdir(parents=True)
    assert told(run / "live" / "a.sqlite") == "a.sqlite"
    assert told(tmp_path / "runs" / f"{INCOMING}1") == "runs"
    write_json(run / "config.json", {})
    assert told(run / "live" / "a.sqlite") == "r1/live/a.sqlite"
    with pytest.raises(StorageError, match=r"^Cannot write r1/status.json: Is a directory; "):
        (run / "status.json").mkdir()
        write_json(run / "status.json", {})


def test_a_pipe_or_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe.html", tmp_path / "link.html"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(StorageError, match=f"Cannot write {path.name}: it is a pipe or a device; name a file"):
            write_json(path, {})
    assert (
        pipe.is_fifo()
        and link.is_symlink()
        and {path.name for path in tmp_path.iterdir()} == {"pipe.html", "link.html"}
    )
