"""What is known of every user: the base's rows, and own ones where something happened."""

from __future__ import annotations

import numpy as np
import pytest

from grouprec.live.users import LiveUsers, Rows, Start
from tests.live.tiny import START, tiny_base


def tiny_users() -> LiveUsers:
    return LiveUsers(tiny_base(), START)


def add(users: LiveUsers, label: int = 1, item: int = 3) -> int:
    return users.add(label, Start(np.array([item, -1, -1], np.int32), np.array([0.7, 0, 0], np.float32)))


def test_rows_take_more_at_once_than_twice_their_room() -> None:
    rows = Rows(np.array([[1, 2]], np.int32))
    assert rows.rows.tolist() == [[1, 2]]
    rows.add(np.full((60, 2), 7, np.int32))
    rows.add(np.array([[3, 4]], np.int32))
    assert rows.rows.tolist() == [[1, 2], *[[7, 7]] * 60, [3, 4]] and rows.rows.dtype == np.int32
    rows.rows[0] = 9
    assert rows.rows[0].tolist() == [9, 9], "a view that may be written to"
    assert Rows(np.empty((0, 3), np.float32), 5).rows.shape == (0, 3)


def test_nobody_has_a_slot_at_first_and_reads_what_the_base_says() -> None:
    users = tiny_users()
    assert len(users) == users.n_known == 4 and users.slots.tolist() == [-1] * 4
    assert (users.users.shape, users.placed.shape, users.states.shape) == ((0,), (0,), (0, 2))
    assert users.items.shape == users.scores.shape == (0, 3)
    items, scores, states = users.start(np.array([1, 0]))
    assert items.tolist() == [[0, 3, -1], [1, 2, 3]] and states.tolist() == [[2, 3], [0, 1]]
    assert scores[0].tolist() == tiny_base().candidates.scores[1].tolist()
    assert [part.tolist() for part in users.history(0)] == [[0], [1]]
    assert [part.tolist() for part in users.history(1)] == [[1, 2], [2, 1]]
    assert [part.tolist() for part in users.history(2)] == [[], []]


def test_a_new_user_starts_with_what_they_are_given() -> None:
    users = tiny_users()
    users.touch(np.array([2]), np.array([1], np.int32))
    assert (add(users, 1, 3), add(users, 0, 2)) == (4, 5)
    assert len(users) == 6 and users.n_known == 4
    assert users.labels.tolist() == [0, 0, 1, 1, 1, 0] and users.slots.tolist() == [-1, -1, 0, -1, 1, 2]
    assert users.users.tolist() == [2, 4, 5] and users.placed.tolist() == [1, 1, 0]
    assert users.states.tolist() == [[4, 5], [9, 9], [9, 9]]
    assert [part.tolist() for part in users.history(4)] == [[], []]
    items, scores, states = users.start(np.array([5, 0, 4]))
    assert items.tolist() == [[2, -1, -1], [1, 2, 3], [3, -1, -1]] and states.tolist() == [[9, 9], [0, 1], [9, 9]]
    assert scores[:, 0] == pytest.approx([0.7, 0.8, 0.7])


def test_candidates_are_those_of_the_slot_where_there_is_one() -> None:
    users = tiny_users()
    users.touch(np.array([1, 0]), np.array([0, 0], np.int32))
    users.items[0], users.scores[0] = [2, 4, -1], [0.6, 0.5, 0]
    items, scores = users.current(np.array([0, 1, 2]))
    assert items.tolist() == [[1, 2, 3], [2, 4, -1], [4, -1, -1]]
    assert scores[1] == pytest.approx([0.6, 0.5, 0])
    assert tiny_base().candidates.items[1].tolist() == [0, 3, -1]
    everybody = users.candidates()
    assert everybody.n_items == 5 and everybody.items[:3].tolist() == items.tolist()


def test_what_is_taken_again_weighs_more_and_is_new_only_once() -> None:
    users = tiny_users()
    assert users.take(np.array([0, 1, 2]), np.array([3, 1, 4])).tolist() == [True, False, True]
    assert users.take(np.array([0, 2]), np.array([3, 0])).tolist() == [False, True]
    assert [part.tolist() for part in users.history(0)] == [[0, 3], [1, 2]]
    assert [part.tolist() for part in users.history(1)] == [[1, 2], [3, 1]]
    assert [part.tolist() for part in users.history(2)] == [[4, 0], [1, 1]]
    expected = np.zeros((4, 5))
    expected[0, [0, 3]], expected[1, [1, 2]], expected[2, [4, 0]] = [1, 2], [3, 1], [1, 1]
    assert users.histories(5).toarray().tolist() == expected.tolist()
    assert users.have(np.array([2, 3, 0]), 5).toarray().tolist() == expected[[2, 3, 0]].tolist()
    assert tiny_users().histories(5).toarray().tolist() == tiny_base().histories.toarray().tolist()


def test_new_items_are_among_what_users_have_only_where_they_are_asked_for() -> None:
    users = tiny_users()
    users.take(np.array([0, 2]), np.array([5, 5]))  # the first new one
    assert users.have(np.array([0, 2]), 5).toarray().tolist() == [[1, 0, 0, 0, 0], [0] * 5]
    assert users.have(np.array([0, 2]), 6).toarray().tolist() == [[1, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 1]]
    assert users.histories(5).shape == (4, 5) and users.histories(6).toarray()[2].tolist() == [0, 0, 0, 0, 0, 1]
    users.take(np.array([0]), np.array([1]))
    assert users.have(np.array([1, 0]), 5).toarray().tolist() == [[0, 2, 1, 0, 0], [1, 1, 0, 0, 0]]


def test_users_are_read_back_from_their_arrays() -> None:
    users, again = tiny_users(), tiny_users()
    add(users)
    users.touch(np.array([1]), np.array([1], np.int32))
    users.take(np.array([1, 4, 0]), np.array([4, 5, 2]))
    users.labels[1] = 1
    users.states[1], users.items[1], users.scores[1] = [3, 3], [1, -1, -1], [0.25, 0, 0]
    saved = users.arrays()
    assert saved["labels"].tolist() == [1, 1] and saved["history_users"].tolist() == [1, 4, 0]
    assert saved["history_ends"].tolist() == [3, 4, 6] and saved["history_items"].tolist() == [1, 2, 4, 5, 0, 2]
    users.states[1] = 0
    assert saved["states"].tolist() == [[9, 9], [3, 3]], "a copy"
    again.load(saved)
    for name, part in saved.items():
        assert part.dtype == again.arrays()[name].dtype and part.tolist() == again.arrays()[name].tolist(), name
    assert again.slots.tolist() == [-1, 1, -1, -1, 0] and again.labels.tolist() == [0, 1, 1, 1, 1]
    assert again.have(np.array([4, 0]), 5).toarray().tolist() == [[0] * 5, [1, 0, 1, 0, 0]]
    empty = tiny_users()
    empty.load(tiny_users().arrays())
    assert len(empty) == 4 and empty.arrays()["history_items"].dtype == np.int32
