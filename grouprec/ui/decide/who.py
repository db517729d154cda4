"""Who each list is for: groups as cards with their name, size, tiles and first items."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from grouprec.core.language import _, full_stop
from grouprec.core.tables import records
from grouprec.report import tables
from grouprec.runs.store import Run
from grouprec.ui import cards, kept, opened, state, tiles
from grouprec.ui.decide import words
from grouprec.ui.kept import FIRST, Worth

CARDS = 4  # on a page of them: a row on a laptop
SHOWN = 3  # items of a list


def draw(run: Run, worth: Worth, n: int) -> None:
    """Draw the groups of a number of lists, the largest first."""
    if not n:
        cards.section(_("Who each list is for"))
        st.markdown(_("Everyone has a list of their own: *Recommendations* looks up any of them."))
        return
    found = groups_and_lists(run, worth, n)
    if found is None:
        st.info(_(words.MISSING), icon=":material/group:")
        return
    groups, lists = found
    groups = groups.sort_values(["size", "group"], ascending=[False, True])
    pages = math.ceil(len(groups) / CARDS)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(_("Who each list is for"), anchor=False, width="content")
        page = st.pagination(pages, key=f"decide_cards_{n}", width=cards.PAGES_WIDTH) if pages > 1 else 1
    lines = opened.who(run) if n == worth.own else {}
    total, faces = int(groups["size"].sum()), tiles.faces(run)
    with st.grid(CARDS, min_column_width=175, border=True, gap="small") as grid:
        for group in records(groups.iloc[(page - 1) * CARDS : page * CARDS]):
            own = lists[lists["group"] == group["group"]].head(SHOWN)
            with grid.cell():
                card(group, own, total, faces, lines.get(group["group"], ""))
    if note := faces.note():
        st.caption(cards.plain(note))


def groups_and_lists(run: Run, worth: Worth, n: int) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Return group, name, size and group, rank, item, label of a number of lists; of the run's own as edited."""
    if n == worth.own:
        lists = state.table(run, "group_lists")
        method = tables.list_method(state.metrics(run), worth.regime)
        own = lists[(lists["method"] == method) & (lists["regime"] == worth.regime) & (lists["rank"] <= FIRST)]
        return state.table(run, "groups"), own.sort_values(["group", "rank"])
    setting = kept.setting(run, n, worth.regime)
    return None if setting is None else (setting.groups, setting.lists)


def card(group: Mapping[str, Any], first: pd.DataFrame, total: int, faces: tiles.Faces, line: str) -> None:
    """Draw one group: number, name, size, who they are (``line``), and the first items of its list with their faces."""
    size = f"{cards.plural(group['size'], 'user')} · {cards.percent(group['size'] / total)}"
    with st.container(gap="xsmall"):
        st.markdown(f"{cards.group_mark(group['group'])} **{cards.plain(cards.short(group['name'], 60))}**")
        st.markdown(f":small[{size}]")
        st.html(faces.lines(first["item"], first["label"]))
        if line:
            st.caption(full_stop(line))
