"""Users among one another: the nearest, the owners of an item, three dimensions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics.pairwise import cosine_similarity

from grouprec.core.types import Candidates
from grouprec.explore.users import RunUsers
from grouprec.runs.store import Run
from tests.support.planted_groups import add_users


@pytest.fixture
def who(finished_run: Run) -> RunUsers:
    return RunUsers(add_users(finished_run))


def test_the_nearest_users_are_those_of_the_highest_cosine(who: RunUsers) -> None:
    rows, likeness = who.nearest(5, 10)
    cosines = cosine_similarity(who.space[5:6], who.space)[0]
    cosines[5] = -1
    assert rows.tolist() == np.argsort(-cosines, kind="stable")[:10].tolist()
    assert likeness == pytest.approx(cosines[rows], abs=1e-5)
    assert (who.base.labels[rows] == who.base.labels[5]).all()


def test_of_a_user_without_predictions_nobody_is_near(who: RunUsers) -> None:
    items, scores = who.base.candidates.items.copy(), who.base.candidates.scores.copy()
    items[0], scores[0] = -1, 0
    blank = RunUsers(replace(who.base, candidates=Candidates(items, scores, 240)))
    rows, likeness = blank.nearest(0)
    assert len(rows) == len(likeness) == 0


def test_owners_are_the_users_who_have_the_item(who: RunUsers) -> None:
    item = who.item_row("00001")
    assert item == 1
    assert who.owners(item).tolist() == np.flatnonzero(who.base.histories.toarray()[:, item]).tolist()
    assert who.item_row("nothing") is None


def test_three_dimensions_are_the_first_three_principal_components(who: RunUsers) -> None:
    reference = PCA(3).fit(who.space)
    assert who.spatial.shares == pytest.approx(reference.explained_variance_ratio_, rel=1e-4)
    assert np.abs(who.spatial.positions) == pytest.approx(np.abs(reference.transform(who.space)), abs=1e-4)


def test_halves_are_the_tastes_that_a_mixed_group_has(who: RunUsers) -> None:
    rows = np.flatnonzero(who.base.labels < 2)[:-5]
    leave = who.halves(rows)
    assert leave.sum() * 2 <= len(rows)
    assert len(set(who.base.labels[rows[leave]])) == len(set(who.base.labels[rows[~leave]])) == 1


def test_nobody_leaves_where_all_are_alike(who: RunUsers) -> None:
    assert not who.halves(np.array([4, 4, 4])).any()
    assert not who.halves(np.array([4])).any()
