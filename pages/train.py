"""What will it cost, and how is it going?"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from grouprec import jobs
from grouprec.config import PRESET_SEARCH_MINUTES, make_config
from grouprec.library import KnownDataset
from grouprec.progress import make_plan
from grouprec.runs import FINISHED, RESUMABLE, Run, State, Status
from grouprec.types import GrouprecError, StorageError
from grouprec.ui import cards, state, watch
from grouprec.ui.cards import plain
from grouprec.ui.new_run import choose_all

POLL_SECONDS = 1.5
STAGES_HEIGHT = 36 + 28 * 16


def say(error: GrouprecError) -> None:
    st.error(plain(str(error)))


# -- the run that is watched


def run_panel(run_id: str) -> None:
    """Draw one run: its progress while it is active, else how it ended; redraw the page once when it ends."""
    run = state.find_run(run_id)
    if run is None:
        st.rerun()
    status = jobs.refresh(run)
    if status.state not in FINISHED:
        st.session_state["watching"] = run_id
        draw_active(run, status)
    elif st.session_state.get("watching") == run_id:
        del st.session_state["watching"]
        state.choose_run(run_id)
        st.rerun()
    else:
        draw_ended(run, status)


def draw_active(run: Run, status: Status) -> None:
    cards.answer(plain(watch.running_sentence(status)))
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(run.title())}**", width="stretch")
            if st.button("Cancel", icon=":material/stop:", key="cancel_run"):
                jobs.cancel(run)
                st.rerun()
        st.progress(min(status.fraction, 1.0))
        draw_details(run, status)


def draw_ended(run: Run, status: Status) -> None:
    """Say how a run ended and offer the next step; the details are one click away."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            sentence = watch.ended_sentence(run.title(), status, watch.elapsed(status, run.metrics()))
            icon = ":material/check_circle:" if status.state is State.DONE else ":material/error:"
            st.markdown(f"{icon} {plain(sentence)}", width="stretch")
            if run.finished:
                if st.button("Open groups", type="primary", icon=":material/bubble_chart:", key="open_groups"):
                    state.choose_run(run.run_id)
                    state.open_page("groups")
            elif st.button("Resume", icon=":material/replay:", key="resume_run", help=RESUME_HELP):
                resume(run)
        details = st.expander("Stages, losses and log", key="run_details", on_change="rerun")
        if details.open:
            with details:
                draw_details(run, status)


RESUME_HELP = "Continues after the last finished stage."


def draw_details(run: Run, status: Status) -> None:
    """Draw the stages beside the loss curves, and the end of the log."""
    events = run.events()
    try:
        planned = list(make_plan(run.config(), state.store()))
    except (GrouprecError, ValueError):
        planned = []
    left, right = st.columns([2, 3], gap="large")
    with left:
        draw_stages(watch.stages(planned, events, status))
    with right:
        draw_search(watch.trials(events))
        curves = watch.losses(events)
        if not curves:
            st.caption("Loss curves appear here when the first network trains.")
        for pair in watch.pairs(list(curves.items())):
            for column, (stage, frame) in zip(st.columns(2), pair, strict=False):
                column.caption(watch.legend(stage, frame))
                column.plotly_chart(
                    watch.loss_figure(frame),
                    key=f"loss.{stage}",
                    config={"displayModeBar": False},
                    alt=f"Losses of {watch.stage_title(stage)} by epoch, {len(frame)} epochs so far",
                )
    for event in events:
        if event.get("event") == "note":
            st.caption(plain(str(event.get("text", ""))))
    with st.expander("Log"):
        st.code(run.log(60) or "Nothing was logged yet.", language=None, height=260)


def draw_stages(stages: pd.DataFrame) -> None:
    st.dataframe(
        stages.assign(stage=stages["stage"].map(watch.stage_title), state=stages["state"].map(watch.STAGE_MARKS)),
        hide_index=True,
        row_height=28,
        height=min(36 + 28 * len(stages), STAGES_HEIGHT),
        placeholder="",
        column_config={
            "stage": st.column_config.TextColumn("Stage", help=watch.PASSES_HELP),
            "state": st.column_config.TextColumn("State", width="small"),
            "seconds": st.column_config.NumberColumn("Seconds", format="%.1f", width="small"),
        },
        alt="The stages of this run with their state and seconds",
    )


def draw_search(searches: dict[str, pd.DataFrame]) -> None:
    """Draw the trials of every search for better settings, as they come."""
    for pair in watch.pairs(list(searches.items())):
        for column, (stage, frame) in zip(st.columns(2), pair, strict=False):
            column.caption(watch.trials_sentence(stage, frame))
            column.plotly_chart(
                watch.trials_figure(frame),
                key=f"trials.{stage}",
                config={"displayModeBar": False},
                alt=f"Validation nDCG@10 of {len(frame)} trials, and the best so far",
            )
            with column.expander("Trials"):
                best_first = frame.sort_values("validation", ascending=False)
                alt = "Trials with their settings, the best first"
                st.dataframe(best_first, hide_index=True, key=f"trials_table.{stage}", height=180, alt=alt)


def resume(run: Run) -> None:
    try:
        jobs.resume(state.store(), run)
    except GrouprecError as error:
        say(error)
        return
    state.choose_run(run.run_id)
    st.rerun()


# -- a new run


def draw_new_run(dataset: KnownDataset, busy: bool) -> None:
    """Draw the choices of a new run and its start button."""
    with st.container(border=True):
        cards.section(f"New run on {plain(dataset.name)}")
        choices = choose_all(dataset.name)
        started = st.button(
            "Start training",
            type="primary",
            icon=":material/play_arrow:",
            key="start_run",
            disabled=busy,
            help="Another run is being trained; wait for it or cancel it." if busy else None,
        )
    if started:
        start(dataset, **choices)


def start(dataset: KnownDataset, *, settings: dict, **choices: object) -> None:
    """Check the choices, start the run and watch it."""
    try:
        config = make_config(
            dataset=dataset.name,
            interactions=dataset.interactions,
            users=dataset.users,
            items=dataset.items,
            roles=dataset.roles,
            settings={**settings, "data": dataset.preparation},
            **choices,
        )
        run = jobs.start(state.store(), config)
    except GrouprecError as error:
        say(error)
        return
    state.choose_run(run.run_id)
    st.session_state["watching"] = run.run_id
    st.rerun()


# -- the history


def draw_history(runs: list[Run]) -> None:
    """Draw all runs; the selected one can be opened, renamed, resumed or deleted."""
    cards.section("Runs")
    frame = watch.history(runs)
    frame["created"] = [state.when(seconds) for seconds in frame["created"]]
    event = st.dataframe(
        frame,
        key="history",
        hide_index=True,
        placeholder="",
        on_select="rerun",
        selection_mode="single-row",
        column_order=["title", "state", "dataset", "preset", "groups", "seconds", "gain", "created"],
        column_config={
            "title": st.column_config.TextColumn("Title", width="medium"),
            "state": st.column_config.TextColumn("State"),
            "dataset": st.column_config.TextColumn("Dataset"),
            "preset": st.column_config.TextColumn("Preset"),
            "groups": st.column_config.TextColumn("Groups", alignment="right"),
            "seconds": st.column_config.NumberColumn("Seconds", format="%.0f"),
            "gain": st.column_config.NumberColumn(
                "Gain kept",
                format="%.0f %%",
                help="How much of what personal lists would gain over one popular list the group lists keep.",
            ),
            "created": st.column_config.DatetimeColumn("Started", format="D MMM, HH:mm"),
        },
        alt="All runs, newest first, with state, dataset, groups, seconds and share of the possible gain",
    )
    rows = [row for row in event["selection"]["rows"] if row < len(runs)]
    draw_actions(runs[rows[0]] if rows else None)


def draw_actions(run: Run | None) -> None:
    if run is None:
        st.caption("Select a run to open, rename, resume or delete it.")
        return
    status = jobs.refresh(run)
    with st.container(horizontal=True):
        if st.button("Open", icon=":material/open_in_new:", key="history_open"):
            state.choose_run(run.run_id)
            if run.finished:
                state.open_page("groups")
            st.rerun()
        with st.popover("Rename", icon=":material/edit:"):
            title = st.text_input("New title", run.title(), max_chars=120, key=f"rename.{run.run_id}")
            if st.button("Save", key="history_rename", disabled=not title.strip()):
                act(lambda: run.rename(title))
        if status.state in RESUMABLE - {State.QUEUED} and st.button(
            "Resume", icon=":material/replay:", key="history_resume"
        ):
            resume(run)
        with st.popover("Delete", icon=":material/delete:", disabled=status.state not in FINISHED):
            st.markdown(f"Delete **{plain(run.title())}** with all its results? This cannot be undone.")
            if st.button("Delete for good", type="primary", key="history_delete"):
                act(lambda: state.store().delete(run))


def act(change: Callable[[], None]) -> None:
    """Change something on disk and redraw, or say why it could not be done."""
    try:
        change()
    except StorageError as error:
        say(error)
        return
    st.rerun()


# -- the page

runs = state.store().runs()
active = jobs.active(state.store())
current = active or state.current_run()
dataset = state.current_dataset()

if active is None:
    wish = st.session_state.get("train_preset") or "quick"
    minutes = st.session_state.get(f"train_search.{wish}", PRESET_SEARCH_MINUTES.get(wish, 0.0))
    cards.answer(plain(watch.cost_sentence(wish, dataset.name, runs, minutes)))
if current is not None:
    st.fragment(run_panel, run_every=POLL_SECONDS if active is not None else None)(current.run_id)
draw_new_run(dataset, busy=active is not None)
if runs:
    draw_history(runs)
