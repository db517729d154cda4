"""The part of the Compare page that looks at every group by itself."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from grouprec.core.language import N_, _, commas
from grouprec.report import sentences, side_by_side, small_groups, tables
from grouprec.report.text import NOTHING
from grouprec.runs.store import Run
from grouprec.ui import cards, state
from grouprec.ui.compare import parts
from grouprec.ui.compare import tables as compare_tables
from grouprec.ui.compare.charts import group_heat
from grouprec.ui.compare.export import buttons

MISSING = N_("No group was measured: the held-out part has no interactions that are new to a user.")
BEFORE_REFIT = N_("These are the groups of the evaluation; the run then learned its groups again from all rows.")
PICTURED = 20  # groups in one picture; more are longer than a screen
HELP = N_("Means over the tested members of a group, the darker the better. Few tested members make a value uncertain.")


def by_group(run: Run, regime: str) -> None:
    """Draw what the members of every group get, by method."""
    served = state.table(run, "group_evaluation")
    measures = [metric for metric in compare_tables.GROUP_METRICS if metric in served]
    if not measures or served[measures[0]].isna().all():
        st.markdown(_(MISSING))
        return
    top = st.container()
    left, right = st.columns(2, vertical_alignment="bottom")
    metric = left.segmented_control(
        _("Measure"),
        measures,
        default=measures[0],
        required=True,
        format_func=compare_tables.GROUP_METRICS.__getitem__,
        key="compare_group_metric",
        label_visibility="collapsed",
    )
    methods = state.table_or_none(run, "group_methods")
    ours, rivals = _columns(run, methods, regime)
    grid = compare_tables.group_grid(compare_tables.group_values(methods, served, regime, metric), ours)
    top.markdown(side_by_side.groups_answer(grid, ours, rivals), help=_(HELP))
    picture, numbers = parts.views()
    _picture(grid, str(metric), picture, right)
    with numbers:
        _in_numbers(grid)
    if state.metrics(run).get("refit"):
        st.caption(_(BEFORE_REFIT))


def _picture(grid: pd.DataFrame, metric: str, where: DeltaGenerator, turning: DeltaGenerator) -> None:
    """Draw some groups into ``where``, and into ``turning`` how the others are reached."""
    pages = math.ceil(len(grid) / PICTURED)
    with turning, st.container(horizontal=True, horizontal_alignment="right"):
        page = st.pagination(pages, key="compare_groups_page", width=cards.PAGES_WIDTH) if pages > 1 else 1
    shown = grid.iloc[(page - 1) * PICTURED : page * PICTURED]
    alt = _("{value} of every group, for {columns}").format(
        value=compare_tables.GROUP_METRICS[metric], columns=commas(grid.columns[3:])
    )
    with where:
        parts.draw(group_heat(shown, metric, float(np.nanmax(grid.iloc[:, 3:].to_numpy(float)))), "by_group", alt)


def _in_numbers(grid: pd.DataFrame) -> None:
    """Draw the numbers of the picture, and their downloads."""
    titled = {"group": N_("No."), "name": N_("Group"), "n_test_users": N_("Tested users")}
    shown = grid.round(3).rename(columns=titled)
    st.dataframe(
        shown,
        hide_index=True,
        key="compare_by_group_table",
        height=min(36 + 35 * len(shown), 491),
        column_config=cards.titles(
            shown,
            {
                "No.": st.column_config.NumberColumn(width=50),
                "Tested users": st.column_config.NumberColumn(format="localized"),
                **{name: st.column_config.NumberColumn(format="%.3f") for name in grid.columns[3:]},
            },
        ),
        placeholder=NOTHING,
        alt=_("The numbers of the picture: groups in rows, methods in columns"),
    )
    safe = small_groups.without(shown, small_groups.untold(shown["Tested users"]), shown.columns[2:])
    buttons(safe, "groups", "compare_download_by_group", small_groups.note())


def _columns(run: Run, methods: pd.DataFrame | None, regime: str) -> tuple[str, list[str]]:
    """Return the titles of the run's own lists and of the other shared lists; the use where only its own are known."""
    if methods is None:
        return sentences.REGIMES[regime], []
    own = tables.list_method(state.metrics(run), regime)
    shared = methods.loc[(methods["regime"] == regime) & (methods["method"] != own), "method"].unique()
    return sentences.method_title(own), [sentences.method_title(name) for name in shared]
