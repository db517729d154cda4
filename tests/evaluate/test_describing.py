import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from grouprec.core.types import Groups
from grouprec.evaluate.describing import calibration, calibration_error, reconstruction
from grouprec.ranking.task import Task


def a_task(seen: list[list[int]], relevant: list[list[int]]) -> Task:
    owned, targets = (sparse.csr_array(np.array(rows, np.float32)) for rows in (seen, relevant))
    return Task(owned, targets, np.flatnonzero(np.diff(targets.indptr)).astype(np.int32), owned)


def constant(shares: list[float]):
    return lambda rows, group: np.broadcast_to(np.array(shares), (len(rows), len(shares)))


def test_likelihood_is_that_of_hand_worked_shares() -> None:
    # User 0 has item 0 (share .2): the others scale up by 1 / .8 and items 1 and 2 get .375 and .625.
    task = a_task([[1, 0, 0], [0, 0, 0]], [[0, 1, 1], [1, 0, 0]])
    table = reconstruction({"plain": constant([0.2, 0.3, 0.5])}, Groups(np.zeros(2, np.int32), 1), task, seed=0)
    first, second = -(np.log(0.375) + np.log(0.625)) / 2, -np.log(0.2)
    assert table.loc[0, "value"] == pytest.approx((first + second) / 2)
    assert table.loc[0, "n_users"] == 2


def test_differences_are_to_the_plain_profile_and_paired() -> None:
    rng = np.random.default_rng(0)
    relevant = (rng.random((60, 8)) < 0.3).astype(int).tolist()
    task = a_task(np.zeros((60, 8)).tolist(), relevant)
    good = np.array(relevant).sum(axis=0) + 1.0
    ways = {"better": constant((good / good.sum()).tolist()), "plain": constant([1 / 8] * 8)}
    groups = Groups(np.arange(60, dtype=np.int32) % 3, 3)
    table = reconstruction(ways, groups, task, seed=0).set_index("method")
    assert table.loc["plain", "difference"] == 0
    assert table.loc["better", "difference"] == pytest.approx(table.loc["better", "value"] - np.log(8))
    assert table.loc["better", "difference_low"] < table.loc["better", "difference"] < 0


def test_members_of_a_group_are_described_with_their_own_group() -> None:
    task = a_task([[0, 0], [0, 0]], [[1, 0], [0, 1]])
    by_group = lambda rows, group: np.broadcast_to([[0.9, 0.1], [0.1, 0.9]][group], (len(rows), 2))  # noqa: E731
    table = reconstruction({"plain": by_group}, Groups(np.array([0, 1], np.int32), 2), task, seed=0)
    assert table.loc[0, "value"] == pytest.approx(-np.log(0.9))


def planted_task(shares: np.ndarray, n_users: int = 400, n_taken: int = 30) -> Task:
    """Users who take items by chance with these shares, each at most once counted."""
    rng = np.random.default_rng(1)
    taken = rng.multinomial(n_taken, shares, size=n_users)
    return a_task(np.zeros((n_users, len(shares))).tolist(), taken.tolist())


def test_true_shares_are_calibrated_and_others_are_not() -> None:
    shares = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
    task, groups = planted_task(shares), Groups(np.zeros(400, np.int32), 1)
    truth = calibration(constant(shares.tolist()), groups, task)
    assert np.allclose(truth["predicted"], truth["observed"], rtol=0.05)
    assert calibration_error(truth) < 0.03
    too_sure = shares**2 / (shares**2).sum()
    assert calibration_error(calibration(constant(too_sure.tolist()), groups, task)) > 0.2


def test_calibration_leaves_out_what_a_user_may_not_get() -> None:
    table = calibration(constant([0.5, 0.5]), Groups(np.zeros(1, np.int32), 1), a_task([[1, 0]], [[0, 1]]))
    assert table["n_pairs"].sum() == 1
    assert table["predicted"].tolist() == table["observed"].tolist() == [1.0]


def test_calibration_error_is_the_mass_weighted_gap() -> None:
    table = pd.DataFrame({"n_pairs": [10, 5], "predicted": [0.04, 0.12], "observed": [0.05, 0.10]})
    assert calibration_error(table) == pytest.approx((10 * 0.01 + 5 * 0.02) / 1.0)
