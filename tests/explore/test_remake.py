"""A list's price on the spot: how many of its items members should take, as the run's predictions come true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit, logit

from grouprec.core.types import Candidates
from grouprec.explore.remake import ListMembers
from grouprec.ranking.takes import ExpectedTakes, Horizon
from grouprec.runs.snapshot import FitSnapshot

DAY = 86_400.0
TAKES = ExpectedTakes(
    Horizon("days", 19.0),
    {"chance": [], "wanted": [], "activity": [], "away": []},
    [0.5, 0.2, 0.3, -0.7],
    -2.0,
    n_users=100,
)


def base() -> FitSnapshot:
    """Return three users of five items: users have 1, 2 and 0 of them, and were last seen 0, 9 and 99 days ago."""
    has = sparse.csr_array(np.array([[0, 0, 0, 0, 1], [0, 0, 0, 2, 1], [0, 0, 0, 0, 0]], np.float32))
    items = np.array([[0, 1, 2], [1, 0, -1], [4, 0, 3]], np.int32)
    scores = np.array([[0.5, 0.25, 0.125], [0.5, 0.25, 0.0], [0.5, 0.25, 0.125]], np.float32)
    names = np.array([f"item {n}" for n in range(5)], object)
    return FitSnapshot(
        user_ids=np.array(["a", "b", "c"], object),
        item_ids=names,
        item_labels=names,
        histories=has,
        candidates=Candidates(items, scores, 5),
        labels=np.array([0, 0, 0], np.int32),
        n_groups=1,
        states=np.zeros((3, 2), np.float32),
        last_times=np.array([100, 91, 1]) * DAY,
        components=np.eye(5, dtype=np.float32),
        weight=0.0,
        repeats=False,
    )


def right(chance: float, wanted: float, activity: int, away: float) -> float:
    """Return the probability by TAKES; ``wanted`` is the sum of all users' chances."""
    item = 0.5 * logit(chance) + 0.2 * np.log(wanted / 3 + 1e-4)
    return float(expit(item + 0.3 * np.log1p(activity) - 0.7 * np.log1p(away) - 2))


OF_ITEM_0 = [right(0.5, 1.0, 1, 0), right(0.25, 1.0, 2, 9), right(0.25, 1.0, 0, 99)]
OF_ITEM_4 = right(0.5, 0.5, 0, 99)  # the first two have it
OF_ITEM_2 = [right(0.125, 0.125, 1, 0), right(0.25, 0.125, 2, 9), right(0.125, 0.125, 0, 99)]


def test_takers_are_summed_probabilities_and_no_chances() -> None:
    members = ListMembers(base(), np.arange(3), TAKES)
    takers = members.takers(np.array([4, 0, 2]))
    assert takers is not None and takers.tolist() == pytest.approx([OF_ITEM_4, sum(OF_ITEM_0), sum(OF_ITEM_2)])
    assert members.wanted.tolist() == [1.0, 0.75, 0.125, 0.125, 0.5], "an order: the sum of chances"


def test_members_are_away_as_of_the_latest_time_of_all_users() -> None:
    takers = ListMembers(base(), np.array([1, 2]), TAKES).takers(np.array([0]))
    assert takers is not None and takers.tolist() == pytest.approx([sum(OF_ITEM_0[1:])])


def test_a_list_is_taken_as_often_as_its_items_and_only_where_it_is_shown() -> None:
    members = ListMembers(base(), np.arange(3), TAKES)
    taken = members.price(np.array([4, 0]), "strict").taken
    assert taken == pytest.approx(sum(OF_ITEM_0) + OF_ITEM_4), "owners take nothing new"
    assert members.price(np.array([4, 0]), "strict", n=1).taken == pytest.approx(OF_ITEM_4)
    alone = members.price(np.array([4, 0]), "dedup", n=1).taken
    assert alone == pytest.approx(OF_ITEM_4 + sum(OF_ITEM_0[:2])), "who has the first is shown the second"


def test_with_repeats_owners_take_again() -> None:
    members = ListMembers(replace(base(), repeats=True), np.arange(3), TAKES)
    takers = members.takers(np.array([4]))
    again = [right(0.125, 0.5, 1, 0), right(0.25, 0.5, 2, 9)]  # no candidate of theirs: as their last one
    assert takers is not None and takers.tolist() == pytest.approx([OF_ITEM_4 + sum(again)])


def test_a_run_that_does_not_know_tells_no_takers() -> None:
    members = ListMembers(base(), np.arange(3))
    assert members.takers(np.array([0])) is None and members.price(np.array([0, 1]), "strict").taken is None
    assert members.wanted[0] == 1.0
