"""The audit never passes for want of an answer."""

from __future__ import annotations

import pytest

from benchmarks import audit

CLEAN = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}
SKIPPED = {"name": "c", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("found", "status", "said"),
    [
        ([CLEAN], 0, "1 of 1"),
        ([CLEAN, BAD], 1, "CVE-1, mended in 3"),
        ([CLEAN, SKIPPED], 3, "NOT LOOKED UP: 1"),
        ([BAD, SKIPPED], 1, "NOT LOOKED UP: 1"),
        ([], 3, "0 of 0"),
    ],
)
def test_only_what_was_looked_up_counts_as_clean(
    found: list[dict], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.report(found) == status
    assert said in capsys.readouterr().out


def test_a_tool_that_cannot_be_run_is_no_clean_bill(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.vulnerabilities("false") == 3
    assert "NOT LOOKED UP" in capsys.readouterr().out


def test_licences_are_looked_at() -> None:
    assert audit.allowed("MIT") and audit.allowed("GPL-3.0 OR Apache-2.0") and audit.allowed("BSD License")
    assert not audit.allowed("GPL-3.0-only") and not audit.allowed("") and not audit.allowed("Proprietary")
