"""What the comparison with another library's autoencoder gives it to read, and how its lists come back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from benchmarks.multivae import known_of, named, write_split

ROWS = pd.DataFrame({"user": [f"u{n % 7}" for n in range(200)], "item": [f"i{n % 30}" for n in range(200)]})


def test_a_known_cell_counts_once_and_is_learned_from_or_stopped_by(tmp_path: Path) -> None:
    known = known_of(ROWS)
    folder = write_split(known, tmp_path / "rival")
    train, validation, all_known = (
        sparse.load_npz(folder / f"{name}.npz").toarray() for name in ("train", "validation", "known")
    )
    assert all_known.sum() == len(ROWS.drop_duplicates())
    np.testing.assert_array_equal(train + validation, all_known)
    assert 0 < validation.sum() < 0.25 * all_known.sum()


def test_lists_come_back_by_name_and_end_where_nothing_is_left() -> None:
    known = known_of(ROWS)
    lists = np.full((len(known.users), 3), -1)
    lists[0] = [2, 0, -1]
    assert named(lists, known) == {f"u{n}": ["i2", "i0"] if n == 0 else [] for n in range(7)}
