"""What a better single list, groups and personal lists add: a sentence, one picture, its table."""

from __future__ import annotations

from functools import lru_cache

import plotly.graph_objects as go
import streamlit as st

from grouprec.core.language import N_, _, commas, current, passage
from grouprec.report import gain
from grouprec.report.gain import Split
from grouprec.ui import cards, charts

TABLE_WIDTH = 440
PARTS_HELP = N_(
    "Blue adds, orange costs, grey is no measurable difference; whiskers are 95 % intervals. Parts add up from the top "
    "to what personal lists reach."
)


@lru_cache(256)
def chart(split: Split, language: str) -> go.Figure:
    """Return the parts, each drawn from where the one before ends. Never change it."""
    figure = charts.steps(gain.steps_of(split), _("people of 100"))
    figure.update_traces(
        selector={"type": "bar"}, hovertemplate=_("%{y}<br>together %{customdata[0]:.1f} of 100<extra></extra>")
    )
    return figure


def picture(split: Split, key: str, floor: str, floor_help: str) -> None:
    """Draw the parts of what personal lists reach, their sentence behind a mark and their table behind a button.

    Args:
        key: begins the keys of the elements.
        floor, floor_help: what the best single list is, and what stands behind its mark.
    """
    table = gain.as_table(split)
    words, drawn = st.columns([1, 2], gap="medium")
    with words.container(gap="xsmall"):
        st.caption(
            _("What the gain is made of"),
            help=f"{gain.parts_answer(split)}\n\n{passage(_(gain.PEOPLE_HELP), _(PARTS_HELP))}",
            width="content",
        )
        with st.popover(_("Table"), type="tertiary", icon=":material/table:"):
            number = st.column_config.NumberColumn(format="%.1f")
            st.dataframe(
                table,
                hide_index=True,
                width=TABLE_WIDTH,  # a popover is narrower by itself, and cuts the last columns off
                key=f"{key}_gain_table",
                column_config=cards.titles(table, dict.fromkeys(table.columns[1:], number)),
                placeholder=cards.NOTHING,
                alt=_("The parts with their 95 % intervals"),
            )
            cards.download(_("Download"), lambda: table, "gain.csv", f"{key}_gain_download")
        st.caption(floor, help=floor_help)
    said = commas(gain.steps_of(split)["title"])
    drawn.plotly_chart(
        chart(split, current()),
        key=f"{key}_gain",
        config=charts.QUIET_CONFIG,
        alt=_("{title}: {value}").format(title=_(gain.AXIS), value=said),
    )
