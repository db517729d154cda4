"""Steps on sparse matrices: against the same by plain sorting."""

import numpy as np
from scipy import sparse

from grouprec.core.arrays import largest_entries, largest_first, product, stable_order


def test_the_largest_entries_of_a_row_are_kept_and_of_equal_ones_the_first():
    matrix = sparse.csr_array(np.array([[1, 9, 0, 2], [0, 0, 0, 0], [5, 5, 7, 5], [1, 0, 0, 0]], np.float32))
    assert largest_entries(matrix, 2).toarray().tolist() == [[0, 9, 0, 2], [0] * 4, [5, 0, 7, 0], [1, 0, 0, 0]]


def test_the_largest_entries_are_those_of_a_stable_sort():
    rng = np.random.default_rng(0)
    matrix = sparse.csr_array(rng.integers(0, 6, (40, 70)).astype(np.float32))
    for n in (1, 3, 40, 100):
        found = largest_entries(matrix, n)
        for row in range(40):
            own = matrix.data[matrix.indptr[row] : matrix.indptr[row + 1]]
            kept = np.sort(np.argsort(-own, kind="stable")[:n])
            assert (
                found.indices[found.indptr[row] : found.indptr[row + 1]] == matrix.indices[matrix.indptr[row] + kept]
            ).all()


def test_the_largest_come_first_and_equal_ones_as_they_stand():
    values = np.array([1, 2, 1, 2, 0, 2, 1, 0])  # mixed: sorted or all alike, an unstable sort would leave them, too
    assert largest_first(values).tolist() == [1, 3, 5, 0, 2, 6, 4, 7]
    assert largest_first(np.stack([values, -values])).tolist() == [[1, 3, 5, 0, 2, 6, 4, 7], [4, 7, 0, 2, 6, 1, 3, 5]]


def test_small_integers_are_ordered_as_by_a_stable_sort():
    keys = np.random.default_rng(0).integers(0, 7, 200)
    assert (stable_order(keys) == np.argsort(keys, kind="stable")).all() and len(stable_order(keys[:0])) == 0


def test_a_product_by_parts_is_the_whole_one_to_the_last_bit():
    rng = np.random.default_rng(0)
    rows = sparse.csr_array((rng.random((50, 40)) * (rng.random((50, 40)) < 0.3)).astype(np.float32))
    for columns in (rng.random((40, 6_700), np.float32), rng.random((6_700, 40), np.float32).T, np.ones((40, 3))):
        found = product(rows, columns)
        assert found.dtype == (rows @ columns).dtype and np.array_equal(found, rows @ columns)
