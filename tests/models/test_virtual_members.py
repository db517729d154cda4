import numpy as np
import pytest
from scipy import sparse

from grouprec.core.types import Groups
from grouprec.models.virtual_members import (
    ListValue,
    history_lengths,
    history_matrix,
    mean_preference,
    nearest_history,
    one_hot,
    virtual_histories,
    wanted,
)
from tests.support.virtual import BlockProfile, GaussianGenerator

PROFILE = BlockProfile()
GENERATOR = GaussianGenerator(PROFILE)


def random_histories(n: int, n_items: int = 60, length: int = 8, seed: int = 0) -> sparse.csr_array:
    rng = np.random.default_rng(seed)
    return history_matrix(np.stack([rng.permutation(n_items)[:length] for _ in range(n)]), n_items)


def test_virtual_histories_have_their_lengths_and_every_item_once():
    rng = np.random.default_rng(0)
    lengths = rng.integers(0, 15, 300)  # more than one batch
    items = virtual_histories(PROFILE, GENERATOR.sample(0, 300, rng), lengths, rng)
    assert items.dtype == np.int32 and items.shape == (300, lengths.max())
    assert ((items >= 0).sum(axis=1) == lengths).all()
    taken = history_matrix(items, PROFILE.n_items)
    taken.sum_duplicates()
    assert taken.max() == 1 and (np.diff((items >= 0).astype(int), axis=1) <= 0).all()  # what is missing stands last


def test_virtual_histories_come_from_the_taste_of_the_member_likeliest_first():
    rng = np.random.default_rng(0)
    latents = GENERATOR.sample(1, 200, rng)
    items = virtual_histories(PROFILE, latents, np.full(200, 6), rng)
    assert np.isin(items, PROFILE.block(1)).mean() > 0.95
    shares = np.take_along_axis(PROFILE.decode(latents), items, axis=1)
    assert (np.diff(shares, axis=1) <= 0).all()


def test_first_items_are_drawn_in_proportion_to_their_shares():
    latents = np.tile(PROFILE.latents().mean[:1], (4000, 1))
    drawn = virtual_histories(PROFILE, latents, np.ones(4000, int), np.random.default_rng(0))[:, 0]
    share = np.bincount(drawn, minlength=PROFILE.n_items) / 4000
    assert np.abs(share - PROFILE.decode(latents[:1])[0]).max() < 0.02


def test_a_history_cannot_be_longer_than_the_catalogue():
    items = virtual_histories(PROFILE, PROFILE.latents().mean[:1], np.array([1000]), np.random.default_rng(0))
    assert sorted(items[items >= 0].tolist()) == list(range(PROFILE.n_items))


def test_no_members_have_no_histories():
    assert (
        virtual_histories(PROFILE, np.empty((0, 3), np.float32), np.empty(0, int), np.random.default_rng(0)).size == 0
    )


def test_members_want_what_they_lack_best_first():
    latents = GENERATOR.sample(2, 5, np.random.default_rng(0))
    best = PROFILE.decode(latents).argmax(axis=1)
    found = wanted(PROFILE, latents, one_hot(2, 3), history_matrix(best[:, None], PROFILE.n_items), 10)
    assert found.items.shape == (5, 10) and (np.diff(found.scores, axis=1) <= 0).all()
    assert not (found.items == best[:, None]).any() and np.isin(found.items, PROFILE.block(2)).all()


def test_lengths_are_those_of_the_groups_in_the_mixture():
    lengths = np.repeat([2, 7, 11], [10, 20, 30])
    rows = np.repeat(np.arange(60), lengths)
    histories = sparse.csr_array((np.ones(len(rows)), (rows, np.concatenate([np.arange(n) for n in lengths]))))
    groups = Groups(np.repeat([0, 1, 2], [10, 20, 30]).astype(np.int32), 3)
    drawn = history_lengths(histories, groups, np.array([0.5, 0, 0.5], np.float32), 2000, np.random.default_rng(0))
    assert set(drawn.tolist()) == {2, 11} and (drawn == 2).mean() == pytest.approx(0.5, abs=0.05)


def test_nearest_history_is_the_largest_jaccard_index():
    first, second = random_histories(7, seed=1), random_histories(9, seed=2)

    def naive(a: np.ndarray, b: np.ndarray) -> float:
        return (a * b).sum() / np.maximum(a, b).sum()

    by_hand = [max(naive(a, b) for b in second.toarray()) for a in first.toarray()]
    np.testing.assert_allclose(nearest_history(first, second), by_hand)
    alone = [max(naive(a, b) for m, b in enumerate(first.toarray()) if m != n) for n, a in enumerate(first.toarray())]
    np.testing.assert_allclose(nearest_history(first, first, same=True), alone)
    np.testing.assert_allclose(nearest_history(first, first), 1)


def test_mean_preference_is_the_mean_over_all_batches():
    latents = GENERATOR.sample(0, 600, np.random.default_rng(0))
    by_hand = PROFILE.predict(latents, one_hot(0, 3)).mean(axis=0)
    np.testing.assert_allclose(mean_preference(PROFILE, latents, one_hot(0, 3)), by_hand, rtol=1e-5)


def test_list_value_is_relative_to_the_training_members_lists():
    rng = np.random.default_rng(0)
    groups = Groups(np.repeat([0, 1], 20).astype(np.int32), 2)
    taste = np.repeat(np.eye(2), 15, axis=1)[groups.labels] + 0.1  # either group wants its half of 30 items
    wants = sparse.csr_array(taste * (rng.random((40, 30)) < 0.4))
    training = np.arange(40) % 2 == 0
    value = ListValue.of(wants, groups, training, ~training)
    sums = np.stack([wants.toarray()[training & (groups.labels == g)].sum(axis=0) for g in range(2)])
    assert value.share(sums) == pytest.approx(1) and value.share(-sums) < 0.7


def test_list_value_takes_a_catalogue_shorter_than_a_list():
    wants = sparse.csr_array(np.tile([1.0, 2.0, 0.0], (4, 1)))
    value = ListValue.of(wants, Groups(np.zeros(4, np.int32), 1), np.arange(4) < 2, np.arange(4) >= 2)
    best, worst = 2 + 1 / np.log2(3), 2 / np.log2(3) + 1 / np.log2(4)
    assert value.share(np.array([[0.0, 1.0, 2.0]])) == pytest.approx(worst / best)
