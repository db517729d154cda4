"""Thumbs up, thumbs down and hide on recommended items, and how often people agree with what they are shown."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import streamlit as st

from grouprec.core.language import N_, _, commas
from grouprec.core.types import BusyError, GrouprecError, Regime
from grouprec.live import ledger
from grouprec.report import sentences, tables
from grouprec.report.html.moving import moves
from grouprec.runs.store import Run
from grouprec.ui import cards, charts, live_words, state
from grouprec.ui.fragments import fragment

LENGTH = 20  # items of a list that can be judged
MOST_DOTS = 20
BUTTONS = {
    "like": (N_("Like"), ":material/thumb_up:"),
    "dislike": (N_("Dislike"), ":material/thumb_down:"),
    "hide": (N_("Hide"), ":material/visibility_off:"),
    "unhide": (N_("Take back"), ":material/undo:"),
}
HELP = N_(
    "Select an item, then say what you think of it: *Like* multiplies its score by 1.5, *Dislike* by 0.5, *Hide* takes "
    "it off the list. It counts at once, is exported, and the next training can use it."
)
MOVE_HELP = N_("Against the list as it was trained: ▲ up, ▼ down, new")
ACCEPTANCE_HELP = N_(
    "Likes among all verdicts that hold: the last one of a person, or of a group, on an item, unless it was taken "
    "back. Bars are Wilson's 95 % intervals."
)
BUSY = N_(
    "Another process is sending events to this run, so the list is shown as it was trained, with what was said of it."
)


def begun(run: Run) -> bool:
    """Return whether events have been sent to a run: only then its stream has to be opened to draw anything."""
    return ledger.begun(run.ledger) or run.live_state.exists()


@dataclass(frozen=True)
class Judged:
    """A list that is judged: whose it is, and how it was made."""

    run: Run
    user: str | None
    group: int
    method: str
    regime: Regime | Literal["individual"]
    live: bool  # events change it

    @property
    def key(self) -> str:
        return "feedback_group" if self.user is None else "feedback_user"

    def event(self, item: str, verdict: str) -> dict[str, object]:
        """Return a verdict as an event."""
        who = {"group": self.group} if self.user is None else {"user": self.user, "group": self.group}
        made = {"method": self.method, "regime": self.regime, "time": time.time(), "event_id": secrets.token_hex(8)}
        return {**who, **made, "item": item, "behaviour": verdict}


@fragment
def group_list(run: Run, lists: pd.DataFrame, group: int, regime: Regime, best: str) -> None:
    """Draw a group's list as it stands, with buttons to judge its items.

    Args:
        lists: the run's group_lists.
        best: the method of the list that events change.
    """
    cards.section(_("Feedback"), _(HELP))
    methods = tables.kinds_of_lists(lists, best)
    method = st.segmented_control(
        _("List"),
        methods,
        default=best,
        required=True,
        format_func=sentences.list_title,
        label_visibility="collapsed",
        key="feedback_method",
    )
    st.caption(_("Select an item to judge it for this group."))
    judged = Judged(run, None, group, method, regime, method == best)
    _draw(judged, tables.group_list(lists, group, method, regime))


def user_list(run: Run, user: str, group: int, own: pd.DataFrame) -> None:
    """Draw a user's own list as it stands, with buttons to judge its items; ``own`` is the trained one."""
    st.caption(_("Select an item to judge it for this user."), help=_(HELP))
    _draw(Judged(run, user, group, "individual", "individual", True), own)


def _draw(judged: Judged, trained: pd.DataFrame) -> None:
    try:
        frame = _as_it_stands(judged, trained)
    except GrouprecError as error:
        st.error(cards.plain(error))
        return
    key = f"{judged.key}_rows_{st.session_state.get('feedback_round', 0)}"  # another list, nothing is selected
    rows = (st.session_state.get(key) or {"selection": {"rows": []}})["selection"]["rows"]
    chosen = frame.iloc[rows[0]] if rows and rows[0] < len(frame) else None
    with st.container(horizontal=True, vertical_alignment="center"):
        for verdict, (title, icon) in BUTTONS.items():
            useless = chosen is None or (chosen["said"] == live_words.VERDICTS.get(verdict, ""))
            item = None if chosen is None else str(chosen["item"])
            st.button(
                _(title),
                icon=icon,
                key=f"{judged.key}_{verdict}",
                disabled=useless,
                on_click=_judge,
                args=(judged, item, verdict),
            )
        if failed := st.session_state.pop("feedback_error", ""):
            st.error(cards.plain(failed))
    shown = [name for name in ("rank", "move", "label", "said") if not cards.says_nothing(frame[name])]
    st.dataframe(
        frame[shown],
        hide_index=True,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        width="content",
        height=36 + 35 * min(max(len(frame), 1), 11),
        column_config={
            "rank": st.column_config.NumberColumn("", width=40),
            "move": st.column_config.TextColumn(_("Move"), width=64, help=_(MOVE_HELP)),
            "label": st.column_config.TextColumn(_("Item"), width=330),
            "said": st.column_config.TextColumn(_("Said"), width=80),
        },
        alt=_("The list as it stands, {value} of its items judged").format(value=(frame["said"] != "").sum()),
    )
    if hidden := int(frame["rank"].isna().sum()):
        st.caption(
            _("{hidden_items} at the end of the table; select one to take it back.").format(
                hidden_items=cards.plural(hidden, "hidden item")
            )
        )


def _judge(judged: Judged, item: str, verdict: str) -> None:
    """Send a verdict; the list is drawn anew after that."""
    from grouprec.live import streams  # knows the stages, and so torch: looking at lists does without

    try:
        with streams.use(state.store(), judged.run) as stream:
            stream.apply([judged.event(item, verdict)])
        st.session_state["feedback_round"] = st.session_state.get("feedback_round", 0) + 1
    except GrouprecError as error:
        st.session_state["feedback_error"] = str(error)


def _as_it_stands(judged: Judged, trained: pd.DataFrame) -> pd.DataFrame:
    """Return the head of a list after all events, hidden items behind it: rank, move, item, label, said."""
    said, now = pd.Series(dtype=object), trained
    if begun(judged.run):
        said = _said(judged)
        now = _live(judged) if judged.live else None
        now = _by_verdicts(trained, said) if now is None else now
    now = now.head(LENGTH)
    moved = moves(trained["item"].tolist(), now["item"].tolist()) if len(said) or judged.live else ""
    frame = now[["item", "label"]].assign(rank=range(1, len(now) + 1), move=moved)
    labels = trained.set_index("item")["label"]
    hidden = [item for item, verdict in said.items() if verdict == "hide"]
    names = [labels.get(item, item) for item in hidden]
    frame = pd.concat([frame, pd.DataFrame({"item": hidden, "label": names, "rank": pd.NA, "move": ""})])
    frame["rank"] = frame["rank"].astype("Int64")
    return frame.assign(said=frame["item"].map(said).map(live_words.VERDICTS).fillna("")).reset_index(drop=True)


def _said(judged: Judged) -> pd.Series:
    """Return what holds of what was said on behalf of this user or group: item -> verdict."""
    from grouprec.live.feedback import standing, verdicts

    told = standing(verdicts(judged.run))
    own = (
        told["user"] == judged.user
        if judged.user is not None
        else told["user"].isna() & (told["group"] == judged.group)
    )
    return told[own].set_index("item")["verdict"]


def _live(judged: Judged) -> pd.DataFrame | None:
    """Return the list as events have left it: item, label. None where another process holds the stream."""
    from grouprec.live import streams

    try:
        with streams.use(state.store(), judged.run) as stream:
            live = stream.state
            if judged.regime != "individual":
                items, _scores = stream.group_list(judged.group - 1, judged.regime, 200)
            else:
                row = None if judged.user is None else live.user_row(judged.user)
                items = [] if row is None else stream.user_list(row)[0]
            found = [(live.item_ids[item], live.item_labels[item]) for item in items]
    except BusyError:
        st.caption(_(BUSY))
        return None
    return pd.DataFrame(found, columns=["item", "label"])


def _by_verdicts(trained: pd.DataFrame, said: pd.Series) -> pd.DataFrame:
    """Return a trained list with its scores multiplied by what was said of its items."""
    from grouprec.live.events import FACTORS

    factor = trained["item"].map(said).map(FACTORS).fillna(1.0)
    changed = trained.assign(score=trained["score"] * factor)[factor > 0]
    return changed.sort_values("score", ascending=False, kind="stable", ignore_index=True)


# -- Compare: do people agree?


def acceptance(run: Run, regime: str) -> None:
    """Draw how often people like what they are shown, per group and method."""
    told, table = _accepted(run) if begun(run) else (pd.DataFrame(), pd.DataFrame())
    if table.empty:
        st.markdown(_("Nobody has judged a list of this run yet. Select an item under *Feedback* and press Like."))
        cards.link("recommendations", _("Give feedback"))
        return
    names = tables.group_names(state.trained_table(run, "groups"))
    titles = [_title(group, names, method) for group, method in zip(table["group"], table["method"], strict=True)]
    table = table.assign(title=titles, regime="", ours=True).sort_values(["rate", "verdicts"], ascending=False)
    st.markdown(live_words.acceptance_answer(table, names), help=_(ACCEPTANCE_HELP))
    drawn = table.nlargest(MOST_DOTS, "verdicts").sort_values("rate", ascending=False)
    st.plotly_chart(
        charts.method_dots(drawn.rename(columns={"rate": "value"}), {}, _("Share of likes")),
        key="compare_acceptance",
        config=charts.QUIET_CONFIG,
        alt=_("Share of likes by group and method: {title}").format(title=commas(drawn["title"].head(3))),
    )
    if len(table) > MOST_DOTS:
        st.caption(_("The {most_dots} most judged are drawn; the table has all.").format(most_dots=MOST_DOTS))
    shown = table[["title", "rate", "likes", "dislikes", "hides"]].assign(
        interval=[f"{cards.percent(low)} – {cards.percent(high)}" for low, high in table[["low", "high"]].to_numpy()]
    )
    st.dataframe(
        shown[["title", "rate", "interval", "likes", "dislikes", "hides"]],
        hide_index=True,
        key="compare_acceptance_table",
        height=min(36 + 35 * len(shown), 491),
        column_config={
            "title": st.column_config.TextColumn(_("Group · method"), width=420),
            "rate": st.column_config.NumberColumn(_("Accepted"), format="percent", help=_(ACCEPTANCE_HELP)),
            "interval": "95 % interval",
            "likes": _("Likes"),
            "dislikes": _("Dislikes"),
            "hides": _("Hidden"),
        },
        alt=_("Groups and methods in rows, likes, dislikes, hidden items and the share of likes in columns"),
    )
    cards.download(_("Download"), lambda: told, "feedback.csv", "compare_download_feedback")


def _accepted(run: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    from grouprec.live.feedback import acceptance, verdicts  # knows the stages, and so torch

    told = verdicts(run)
    return told, acceptance(told)


def _title(group: int, names: dict[int, str], method: str) -> str:
    made = {"": _("method not given"), "individual": _("Personal list")}.get(method, sentences.list_title(method))
    return f"{cards.group_label(group, cards.short(names.get(group, ''), 30))} · {made}"
