"""Encoders that read what is known beside own items: the formula in plain loops, gain where it tells, else EASE."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.beside import plant
from grouprec.core.types import Embeddings
from grouprec.data.beside import ELSEWHERE, FRIENDS, Beside, matrix_of
from grouprec.data.preparing.prepare import prepare
from grouprec.models.encoders import beside
from grouprec.models.encoders.ease_nearest import EaseNearestEncoder
from grouprec.models.encoders.elsewhere import ElsewhereEncoder
from grouprec.models.encoders.social import SocialEncoder
from grouprec.models.fitting import RunOptions
from grouprec.ranking.statistics import paired_difference
from grouprec.ranking.task import NewItemTask

SIZE = {"n_users": 900, "n_items": 300, "n_groups": 20}
BOTH = [(ElsewhereEncoder, ELSEWHERE), (SocialEncoder, FRIENDS)]


@pytest.fixture(scope="module", params=[True, False], ids=["told", "random"])
def world(request, tmp_path_factory):
    files = plant(tmp_path_factory.mktemp("world"), told=request.param, **SIZE)
    return request.param, prepare(files["interactions"], also=files["also"], edges=files["edges"]).dataset


def fitted(encoder, data, **settings):
    return encoder(encoder.Config(**settings)).fit(data, RunOptions())


def by_user(encoder, data):
    """Return the nDCG@10 of every user of the test part."""
    task = NewItemTask.sample(replace(data, validation=data.test), np.random.default_rng(0), 5000)
    vectors = encoder.encode(task.histories, task.attributes, task.recent)
    one = [
        replace(task, user_rows=task.user_rows[[n]], histories=task.histories[[n]], relevant=task.relevant[[n]])
        for n in range(len(task))
    ]
    return np.array([each.ndcg(Embeddings(vectors[[n]], encoder.items())) for n, each in enumerate(one)])


@pytest.mark.parametrize(("encoder", "column"), BOTH)
def test_it_gains_where_the_file_tells_tastes_and_loses_nothing_where_not(world, encoder, column):
    told, data = world
    plain = fitted(EaseNearestEncoder, data.without_test(), n_nearest=75)
    gain, low, high, _ = paired_difference(by_user(fitted(encoder, data.without_test()), data), by_user(plain, data))
    assert low > 0.005 if told else low < 0 < high or abs(gain) < 0.002


@pytest.mark.parametrize(("encoder", "column"), BOTH)
def test_weights_equal_the_formula_in_plain_loops(encoder, column, tmp_path):
    files = plant(tmp_path, told=True, n_users=60, n_items=24, n_groups=4)
    data = prepare(files["interactions"], also=files["also"], edges=files["edges"]).dataset.without_validation()
    found = fitted(encoder, data, l2=7, n_nearest=4, weight=0.5, tune=False).items()
    own = (data.histories.toarray() > 0).astype(np.float64)
    width = data.beside.n_elsewhere if encoder is ElsewhereEncoder else data.n_items
    both = np.hstack([own, matrix_of(data.known_of_users, column, width).toarray()])
    lengths = np.sqrt((both**2).sum(axis=0))
    scale = np.repeat([1.0, 0.5], [data.n_items, width])
    for item in range(data.n_items):
        near = np.flatnonzero(found.toarray()[item])
        cosine = both[:, item] @ both / np.maximum(lengths, 1e-9)
        cosine[item] = 0
        for block in (np.arange(width + data.n_items) < data.n_items, np.arange(width + data.n_items) >= data.n_items):
            inside = near[block[near]]
            assert len(inside) <= 4
            outside = np.setdiff1d(np.flatnonzero(block & (cosine > 0)), inside)
            assert not len(outside) or cosine[inside].min(initial=np.inf) >= cosine[outside].max() - 1e-6
        columns = (both * scale)[:, near]
        expected = np.linalg.solve(columns.T @ columns + 7 * np.eye(len(near)), columns.T @ both[:, item])
        assert np.allclose(found.toarray()[item, near], expected, atol=1e-4)


def test_of_users_without_facts_it_says_what_the_linear_model_says(world):
    _, data = world
    nobody = replace(data.without_test(), beside=Beside())
    plain, ours = fitted(EaseNearestEncoder, nobody, n_nearest=75), fitted(SocialEncoder, nobody)
    scores = [one.embeddings(nobody).scores(slice(0, 50)) for one in (plain, ours)]
    assert np.allclose(*scores, atol=1e-4)


def test_parts_of_own_items_and_the_rest_make_up_the_score(world):
    _, data = world
    encoder = fitted(ElsewhereEncoder, data.without_test())
    users = np.array([3, 4])
    histories, known = data.histories[users], data.known_of_users.iloc[users]
    owner = np.repeat([0, 1], np.diff(histories.indptr))
    alone = encoder.encode(histories, known[[]])
    for item in range(0, data.n_items, 40):
        parts = np.bincount(owner, encoder.score_parts(histories)(item), minlength=2)
        assert np.allclose(parts, (alone @ encoder.items()[[item]].T).toarray().ravel(), atol=1e-5)


def test_work_grows_with_pairs_up_to_a_bound_and_with_items_and_memory_with_what_is_kept_and_counted():
    work, memory = ElsewhereEncoder.work, SocialEncoder.memory
    assert work(1000, 10, 10_000) == 10_000 * 10 / 50 + 10 * 20_000
    assert work(100, 10, 1_000_000) == work(10, 10, 1_000_000) == 1_000_000 + 10 * 20_000
    assert work(1, 10, 300) == 300 * 300 / 50 + 10 * 20_000 == work(0, 10, 300)
    assert memory(7, 1000) == (1_600_000, 8 * 2000**2) and memory(7, 10_000)[1] == 16 * 5 * 10**7


def test_three_weights_are_tried_with_progress_and_the_best_is_kept_and_loaded(world, monkeypatch):
    monkeypatch.setattr(beside, "REPORTED", 100)
    _, data = world
    data, seen = data.without_test(), []
    encoder = ElsewhereEncoder(ElsewhereEncoder.Config(weight=2.0))
    encoder.fit(data, RunOptions(on_progress=lambda fraction, values: seen.append((fraction, values["weight"]))))
    tried = [0.2, 0.6, 2.0]
    expected = [((step + part) / 3, weight) for step, weight in enumerate(tried) for part in (0, 1 / 3, 2 / 3)]
    assert np.allclose(seen, expected)
    task = NewItemTask.sample(data, RunOptions().rng("elsewhere validation"))
    worth = [task.ndcg(vectors(fitted(ElsewhereEncoder, data, weight=weight, tune=False), task)) for weight in tried]
    assert encoder.decided["weight"] == pytest.approx(tried[int(np.argmax(worth))])
    assert task.ndcg(vectors(encoder, task)) == pytest.approx(max(worth))
    again = ElsewhereEncoder(encoder.config).load(encoder.arrays())
    assert (again.items() != encoder.items()).nnz == 0
    assert task.ndcg(vectors(again, task)) == pytest.approx(max(worth))


def vectors(encoder, task):
    return Embeddings(encoder.encode(task.histories, task.attributes, task.recent), encoder.items())
