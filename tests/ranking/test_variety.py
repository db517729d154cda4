"""The diversity dial and the most varied lists within a budget, against plain loops and numbers by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from grouprec.core.types import SettingError
from grouprec.ranking.candidates import discounts
from grouprec.ranking.metrics import intra_list_diversity
from grouprec.ranking.variety import diversify, diversity_of, item_cosines, varied

RNG = np.random.default_rng

ITEMS = np.array([[0, 1, 2, 3, 4, -1], [4, 3, 2, 1, 0, 5]], np.int32)
SCORES = np.array([[5, 4.9, 3, 2, 1, 0], [9, 8, 7, 6, 5, 4]], np.float32)
VECTORS = np.array([[1, 0], [2, 0], [0, 1], [1, 1], [-1, 0], [0, 0]], np.float32)


def test_dial_0_keeps_the_list_and_pads_it():
    for items, scores in [(ITEMS, SCORES), (ITEMS, np.zeros_like(SCORES)), (ITEMS, SCORES[:, ::-1].copy())]:
        found, worth = diversify(items, scores, VECTORS, 6, 0)
        listed_scores = np.where(items >= 0, scores, 0)
        assert np.array_equal(found, items) and np.array_equal(worth, listed_scores)
    found, worth = diversify(ITEMS, SCORES, VECTORS, 8, 0.0)
    assert found.shape == (2, 8) and (found[:, 6:] == -1).all() and (worth[:, 6:] == 0).all()


def test_dial_1_takes_what_is_farthest_from_the_list_so_far():
    found, worth = diversify(ITEMS, SCORES, VECTORS, 3, 1)
    # After item 0 = (1, 0): item 4 has cosine -1, then item 2 has cosine 0 to both.
    assert found[0].tolist() == [0, 4, 2] and worth[0].tolist() == [5, 1, 3]
    assert found[1, :2].tolist() == [4, 1] or VECTORS[found[1, 1]] @ VECTORS[4] < 0


def test_a_duplicate_gives_way_and_the_list_is_exhausted_in_the_end():
    found, _ = diversify(ITEMS, SCORES, VECTORS, 6, 0.6)
    assert found[0, 0] == 0 and found[0, 1] != 1
    assert sorted(found[0].tolist()) == [-1, 0, 1, 2, 3, 4] and found[0, 5] == -1


@settings(max_examples=20)
@given(seed=st.integers(0, 2**16), dial=st.floats(0, 1))
def test_the_dial_agrees_with_a_plain_loop(seed, dial):
    rng = RNG(seed)
    items = rng.permutation(20)[None, :8].astype(np.int32)
    scores, vectors = -np.sort(-rng.random((1, 8), np.float32)), rng.normal(size=(20, 3)).astype(np.float32)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    relevance = (scores[0] - scores[0].min()) / np.ptp(scores[0])
    order = [0]
    for item in diversify(items, scores, vectors, 8, dial)[0][0, 1:]:
        nearest = (units[items[0]] @ units[items[0, order]].T).max(axis=1)
        value = (1 - dial) * relevance - dial * nearest
        value[order] = -np.inf
        position = int(np.flatnonzero(items[0] == item)[0])
        assert value[position] == pytest.approx(value.max(), abs=1e-5)
        order.append(position)


@pytest.mark.parametrize("dial", [-0.1, 1.1, float("nan")])
def test_a_dial_outside_its_range_is_refused(dial):
    with pytest.raises(SettingError, match="between 0"):
        diversify(ITEMS, SCORES, VECTORS, 3, dial)


@pytest.mark.parametrize("dial", [0, 0.3, 0.5, 1])
def test_where_scores_rise_along_a_list_an_item_is_worth_no_more_than_those_above_it(dial):
    rising = np.array([[3, 9, 2, 7, 1, 5]], np.float32)
    falling = np.minimum.accumulate(rising, axis=1)
    found, worth = diversify(ITEMS[1:], rising, VECTORS, 6, dial)
    assert np.array_equal(found, diversify(ITEMS[1:], falling, VECTORS, 6, dial)[0])
    assert worth[0].tolist() == [rising[0, ITEMS[1].tolist().index(item)] for item in found[0]]


def test_lists_of_one_group_do_not_depend_on_those_of_another():
    both = diversify(ITEMS, SCORES, VECTORS, 4, 0.5)[0]
    alone = [diversify(ITEMS[[row]], SCORES[[row]], VECTORS, 4, 0.5)[0][0] for row in range(2)]
    assert np.array_equal(both, alone)


# --- most varied within a budget ----------------------------------------------------------------------------------

SAME_KIND = np.arange(60)[:, None] % 3 == np.arange(30) // 10  # three kinds of users, each with items of its own
HISTORIES = sparse.csr_array((RNG(3).random((60, 30)) < np.where(SAME_KIND, 0.6, 0.1)) * np.float32(2))
ALIKE = item_cosines(HISTORIES, np.arange(30))


def naive_varied(rates, alike, length, kept):
    """One list by plain loops: greedy choices, and the largest weight of variety within the budget by halving."""
    relevance = rates / rates.max()

    def value(chosen):
        return sum(relevance[item] / np.log2(place + 2) for place, item in enumerate(chosen))

    def choose(weight):
        chosen = []
        for _ in range(length):
            free = [item for item in range(len(rates)) if item not in chosen]
            likeness = [np.mean([alike[item, other] for other in chosen]) if chosen else 0 for item in free]
            chosen.append(free[int(np.argmax(relevance[free] - weight * np.array(likeness)))])
        return sorted(chosen, key=lambda item: -relevance[item])

    best = sorted(range(len(rates)), key=lambda item: -rates[item])[:length]
    least, low, high = kept * value(best), 0.0, 2.0
    for _ in range(10):
        middle = (low + high) / 2
        chosen = choose(middle)
        if value(chosen) >= least:
            best, low = chosen, middle
        else:
            high = middle
    return best


@pytest.mark.parametrize("kept", [0.97, 0.9, 0.7, 0.2])
@pytest.mark.parametrize("length", [1, 2, 7])
def test_varied_lists_agree_with_plain_loops(kept, length):
    rates = RNG(1).random((12, 30)) * RNG(2).exponential(5, (12, 1))
    found = varied(rates, ALIKE, length, kept)
    assert found.tolist() == [naive_varied(row, ALIKE, length, kept) for row in rates]


@pytest.mark.parametrize("kept", [0.99, 0.9, 0.7])
def test_varied_lists_keep_their_share_of_value_and_gain_variety(kept):
    rates, weights = np.sort(RNG(0).random((6, 30)))[:, ::-1], discounts(10)

    def value(chosen: np.ndarray) -> np.ndarray:
        return np.take_along_axis(rates, chosen, axis=1) @ weights

    plain, chosen = varied(rates, ALIKE, 10, 1.0), varied(rates, ALIKE, 10, kept)
    assert plain.tolist() == [list(range(10))] * 6
    assert (value(chosen) >= kept * value(plain) - 1e-9).all()
    gain = intra_list_diversity(chosen, HISTORIES) - intra_list_diversity(plain, HISTORIES)
    assert (gain >= 0).all() and gain.mean() > (0 if kept > 0.95 else 0.02)


@pytest.mark.parametrize("kept", [1.0, 0.9])
def test_equal_rates_keep_their_order_and_few_items_make_a_short_list(kept):
    nothing = np.zeros((1, 30))
    assert varied(nothing, np.zeros((30, 30)), 25, kept).tolist() == [list(range(25))]
    assert sorted(varied(RNG(0).random((1, 3)), np.eye(3), 10, kept)[0].tolist()) == [0, 1, 2]


def test_cosines_of_items_are_those_of_their_owners():
    columns = [0, 25, 17]
    owners = HISTORIES.toarray()[:, columns] > 0
    lengths = np.sqrt(owners.sum(axis=0))
    by_hand = owners.T.astype(float) @ owners / np.outer(lengths, lengths)
    weights = sparse.csr_array(HISTORIES.toarray() * RNG(0).integers(1, 4, HISTORIES.shape))
    for histories in (HISTORIES, weights):
        np.testing.assert_allclose(item_cosines(histories, np.array(columns)), by_hand, rtol=1e-6)
    assert item_cosines(sparse.csr_array((5, 2)), np.arange(2)).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("length", [2, 3, 6])
def test_diversity_is_that_of_the_metric(length):
    lists = RNG(length).permuted(np.tile(np.arange(30), (4, 1)), axis=1)[:, :length]
    np.testing.assert_allclose(diversity_of(ALIKE, lists), intra_list_diversity(lists, HISTORIES))


def test_one_item_has_no_diversity():
    assert diversity_of(ALIKE, np.array([[3], [4]])).tolist() == [0, 0]
