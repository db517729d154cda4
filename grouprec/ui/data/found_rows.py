"""What a check found of the rows: which went at which step, and how the rest is split and spread."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from grouprec.core.language import _, decimal, full_stop, passage
from grouprec.data.preparing.split_words import split_words
from grouprec.ui.cards import plain, plural
from grouprec.ui.charts import QUIET_CONFIG
from grouprec.ui.data import preview, quality
from grouprec.ui.data.quality import Check

MANY_DROPPED = 0.01  # share of the rows from which on the steps that dropped some are worth the picture


def draw_picture(check: Check) -> None:
    """Draw what the steps that dropped rows left; where hardly any did, when things happened."""
    if check.report["dropped"].sum() < MANY_DROPPED * check.n_raw and len(check.activity):
        says = _("Interactions over time. {check}").format(check=preview.activity_sentence(check))
        figure = preview.activity_figure(check.activity)
        st.plotly_chart(figure, key="over_time", config=QUIET_CONFIG, alt=says)
        st.caption(plain(says))
        return
    st.plotly_chart(
        preview.report_figure(preview.shown_report(check.report)),
        key="report_figure",
        config=QUIET_CONFIG,
        alt=_("Rows left after every step: {n_raw} at first, {n_rows} in the end").format(
            n_raw=decimal(check.n_raw), n_rows=decimal(check.n_rows)
        ),
    )


def draw_dropped(check: Check) -> None:
    """Draw what the steps dropped that did, and why, how the rest is split, and all steps for who asks for them."""
    if check.report["dropped"].any():
        draw_steps(check.report[check.report["dropped"] > 0], _("The steps that dropped rows"))
    else:
        st.markdown(_("No row was dropped."))
    names = {"train": _("To learn from"), "validation": _("To choose settings"), "test": _("To judge the result")}
    st.markdown(plain(split_words(check.split)), help=_("Nothing is learned from the rows that judge."))
    for column, (part, title) in zip(st.columns(3), names.items(), strict=True):
        column.metric(title, plural(check.split[part], "row"), border=True)
    every = st.expander(_("All steps of the preparation"), key="all_steps", on_change="rerun")
    if every.open:
        with every:
            draw_steps(check.report, _("The steps of the preparation with rows before, after and dropped"))


def draw_steps(report: pd.DataFrame, alt: str) -> None:
    """Draw steps of the preparation: their rows before and after, and why rows went."""
    st.dataframe(
        preview.shown_report(report),
        hide_index=True,
        row_height=28,
        height="content",
        column_config={
            "step": st.column_config.TextColumn(_("Step"), width=250),
            "rows_before": st.column_config.NumberColumn(_("Rows before"), format="localized", width=85),
            "rows_after": st.column_config.NumberColumn(_("Rows after"), format="localized", width=80),
            "dropped": st.column_config.NumberColumn(_("Dropped"), format="localized", width=70),
            "note": st.column_config.TextColumn(_("Why"), width=500),
        },
        alt=alt,
    )


def draw_distributions(check: Check) -> None:
    """Draw how active users and how popular items are, and when things happened."""
    users = preview.distribution_figure(check.per_user, _("users"))
    items = preview.distribution_figure(check.per_item, _("items"))
    charts: list[tuple[str, str, Any, pd.DataFrame]] = [
        (_("Users by number of interactions"), preview.users_sentence(check), users, check.per_user),
        (_("Items by number of interactions"), preview.items_sentence(check), items, check.per_item),
        (_("Popularity of items"), quality.tail_sentence(check.tail), quality.tail_figure(check.tail), check.tail),
    ]
    if len(check.activity):
        figure = preview.activity_figure(check.activity)
        charts.append((_("Interactions over time"), preview.activity_sentence(check), figure, check.activity))
    for at in range(0, len(charts), 2):
        pair = charts[at : at + 2]
        for column, (title, says, figure, frame) in zip(st.columns(2, gap="large"), pair, strict=False):
            with column:
                st.markdown(f"**{title}**. {plain(says)}")
                st.plotly_chart(
                    figure, key=f"distribution.{title}", config=QUIET_CONFIG, alt=passage(full_stop(title), says)
                )
                with st.popover(_("As a table"), type="tertiary", icon=":material/table:"):
                    st.dataframe(frame, hide_index=True, height=220, alt=title)
