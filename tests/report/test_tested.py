"""On how many users a run's figures rest."""

from __future__ import annotations

import pytest

from grouprec.data.split_words import CAUTIONS
from grouprec.report.tested import rests_on, unknown_rows


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        (
            {"n_test_users": 1879, "split": {"kind": "time", "choose_users": 1933}},
            "Tested on 1,879 users; settings chosen by 1,933.",
        ),
        (
            {"n_test_users": 45, "split": {"kind": "user_time", "choose_users": 52}},
            f"Tested on 45 users; settings chosen by 52. {CAUTIONS['user_time']}",
        ),
        (
            {"n_test_users": 30, "split": {"kind": "user", "choose_users": 0}},
            f"Tested on 30 users; settings chosen by 0. {CAUTIONS['user']}",
        ),
        (
            {"n_test_users": 29, "split": {"kind": "time", "choose_users": 9}},
            "Tested on 29 users: too few to tell; settings chosen by 9.",
        ),
        ({"n_test_users": 1, "split": {"kind": "time"}}, "Tested on 1 user: too few to tell."),
        ({"n_test_users": 0, "split": {"kind": "none", "choose_users": 0}}, "No user could be tested."),
        ({"n_test_users": 45}, "Tested on 45 users."),
        ({"split": {"kind": "time"}}, ""),
        ({}, ""),
    ],
    ids=["time", "own time", "at random", "few", "a run of old", "nobody", "a run older still", "unknown", "nothing"],
)
def test_the_users_who_judged_and_chose_are_told_and_whether_the_future_leaked(metrics, said):
    assert rests_on(metrics) == said


@pytest.mark.parametrize(
    ("metrics", "unknown"),
    [
        ({"refit": False, "split": {"kind": "time", "test": 70}}, 70),
        ({"refit": True, "split": {"kind": "time", "test": 70}}, 0),
        ({"refit": False, "split": {"kind": "none", "test": 0}}, 0),
        ({"split": {"kind": "time", "test": 70}}, 0),
    ],
    ids=["judged only", "refitted", "nothing held out", "a run of old"],
)
def test_lists_of_a_run_without_a_refit_do_not_know_what_it_was_judged_on(metrics, unknown):
    assert unknown_rows(metrics) == unknown
