"""How large data are: counted as plain loops count, and extrapolated as things grow that run out or do not."""

from pathlib import Path

import numpy as np
import pytest

from grouprec.training import size as sizes
from grouprec.training.size import SAMPLE, Size, _count, _extrapolated, size_of


def test_counts_are_of_pairs_of_items_with_enough_users() -> None:
    rng = np.random.default_rng(0)
    users, items = rng.integers(-1, 9, 80), rng.integers(-1, 30, 80)
    for least in (1, 2, 3):
        pairs = {(u, i) for u, i in zip(users.tolist(), items.tolist(), strict=True) if u >= 0 and i >= 0}
        pairs = {(u, i) for u, i in pairs if len({v for v, j in pairs if j == i}) >= least}
        expected = [len({u for u, _ in pairs}), len({i for _, i in pairs}), len(pairs)]
        assert _count(users, items, least).tolist() == expected
    assert _count(np.full(3, -1), np.full(3, -1), 1).tolist() == [0, 0, 0]


def test_what_goes_on_as_before_is_foretold_and_what_has_run_out_stays() -> None:
    n = np.arange(4000)
    users, items = n // 10, n % 20  # ever new users, each with ten rows, and the same items
    for times in (0.0, 1.0, 3.0):
        found = _extrapolated(users, items, 1, times)
        assert found == pytest.approx([400 * 2**times, 20, 4000 * 2**times], rel=1e-3), times
    slower = _extrapolated((n**0.5).astype(int), items, 1, 2.0)
    assert slower[0] == pytest.approx(64 * 2, abs=2), "the root of the rows grows by the root of four"


def test_growth_that_slows_down_slows_on() -> None:
    """Of 1,000 users the first quarter shows 250, the half 400 and the whole 500: log2 1.6 and then log2 1.25."""
    firsts = np.concatenate([np.arange(250), np.zeros(250), np.arange(250, 400), np.zeros(350)]).astype(int)
    users = np.concatenate([firsts, np.arange(400, 500), np.zeros(900)]).astype(int)
    assert [len(np.unique(users[:first])) for first in (500, 1000, 2000)] == [250, 400, 500]
    last, slower = np.log2(1.25), np.log2(1.25) / np.log2(1.6)
    grown = sum(last * slower**step for step in (1, 2, 3))
    assert _extrapolated(users, np.zeros(2000, int), 1, 3.0)[0] == round(500 * 2**grown)


def write(folder: Path, n: int, timed: bool = False) -> Path:
    file = folder / "rows.csv"
    lines = [f"u{row // 10},i{row % 20}" + (f",2024-01-{row % 28 + 1:02d}" if timed else "") for row in range(n)]
    file.write_text("\n".join(["user,item" + (",time" if timed else ""), *lines]) + "\n")
    return file


def test_small_files_are_counted_and_large_ones_extrapolated_unless_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert size_of(write(tmp_path, 400), {}, 1) == Size(40, 20, 400, 400, timed=False, counted=True)
    assert size_of(write(tmp_path, 400, timed=True), {}, 1).timed
    monkeypatch.setattr(sizes, "COUNTED_ROWS", 400)
    assert size_of(write(tmp_path, 399), {}, 1).counted and not size_of(write(tmp_path, 400), {}, 1).counted
    file = write(tmp_path, 1600)
    guessed = size_of(file, {}, 1)
    assert not guessed.counted and guessed.n_items == 20 and guessed.n_raw == pytest.approx(1600, rel=0.1)
    assert guessed.n_users == pytest.approx(160, rel=0.1) and guessed.n_rows == pytest.approx(1600, rel=0.1)
    assert size_of(file, {}, 1, whole=True) == Size(160, 20, 1600, 1600, timed=False, counted=True)


def test_what_nobody_has_is_at_least_two_and_the_sample_is_timed(tmp_path: Path) -> None:
    assert size_of(write(tmp_path, 30), {}, 1000) == Size(2, 2, 0, 30, timed=False, counted=True)
    assert SAMPLE.timed and SAMPLE.counted and SAMPLE.n_raw > SAMPLE.n_rows > SAMPLE.n_users > 1000
