"""What the shop gets for an approved number of lists: whole, with the file's ids, and the same bytes every time."""

from __future__ import annotations

import errno
import io
import os
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from grouprec.core.types import StorageError
from grouprec.report import bundle, spreadsheet
from grouprec.report.csv import export_run
from grouprec.runs.store import Run, RunStore
from tests.support.planted_groups import add_what_if
from tests.support.planted_run import build_run


@pytest.fixture
def run(runs_folder: RunStore) -> Run:
    return add_what_if(build_run(runs_folder))


def read(content: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(content), dtype={"user": "str", "item": "str"})


def test_an_export_that_the_disk_refuses_leaves_no_half_file(run: Run, tmp_path, monkeypatch) -> None:
    written, write = [], spreadsheet.write

    def refused(frame: pd.DataFrame, path: Path) -> None:
        write(frame, path)
        written.append(path)
        if len(written) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(spreadsheet, "write", refused)
    with pytest.raises(StorageError, match="No space left on device"):
        export_run(run, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["members.csv"]


def test_the_runs_own_number_is_what_export_writes(run: Run, tmp_path) -> None:
    export_run(run, str(tmp_path))  # a folder by its name, as files are given
    files = bundle.shop_files(run, 3, "strict")
    assert list(files) == ["members.csv", "group_lists.csv", "group_rankings.csv", "group_rules.csv"]
    assert all(content == (tmp_path / name).read_bytes() for name, content in files.items())


def test_another_number_gives_everybody_in_training_and_ten_items_a_list(run: Run) -> None:
    files = bundle.shop_files(run, 6, "strict")
    members, lists = read(files["members.csv"]), read(files["group_lists.csv"])
    assert len(members) == 88 and set(members["group"]) == set(lists["group"]) == set(range(1, 7))
    assert members["user"].str.len().eq(5).all(), "ids keep their zeros"
    assert lists.groupby("group").size().eq(10).all()
    with pytest.raises(StorageError, match="kept nothing of 5 lists"):
        bundle.shop_files(run, 5, "strict")


def test_personal_lists_are_one_file(run: Run) -> None:
    assert list(bundle.shop_files(run, bundle.PERSONAL, "strict")) == ["user_lists.csv"]


def test_an_archive_of_the_same_files_is_the_same_bytes(run: Run) -> None:
    files = bundle.shop_files(run, 6, "strict")
    packed = bundle.archive(files)
    assert packed == bundle.archive(bundle.shop_files(run, 6, "strict"))
    with zipfile.ZipFile(io.BytesIO(packed)) as found:
        assert {name: found.read(name) for name in found.namelist()} == files
    assert bundle.seals(files).keys() == files.keys()
