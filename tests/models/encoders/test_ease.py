"""EASE: the formula of the paper, and what its settings do."""

import numpy as np
import pytest
import torch
from scipy import sparse

from grouprec.core.types import SettingError
from grouprec.data.synthetic import planted
from grouprec.models.encoders import ease
from grouprec.models.encoders.ease import EaseEncoder
from grouprec.models.encoders.linear import faded
from grouprec.models.fitting import RunOptions
from tests.support.learning import over_popularity, shuffled


def fitted(data, **settings):
    return EaseEncoder(EaseEncoder.Config(**settings)).fit(data, RunOptions())


@pytest.mark.parametrize("binary", [True, False])
def test_ease_equals_the_formula_of_the_paper(binary):
    data = planted(n_users=40, n_items=15, n_groups=3).data
    matrix = data.histories.toarray().astype(np.float64)
    matrix = (matrix > 0).astype(np.float64) if binary else matrix
    inverse = np.linalg.inv(matrix.T @ matrix + 7.0 * np.eye(15))
    weights = inverse / -np.diag(inverse)  # Steck 2019, eq. 8
    np.fill_diagonal(weights, 0)
    encoder = fitted(data, l2=7.0, tune_l2=False, binary=binary)
    scores = encoder.embeddings(data).scores(slice(None))
    assert np.allclose(encoder.items(), weights.T, atol=1e-5)
    assert np.allclose(scores, matrix @ weights, atol=1e-4)


@pytest.mark.parametrize("room", [True, False])
def test_a_gpu_inverts_the_same_matrix_and_without_room_there_the_processor_does(room, monkeypatch):
    def full(matrix):
        raise torch.OutOfMemoryError

    asked, on_device = [], ease._inverse_on  # the same code on the processor's side of torch: there is no GPU here
    monkeypatch.setattr(ease, "_inverse_on", lambda matrix, device: (asked.append(device), on_device(matrix, "cpu"))[1])
    if not room:
        monkeypatch.setattr(torch.linalg, "cholesky", full)
    data, config = planted(n_users=60, n_items=30).data, EaseEncoder.Config(tune_l2=False)
    found = EaseEncoder(config).fit(data, RunOptions(device="cuda")).items()
    assert asked == ["cuda"] and found.flags.f_contiguous
    assert np.allclose(found, fitted(data, tune_l2=False).items(), atol=1e-6)


def test_ease_never_recommends_an_item_for_itself():
    encoder = fitted(planted(n_users=60, n_items=30).data)
    assert (encoder.items().diagonal() == 0).all()


def test_ease_learns_planted_blocks():
    data = planted(ordered=False).data
    assert over_popularity(fitted(data), data) > 2 > over_popularity(fitted(shuffled(data)), data)


def test_tuning_keeps_the_strength_with_the_best_validation_value():
    data, seen = planted(n_users=80, n_items=40).data, []
    run = RunOptions(on_progress=lambda fraction, values: seen.append(values))
    encoder = EaseEncoder(EaseEncoder.Config(l2=100.0)).fit(data, run)
    assert [values["l2"] for values in seen] == [10.0, 30.0, 100.0, 300.0]
    assert encoder.l2 == max(seen, key=lambda values: values["validation"])["l2"]


def test_a_catalogue_beyond_the_limit_names_the_other_encoder():
    with pytest.raises(SettingError, match=r"at most 20 items.*has 30; choose the encoder 'ease_nearest'"):
        fitted(planted(n_users=40, n_items=30).data, max_items=20)


def test_a_fading_history_by_hand():
    histories = sparse.csr_array(np.array([[1, 1, 1, 0], [0, 1, 0, 0]], np.float32))
    recent = np.array([[-1, 0, 2, 0], [-1, -1, -1, 1]])  # the first user took item 1 before all that
    found = faded(histories, recent, half_life=2.0).toarray()
    assert found[0] == pytest.approx([1, 2**-2, 2**-0.5, 0])  # item 0 counts by its last time
    assert found[1] == pytest.approx([0, 1, 0, 0])
    empty = faded(sparse.csr_array((2, 4), dtype=np.float32), recent, 2.0)
    assert empty.nnz == 0 and empty.shape == (2, 4)


def test_what_was_taken_last_speaks_loudest_and_parts_add_up():
    data = planted(n_users=60, n_items=30).data
    plain, fading = fitted(data), fitted(data, fade=2.0)
    assert not plain.asks_for_recent and fading.asks_for_recent
    assert (plain.items() == fading.items()).all(), "the items are learned from all alike"
    scores = fading.embeddings(data).scores(slice(None))
    assert not np.allclose(scores, plain.embeddings(data).scores(slice(None)))
    parts = fading.score_parts(data.histories, data.recent())(7)
    owner = np.repeat(np.arange(data.n_users), np.diff(data.histories.indptr))
    assert np.bincount(owner, parts, data.n_users) == pytest.approx(scores[:, 7], abs=1e-5)
    unknown = fading.encode(data.histories, data.user_attributes)
    assert (unknown.data == 1).all(), "without an order all items speak alike"
