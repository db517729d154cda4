"""A run is of a dataset by what was in its files, wherever they lie now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grouprec.core.forms import DamagedError
from grouprec.runs.content import digest
from grouprec.runs.same_data import same_content


class ReadRun:
    """As much of a run as tells what it read; ``files`` None: its numbers are damaged."""

    def __init__(self, files: dict[str, str] | None, **read: str) -> None:
        self._files, self._read = files, read

    def choices(self) -> dict[str, str]:
        return self._read

    def metrics(self) -> dict[str, Any]:
        if self._files is None:
            raise DamagedError("metrics.json is damaged")
        return {"files": self._files}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("user,item\na,b\n")
    return path


def test_what_was_kept_of_the_content_tells_whatever_the_path_holds_now(file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "moved.csv"
    assert same_content(ReadRun({"interactions": digest(file)}, interactions=str(elsewhere)), "interactions", file)
    elsewhere.write_text(file.read_text())
    assert not same_content(ReadRun({"interactions": "00ff"}, interactions=str(elsewhere)), "interactions", file)


@pytest.mark.parametrize("files", [{}, None])
def test_without_it_the_file_tells_where_it_still_is(file: Path, tmp_path: Path, files: dict[str, str] | None) -> None:
    copy = tmp_path / "copy.csv"
    run = ReadRun(files, interactions=str(copy))
    assert not same_content(run, "interactions", file)
    copy.write_text(file.read_text())
    assert same_content(run, "interactions", file)
    other = tmp_path / "other.csv"
    other.write_text("user,item\na,c\n")
    assert not same_content(ReadRun(files, interactions=str(other)), "interactions", file)


def test_no_file_is_the_same_as_no_file_only(file: Path) -> None:
    assert same_content(ReadRun({}), "items", None)
    assert not same_content(ReadRun({}), "items", file)
    assert not same_content(ReadRun({}, items=str(file)), "items", None)
    assert same_content(ReadRun({}, items=str(file)), "items", file)
