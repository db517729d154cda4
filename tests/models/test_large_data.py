"""Nothing is as large as users times items: the memory of stages on data with many of both."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from grouprec.core.types import Candidates
from grouprec.data.dataset import Dataset
from grouprec.data.synthetic import planted
from grouprec.models.base import Encoder
from grouprec.models.blend import ItemFacts, Weights, make_predictor
from grouprec.models.encoders.item_knn import ItemKnnEncoder
from grouprec.models.encoders.transitions import TransitionsEncoder
from grouprec.models.fitting import RunOptions
from grouprec.models.groupers.lists import ListsGrouper
from grouprec.ranking.candidates import make_preference

N_USERS, N_ITEMS = 20_000, 2_000
DENSE = 4 * N_USERS * N_ITEMS  # bytes of one float32 per user and item
RUN = RunOptions()


@pytest.fixture(scope="module")
def data() -> Dataset:
    made = planted(N_USERS, N_ITEMS, n_groups=20, events_per_user=8, noise=0.5, ordered=False).data.before_test()
    assert made.histories.shape == (N_USERS, N_ITEMS)
    return made


def peak(work: Callable[[], Any]) -> tuple[Any, int]:
    """Return what some work returns, and the most bytes of arrays that it held beside what was there before."""
    tracemalloc.start()
    try:
        made = work()
        return made, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_encoders_candidates_and_groups_take_a_part_of_a_dense_matrix(data: Dataset) -> None:
    def found(*encoders: Encoder) -> Candidates:
        fitted = {one.name: one.fit(data, RUN) for one in encoders}
        weights = Weights.equal(tuple(fitted))
        return make_predictor(
            fitted, weights, ItemFacts.of(data), data.histories, lambda one: one.embeddings(data)
        ).candidates()

    encoders = (
        ItemKnnEncoder(ItemKnnEncoder.Config(tune=False)),
        TransitionsEncoder(TransitionsEncoder.Config(tune=False)),
    )
    candidates, most = peak(lambda: found(*encoders))
    assert most < DENSE
    preference, most = peak(lambda: make_preference(candidates))
    assert most < DENSE
    grouper = ListsGrouper(ListsGrouper.Config(n_starts=1, max_rounds=2, sample_users=1000))
    _, most = peak(lambda: grouper.fit(data, preference, 20, RUN))
    assert most < DENSE
