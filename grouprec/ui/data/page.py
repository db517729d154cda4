"""Is this file good enough?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from grouprec.core import rights, usage
from grouprec.core.language import N_, Glossary, _, full_stop
from grouprec.core.rights import Deed
from grouprec.core.types import GrouprecError
from grouprec.data.library_files import KnownDataset
from grouprec.data.preparing.clean import Preparation
from grouprec.data.reading.read import Peek
from grouprec.data.reading.rejects import TooManyRejectedError
from grouprec.data.roles.behaviours import DEFAULT_BEHAVIOUR_WEIGHT
from grouprec.data.roles.columns import ROLES
from grouprec.data.roles.detect import Detected
from grouprec.data.roles.header_words import simple_name
from grouprec.ui import cards, state
from grouprec.ui.cards import plain
from grouprec.ui.data import asking, checking, found_rows, preview, quality, reading, sources, versions
from grouprec.ui.data.quality import Check
from grouprec.ui.forms import form, weights_form
from grouprec.ui.place_words import on_page

NO_COLUMN = "–"
ROLE_HELP = Glossary(
    {
        "user": "Who: every user needs one id.",
        "item": "What: every item needs one id.",
        "weight": "How much: a quantity or strength.",
        "rating": "A judgement, such as stars.",
        "time": "When it happened.",
        "clock": "The time of day, where it has a column of its own.",
        "behaviour": "What was done: viewed, bought, ...",
        "outcome": "What came of it: cancelled, refunded, clicked or not; rows that came to nothing are left out.",
        "label": "The item's name for people.",
        "order": "Invoice, basket or session; finds cancelled orders.",
        "price": "Price of one piece; gives users their spend.",
        "text": "What users say of items: reviews, comments, search words.",
    }
)
LABELS = Glossary(
    {
        "rating": "Ratings count as",
        "rating_threshold": "Lowest good rating",
        "duplicates": "Repeated rows",
        "drop_services": "Leave out service lines",
        "drop_robots": "Leave out robots",
        "robot_z": "What counts as a robot",
        "winsorise": "Cut large quantities at",
        "min_user_items": "Fewest items of a user",
        "min_item_users": "Fewest users of an item",
        "weighting": "Scale of weights",
        "test_share": "Share that judges",
        "validation_share": "Share that chooses",
        "split": "Split by",
        "most_rejected": "Most unreadable rows",
        "pseudonyms": "Pseudonyms of users",
    }
)
OPTIONS = {
    "rating": Glossary({"weight": "How much somebody likes it", "threshold": "Liked, from the lowest good one on"}),
    "duplicates": Glossary({"auto": "Automatic", "sum": "Added up", "last": "The last one counts"}),
    "weighting": Glossary({"log": "Large ones damped (logarithm)", "none": "As they are", "binary": "All the same"}),
    "split": Glossary(
        {
            "auto": "Automatic",
            "time": "Time, the same for all",
            "user": "Chance, for every user",
            "user_time": "Time, every user's own",
        }
    ),
}
SHOWN_ROWS = 200
TABS = (N_("Understood"), N_("Dropped rows"), N_("Distribution"), N_("Rows"), N_("Columns"), N_("Preparation"))


# -- the choices


def draw_roles(dataset: KnownDataset, head: pd.DataFrame, detected: Mapping[str, str]) -> dict[str, str]:
    """Draw a selectbox a role; return the roles that differ from the detected ones ("" for none)."""
    start = {**detected, **dataset.roles}
    options = [NO_COLUMN, *map(str, head.columns)]
    grid = st.columns(3)
    chosen = {}
    for at, role in enumerate(ROLES):
        column = start.get(role) or NO_COLUMN
        with grid[at % 3]:
            chosen[role] = st.selectbox(
                _(role).capitalize(),
                options,
                options.index(column) if column in options else 0,
                key=f"role.{dataset.key}.{role}",
                help=ROLE_HELP.get(role),
                persist_state="session",
            )
    columns = {role: "" if column == NO_COLUMN else column for role, column in chosen.items()}
    return {role: column for role, column in columns.items() if column != detected.get(role, "")}


def draw_reading(head: pd.DataFrame, roles: Mapping[str, str]) -> None:
    """Draw the first rows as training would read them, so that a wrong choice shows at once."""
    shown = quality.as_read(head, roles)
    st.caption(_("The first rows as training reads them; what cannot be read is empty."))
    st.dataframe(shown, hide_index=True, height=246, placeholder="", key="as_read", alt=_("The first rows by role"))


def draw_preparation(dataset: KnownDataset, behaviour: pd.Series | None) -> dict[str, Any]:
    """Draw the form of the preparation; return the settings that differ from the defaults."""
    base = Preparation()
    changes = form(
        base,
        f"prepare.{dataset.key}",
        start=dataset.preparation,
        labels=LABELS,
        options=OPTIONS,
        leave_out=("encoding", "sheet"),
    )
    changes |= reading.chosen(dataset)
    if behaviour is not None:
        known = {**base.behaviour_weights, **dataset.preparation.get("behaviour_weights", {})}
        names = [simple_name(name) for name in behaviour.dropna().unique()[:40]]
        st.markdown(_("Weight of every behaviour"), help=_("How much one says about taste; 0 leaves its rows out."))
        now = {name: known.get(name, DEFAULT_BEHAVIOUR_WEIGHT) for name in names}
        weights = weights_form(now, f"behaviour.{dataset.key}")
        if any(weights[name] != base.behaviour_weights.get(name, DEFAULT_BEHAVIOUR_WEIGHT) for name in names):
            changes["behaviour_weights"] = {**known, **weights}
    return changes


# -- the result


def draw_understood(dataset: KnownDataset, head: pd.DataFrame, roles: Mapping[str, str], check: Check | None) -> None:
    """Draw what every column was taken for beside what is left of the rows, and what is doubtful."""
    attributes = check.attributes if check is not None else ()
    found = preview.understood(head, roles, attributes)
    if found.empty:  # what is to be chosen from says more
        st.dataframe(head.head(5), hide_index=True, key="understood", alt=_("The first rows of the file"))
        return
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.dataframe(
            found,
            hide_index=True,
            row_height=28,
            height="content",
            key="understood",
            column_config={
                "role": st.column_config.TextColumn(_("Understood as"), width=100),
                "column": st.column_config.TextColumn(_("Column"), width=110),
                "examples": st.column_config.TextColumn(_("For example"), width=260),
            },
            alt=_("What each column was taken for, with examples"),
        )
        ignored = preview.ignored_sentence(head, roles, attributes)
        st.caption(plain(_("{ignored} Wrong? Change it under Columns.").format(ignored=ignored).strip()))
        if check is not None:
            draw_described(dataset, check)
    if check is not None:
        with right:
            found_rows.draw_picture(check)
        draw_warnings(dataset, check)
        reading.draw_rejects(dataset.name, check.rejects)


def draw_described(dataset: KnownDataset, check: Check) -> None:
    """Say how many items and users the files beside the interactions know."""
    for kind, path in (("items", dataset.items), ("users", dataset.users)):
        if path is not None and kind in check.described:
            st.markdown(f":material/check: {plain(check.described[kind].sentence(path.name, kind))}.")
    for sentence in check.shared:
        st.markdown(f":material/check: {plain(sentence)}.")


def draw_warnings(dataset: KnownDataset, check: Check) -> None:
    """Draw what is doubtful about the file, each with what to do."""
    found = [(warning, None) for warning in quality.warnings(check, time.time())]
    found = [*((asking.warn_of(doubt), doubt) for doubt in check.doubts), *found]
    if not found:
        return
    cards.section(_("What to look at"))
    with st.container(border=True):
        for warning, doubt in found:
            matter = f"{warning.matter[0].upper()}{warning.matter[1:]}"
            st.markdown(f":material/info: **{full_stop(plain(matter))}** {plain(warning.advice)}")
            if doubt is not None:
                asking.draw_undo(doubt, f"prepare.{dataset.key}", ask_again)


def ask_again() -> None:
    """Check the file at once on the next run of the page, without another click."""
    st.session_state["check_at_once"] = True


def draw_answer(
    dataset: KnownDataset,
    found: Peek,
    roles: Mapping[str, str],
    effective: Mapping[str, str],
    preparation: Mapping[str, Any],
) -> Check | None:
    """Check the file, a large one where asked to; draw the answer and the next step, and return the check.

    Args:
        roles: that differ from the detected ones.
        effective: all of them.
    """
    wanted = (dataset.key, checking.written(roles, preparation))
    answer, buttons = st.container(), st.container(horizontal=True)
    again = st.session_state.pop("check_at_once", False)
    if not checking.at_once(dataset) and st.session_state.get("checked") != wanted:
        with answer:
            cards.answer(plain(preview.file_sentence(dataset.name, found, effective)))
        clicked = buttons.button(_("Check the data"), type="primary", key="check_data")
        if not again and not clicked:
            return None
    try:
        with buttons, st.spinner(_("Preparing the rows ..."), show_time=True):
            check = checking.checked(*wanted)
        remember(wanted, dataset, roles, preparation, check)
    except GrouprecError as error:
        with answer:
            cards.answer(plain(_("Not yet: {name}").format(name=preview.file_sentence(dataset.name, found, effective))))
        st.error(plain(on_page(str(error))))
        if isinstance(error, TooManyRejectedError):
            reading.draw_rejects(dataset.name, error.rejects)
        return None
    with answer:
        cards.answer(plain(preview.verdict(check)))
        st.caption(plain(preview.counted(check)))
    if buttons.button(_("Continue to training"), type="primary", icon=":material/arrow_forward:", key="to_train"):
        state.open_page("train")
    return check


def remember(
    wanted: tuple[str, str], dataset: KnownDataset, roles: Mapping, preparation: Mapping, check: Check
) -> None:
    """Keep the choices of a successful check for training, where whoever looks may; redraw once, without the button."""
    kept = (dict(roles), dict(preparation), check.size) == (dataset.roles, dataset.preparation, dataset.size)
    if not kept and rights.may(Deed.CHANGE, state.library().folder(dataset)):
        state.library().save(dataset.key, roles=roles, preparation=preparation, size=check.size)
    if not checking.at_once(dataset) and st.session_state.get("checked") != wanted:
        st.session_state["checked"] = wanted
        st.rerun()


def draw() -> None:
    """Draw the page."""
    dataset = state.current_dataset()
    usage.use(state.library().folder(dataset))
    with st.container(horizontal=True, vertical_alignment="top"):
        top = st.container(width="stretch", key="data_top")
        sources.draw_actions(dataset)
    with top:
        sources.draw_refused()
    drop = st.container()
    if dataset.trouble:
        with top:
            draw_trouble(dataset)
    else:
        draw_rows(dataset, top)
    with drop:
        sources.draw_drop(dataset)
    versions.draw_versions(dataset)


def draw_trouble(dataset: KnownDataset) -> None:
    """Say that the choices of a dataset are not known any more, and offer to choose anew."""
    st.error(plain(on_page(dataset.trouble)), icon=":material/error:")
    may = rights.may(Deed.CHANGE, state.library().folder(dataset))
    if may and st.button(_("Begin anew"), icon=":material/restart_alt:", key="begin_anew"):
        try:
            state.library().begin_anew(dataset.key)
        except GrouprecError as error:
            st.error(plain(str(error)))
            return
        st.rerun()


def draw_rows(dataset: KnownDataset, top: Any) -> None:
    """Draw what is in the file, or why it cannot be read."""
    how = reading.reading(dataset)
    try:
        found = checking.head_of(str(dataset.interactions), dataset.key, how)
    except GrouprecError as error:
        found = None
        top.error(plain(on_page(str(error))))
        with top:
            if isinstance(error, TooManyRejectedError):
                reading.draw_rejects(dataset.name, error.rejects)
            reading.draw_choices(dataset, None)
    if found is not None:
        detected = checking.detected_of(str(dataset.interactions), dataset.key, how)
        draw_file(dataset, found, detected, top)


def draw_file(dataset: KnownDataset, found: Peek, detected: Detected, top: Any) -> None:
    """Draw the answer and, in tabs below it, what a check found and the choices about the file."""
    understood, dropped, spread, rows_tab, columns_tab, preparation_tab = st.tabs([_(title) for title in TABS])
    with rows_tab:
        shown = found.head.head(SHOWN_ROWS)
        st.dataframe(
            shown,
            hide_index=True,
            height=300,
            alt=_("The first {n_shown} rows of the file as they are").format(n_shown=len(shown)),
        )
        reading.draw_notes(found.notes)
        reading.draw_choices(dataset, found)
    with columns_tab:
        st.caption(_("What each column means. These were found by name and content; change what is wrong."))
        roles = draw_roles(dataset, found.head, detected.roles.as_dict())
        effective = {**detected.roles.as_dict(), **roles}
        draw_reading(found.head, effective)
    with preparation_tab:
        behaviour_column = effective.get("behaviour")
        preparation = draw_preparation(dataset, found.head[behaviour_column] if behaviour_column else None)
    asked = asking.question(detected, effective)
    with top:
        if asked is not None:
            cards.answer(plain(asked))
            asking.draw_choice(dataset.key, found.head, effective)
        check = None if asked else draw_answer(dataset, found, roles, effective, preparation)
    with understood:
        draw_understood(dataset, found.head, effective, check)
    for tab, draw_part in ((dropped, found_rows.draw_dropped), (spread, found_rows.draw_distributions)):
        with tab:
            if check is None:
                st.caption(_("The check of the file shows it."))
            else:
                draw_part(check)
