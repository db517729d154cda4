"""Replaying a part through the live state: what is judged when, the drift, and the weight that it chooses."""

from dataclasses import replace as changed

import numpy as np
import pytest
from scipy.special import expit, softmax

from grouprec.data.dataset import Interactions
from grouprec.data.synthetic import planted
from grouprec.live.replay_value import choose_weight, replay
from grouprec.live.state import LiveState
from grouprec.models.encoders.ease import EaseEncoder
from grouprec.models.fitting import RunOptions
from grouprec.models.groupers.kmeans import KMeansGrouper
from grouprec.ranking.candidates import find_candidates, make_preference
from grouprec.runs.snapshot import FitSnapshot

DATA = planted(n_users=120, n_items=160, n_groups=4, events_per_user=20, noise=0.0).data
TEST = DATA.test
DAY = 86_400.0
SAME = ["window", "n_events", "n_users", "until", "changed_group", "size_change", "centre_shift", "list_overlap"]


class Successor:
    """Foretells the items right after the last one; without an event, nothing."""

    def start(self, data, run):
        return np.full((data.n_users, 1), -1.0, np.float32)

    def update(self, states, item_rows):
        return np.asarray(item_rows, np.float32)[:, None]

    def chances(self, states):
        ahead = np.arange(DATA.n_items) - states
        return softmax(np.where((states >= 0) & (ahead > 0) & (ahead <= 3), 6.0, 0.0), axis=1).astype(np.float32)


class Misled(Successor):
    """Foretells what is far behind."""

    def chances(self, states):
        return super().chances((states - 80) % 160)


@pytest.fixture(scope="module")
def fitted():
    data = DATA.before_test()
    found = find_candidates(EaseEncoder().fit(data, RunOptions()).embeddings(data), data.histories, n=40)
    chances = np.where(found.items >= 0, expit(4 * found.scores - 3), 0).astype(np.float32)
    preference = make_preference(changed(found, scores=chances), size=16)
    grouper = KMeansGrouper(KMeansGrouper.Config.for_preset("quick")).fit(data, preference, 4, RunOptions())
    return data, preference, grouper


@pytest.fixture(scope="module")
def make(fitted):
    data, preference, grouper = fitted
    groups = grouper.groups()

    def make(weight=1.0, updater=None):
        updater = updater or Successor()
        base = FitSnapshot(
            data.user_ids,
            data.item_ids,
            data.item_labels,
            data.histories,
            preference.candidates,
            groups.labels,
            groups.n_groups,
            updater.start(data, RunOptions()),
            np.full(data.n_users, -np.inf),
            preference.components,
            weight,
            False,
        )
        return LiveState(base, updater, grouper)

    return make


def test_every_event_is_replayed_once_in_windows_of_equal_size(make):
    seen = []

    class Recorder(LiveState):
        def events(self, user_rows, item_rows):
            seen.extend(zip(user_rows.tolist(), item_rows.tolist(), strict=True))
            super().events(user_rows, item_rows)

    def recorded():
        state = make()
        state.__class__ = Recorder
        return state

    table = replay(recorded, TEST, n_windows=7)
    assert sorted(seen) == sorted(zip(TEST.user_rows.tolist(), TEST.item_rows.tolist(), strict=True))
    windows = table[SAME].drop_duplicates()
    assert windows["window"].tolist() == list(range(1, 8)) and windows["n_events"].sum() == len(TEST)
    assert windows["n_events"].max() - windows["n_events"].min() <= 1
    assert (np.diff(windows["until"]) >= 0).all() and windows["until"].iloc[-1] == np.max(TEST.times)
    assert len(table) == 7 * 6


def test_the_first_window_is_judged_by_the_lists_of_the_start(make):
    table = replay(make, TEST, n_windows=3)
    first = table[table["window"] == 1]
    assert (first["frozen"] == first["updated"]).all() and (first["difference"] == 0).all()
    state = make()
    lists, order = state.group_lists(), np.argsort(TEST.times, kind="stable")[: len(TEST) // 3]
    hits = {}
    for user, item in zip(TEST.user_rows[order].tolist(), TEST.item_rows[order].tolist(), strict=True):
        if DATA.known[user, item] == 0:
            hits.setdefault(user, set()).add(item in lists.strict[state.labels[user], :10])
    row = first[(first["regime"] == "strict") & (first["metric"] == "hit_rate@10")].iloc[0]
    assert row["n_judged"] == len(hits)
    assert row["frozen"] == pytest.approx(np.mean([any(found) for found in hits.values()]))


def twice(part):
    """Return the events of a part, then all of them again."""
    both = [np.tile(one, 2) for one in (part.user_rows, part.item_rows, part.weights)]
    return Interactions(*both, np.concatenate([part.times, part.times + 1000 * DAY]))


def test_what_an_earlier_window_held_is_new_to_nobody(make):
    table = replay(make, twice(TEST), n_windows=2)
    judged = table.groupby("window")["n_judged"].first()
    new = DATA.known[TEST.user_rows, TEST.item_rows] == 0
    assert judged.tolist() == [len(np.unique(TEST.user_rows[new])), 0]


def test_a_weight_is_judged_by_what_is_new_before_every_event(make):
    part = twice(TEST)
    _, tried = choose_weight(make, part)
    state, known = make(0.0), {user: set(DATA.known[[user]].indices) for user in range(DATA.n_users)}
    values = []
    for user in np.unique(part.user_rows):
        rows = np.flatnonzero(part.user_rows == user)
        events, own = part.item_rows[rows[np.argsort(part.times[rows], kind="stable")]].tolist(), []
        for place, item in enumerate(events[:12]):
            wanted = set(events[place : place + 10]) - known[user]
            listed = state.user_list(user, 10)[0].tolist()
            if wanted:
                gain = sum(1 / np.log2(n + 2) for n, one in enumerate(listed) if one in wanted)
                own.append(gain / sum(1 / np.log2(n + 2) for n in range(min(10, len(wanted)))))
            state.event(user, item)
            known[user].add(item)
        values += [np.mean(own)] if own else []
    assert tried["ndcg@10"][0] == pytest.approx(np.mean(values)) and np.mean(values) > 0


def test_updates_that_foretell_raise_the_value_of_the_lists(make):
    table = replay(make, TEST, n_windows=4)
    last = table[(table["window"] == 4) & (table["metric"] == "ndcg@10")].set_index("regime")
    assert np.allclose(last["difference"], last["updated"] - last["frozen"])
    assert (last["low"] <= last["difference"]).all() and (last["difference"] <= last["high"]).all()
    assert last.loc["dedup", "updated"] > last.loc["dedup", "frozen"]


def test_nothing_drifts_where_nothing_counts_and_groups_move_where_it_does(make):
    still, moving = (replay(lambda w=w: make(w), TEST, n_windows=4) for w in (0.0, 2.0))
    assert still["centre_shift"].max() < moving["centre_shift"].max()
    assert moving["list_overlap"].min() < 1 and moving["changed_group"].max() > 0
    grown = moving[["window", "centre_shift"]].drop_duplicates()["centre_shift"]
    assert grown.iloc[-1] > grown.iloc[0] > 0


def test_the_drift_after_the_last_window_is_that_of_the_final_state(make):
    state, table = make(), replay(make, TEST, n_windows=1)
    before, labels = state.sizes, state.labels.copy()
    strict = state.group_lists().strict[:, :10]
    for order in np.argsort(TEST.times, kind="stable"):
        state.event(int(TEST.user_rows[order]), int(TEST.item_rows[order]))
    row = table.iloc[-1]
    assert row["changed_group"] == (state.labels != labels).mean()
    assert row["size_change"] == pytest.approx(np.abs(state.sizes - before).sum() / 2 / DATA.n_users)
    after = state.group_lists().strict[:, :10]
    shared = [len(set(one) & set(other)) for one, other in zip(strict, after, strict=True)]
    assert row["list_overlap"] == pytest.approx(np.mean([n / (20 - n) for n in shared]))


def test_a_larger_part_is_replayed_for_some_users(make):
    table = replay(make, TEST, n_windows=2, most_events=50)
    n_events = table[["window", "n_events"]].drop_duplicates()["n_events"].sum()
    assert 40 <= n_events <= 50
    assert table.equals(replay(make, TEST, n_windows=2, most_events=50))


def test_an_empty_part_gives_no_rows(make):
    table = replay(make, Interactions.empty(timed=True))
    assert table.empty and set(SAME) < set(table.columns)
    weight, tried = choose_weight(make, Interactions.empty(timed=True))
    assert weight == 0 and tried["ndcg@10"].isna().all()


def test_an_updater_that_foretells_gets_a_weight_and_one_that_misleads_gets_none(make):
    weight, tried = choose_weight(lambda weight: make(weight, Successor()), TEST)
    none, _ = choose_weight(lambda weight: make(weight, Misled()), TEST)
    assert weight > 0 and none == 0
    values = tried.set_index("weight")["ndcg@10"]
    assert values[weight] == values.max() > values[0.0] * 1.2
    assert (tried["low"] <= tried["ndcg@10"]).all() and (tried["ndcg@10"] <= tried["high"]).all()
