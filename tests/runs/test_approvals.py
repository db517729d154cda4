"""Approvals: every one is kept, a damaged file is told, and nobody approves without a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from grouprec.core.forms import DamagedError
from grouprec.core.types import SettingError
from grouprec.runs.approvals import FILE, Approval, approvals, approve

FIRST = Approval(6, "strict", "Mei  Lin", 1_700_000_000.0, "6 lists are enough.", " for spring ", {"a.csv": "00ff"})


def test_approvals_are_kept_in_their_order(tmp_path: Path) -> None:
    assert approvals(tmp_path) == ()
    approve(tmp_path, FIRST)
    approve(tmp_path, Approval(0, "dedup", "Jo", 1_700_000_100.0))
    one, other = approvals(tmp_path)
    assert (one.lists, one.by, one.remark, one.files) == (6, "Mei Lin", "for spring", {"a.csv": "00ff"})
    assert (other.lists, other.regime, other.by) == (0, "dedup", "Jo")


def test_a_name_and_a_remark_have_an_end(tmp_path: Path) -> None:
    approve(tmp_path, Approval(6, "strict", "Mei" + 200 * "i", 0.0, remark="for" + 900 * "r"))
    (kept,) = approvals(tmp_path)
    assert (kept.by, kept.remark) == ("Mei" + 77 * "i", "for" + 597 * "r")


def test_nobody_approves_without_a_name(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="needs a name"):
        approve(tmp_path, Approval(6, "strict", "  ", 0.0))
    assert not (tmp_path / FILE).exists()


def test_a_changed_or_missing_file_is_told_and_never_written_over(tmp_path: Path) -> None:
    approve(tmp_path, FIRST)
    path = tmp_path / FILE
    path.write_text(path.read_text().replace('"Mei Lin"', '"Somebody"'))
    with pytest.raises(DamagedError, match="not what was written"):
        approvals(tmp_path)
    with pytest.raises(DamagedError):
        approve(tmp_path, FIRST)
    path.unlink()
    with pytest.raises(DamagedError, match="missing"):
        approvals(tmp_path)
