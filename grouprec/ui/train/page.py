"""What will it cost, and how is it going?"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import streamlit as st

from grouprec.core import rights
from grouprec.core.language import N_, _
from grouprec.core.rights import Deed
from grouprec.core.types import GrouprecError
from grouprec.data.library_files import KnownDataset
from grouprec.data.preparing.finding import reading_of
from grouprec.data.reading.read import Reading
from grouprec.runs.config import RunConfig, make_config
from grouprec.runs.progress import make_plan
from grouprec.runs.same_data import same_files
from grouprec.runs.store import FINISHED, Run, State, Status
from grouprec.training import jobs
from grouprec.training.cost import Estimate, estimate, gpu_memory
from grouprec.training.size import Size
from grouprec.training.size import size_of as count_size
from grouprec.ui import cards, state
from grouprec.ui.cards import plain
from grouprec.ui.fragments import fragment
from grouprec.ui.steps import steps
from grouprec.ui.train import curves, repeat, watch
from grouprec.ui.train.history import REPEAT_HELP, act, draw_history, resume, say
from grouprec.ui.train.new_run import choose_more, choose_preset

POLL_SECONDS = 3  # a look costs a quarter of a second, which training has on the same machine
STAGES_HEIGHT = 36 + 28 * 16


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
            if st.button(_("Cancel"), icon=":material/stop:", key="cancel_run"):
                jobs.cancel(run)
                st.rerun()
        st.progress(min(status.fraction, 1.0))
        if status.message:  # whether it still trains is doubtful
            st.warning(plain(status.message), icon=":material/cloud_off:")
        draw_steps(run, status)
        used = gpu_memory()
        if used is not None:
            st.caption(
                _("{used}: {taken} of {whole} in use.").format(
                    used=plain(used[0]), taken=watch.size(used[1]), whole=watch.size(used[2])
                )
            )
        draw_more(run, status)


def draw_ended(run: Run, status: Status) -> None:
    """Say how a run ended and offer the next step; the details are one click away."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            took = watch.elapsed(status, run.metrics() if run.usable else {})
            sentence = watch.ended_sentence(run.title(), status, took)
            icon = ":material/check_circle:" if status.state is State.DONE else ":material/error:"
            st.markdown(f"{icon} {plain(sentence)}", width="stretch")
            if watch.about_data(status) and st.button(_("Open Data"), type="primary", key="open_data"):
                state.open_page("data")
            if run.usable:
                kind = "primary" if same_files(run, state.current_dataset()) else "secondary"
                if st.button(_("Decide"), type=kind, icon=":material/task_alt:", key="open_decide"):
                    state.choose_run(run.run_id)
                    state.open_page("decide")
            elif draw_resume(status):
                resume(run)
            st.button(
                _("Repeat with a change"),
                icon=":material/content_copy:",
                key="repeat_run",
                help=_(REPEAT_HELP),
                on_click=repeat.fill,
                args=(run,),
            )
        if status.state is State.DONE:
            if said := watch.reused_sentence(steps(watch.stages([], run.events(), status))):
                st.caption(plain(said))
        elif said := watch.what_to_do(status):
            st.markdown(f":material/lightbulb: {plain(said)}")
            draw_steps(run, status)
        draw_more(run, status)


def draw_resume(status: Status) -> bool:
    """Draw the button that goes on with a run; return whether it was pressed."""
    next_step = bool(watch.stopped_headline("", status)) and not watch.about_data(status)
    kind = "primary" if next_step else "secondary"
    return st.button(_("Resume"), type=kind, icon=":material/replay:", key="resume_run", help=_(RESUME_HELP))


STEP_ICONS = {
    "done": ":material/check_circle:",
    "re-used": ":material/recycling:",
    "running": ":material/progress_activity:",
    "stopped": ":material/error:",
    "waiting": ":material/radio_button_unchecked:",
}


def draw_steps(run: Run, status: Status) -> None:
    """Draw the five steps of a run with how far each is, and what was read back."""
    found = steps(watch.stages(planned_stages(run.run_id), run.events(), status))
    for place, step in zip(st.columns(len(found)), found, strict=True):
        took = watch.duration(step.seconds) if step.seconds and step.state != "re-used" else ""
        said = " · ".join(filter(None, [_(step.state), took]))
        place.markdown(f"{STEP_ICONS[step.state]} **{step.title}**  \n:small[{said}]")
    if said := watch.reused_sentence(found):
        st.caption(plain(said))


def draw_more(run: Run, status: Status) -> None:
    """Draw the stages, loss curves and log of a run where somebody opens them."""
    details = st.expander(_("Details and log"), key=f"run_details.{run.run_id}", on_change="rerun")
    if details.open:
        with details:
            draw_details(run, status)


RESUME_HELP = N_("Continues after the last finished stage.")


@st.cache_data(max_entries=16, show_spinner=False)
def planned_stages(run_id: str) -> list[str]:
    try:
        return list(make_plan(state.store().get(run_id).config(), state.store()))
    except (GrouprecError, ValueError):
        return []


def draw_details(run: Run, status: Status) -> None:
    """Draw the stages beside the loss curves, and the end of the log."""
    events, planned = run.events(), planned_stages(run.run_id)
    left, right = st.columns([2, 3], gap="large")
    with left:
        draw_stages(watch.stages(planned, events, status))
    with right:
        draw_search(curves.trials(events))
        found = curves.losses(events)
        if not found:
            st.caption(_("Loss curves appear here when the first network trains."))
        for pair in curves.pairs(list(found.items())):
            for column, (stage, frame) in zip(st.columns(2), pair, strict=False):
                column.caption(curves.legend(stage, frame))
                column.plotly_chart(
                    curves.loss_figure(frame),
                    key=f"loss.{stage}",
                    config={"displayModeBar": False},
                    alt=_("Losses of {stage} by epoch, {n_frame} epochs so far").format(
                        stage=watch.stage_title(stage), n_frame=len(frame)
                    ),
                )
    for event in events:
        if event.get("event") == "note":
            st.caption(plain(str(event.get("text", ""))))
    with st.expander(_("Log")):
        st.code(run.log(60) or _("Nothing was logged yet."), language=None, height=260)


def draw_stages(stages: pd.DataFrame) -> None:
    st.dataframe(
        stages.assign(stage=stages["stage"].map(watch.stage_title), state=stages["state"].map(watch.STAGE_MARKS)),
        hide_index=True,
        row_height=28,
        height=min(36 + 28 * len(stages), STAGES_HEIGHT),
        placeholder="",
        column_config={
            "stage": st.column_config.TextColumn(_("Stage"), help=_(watch.PASSES_HELP)),
            "state": st.column_config.TextColumn(_("State"), width="small"),
            "seconds": st.column_config.NumberColumn(_("Seconds"), format="%.1f", width="small"),
        },
        alt=_("The stages of this run with their state and seconds"),
    )


def draw_search(searches: dict[str, pd.DataFrame]) -> None:
    """Draw the trials of every search for better settings, as they come."""
    for pair in curves.pairs(list(searches.items())):
        for column, (stage, frame) in zip(st.columns(2), pair, strict=False):
            column.caption(curves.trials_sentence(stage, frame))
            column.plotly_chart(
                curves.trials_figure(frame),
                key=f"trials.{stage}",
                config={"displayModeBar": False},
                alt=_("Validation nDCG@10 of {n_frame} trials, and the best so far").format(n_frame=len(frame)),
            )
            with column.expander(_("Trials")):
                best_first = frame.sort_values("validation", ascending=False)
                alt = _("Trials with their settings, the best first")
                st.dataframe(best_first, hide_index=True, key=f"trials_table.{stage}", height=180, alt=alt)


# -- the queue


def draw_queue(waiting: list[Run]) -> None:
    """Draw the runs that wait, each with the two things that can be done about it."""
    cards.section(
        _("{runs} waiting").format(runs=cards.plural(len(waiting), "run")),
        _("The next one starts by itself when a run ends."),
    )
    for at, run in enumerate(waiting):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{at + 1}. {plain(run.title())}", width="stretch")
            if at and st.button(_("Train next"), icon=":material/vertical_align_top:", key=f"first.{run.run_id}"):
                act(lambda run=run: jobs.move_first(state.store(), run))
            if st.button(_("Take out"), icon=":material/close:", key=f"unqueue.{run.run_id}"):
                act(lambda run=run: jobs.cancel(run))


# -- a new run


@st.cache_resource(max_entries=32, show_spinner="Looking at the size of the file ...")
def counted(path: str, roles: str, min_item_users: int, reading: Reading) -> Size:
    """Return the size of a file; ``roles`` is the JSON of its column roles."""
    return count_size(Path(path), json.loads(roles), min_item_users, reading)


def size_of(dataset: KnownDataset, config: RunConfig) -> Size:
    """Return the size of a dataset: as its last check found it, else counted or guessed."""
    same = (dict(config.roles), dict(dataset.preparation)) == (dataset.roles, dataset.preparation)
    if dataset.size and same:
        return Size(**dataset.size)
    least, reading = config.preparation.min_item_users, reading_of(config.preparation)
    return counted(str(dataset.interactions), json.dumps(config.roles, sort_keys=True), least, reading)


def draw_new_run(dataset: KnownDataset, busy: bool, timed: bool, next_is_here: bool) -> Estimate | None:
    """Draw the choices of a new run, what it will cost and its start button; return the cost.

    Args:
        busy: whether another run trains, so that this one waits.
        timed: whether to say here how long it takes: where the page's first line says something else.
        next_is_here: whether starting is what most people do next here; else that is another button of the page.
    """
    basis = repeat.basis()
    with st.container(border=True):
        cards.section(_("New run on {name}").format(name=plain(dataset.name)))
        said = st.container()
        preset = choose_preset()
        begin = st.container()
        choices = choose_more(dataset.name, preset, opened=basis is not None)
        config = configure(dataset, basis, **choices)
        with said:
            repeat.draw_basis(basis, config)
        with begin:
            cost = draw_cost(dataset, config, warn=timed) if config is not None else None
            label, icon = (_("Add to the queue"), ":material/playlist_add:") if busy else (_("Start training"), PLAY)
            kind = "primary" if next_is_here else "secondary"
            if config is not None and cost is None:  # what is wrong with the file has been said
                if st.button(_("Open Data"), type=kind, icon=":material/table_view:", key="mend_data"):
                    state.open_page("data")
                return None
            refused = (
                cost is not None
                and cost.refused
                and not st.checkbox(_(ANYWAY), key="train_anyway", help=_(ANYWAY_HELP))
            )
            help_text = _(QUEUE_HELP) if busy else None
            started = st.button(label, type=kind, icon=icon, key="start_run", help=help_text, disabled=refused)
    if started and config is not None:
        start(config)
    return cost


PLAY = ":material/play_arrow:"
ANYWAY = N_("Train it all the same")
ANYWAY_HELP = N_(
    "The run needs more memory than this machine has, as far as that can be told before. Where it does, it ends with a "
    "sentence, and so may others that train beside it."
)
QUEUE_HELP = N_("It starts by itself when the runs before it have ended, also after a restart of the server.")


def configure(dataset: KnownDataset, basis: Run | None, *, settings: dict, **choices: object) -> RunConfig | None:
    """Return the checked configuration of a new run; say what is wrong with it, and return None, where something is."""
    roles, preparation = repeat.preparation(dataset, basis)
    try:
        dataset.require_sound()
        return make_config(
            dataset=dataset.name,
            interactions=dataset.interactions,
            users=dataset.users,
            items=dataset.items,
            also=dataset.also,
            edges=dataset.edges,
            roles=roles,
            settings={**settings, "data": preparation},
            **choices,
        )
    except GrouprecError as error:
        say(error)
        return None


def draw_cost(dataset: KnownDataset, config: RunConfig, warn: bool) -> Estimate | None:
    """Draw what the run will cost, and that it will not fit where the page's first line says something else."""
    try:
        size = size_of(dataset, config)
    except GrouprecError as error:
        say(error)
        return None
    cost = estimate(config, size, state.store())
    if warn and cost.advice:
        st.warning(plain(watch.cost_sentence(config.preset, dataset.name, cost)), icon=":material/memory:")
    st.caption(plain(watch.basis_sentence(cost, size.counted, timed=warn and not cost.advice)))
    return cost


def start(config: RunConfig) -> None:
    """Start or queue the run and watch it."""
    try:
        run = jobs.start(state.store(), config)
    except GrouprecError as error:
        say(error)
        return
    st.session_state.pop(repeat.BASIS, None)
    if run.status().waiting:
        st.toast(_("“{title}” waits for its turn.").format(title=plain(run.title())))
    else:
        state.choose_run(run.run_id)
        st.session_state["watching"] = run.run_id
    st.rerun()


def draw() -> None:
    """Draw the page."""
    store = state.store()
    active = jobs.active(store)
    runs, waiting, chosen = store.runs(), jobs.queue(store), state.current_run()
    dataset = state.current_dataset()

    answer = st.container()
    if (missing := state.missing_run()) is not None:
        st.warning(plain(state.no_such_run(missing)), icon=":material/link_off:")
    if active is not None:
        fragment(run_panel, POLL_SECONDS)(active.run_id)
    if chosen is not None and not chosen.status().waiting and chosen.run_id != (active and active.run_id):
        run_panel(chosen.run_id)
    if waiting:
        draw_queue(waiting)
    decided = chosen is not None and chosen.finished and same_files(chosen, dataset)
    stopped = "" if active or chosen is None else watch.stopped_headline(chosen.title(), chosen.status())
    busy, free = active is not None, active is None and not decided and not stopped
    cost = draw_new_run(dataset, busy, busy or bool(stopped), free) if rights.may(Deed.ADD) else None
    if stopped:
        with answer:
            cards.answer(plain(stopped))
    elif active is None and rights.may(Deed.ADD):
        with answer:
            preset = st.session_state["train_preset"]
            not_yet = _("A run on {name} cannot start yet: below is what to change.").format(name=dataset.name)
            cards.answer(plain(not_yet if cost is None else watch.cost_sentence(preset, dataset.name, cost)))
    if runs:
        draw_history(runs)
