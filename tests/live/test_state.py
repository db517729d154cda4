"""Live updates: one event moves one user, the sums stay true, and a snapshot is the state itself."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from grouprec.core.types import Candidates, DataError, Groups, SettingError, StorageError
from grouprec.models.placement import AttributePlacer
from grouprec.ranking.group_lists import STRICT_DEPTH, members_mean, worth
from grouprec.runs.snapshot import LeftOutUsers
from tests.live.world import DATA, KNOWN, WIDTH, assert_same, make, the_base, the_updater


def play(state, moves):
    """Turn drawn numbers into events, judgements, new users and new items, whatever is there by then."""
    for kind, user, item, factor in moves:
        user, item = user % len(state.user_ids), item % len(state.item_ids)
        if kind == "user":
            state.add_user(f"new {len(state.user_ids)}", {"region": f"region {user % 5}"})
        elif kind == "item":
            state.add_item(f"new {len(state.item_ids)}", like=item if factor > 1 else None)
        elif kind == "judge":
            state.judge(item, factor, user_row=user)
        elif kind == "judge group":
            state.judge(item, factor, group=user % len(state.sizes))
        else:
            state.event(user, item)


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["event"] * 6 + ["user", "item", "judge", "judge group"]),
        st.integers(0, 1000),
        st.integers(0, 1000),
        st.sampled_from([0.0, 0.5, 2.0]),
    ),
    max_size=25,
)


def test_before_any_event_the_lists_are_those_of_the_fit():
    for repeats in (False, True):
        state, base = make(repeats=repeats), the_base()
        histories = sparse.csr_array(DATA.shape, dtype=np.float32) if repeats else DATA.histories
        expected = members_mean(base.candidates, Groups(base.labels, base.n_groups), histories, seed=0)
        lists = state.group_lists()
        for name in ("strict", "strict_scores", "ranking", "ranking_scores"):
            assert np.array_equal(getattr(lists, name), getattr(expected, name))
        for group in range(base.n_groups):
            items, scores = state.group_list(group, "strict", STRICT_DEPTH)
            assert scores == pytest.approx(expected.strict_scores[group, : len(scores)], rel=1e-5)
            assert items[:20].tolist() == expected.strict[group, :20].tolist()
        assert state.difference() == 0


def test_the_live_ranking_is_the_mean_over_members_who_lack_the_item():
    state, base = make(), the_base()
    members = base.labels == 1
    wanted = worth(base.candidates)[members].sum(axis=0)
    lacking = members.sum() - (DATA.histories[members] != 0).sum(axis=0)
    items, scores = state.group_list(1, "dedup", 10)
    assert scores == pytest.approx((wanted / np.maximum(lacking, 1))[items], rel=1e-5)
    assert scores.min() >= np.sort(wanted / np.maximum(lacking, 1))[-10] * (1 - 1e-5)


@pytest.mark.parametrize("grouper", ["kmeans", "lists", "behaviour"])
@given(moves=MOVES)
@settings(max_examples=12)
def test_after_any_stream_the_sums_equal_a_recount(grouper, moves):
    state = make(grouper)
    play(state, moves)
    assert state.difference() < 1e-9
    groups, candidates = Groups(state.labels, len(state.sizes)), state.candidates()
    sums = np.stack([worth(candidates)[groups.labels == g].sum(axis=0) for g in range(groups.n_groups)])
    assert state._groups.sums == pytest.approx(sums, abs=1e-5 * float(sums.max()))
    owned = state.histories()[:, : DATA.n_items] != 0
    owners = np.stack([owned[groups.labels == g].sum(axis=0) for g in range(groups.n_groups)])
    assert np.array_equal(state._groups.owners, owners)
    assert np.array_equal(state._groups.popularity, owners.sum(axis=0))
    assert np.array_equal(state.sizes, groups.sizes)


@pytest.mark.parametrize("grouper", ["kmeans", "lists"])
@given(before=MOVES, after=MOVES)
@settings(max_examples=10)
def test_a_restored_state_goes_on_bit_for_bit(grouper, before, after):
    one, other = make(grouper), make(grouper)
    play(one, before)
    saved = copy.deepcopy(one.arrays())
    other.event(5, 5)  # a used state forgets what it was
    other.restore(saved)
    assert_same(other.arrays(), saved)
    play(one, after)
    play(other, after)
    assert_same(one.arrays(), other.arrays())
    assert np.array_equal(one._groups.sums, other._groups.sums)
    assert np.array_equal(one._groups.owners, other._groups.owners)
    assert (one.user_ids, one.item_ids, one.item_labels) == (other.user_ids, other.item_ids, other.item_labels)
    for group in range(len(one.sizes)):
        mine, theirs = one.group_list(group, "dedup"), other.group_list(group, "dedup")
        assert np.array_equal(mine[0], theirs[0]) and np.array_equal(mine[1], theirs[1])


def test_a_snapshot_holds_touched_users_only_and_belongs_to_its_base():
    state = make()
    for user, item in ((3, 1), (7, 2), (3, 4)):
        state.event(user, item)
    saved = state.arrays()
    assert saved["users"].tolist() == [3, 7] and saved["items"].shape == (2, WIDTH)
    assert state.n_events == 3
    full = the_base().candidates
    other = make(candidates=Candidates(full.items[:, :20], full.scores[:, :20], full.n_items))
    with pytest.raises(StorageError, match="another fit"):
        other.restore(saved)


def test_the_same_events_one_by_one_and_at_once_agree():
    users, items = np.arange(40), np.arange(40) + 10
    one, other = make("lists"), make("lists")
    for user, item in zip(users.tolist(), items.tolist(), strict=True):
        one.event(user, item)
    other.events(users, items)
    assert one.n_events == other.n_events == 40
    assert one.candidates().scores == pytest.approx(other.candidates().scores, abs=1e-6)
    assert (one.labels == other.labels).mean() > 0.97  # ties within rounding may fall either way
    with pytest.raises(ValueError, match="one event per user"):
        other.events(np.array([1, 1]), np.array([2, 3]))


def test_without_weight_the_candidates_only_lose_what_was_taken():
    state = make(weight=0.0)
    before = the_base().candidates
    taken = int(before.items[9, 4])
    state.event(9, taken)
    items, scores = state.user_list(9, WIDTH)
    kept = before.items[9] != taken
    kept &= before.items[9] >= 0
    assert items.tolist() == before.items[9][kept].tolist()
    assert np.array_equal(scores, before.scores[9][kept])
    with_repeats = make(weight=0.0, repeats=True)
    with_repeats.event(9, taken)
    assert with_repeats.user_list(9, WIDTH)[0].tolist() == before.items[9][before.items[9] >= 0].tolist()


def test_the_chances_are_moved_by_what_the_updater_changed_its_mind_about():
    state, base, user = make(weight=0.7), the_base(), 9
    item = int(base.candidates.items[user, 3])
    state.event(user, item)
    states = np.stack([base.states[user], the_updater().update(base.states[[user]], np.array([item]))[0]])
    chances = the_updater().chances(states).astype(np.float64)
    odds = base.candidates.scores[user] / (1 - base.candidates.scores[user])
    moved = odds * ((chances[1] / chances[0]) ** 0.7)[base.candidates.items[user]]
    expected = dict(zip(base.candidates.items[user].tolist(), (moved / (1 + moved)).tolist(), strict=True))
    items, chances = state.user_list(user, WIDTH)
    assert (np.diff(chances) <= 0).all() and item not in items
    known = np.isin(items, base.candidates.items[user])
    assert known.sum() > WIDTH / 2
    assert chances[known] == pytest.approx([expected[i] for i in items[known].tolist()], rel=1e-4)


def test_items_from_outside_the_candidates_rise_into_the_list():
    # Users of one taste take items of another; items of that one, not among the candidates, come in.
    state, before = make(), the_base().candidates
    users = np.flatnonzero(KNOWN.labels == 0)[:10]
    for item in KNOWN.favourites[2][:6].tolist():
        state.events(users, np.full(10, item))
    new = [np.setdiff1d(state.user_list(int(user), WIDTH)[0], before.items[user]) for user in users]
    by_taste = np.bincount(np.concatenate(new) // 40, minlength=4)
    assert by_taste.argmax() == 2 and by_taste[2] > 2 * by_taste[0]


@pytest.mark.parametrize("grouper", ["kmeans", "lists", "nmf"])
def test_users_who_take_anothers_groups_items_move_there(grouper):
    state = make(grouper, weight=8.0)
    of_taste = [np.bincount(state.labels[KNOWN.labels == taste]).argmax() for taste in range(4)]
    arrived, stayed = [], []
    for taste in range(4):
        other = (taste + 1) % 4
        members = np.flatnonzero((KNOWN.labels == taste) & (state.labels == of_taste[taste]))
        stays, leaves = members[:5].tolist(), members[5:10].tolist()
        for step in range(12):
            for user in leaves:
                change = state.event(user, int(KNOWN.favourites[other][(7 * user + step) % 40]))
            for user in stays:
                state.event(user, int(KNOWN.favourites[taste][(7 * user + step) % 40]))
        assert change.group_after == state.labels[leaves[-1]]
        arrived += (state.labels[leaves] == of_taste[other]).tolist()
        stayed += (state.labels[stays] == of_taste[taste]).tolist()
    assert np.mean(arrived) >= 0.8 and np.mean(stayed) >= 0.9


def test_a_move_is_reported_with_both_groups_and_changes_their_lists():
    state = make(weight=8.0)
    user = int(np.flatnonzero(KNOWN.labels == 0)[0])
    sizes = state.sizes
    for item in KNOWN.favourites[1].tolist():
        change = state.event(user, item)
        if change.group_before != change.group_after:
            break
    assert change.groups == (change.group_before, change.group_after) and change.item_row == item
    assert state.sizes[change.group_before] == sizes[change.group_before] - 1
    assert state.sizes[change.group_after] == sizes[change.group_after] + 1


def test_attributes_do_not_change_with_events():
    state = make("attributes", weight=8.0)
    before = state.labels.copy()
    state.events(np.arange(60), np.full(60, 7))
    assert np.array_equal(state.labels, before) and state.difference() < 1e-9


def test_who_the_fit_has_elsewhere_than_the_rule_stays_until_its_answer_changes():
    # As the behaviour grouper does, whose fit knows when its users were last seen and whose rule does not.
    labels = the_base().labels.copy()
    user = int(np.flatnonzero(KNOWN.labels == 0)[0])
    rule = int(labels[user])
    labels[user] = (rule + 1) % 4
    state = make(weight=8.0, labels=labels)
    own = np.setdiff1d(KNOWN.favourites[0], DATA.histories[[user]].indices)
    state.event(user, int(own[0]))
    assert state._users.placed[state._users.slots[user]] == rule and state.labels[user] == labels[user]
    for item in KNOWN.favourites[3][:12].tolist():
        state.event(user, item)
    assert state.labels[user] == state._users.placed[state._users.slots[user]] != rule


def test_a_new_user_starts_in_the_group_of_their_attributes_with_its_ranking():
    placer = AttributePlacer().fit(DATA.user_attributes, the_base().labels)
    assert placer.helps
    state = make(placer=placer)
    for taste in range(4):
        group = int(np.bincount(the_base().labels[KNOWN.labels == taste]).argmax())
        ranking = state.group_list(group, "dedup", WIDTH)[0]
        row = state.add_user(f"guest {taste}", {"region": f"region {taste}", "shoe size": 44})
        assert state.user_row(f"guest {taste}") == row == DATA.n_users + taste
        assert state.labels[row] == group
        items, chances = state.user_list(row, WIDTH)
        assert items.tolist() == ranking.tolist() and ((chances > 0) & (chances < 1)).all()
    assert state.sizes.sum() == DATA.n_users + 4 and state.difference() < 1e-9
    assert make().labels[0] >= 0 and make().add_user("nobody") == DATA.n_users
    with pytest.raises(DataError, match="known already"):
        state.add_user("guest 0")


def test_new_users_are_in_the_largest_group_until_their_events_tell():
    state = make(weight=8.0)
    target = int(np.bincount(state.labels[KNOWN.labels == 3]).argmax())
    rows = [state.add_user(f"stranger {n}") for n in range(8)]
    assert target != 0 and not state.labels[rows].any()
    for n, row in enumerate(rows):
        taken = KNOWN.favourites[3][4 * n : 4 * n + 8].tolist()
        for item in taken:
            state.event(row, item)
        assert state.histories()[[row]].indices.tolist() == taken
    assert (state.labels[rows] == target).mean() > 0.7


def test_a_new_item_moves_the_user_as_its_stand_in_does_and_is_never_listed():
    known, alike, unknown = make(), make(), make()
    known.event(4, 50)
    row = alike.add_item("novelty", "A novelty", like=50)
    assert alike.item_row("novelty") == row == DATA.n_items and alike.item_labels[row] == "A novelty"
    alike.event(4, row)
    states = [state._users.states[state._users.slots[4]] for state in (known, alike)]
    assert np.array_equal(*states)
    row = unknown.add_item("mystery")
    before = unknown.user_list(4)[0].tolist()
    unknown.event(4, row)
    assert unknown.user_list(4)[0].tolist() == before  # nothing is known of it, so nothing moves
    assert unknown.item_labels[row] == "mystery"
    assert row in unknown.histories()[[4]].indices and unknown.histories().shape == (DATA.n_users, DATA.n_items + 1)
    everything = np.concatenate([unknown.group_list(group, "strict", 500)[0] for group in range(4)])
    assert everything.max() < DATA.n_items and unknown.group_lists().ranking.max() < DATA.n_items
    with pytest.raises(DataError, match="known already"):
        unknown.add_item("mystery")


def test_an_item_taken_again_weighs_more_and_counts_once():
    state = make()
    item = int(DATA.histories[[2]].indices[0])
    weight, owners = DATA.histories[2, item], state._groups.owners.copy()
    state.event(2, item)
    assert state.histories()[2, item] == weight + 1
    assert np.array_equal(state._groups.owners.sum(axis=0), owners.sum(axis=0))


def test_hiding_an_item_takes_it_off_a_users_and_a_groups_lists():
    state = make(weight=0.5)
    item = int(state.user_list(11)[0][0])
    group = int(state.labels[11])
    change = state.judge(item, 0, user_row=11)
    assert item not in state.user_list(11)[0] and change.group_before == group
    state.event(11, int(state.user_list(11)[0][0]))
    assert item not in state.user_list(11)[0]  # for good
    first = int(state.group_list(group, "strict")[0][0])
    assert state.judge(first, 0, group=group).groups == (group,)
    lists = state.group_lists()
    for regime, full in (("strict", lists.strict), ("dedup", lists.ranking)):
        assert first not in state.group_list(group, regime, 80)[0] and first not in full[group]
    assert state.n_events == 1


def test_liking_an_item_brings_it_up():
    state = make()
    group = 1
    items = state.group_list(group, "strict", 20)[0]
    state.judge(int(items[9]), 10.0, group=group)
    assert state.group_list(group, "strict", 20)[0][0] == items[9] == state.group_lists().strict[group, 0]
    outside = np.setdiff1d(np.arange(DATA.n_items), state.user_list(11, WIDTH)[0])
    outside = np.setdiff1d(outside, DATA.histories[[11]].indices)
    state.judge(int(outside[0]), 1000.0, user_row=11)
    assert state.user_list(11)[0][0] == outside[0]
    owned = int(DATA.histories[[11]].indices[0])
    state.judge(owned, 1000.0, user_row=11)
    assert owned not in state.user_list(11, WIDTH)[0]
    assert state.difference() < 1e-9


def test_judgements_that_say_nothing_are_refused():
    state = make()
    with pytest.raises(SettingError, match="0 or more"):
        state.judge(1, -1.0, user_row=0)
    with pytest.raises(SettingError, match="user or the group"):
        state.judge(1, 2.0)


def test_what_rules_bar_is_in_no_list_however_much_it_rises():
    excluded = np.zeros((the_base().n_groups, DATA.n_items), bool)
    outside = np.setdiff1d(KNOWN.favourites[2], the_base().candidates.items[0])
    excluded[:, outside] = True
    excluded[0, KNOWN.favourites[0]] = True
    state = make(weight=8.0, excluded=excluded)
    for item in np.setdiff1d(KNOWN.favourites[2], outside)[:6].tolist():
        state.event(0, item)
    assert not np.isin(state.user_list(0, WIDTH)[0], outside).any()
    lists = state.group_lists()
    for group in range(len(state.sizes)):
        assert not excluded[group, state.group_list(group, "strict", 80)[0]].any()
        assert not excluded[group, lists.strict[group][lists.strict[group] >= 0]].any()
    assert state.arrays()["judged_by_groups"].size == 0


def left_out(n: int = 3) -> LeftOutUsers:
    """Say that the first users of the fit have namesakes who took no part in it."""
    base = the_base()
    candidates = Candidates(base.candidates.items[:n, :20], base.candidates.scores[:n, :20], DATA.n_items)
    ids = np.array([f"left {row}" for row in range(n)], object)
    return LeftOutUsers(
        ids, base.histories[:n], candidates, base.labels[:n], base.states[:n], np.arange(n, dtype=float)
    )


def test_who_was_left_out_of_training_comes_in_with_what_the_file_says_of_them() -> None:
    state = make(left_out=left_out())
    others = make()
    new = state.add_user("left 1", {"town": "nowhere"})
    had = set(DATA.histories[[1]].indices.tolist())
    assert state.labels[new] == the_base().labels[1] and state.difference() < 1e-9
    assert state.user_list(new)[0].tolist() == the_base().candidates.items[1, :20].tolist()
    assert set(state.histories()[[new]].indices.tolist()) == had
    item = next(item for item in range(DATA.n_items) if item not in had)
    state.event(new, item)
    others.event(1, item)
    assert not set(state.user_list(new)[0].tolist()) & (had | {item})
    assert state.labels[new] == others.labels[1] and state.difference() < 1e-9
    assert np.array_equal(state.user_list(new, 5)[0], others.user_list(1, 5)[0]), "they are one user to the model"
    stranger = state.add_user("unheard of")
    assert not state.histories()[[stranger]].nnz
    again = make(left_out=left_out())
    again.restore(state.arrays())
    assert_same(again.arrays(), state.arrays())
    assert np.array_equal(again.user_list(new)[0], state.user_list(new)[0])
