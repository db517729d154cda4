"""Locks between threads and processes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from grouprec.core.locks import alone, held
from grouprec.core.types import BusyError, StorageError

HOLD = """
import sys
from pathlib import Path
from grouprec.core.locks import alone
with alone(Path(sys.argv[1]), ""):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_holds_the_lock_until_it_ends_however_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    assert not held(path)
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        assert held(path)
        with pytest.raises(BusyError, match="Somebody writes"), alone(path, "Somebody writes.", patience=0.0):
            pass
        other.kill()
        other.wait()
        assert not held(path)
        with alone(path, "", patience=0.0):
            assert held(path), "also for another one in this process"
    assert not held(path)


def test_a_lock_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.lock").mkdir()
    assert not held(tmp_path / "a.lock")
    for path in (tmp_path / "a.lock", tmp_path / "moved away" / "b.lock"):
        with pytest.raises(StorageError, match="Cannot write"), alone(path, ""):
            pass
    assert [one.name for one in tmp_path.iterdir()] == ["a.lock"]


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOLCK])
def test_a_disk_without_locks_is_a_sentence_and_no_pretended_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refused(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("fcntl.flock", refused)
    for _ in range(2):
        with pytest.raises(StorageError, match=os.strerror(code)), alone(tmp_path / "a.lock", "", patience=0.0):
            pass
        assert not held(tmp_path / "a.lock")
