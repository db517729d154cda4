"""What the parts of the evidence are drawn with: a sentence, a picture, a table with its download, a few numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from grouprec.core.language import N_, _, commas
from grouprec.ui import cards, charts

NDCG = "nDCG@10"
MISSING = N_("This run has no such numbers: it is older than they are, or its data did not allow them. Train it again.")


def say(sentence: str, explanation: str | None = None) -> None:
    st.markdown(sentence, help=explanation)


def views() -> Sequence[DeltaGenerator]:
    """Draw two tabs, for the picture and for its numbers: both below one another are longer than a screen."""
    return st.tabs([_("Picture"), _("In numbers")])


def draw(figure: go.Figure, name: str, alt: str) -> None:
    st.plotly_chart(figure, key=f"compare_{name}", config=charts.QUIET_CONFIG, alt=alt)


def numbers_table(
    shown: pd.DataFrame,
    name: str,
    whole: pd.DataFrame,
    file_name: str,
    formats: Mapping[str, Any] | None = None,
    help: str | None = None,
) -> None:
    """Draw a table and the download of all numbers behind it."""
    st.dataframe(
        shown,
        hide_index=True,
        key=f"compare_{name}_table",
        height=min(36 + 35 * len(shown), 491),
        column_config=cards.titles(shown, formats),
        placeholder=cards.NOTHING,
        alt=_("The numbers of the chart: {columns}").format(columns=commas(_(str(name)) for name in shown.columns)),
    )
    cards.download(_("Download"), lambda: whole, file_name, f"compare_download_{name}", help)


def numbers(values: Mapping[str, float | None], write: Callable[[float], str]) -> None:
    """Draw the values that are there side by side: title -> value."""
    there = {title: value for title, value in values.items() if value is not None}
    if there:
        with st.grid(len(there), min_column_width=110, gap="small"):
            for title, value in there.items():
                st.metric(title, write(value))
