"""All runs in a table, and what can be done with the selected one."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from grouprec.core.language import N_, _, pgettext
from grouprec.core.trash import DAYS
from grouprec.core.types import GrouprecError
from grouprec.runs.store import FINISHED, MOST_NOTE, MOST_TAGS, RESUMABLE, Run, State
from grouprec.training import jobs
from grouprec.ui import cards, state
from grouprec.ui.cards import plain
from grouprec.ui.place_words import on_page
from grouprec.ui.train import repeat, runs_table

MOST_ROWS = 6  # that are seen at once: the form above is what the page is for
REPEAT_HELP = N_("Fills the form below with this run's choices; stages that a change does not touch are read back.")


def draw_history(runs: list[Run]) -> None:
    """Draw all runs; the selected one can be opened, annotated, repeated, resumed or deleted."""
    cards.section(_("Runs"))
    tags = runs_table.all_tags(runs)
    if tags:
        chosen = st.pills(
            _("Only runs tagged"),
            tags,
            selection_mode="multi",
            format_func=cards.plain,
            key="history_tags",
            persist_state="session",
        )
        runs = runs_table.with_tags(runs, chosen)
    frame = runs_table.history(runs)
    frame["created"] = [state.when(seconds) for seconds in frame["created"]]
    shown = runs_table.shown_columns(frame)
    event = st.dataframe(
        frame,
        key="history",
        hide_index=True,
        height=36 + 35 * min(len(frame), MOST_ROWS),
        placeholder="",
        on_select="rerun",
        selection_mode="single-row",
        column_order=shown,
        column_config={
            "title": st.column_config.TextColumn(_("Title"), width="medium" if "dataset" in shown else 300),
            "state": st.column_config.TextColumn(_("State"), width="small"),
            "tags": st.column_config.ListColumn(_("Tags"), width="small"),
            "note": st.column_config.TextColumn(_("Note"), width="medium"),
            "dataset": st.column_config.TextColumn(_("Dataset")),
            "preset": st.column_config.TextColumn(_("Preset")),
            "groups": st.column_config.TextColumn(_("Groups"), alignment="right"),
            "seconds": st.column_config.NumberColumn(_("Seconds"), format="%.0f"),
            "gain": st.column_config.NumberColumn(
                _("Gain kept"),
                format="%.0f %%",
                help=_("How much of what personal lists would gain over one good list for all the group lists keep."),
            ),
            "tested": st.column_config.NumberColumn(
                _("Tested on"), format="localized", help=_("Users by whom it was judged")
            ),
            "created": st.column_config.DatetimeColumn(
                _("Started"), format=pgettext("pattern of a date in tables", "D MMM, HH:mm")
            ),
        },
        alt=_("All runs, newest first, with state, dataset, groups, seconds and share of the possible gain"),
    )
    rows = [row for row in event["selection"]["rows"] if row < len(runs)]
    draw_actions(runs[rows[0]] if rows else None)


def draw_actions(run: Run | None) -> None:
    if run is None:
        st.caption(_("Select a run to open, annotate, repeat, resume or delete it."))
        return
    status = jobs.refresh(run)
    with st.container(horizontal=True):
        if st.button(_("Open"), icon=":material/open_in_new:", key="history_open"):
            state.choose_run(run.run_id)
            if run.finished:
                state.open_page("decide")
            st.rerun()
        with st.popover(_("Rename"), icon=":material/edit:"):
            title = st.text_input(_("New title"), run.title(), max_chars=120, key=f"rename.{run.run_id}")
            if st.button(_("Save"), key="history_rename", disabled=not title.strip()):
                act(lambda: run.rename(title))
        with st.popover(_("Note and tags"), icon=":material/sell:"):
            draw_notes(run)
        st.button(
            _("Repeat with a change"), key="history_repeat", help=_(REPEAT_HELP), on_click=repeat.fill, args=(run,)
        )
        if status.state in RESUMABLE - {State.QUEUED} and st.button(
            _("Resume"), icon=":material/replay:", key="history_resume"
        ):
            resume(run)
        with st.popover(_("Delete"), icon=":material/delete:", disabled=status.state not in FINISHED):
            st.markdown(
                _("Delete **{title}** with all its results? It stays in the trash for {days} days.").format(
                    title=plain(run.title()), days=DAYS
                )
            )
            if st.button(_("Delete"), type="primary", key="history_delete"):
                act(lambda: delete(run))


def delete(run: Run) -> None:
    """Delete a run, and forget that it was the chosen one."""
    state.store().delete(run)
    state.forget_run(run.run_id)


def draw_notes(run: Run) -> None:
    """Draw the note and the tags of a run, with the tags of the other runs to choose from."""
    notes = run.notes()
    known = list(dict.fromkeys([*notes.tags, *runs_table.all_tags(state.store().runs())]))
    tags = st.multiselect(
        _("Tags"),
        known,
        list(notes.tags),
        accept_new_options=True,
        max_selections=MOST_TAGS,
        placeholder=_("Type one and press Enter"),
        key=f"tags.{run.run_id}",
    )
    note = st.text_area(_("Note"), notes.note, max_chars=MOST_NOTE, key=f"note.{run.run_id}", height=120)
    if st.button(_("Save"), key="history_annotate"):
        act(lambda: run.annotate(note, tags))


def act(change: Callable[[], object]) -> None:
    """Change something on disk and redraw, or say why it could not be done."""
    try:
        change()
    except GrouprecError as error:
        say(error)
        return
    st.rerun()


def resume(run: Run) -> None:
    try:
        jobs.resume(state.store(), run)
    except GrouprecError as error:
        say(error)
        return
    state.choose_run(run.run_id)
    st.rerun()


def say(error: GrouprecError) -> None:
    st.error(plain(on_page(str(error))))
