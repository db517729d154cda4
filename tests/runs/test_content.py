"""Hashes are computed once for a file that stays as it is, and arrays and stages know when they are damaged."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from grouprec.runs import content


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the files that are hashed from now on."""
    seen: list[Path] = []
    digest = content._digest
    monkeypatch.setattr(content, "_digest", lambda path: (seen.append(path), digest(path))[1])
    monkeypatch.setattr(content, "_MEMORY", content._Memory())
    return seen


def settle(path: Path) -> None:
    """Let a file be old enough for its times to be trusted."""
    os.utime(path, ns=(10**18, 10**18))


def test_a_file_is_hashed_again_only_when_it_has_changed(tmp_path: Path, counted: list[Path]) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    settle(path)
    first = content.digest(path)
    assert content.digest(path) == first and len(counted) == 1
    path.write_bytes(b"abd")
    settle(path)
    assert content.digest(path) != first and len(counted) == 2, "of the same size and time"
    path.unlink()
    assert content.digest(path) == ""


def test_a_file_that_was_just_written_is_not_trusted_yet(tmp_path: Path, counted: list[Path]) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    content.digest(path)
    content.digest(path)
    assert len(counted) == 2, "another write within the clock's step would show the same times"


def test_few_files_are_remembered(tmp_path: Path, counted: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_MOST", 2)
    paths = [tmp_path / str(number) for number in range(3)]
    for path in paths:
        path.write_bytes(b"abc")
        settle(path)
        content.digest(path)
    content.digest(paths[2])
    assert len(counted) == 3
    content.digest(paths[0])
    assert len(counted) == 4


def test_sealed_arrays_come_back_or_are_none(tmp_path: Path) -> None:
    path = tmp_path / "file.safetensors"
    content.save_sealed_arrays(path, {"a": np.arange(3), "b": np.zeros((2, 0), np.float32)})
    found = content.load_sealed_arrays(path)
    assert found is not None and found["a"].tolist() == [0, 1, 2] and found["b"].shape == (2, 0)
    whole = path.read_bytes()
    for place in range(0, len(whole) * 8, 7):
        turned = bytearray(whole)
        turned[place // 8] ^= 1 << place % 8
        path.write_bytes(turned)
        assert content.load_sealed_arrays(path) is None, place
    path.unlink()
    assert content.load_sealed_arrays(path) is None
    content.save_arrays(path, {"a": np.arange(3)})
    assert content.load_sealed_arrays(path) is None, "no seal at all"


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_no_bit_of_a_stage_can_be_turned_unnoticed(tmp_path: Path, suffix: str) -> None:
    record = tmp_path / "stages" / "encoder.ease.k.json"
    content.save_stage(record, {"key": "k", "meta": {"decided": {"epochs": 3}}}, {"w": np.arange(4, dtype=np.float32)})
    path = record.with_suffix(suffix)
    whole = path.read_bytes()
    for place in range(0, len(whole) * 8, 3):
        turned = bytearray(whole)
        turned[place // 8] ^= 1 << place % 8
        path.write_bytes(turned)
        assert content.read_stage(tmp_path, record) is None, place
    path.write_bytes(whole)
    assert content.read_stage(tmp_path, record) is not None


def test_what_cannot_be_read_for_a_moment_is_not_remembered_as_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.json"
    path.write_text("{}")
    os.utime(path, (0, 0))

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refused)
        patch.setattr(Path, "read_text", refused)
        assert content.digest(path) == "" and content.json_of(path) is None
    assert content.digest(path) and content.json_of(path) == {}
