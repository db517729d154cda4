"""What pages share in how they say things: escaped text, numbers for people, group marks, cards, downloads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from grouprec.core.language import _, passage
from grouprec.report import spreadsheet
from grouprec.report.palette import group_colour, text_on
from grouprec.report.tested import rests_on
from grouprec.report.text import (  # noqa: F401  # pages find all ways to say things here
    NOTHING,
    count,
    difference,
    group_label,
    in_percent,
    interval,
    number,
    percent,
    plain,
    plural,
    ratio,
    score,
    short,
)
from grouprec.runs.store import Run
from grouprec.ui import charts, state
from grouprec.ui.address import from_url

PAGES_WIDTH = 340  # pixels of a pagination beside something: one as wide as its content hides "2" of three pages

# -- groups


def group_mark(group: int) -> str:
    """Return the group's number in its colour, as markdown; the spaces in it are of a kind at which no line ends."""
    colour = group_colour(group)
    return f':color[\u2007{group}\u2007]{{foreground="{text_on(colour)}" background="{colour}"}}'


def colour_groups(frame: pd.DataFrame, column: str = "group") -> pd.io.formats.style.Styler:
    """Return the frame with the cells of the group column in the groups' colours."""

    def style(group: Any) -> str:
        colour = group_colour(int(group))
        return f"background-color: {colour}; color: {text_on(colour)}; font-weight: 600"

    floats = frame.select_dtypes("float")
    whole = [name for name in floats if (floats[name].dropna() % 1 == 0).all()]  # 2, not 2.00
    return frame.astype(dict.fromkeys(whole, "Int64")).style.format(precision=2).map(style, subset=[column])


def trained_note(run: Run, what: str) -> None:
    """Say that something knows the trained groups only, where people have given groups other members since."""
    if state.edits_version(run) is not None and state.edited(run).grouping.changed:
        st.caption(
            _("{what} know the groups as they were trained, without the merges and splits of the Groups page.").format(
                what=what
            )
        )


# -- page parts


def answer(sentence: str, explanation: str | None = None) -> None:
    """Draw the page's first line: the sentence (markdown, already escaped) that answers its question."""
    st.markdown(f"## {sentence}", help=explanation, anchors=False)


def tested_note(run: Run, before: str = "") -> None:
    """Say beside a headline on how many users it rests; by how many settings were chosen is behind a mark.

    Args:
        before: what the headline leaves to the line below it (markdown, already escaped).
    """
    metrics = state.metrics(run)
    said, whole = rests_on(metrics, chosen=False), rests_on(metrics)
    if together := passage(before, said):
        st.caption(together, help=whole if whole != said else None)


def section(title: str, explanation: str | None = None) -> None:
    """Draw the heading of a part of a page."""
    st.subheader(title, anchor=False, help=explanation)


def choose_group(groups: pd.DataFrame, key: str) -> pd.Series:
    """Draw the choice of a group, which is in the URL; return its row of the groups table."""
    numbers, names = groups["group"].tolist(), dict(zip(groups["group"], groups["name"].astype(str), strict=True))
    group = st.selectbox(
        _("Group"),
        numbers,
        format_func=lambda one: group_label(one, names[one]),
        key=key,
        on_change=from_url("group", key, numbers, numbers[0]),
    )
    return groups[groups["group"] == group].iloc[0]


def titles(frame: pd.DataFrame, formats: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return how columns that bear words are shown: under these words in the reader's language.

    Args:
        formats: column -> how it is shown; its title, where it has a shorter one.
    """
    shown = {name: {**(formats or {}).get(name, st.column_config.Column())} for name in map(str, frame.columns)}
    return {name: {**how, "label": how.get("label") or _(name)} for name, how in shown.items()}


def says_nothing(column: pd.Series) -> bool:
    """Return whether a column need not be shown: it is empty, or 0 in every row."""
    known = column.dropna()
    return bool(
        known.empty
        or (known.astype(object) == "").all()
        or (pd.api.types.is_numeric_dtype(known) and (known == 0).all())
    )


def composition(parts: pd.DataFrame, key: str, users: str, share: str, alt: str) -> None:
    """Draw which groups some users belong to: ``parts`` of :func:`~grouprec.report.tables.composition`.

    Args:
        users, share: the titles of how many of them are in a group, and of their share of them all.
    """
    st.dataframe(
        colour_groups(parts.assign(name=parts["name"].map(lambda name: short(str(name), 22))).round(3)),
        hide_index=True,
        height=36 + 35 * min(len(parts), 5),
        key=key,
        column_config={
            "group": st.column_config.NumberColumn("", width=34),
            "name": st.column_config.TextColumn(_("Group"), width=146),
            "users": st.column_config.NumberColumn(users, format="localized", width=62),
            "share": st.column_config.NumberColumn(share, format="percent", width=56),
            "share_of_group": st.column_config.NumberColumn(_("Of group"), format="percent", width=66),
        },
        alt=alt,
    )


def user_map(figure: go.Figure, key: str, alt: str, height: int = charts.MAP_HEIGHT, **more: Any) -> Any:
    """Draw a map of users, which is less high on a phone (see ``frame.STYLE``); ``more`` is how it answers."""
    with st.container(height=height, border=False, key=f"map_{key}"):
        return st.plotly_chart(figure, height="stretch", key=key, config=charts.CONFIG, alt=alt, **more)


def link(page: str, label: str, **parameters: object) -> None:
    """Draw a link to a page that keeps the chosen run and dataset and adds parameters."""
    query = state.kept_query() | {name: str(value) for name, value in parameters.items()}
    st.page_link(state.page_path(page), label=label, query_params=query, icon=":material/arrow_forward:")


def download(label: str, frame: Callable[[], pd.DataFrame], file_name: str, key: str, help: str | None = None) -> None:
    """Draw a button that makes the CSV only when it is pressed, and does not rerun the page.

    What tells numbers of groups, or of users with something in common, comes from :mod:`grouprec.report.small_groups`;
    every download says which kind it is in tests/ui/test_downloads.py.
    """
    st.download_button(
        label,
        data=state.later(lambda: spreadsheet.download(frame())),
        file_name=file_name,
        mime="text/csv",
        key=key,
        on_click="ignore",
        icon=":material/download:",
        help=help,
    )
