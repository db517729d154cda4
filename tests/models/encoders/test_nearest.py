"""The columns nearest to an item: as many of the items as of the others, in a dense matrix and in a sparse one."""

import numpy as np
import pytest
from scipy import sparse

from grouprec.models.encoders import nearest
from grouprec.models.encoders.nearest import pairs, strongest


@pytest.mark.parametrize("form", [np.array, sparse.csr_array])
@pytest.mark.parametrize("n", [1, 3, 8, 100])
def test_the_nearest_of_each_kind_are_those_of_the_largest_cosines(form, n):
    rng = np.random.default_rng(0)
    columns = rng.random((30, 20)) * (rng.random((30, 20)) < 0.2) * rng.uniform(0.1, 9, 20)
    columns[:, 5] = 0  # which nobody has
    gram = (columns.T @ columns).astype(np.float32)
    lengths = np.maximum(np.sqrt(np.diag(gram)), 1e-9)
    for item in (0, 5, 11):
        cosine = gram[item] / lengths
        cosine[item] = 0
        expected = []
        for block in (range(12), range(12, 20)):
            near = [column for column in sorted(block, key=lambda column: -cosine[column]) if cosine[column] > 0]
            expected += near[:n]
        found = strongest(form(gram), item, 12, n)
        assert found.dtype == np.int32 and found.tolist() == sorted(expected)


@pytest.mark.parametrize("most_dense", [4, 5])
def test_pairs_are_counted_dense_up_to_a_bound(most_dense, monkeypatch):
    monkeypatch.setattr(nearest, "MOST_DENSE", most_dense)
    histories = sparse.csr_array((np.random.default_rng(0).random((20, 5)) < 0.4).astype(np.float32))
    found = pairs(histories)
    assert sparse.issparse(found) == (most_dense == 4)
    whole = found.toarray() if sparse.issparse(found) else found
    assert whole.dtype == np.float32 and (whole == (histories.T @ histories).toarray()).all()
