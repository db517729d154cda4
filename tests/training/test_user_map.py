import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from grouprec.core.types import StorageError
from grouprec.training import user_map
from grouprec.training.user_map import LayoutProcess, linear_positions, positions

PLACES = np.random.default_rng(0).normal(0, 10, (3, 6))
LABELS = np.repeat(np.arange(3), 30)
PLANTED = (PLACES[LABELS] + np.random.default_rng(1).normal(size=(90, 6))).astype(np.float32)


def check(found: np.ndarray, n_users: int) -> None:
    assert found.shape == (n_users, 2) and found.dtype == np.float32
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)


@pytest.mark.parametrize("n_users", [0, 1, 2, 3, 9])
def test_few_users_are_placed_without_umap(n_users: int) -> None:
    space = np.random.default_rng(0).normal(size=(n_users, 4)).astype(np.float32)
    found = positions(space, seed=0)
    assert found.shape == (n_users, 2)
    if n_users > 1:
        check(found, n_users)
        assert len(np.unique(found, axis=0)) == n_users


def test_equal_users_stand_on_a_circle() -> None:
    found = positions(np.ones((40, 5), np.float32), seed=0)
    check(found, 40)
    radius = np.linalg.norm(found, axis=1)
    np.testing.assert_allclose(radius, radius[0], rtol=1e-4)


def test_duplicates_of_few_places_are_placed_without_umap() -> None:
    found = positions(np.repeat(np.eye(3, dtype=np.float32), 20, axis=0), seed=0)
    check(found, 60)
    assert len(np.unique(found.round(4), axis=0)) == 3


def test_one_column_is_enough() -> None:
    found = linear_positions(np.arange(8, dtype=np.float32)[:, None])
    check(found, 8)
    assert (np.diff(found[:, 0]) > 0).all() or (np.diff(found[:, 0]) < 0).all()


def test_positions_have_spread_one() -> None:
    assert linear_positions(PLANTED * 1000).std() == pytest.approx(1, rel=1e-4)


def test_process_keeps_planted_groups_apart_on_a_umap_map(tmp_path: Path) -> None:
    process = LayoutProcess.start()
    process.submit(PLANTED, seed=0, folder=tmp_path)
    found, method = process.result(timeout=600)
    assert method == "umap"
    check(found, 90)
    centres = np.stack([found[label == LABELS].mean(axis=0) for label in range(3)])
    nearest = np.linalg.norm(found[:, None] - centres[None], axis=2).argmin(axis=1)
    assert np.array_equal(nearest, LABELS)
    assert not list(tmp_path.iterdir())


def test_a_process_that_takes_too_long_is_replaced_by_pca(tmp_path: Path) -> None:
    process = LayoutProcess.start()
    process.submit(PLANTED, seed=0, folder=tmp_path)
    found, method = process.result(timeout=0.01)
    assert method == "pca"
    assert np.array_equal(found, linear_positions(PLANTED))
    assert not list(tmp_path.iterdir())


def test_a_process_that_died_is_replaced_by_pca(tmp_path: Path) -> None:
    process = LayoutProcess.start()
    process.stop()
    process.stop()
    process.submit(PLANTED, seed=0, folder=tmp_path)
    assert process.result(timeout=60)[1] == "pca"
    with pytest.raises(StorageError, match="No such file or directory"):  # nor does a full disk
        process.submit(PLANTED, seed=0, folder=tmp_path / "gone")


def test_the_child_ends_when_its_parent_does() -> None:
    child = subprocess.Popen([sys.executable, "-m", "grouprec.training.user_map"], stdin=subprocess.PIPE)
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(timeout=300) == 1


def test_result_before_submit_is_a_mistake() -> None:
    process = LayoutProcess.start()
    try:
        with pytest.raises(RuntimeError, match="submit"):
            process.result(timeout=1)
    finally:
        process.stop()


def test_beyond_the_landmarks_users_lie_between_those_nearest_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_map, "LANDMARKS", 45)
    monkeypatch.setattr(user_map, "_umap_positions", lambda space, seed: space[:, :2] * 2)  # a map that is known
    found = positions(PLANTED, seed=0)
    check(found, 90)
    known = user_map.standardise(PLANTED[:, :2])
    assert np.corrcoef(found[:, 0], known[:, 0])[0, 1] > 0.95
    centres = np.stack([found[label == LABELS].mean(axis=0) for label in range(3)])
    assert (np.linalg.norm(found[:, None] - centres, axis=2).argmin(axis=1) == LABELS).all()
    np.testing.assert_array_equal(found, positions(PLANTED, seed=0))


def test_umap_is_compiled_to_the_disk() -> None:
    code = (
        "import numba\nplain = numba.njit\n"
        "from grouprec.training.user_map import _compiled_umap\n_compiled_umap()\n"
        "from umap.layouts import rdist\n"
        "print(type(rdist._cache).__name__, numba.njit is plain)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["FunctionCache", "True"]
