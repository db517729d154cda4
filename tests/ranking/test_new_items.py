"""New items by the items that they are like: what counts as near is learned, and nothing where nothing tells."""

import numpy as np
import pytest
from scipy import sparse

from grouprec.data.content import ItemContent
from grouprec.data.features import item_frame
from grouprec.data.synthetic import planted
from grouprec.ranking import new_items
from grouprec.ranking.new_items import Likeness, choose_likeness, places

DATA = planted(n_users=200, n_items=100, noise=0.3, ordered=False).data
BLOCK = np.repeat(np.arange(4), 25)
RNG = np.random.default_rng(0)


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


TASTES = unit(np.eye(4)[BLOCK] + RNG.normal(0, 0.1, (100, 4)))
NOISE = unit(RNG.normal(size=(100, 16)))


def test_the_block_that_tells_is_chosen_and_noise_is_not():
    found = choose_likeness(DATA.histories, {"text": NOISE, "vectors": TASTES})
    assert set(found.shares) == {"vectors"} and found.ndcg["vectors"] > 1.3 * found.ndcg["random"]
    assert found.ndcg["chosen"] == found.ndcg["vectors"] > found.ndcg["text"]


def test_two_blocks_that_tell_different_things_are_taken_together():
    halves = [unit(np.eye(3)[np.where(half == BLOCK // 2, 1 + BLOCK % 2, 0)]) for half in (0, 1)]
    found = choose_likeness(DATA.histories, {"text": halves[0], "vectors": halves[1]})
    assert set(found.shares) == {"text", "vectors"} and sum(found.shares.values()) == pytest.approx(1)
    assert found.ndcg["chosen"] > max(found.ndcg["text"], found.ndcg["vectors"])


@pytest.mark.parametrize("blocks", [{"vectors": NOISE}, {"vectors": np.zeros((100, 3), np.float32)}, {}])
def test_where_nothing_tells_no_item_is_like_another(blocks):
    found = choose_likeness(DATA.histories, blocks)
    assert found.shares == {}
    if blocks:
        weights = found.weights(blocks, blocks, DATA.popularity)
        assert weights.shape == (100, 100) and weights.nnz == 0


def test_weights_are_of_the_nearest_items_and_sum_to_less_than_one(monkeypatch):
    new, known = {"vectors": TASTES[::10]}, {"vectors": TASTES}
    likeness = Likeness({"vectors": 1.0}, 8.0)
    weights = likeness.weights(new, known, DATA.popularity)
    dense = weights.toarray()
    assert dense.shape == (10, 100) and (dense >= 0).all()
    assert ((dense.sum(axis=1) > 0.9) & (dense.sum(axis=1) <= 1)).all()
    own = np.array([dense[at, BLOCK[10 * at] == BLOCK].sum() for at in range(10)])
    assert (own > 0.95 * dense.sum(axis=1)).all()
    monkeypatch.setattr(new_items, "rows_per_batch", lambda *given: 3)
    assert np.allclose(likeness.weights(new, known, DATA.popularity).toarray(), dense)
    monkeypatch.setattr(new_items, "MOST_KNOWN", 30)
    few = likeness.weights(new, known, DATA.popularity)
    assert set(few.indices) <= set(np.argsort(-DATA.popularity, kind="stable")[:30])


def test_what_an_item_lacks_does_not_count_against_it():
    likeness = Likeness({"text": 0.5, "vectors": 0.5}, 8.0)
    new = {"text": np.zeros((1, 16), np.float32), "vectors": TASTES[:1]}
    known = {"text": np.zeros((100, 16), np.float32), "vectors": TASTES}
    only = Likeness({"vectors": 1.0}, 8.0).weights(new, known, DATA.popularity)
    assert np.allclose(likeness.weights(new, known, DATA.popularity).toarray(), only.toarray(), atol=1e-6)


def test_content_is_alike_where_numbers_are_near_and_rare_categories_shared():
    frame = item_frame(DATA).assign(year=np.arange(100.0), maker=["rare"] * 2 + ["usual"] * 98)
    blocks = ItemContent().fit(frame[["year", "maker"]]).blocks(frame[["year"]].assign(maker=frame["maker"]))
    numbers = blocks["numbers"] @ blocks["numbers"].T
    assert numbers[0, 1] > numbers[0, 30] > numbers[0, 60] and numbers.max() == pytest.approx(1)
    assert np.allclose(np.linalg.norm(blocks["categories"], axis=1), 1)
    unknown = ItemContent().fit(frame[["year"]]).blocks(frame[["year"]].assign(year=[np.nan] * 50 + [1.0] * 50))
    assert not unknown["numbers"][:50].any() and unknown["numbers"][50:].all()
    assert unknown["vectors"].shape == (100, 0)


def test_places_are_spread_over_every_ten():
    assert places(0, 50).tolist() == []
    assert places(1, 30).tolist() == [10, 20, 30]
    assert places(2, 20).tolist() == [5, 10, 15, 20]
    assert places(3, 10).tolist() == [4, 7, 10]
    assert places(2, 12).tolist() == [5, 10]


def test_too_few_items_or_users_choose_nothing():
    few = sparse.csr_array(np.eye(3, dtype=np.float32))
    assert choose_likeness(few, {"vectors": np.eye(3, dtype=np.float32)}).shares == {}
