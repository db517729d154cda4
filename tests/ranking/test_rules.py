"""What is never listed: rules by hand, and lists without what they exclude."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy import sparse

from grouprec.core.types import Candidates, Groups, SettingError
from grouprec.data.synthetic import planted
from grouprec.ranking.rules import (
    Exclusions,
    ListRules,
    drop_excluded,
    drop_owned,
    excluded_for_groups,
    excluded_items,
)
from grouprec.ranking.strategies import STRATEGIES
from tests.ranking.test_strategies import planted_candidates

SHOP = replace(
    planted(n_users=12, n_items=4, n_groups=2, events_per_user=10).data,
    item_ids=np.array(["a", "b", "c", "POST"], dtype=object),
    item_labels=np.array(["Red lamp", "Dotcom postage", "Compost (20 l)", "POSTAGE"], dtype=object),
    item_attributes=pd.DataFrame(
        {"kind": ["Light", None, "garden", "fee"], "price": [3, np.nan, 4.5, 3], "sold": [True, True, False, True]}
    ),
)


def test_global_rules_by_hand():
    def excluded(**rules) -> list[int]:
        return np.flatnonzero(excluded_items(SHOP, Exclusions(**rules))).tolist()

    assert excluded() == []
    assert excluded(items=("c", "a")) == [0, 2]
    assert excluded(label_words=["postage"]) == [1, 3]
    assert excluded(label_words=["(20 l)", "."]) == [2]  # plain text, not a pattern
    assert excluded(categories=["kind=light", " sold = false"]) == [0, 2]
    for pattern in ("l.mp", "(?i:lamp)", "[Rr]ed", "Dot|Red"):
        assert excluded(label_words=[pattern]) == []
    assert excluded(label_words=["post", "RED"]) == [0]  # whole words, whatever their case
    assert excluded(categories=["price=3.0"]) == [0, 3]
    assert excluded(categories=["kind=fee"], items=["b"], label_words=["lamp"]) == [0, 1, 3]


@pytest.mark.parametrize(
    ("word", "out"),
    [
        ("c++ (new)", [0]),
        ("C++", [0]),
        (".", [2]),
        ("a.c", [3]),
        ("a|b", [4]),
        ("a", [3, 4]),
        (".*", []),
        ("[ab]", [5]),
        ("\\d", [6]),
        ("^C", []),
        ("50 %", [7]),
    ],
)
def test_words_in_labels_are_plain_text_whatever_signs_they_hold(word, out):
    labels = ["Book C++ (new)", "ccc new", "one . two", "a.c", "a|b", "tab [ab]", "\\d 5", "50 %", "abc", "axc", "5"]
    names = np.array([f"{n}" for n in range(len(labels))], object)
    shop = replace(SHOP, item_ids=names, item_labels=np.array(labels, object), item_attributes=pd.DataFrame())
    assert np.flatnonzero(excluded_items(shop, Exclusions(label_words=[word]))).tolist() == out
    both = excluded_items(shop, Exclusions(label_words=["ccc", word]))
    assert np.flatnonzero(both).tolist() == sorted([*out, 1])


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"items": ["a", "zz", "yy"]}, "2 of the excluded item ids.*'zz'"),
        ({"categories": ["colour=red"]}, "'colour'.*kind, price, sold"),
        ({"categories": ["kind=nan"]}, "excludes nothing"),
        ({"categories": ["price=cheap"]}, "excludes nothing"),
        ({"categories": ["kind=light=red"]}, "excludes nothing"),  # the first sign parts, others belong to the value
        ({"categories": ["sold=1"]}, "excludes nothing"),
    ],
)
def test_rules_about_what_the_data_lack_are_refused(rules, message):
    with pytest.raises(SettingError, match=message):
        excluded_items(SHOP, Exclusions(**rules))


@pytest.mark.parametrize(
    "rules",
    [
        {"owned_share": 1.5},
        {"owned_share": -0.1},
        {"categories": ["kind"]},
        {"categories": ["kind="]},
        {"categories": ["=red"]},
        {"label_words": [" "]},
        {"what": 1},
    ],
)
def test_malformed_rules_are_refused_at_the_door(rules):
    with pytest.raises(ValidationError):
        Exclusions(**rules)
    assert all(field.description for field in Exclusions.model_fields.values())


def test_owned_items_are_excluded_by_group():
    histories = sparse.csr_array(np.array([[1, 5, 0], [1, 0, 0], [0, 1, 0], [0, 1, 1]], np.float32))
    groups = Groups(np.array([0, 0, 1, 1], np.int32), 2)
    excluded = excluded_for_groups(histories, groups, Exclusions(owned_share=0.5))
    assert excluded.toarray().tolist() == [[True, False, False], [False, True, False]]
    assert excluded_for_groups(histories, groups, Exclusions()).nnz == 0
    everything = excluded_for_groups(histories, groups, Exclusions(owned_share=0))
    assert everything.toarray().tolist() == [[True, True, False], [False, True, True]]


def test_what_is_excluded_cannot_be_listed_and_the_rest_moves_up():
    candidates, groups = planted_candidates(n_groups=2)
    everywhere = np.arange(40) < 10
    in_groups = sparse.csr_array(np.array([np.arange(40) % 2 == 0, np.zeros(40, bool)]))
    kept = drop_excluded(candidates, groups, everywhere, in_groups)
    for user in range(24):
        banned = everywhere | (in_groups.toarray()[groups.labels[user]])
        order = [item for item in candidates.items[user] if not banned[item]]
        assert kept.items[user].tolist() == order + [-1] * (20 - len(order))
        assert kept.matrix().toarray()[user, order] == pytest.approx(candidates.matrix().toarray()[user, order])
    for strategy in STRATEGIES.values():
        items, _ = strategy.rank(kept, groups, 40, 0)
        assert items[items >= 0].min() >= 10 and (items[0][items[0] >= 0] % 2 == 1).all()


def test_every_group_loses_what_it_may_not_get_and_no_other():
    candidates = Candidates(np.tile(np.arange(5, dtype=np.int32), (3, 1)), np.tile(np.arange(5, 0, -1.0), (3, 1)), 5)
    in_groups = sparse.csr_array(np.array([[0, 0, 1, 0, 1], [1, 0, 0, 0, 0], [0, 1, 1, 1, 0]], bool))
    everywhere = np.array([False, False, False, True, False])
    kept = drop_excluded(candidates, Groups(np.array([2, 0, 1], np.int32), 3), everywhere, in_groups)
    assert kept.items.tolist() == [[0, 4, -1, -1, -1], [0, 1, -1, -1, -1], [1, 2, 4, -1, -1]]
    assert kept.scores.tolist() == [[5, 1, 0, 0, 0], [5, 4, 0, 0, 0], [4, 3, 1, 0, 0]]
    assert not everywhere[0]


def test_what_users_have_leaves_their_candidates_and_the_rest_keeps_its_order():
    items = np.array([[3, 1, 0, -1], [0, 1, 2, 3]], np.int32)
    scores = np.array([[-1, -2, -3, 0], [4, 3, 2, 1]], np.float32)
    owned = sparse.csr_array(np.array([[0, 0.5, 0, 0], [3, 0, 0, 1]], np.float32))
    left = drop_owned(Candidates(items, scores, 4), owned)
    assert left.items.tolist() == [[3, 0, -1, -1], [1, 2, -1, -1]] and left.items.dtype == np.int32
    assert left.scores.tolist() == [[-1, -3, 0, 0], [3, 2, 0, 0]] and left.scores.dtype == np.float32


def test_rules_on_lists_take_text_with_commas_or_values_one_by_one():
    rules = ListRules(items="a, b,,c ", label_words=["x, y"], categories="kind=red,price=3")
    assert rules.items == ("a", "b", "c") and rules.label_words == ("x, y",)
    assert rules.categories == ("kind=red", "price=3")
    with pytest.raises(SettingError, match="median"):
        ListRules(strategy="median")
