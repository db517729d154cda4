"""Simple methods beside the product: neighbours and what follows, against what a small window says by hand."""

import numpy as np
from scipy import sparse

from benchmarks.simple import DAY, Window, cosine, following, item_neighbours, nearest, user_neighbours

HISTORIES = [[0, 1, 2], [0, 1], [1, 2, 3], [3, 4], [4, 0]]


def window() -> Window:
    """Return users who took these items in this order, one a day."""
    users = np.repeat(np.arange(len(HISTORIES)), [len(one) for one in HISTORIES])
    days = np.concatenate([np.arange(len(one)) for one in HISTORIES])
    return Window(users, np.concatenate(HISTORIES), days * DAY, len(HISTORIES), 5)


def by_hand() -> np.ndarray:
    """Return who has what, float [U, I]."""
    owned = np.zeros((len(HISTORIES), 5))
    for user, items in enumerate(HISTORIES):
        owned[user, items] = 1
    return owned


def cosines(rows: np.ndarray) -> np.ndarray:
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    found = unit @ unit.T
    np.fill_diagonal(found, 0)
    return found


def test_neighbours_are_the_nearest_by_the_cosine() -> None:
    owned = by_hand()
    assert np.allclose(cosine(sparse.csr_array(owned)).toarray(), cosines(owned))
    assert np.allclose(item_neighbours(window(), 5), owned @ cosines(owned.T).T, atol=1e-6)
    assert np.allclose(user_neighbours(window(), 5), cosines(owned) @ owned, atol=1e-6)
    one = cosines(owned)
    one[one < one.max(axis=1, keepdims=True)] = 0
    only = nearest(sparse.csr_array(cosines(owned)), 1).toarray()
    assert (np.count_nonzero(only, axis=1) == 1).all() and np.allclose(only.max(axis=1), one.max(axis=1))


def test_what_follows_is_said_by_the_last_item_first_of_all() -> None:
    scores = following(window(), 0.3)
    assert scores.shape == (5, 5)
    # User 1 had 0, then 1: two of three users of 1 who went on took 2, and 0 says 1, which the user has.
    assert scores[1].argmax() == 2 and scores[1, 3] == 0
    assert scores[3].argmax() == 0  # after 4 somebody took 0
    assert following(window(), 3.0)[1, 1] > scores[1, 1] > 0
