"""Events sent from the Updates page: a form, pasted rows or a file; what they did; the stream as it stands."""

from __future__ import annotations

import io
import secrets
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from grouprec.core.language import N_, Glossary, _
from grouprec.core.types import DataError, GrouprecError
from grouprec.data.clean import Preparation
from grouprec.data.library_files import safe_name
from grouprec.live import streams
from grouprec.live.events import read_events
from grouprec.live.stream import time_order
from grouprec.report import tables
from grouprec.report.csv import export_stream
from grouprec.report.html.moving import moving_list
from grouprec.runs.store import Run
from grouprec.ui import cards, feedback, live_words, state
from grouprec.ui.updates.replay import MOVES_HELP

MOST_OPTIONS = 5_000  # users or items to choose from; any other id can be typed
MOST_LISTS = 3  # changed lists that are drawn
EXAMPLE = "user,item,time\n17850,85123A,2011-12-10 09:30\n17850,71053,2011-12-10 09:31"
VERDICTS = Glossary(
    {"like": "likes it", "dislike": "dislikes it", "hide": "hides it", "unhide": "takes the verdict back"}
)
REPORT_HELP = N_(
    "**Known**: the same event was applied already. **Too late**: older than the last thing that its user did. "
    "**Malformed**: it breaks a rule, which is named. None of these changes anything."
)
RECOUNT_HELP = N_("The groups' sums are kept up to date event by event; this counts them again from every user")


def panel(run: Run, top: DeltaGenerator) -> None:
    """Draw the ways to send events, what the last ones did, and how the stream stands.

    Args:
        top: the place of the page's first line.
    """
    left, right = st.columns([2, 3], gap="large")
    with left:
        choice = st.segmented_control(
            _("How"),
            list(WAYS),
            default="One event",
            required=True,
            format_func=_,
            label_visibility="collapsed",
            key="send_way",
        )
        WAYS[choice](run)
    with right:
        _effect(run)
        _standing(run, top)


def _one_event(run: Run) -> None:
    users, items = state.table(run, "users"), state.table(run, "items")
    often = users.nlargest(MOST_OPTIONS, "interactions")["user"].tolist()
    popular = items.nlargest(MOST_OPTIONS, "users")
    known: dict[str, str] = dict(zip(popular["item"].tolist(), popular["label"].tolist(), strict=True))
    with st.form("send_one"):
        user = st.selectbox(
            _("User"), often, index=None, accept_new_options=True, key="send_user", placeholder=_(OR_TYPE)
        )
        item = st.selectbox(
            _("Item"),
            list(known),
            index=None,
            accept_new_options=True,
            format_func=lambda one: f"{known[one]} · {one}" if one in known else one,
            key="send_item",
            placeholder=_(OR_TYPE),
        )
        names = _behaviours(run)
        behaviour = st.selectbox(_("What happened"), list(names), format_func=names.__getitem__, key="send_behaviour")
        if st.form_submit_button(_("Send"), type="primary", icon=":material/send:", key="send_submit"):
            if not (user or "").strip() or not (item or "").strip():
                st.error(_("An event needs a user and an item; choose or type both."))
                return
            event = {"user": user, "item": item, "behaviour": behaviour, "time": time.time()}
            _send(run, lambda: [{**event, "event_id": secrets.token_hex(8)}])


OR_TYPE = N_("Choose, or type any id")


def _behaviours(run: Run) -> dict[str, str]:
    """Return what an event can be: taken, as in files that name no behaviours; one behaviour of every weight that
    counts, as hundreds of words in many languages are known; those that the run's maker named; and feedback."""
    weights: Mapping[str, float] = (state.run_choices(run).get("preparation") or {}).get("behaviour_weights") or {}
    usual = Preparation().behaviour_weights
    first = {weight: name for name, weight in reversed([*weights.items()]) if usual.get(name) == weight}
    own = [name for name, weight in weights.items() if first.get(weight) == name or usual.get(name) != weight]
    return {"": _("took it"), **{name: name for name in own if weights[name] > 0}, **VERDICTS}


def _rows(run: Run) -> None:
    with st.form("send_rows"):
        text = st.text_area(_("CSV with a header, or JSON lines"), height=200, placeholder=EXAMPLE, key="send_text")
        if st.form_submit_button(_("Send"), type="primary", icon=":material/send:", key="send_submit"):
            suffix = ".jsonl" if text.lstrip().startswith("{") else ".json" if text.lstrip().startswith("[") else ".csv"
            _send(run, lambda: _read(run, f"pasted rows{suffix}", text.strip().encode()))


def _file(run: Run) -> None:
    with st.form("send_file"):
        given = st.file_uploader(_("File with events"), key="send_upload")
        st.caption(_("The columns are found as in the training; event_id, group, verdict, method and regime by name."))
        if st.form_submit_button(_("Send"), type="primary", icon=":material/send:", key="send_submit") and given:
            _send(run, lambda: _read(run, safe_name(given.name), given.getvalue()))


WAYS: dict[str, Callable[[Run], None]] = {
    N_("One event"): _one_event,
    N_("Paste rows"): _rows,
    N_("Upload a file"): _file,
}


def _read(run: Run, name: str, content: bytes) -> pd.DataFrame:
    """Return events given as a file's content."""
    if not content:
        raise DataError("There are no rows yet; paste some, with a header line.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return read_events(path, {}, run.config().roles, time_order(run))


def _send(run: Run, events: Callable[[], pd.DataFrame | list[dict[str, Any]]]) -> None:
    """Send events and remember what they did until the next ones."""
    try:
        given = events()
        with st.spinner(_("Applying the events")), streams.use(state.store(), run) as stream:
            effect = streams.send(stream, given)
            st.session_state["sent"] = run.run_id, effect, list(stream.state.item_labels)
    except GrouprecError as error:
        st.error(cards.plain(error))


def _effect(run: Run) -> None:
    """Draw what the last events of this session did."""
    run_id, effect, labels = st.session_state.get("sent", ("", None, []))
    if effect is None or run_id != run.run_id:
        return
    with st.container(border=True):
        st.markdown(live_words.report_line(effect.report), help=_(REPORT_HELP))
        if effect.report.problems:
            st.markdown("\n".join(f"- :small[{cards.plain(problem)}]" for problem in effect.report.problems))
        st.markdown(live_words.effect_line(effect))
        if len(effect.moved):
            shown = effect.moved.assign(before=effect.moved["before"].astype(object).where(effect.moved["before"] > 0))
            st.dataframe(
                shown,
                hide_index=True,
                height=36 + 35 * min(len(shown), 5),
                key="send_moved",
                column_config={"user": _("User"), "before": _("From group"), "after": _("To group")},
                alt=_("{n_shown} users and their groups before and after").format(n_shown=len(shown)),
            )
        _changed_lists(run, effect, labels)


def _changed_lists(run: Run, effect: streams.Effect, labels: list[str]) -> None:
    names, changed = tables.group_names(state.trained_table(run, "groups")), effect.changed_lists()
    for group in changed[:MOST_LISTS]:
        before, after = (heads[group - 1][heads[group - 1] >= 0].tolist() for heads in (effect.before, effect.after))
        title = f"{cards.group_mark(group)} **{cards.plain(names.get(group, ''))}**"
        st.markdown(title, help=_(MOVES_HELP))
        st.html(moving_list(before, after, labels))
    if len(changed) > MOST_LISTS:
        st.caption(
            _("{more_lists} changed, too; the download has all lists.").format(
                more_lists=cards.plural(len(changed) - MOST_LISTS, "more list")
            )
        )


def _standing(run: Run, top: DeltaGenerator) -> None:
    """Draw the first line of the page, the counters of the stream, and what can be done with it."""
    if not feedback.begun(run):
        metrics = state.metrics(run)
        with top.container():
            cards.answer(live_words.untouched_answer(metrics.get("n_users", 0), metrics.get("n_groups", 0)))
        st.caption(_("Send an event, and what it changes appears here. Each counts once, however often it is sent."))
        return
    with streams.use(state.store(), run) as stream:
        answer, received = live_words.stream_answer(stream), stream.ledger.counters()
        verdicts = len(stream.ledger.feedback())
    with top.container():
        cards.answer(answer)
    st.markdown(_("**All events sent so far**"), help=_(REPORT_HELP))
    titles = {"events": _("Received"), "applied": _("Applied"), "duplicates": _("Known"), "late": _("Too late")}
    values = {title: received.get(name, 0) for name, title in {**titles, "malformed": _("Malformed")}.items()}
    for column, (title, value) in zip(st.columns(6), {**values, _("Feedback"): verdicts}.items(), strict=True):
        column.metric(title, cards.count(value))
    with st.container(horizontal=True):
        recount = st.button(
            _("Compare with a full recount"), icon=":material/rule:", key="send_recount", help=_(RECOUNT_HELP)
        )
        st.download_button(
            _("Download lists as they stand"),
            data=state.later(lambda: _archive(run), run),
            file_name="lists.zip",
            mime="application/zip",
            key="send_download",
            on_click="ignore",
            icon=":material/download:",
        )
    if recount:
        with streams.use(state.store(), run) as stream:
            difference = stream.state.difference()
        st.markdown(live_words.recount_line(difference))


def _archive(run: Run) -> bytes:
    """Return the files of the export after all events, in one archive."""
    content = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        with streams.use(state.store(), run) as stream:
            names = export_stream(stream, Path(folder), excel=True)
        for name in names:
            archive.write(Path(folder) / name, name)
    return content.getvalue()
