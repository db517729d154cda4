"""Batches bound the memory that they take."""

import pytest

from grouprec.core.memory import rows_per_batch


@pytest.mark.parametrize(("n_columns", "rows"), [(3, 33), (100, 1), (101, 1), (0, 100)])
def test_a_batch_holds_as_many_rows_as_fit_and_at_least_one(n_columns: int, rows: int) -> None:
    assert rows_per_batch(n_columns, cells=100) == rows
