"""What the command line prints can be searched for what a reader sees, and is JSON for every parser."""

import json
import math

import pytest

from grouprec.cli.terminal import print_json, print_rows, terminal
from grouprec.core.language import _

SAID = _("20 lists keep {share} %.").format(share=47)


def test_per_cent_signs_stand_behind_a_plain_blank(capsys: pytest.CaptureFixture[str]) -> None:
    assert "47\u00a0%" in SAID, "as pages have it"
    terminal.print(SAID, markup=False)
    print_rows([], SAID)
    print_json({"said": SAID, "all": [{"said": SAID}]})
    captured = capsys.readouterr()
    assert captured.err.splitlines() == ["20 lists keep 47 %."] * 2
    assert json.loads(captured.out) == {"said": "20 lists keep 47 %.", "all": [{"said": "20 lists keep 47 %."}]}


def test_what_is_no_number_is_null(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"value": math.nan, "rows": [(1.5, math.inf)]})
    assert json.loads(capsys.readouterr().out) == {"value": None, "rows": [[1.5, None]]}
