"""Edits of groups: what they allow, what they leave, and that undo restores exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouprec.core.types import StorageError
from grouprec.explore import edits
from grouprec.explore.edits import Edit, EditError, EditHistory, Grouping

NAMES = {1: "Bags", 2: "Lights", 3: "Towels"}


def trained() -> Grouping:
    """Groups of 4, 3 and 2 fitted users; the last user of group 3 joined later."""
    labels = np.array([1, 1, 1, 1, 2, 2, 2, 3, 3, 3])
    return Grouping.of(labels, np.arange(10) < 9, NAMES)


def test_a_merge_keeps_the_number_and_name_of_the_largest_group() -> None:
    merged = trained().apply(Edit("merge", (3, 2)))
    assert merged.labels.tolist() == [1, 1, 1, 1, 2, 2, 2, 2, 2, 2]
    assert merged.sizes == {1: 4, 2: 5}
    assert merged.names[2] == "Lights"
    assert merged.changed == {2}


def test_new_groups_get_the_next_number_which_is_never_used_again() -> None:
    first = trained().apply(Edit("form", text="New", rows=(0, 4)))
    assert first.labels[[0, 4]].tolist() == [4, 4] and first.names[4] == "New"
    gone = first.apply(Edit("merge", (1, 4)))
    assert gone.apply(Edit("form", text="Newer", rows=(0,))).labels[0] == 5


def test_a_split_moves_the_given_members_and_leaves_the_others() -> None:
    split = trained().apply(Edit("split", (1,), "Small bags", (1, 2)))
    assert split.labels.tolist() == [1, 4, 4, 1, 2, 2, 2, 3, 3, 3]
    assert split.changed == {1, 4}


def test_who_joined_later_goes_along_where_no_fitted_member_stays() -> None:
    formed = trained().apply(Edit("form", text="All towels", rows=(7, 8)))
    assert formed.labels[9] == 4
    assert 3 not in formed.sizes


def test_a_name_is_one_line_and_changes_no_members() -> None:
    renamed = trained().replay([Edit("rename", (1,), "  Big \n bags "), Edit("describe", (1,), "For school")])
    assert renamed.names[1] == "Big bags" and renamed.descriptions == {1: "For school"}
    assert not renamed.changed


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (Edit("rename", (1,), "lights"), "Group 2 is called 'lights' already"),
        (Edit("rename", (1,), " "), "needs a name"),
        (Edit("rename", (1,), "x" * 81), "81 characters; 80 is the most"),
        (Edit("rename", (9,), "x"), "no group 9 any more"),
        (Edit("merge", (1, 1)), "at least two groups"),
        (Edit("form", text="x"), "at least one user"),
        (Edit("form", text="x", rows=(9,)), "took part in training"),
        (Edit("form", text="x", rows=(10,)), "took part in training"),
        (Edit("split", (1,), "x", (0, 1, 2, 3)), "cannot be split"),
        (Edit("split", (1,), "x", (4,)), "cannot be split"),
    ],
)
def test_what_is_not_possible_is_said_in_one_sentence(edit: Edit, sentence: str) -> None:
    with pytest.raises(EditError, match=sentence):
        trained().apply(edit)


def test_a_merge_that_is_split_along_the_old_border_has_the_trained_members_again() -> None:
    back = trained().replay([Edit("merge", (1, 2)), Edit("split", (1,), "Lights again", (4, 5, 6))])
    assert back.sizes == {1: 4, 3: 2, 4: 3}
    assert back.changed == {4}  # group 1 has the members that it had


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["merge", "form", "rename", "undo", "redo"]), max_size=12), st.randoms())
def test_undo_restores_exactly_whatever_came_before(steps: list[str], rng) -> None:
    """A stack of groupings beside the history is the oracle."""
    history, seen, later = EditHistory(), [trained()], []
    for at, step in enumerate(steps):
        now = seen[-1]
        if step == "undo" and history.edits:
            history = history.undo()
            later.append(seen.pop())
        elif step == "redo" and history.undone:
            history = history.redo()
            seen.append(later.pop())
        else:
            numbers = list(now.sizes)
            edit = Edit("form", text=f"Name {at}", rows=(rng.randrange(9),))
            if step == "merge" and len(numbers) > 1:
                edit = Edit("merge", tuple(rng.sample(numbers, 2)))
            elif step == "rename":
                edit = Edit("rename", (rng.choice(numbers),), f"Name {at}")
            history, later = history.add(edit), []
            seen.append(now.apply(edit))
        again = trained().replay(history.edits)
        assert again.labels.tolist() == seen[-1].labels.tolist()
        assert again.names == seen[-1].names and again.last == seen[-1].last
        assert sum(again.sizes.values()) == 9


def test_edits_come_back_from_the_file_as_they_were(tmp_path: Path) -> None:
    edits.change(tmp_path, trained(), Edit("form", text="<b>New</b>", rows=(0, 4)))
    edits.change(tmp_path, trained(), Edit("merge", (4, 2)))
    edits.undo(tmp_path)
    found = EditHistory.load(tmp_path)
    assert found == EditHistory((Edit("form", text="<b>New</b>", rows=(0, 4)),), (Edit("merge", (4, 2)),))
    edits.redo(tmp_path)
    assert EditHistory.load(tmp_path).edits[-1] == Edit("merge", (4, 2))


def test_an_edit_that_is_not_possible_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(EditError):
        edits.change(tmp_path, trained(), Edit("merge", (1, 7)))
    assert [path.name for path in tmp_path.iterdir()] == [".curation.lock"]


def test_a_damaged_file_is_named_instead_of_edits_being_lost(tmp_path: Path) -> None:
    (tmp_path / edits.FILE).write_text('{"edits": [{"kind"')
    with pytest.raises(StorageError, match=r"curation\.json.*is damaged"):
        EditHistory.load(tmp_path)
    with pytest.raises(StorageError):
        edits.change(tmp_path, trained(), Edit("rename", (1,), "x"))


def test_a_row_that_is_gone_leaves_the_edits_and_those_behind_it_move_up() -> None:
    history = EditHistory(
        (Edit("split", (1,), "a", (2, 7, 8)), Edit("rename", (2,), "b")), (Edit("form", (), "c", (9,)),)
    )
    assert history.without(np.array([7])) == EditHistory(
        (Edit("split", (1,), "a", (2, 7)), Edit("rename", (2,), "b")), (Edit("form", (), "c", (8,)),)
    )


def test_edits_that_rest_on_a_group_of_nobody_else_end_there() -> None:
    first, alone, later = Edit("rename", (2,), "b"), Edit("form", (), "a", (7,)), Edit("rename", (3,), "c")
    assert EditHistory((first, alone, later), (later,)).without(np.array([7])) == EditHistory((first,))
    assert EditHistory((first,), (alone, later)).without(np.array([7])) == EditHistory((first,))
