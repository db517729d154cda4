"""Planted kinds of files: what they say they plant is in them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.datasets import dataset_file
from benchmarks.kinds import KINDS, YEAR, chains, imports, seasons, write_kind
from benchmarks.parts import PARTS


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_a_file_in_time_order_and_a_part(name: str, tmp_path: Path) -> None:
    write_kind(name, tmp_path / "kind.csv")
    table = pd.read_csv(tmp_path / "kind.csv", parse_dates=["timestamp"])
    assert list(table.columns[:3]) == ["user_id", "item_id", "timestamp"] and len(table) > 2_000
    assert set(table.columns[3:]) <= {"rating", "quantity", "stars"}
    assert table["timestamp"].is_monotonic_increasing
    assert [part.file for part in PARTS.values()].count(name) == 1


def test_datasets_know_every_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.datasets.CACHE", tmp_path)
    monkeypatch.setattr("benchmarks.datasets.write_kind", lambda name, path: path.touch())
    assert all(dataset_file(name).exists() for name in KINDS)


def test_in_chains_an_item_says_what_follows_and_the_one_before_it_does_not() -> None:
    users, items, days = chains(np.random.default_rng(0), n_users=400, n_items=60)
    order = np.lexsort((days, users))
    users, items = users[order], items[order]

    def share_of_six(lag: int) -> float:
        """Return how many of the events are among the six that come most often so far behind an item."""
        same = users[lag:] == users[:-lag]
        pairs = np.zeros((60, 60))
        np.add.at(pairs, (items[:-lag][same], items[lag:][same]), 1)
        return float(np.sort(pairs, axis=1)[:, -6:].sum() / pairs.sum())

    assert share_of_six(1) > 0.6 and share_of_six(2) < share_of_six(1) - 0.2


def test_in_seasons_items_come_back_a_year_later() -> None:
    _, items, days = seasons(np.random.default_rng(0))

    def share(first: float) -> np.ndarray:
        """Return every item's share of a month."""
        counts = np.bincount(items[(days >= first) & (days < first + 30)], minlength=600)
        return counts / counts.sum()

    now, half_a_year, a_year = share(100), share(100 + YEAR / 2), share(100 + YEAR)
    assert np.corrcoef(now, a_year)[0, 1] > 0.8 and np.corrcoef(now, half_a_year)[0, 1] < 0.2


def test_in_imports_most_rows_have_one_date_and_new_items_fade() -> None:
    _, items, days = imports(np.random.default_rng(0))
    assert 0.55 < np.mean(days == 0) < 0.65 and set(days) == set(range(57))
    first_day = pd.Series(days).groupby(items).min()
    new = np.isin(items, first_day.index[(first_day > 0) & (first_day < 20)])
    weeks = np.bincount((days[new] // 7).astype(int), minlength=9)
    assert weeks[3] > 2 * weeks[7] > 0
