import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from ir_measures import RR, P, R, Success, nDCG
from scipy import sparse

from grouprec.ranking.metrics import (
    ACCURACY,
    CUTOFFS,
    accuracy,
    coverage,
    gini,
    hit_matrix,
    ideal_dcg,
    intra_list_diversity,
    list_overlap,
    novelty,
    self_information,
)


def as_dict(hits, n_relevant):
    return dict(zip(ACCURACY, accuracy(np.atleast_2d(hits), np.atleast_1d(n_relevant)).T, strict=True))


def naive(hits, n_relevant, k):
    """One user, straight from the definitions."""
    top = [bool(hit) for hit in hits[:k]]
    precision, recall = sum(top) / k, sum(top) / n_relevant
    f1 = 2 * precision * recall / (precision + recall) if any(top) else 0.0
    dcg = sum(1 / np.log2(place + 2) for place, hit in enumerate(top) if hit)
    ideal = sum(1 / np.log2(place + 2) for place in range(min(k, n_relevant)))
    return precision, recall, f1, dcg / ideal, float(any(top))


def test_numbers_by_hand():
    values = as_dict([False, True, False, False, True] + [False] * 15, 4)
    assert values["precision@5"] == pytest.approx(0.4)
    assert values["precision@10"] == pytest.approx(0.2)
    assert values["recall@5"] == pytest.approx(0.5)
    assert values["f1@5"] == pytest.approx(4 / 9)
    dcg, ideal = 1 / np.log2(3) + 1 / np.log2(6), 1 + 1 / np.log2(3) + 1 / np.log2(4) + 1 / np.log2(5)
    assert values["ndcg@5"] == pytest.approx(dcg / ideal)
    assert values["hit_rate@5"] == 1 and values["mrr"] == pytest.approx(0.5)


def test_the_ideal_of_nothing_is_nothing_and_no_more_than_fits():
    assert ideal_dcg(np.array([0, 1, 2, 9]), 2) == pytest.approx([0, 1, 1 + 1 / np.log2(3), 1 + 1 / np.log2(3)])


def test_reciprocal_rank_looks_at_the_full_depth():
    values = as_dict([False] * 19 + [True], 1)
    assert values["mrr"] == pytest.approx(1 / 20)
    assert values["hit_rate@10"] == 0 and values["hit_rate@20"] == 1


@given(hnp.arrays(bool, st.tuples(st.integers(1, 6), st.just(20))), st.data())
@settings(max_examples=60)
def test_metrics_agree_with_the_definitions_and_stay_within_bounds(hits, data):
    n_relevant = np.array([data.draw(st.integers(max(1, int(row.sum())), 40)) for row in hits])
    values = accuracy(hits, n_relevant)
    assert ((values >= 0) & (values <= 1 + 1e-12)).all()
    for k in CUTOFFS:
        columns = [ACCURACY.index(f"{name}@{k}") for name in ("precision", "recall", "f1", "ndcg", "hit_rate")]
        expected = [naive(row, n, k) for row, n in zip(hits, n_relevant, strict=True)]
        assert values[:, columns] == pytest.approx(np.array(expected))
    order = np.random.default_rng(0).permutation(len(hits))
    assert accuracy(hits[order], n_relevant[order]) == pytest.approx(values[order], abs=1e-12)


def test_a_perfect_list_has_all_metrics_at_one():
    values = as_dict(np.ones(20, bool), 20)
    assert all(values[f"{name}@20"] == pytest.approx(1) for name in ("precision", "recall", "f1", "ndcg", "hit_rate"))
    assert values["ndcg@5"] == pytest.approx(1) and values["mrr"] == 1


def test_hits_are_found_row_by_row_and_padding_never_hits():
    relevant = sparse.csr_array(np.array([[1, 0, 0, 1], [0, 1, 0, 1]], np.float32))
    lists = np.array([[3, 1, -1], [-1, 0, 1]], np.int32)
    assert hit_matrix(lists, relevant).tolist() == [[True, False, False], [False, False, True]]


def test_metrics_agree_with_ir_measures_on_random_data():
    rng = np.random.default_rng(0)
    n_users, n_items = 40, 60
    scores = rng.permuted(np.tile(np.arange(n_items, dtype=float), (n_users, 1)), axis=1)
    relevant = rng.random((n_users, n_items)) < 0.1
    relevant[np.arange(n_users), rng.integers(n_items, size=n_users)] = True
    lists = np.argsort(-scores, axis=1)[:, :20].astype(np.int32)
    values = accuracy(hit_matrix(lists, sparse.csr_array(relevant.astype(np.float32))), relevant.sum(axis=1))
    qrels = {str(u): {str(i): 1 for i in np.flatnonzero(relevant[u])} for u in range(n_users)}
    run = {str(u): {str(i): scores[u, i] for i in lists[u].tolist()} for u in range(n_users)}
    theirs = {
        "ndcg@10": nDCG @ 10,
        "precision@5": P @ 5,
        "recall@20": R @ 20,
        "mrr": RR,
        "hit_rate@10": Success @ 10,
    }
    for name, measure in theirs.items():
        found = {row.query_id: row.value for row in ir_measures.iter_calc([measure], qrels, run)}
        expected = [found[str(u)] for u in range(n_users)]
        assert values[:, ACCURACY.index(name)] == pytest.approx(expected, abs=1e-6), name


def test_coverage_gini_and_novelty_by_hand():
    lists = np.array([[0, 1], [0, 1], [0, -1]], np.int32)
    assert coverage(lists, n_items=4) == 0.5
    assert gini(lists, n_items=4) == pytest.approx(0.55)  # shown 0, 0, 2, 3 times: (-3*0 - 1*0 + 1*2 + 3*3) / (4 * 5)
    assert gini(np.array([[0, 1, 2, 3]]), n_items=4) == pytest.approx(0)
    assert gini(np.full((1, 3), -1), n_items=4) == 0
    histories = sparse.csr_array(np.array([[1, 1], [1, 0], [1, 0], [1, 0]], np.float32))
    assert novelty(np.array([[0, 1], [1, -1], [-1, -1]]), self_information(histories)) == pytest.approx([1, 2, 0])


def test_intra_list_diversity_is_one_minus_the_mean_cosine_of_pairs():
    rng = np.random.default_rng(0)
    owners = (rng.random((50, 12)) < 0.3).astype(float)
    owners[:, 11] = 0  # nobody has the last item: like no other
    lists = np.array([[0, 5, 3, 9], [11, 2, 7, -1], [4, -1, -1, -1], [-1, -1, -1, -1]])

    def naive(row):
        columns = [owners[:, item] / max(np.linalg.norm(owners[:, item]), 1) for item in row if item >= 0]
        cosines = [a @ b for n, a in enumerate(columns) for b in columns[:n]]
        return 1 - np.mean(cosines) if cosines else 0.0

    found = intra_list_diversity(lists, sparse.csr_array(owners * 3))
    np.testing.assert_allclose(found, [naive(row) for row in lists])


def test_intra_list_diversity_of_bundles_is_nothing_and_of_strangers_all():
    owners = sparse.csr_array(np.repeat(np.eye(2), 3, axis=1))  # items 0 to 2 sell together, and 3 to 5
    assert intra_list_diversity(np.array([[0, 1, 2], [0, 3, -1]]), owners) == pytest.approx([0, 1])
    assert intra_list_diversity(np.array([[0, 1, 3]]), owners, k=2) == pytest.approx([0])


def test_overlap_is_the_mean_share_of_shared_items():
    one, other = np.array([[0, 1, 2], [5, -1, -1], [-1, -1, -1]]), np.array([[2, 3, 0], [7, -1, -1], [-1, -1, -1]])
    assert list_overlap(one[:1], other[:1]) == 2 / 4
    assert list_overlap(one[1:2], other[1:2]) == 0
    assert list_overlap(one[2:], other[2:]) == 1
    assert list_overlap(one[:1], other[2:]) == 0
    assert list_overlap(one, other) == pytest.approx(1.5 / 3)
