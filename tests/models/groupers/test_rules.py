"""Rules: two planted attributes found again, noise refused, and every group said in words, SQL and JSON alike."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.metrics import adjusted_rand_score

from grouprec.core.types import Candidates, Groups, Preference, SettingError
from grouprec.data.dataset import Dataset, Interactions
from grouprec.data.facts import Question, conditions, sentence
from grouprec.models.fitting import RunOptions
from grouprec.models.groupers.rules import RulesGrouper
from grouprec.models.groupers.segmentation import list_worth
from grouprec.ranking.candidates import make_preference
from grouprec.ranking.group_lists import members_mean, worth

N_USERS, N_ITEMS, WANTED = 400, 80, 10


def two_attributes(seed: int = 0) -> tuple[Dataset, Preference, np.ndarray]:
    """Return users whose plan and age say which ten of 40 items they want; a city and a shoe size say nothing.

    What they have are two of 40 other items, by chance.
    """
    rng = np.random.default_rng(seed)
    plan, old = rng.integers(0, 2, N_USERS), rng.random(N_USERS) < 0.5
    age = 10.0 * np.where(old, rng.integers(5, 8, N_USERS), rng.integers(2, 5, N_USERS))
    labels = 2 * plan + old
    scores = rng.random((N_USERS, N_ITEMS)) * 0.5
    scores[:, 40:] = 0
    for user, label in enumerate(labels):
        scores[user, rng.permutation(WANTED)[:7] + WANTED * label] += 1
    order = np.argsort(-scores, axis=1)[:, :30]
    found = np.take_along_axis(scores, order, axis=1).astype(np.float32)
    candidates = Candidates(order.astype(np.int32), found, N_ITEMS)
    user = np.repeat(np.arange(N_USERS, dtype=np.int32), 2)
    rows = Interactions(user, rng.integers(40, N_ITEMS, len(user)).astype(np.int32), np.ones(len(user), np.float32))
    attributes = pd.DataFrame(
        {
            "plan": np.array(["free", "it's pro"])[plan],
            "age": age,
            "city": np.array(["Rome", "Oslo", "Bern"])[rng.integers(0, 3, N_USERS)],
            "shoe size": rng.integers(36, 47, N_USERS).astype(float),
        }
    )
    nothing = Interactions.empty()
    users = np.array([f"u{n}" for n in range(N_USERS)], dtype=object)
    items = np.array([f"i{n}" for n in range(N_ITEMS)], dtype=object)
    item_labels = np.array([f"{'red' if n % 4 == 0 else 'blue'} thing {n}" for n in range(N_ITEMS)], dtype=object)
    of_items = pd.DataFrame({"kind": np.arange(N_ITEMS) % 3, "price": np.arange(N_ITEMS, dtype=float)})
    of_items["kind"] = of_items["kind"].map({0: "toy", 1: "book", 2: "game"})
    data = Dataset("two", "two", users, items, rows, nothing, nothing, item_labels, attributes, of_items)
    return data, make_preference(candidates), labels


DATA, PREFERENCE, LABELS = two_attributes()


def fitted(
    n_groups: int = 4, data: Dataset = DATA, preference: Preference = PREFERENCE, seed: int = 0, **settings: Any
) -> RulesGrouper:
    grouper = RulesGrouper(RulesGrouper.Config(**settings))
    return grouper.fit(data, preference, n_groups, RunOptions(seed), settings.pop("regime", "strict"))


def list_value(labels: np.ndarray) -> float:
    """Return what lists made by one half of the users are worth to one of the other half, on average."""
    half = np.arange(N_USERS) % 2 == 0
    total = 0.0
    for teach, judge in ((half, ~half), (~half, half)):
        own = Groups(labels[teach].astype(np.int32), int(labels.max()) + 1)
        lists = members_mean(PREFERENCE.candidates.take(np.flatnonzero(teach)), own, DATA.histories[teach], 0)
        values = worth(PREFERENCE.candidates)[judge].T.tocsr()
        served = list_worth(values, DATA.histories[judge].T.tocsr(), lists.strict[:, :10], "strict")
        total += served[np.arange(len(served)), labels[judge]].sum()
    return total / N_USERS


def kept(groups: Groups) -> float:
    """Return what lists for the groups are worth of what lists for the planted ones are."""
    return list_value(groups.labels) / list_value(LABELS)


# -- what is found


@pytest.mark.parametrize("seed", [0, 1])
def test_two_planted_attributes_are_found_and_no_other_question_is_asked(seed: int) -> None:
    grouper = fitted(seed=seed)
    assert adjusted_rand_score(LABELS, grouper.groups().labels) == 1
    said = [json.loads(text) for text in grouper.rules()["json"]]
    assert {one["name"] for rule in said for one in rule} == {"plan", "age"}
    assert all(len(rule) == 2 for rule in said)


def test_a_tree_that_did_not_look_at_lists_fails_the_bar_which_the_grown_one_passes() -> None:
    assert kept(fitted().groups()) > 0.98
    rng = np.random.default_rng(0)
    city, size = pd.factorize(DATA.user_attributes["city"])[0], DATA.user_attributes["shoe size"] >= 41
    drawn = Groups(rng.integers(0, 4, N_USERS).astype(np.int32), 4)
    assert kept(Groups((2 * np.minimum(city, 1) + size).astype(np.int32), 4)) < 0.7
    assert kept(drawn) < 0.7


def test_what_says_nothing_is_not_asked_however_many_groups_are_wanted() -> None:
    noise = replace(DATA, user_attributes=DATA.user_attributes[["city", "shoe size"]])
    groups = [fitted(20, data=noise, behaviour=False, seed=seed).groups().n_groups for seed in range(3)]
    assert max(groups) <= 3, groups
    assert fitted(20).groups().n_groups <= 6


def test_a_smaller_number_of_groups_is_the_beginning_of_a_larger_one() -> None:
    two, four = fitted(2).groups().labels, fitted(4).groups().labels
    assert len({(a, b) for a, b in zip(two.tolist(), four.tolist(), strict=True)}) == 4
    assert fitted(1).rules()["sentence"].tolist() == ["Everyone."]


def test_what_the_lists_are_worth_to_those_they_were_not_made_from_is_reported() -> None:
    seen: list[dict[str, float]] = []
    run = RunOptions(on_progress=lambda _, values: seen.append(dict(values)))
    for n_groups in (1, 4):
        RulesGrouper().fit(DATA, PREFERENCE, n_groups, run)
    assert [values["groups"] for values in seen] == [1, 4]
    one, four = (values["list value"] for values in seen)
    assert one == pytest.approx(list_value(np.zeros_like(LABELS)), rel=0.05)  # by other halves, drawn
    assert four == pytest.approx(list_value(LABELS), rel=0.01)


def test_groups_have_the_smallest_size() -> None:
    assert fitted(4, min_group_size=150).groups().sizes.min() >= 150
    assert fitted(4, min_group_size=250).groups().n_groups == 1


def test_rules_are_as_short_as_is_asked_for() -> None:
    assert fitted(4, max_questions=1).groups().n_groups == 2


def test_what_members_have_is_asked_where_attributes_are_silent() -> None:
    rng = np.random.default_rng(0)
    owned = np.where(LABELS < 2, 41, 42)  # one of two items says half of it
    user = np.repeat(np.arange(N_USERS, dtype=np.int32), 2)
    items = np.stack([owned, rng.integers(45, N_ITEMS, N_USERS)], axis=1).ravel().astype(np.int32)
    rows = Interactions(user, items, np.ones(len(user), np.float32))
    data = replace(DATA, train=rows, user_attributes=pd.DataFrame(), key="silent")
    grouper = fitted(2, data=data)
    assert adjusted_rand_score(LABELS < 2, grouper.groups().labels) == 1
    assert set(grouper.rules()["sentence"].str.split(" “").str[0]) == {"Everyone who has", "Everyone who does not have"}
    assert fitted(2, data=replace(data, key="plain"), behaviour=False).groups().n_groups == 1


def test_lists_for_those_who_skip_what_they_have_are_grown_for_that() -> None:
    """Half of the users have the ten items that all want most; those of the others' second choice differ."""
    n = 200
    scores = np.full((n, 40), 0.01, np.float32)
    scores[:, :10] = 1.0
    has = np.arange(n) % 2 == 0
    scores[has, 10:20] = 0.9
    scores[~has, 20:30] = 0.9
    users, items = np.nonzero(np.outer(has, np.arange(40) < 10))
    scores[users, items] = -1
    order = np.argsort(-scores, axis=1, kind="stable")[:, :30]
    found = np.maximum(np.take_along_axis(scores, order, axis=1), 0)
    rows = Interactions(users.astype(np.int32), items.astype(np.int32), np.ones(len(users), np.float32))
    attributes = pd.DataFrame({"club": np.where(has, "in", "out")})
    ids = np.array([f"u{i}" for i in range(n)], dtype=object)
    data = replace(
        DATA,
        key="skip",
        user_ids=ids,
        item_ids=DATA.item_ids[:40],
        item_labels=DATA.item_labels[:40],
        train=rows,
        user_attributes=attributes,
        item_attributes=pd.DataFrame(),
    )
    preference = make_preference(Candidates(order.astype(np.int32), found, 40))
    grouper = RulesGrouper(RulesGrouper.Config(behaviour=False)).fit(data, preference, 2, RunOptions(), "dedup")
    assert adjusted_rand_score(has, grouper.groups().labels) == 1


def test_a_sample_of_the_users_is_enough() -> None:
    groups = fitted(4, sample_users=200).groups()
    assert adjusted_rand_score(LABELS, groups.labels) > 0.95
    assert len(groups.labels) == N_USERS


def test_too_many_groups_are_refused() -> None:
    with pytest.raises(SettingError, match="choose n_groups from 1 to 400"):
        fitted(401)


# -- who belongs where


def nobody(n: int) -> tuple[Preference, sparse.csr_array]:
    empty = Candidates(np.full((n, 30), -1, np.int32), np.zeros((n, 30), np.float32), N_ITEMS)
    space = np.zeros((n, PREFERENCE.space.shape[1]), np.float32)
    return Preference(empty, space, PREFERENCE.components), sparse.csr_array((n, N_ITEMS), dtype=np.float32)


def test_people_without_history_go_where_their_attributes_say() -> None:
    grouper = fitted()
    some = pd.DataFrame({"plan": ["free", "free", "it's pro", "it's pro"], "age": [20.0, 70, 20, 70]})
    placed = grouper.place(*nobody(4), some)
    own = grouper.groups().labels
    assert placed.tolist() == [own[label == LABELS][0] for label in range(4)]


def test_what_is_not_known_is_answered_by_no_and_of_whom_nothing_is_known_is_in_the_largest_group() -> None:
    grouper = fitted()
    some = pd.DataFrame({"plan": ["it's pro", None], "age": [np.nan, np.nan]})
    placed = grouper.place(*nobody(2), some)
    young = {int(grouper.groups().labels[label == LABELS][0]) for label in (0, 2)}
    assert placed[0] in young and placed[1] == 0
    assert not grouper.distances(*nobody(2), some)[1].any()


def test_distance_is_the_number_of_conditions_that_are_not_met() -> None:
    distances = fitted().distances(PREFERENCE, DATA.histories, DATA.user_attributes)
    assert np.unique(distances).tolist() == [0, 1, 2]
    assert np.array_equal(np.sort(distances, axis=1), np.tile(np.float32([0, 1, 1, 2]), (N_USERS, 1)))


# -- how it is said


def test_sentences_say_who_belongs_to_a_group() -> None:
    assert set(fitted().rules()["sentence"]) == {
        f"Everyone whose {age} and whose {plan}."
        for plan in ("plan is “it's pro”", "plan is not “it's pro”")
        for age in ("age is at least 50", "age is less than 50 (or unknown)")
    }


LAMP, BAG = Question("has", "i1", "Lamp"), Question("has", "i2", "Bag")
RED, BLUE = Question("called", "", "red"), Question("called", "", "blue")
FREE, PRO = Question("word", "plan", "free"), Question("word", "plan", "pro")


def spend(least: float) -> Question:
    return Question("number", "spend", least=least)


def recency(least: float) -> Question:
    return Question("number", "recency_days", least=least)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ([], "Everyone."),
        ([(spend(50), True), (spend(1200), False)], "Everyone who spent at least 50 and spent less than 1,200."),
        ([(recency(30), False), (recency(9), False)], "Everyone who was last seen less than 9 days ago (or unknown)."),
        ([(FREE, False), (PRO, True)], "Everyone whose plan is “pro”."),
        (
            [(Question("items", least=5), False), (LAMP, False)],
            "Everyone who has less than 5 different items and who does not have “Lamp”.",
        ),
        (
            [(LAMP, True), (RED, True), (BAG, False), (BLUE, False)],
            "Everyone who has “Lamp” and something called “red” and who has neither “Bag” nor anything called “blue”.",
        ),
        (
            [(Question("share", "kind", "toy", 0.25), True), (Question("mean", "price", least=2.5), False)],
            "Everyone of whose items at least 25 % have kind “toy” and whose items have a mean price of less than 2.5 "
            "(or unknown).",
        ),
    ],
)
def test_conditions_read_like_a_sentence(path: list[tuple[Question, bool]], words: str) -> None:
    assert sentence(conditions(path)) == words


def database(data: Dataset) -> sqlite3.Connection:
    """Return a database of the three tables that the queries ask."""
    known = sqlite3.connect(":memory:")
    data.user_attributes.assign(user_id=data.user_ids).to_sql("users", known, index=False)
    data.item_attributes.assign(item_id=data.item_ids, item_label=data.item_labels).to_sql("items", known, index=False)
    rows = {"user_id": data.user_ids[data.train.user_rows], "item_id": data.item_ids[data.train.item_rows]}
    pd.DataFrame(rows).to_sql("interactions", known, index=False)
    return known


def everything_matters() -> tuple[Dataset, Preference]:
    """Return users with gaps in what is known of them, whose wishes follow every kind of fact there is."""
    rng = np.random.default_rng(5)
    counts = rng.integers(1, 12, N_USERS)
    user = np.repeat(np.arange(N_USERS), counts)
    item = (rng.integers(0, N_ITEMS, N_USERS)[user] + rng.integers(0, 20, len(user))) % N_ITEMS
    rows = Interactions(user.astype(np.int32), item.astype(np.int32), np.ones(len(user), np.float32))
    attributes = DATA.user_attributes.copy()
    attributes.loc[rng.random(N_USERS) < 0.2, "plan"] = None
    attributes.loc[rng.random(N_USERS) < 0.2, "age"] = np.nan
    items = DATA.item_attributes.copy()
    items.loc[::7, "price"] = np.nan
    data = replace(DATA, key="all", train=rows, user_attributes=attributes, item_attributes=items)
    owned = (data.histories.toarray() > 0).astype(float)
    kinds = [
        attributes["age"].fillna(0).to_numpy() >= 60,
        (attributes["plan"] == "free").to_numpy(),
        counts >= 6,
        owned[:, 3] > 0,
        owned[:, ::4].sum(axis=1) > 0,
        owned[:, ::3].mean(axis=1) > 0.1,
    ]
    scores = rng.random((N_USERS, N_ITEMS)) * 0.3
    for at, yes in enumerate(kinds):
        scores[yes, 10 * at : 10 * at + 6] += 1.2 - 0.1 * at
    scores[owned > 0] = 0
    order = np.argsort(-scores, axis=1)[:, :40]
    found = np.take_along_axis(scores, order, axis=1).astype(np.float32)
    return data, make_preference(Candidates(order.astype(np.int32), found, N_ITEMS))


@pytest.mark.parametrize("settings", [{}, {"max_questions": 8}, {"most_items": 0}], ids=str)
def test_queries_find_the_members_whatever_is_asked(settings: dict[str, Any]) -> None:
    data, preference = everything_matters()
    grouper = fitted(20, data, preference, min_group_size=8, **settings)
    labels, rules = grouper.groups().labels, grouper.rules()
    assert len(rules) > 8
    known = database(data)
    for group, query in enumerate(rules["sql"]):
        assert {row[0] for row in known.execute(query)} == set(data.user_ids[labels == group]), query


def test_the_json_is_the_same_rule_for_whoever_reads_it() -> None:
    data, preference = everything_matters()
    grouper = fitted(20, data, preference, min_group_size=8)
    for said, text in grouper.rules()[["sentence", "json"]].itertuples(index=False):
        for condition in json.loads(text):
            assert condition["kind"] in {"number", "word", "items", "has", "called", "share", "mean"}
            bounds = condition.keys() & {"at_least", "below", "is"}
            assert bounds
            assert condition.get("value", condition.get("name", "")) in said or condition["kind"] == "items"


def test_loading_brings_the_same_rules_back() -> None:
    grouper = fitted()
    again = RulesGrouper(grouper.config).load(grouper.arrays())
    assert again.rules().equals(grouper.rules())
