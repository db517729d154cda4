from dataclasses import replace
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from grouprec.core.types import Embeddings, Groups
from grouprec.data.synthetic import planted
from grouprec.evaluate import cold_start
from grouprec.evaluate.baselines import item_similarity
from grouprec.evaluate.cold_start import cold_items, cold_users, random_order
from grouprec.ranking.candidates import find_candidates
from grouprec.ranking.metrics import hit_rate, ndcg
from grouprec.ranking.task import test_task as make_test_task

KNOWN = planted(n_users=120, n_items=160, n_groups=4, ordered=False)
DATA, GROUPS = KNOWN.data, Groups(KNOWN.labels, 4)
TASK = make_test_task(DATA)
BLOCK = np.arange(160) // 40  # the planted group of every item
VECTORS = np.eye(4, dtype=np.float32)[BLOCK]  # an encoder that knows the answer


def encode(histories, attributes):
    return np.asarray(histories @ VECTORS, np.float32)


def predict(histories, attributes):
    return find_candidates(Embeddings(encode(histories, attributes), VECTORS), histories, fallback=DATA.popularity)


def place(histories, attributes, candidates):
    return np.asarray(histories @ VECTORS).argmax(axis=1).astype(np.int32)


def value(table, metric="ndcg@10", **where):
    rows = table[(table["metric"] == metric)]
    for column, wanted in where.items():
        rows = rows[rows[column] == wanted]
    return rows["value"].item()


@pytest.fixture(scope="module")
def users_table():
    return cold_users(DATA, TASK, GROUPS, predict, place)


def test_the_first_known_items_are_worth_most(users_table):
    popular = value(users_table, n_known=0, method="popularity")
    assert value(users_table, n_known=0, method="individual") == popular  # nothing known: the fallback is popularity
    for method in ("individual", "group_popularity"):
        assert value(users_table, n_known=1, method=method) > 1.5 * popular
        assert value(users_table, n_known=5, method=method) > 1.5 * popular
    assert value(users_table, n_known=5, method="popularity") == popular  # the same users and targets every time


def test_every_count_has_every_method_with_an_interval(users_table):
    assert list(users_table.columns) == ["n_known", "method", "metric", "value", "low", "high", "n_users"]
    assert users_table.groupby("n_known").size().to_dict() == {0: 6, 1: 6, 2: 6, 5: 6}
    assert ((users_table["low"] <= users_table["value"]) & (users_table["value"] <= users_table["high"])).all()
    assert (users_table["n_users"] == users_table["n_users"].iloc[0]).all()


def test_callbacks_see_only_the_items_kept_and_no_attribute_made_of_histories():
    seen = []

    def watch(histories, attributes):
        seen.append((histories, attributes))
        return predict(histories, attributes)

    data = replace(DATA, user_attributes=DATA.user_attributes.assign(frequency=7.0))
    cold_users(data, TASK, GROUPS, watch, place, counts=(1, 3))
    (few, attributes), (more, _) = seen
    assert (few.count_nonzero(axis=1) == 1).all() and (more.count_nonzero(axis=1) == 3).all()
    assert (few != 0).multiply(more != 0).sum() == few.shape[0]  # the items of the smaller number are kept
    assert list(attributes.columns) == ["region", "age"] and len(attributes) == few.shape[0]
    users = TASK.users[TASK.owned[TASK.users].count_nonzero(axis=1) > 3]
    assert attributes["age"].tolist() == DATA.user_attributes["age"].iloc[users].tolist()
    assert (more != 0).multiply(TASK.owned[users] != 0).sum() == more.count_nonzero()


def test_what_users_have_is_neither_listed_nor_a_target(monkeypatch):
    lists = []
    judge = cold_start._judge
    monkeypatch.setattr(cold_start, "_judge", lambda *given: lists.append(given) or judge(*given))
    repeats = make_test_task(DATA, repeats=True)
    cold_users(DATA, repeats, GROUPS, predict, place, counts=(0,))
    owned = TASK.owned[TASK.users].toarray() != 0
    for items, relevant in lists:
        assert len(items) == len(owned) and not (relevant.toarray()[owned]).any()
        assert not np.take_along_axis(owned, np.maximum(items, 0), axis=1)[items >= 0].any()


def test_users_with_too_few_items_give_an_empty_table(users_table):
    table = cold_users(DATA, TASK, GROUPS, predict, place, counts=(0, 500))
    assert table.empty and list(table.columns) == list(users_table.columns)


def test_the_same_seed_gives_the_same_numbers(users_table):
    pd.testing.assert_frame_equal(users_table, cold_users(DATA, TASK, GROUPS, predict, place))


@pytest.fixture(scope="module")
def items_table():
    return cold_items(DATA, TASK, encode, VECTORS)


def test_cold_items_are_found_by_their_attributes(items_table):
    among = {"among": "cold items"}
    best, random = (value(items_table, method=method, **among) for method in ("attributes", "random"))
    assert best > 1.5 * random and best > value(items_table, method="category_popularity", **among)
    assert list(items_table.columns) == ["n_cold", "among", "method", "metric", "value", "low", "high", "n_users"]
    assert len(items_table) == 12 and (items_table["low"] <= items_table["high"]).all()


def test_in_the_whole_catalogue_cold_items_come_before_what_the_user_does_not_like():
    data = planted(n_users=120, n_items=80, n_groups=4, ordered=False).data  # about seven unseen favourites a user
    vectors = np.eye(4, dtype=np.float32)[np.arange(80) // 20]
    table = cold_items(data, make_test_task(data), lambda histories, _: histories @ vectors, vectors)
    for method in ("attributes", "category_popularity", "random"):
        assert value(table, method=method, among="catalogue") < value(table, method=method, among="cold items")
    found, chance = (value(table, "hit_rate@10", method=m, among="catalogue") for m in ("attributes", "random"))
    assert found > 0.6 > 3 * chance


def test_the_encoder_does_not_see_the_cold_items():
    seen = []

    def watch(histories, attributes):
        seen.append(histories)
        return encode(histories, attributes)

    n_cold = cold_items(DATA, TASK, watch, VECTORS)["n_cold"].iloc[0]
    assert n_cold == round(0.1 * len(np.unique(TASK.relevant.indices)))
    hidden = seen[0].count_nonzero(axis=0) == 0
    assert n_cold <= hidden.sum() < 160


def test_who_has_just_as_many_items_as_are_known_is_not_judged(users_table):
    n_items = TASK.owned[TASK.users].count_nonzero(axis=1)
    least = int(n_items.min())
    table = cold_users(DATA, TASK, GROUPS, predict, place, counts=(least,))
    assert (table["n_users"] == (n_items > least).sum()).all() and (n_items == least).any()
    pd.testing.assert_frame_equal(users_table, cold_users(DATA, TASK, GROUPS, predict, place, (0, 1, 2, 5), seed=0))
    other = cold_users(DATA, TASK, GROUPS, predict, place, seed=1)
    assert not users_table["value"].equals(other["value"]) and users_table.index.equals(pd.RangeIndex(24))


def test_a_random_order_is_of_the_items_that_the_user_lacks_and_a_tenth_of_the_targets_is_cold(
    monkeypatch, items_table
):
    cold, asked = [], []
    made_cold, random_real = cold_start._made_cold, cold_start.random_order
    monkeypatch.setattr(cold_start, "_made_cold", lambda *given: cold.append(made_cold(*given)) or cold[-1])
    monkeypatch.setattr(cold_start, "random_order", lambda *given: asked.append(given) or random_real(*given))
    table = cold_items(DATA, TASK, encode, VECTORS, seed=0)
    pd.testing.assert_frame_equal(table, items_table)
    assert cold[0].sum() == table["n_cold"].iloc[0] == round(0.1 * len(np.unique(TASK.relevant.indices)))
    wanted = TASK.relevant.toarray()[TASK.users][:, cold[0]].sum(axis=1)
    owned = TASK.owned.toarray()[TASK.users][wanted > 0] != 0
    for (n_relevant, n_items), listed in zip(asked, (cold[0], np.ones(160, bool)), strict=True):
        assert n_relevant.tolist() == wanted[wanted > 0].tolist()
        assert n_items.tolist() == (listed & ~owned).sum(axis=1).tolist()


def test_vectors_as_sparse_similarities_give_the_numbers_of_dense_ones():
    owned = (DATA.histories != 0).astype(np.float32)
    items = sparse.csr_array(item_similarity(owned, 20, 0).T)
    sparse_table = cold_items(DATA, TASK, lambda histories, _: histories, items)
    dense = cold_items(DATA, TASK, lambda histories, _: histories.toarray(), items.toarray())
    assert sparse_table["value"].to_numpy() == pytest.approx(dense["value"].to_numpy(), abs=1e-6)


def test_nothing_known_of_the_items_gives_an_empty_table(items_table):
    unknown = replace(DATA, item_attributes=pd.DataFrame(), item_labels=DATA.item_ids)
    table = cold_items(unknown, TASK, encode, VECTORS)
    assert table.empty and list(table.columns) == list(items_table.columns)
    nobody = make_test_task(DATA.without_test())
    assert cold_items(DATA, nobody, encode, VECTORS).empty
    assert cold_users(DATA, nobody, GROUPS, predict, place).empty


def test_one_value_for_all_items_tells_none_apart():
    data = replace(DATA, item_attributes=pd.DataFrame({"category": ["any"] * 160}), item_labels=DATA.item_ids)
    table = cold_items(data, TASK, encode, VECTORS)
    among = table[(table["among"] == "cold items") & (table["metric"] == "ndcg@10")].set_index("method")
    assert among.loc["attributes", "low"] < among.loc["random", "value"] < among.loc["attributes", "high"]


def test_users_without_attributes_are_no_error():
    data = replace(DATA, user_attributes=pd.DataFrame())
    assert len(cold_users(data, TASK, GROUPS, predict, place, counts=(1,))) == 6
    assert len(cold_items(data, TASK, encode, VECTORS)) == 12


@pytest.mark.parametrize(("n_relevant", "n_items"), [(1, 5), (2, 5), (5, 5), (1, 1)])
def test_random_order_is_the_mean_over_all_orders(n_relevant, n_items):
    orders = np.array(list(permutations(range(n_items)))) < n_relevant
    n = np.full(len(orders), n_relevant)
    found = random_order(np.array([n_relevant]), np.array([n_items]))[0]
    assert found == pytest.approx([ndcg(orders, n, 10).mean(), hit_rate(orders, 10).mean()])


def test_random_order_of_many_items_by_hand():
    found = random_order(np.array([1, 2]), np.array([100, 100]))[:, 1]
    assert found == pytest.approx([0.1, 1 - 90 * 89 / (100 * 99)])
