"""The figures of a group's portrait: what sets it apart, and when it is active."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from grouprec.core.language import _
from grouprec.report.palette import NEUTRAL, group_colour
from grouprec.ui.cards import short
from grouprec.ui.charts import GRID, LEGEND_ABOVE, literal, plain_layout

MOST_LABEL = 30  # characters of an item's label beside its dot
TICKS = [1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1000]


def lift_dots(items: pd.DataFrame, group: int) -> go.Figure:
    """Return one dot with its 95 % interval per item, on a logarithmic scale with a line at 1, the average.

    Args:
        items: label, share_in_group, share_overall, lift, lift_low, lift_high; the first one comes on top.
        group: its number, for the colour.
    """
    places = list(range(len(items)))
    error = {"array": items["lift_high"] - items["lift"], "arrayminus": items["lift"] - items["lift_low"]}
    dots = go.Scatter(
        x=items["lift"],
        y=places,
        error_x={"type": "data", "symmetric": False, "thickness": 2, "width": 0, **error},
        mode="markers",
        marker={"size": 10, "color": group_colour(group)},
        text=items["label"].map(literal),
        customdata=items[["share_in_group", "share_overall"]].to_numpy(),
        hovertemplate=_(
            "%{text}<br>%{x:.1f} times: %{customdata[0]:.0%} of members, "
            "%{customdata[1]:.0%} of all users<extra></extra>"
        ),
    )
    figure = go.Figure(dots)
    figure.add_vline(x=1, line={"width": 1, "dash": "dot", "color": NEUTRAL})
    labels = [literal(short(label, MOST_LABEL)) for label in items["label"]]
    times = [f"{tick}×" for tick in TICKS]
    figure.update_layout(
        **plain_layout(46 + 24 * len(items), top=4),
        xaxis={"type": "log", "tickvals": TICKS, "ticktext": times, "gridcolor": GRID, "zeroline": False},
        yaxis={"tickvals": places, "ticktext": labels, "autorange": "reversed", "showgrid": False, "zeroline": False},
    )
    return figure


def activity_lines(active: pd.DataFrame, group: int) -> go.Figure:
    """Return the events per head of a group over time, before those of all users.

    Args:
        active: period, members, everybody (events per head), ascending.
        group: its number, for the colour.
    """
    figure = go.Figure()
    for column, title, colour, dash in (
        ("everybody", _("All users"), NEUTRAL, "dot"),
        ("members", _("This group"), group_colour(group), "solid"),
    ):
        figure.add_trace(
            go.Scatter(
                x=active["period"],
                y=active[column],
                name=title,
                mode="lines",
                line={"color": colour, "width": 2, "dash": dash},
                hovertemplate=f"{title}: %{{y:.2f}}<extra></extra>",
            )
        )
    figure.update_layout(
        **{**plain_layout(210, top=24), "showlegend": True, "hovermode": "x unified"},
        xaxis={"showgrid": False},
        yaxis={"rangemode": "tozero", "gridcolor": GRID, "zeroline": False, "nticks": 4},
        legend=LEGEND_ABOVE,
    )
    return figure
