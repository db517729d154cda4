"""What speaks against a column as user or item."""

from __future__ import annotations

import pandas as pd
import pytest

from grouprec.data.roles.evidence import objection


@pytest.mark.parametrize(
    ("name", "values", "against"),
    [
        ("elevation", [20, 21, 19, 22], "it holds measurements"),
        ("elevation", ["hill A", "peak B", "pass C", "gorge D"], None),  # a word is no measurement
        ("sku", ["A-1", "B-2", "C-3", "D-4"], None),
    ],
)
def test_what_speaks_against_an_item(name: str, values: list, against: str | None) -> None:
    assert objection("item", pd.Series(values, name=name), strict=False) == against
