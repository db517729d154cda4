"""Which groups are served worst, and what splitting each would gain."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from grouprec.core.language import N_, _, passage
from grouprec.report import findings, sentences, small_groups, tables
from grouprec.runs.store import Run
from grouprec.ui import cards, state
from grouprec.ui.compare import parts

SPLIT_HELP = N_(
    "What two lists instead of one would bring the group's members. **Predicted** by the model, before looking; "
    "**measured** on the test part, with its 95 % interval."
)


def left_behind(run: Run, regime: str) -> None:
    """Draw which groups are served worst, and what splitting each would gain."""
    served = state.table(run, "group_evaluation")
    found = state.table_or_none(run, "left_behind")
    split = pd.DataFrame() if found is None else found[found["regime"] == regime]
    frame = tables.served_groups(served[served["regime"] == regime], split)
    refit = bool(state.metrics(run).get("refit"))
    answer = sentences.left_behind_answer(frame)
    gain = findings.split_answer(frame) if len(split) and frame["zero_hit_share"].notna().any() else ""
    parts.say(passage(answer, gain), _(SPLIT_HELP))
    if frame["zero_hit_share"].isna().all():
        return
    shown = frame.round(3)
    if "share_lost" in shown and shown["share_lost"].notna().any():
        shown["share_lost"] = tables.gain_kept(shown["share_lost"])
    measured = f"measured_{sentences.METRIC}"
    if measured in shown:
        ends = frame[[measured, f"{measured}_low", f"{measured}_high"]]
        shown = shown.drop(columns=list(ends)).assign(
            measured=[cards.difference(*row) for row in ends.itertuples(index=False)]
        )
    shown = shown[[name for name in shown if name in ("group", "name") or not cards.says_nothing(shown[name])]]
    st.dataframe(
        shown if refit else cards.colour_groups(shown),  # a refitted run's map has other groups, in the same colours
        hide_index=True,
        key="compare_groups",
        height=min(36 + 35 * len(shown), 491),
        column_config=_left_behind_columns(),
        placeholder=cards.NOTHING,
        alt=_("Groups by the share of members who found nothing in their list"),
    )
    if refit:
        st.caption(_("These are the groups of the evaluation; the run then learned its groups again from all rows."))
    safe = small_groups.without(frame, small_groups.untold(frame["n_test_users"]), list(frame.columns[2:]))
    cards.download(_("Download"), lambda: safe, "left_behind.csv", "compare_download_groups", small_groups.note())


def _left_behind_columns() -> dict[str, Any]:
    """Return how the columns of the groups served worst are shown."""
    return {
        "group": st.column_config.NumberColumn("", width=40),
        "name": st.column_config.TextColumn(_("Group"), width=179),
        "n_test_users": st.column_config.NumberColumn(_("Tested users"), format="localized", width=88),
        "zero_hit_share": st.column_config.ProgressColumn(
            _("Found nothing"), format="percent", min_value=0, max_value=1, width=95
        ),
        "ndcg@10": st.column_config.NumberColumn(parts.NDCG, format="%.3f", width=74, help=_(sentences.METRIC_HELP)),
        "worst_decile": st.column_config.NumberColumn(
            _("Worst tenth"),
            format="%.3f",
            width=82,
            help=_("{ndcg} of the tenth of members who are served worst").format(ndcg=parts.NDCG),
        ),
        "share_lost": st.column_config.TextColumn(
            _("Gain kept"),
            width=72,
            help=_(
                "Of what personal lists would gain over one list for all. None: that one list serves the group better "
                "than its own; all: its own is as good as personal lists"
            ),
        ),
        "predicted_ndcg@10": st.column_config.NumberColumn(
            _("Split, predicted"), format="%+.3f", width=105, help=_(SPLIT_HELP)
        ),
        "measured": st.column_config.TextColumn(_("Split, measured"), width=166, help=_(SPLIT_HELP)),
    }
