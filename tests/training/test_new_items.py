"""New items of a run: for whom, why, at which places, and never what the rules exclude."""

from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from grouprec.core.types import Groups
from grouprec.data.dataset import NewItems
from grouprec.data.synthetic import planted
from grouprec.explore.tables import lists_with_new_items, with_new_items
from grouprec.live.stream import Stream
from grouprec.ranking.rules import Exclusions, ListRules, excluded_items, excluded_new
from grouprec.report.csv import export_stream
from grouprec.runs.store import Run, RunStore
from grouprec.training import new_items
from grouprec.training.new_items import group_interest, list_new_items
from tests.support.small_run import copy_of

ANSWER = planted(n_users=200, n_items=100, noise=0.3, ordered=False)
TASTES = [f"category {one}" for one in range(4)]
NEW = NewItems(
    np.array([f"n{one}" for one in range(5)], object),
    np.array([*(f"New mug {one}" for one in range(4)), "Voucher"], object),
    pd.DataFrame({"category": [*TASTES, "unknown"]}),
)
DATA = replace(ANSWER.data, new_items=NEW)
GROUPS = Groups(ANSWER.labels, 4)


class Predictor:
    """Everybody's chance of an item is the share of its block among what they have, as far as the item is popular."""

    def __init__(self, data):
        block = np.repeat(np.arange(4), 25)
        own = np.asarray((data.histories > 0) @ np.eye(4)[block])
        self.chances = (own / own.sum(axis=1, keepdims=True))[:, block] * (0.5 + data.popularity)

    def scores(self, rows):
        return self.chances[rows].astype(np.float32)


class Cache:
    def __init__(self, **rules):
        self.config = SimpleNamespace(rules=ListRules(**rules), seed=0)
        self.notes = []
        self.progress = SimpleNamespace(stage=self.stage, note=self.notes.append)

    @contextmanager
    def stage(self, name):
        yield


def fit(data=DATA):
    encoded = SimpleNamespace(predictor=lambda weights, data: Predictor(data))
    return SimpleNamespace(data=data, groups=GROUPS, encoded=encoded)


@pytest.fixture(scope="module")
def listed():
    return list_new_items(Cache(new_items=2), fit(), None)


def test_a_group_gets_the_new_item_of_its_taste_first(listed):
    first = listed.table[listed.table["rank"] == 1].drop_duplicates("group").set_index("group")["item"]
    assert [first[group + 1] for group in range(4)] == ["n0", "n1", "n2", "n3"]
    assert listed.metrics["new_items"]["shares"].keys() == {"categories"}
    assert listed.metrics["new_items"]["n_items"] == 5 and listed.metrics["new_items"]["slots"] == 2


def test_the_reasons_are_the_parts_that_the_score_is_made_of(listed, monkeypatch):
    monkeypatch.setattr(new_items, "MOST_REASONS", 100)
    whole = list_new_items(Cache(new_items=2), fit(), None).table
    assert whole.groupby(["group", "item"])["share"].sum().to_numpy() == pytest.approx(1)
    interest = group_interest(Predictor(DATA), GROUPS, DATA.n_items)
    _, near = new_items._likeness(DATA, NEW, 0)
    place = {item: at for at, item in enumerate(DATA.item_ids)}
    for one in whole[whole["group"] == 2].itertuples():
        part = near[[int(one.item[1:])]].toarray()[0, place[one.like]] * interest[1, place[one.like]]
        assert one.share * one.score == pytest.approx(part, rel=1e-4)
    few = listed.table
    assert few.groupby(["group", "item"]).size().max() == 5
    assert (few.groupby(["group", "item"])["share"].sum() <= 1).all()
    assert few["share"].equals(few.sort_values(["group", "rank", "share"], ascending=[True, True, False])["share"])


def test_interest_is_the_mean_chance_of_the_members_in_any_batches(monkeypatch):
    whole = group_interest(Predictor(DATA), GROUPS, DATA.n_items)
    expected = [Predictor(DATA).chances[GROUPS.labels == group].mean(axis=0) for group in range(4)]
    assert whole == pytest.approx(np.array(expected), rel=1e-5)
    monkeypatch.setattr(new_items, "rows_per_batch", lambda *given: 7)
    assert group_interest(Predictor(DATA), GROUPS, DATA.n_items) == pytest.approx(whole, rel=1e-5)


def test_without_places_or_items_or_anything_that_tells_nothing_is_listed():
    assert list_new_items(Cache(), fit(), None).table is None
    cache = Cache(new_items=1)
    assert list_new_items(cache, fit(replace(DATA, new_items=None)), None).table is None
    dumb = replace(DATA, item_attributes=pd.DataFrame({"category": ["any"] * 100}), item_labels=DATA.item_ids)
    none = list_new_items(cache, fit(dumb), None)
    assert none.table is None and none.metrics["new_items"]["shares"] == {}
    assert ["items has to name them" in cache.notes[0], "does not tell" in cache.notes[1]] == [True, True]


@pytest.mark.parametrize(
    "rules", [{"items": ("n1",)}, {"label_words": ("mug 1",)}, {"categories": ("category=category 1",)}]
)
def test_what_the_rules_exclude_is_not_listed(rules):
    table = list_new_items(Cache(new_items=2, **rules), fit(), None).table
    assert "n1" not in set(table["item"]) and "n0" in set(table["item"])


def test_an_excluded_id_may_be_of_a_new_item():
    assert not excluded_items(DATA, Exclusions(items=("n1",))).any()
    assert excluded_new(NEW, Exclusions(categories=("colour=red",))).sum() == 0


def test_new_items_take_their_places_and_the_others_move_down():
    lists = pd.DataFrame({"group": [1] * 12 + [2] * 12, "rank": [*range(1, 13)] * 2, "item": [*"abcdefghijkl"] * 2})
    new = pd.DataFrame({"group": [1, 1, 1, 2], "rank": [1, 1, 2, 1], "item": ["x", "x", "y", "z"], "share": 0.5})
    found = with_new_items(lists, new, 2)
    assert list(found.columns) == ["group", "rank", "item"] and len(found) == 24
    by_group = found.groupby("group")["item"].apply("".join)
    assert by_group[1] == "abcdxefghyij" and by_group[2] == "abcdzefghijk"
    assert found.groupby("group")["rank"].apply(list).tolist() == [[*range(1, 13)]] * 2


def test_everybody_has_new_items_of_their_own_taste(listed):
    first = listed.personal[listed.personal["rank"] == 1].set_index("user")["item"].reindex(DATA.user_ids)
    own = Predictor(DATA).chances.reshape(DATA.n_users, 4, 25).sum(axis=2).argmax(axis=1)
    assert (first.str[1:].astype(int).to_numpy() == own).mean() > 0.95
    assert listed.personal.groupby("user")["rank"].apply(list).map(lambda ranks: ranks[0]).eq(1).all()


def test_lists_of_any_length_keep_it_and_users_without_new_items_keep_theirs():
    lists = pd.DataFrame({"user": [*"aabbbb", *["c"] * 12], "rank": [1, 2, 1, 2, 3, 4, *range(1, 13)], "item": "old"})
    new = pd.DataFrame({"user": [*"ab", *["c"] * 3], "rank": [1, 1, 1, 2, 3], "item": "new", "score": 0.5})
    found = with_new_items(lists, new, 5, "user")
    assert found.groupby("user")["item"].apply(list).to_dict() == {
        "a": ["old", "new"],
        "b": ["old", "new", "old", "old"],
        "c": ["old", "new", "old", "new", "old", "new", *["old"] * 6],
    }
    assert found["rank"].tolist() == lists["rank"].tolist()


def test_only_exported_lists_have_them():
    lists = pd.DataFrame(
        [
            (1, method, use, rank + 1, "abc"[rank])
            for method in "mn"
            for use in ("strict", "dedup")
            for rank in range(3)
        ],
        columns=["group", "method", "regime", "rank", "item"],
    )
    lists = pd.concat([lists] + [lists.assign(rank=lists["rank"] + 3 * n) for n in (1, 2, 3)])
    new = pd.DataFrame({"group": [1], "rank": [1], "item": ["x"]})
    found = lists_with_new_items(lists, new, 1, {"strict": "m", "dedup": "n"})
    at = found[found["item"] == "x"]
    assert at[["method", "regime", "rank"]].to_numpy().tolist() == [["m", "strict", 10], ["n", "dedup", 10]]
    assert len(found) == len(lists)


def test_a_trained_run_lists_an_item_that_nobody_has(unlike_run: Run):
    lists, new = unlike_run.table("group_lists"), unlike_run.table("new_items")
    assert not set(new["item"]) & set(unlike_run.table("items")["item"])
    method = unlike_run.metrics()["list_method"]
    for regime, kind in method.items():
        own = lists[(lists["method"] == kind) & (lists["regime"] == regime)]
        assert (own[own["rank"] == 10]["item"].str.startswith("new category")).all()
        assert (
            own.groupby("group")["rank"]
            .apply(lambda ranks: (np.sort(ranks) == np.arange(1, len(ranks) + 1)).all())
            .all()
        )


def test_a_trained_run_lists_it_for_every_user_too_and_so_does_its_stream(unlike_run: Run, tmp_path):
    lists, known = unlike_run.table("user_lists"), set(unlike_run.table("items")["item"])
    new = ~lists["item"].isin(known)
    assert new.groupby(lists["user"]).any().all() and set(lists.loc[new, "rank"]) == {10, 20, 30, 40}
    run = copy_of(unlike_run, RunStore(tmp_path))
    user, item = lists["user"].iloc[0], lists.loc[~new, "item"].iloc[0]
    with Stream.open(RunStore(tmp_path), run) as stream:
        assert stream.apply(pd.DataFrame({"user": [user], "item": [item], "time": ["2024-01-01"]})).applied == 1
        export_stream(stream, tmp_path / "out")
    own = pd.read_csv(tmp_path / "out" / "user_lists.csv", dtype=str).query("user == @user")
    assert own.loc[~own["item"].isin(known), "rank"].tolist() == ["10", "20", "30", "40"]
    assert own["rank"].tolist() == [str(n) for n in range(1, len(own) + 1)]
