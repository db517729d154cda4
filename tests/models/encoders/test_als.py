"""ALS: the normal equations of the paper for users and items, tuning, and the smallest inputs."""

import warnings
from dataclasses import replace

import implicit.utils
import numpy as np
import pandas as pd
import pytest
from implicit.cpu.als import AlternatingLeastSquares, user_factor
from scipy import sparse
from threadpoolctl import threadpool_limits

from grouprec.data.dataset import Interactions
from grouprec.data.synthetic import planted
from grouprec.models.encoders.als import AlsEncoder
from grouprec.models.fitting import RunOptions
from tests.support.learning import over_popularity, shuffled


def fitted(data, **settings):
    return AlsEncoder(AlsEncoder.Config(**settings)).fit(data, RunOptions())


def solve(weights, others, alpha, regularization):
    """Hu, Koren and Volinsky 2008, eq. 4: one row of weights, the factors of the other side."""
    confidence = np.diag(1 + alpha * weights)
    left = others.T @ confidence @ others + regularization * np.eye(others.shape[1])
    return np.linalg.solve(left, others.T @ confidence @ (weights > 0))


@pytest.fixture(scope="module")
def small():
    return planted(n_users=40, n_items=15, n_groups=3).data


@pytest.mark.parametrize("binary", [True, False])
def test_user_vectors_solve_the_normal_equations_of_the_paper(small, binary):
    encoder = fitted(small, factors=4, alpha=2.0, regularization=1.5, tune=False, binary=binary)
    weights = small.histories.toarray().astype(np.float64)
    weights = (weights > 0).astype(np.float64) if binary else weights
    items = encoder.items().astype(np.float64)
    expected = np.stack([solve(row, items, 2.0, 1.5) for row in weights])
    assert np.allclose(encoder.embeddings(small).users, expected, atol=1e-4)


def test_user_vectors_equal_those_of_implicit_itself(small):
    encoder = fitted(small, factors=4, alpha=2.0, regularization=1.5, tune=False)
    confidence = sparse.csr_matrix(small.histories > 0).astype(np.float32) * 3
    items = encoder.items()
    expected = [user_factor(items, items.T @ items, confidence, user, 1.5, 4) for user in range(small.n_users)]
    assert np.allclose(encoder.embeddings(small).users, expected, atol=1e-4)


def test_item_vectors_solve_their_normal_equations_once_converged(small):
    encoder = fitted(small, factors=3, alpha=2.0, regularization=1.5, tune=False, iterations=300)
    weights = (small.histories.toarray() > 0).astype(np.float64)
    users = encoder.embeddings(small).users.astype(np.float64)
    expected = np.stack([solve(column, users, 2.0, 1.5) for column in weights.T])
    assert np.abs(expected).max() > 0.1
    assert np.allclose(encoder.items(), expected, atol=1e-3)


def test_als_learns_planted_blocks():
    data = planted(ordered=False).data
    idle = AlsEncoder(AlsEncoder.Config(factors=8).model_copy(update={"iterations": 0})).fit(data, RunOptions())
    assert over_popularity(fitted(data, factors=8), data) > 2 > over_popularity(idle, data)
    assert over_popularity(fitted(shuffled(data), factors=8), data) < 2


def test_tuning_keeps_the_settings_with_the_best_validation_value(small):
    seen = []
    run = RunOptions(on_progress=lambda fraction, values: seen.append(values))
    encoder = AlsEncoder(AlsEncoder.Config(factors=4, alpha=3.0, regularization=6.0)).fit(small, run)
    tried = {(round(values["alpha"], 6), round(values["regularization"], 6)) for values in seen}
    assert tried == {(alpha, regularization) for alpha in (1.0, 3.0) for regularization in (2.0, 6.0, 18.0)}
    best = max(seen, key=lambda values: values["validation"])
    assert encoder.decided == {"alpha": best["alpha"], "regularization": best["regularization"]}


def test_without_a_validation_part_the_given_settings_are_used(small):
    encoder = fitted(replace(small, validation=Interactions.empty(timed=True)), factors=4, alpha=5.0)
    assert encoder.decided == {"alpha": 5.0, "regularization": 30.0}


def test_implicit_neither_warns_nor_prints(small, monkeypatch, capsys):
    monkeypatch.setattr(implicit.utils, "_checked_blas_config", False)
    with threadpool_limits(2, "blas"), warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder = fitted(small, factors=4, tune=False)
        encoder.embeddings(small)
    out, err = capsys.readouterr()
    assert (out, err) == ("", "")


def test_an_empty_history_gives_a_zero_vector(small):
    encoder = fitted(small, factors=4, tune=False)
    assert not encoder.encode(sparse.csr_array((2, small.n_items), dtype=np.float32), pd.DataFrame()).any()


def test_the_number_of_threads_changes_nothing(small):
    confidence = sparse.csr_matrix(small.histories)
    factors = []
    for n_threads in (1, 3):
        with threadpool_limits(1, "blas"):
            model = AlternatingLeastSquares(4, 1.5, num_threads=n_threads, random_state=0)
            model.fit(confidence, show_progress=False)
        factors.append(model.item_factors)
    assert np.array_equal(*factors)


@pytest.mark.parametrize("n_items", [1, 3])
def test_a_catalogue_smaller_than_the_factors_is_fitted(n_items):
    data = planted(n_users=12, n_items=n_items, n_groups=1, events_per_user=5).data
    encoder = fitted(data, factors=8)
    assert encoder.items().shape == (n_items, 8)
    assert np.isfinite(encoder.embeddings(data).scores(slice(None))).all()
