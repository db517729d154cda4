import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from grouprec.core.types import Groups
from grouprec.evaluate import describing
from grouprec.evaluate.describing import calibration, calibration_error, descriptions, reconstruction
from grouprec.ranking.statistics import resampled_means
from grouprec.ranking.task import Task
from tests.support.virtual import BlockProfile


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


def test_intervals_are_those_of_resampled_users_all_methods_on_the_same() -> None:
    rng = np.random.default_rng(0)
    relevant = (rng.random((40, 8)) < 0.3).astype(int)
    relevant[:, 0] = 1
    uneven = (np.arange(8) + 1) / 36
    task, groups = a_task(np.zeros((40, 8)).tolist(), relevant.tolist()), Groups(np.zeros(40, np.int32), 1)
    table = reconstruction({"mine": constant(uneven.tolist()), "plain": constant([1 / 8] * 8)}, groups, task, seed=3)
    mine = np.array([-np.log(uneven[np.flatnonzero(row)]).mean() for row in relevant])
    means = resampled_means(np.column_stack([mine, np.full(40, np.log(8))]), 3)
    row = table.set_index("method").loc["mine"]
    assert row[["low", "high"]].tolist() == pytest.approx(np.quantile(means[:, 0], [0.025, 0.975]).tolist())
    change = np.quantile(means[:, 0] - means[:, 1], [0.025, 0.975]).tolist()
    assert row[["difference_low", "difference_high"]].tolist() == pytest.approx(change)


class Told(BlockProfile):
    """A profile that answers with what it was asked."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def encode(self, histories):
        return self.name, histories.toarray().tolist()

    def decode(self, latents):
        return "decode", latents

    def predict(self, latents, mixture):
        return "predict", latents, mixture.tolist()


def test_ways_to_describe_users_ask_the_profile_they_are_named_after() -> None:
    histories = sparse.csr_array(np.array([[2, 0, 1], [0, 0, 5]], np.float32))
    ways = descriptions(Told("own"), Groups(np.array([0, 1], np.int32), 2), Told("plain"), histories)
    rows = np.array([1])
    own, plain = ("own", [[0, 0, 5]]), ("plain", [[0, 0, 5]])
    assert list(ways) == ["vae", "vae_wants", "plain", "plain_wants", "popularity"]
    assert ways["vae"](rows, 1) == ("decode", own) and ways["plain"](rows, 1) == ("decode", plain)
    assert ways["vae_wants"](rows, 1) == ("predict", own, [0, 1])
    assert ways["plain_wants"](rows, 1) == ("predict", plain, [1])
    # Add-one: two, one and three of six.
    assert ways["popularity"](np.array([0, 1]), 0).tolist() == pytest.approx(np.array([[2, 1, 3]] * 2) / 6)


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


def test_bins_hold_about_as_much_preference_each_and_pairs_stay_together() -> None:
    # Ten shares of a tenth in one place of the finer bins: half of them lie before its middle, so it is bin 6.
    shares = [0.1] * 9 + [0.05, 0.04, 0.01]
    task = a_task(np.zeros((2, 12)).tolist(), [[1, 1] + [0] * 10, [0] * 9 + [0, 1, 1]])
    table = calibration(constant(shares), Groups(np.zeros(2, np.int32), 1), task)
    assert table["bin"].tolist() == [1, 6] and table["n_pairs"].tolist() == [6, 18]
    assert table["predicted"].tolist() == pytest.approx([0.2 / 6, 1.8 / 18])
    assert table["observed"].tolist() == pytest.approx([1 / 6, 1 / 18])
    alone = calibration(constant([1.0, 0.0]), Groups(np.zeros(1, np.int32), 1), a_task([[0, 0]], [[1, 1]]))
    assert alone["bin"].tolist() == [6] and alone["n_pairs"].tolist() == [1]
    assert alone["observed"].tolist() == [0.5]  # the other half went to what is not predicted at all


def test_nobody_judged_gives_an_empty_calibration() -> None:
    table = calibration(constant([0.5, 0.5]), Groups(np.zeros(1, np.int32), 1), a_task([[0, 0]], [[0, 0]]))
    assert table.empty and calibration_error(table) == 0


def test_users_are_described_batch_by_batch(monkeypatch) -> None:
    monkeypatch.setattr(describing, "BATCH", 2)
    asked = []

    def shares(rows, group):
        asked.append((rows.tolist(), group))
        return np.full((len(rows), 2), 0.5)

    task = a_task([[0, 0]] * 5, [[1, 0]] * 5)
    table = reconstruction({"plain": shares}, Groups(np.array([0, 1, 0, 0, 1], np.int32), 2), task, seed=0)
    assert asked == [([0, 2], 0), ([3], 0), ([1, 4], 1)] and table.loc[0, "n_users"] == 5


def test_calibration_error_is_the_mass_weighted_gap() -> None:
    table = pd.DataFrame({"n_pairs": [10, 5], "predicted": [0.04, 0.12], "observed": [0.05, 0.10]})
    assert calibration_error(table) == pytest.approx((10 * 0.01 + 5 * 0.02) / 1.0)
