"""What do I show them, and why? A group's list beside the alternatives, and any user's own list."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from grouprec.core.language import N_, Glossary, _
from grouprec.core.types import REGIMES, Regime
from grouprec.report import gain, sentences, small_groups, tables
from grouprec.report.text import attribute_title, attribute_value
from grouprec.runs.store import Run
from grouprec.ui import cards, charts, feedback, map_figure, opened, reasons, sheets, state, workspace
from grouprec.ui import list_words as words
from grouprec.ui.address import from_url, picked, tabs_from_url
from grouprec.ui.fragments import fragment
from grouprec.ui.recommendations import remade
from grouprec.ui.recommendations.personas import tab as personas

LENGTHS = [10, 20, 50]
PARTS = Glossary(
    {
        "list": "This list",
        "ways": "Other ways to make it",
        "personas": "Personas",
        "feedback": "Feedback",
        "user": "One user",
    }
)
TALL_ROWS = 8  # that are seen at once
ROW, TALL_ROW = 35, 65  # pixels; Streamlit wraps text in rows of more than 64
LONG_LABEL = 18  # characters that fit into one line beside the other columns
MOST_LABEL = 48  # characters that fit into a tall row
REACH_HELP = N_("Share of the members who have the item among their own 50 best predictions")
OWNED_HELP = N_("Share of the members who already have the item")
NEW_HELP = N_(
    "Nobody has them yet. In brackets: the part of their score that comes from how much members are expected to take "
    "an item that is like them by what is known of it."
)
BEST_HELP = N_("The kind of list that this run stands for and that `grouprec export` takes")


def choose(groups: pd.DataFrame) -> tuple[pd.Series, Regime, int]:
    """Draw the controls; return group, use of the list, and number of items. All of them are in the URL."""
    left, middle, right = st.columns([4, 9, 3])
    with left:
        group = cards.choose_group(groups, "list_group")
    if st.query_params.get("part") == "personas":  # which has lists of its own, always the first ten
        return group, "strict", LENGTHS[0]
    regime = middle.segmented_control(
        _("How the list is used"),
        REGIMES,
        required=True,
        format_func=sentences.REGIMES.__getitem__,
        help=_(sentences.REGIME_HELP),
        key="list_use",
        on_change=from_url("use", "list_use", [*REGIMES], "strict"),
        wrap=True,
    )
    length = right.segmented_control(
        _("Items"),
        LENGTHS,
        required=True,
        key="list_length",
        on_change=from_url("items", "list_length", LENGTHS, LENGTHS[0]),
    )
    return group, picked(regime), picked(length)


def list_table(chosen: pd.DataFrame, shared_with: pd.Series | None, key: str) -> None:
    """Draw one list; items in ``shared_with`` bear a mark."""
    frame = chosen[["rank", "label", "reach", "owned"]].round({"reach": 2, "owned": 2})
    if shared_with is not None:
        shared = chosen["item"].isin(shared_with)
        frame["rank"] = frame["rank"].astype(str).where(~shared, frame["rank"].astype(str) + " ●")
    frame["label"] = [cards.short(label, MOST_LABEL) for label in frame["label"]]
    row = TALL_ROW if frame["label"].str.len().max() > LONG_LABEL else ROW
    st.dataframe(
        frame,
        hide_index=True,
        height=36 + row * min(max(len(frame), 1), LENGTHS[0] if row == ROW else TALL_ROWS),
        row_height=row,
        key=key,
        column_config={
            "rank": st.column_config.Column("", width=42, help=_("● also in the first list")),
            "label": st.column_config.TextColumn(_("Item"), width=122),
            "reach": st.column_config.NumberColumn(_("Reach"), format="percent", help=_(REACH_HELP), width=52),
            "owned": st.column_config.NumberColumn(_("Have it"), format="percent", help=_(OWNED_HELP), width=56),
        },
        alt=_("List of {n_frame} items with reach and the share of members who own them").format(n_frame=len(frame)),
    )


def score_column(scores: pd.Series) -> Any:
    """Return scores as bars; their unit differs by method, so only their proportion is shown.

    The members' mean adds up what items are worth to members, a strategy counts in points of its own, the generator
    gives shares of preference, and personal lists give chances.
    """
    top = float(scores.max()) if len(scores) else 0.0
    explanation = _("Relative to the highest score of this list")
    top = top if top > 0 else 1.0
    return st.column_config.ProgressColumn(
        _("Score"), format=" ", width=46, help=explanation, min_value=0.0, max_value=top
    )


def lists_beside(lists: pd.DataFrame, group: int, regime: str, length: int, best: str) -> None:
    """Draw the list that exports take beside the alternatives.

    Args:
        best: the method that the run chose for this use.
    """
    methods = tables.kinds_of_lists(lists, best)
    heads = [tables.group_list(lists, group, method, regime).head(length) for method in methods]
    columns = st.columns(len(methods), gap="small")
    for at, (column, method, head) in enumerate(zip(columns, methods, heads, strict=True)):
        with column:
            st.markdown(f"**{cards.plain(sentences.list_title(method))}**", help=sentences.list_origin(method) or None)
            if at == 0:
                st.caption(_("This run's choice") if method == best else "", help=_(BEST_HELP))
                list_table(head, None, f"list_{method}")
            else:
                st.caption(f"● {sentences.overlap_answer(heads[0]['item'], head['item'])}")
                list_table(head, heads[0]["item"], f"list_{method}")


def new_items(run: Run, number: int, listed: pd.DataFrame) -> None:
    """Draw the new items of the exported list, and why they are on it; nothing where there are none."""
    new = state.table_or_none(run, "new_items")
    said = [] if new is None else words.new_item_words(new[new["group"] == number], listed)
    if said:
        st.markdown(_("**New items on the exported list**"), help=_(NEW_HELP))
        st.markdown("\n".join(f"- {sentence}" for sentence in said))


def worth(run: Run, evaluation: pd.DataFrame, use: Regime, method: str) -> str:
    """Say what such lists do for people, in the words of Decide; where that was not measured, in another measure."""
    n_lists = int(state.metrics(run).get("n_groups", 0))
    split = gain.split_of(*state.gain_tables(run), evaluation, use, method, n_lists)
    return sentences.worth_answer(evaluation, use, method) if split is None else gain.against_one(split)


def downloads(
    lists: pd.DataFrame, groups: pd.DataFrame, names: dict[int, str], group: int, chosen: remade.Chosen | None
) -> None:
    """Offer a page to print, the group's lists and all groups' lists, each with every method and both uses."""
    safe = small_groups.of_groups(lists, groups, ["reach", "owned"])
    parts = {
        f"group_{group}_lists.csv": (_("This group's lists"), group),
        "group_lists.csv": (_("All groups' lists"), None),
    }
    with st.container(horizontal=True):
        if chosen is not None:
            sheet(chosen)
        for file_name, (label, only) in parts.items():
            make = functools.partial(tables.lists_to_export, safe, names, only)
            key = f"list_download_{'all' if only is None else 'group'}"
            cards.download(label, make, file_name, key, small_groups.note())


def sheet(chosen: remade.Chosen) -> None:
    """Draw the button for the group's page of paper, which is made when it is pressed."""
    day = sheets.day_of(chosen.run)
    parts = chosen.run, chosen.group, chosen.regime, chosen.members, chosen.trained, day
    st.download_button(
        _("Page to print"),
        data=state.later(lambda: sheets.of_group(*parts).encode(), chosen.run),
        file_name=f"group_{int(chosen.group['group'])}.html",
        mime="text/html",
        key="list_sheet",
        on_click="ignore",
        icon=":material/print:",
        help=_("One page with the first ten items and the reasons, as HTML: open it and print it, or save it as PDF"),
    )


@fragment
def look_up(run: Run, users: pd.DataFrame, names: dict[int, str], group: int) -> None:
    """Find a user by id and draw who they are and what their own list is; at first a typical member of ``group``."""
    left, right = st.columns([1, 1], vertical_alignment="bottom")
    text = left.text_input(
        _("User id"),
        key="user",
        bind="query-params",
        placeholder=_("for example {value}").format(value=users["user"].iloc[0]),
    )
    found = tables.find_users(users, text) if text else typical_member(run, users, group)
    if not text:
        right.caption(_("A typical member of the group. Type an id or its beginning to see somebody else."))
    if not len(found):
        if text:
            st.caption(_("No user id is, or begins with, “{text}”.").format(text=cards.plain(text)))
        return
    ids = users["user"]
    row = found[0]
    if len(found) > 1:
        row = right.selectbox(
            _("Ids that begin with it"), found.tolist(), format_func=lambda at: ids.iloc[at], key="user_row"
        )
    show_user(run, users, int(row), names)


def typical_member(run: Run, users: pd.DataFrame, group: int) -> np.ndarray:
    """Return the row of the member who is nearest to the middle of a group, else of the most active; int [0 or 1].

    Of those near the middle one with as many items as half of the members: of a single item there is little to see.
    """
    members = state.table_or_none(run, "group_members")
    if members is not None:
        own = members[(members["group"] == group) & (members["kind"] == "typical")].sort_values("rank")
        usual = users.loc[users["group"] == group, "interactions"].median()
        many = own["user"].isin(users.loc[users["interactions"] >= usual, "user"])
        found = np.flatnonzero(users["user"].isin((own[many] if many.any() else own)["user"].head(1)))
        if len(found):
            return found
    own = users[(users["group"] == group) & users["in_training"]]
    return np.array([users.index.get_loc(own["interactions"].idxmax())]) if len(own) else np.empty(0, np.int64)


def show_user(run: Run, users: pd.DataFrame, row: int, names: dict[int, str]) -> None:
    """Draw one user: group, attributes, place on the map, personal list."""
    user = users.iloc[row]
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.markdown(f"{cards.group_mark(user['group'])} **{cards.plain(names[user['group']])}**")
        late = "" if user["in_training"] else _(" · joined a group later")
        st.caption(
            _("User {user} · {items}{late}").format(
                user=cards.plain(user["user"]), items=cards.plural(user["interactions"], "item"), late=late
            )
        )
        if pd.notna(user["x"]):
            alt = _("Where this user is among all users")
            st.plotly_chart(map_figure.place_of_user(users, row), key="user_place", config=charts.QUIET_CONFIG, alt=alt)
        attributes = {
            attribute_title(name): attribute_value(name, shown(user[name])) for name in tables.attribute_columns(users)
        }
        if attributes:
            st.dataframe(
                pd.DataFrame({_("Attribute"): list(attributes), _("Value"): list(attributes.values())}),
                hide_index=True,
                key="user_attributes",
                alt=_("Attributes of this user"),
            )
    with right:
        st.markdown(_("**Personal list**"))
        own = tables.personal_list(run, user["user"])
        cards.download(_("Download"), lambda: own, "user_list.csv", "user_download")
        if run.has_snapshot and user["in_training"]:
            trained_group = int(state.trained_table(run, "users")["group"].iloc[row])  # what the stream knows
            feedback.user_list(run, user["user"], trained_group, own)
            why_for_user(run, user, own)
            return
        st.dataframe(
            own[["rank", "label", "score"]],
            hide_index=True,
            height=440,
            key="user_list",
            column_config={
                "rank": st.column_config.NumberColumn("", width=40),
                "label": st.column_config.TextColumn(_("Item"), width=330),
                "score": score_column(own["score"]),
            },
            alt=_("The user's personal list"),
        )


def why_for_user(run: Run, user: pd.Series, own: pd.DataFrame) -> None:
    """Draw why one of the first items of a user's own list is on it."""
    first = own.head(LENGTHS[0])
    rows, items = opened.rows_of(run, pd.Series([user["user"]])), opened.item_rows(run, first["item"])
    known = items >= 0  # the others are new: nobody's items speak for them
    if not len(rows) or not known.any():
        return
    labels = dict(zip(items[known].tolist(), first["label"][known], strict=True))
    with st.popover(_("Why these items"), icon=":material/help:"):
        item = picked(
            st.selectbox(_("Item"), list(labels), format_func=lambda one: cards.short(labels[one]), key="user_why")
        )
        reasons.panel(run, rows, item, f"**{cards.plain(labels[item])}**:", "they", "user_why")


def shown(value: Any) -> str:
    """Return an attribute's value as people write it."""
    if isinstance(value, str):
        return value
    return cards.NOTHING if pd.isna(value) else cards.number(value) if isinstance(value, int | float) else str(value)


def draw() -> None:
    """Draw the page."""
    current = state.require_run()
    all_groups, all_lists = state.table(current, "groups"), state.table(current, "group_lists")
    group_titles, evaluation = tables.group_names(all_groups), state.table(current, "evaluation")
    top = st.container()
    if (other := workspace.other_number(current)) is not None:
        workspace.draw_other(current, other, top)
        return
    group_row, use, n_items = choose(all_groups)
    number, summary = int(group_row["group"]), state.metrics(current)
    best_method = tables.list_method(summary, use)
    trained = tables.group_list(all_lists, number, best_method, use)
    tabs = tabs_from_url("part", "list_part", PARTS, "user" if st.query_params.get("user") else "list")
    generated = personas.verdict(current) if tabs["personas"].open else ""
    with top:
        said = "" if generated else worth(current, evaluation, use, best_method)
        cards.answer(generated or sentences.list_answer(group_row, trained), _(sentences.METRIC_HELP))
        cards.tested_note(current, said)
        if note := sentences.repeats_words(summary):
            st.caption(note)
    if tabs["list"].open:
        with tabs["list"]:
            looked_at = remade.choose(current, group_row, use, n_items, trained)
            if looked_at is None:
                remade.plain_list(trained.head(n_items), state.table(current, "items"), summary.get("n_users", 0))
                downloads(all_lists, all_groups, group_titles, number, None)
            else:
                take_along = functools.partial(downloads, all_lists, all_groups, group_titles, number, looked_at)
                remade.remade(looked_at, take_along)
            new_items(current, number, trained.head(n_items))
    if tabs["ways"].open:
        with tabs["ways"]:
            st.caption(_("What the run made besides, as it was trained."))
            lists_beside(all_lists, number, use, n_items, best_method)
    if tabs["personas"].open:
        with tabs["personas"]:
            personas.draw(current, group_row)
    if tabs["feedback"].open:
        with tabs["feedback"]:
            judge(current, all_lists, number, use, best_method)
    if tabs["user"].open:
        with tabs["user"]:
            look_up(current, state.table(current, "users"), group_titles, number)


def judge(run: Run, lists: pd.DataFrame, number: int, use: Regime, method: str) -> None:
    """Draw what people say of a list, where the run can take it to heart."""
    if not run.has_snapshot:
        st.caption(_("This run takes no feedback: it is older than live updates, or was not saved whole."))
    elif number in state.edited(run).grouping.changed:  # the stream would take it for another group
        cards.trained_note(run, _("Feedback and live updates"))
    else:
        new = state.table_or_none(run, "new_items")  # a stream does not know them
        known = lists if new is None else lists[~lists["item"].isin(new["item"])]
        feedback.group_list(run, known, number, use, method)
