"""What the training rows decide: who is a robot, what is an outlier, who and what is seen enough, what rows weigh."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouprec.core.types import DataError
from grouprec.data.preparing.clean import Preparation, Report, Rows
from grouprec.data.preparing.core_users import find_robots, fit_core, k_core
from grouprec.data.preparing.hold_out import hold_out_rows

LOOSE = {"min_item_users": 1, "weighting": "none", "winsorise": 1}


def rows_of(users, items, weights=None):
    n = len(users)
    weights = np.ones(n) if weights is None else np.array(weights, float)
    return Rows(np.array(users, np.int32), np.array(items, np.int32), weights, *[None] * 4, np.arange(n))


def fit(users, items, weights=None, parts=None, quantities=True, in_time=False, **setting):
    report = Report()
    parts = np.zeros(len(users), np.int8) if parts is None else np.array(parts, np.int8)
    core = fit_core(rows_of(users, items, weights), parts, Preparation(**LOOSE | setting), quantities, report, in_time)
    return core, {step: rest for step, *rest in report.steps}


def test_rows_of_users_and_items_that_training_has_never_seen_are_dropped_and_counted():
    users = [0, 0, 1, 1, 2, 0, 3, 3, 4, 5, 2]
    items = [0, 1, 0, 1, 0, 2, 1, 2, 0, 9, 1]
    core, steps = fit(users, items, parts=[0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2])
    assert core.new_users == (2, 3), "users 2 and 3; 4, 5 and 2"
    assert steps["unknown to the training"] == [
        11, 4, "validation and test rows of new users: 6, of new items: 1"
    ]  # fmt: skip
    assert (core.rows.users.tolist(), core.rows.items.tolist()) == ([0, 0, 1, 1], [0, 1, 0, 1])
    assert core.parts.tolist() == [0] * 4 and core.left_users.tolist() == []


def test_cut_at_two_moments_items_of_the_validation_part_are_items_too():
    """What the fit that is judged has learned from; users and what the test part alone has stay unknown."""
    users = [0, 0, 1, 1, 0, 1, 0, 2, 2, 0, 1, 1]
    items = [0, 1, 0, 1, 2, 2, 3, 3, 4, 2, 3, 5]
    parts = [0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2]
    core, steps = fit(users, items, parts=parts, in_time=True, min_item_users=2)
    assert core.users.tolist() == [0, 1]
    assert core.items.tolist() == [0, 1, 2], "3 is one user's that training knows, 4 nobody's, 5 the test's"
    assert steps["unknown to the training"] == [
        12, 9, "validation and test rows of new users: 2, of new items: 1"
    ]  # fmt: skip
    assert core.rows.items[core.parts == 1].tolist() == [2, 2] and core.rows.items[core.parts == 2].tolist() == [2]
    otherwise, _ = fit(users, items, parts=parts, min_item_users=2)
    assert otherwise.items.tolist() == [0, 1]


def test_rows_are_held_out_within_the_memory_of_their_own_and_one_copy():
    rng, n = np.random.default_rng(0), 400_000
    users, items = rng.integers(0, 10_000, n).astype(np.int32), (4000 * rng.random(n) ** 2.5).astype(np.int32)
    rows = Rows(users, items, np.ones(n), np.sort(rng.random(n)), None, None, None, np.arange(n, dtype=np.int32))
    tracemalloc.start()
    hold_out_rows(rows, Preparation(), False, Report(), 0, True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 52 * n, "a row takes 28 bytes"


def test_without_later_parts_nobody_is_new():
    core, steps = fit([0, 1, 0, 1], [0, 0, 1, 1])
    assert core.new_users == (0, 0) and "unknown to the training" not in steps


@pytest.mark.parametrize(("n", "robot"), [(100, False), (101, True)])
def test_nobody_of_a_hundred_rows_is_a_robot(n, robot):
    users = np.repeat(np.arange(11), [*[1] * 10, n])
    assert find_robots(users, 1.0).tolist() == ([10] if robot else [])


@pytest.mark.parametrize(("n", "robot"), [(160, False), (161, True)])
def test_where_all_are_alike_a_robot_has_more_than_double_per_deviation(n, robot):
    users = np.repeat(np.arange(11), [*[10] * 10, n])  # four doublings of ten
    assert find_robots(users, 4.0).tolist() == ([10] if robot else [])


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_robot_lies_beyond_so_many_robust_deviations(shift):
    counts = np.array([4, 16, 64, 256, 1024])
    logs = np.log(counts)
    deviation = 1.4826 * np.log(4)  # the median distance from the median, 64
    limit = np.exp(np.log(64) + 1.2 * deviation)
    users = np.repeat(np.arange(5), [*counts[:4], int(limit) + shift])
    assert np.median(np.abs(logs - np.median(logs))) == pytest.approx(np.log(4))
    assert find_robots(users, 1.2).tolist() == ([4] if shift > 0 else [])


def test_robots_are_judged_by_training_rows_and_leave_with_all_of_them():
    users = [*np.repeat(np.arange(10), 2), *[10] * 200, *[11] * 200, 11, 11]
    items = [*np.tile([0, 1], 10), *np.tile([0, 1], 100), *np.tile([0, 1], 100), 0, 1]
    parts = [0] * 220 + [2] * 200 + [0, 0]
    core, steps = fit(users, items, parts=parts)
    assert core.users.tolist() == [*range(10), 11]
    assert core.left_users.tolist() == [10] and len(core.left_rows) == 200
    assert steps["robots"] == [422, 222, "users of extreme activity, placed in a group afterwards: 1"]
    core, steps = fit(users, items, parts=parts, drop_robots=False)
    assert core.users.tolist() == list(range(12)) and "robots" not in steps


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.booleans()), max_size=30),
    st.integers(1, 3),
    st.integers(1, 3),
)
@settings(max_examples=100)
def test_the_core_is_what_repeated_dropping_leaves(triples, min_items, min_users):
    users, items, train = ([triple[n] for triple in triples] for n in range(3))
    pairs = {(user, item) for user, item, known in triples if known}
    while True:
        left = {
            (user, item)
            for user, item in pairs
            if sum(other == user for other, _ in pairs) >= min_items
            and sum(other == item for _, other in pairs) >= min_users
        }
        if left == pairs:
            break
        pairs = left
    found = k_core(rows_of(users, items), np.array(train, bool), min_items, min_users)
    assert [codes.tolist() for codes in found] == [sorted({pair[n] for pair in pairs}) for n in (0, 1)]


def test_the_core_is_found_in_training_rows_and_bounds_all():
    users = [0, 0, 1, 1, 2, 2, 0]
    items = [0, 1, 0, 1, 0, 2, 2]
    core, steps = fit(users, items, parts=[0, 0, 0, 0, 0, 0, 1], min_item_users=2, min_user_items=2)
    assert (core.users.tolist(), core.items.tolist()) == ([0, 1], [0, 1])
    assert core.rows.source.tolist() == [0, 1, 2, 3]
    assert (core.left_users.tolist(), core.left_rows.source.tolist()) == ([2], [4])
    assert steps["k-core"] == [7, 4, "users need 2 or more items, items 2 or more users"]


@pytest.mark.parametrize(("users", "items", "kind"), [([0, 0], [0, 1], "user"), ([0, 1], [0, 0], "item")])
def test_a_single_user_or_item_is_not_enough(users, items, kind):
    with pytest.raises(DataError, match=f"Only one {kind} is left"):
        fit(users, items)


USERS, ITEMS, WEIGHTS = [0, 0, 1, 1, 0], [0, 1, 0, 1, 0], [1, 3, 1, 7, 9]


@pytest.mark.parametrize(
    ("quantities", "winsorise", "expected"),
    [
        (True, 0.5, [1, 2, 1, 2, 2]),  # half of 1, 1, 3, 7 lie below 2
        (True, 1, WEIGHTS),
        (False, 0.5, WEIGHTS),
        (False, 1, WEIGHTS),
    ],
)
def test_quantities_are_cut_at_a_quantile_of_the_training(quantities, winsorise, expected):
    core, steps = fit(USERS, ITEMS, WEIGHTS, [0, 0, 0, 0, 2], quantities, winsorise=winsorise)
    assert core.rows.weights.tolist() == expected and core.rows.weights.dtype == np.float32
    note = [5, 5, "2 training weights above 2 are set to 2"]
    assert steps.get("outliers") == (note if quantities and winsorise < 1 else None)


def test_log_weights_are_divided_by_the_mean_of_the_training_and_binary_ones_are_one():
    core, steps = fit(USERS, ITEMS, WEIGHTS, [0, 0, 0, 0, 2], weighting="log", winsorise=0.5)
    logs = np.log1p([1, 2, 1, 2, 2])
    np.testing.assert_allclose(core.rows.weights, logs / logs[:4].mean(), rtol=1e-6)
    assert steps["weights"] == [5, 5, f"log(1 + weight), divided by its training mean {logs[:4].mean():.3g}"]
    core, steps = fit(USERS, ITEMS, WEIGHTS, weighting="binary")
    assert core.rows.weights.tolist() == [1] * 5 and core.rows.weights.dtype == np.float32
    assert steps["weights"][2] == "all are 1"


def test_rows_of_users_left_out_come_from_all_parts_and_weigh_the_same():
    users, items = [0, 0, 1, 1, 2, 2, 2], [0, 1, 0, 1, 0, 0, 5]
    core, _ = fit(users, items, [1, 1, 1, 1, 3, 1, 1], [0, 0, 0, 0, 0, 2, 2], weighting="log", min_user_items=2)
    assert core.left_users.tolist() == [2]
    assert core.left_rows.source.tolist() == [4, 5], "over the items of the core"
    np.testing.assert_allclose(core.left_rows.weights, np.log1p([3, 1]) / np.log1p(1), rtol=1e-6)
