"""People change the groups of a run on the Groups page: names, descriptions, merges, splits, undo."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from grouprec.core.language import N_, _
from grouprec.core.types import GrouprecError
from grouprec.explore import edits
from grouprec.explore.edits import LONGEST_DESCRIPTION, LONGEST_NAME, Edit, Kind
from grouprec.report import tables
from grouprec.runs.store import Run
from grouprec.ui import cards, state
from grouprec.ui.groups import words

FORM_HELP = N_("The selected users leave their groups for a new one, which gets its own lists at once")
SPLIT_HELP = N_("In two, by what members are predicted to want; the smaller half becomes a new group")
MERGE_HELP = N_("The merged group keeps the number and the name of the larger one")


def in_force(run: Run) -> None:
    """Draw which edits are in force, and the buttons that take the last one back or make it once more; where nobody
    has ever made any, nothing."""
    edited = state.edited(run)
    history = edited.history
    if not history.edits and not history.undone:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(words.edits_answer(history, edited.grouping), width="stretch")
        last, again = history.edits[-1:], history.undone[-1:]
        if (last or again) and st.button(
            _("Undo"),
            icon=":material/undo:",
            type="tertiary",
            key="groups_undo",
            disabled=not last,
            help=cards.plain(_("Take back: {last}").format(last=words.edit_words(last[0]))) if last else None,
        ):
            attempt(lambda: edits.undo(run.path))
        if again and st.button(
            _("Redo"),
            icon=":material/redo:",
            type="tertiary",
            key="groups_redo",
            help=cards.plain(_("Once more: {again}").format(again=words.edit_words(again[0]))),
        ):
            attempt(lambda: edits.redo(run.path))


def attempt(change: Callable[[], None]) -> None:
    """Make a change and draw the whole page anew; where it is not possible, say why."""
    try:
        change()
    except GrouprecError as error:
        st.error(cards.plain(error))
        return
    st.rerun()


def menu(run: Run, groups: pd.DataFrame, number: int) -> None:
    """Draw the ways to edit a group, behind a button."""
    with st.popover(_("Edit"), icon=":material/edit:", disabled=not run.has_snapshot):
        describe(run, groups[groups["group"] == number].iloc[0])
        combine_or_split(run, groups, number)


def describe(run: Run, group: pd.Series) -> None:
    """Draw the fields of a group's name and description."""
    number, before, told = int(group["group"]), str(group["name"]), str(group.get("description", ""))
    with st.form(f"groups_describe_{number}", border=False):
        name = st.text_input(_("Name"), before, max_chars=LONGEST_NAME, key=f"groups_name_{number}")
        text = st.text_area(
            _("Description"), told, max_chars=LONGEST_DESCRIPTION, height=68, key=f"groups_description_{number}"
        )
        saved = st.form_submit_button(_("Save"))
    if not saved:
        return
    wanted: list[tuple[Kind, str, str]] = [("rename", name, before), ("describe", text, told)]
    changes = [Edit(kind, (number,), new) for kind, new, old in wanted if " ".join(new.split()) != old]

    def save() -> None:
        for change in changes:
            state.edited(run).change(change)

    if changes:
        attempt(save)


def combine_or_split(run: Run, groups: pd.DataFrame, number: int) -> None:
    """Draw the choice of groups to merge with one, and the way to split it."""
    names = tables.group_names(groups)
    others = st.multiselect(
        _("Merge with"),
        [other for other in names if other != number],
        format_func=lambda other: cards.group_label(other, names[other]),
        help=_(MERGE_HELP),
        key=f"groups_merge_{number}",
    )
    with st.container(horizontal=True):
        merge = st.button(
            _("Merge"), icon=":material/call_merge:", disabled=not others, key=f"groups_merge_now_{number}"
        )
        split = st.button(
            _("Split in two"), icon=":material/call_split:", key=f"groups_split_{number}", help=_(SPLIT_HELP)
        )
    edited = state.edited(run)
    if merge:
        attempt(lambda: edited.change(Edit("merge", (number, *others))))
    if split:
        attempt(lambda: edited.change(edited.split(number)))


def form(run: Run, rows: np.ndarray) -> None:
    """Draw the way to make selected users (rows of the users table) a group of their own."""
    with st.popover(_("Make this a group"), icon=":material/group_add:", disabled=not run.has_snapshot):
        with st.form("groups_form", border=False, clear_on_submit=True):
            name = st.text_input(
                _("Name"),
                max_chars=LONGEST_NAME,
                placeholder=_("From what they have, if left empty"),
                key="groups_form_name",
                help=_(FORM_HELP),
            )
            made = st.form_submit_button(_("Make a group of {users}").format(users=cards.plural(len(rows), "user")))
        if made:
            edited = state.edited(run)
            attempt(
                lambda: edited.change(
                    Edit("form", text=name.strip() or edited.suggest_name(rows), rows=tuple(rows.tolist()))
                )
            )
