"""Why an item is on a list: the sentence, the picture, and the table of what speaks for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from grouprec.core.language import N_, _
from grouprec.core.types import GrouprecError
from grouprec.report.palette import ACCENT, NEUTRAL
from grouprec.runs.store import Run
from grouprec.ui import cards, charts, opened
from grouprec.ui import list_words as words

LISTED = 50
ROW, AROUND = 24, 16  # pixels of a bar, and above and below them all
HELP = N_(
    "What lifts the item above one of average popularity that nobody's items speak for. Shares are parts of all that "
    "speaks for it, a mean over the members who are predicted to want it, by how much they want it."
)


def panel(run: Run, rows: np.ndarray, item: int, sentence: str, who: str, key: str) -> None:
    """Draw why an item is recommended.

    Args:
        rows: the users whose items speak, rows of the base.
        item: row of the item.
        sentence: what to say of the item itself, markdown.
        who: what these users are called: ``members``, ``they``.
    """
    try:
        found = opened.why(run, rows, item)
    except GrouprecError as error:
        st.markdown(sentence)
        st.caption(cards.plain(error))
        return
    labels = opened.base(run).item_labels
    st.markdown(sentence)
    frame = words.reasons_frame(found, labels)
    kinds = words.by_kind(frame, opened.kinds_of_base(run))
    st.markdown(words.reasons_words(kinds, who), help=_(HELP))
    st.plotly_chart(bars(kinds), key=f"{key}_bars", config=charts.QUIET_CONFIG, alt=words.reasons_alt(kinds))
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover(_("Table"), type="tertiary", icon=":material/table:"):
            table(frame, f"{key}_table")
        st.caption(words.reasons_note(found, len(rows)), width="stretch")


def table(frame: pd.DataFrame, key: str) -> None:
    """Draw the strongest reasons in numbers."""
    st.dataframe(
        frame[["what", "share", "owners"]].head(LISTED).round({"share": 3}),
        hide_index=True,
        width=520,
        key=key,
        column_config={
            "what": st.column_config.TextColumn(_("What speaks for it"), width=300),
            "share": st.column_config.NumberColumn(_("Share"), format="percent"),
            "owners": st.column_config.NumberColumn(_("Have it"), help=_("Of the users whose reasons these are")),
        },
        alt=_("What speaks for the item, or against it where the share is below 0"),
    )


def bars(kinds: pd.DataFrame) -> go.Figure:
    """Return the shares as bars: the strongest kinds of own items, the others together, and the item's own doing."""
    shown = words.most_telling(kinds).iloc[::-1]
    figure = go.Figure(layout=charts.plain_layout(AROUND + ROW * len(shown), top=8))
    figure.add_trace(
        go.Bar(
            x=shown["share"],
            y=np.arange(len(shown)),
            orientation="h",
            marker={"color": [ACCENT if own else NEUTRAL for own in shown["own"]]},
            text=[cards.percent(share) for share in shown["share"]],
            textposition="outside",
            cliponaxis=False,
            hovertext=[charts.literal(what) for what in shown["what"]],
            hoverinfo="text",
        )
    )
    titles = [charts.literal(cards.short(what, 26)) for what in shown["what"]]
    figure.update_yaxes(tickvals=np.arange(len(shown)), ticktext=titles, showgrid=False, automargin=True)
    figure.update_xaxes(visible=False, range=[min(0, 1.3 * shown["share"].min()), 1.25 * shown["share"].max()])
    return figure
