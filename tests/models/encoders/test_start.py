"""What encoders start training from."""

import numpy as np
import pytest

from grouprec.data.synthetic import planted
from grouprec.models.encoders.start import log_popularity, singular_vectors


def test_singular_vectors_tell_planted_blocks_apart():
    vectors = singular_vectors(planted(ordered=False).data.histories, 8, seed=0)
    assert np.square(vectors).sum(axis=1).mean() == pytest.approx(1, rel=1e-3)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    blocks = np.repeat(np.arange(4), 30)
    same = blocks[:, None] == blocks
    assert (unit @ unit.T)[same].mean() > 0.5 + (unit @ unit.T)[~same].mean()


def test_columns_beyond_the_rank_are_empty():
    histories = planted(n_users=6, n_items=8, n_groups=2, events_per_user=4).data.histories
    vectors = singular_vectors(histories, 20, seed=0)
    assert vectors.shape == (8, 20) and not vectors[:, 6:].any() and vectors[:, 0].any()


def test_an_item_twice_as_popular_starts_one_logarithm_of_two_higher():
    bias = log_popularity(np.array([0, 1, 3]))
    assert np.diff(bias) == pytest.approx(np.log(2), abs=1e-6)
