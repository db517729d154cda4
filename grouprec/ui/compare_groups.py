"""The part of the Compare page that looks at every group by itself."""

from __future__ import annotations

import streamlit as st

from grouprec.runs import Run
from grouprec.ui import charts, comparison, findings, state
from grouprec.ui.compare_charts import group_heat
from grouprec.ui.exporting import buttons

MISSING = "No group was measured: the held-out part has no interactions that are new to a user."
HELP = "Means over the tested members of a group, the darker the better. Few tested members make a value uncertain."


def by_group(run: Run, regime: str) -> None:
    """Draw what the members of every group get, by method."""
    served = state.table(run, "group_evaluation")
    measures = [metric for metric in comparison.GROUP_METRICS if metric in served]
    if not measures or served[measures[0]].isna().all():
        st.markdown(MISSING)
        return
    top = st.container()
    metric = st.segmented_control(
        "Measure",
        measures,
        default=measures[0],
        required=True,
        format_func=comparison.GROUP_METRICS.get,
        key="compare_group_metric",
    )
    values = comparison.group_values(state.table_or_none(run, "group_methods"), served, regime, metric)
    grid = comparison.group_grid(values)
    top.markdown(findings.groups_answer(grid), help=HELP)
    alt = f"{comparison.GROUP_METRICS[metric]} of every group, for {', '.join(grid.columns[3:])}"
    st.plotly_chart(group_heat(grid, metric), key="compare_by_group", config=charts.QUIET_CONFIG, alt=alt)
    notes = []
    if served["group"].nunique() > len(grid):
        notes.append(f"The {len(grid)} largest of {served['group'].nunique()} groups are shown.")
    if state.metrics(run).get("refit"):
        notes.append("These are the groups of the evaluation; the run then learned its groups again from all rows.")
    if notes:
        st.caption(" ".join(notes))
    titled = {"group": "Number", "name": "Group", "n_test_users": "Tested users"}
    shown = grid.round(3).rename(columns=titled)
    st.dataframe(
        shown,
        hide_index=True,
        key="compare_by_group_table",
        height=min(36 + 35 * len(shown), 491),
        column_config={"Number": st.column_config.NumberColumn(width=40)},
        alt="The numbers of the picture: groups in rows, methods in columns",
    )
    buttons(shown, "groups", "compare_download_by_group")
