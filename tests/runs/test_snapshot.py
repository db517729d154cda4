"""What a stream starts from, in its file, and the quick twins of formulas for all users."""

import errno
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from grouprec.core.types import Candidates, StorageError
from grouprec.explore.remake import count_items, list_for_all
from grouprec.live.groups import count_groups
from grouprec.live.rows import add_worth, positions
from grouprec.live.state import LiveState
from grouprec.live.users import Rows
from grouprec.ranking.candidates import place_preference
from grouprec.ranking.group_lists import worth
from grouprec.runs import snapshot
from grouprec.runs.snapshot import FitSnapshot, csr_around, pack_text, unpack_text
from tests.live.world import DATA, assert_same, the_base, the_grouper, the_preference, the_updater


def test_the_base_is_read_back_as_it_was_and_never_changed(tmp_path):
    excluded = np.zeros((the_base().n_groups, DATA.n_items), bool)
    excluded[1, 3] = True
    names = DATA.item_labels.copy()
    names[:3] = ["Ünïcode ☕", "", "a\0b"]
    base = replace(the_base(), item_labels=names, weight=0.1, seed=3, excluded=excluded)
    path = tmp_path / "live" / "base.safetensors"
    base.save(path)
    content = path.read_bytes()
    again = FitSnapshot.load(path)
    assert again.item_labels.tolist() == names.tolist() and again.user_ids.tolist() == DATA.user_ids.tolist()
    assert (again.weight, again.repeats, again.n_groups, again.seed) == (0.1, False, base.n_groups, 3)
    for name in ("labels", "states", "last_times", "components", "excluded"):
        mine, theirs = getattr(again, name), getattr(base, name)
        assert mine.dtype == theirs.dtype and np.array_equal(mine, theirs) and not mine.flags.writeable
    assert (again.histories != base.histories).nnz == 0
    assert np.shares_memory(again.candidates.scores, again.labels.base)  # one mapping, nothing was copied
    one, other = (LiveState(which, the_updater(), the_grouper("kmeans")) for which in (base, again))
    for state in (one, other):
        state.events(np.arange(30), np.arange(30))
        state.add_user("guest")
        state.event(120, 5)
    assert_same(one.arrays(), other.arrays())
    assert path.read_bytes() == content and [file.name for file in path.parent.iterdir()] == [path.name]


def test_what_was_counted_over_all_users_is_read_and_forgotten_with_them(tmp_path):
    base, path = the_base(), tmp_path / "base.safetensors"
    counts = {**count_groups(base), **count_items(base)}
    base.save(path, counts)
    again = FitSnapshot.load(path)
    assert set(again.counts) == {"sums", "owners", "chances", "places"} and not base.counts
    assert not replace(again, labels=again.labels).counts  # made of others, it is counted again
    assert list_for_all(again).tolist() == list_for_all(base).tolist()
    one, other = (LiveState(which, the_updater(), the_grouper("kmeans")) for which in (base, again))
    for n in range(2):
        assert (one.group_list(0, "strict")[0] == other.group_list(0, "strict")[0]).all()
        assert one._groups.difference(one._users) == other._groups.difference(other._users) == 0
        for state in (one, other):
            state.events(np.arange(30) + n, np.arange(30))
    assert_same(one.arrays(), other.arrays())
    assert (again.counts["sums"] == counts["sums"]).all()  # events change a copy


def test_counts_of_very_many_groups_and_items_are_not_written(monkeypatch):
    monkeypatch.setattr("grouprec.live.groups.MOST_KEPT", 0)
    assert not count_groups(the_base())


def test_a_damaged_base_is_refused(tmp_path):
    path = tmp_path / "base.safetensors"
    with pytest.raises(StorageError, match="missing or damaged"):
        FitSnapshot.load(path)
    the_base().save(path)
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(StorageError, match="missing or damaged"):
        FitSnapshot.load(path)
    with pytest.raises(StorageError, match="Cannot write"):
        the_base().save(path / "below a file")


def test_rows_are_what_the_formulas_for_all_users_give():
    candidates = the_preference().candidates
    short = Candidates(candidates.items.copy(), candidates.scores.copy(), candidates.n_items)
    short.items[::3, 12:], short.scores[::3, 12:] = -1, 0
    short.items[5], short.scores[5] = -1, 0
    for one in (candidates, short):
        expected = place_preference(one, the_preference()).space
        assert positions(one, the_preference().components) == pytest.approx(expected, abs=1e-6)
        sums = np.zeros((one.n_users, one.n_items))
        add_worth(sums, np.arange(one.n_users), one.items, one.scores)
        assert sums == pytest.approx(worth(one).toarray(), abs=1e-6)


@pytest.mark.parametrize("name", ["lists", "nmf"])
def test_one_user_alone_is_placed_as_among_all(name):
    none = pd.DataFrame(index=range(DATA.n_users))
    together = the_grouper(name).distances(the_preference(), DATA.histories, none)
    for user in range(0, DATA.n_users, 7):
        alone = place_preference(the_preference().candidates.take(np.array([user])), the_preference())
        apart = the_grouper(name).distances(alone, DATA.histories[[user]], none.iloc[:1])
        assert apart[0] == pytest.approx(together[user], abs=2e-3)
        assert together[user, apart[0].argmin()] <= together[user].min() + 2e-3


def test_rows_keep_their_content_when_they_need_more_room():
    rows = Rows(np.zeros((0, 2), np.int32))
    for n in range(100):
        rows.add(np.array([[n, -n]], np.int32))
    assert rows.rows[:, 0].tolist() == list(range(100)) and rows.rows[99, 1] == -99


def test_the_file_may_be_read_by_whom_other_files_may(tmp_path):
    (tmp_path / "other").touch()
    the_base().save(tmp_path / "base.safetensors")
    assert (tmp_path / "base.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_what_was_held_out_is_read_back_and_files_without_it_have_none(tmp_path):
    held_out = sparse.csr_array(([1.0, 1.0, 1.0], ([0, 5, 5], [7, 2, 9])), shape=DATA.shape, dtype=np.float32)
    path = tmp_path / "several" / "folders" / "base.safetensors"
    for base in (replace(the_base(), held_out=held_out), the_base()):
        base.save(path)
        again = FitSnapshot.load(path)
        if base.held_out is None:
            assert again.held_out is None and again.excluded is None and again.seed == 0
        else:
            assert again.held_out.shape == DATA.shape and (again.held_out != held_out).nnz == 0
            assert again.held_out.data.tolist() == [1, 1, 1]
        assert again.candidates.n_items == DATA.n_items


def test_the_header_of_the_file_is_sorted_so_that_it_is_the_same_every_time(tmp_path):
    path = tmp_path / "base.safetensors"
    the_base().save(path)
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert list(header["__metadata__"]) == ["n_groups", "repeats", "seed", "weight"]


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(snapshot, "save_file", full)
    with pytest.raises(StorageError, match="free some space"):
        the_base().save(tmp_path / "base.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_texts_are_packed_in_bytes_with_their_ends():
    packed = pack_text("names", ["a", "", "é"])
    assert packed["names_text"].tobytes() == "aé".encode() and packed["names_ends"].tolist() == [1, 1, 3]
    assert unpack_text("names", packed).tolist() == ["a", "", "é"]
    assert unpack_text("names", pack_text("names", [])).tolist() == []


def test_a_matrix_is_put_around_its_arrays_only_where_they_fit():
    def around(values=100, columns=100, ends=(0, 40, 100), shape=(2, 120)):
        rows = np.arange(columns, dtype=np.int32)
        return csr_around(np.ones(values, np.float32), rows, np.array(ends), shape)

    assert around().toarray().sum(axis=1).tolist() == [40, 60]
    assert around().indices.dtype == around().indptr.dtype == np.int32
    for wrong in (
        {"shape": (3, 120)},
        {"shape": (1, 120)},
        {"ends": (0, 40, 99)},
        {"ends": (0, 40, 101)},
        {"values": 99},
        {"columns": 99},
        {"ends": (0, 100, 40)},
    ):
        with pytest.raises(ValueError, match="are no matrix"):
            around(**wrong)
    assert around(0, 0, (0,), (0, 5)).shape == (0, 5)
