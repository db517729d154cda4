"""The beginning of a file is looked at once, however often it is asked for, and again when the file has changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grouprec.core.errors import DataError
from grouprec.data.reading import read
from grouprec.data.reading.read import Reading, peek, read_table


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the files whose beginning was read, in order."""
    found, real = [], read._peek
    monkeypatch.setattr(read, "_peek", lambda sniffed, reading: (found.append(sniffed.path), real(sniffed, reading))[1])
    read._remembered.cache_clear()
    return found


def test_a_file_is_looked_at_once_and_again_when_it_changes(tmp_path: Path, looks: list[Path]) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("user,item\na,x\nb,y\n")
    assert list(peek(file).columns) == ["user", "item"]
    assert len(read_table(file)) == 2
    peek(file)
    assert len(looks) == 1
    peek(file, Reading(encoding="cp1252"))
    assert len(looks) == 2
    file.write_text("buyer,thing\na,x\nb,y\n")
    os.utime(file, ns=(1, 1))
    assert list(peek(file).columns) == ["buyer", "thing"]


def test_what_somebody_does_with_the_rows_is_theirs(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("user,item\na,x\nb,y\n")
    head = peek(file).head
    head["user"] = "gone"
    head.loc[0, "item"] = "gone"
    assert peek(file).head.to_dict("list") == {"user": ["a", "b"], "item": ["x", "y"]}


def test_a_file_that_cannot_be_read_is_tried_anew(tmp_path: Path, looks: list[Path]) -> None:
    file = tmp_path / "rows.csv"
    for _ in range(2):
        with pytest.raises(DataError):
            peek(file)
    file.write_text("user,item\n")
    for _ in range(2):
        with pytest.raises(DataError, match="no rows"):
            peek(file)
    assert len(looks) == 2
